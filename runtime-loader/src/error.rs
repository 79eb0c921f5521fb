//! What can go wrong, as one lowercase sentence with a way out. Never panics, never prints.

use crate::sys::SysError;
use std::fmt;

/// Whether the artifact (or the host) was refused, or the program was used wrongly; decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Exit status 1: the artifact or the host does not allow what was asked.
    Refused,
    /// Exit status 2: the command line makes no sense.
    Usage,
}

/// An error as it is shown: the cause, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Decides the exit status.
    pub kind: Kind,
    /// The cause: one lowercase sentence without a full stop.
    pub message: String,
    /// The way out; empty if there is none to name.
    pub help: String,
    /// Further lines that belong to the cause, such as the end of the verifier's log.
    pub detail: Vec<String>,
}

/// Result of everything here that can be refused.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The artifact or the host refuses.
    pub fn refused(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, message: message.into(), help: help.into(), detail: Vec::new() }
    }

    /// The command line makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), help: "`ebsec-load help` lists the commands".to_owned(), detail: Vec::new() }
    }

    /// A system call failed while `doing` something.
    pub fn system(doing: impl fmt::Display, error: &SysError) -> Self {
        Self::refused(format!("{doing} failed: {error}"), error.advice())
    }

    /// The exit status of the process.
    pub fn status(&self) -> u8 {
        match self.kind {
            Kind::Refused => 1,
            Kind::Usage => 2,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "error: {}", self.message)?;
        for line in &self.detail {
            write!(out, "\n  | {line}")?;
        }
        if !self.help.is_empty() {
            write!(out, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}
