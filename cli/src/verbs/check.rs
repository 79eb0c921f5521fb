//! `ebsec check`: everything that needs no kernel. Takes paths, or a policy on the standard input; prints findings of all
//! packages there; gives status 1 if one of them has the level that `--fail-level` says, which is that of errors, or a
//! higher one. With `--fix` it makes the changes that findings propose before.

use super::told;
use crate::guest::Failure;
use crate::package::{self, Found};
use crate::report::{self, Gate, Judged};
use crate::{diff, output, replace};
use ebsec_compiler::diag::Finding;
use ebsec_compiler::diag::render::Format;
use ebsec_compiler::pipeline::{self, Checked};
use ebsec_compiler::types::Date;
use std::path::PathBuf;
use std::process::ExitCode;

/// What every verb that reads packages takes.
#[derive(clap::Args)]
pub struct Common {
    /// Files or folders; by default the package in the current directory.
    pub paths: Vec<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_parser = report::formats(), default_value = "pretty")]
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
        told(failure, matches!(self.format, Format::Json | Format::Jsonl))
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
    /// The name of the policy that `-` reads from the standard input: it stands for the file of that name in its package.
    #[arg(long, value_name = "NAME", default_value = package::STDIN, hide_default_value = true)]
    stdin_filename: PathBuf,
    #[command(flatten)]
    gate: Gate,
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "days are written year-month-day".to_owned())
}

/// Checks each package and runs its unit tests.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (gate, format) = (&arguments.gate, arguments.common.format);
    gate.accepts(format)?;
    let (mut changes, mut fixed, mut all) = (false, 0, Vec::new());
    for mut found in open(arguments)? {
        if arguments.fix {
            let (count, changed) = fix(&mut found, arguments)?;
            fixed += count;
            changes |= changed && arguments.diff;
        }
        let (checked, mut findings) = check(&found);
        for package in checked.packages() {
            findings.extend(pipeline::test_failures(package, &pipeline::run_tests(package)));
        }
        all.push(Judged::new(&found, &checked, findings));
    }
    gate.print(&all, format)?;
    if arguments.fix {
        let done = if arguments.diff { "would be made" } else { "made" };
        output::tell(&format!("{fixed} {} {done}\n", if fixed == 1 { "fix" } else { "fixes" }));
    }
    Ok(ExitCode::from(u8::from(gate.fails(&all) || gate.fails_for(changes))))
}

/// The packages of the paths, or the one of the standard input.
fn open(arguments: &Arguments) -> Result<Vec<Found>, Failure> {
    let common = &arguments.common;
    if !common.paths.iter().any(|path| package::is_stdin(path)) {
        return common.open();
    }
    if common.paths.len() > 1 || (arguments.fix && !arguments.diff) {
        let failure = Failure::new("`-` is checked alone, and nothing is written");
        return Err(common.told(failure.help("leave the other paths out; `--fix --diff` shows what fixes would change")));
    }
    let found = package::standard_input(&arguments.stdin_filename, &common.params, common.today);
    Ok(vec![found.map_err(|failure| common.told(failure))?])
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
