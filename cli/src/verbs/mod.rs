//! One file a verb. Each takes its parsed arguments, does all input and output
//! itself, and gives the exit status: 0 done, 1 the answer is no, 2 could not.

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool of developers, who read its table as it grows")]
pub mod bench;
pub mod build;
pub mod check;
pub mod completions;
pub mod explain;
pub mod fmt;
pub mod guest;
pub mod init;
pub mod inspect;
pub mod kernels;
pub mod man;
pub mod test;
pub mod verify;

use crate::guest::Failure;
use crate::output;
use crate::package::shown;
use ebsec_compiler::diag::text;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// How a verb prints what is no list of findings.
#[derive(clap::Args)]
pub struct Form {
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Kind,
    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// For people.
    #[default]
    Pretty,
    /// One JSON document.
    Json,
}

impl Form {
    /// Whether JSON is asked for.
    fn json(&self) -> bool {
        self.json || self.format == Kind::Json
    }
}

/// Prints a failure of the surroundings and gives status 2.
pub fn could_not(failure: &Failure) -> ExitCode {
    let help = failure.help.as_ref().map_or_else(String::new, |help| format!("help: {}\n", text::line(help)));
    output::tell(&format!("error: {}\n{help}", text::line(&failure.message)));
    ExitCode::from(2)
}

/// A failure on its way out: where JSON is asked for, it is an object on the output too.
fn told(failure: Failure, json: bool) -> Failure {
    if json {
        // The failure that is told already is the one that counts.
        let _ = output::print(&text::json(&json!({ "error": failure.message, "help": failure.help })));
    }
    failure
}

/// Says why a file is no artifact of this version, and gives status 1.
fn no_artifact(path: &Path, error: &ebsec_artifact::ArtifactError, json: bool) -> ExitCode {
    let failure = told(Failure::new(format!("`{}`: {error}", shown(path))), json);
    could_not(&failure);
    ExitCode::from(1)
}
