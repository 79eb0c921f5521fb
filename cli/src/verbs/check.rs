//! `ebsec check`: everything that needs no kernel. Takes paths, prints findings of all packages there, gives status 1
//! if there are errors. With `--fix` it makes the changes that findings propose before.

use super::told;
use crate::guest::Failure;
use crate::package::{self, Found};
use crate::{diff, output, replace};
use ebsec_compiler::diag::render::Run;
use ebsec_compiler::diag::{self, Finding};
use ebsec_compiler::pipeline::{self, Checked};
use ebsec_compiler::source::Sources;
use ebsec_compiler::types::Date;
use serde_json::Value;
use std::io::IsTerminal;
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
    /// Files or folders; by default the package in the current directory.
    pub paths: Vec<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// A value for a parameter of the package. A text is written as it is (`dir=/srv`), a set as in a policy
    /// (`dirs=["/srv", "/opt"]`, `nets=[10.0.0.0/8, fd00::/8]`); one value is a set of one.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// The day by which exceptions expire, instead of today.
    #[arg(long, value_name = "YEAR-MONTH-DAY", value_parser = day)]
    pub today: Option<Date>,
}

impl Common {
    /// The packages of the paths.
    pub fn open(&self) -> Result<Vec<Found>, Failure> {
        package::open(&self.paths, &self.params, self.today).map_err(|failure| self.told(failure))
    }

    /// A failure on its way out, in the format that is asked for.
    pub fn told(&self, failure: Failure) -> Failure {
        told(failure, self.format == Format::Json)
    }
}

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Make the changes that findings propose, where they are safe, and print what is left.
    #[arg(long)]
    fix: bool,
    /// Make changes that are good guesses too: they may change the meaning.
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,
    /// Write nothing; print what the fixes would change.
    #[arg(long, requires = "fix")]
    diff: bool,
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "days are written year-month-day".to_owned())
}

/// Checks each package and runs its unit tests.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (mut wrong, mut fixed, mut run) = (false, 0, Run::default());
    for mut found in arguments.common.open()? {
        if arguments.fix {
            let (count, changes) = fix(&mut found, arguments)?;
            fixed += count;
            wrong |= changes && arguments.diff;
        }
        let (checked, mut findings) = check(&found);
        for package in checked.packages() {
            findings.extend(pipeline::test_failures(package, &pipeline::run_tests(package)));
        }
        wrong |= diag::has_errors(&findings);
        print(&found, &checked, &findings, &mut run, arguments.common.format)?;
    }
    if arguments.fix {
        let done = if arguments.diff { "would be made" } else { "made" };
        output::tell(&format!("{fixed} {} {done}\n", if fixed == 1 { "fix" } else { "fixes" }));
    }
    Ok(ExitCode::from(u8::from(wrong)))
}

/// Makes the fixes of a package, on disk unless only the difference is asked for. Gives how many there were, and whether
/// a file changes.
fn fix(found: &mut Found, arguments: &Arguments) -> Result<(usize, bool), Failure> {
    let pipeline::Fixed { input, count, .. } = pipeline::fix(found.input.clone(), arguments.unsafe_fixes);
    let shown = found.shown(&found.input.sources);
    let changes = pipeline::changes(&found.input.sources, &input.sources);
    for (file, before, after) in &changes {
        let Some((own, shown)) = found.input.sources.get(*file).zip(shown.get(*file)) else { continue };
        if arguments.diff {
            output::patch(&diff::unified(&shown.path, before, after))?;
        } else {
            replace::replace(&found.folder.join(&own.path), &found.folder, before, after)?;
        }
    }
    let changed = !changes.is_empty();
    found.input = input;
    Ok((count, changed))
}

/// Checks one package.
pub fn check(found: &Found) -> (Checked, Vec<Finding>) {
    let mut checked = pipeline::check(found.input.clone());
    let findings = std::mem::take(&mut checked.diagnostics);
    (checked, findings)
}

/// Prints findings as asked. `run` is what the whole run has shown.
pub fn print(found: &Found, checked: &Checked, findings: &[Finding], run: &mut Run, format: Format) -> Result<(), Failure> {
    match format {
        Format::Pretty => {
            tell(found, checked, findings, run);
            Ok(())
        }
        Format::Json => output::print(&run.json(findings, checked.left_out, &shown(found, &checked.sources, findings))),
    }
}

/// Findings for people, on the error output.
pub fn tell(found: &Found, checked: &Checked, findings: &[Finding], run: &mut Run) {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let text = run.pretty(findings, checked.left_out, &shown(found, &checked.sources, findings), colour);
    // Its own foreign text is escaped; colours are not to be.
    if colour { output::tell_raw(&text) } else { output::tell(&text) }
}

/// Findings as a part of a JSON document.
pub fn json(found: &Found, checked: &Checked, findings: &[Finding], run: &mut Run) -> Value {
    let text = run.json(findings, checked.left_out, &shown(found, &checked.sources, findings));
    serde_json::from_str(&text).unwrap_or_default()
}

fn shown(found: &Found, sources: &Sources, findings: &[Finding]) -> Sources {
    if findings.is_empty() { Sources::default() } else { found.shown(sources) }
}
