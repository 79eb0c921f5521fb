//! `ebsec check`: everything that needs no kernel. Takes paths, or a policy on the standard input; prints findings of all
//! packages there, less the lints that are known already; gives status 1 if one of them has the level that `--fail-level`
//! says, which is that of errors, or a higher one. With `--fix` it makes the changes that findings propose before.

use super::told;
use crate::guest::Failure;
use crate::known::{self, Known};
use crate::package::{self, Found};
use crate::report::{self, Gate, Judged};
use crate::{diff, history, output, replace};
use ebsec_compiler::config::Choice;
use ebsec_compiler::diag::render::Format;
use ebsec_compiler::diag::{Applicability, Finding};
use ebsec_compiler::pipeline::{self, Checked, Outside};
use ebsec_compiler::typed::Date;
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
    /// Settings from outside of the package, `[lints]` and `[lifelines]`: what they say of a lint, neither the package's own
    /// settings nor its comments change.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The day by which exceptions expire, instead of today.
    #[arg(long, value_name = "YEAR-MONTH-DAY", value_parser = day)]
    pub today: Option<Date>,
}

impl Common {
    /// The packages of the paths.
    pub fn open(&self) -> Result<Vec<Found>, Failure> {
        let open = || {
            let outside = self.outside()?;
            let mut all = package::open(&self.paths, &self.params, self.today)?;
            all.iter_mut().for_each(|found| found.input.outside = outside.clone());
            Ok(all)
        };
        open().map_err(|failure| self.told(failure))
    }

    /// The settings from outside.
    pub fn outside(&self) -> Result<Option<Outside>, Failure> {
        self.config.as_deref().map(package::outside).transpose()
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
    /// Report only these lints, by name, code or group, whatever `[lints]` says. Errors of the language are always reported.
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    select: Vec<String>,
    /// Do not report these lints, by name, code or group.
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Do not report the lints that this file lists.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the lints that are found to the file of `--baseline`, and report none of them.
    #[arg(long, requires = "baseline")]
    write_baseline: bool,
    /// Report only lints that the package did not have at this revision of its git repository.
    #[arg(long, value_name = "REVISION")]
    changed_since: Option<String>,
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
    let choice =
        Choice::read(&arguments.select, &arguments.ignore).map_err(|no| arguments.common.told(Failure::new(no.message).help(no.help)))?;
    let mut known = known(arguments).map_err(|failure| arguments.common.told(failure))?;
    let (mut changes, mut fixed, mut all) = (false, 0, Vec::new());
    for mut found in open(arguments)? {
        found.input.lints = choice.clone();
        if let Some(revision) = &arguments.changed_since {
            at_revision(&found, revision, &mut known).map_err(|failure| arguments.common.told(failure))?;
        }
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
    take_out(&mut known, &mut all, arguments).map_err(|failure| arguments.common.told(failure))?;
    gate.print(&all, format)?;
    if arguments.fix {
        let done = if arguments.diff { "would be made" } else { "made" };
        output::tell(&format!("{fixed} {} {done}\n", if fixed == 1 { "fix" } else { "fixes" }));
        if !arguments.unsafe_fixes {
            output::tell(&left(&all));
        }
    }
    Ok(ExitCode::from(u8::from(gate.fails(&all) || gate.fails_for(changes))))
}

/// That there are fixes which are not made unless asked for.
fn left(all: &[Judged]) -> String {
    let guess = |finding: &&Finding| finding.fixes.iter().any(|fix| fix.applicability == Applicability::Unsafe);
    match all.iter().flat_map(|judged| &judged.findings).filter(guess).count() {
        0 => String::new(),
        1 => "1 more finding has a fix that may change the meaning: `--unsafe-fixes` makes it\n".to_owned(),
        count => format!("{count} more findings have a fix that may change the meaning: `--unsafe-fixes` makes them\n"),
    }
}

/// The lints of the baseline, unless it is to be written.
fn known(arguments: &Arguments) -> Result<Known, Failure> {
    match &arguments.baseline {
        Some(path) if !arguments.write_baseline => Known::read(path),
        _ => Ok(Known::default()),
    }
}

/// Adds the lints that a package had at a revision.
fn at_revision(found: &Found, revision: &str, known: &mut Known) -> Result<(), Failure> {
    let Some(then) = history::at(found, revision)?.map(pipeline::check) else { return Ok(()) };
    if then.package.is_none() {
        let (folder, revision) = (package::shown(&found.folder), revision.escape_default());
        output::tell(&format!("note: `{folder}` did not compile at `{revision}`: what is found in it now counts as new\n"));
    }
    known.add(&then.diagnostics, &then.sources);
    Ok(())
}

/// Writes the baseline if it is to be written, and takes out of the findings what is known.
fn take_out(known: &mut Known, all: &mut [Judged], arguments: &Arguments) -> Result<(), Failure> {
    let for_people = arguments.common.format == Format::Pretty;
    let count = |n: usize| format!("{n} {}", if n == 1 { "lint" } else { "lints" });
    let taken = known.take_out(all);
    if taken > 0 && for_people {
        output::tell(&format!("note: {} known already\n", count(taken)));
    }
    if let Some(path) = arguments.baseline.as_ref().filter(|_| arguments.write_baseline) {
        let written = known::write(path, all)?;
        Known::read(path)?.take_out(all);
        if for_people {
            output::tell(&format!("note: {} written to `{}`\n", count(written), package::shown(path)));
        }
    }
    Ok(())
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
    let read = || {
        let outside = common.outside()?;
        let mut found = package::standard_input(&arguments.stdin_filename, &common.params, common.today)?;
        found.input.outside = outside;
        Ok(vec![found])
    };
    read().map_err(|failure| common.told(failure))
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
