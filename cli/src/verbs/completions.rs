//! `ebsec completions SHELL`: prints what a shell loads to complete ebsec's arguments. Made from the arguments themselves.

use crate::guest::Failure;
use crate::output;
use clap_complete::Shell;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::command(), "ebsec", &mut script);
    output::print_raw(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
