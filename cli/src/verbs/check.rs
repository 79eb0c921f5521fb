//! `ebsec check`: everything that needs no kernel. Takes paths, prints findings of all packages there, gives status 1
//! if there are errors.

use super::could_not;
use crate::package::{self, Found};
use ebsec_compiler::diag::{self, Diagnostic, render};
use ebsec_compiler::pipeline::{self, Checked};
use ebsec_compiler::source::Sources;
use ebsec_compiler::types::Date;
use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people, on the error output.
    #[default]
    Pretty,
    /// One JSON array for each package, on the output.
    Json,
}

/// What every verb that reads packages takes.
#[derive(clap::Args)]
pub struct Common {
    /// Files or folders; the package in the folder at hand if there is none.
    pub paths: Vec<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// A value for a parameter of the package.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// The day by which exceptions expire, instead of today.
    #[arg(long, value_name = "YEAR-MONTH-DAY", value_parser = day)]
    pub today: Option<Date>,
}

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "days are written year-month-day".to_owned())
}

/// Checks each package and runs its unit tests.
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut wrong = false;
    let packages = match package::open(&arguments.common.paths, &arguments.common.params, arguments.common.today) {
        Ok(packages) => packages,
        Err(failure) => return could_not(&failure),
    };
    for found in packages {
        let (checked, mut findings) = check(&found);
        if let Some(package) = &checked.package {
            findings.extend(pipeline::test_failures(package, &pipeline::run_tests(package)));
        }
        wrong |= diag::has_errors(&findings);
        print(&found, &checked.sources, &findings, arguments.common.format);
    }
    ExitCode::from(u8::from(wrong))
}

/// Checks one package.
pub fn check(found: &Found) -> (Checked, Vec<Diagnostic>) {
    let mut checked = pipeline::check(found.input.clone());
    let findings = std::mem::take(&mut checked.diagnostics);
    (checked, findings)
}

/// Prints findings as asked.
pub fn print(found: &Found, sources: &Sources, findings: &[Diagnostic], format: Format) {
    let shown = if findings.is_empty() { Sources::default() } else { found.shown(sources) };
    // A reader that has seen enough closes the pipe: no failure of ours.
    let _ = match format {
        Format::Pretty => {
            let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
            std::io::stderr().write_all(render::pretty(findings, &shown, colour).as_bytes())
        }
        Format::Json => std::io::stdout().write_all(render::json(findings, &shown).as_bytes()),
    };
}
