//! Guests: real kernels in QEMU. Takes a kernel, files and a script, gives what
//! the script printed and the files it left. Never touches the running kernel
//! of this machine, its packages or its package lists.

pub mod btf;
pub mod hung;
pub mod initramfs;
pub mod kernels;
pub mod loader;
pub mod machine;
mod mirror;
pub mod modules;
mod payload;
pub mod prototypes;

pub use machine::{Ending, GuestFile, GuestResult, GuestSpec};

use std::fmt;

/// Why something outside this program could not be had: a tool, a package, a
/// file. One lowercase sentence, and apart from it what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong, one lowercase sentence without a full stop.
    pub message: String,
    /// What the user can do about it.
    pub help: Option<String>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(message: impl Into<String>) -> Self {
        Failure { message: message.into(), help: None }
    }

    /// The same failure with advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A failed operation of the system on `what`.
    pub fn io(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Failure::new(format!("cannot {what} `{}`: {error}", crate::package::shown(path)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
