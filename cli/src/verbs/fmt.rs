//! `ebsec fmt`: writes policy files in the one layout. Takes files and folders, or a text on the standard input; says what
//! does not parse and leaves it as it is. Gives status 1 if a file does not parse or, where nothing is to be written, would
//! change; 2 if a file cannot be read or written.

use super::told;
use crate::guest::Failure;
use crate::package::{self, Found};
use crate::report::{self, Judged};
use crate::{diff, output, replace};
use ebsec_compiler::diag::render::Format;
use ebsec_compiler::diag::{Finding, Level, text};
use ebsec_compiler::fmt::{self, Refused};
use ebsec_compiler::source::Sources;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Files or folders; by default the package in the current directory. `-` reads a policy from the standard input and
    /// prints it formatted.
    paths: Vec<PathBuf>,
    /// Write nothing; list the files that would change.
    #[arg(long)]
    check: bool,
    /// Write nothing; print what would change.
    #[arg(long)]
    diff: bool,
    /// What messages call the standard input.
    #[arg(long, value_name = "NAME", default_value = package::STDIN, hide_default_value = true)]
    stdin_filename: String,
    /// How results are printed; where nothing is to be written, a file that would change is a finding.
    #[arg(long, value_parser = report::formats(), default_value = "pretty")]
    format: Format,
}

/// A file and what came out for it.
struct Outcome {
    /// Its path as it is shown.
    name: String,
    before: String,
    result: Result<String, Refused>,
}

/// Formats each file.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    formatted(arguments).map_err(|failure| told(failure, arguments.format == Format::Json))
}

fn formatted(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.paths.iter().any(|path| package::is_stdin(path)) {
        return standard_input(arguments);
    }
    let mut outcomes = Vec::new();
    let paths: Vec<PathBuf> = arguments.paths.iter().map(|path| real(path)).collect::<Result<_, _>>()?;
    for found in package::open(&arguments.paths, &[], None)? {
        for (path, outcome) in files(&found, &paths) {
            if let (Ok(after), false) = (&outcome.result, arguments.is_dry())
                && *after != outcome.before
            {
                replace::replace(&path, &found.folder, &outcome.before, after)?;
            }
            outcomes.push(outcome);
        }
    }
    report(arguments, &outcomes)
}

/// Formats the standard input and prints it.
fn standard_input(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let is_text = arguments.format == Format::Pretty || arguments.is_dry();
    if arguments.paths.len() > 1 || !is_text {
        return Err(Failure::new("`-` takes no other path and no `--format`").help("remove the other paths and `--format`"));
    }
    let before = package::stdin_text(Path::new(&arguments.stdin_filename))?;
    let result = fmt::format(&before);
    if let (Ok(after), false) = (&result, arguments.is_dry()) {
        output::print_raw(after)?;
        return Ok(ExitCode::SUCCESS);
    }
    report(arguments, &[Outcome { name: arguments.stdin_filename.clone(), before, result }])
}

/// The real path of one that is named, the last name of which may be a link.
fn real(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |e: std::io::Error| Failure::io("read", path, &e);
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match path.file_name() {
        Some(name) if !path.is_dir() => Ok(above.canonicalize().map_err(failed)?.join(name)),
        _ => path.canonicalize().map_err(failed),
    }
}

/// The files of a package that are named, or stand below a folder that is, each formatted.
fn files<'f>(found: &'f Found, wanted: &'f [PathBuf]) -> impl Iterator<Item = (PathBuf, Outcome)> + 'f {
    let shown = found.shown(&found.input.sources);
    let sources = found.input.sources.files.iter().zip(shown.files).enumerate();
    let own = sources.filter(|(index, _)| found.input.config.is_none_or(|config| config.0 as usize != *index));
    own.filter_map(move |(_, (file, shown))| {
        let path = found.folder.join(&file.path);
        let is_wanted = wanted.is_empty() || wanted.iter().any(|wanted| path.starts_with(wanted));
        is_wanted.then(|| {
            let result = fmt::format(&file.text);
            (path, Outcome { name: shown.path, before: file.text.to_string(), result })
        })
    })
}

