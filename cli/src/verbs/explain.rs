//! `ebsec explain CODE`: prints the page of a diagnostic's code. Knows no code itself.

use ebsec_compiler::diag::codes;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// A code, for example E0205.
    code: String,
}

/// Prints the page; status 1 if there is none.
pub fn run(arguments: &Arguments) -> ExitCode {
    match codes::page(&arguments.code) {
        Some((title, text)) => {
            println!("{}: {title}\n\n{text}", arguments.code.to_ascii_uppercase());
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("error: there is no code `{}`", arguments.code.escape_default());
            ExitCode::from(1)
        }
    }
}
