//! `ebsec bench`: measures what a policy costs a guest, what it costs the verifiers, and what compiling and checking it
//! cost, holds each figure against the project's bar, and against AppArmor with the same rules. Prints a table, writes JSON; status 1
//! if a bar is missed. `docs/bench.md` says how to read it.

mod check;
mod compile;
mod edits;
mod guest;
mod rules;
mod verified;
mod walks;

use super::could_not;
use super::verify::find_loader;
use crate::guest::Failure;
use crate::guest::kernels::Cache;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Also write the figures into this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only 10 rules and 1,000, and only the kernel that is measured.
    #[arg(long)]
    quick: bool,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// The kernel whose events are measured.
    #[arg(long, default_value = "6.12", value_name = "SERIES")]
    kernel: String,
}

/// What can be measured apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Instructions that events cost.
    Events,
    /// Instructions of walks without a mount, deep ones, and of the whole library.
    Walks,
    /// Instructions that verifiers look at.
    Verified,
    /// Time that compiling takes.
    Compile,
    /// Time that checking takes, with every lint.
    Check,
}

/// What a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bar {
    /// Nothing; it is only told.
    None,
    /// At most so much.
    AtMost(f64),
}

/// One figure.
#[derive(Clone, Debug)]
struct Row {
    what: String,
    /// In `unit`; over the bare kernel, where it is about an event.
    value: f64,
    unit: &'static str,
    bar: Bar,
    /// The same of AppArmor.
    apparmor: Option<f64>,
}

impl Row {
    fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Row {
        Row { what: what.into(), value, unit, bar: Bar::None, apparmor: None }
    }

    fn at_most(mut self, bar: f64) -> Row {
        self.bar = Bar::AtMost(bar);
        self
    }

    fn against(mut self, apparmor: Option<f64>) -> Row {
        self.apparmor = apparmor;
        self
    }

    fn missed_by(&self) -> Option<f64> {
        match self.bar {
            Bar::AtMost(bar) if self.value > bar => Some(self.value - bar),
            _ => None,
        }
    }

    fn ratio(&self) -> Option<f64> {
        self.apparmor.filter(|other| *other > 0.0).map(|other| self.value / other)
    }

    fn json(&self) -> Value {
        let bar = match self.bar {
            Bar::None => Value::Null,
            Bar::AtMost(bar) => json!(bar),
        };
        json!({"what": self.what, "value": self.value, "unit": self.unit, "bar": bar, "missed_by": self.missed_by(),
            "apparmor": self.apparmor, "ratio_to_apparmor": self.ratio()})
    }
}

/// Where the parts find what they need.
struct Bench {
    folder: tempfile::TempDir,
    quick: bool,
    loader: PathBuf,
    tools: PathBuf,
    /// The kernel whose events are measured.
    kernel: crate::guest::kernels::Kernel,
    apparmor: Option<compile::AppArmor>,
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How many file rules.
    fn sizes(&self) -> &'static [usize] {
        if self.quick { &[10, 1_000] } else { &[10, 1_000, 10_000] }
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.path(name);
        std::fs::write(&path, text).map_err(|e| Failure::io("write", &path, &e))?;
        Ok(path)
    }
}

/// Measures, prints, writes.
pub fn run(arguments: &Arguments) -> ExitCode {
    match bench(arguments) {
        Ok(code) => code,
        Err(failure) => could_not(&failure),
    }
}

fn bench(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let loader = find_loader()?;
    let tools = loader.with_file_name("ebsec-guest-tools");
    if !tools.is_file() {
        return Err(Failure::new(format!("there is no `{}`", tools.display())).help("build it with `make guest-tools`"));
    }
    let bench = Bench {
        folder: tempfile::tempdir().map_err(|e| Failure::new(format!("cannot make a folder: {e}")))?,
        quick: arguments.quick,
        loader,
        tools,
        kernel: Cache::open()?.kernel(&arguments.kernel)?,
        apparmor: compile::AppArmor::find(),
    };
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let mut sections = Vec::new();
    for (part, title, measure) in [
        (Part::Compile, "Compiling, milliseconds of processor time", compile::measure as fn(&Bench) -> Result<Vec<Row>, Failure>),
        (Part::Check, "Checking with every lint, milliseconds of processor time", check::measure),
        (Part::Events, "Events, instructions over the bare kernel", guest::measure),
        (Part::Walks, "Walks and the whole library, instructions", walks::measure),
        (Part::Verified, "Verified instructions, the largest program of each kernel", verified::measure),
    ] {
        if wanted(part) {
            let rows = measure(&bench)?;
            print!("{}", table(title, &rows));
            sections.push((title, rows));
        }
    }
    if bench.apparmor.is_none() {
        println!("AppArmor was not compared: `apparmor_parser` is neither in the path nor in $EBSEC_APPARMOR");
    }
    if let Some(path) = &arguments.json {
        write_json(path, &bench, &sections)?;
    }
    let missed = sections.iter().flat_map(|(_, rows)| rows).filter(|row| row.missed_by().is_some()).count();
    Ok(ExitCode::from(u8::from(missed > 0)))
}

fn write_json(path: &Path, bench: &Bench, sections: &[(&str, Vec<Row>)]) -> Result<(), Failure> {
    let rows: Vec<Value> = sections.iter().flat_map(|(_, rows)| rows).map(Row::json).collect();
    let text = json!({"kernel": bench.kernel.version, "ebsec": env!("CARGO_PKG_VERSION"), "quick": bench.quick, "rows": rows});
    std::fs::write(path, format!("{text:#}\n")).map_err(|e| Failure::io("write", path, &e))
}

/// A number as people read it.
fn number(value: f64, unit: &str) -> String {
    match unit {
        "%" | "ms" => format!("{value:.1} {unit}"),
        _ => format!("{value:.0}"),
    }
}

fn table(title: &str, rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0).max(4);
    let mut out = format!("{title}\n  {:<width$} {:>11} {:>11}  {:<14} {:>11} {:>6}\n", "what", "measured", "bar", "", "AppArmor", "ratio");
    for row in rows {
        let bar = match row.bar {
            Bar::None => String::new(),
            Bar::AtMost(bar) => number(bar, row.unit),
        };
        let verdict = match (row.bar, row.missed_by()) {
            (Bar::None, _) => String::new(),
            (_, None) => "met".to_owned(),
            (_, Some(by)) => format!("MISSED by {}", number(by, row.unit)),
        };
        let other = row.apparmor.map_or_else(String::new, |v| number(v, row.unit));
        let ratio = row.ratio().map_or_else(String::new, |r| format!("{r:.2}"));
        let measured = number(row.value, row.unit);
        let line = format!("  {:<width$} {measured:>11} {bar:>11}  {verdict:<14} {other:>11} {ratio:>6}", row.what);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push('\n');
    out
}