impl Arguments {
    /// Whether nothing is to be written.
    fn is_dry(&self) -> bool {
        self.check || self.diff
    }
}

impl Outcome {
    fn changes(&self) -> bool {
        self.result.as_ref().is_ok_and(|after| *after != self.before)
    }

    fn diff(&self) -> String {
        self.result.as_ref().map_or_else(|_| String::new(), |after| diff::unified(&self.name, &self.before, after))
    }

    /// What is wrong with the file; that it would change too, if that counts.
    fn judged(&self, layout: bool) -> Judged {
        let mut sources = Sources::default();
        let file = sources.add(self.name.clone(), self.before.clone());
        let errors = match &self.result {
            Err(Refused::Syntax(errors)) => errors.clone(),
            _ => Vec::new(),
        };
        let mut findings: Vec<Finding> = errors.into_iter().map(|error| Finding::syntax(file, error)).collect();
        if let (Ok(after), true, true) = (&self.result, layout, self.changes()) {
            findings.push(fmt::unformatted(file, &self.before, after));
        }
        Judged::loose(sources, findings)
    }

    fn json(&self, arguments: &Arguments, findings: Value) -> Value {
        let state = match &self.result {
            Err(_) => "refused",
            Ok(_) if !self.changes() => "unchanged",
            Ok(_) if arguments.is_dry() => "would change",
            Ok(_) => "formatted",
        };
        let diff = arguments.diff.then(|| self.diff());
        json!({ "file": self.name, "state": state, "diff": diff, "findings": findings })
    }
}

/// Says what came out, and gives the status.
fn report(arguments: &Arguments, outcomes: &[Outcome]) -> Result<ExitCode, Failure> {
    let listed = matches!(arguments.format, Format::Pretty | Format::Json);
    let judged: Vec<Judged> = outcomes.iter().map(|outcome| outcome.judged(arguments.is_dry() && !listed)).collect();
    if arguments.format == Format::Json {
        let all = outcomes.iter().zip(report::values(&judged)).map(|(outcome, findings)| outcome.json(arguments, findings));
        output::print(&text::json(&all.collect::<Vec<Value>>()))?;
    } else {
        report::print(&judged, &[], arguments.format, Level::Error)?;
    }
    if arguments.format == Format::Pretty {
        for outcome in outcomes {
            pretty(arguments, outcome)?;
        }
        summary(arguments, outcomes);
    }
    let wrong = |outcome: &Outcome| matches!(outcome.result, Err(Refused::Internal(_)));
    if let Some(outcome) = outcomes.iter().find(|outcome| wrong(outcome)) {
        return Err(internal(outcome));
    }
    let refused = outcomes.iter().any(|outcome| outcome.result.is_err());
    let changes = arguments.is_dry() && outcomes.iter().any(Outcome::changes);
    Ok(ExitCode::from(u8::from(refused || changes)))
}

/// Prints what would change.
fn pretty(arguments: &Arguments, outcome: &Outcome) -> Result<(), Failure> {
    if arguments.diff {
        output::patch(&outcome.diff())?;
    } else if arguments.check && outcome.changes() {
        output::print(&format!("{}\n", text::line(&outcome.name)))?;
    }
    Ok(())
}

/// How many files are what, where somebody reads it.
fn summary(arguments: &Arguments, outcomes: &[Outcome]) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let changed = outcomes.iter().filter(|outcome| outcome.changes()).count();
    let refused = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    let files = if changed == 1 { "file" } else { "files" };
    let done = if arguments.is_dry() { "would be formatted" } else { "formatted" };
    let mut text = format!("{changed} {files} {done}, {} unchanged", outcomes.len() - changed - refused);
    if refused > 0 {
        text.push_str(&format!(", {refused} not parsed"));
    }
    output::tell(&format!("{text}\n"));
}

fn internal(outcome: &Outcome) -> Failure {
    let what = match outcome.result {
        Err(Refused::Internal(what)) => what,
        _ => "",
    };
    let message = format!("internal error: `{}` formatted would not say the same ({what}), so it is left as it is", outcome.name);
    Failure::new(message).help("please report this, with the file if you can; `// fmt: off` before the place formats the rest")
}
