//! `ebsec explain [CODE]`: prints the page of a diagnostic's code, or the list of codes. Knows no code itself.

use crate::guest::Failure;
use crate::output;
use ebsec_compiler::diag::{codes, text};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// A code, for example E0205, or its number alone; all codes are listed if there is none.
    code: Option<String>,
}

/// Prints the page; status 1 if there is none.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Some(wanted) = &arguments.code else {
        output::print(&codes::titles().map(|(code, title)| format!("{code}  {title}\n")).collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    };
    let code = full(wanted);
    let Some((title, text)) = codes::page(&code) else {
        output::tell(&format!("error: there is no code `{}`\nhelp: `ebsec explain` lists all codes\n", text::line(wanted)));
        return Ok(ExitCode::from(1));
    };
    output::print(&format!("{code}: {title}\n\n{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// `E0306` of `306` and `e306`; other texts in capitals.
fn full(text: &str) -> String {
    let digits = text.strip_prefix(['e', 'E']).unwrap_or(text);
    match !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        true => format!("E{digits:0>4}"),
        false => text.to_ascii_uppercase(),
    }
}
