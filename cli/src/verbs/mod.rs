//! One file a verb. Each takes its parsed arguments, does all input and output
//! itself, and gives the exit status: 0 done, 1 the answer is no, 2 could not.

pub mod bench;
pub mod build;
pub mod check;
pub mod explain;
pub mod guest;
pub mod inspect;
pub mod kernels;
pub mod test;
pub mod verify;

use crate::guest::Failure;
use std::process::ExitCode;

/// Prints a failure of the surroundings and gives status 2.
fn could_not(failure: &Failure) -> ExitCode {
    eprintln!("error: {}", failure.message);
    if let Some(help) = &failure.help {
        eprintln!("help: {help}");
    }
    ExitCode::from(2)
}
