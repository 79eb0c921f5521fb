//! One file a verb. Each takes its parsed arguments, does all input and output
//! itself, and gives the exit status: 0 done, 1 the answer is no, 2 could not.

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool of developers, who read its table as it grows")]
pub mod bench;
pub mod build;
pub mod check;
pub mod explain;
pub mod fmt;
pub mod guest;
pub mod inspect;
pub mod kernels;
pub mod test;
pub mod verify;

use crate::guest::Failure;
use crate::output;
use crate::package::shown;
use ebsec_compiler::diag::text;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

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
