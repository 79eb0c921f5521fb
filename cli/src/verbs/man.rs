//! `ebsec man`: prints the manual page of `ebsec`, or writes it and one for each verb into a folder. Made from the arguments
//! themselves.

use crate::guest::Failure;
use crate::output;
use clap_mangen::Man;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// An existing folder in which to write `ebsec.1` and `ebsec-VERB.1` for each verb; without it, `ebsec.1` is
    /// printed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes the pages.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut command = crate::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &arguments.out else {
        output::print_raw(&page(command)?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let verbs: Vec<clap::Command> = command.get_subcommands().cloned().collect();
    for command in std::iter::once(command).chain(verbs) {
        let name = format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()));
        output::file(&folder.join(name), page(command)?.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn page(command: clap::Command) -> Result<String, Failure> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text).map_err(|e| Failure::new(format!("cannot make the manual page: {e}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
