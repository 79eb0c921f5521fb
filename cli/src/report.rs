//! What a run found, on its way out: findings of all its packages in one document, whether they fail the run, and how many
//! there are of what. Takes finished findings; judges none.

use crate::guest::Failure;
use crate::output;
use crate::package::Found;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use ebsec_compiler::config::Levels;
use ebsec_compiler::diag::render::{FORMATS, Format, Package, Report, Test};
use ebsec_compiler::diag::{Finding, Level, codes, text};
use ebsec_compiler::pipeline::Checked;
use ebsec_compiler::source::Sources;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::IsTerminal;

/// Reads the name of a format.
pub fn formats() -> impl TypedValueParser<Value = Format> {
    let values = FORMATS.iter().map(|(_, name, about)| PossibleValue::new(*name).help(*about));
    PossibleValuesParser::new(values).map(|name| Format::named(&name).unwrap_or_default())
}

/// Reads a level; `warn` is how `ebsec.toml` writes it.
fn levels() -> impl TypedValueParser<Value = Level> {
    let values = [PossibleValue::new("error"), PossibleValue::new("warning").alias("warn"), PossibleValue::new("info")];
    PossibleValuesParser::new(values).map(|name| match name.as_str() {
        "error" => Level::Error,
        "info" => Level::Info,
        _ => Level::Warning,
    })
}

/// What findings mean for the run.
#[derive(clap::Args)]
pub struct Gate {
    /// The lowest level of findings for which the status is 1.
    #[arg(long, value_name = "LEVEL", value_parser = levels(), default_value = "error")]
    fail_level: Level,
    /// Give status 0 whatever is found; what cannot be checked at all still gives 2.
    #[arg(long)]
    exit_zero: bool,
    /// Print how often each code was found instead of the findings.
    #[arg(long)]
    statistics: bool,
}

/// A package that was checked.
pub struct Judged {
    /// With paths as they are shown; empty where there is nothing to show.
    pub sources: Sources,
    /// How shown paths of the package begin.
    pub root: String,
    pub findings: Vec<Finding>,
    /// What the package, and settings from outside of it, say of lints.
    pub levels: Levels,
    left_out: usize,
    /// Policies, rules and unit tests.
    counts: [usize; 3],
}

impl Judged {
    /// A package and everything that was found in it.
    pub fn new(found: &Found, checked: &Checked, findings: Vec<Finding>) -> Self {
        let sources = if findings.is_empty() { Sources::default() } else { found.shown(&checked.sources) };
        let counts = checked.package.as_ref().map_or([0; 3], |package| {
            let rules = package.policies.iter().map(|policy| policy.rules.len()).sum();
            [package.policies.len(), rules, checked.packages().map(|p| p.tests.len()).sum()]
        });
        let levels = checked.config.levels.clone();
        Self { sources, root: found.root(), findings, levels, left_out: checked.left_out, counts }
    }

    /// Findings of a text that belongs to no package.
    pub fn loose(sources: Sources, findings: Vec<Finding>) -> Self {
        Self { sources, root: String::new(), findings, levels: Levels::default(), left_out: 0, counts: [0; 3] }
    }

    fn package(&self) -> Package<'_> {
        Package { findings: &self.findings, left_out: self.left_out, sources: &self.sources, root: &self.root }
    }
}

impl Gate {
    /// Whether the run fails.
    pub fn fails(&self, all: &[Judged]) -> bool {
        !self.exit_zero && all.iter().flat_map(|judged| &judged.findings).any(|finding| finding.level >= self.fail_level)
    }

    /// Whether the run fails for another reason than its findings.
    pub fn fails_for(&self, reason: bool) -> bool {
        reason && !self.exit_zero
    }

    /// Whether these words can be followed together.
    pub fn accepts(&self, format: Format) -> Result<(), Failure> {
        if self.statistics && !matches!(format, Format::Pretty | Format::Json) {
            return Err(Failure::new("`--statistics` is printed as text or as JSON").help("leave `--format` out, or write `--format json`"));
        }
        Ok(())
    }

    /// Prints the findings, or how many there are of each code.
    pub fn print(&self, all: &[Judged], format: Format) -> Result<(), Failure> {
        if self.statistics {
            return output::print(&statistics(all, format));
        }
        print(all, &[], format, self.fail_level)?;
        if format == Format::Pretty && std::io::stderr().is_terminal() && all.iter().all(|judged| judged.findings.is_empty()) {
            output::tell(&clean(all));
        }
        Ok(())
    }
}

/// Prints all findings as one document: for people on the error output, otherwise on the output.
pub fn print(all: &[Judged], tests: &[Test], format: Format, fails: Level) -> Result<(), Failure> {
    let packages: Vec<Package<'_>> = all.iter().map(Judged::package).collect();
    let report = Report { packages: &packages, tests, fails: Some(fails) };
    if format != Format::Pretty {
        let document = report.render(format, false);
        return if format.is_commands() { output::print_raw(&document) } else { output::print(&document) };
    }
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let document = report.render(format, colour);
    // Its own foreign text is escaped; colours are not to be.
    if colour {
        output::tell_raw(&document)
    } else {
        output::tell(&document)
    }
    Ok(())
}

/// Findings as parts of a JSON document, an array for each package.
pub fn values(all: &[Judged]) -> Vec<Value> {
    let packages: Vec<Package<'_>> = all.iter().map(Judged::package).collect();
    Report { packages: &packages, ..Report::default() }.values()
}

/// That nothing was found, and in how much.
fn clean(all: &[Judged]) -> String {
    let sum = |index: usize| all.iter().filter_map(|judged| judged.counts.get(index)).sum::<usize>();
    let count = |index, one, many| format!("{} {}", sum(index), if sum(index) == 1 { one } else { many });
    format!("{}, {}, {}: no findings\n", count(0, "policy", "policies"), count(1, "rule", "rules"), count(2, "test", "tests"))
}

/// How often each code was found, the most frequent first.
fn statistics(all: &[Judged], format: Format) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    all.iter().flat_map(|judged| &judged.findings).for_each(|finding| *counts.entry(finding.code).or_default() += 1);
    let mut rows: Vec<(&str, &str, usize)> =
        counts.into_iter().map(|(code, count)| (code, codes::page(code).map_or("", |page| page.name), count)).collect();
    rows.sort_by_key(|(code, _, count)| (std::cmp::Reverse(*count), *code));
    let left_out: usize = all.iter().map(|judged| judged.left_out).sum();
    if format == Format::Json {
        let rows: Vec<Value> = rows.iter().map(|(code, name, count)| json!({ "code": code, "name": name, "count": count })).collect();
        return text::json(&json!({ "codes": rows, "not_counted_by_code": left_out }));
    }
    let width = rows.iter().map(|(_, name, _)| name.len()).max().unwrap_or_default();
    let mut out: String = rows.iter().map(|(code, name, count)| format!("{code}  {name:width$}  {count}\n")).collect();
    if left_out > 0 {
        out.push_str(&format!("… and {left_out} more, not counted by code\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebsec_compiler::source::Loc;

    fn judged(codes: &[&'static str], counts: [usize; 3]) -> Judged {
        let findings = codes.iter().map(|code| Finding::new(code, Level::Warning, Loc::default(), "x")).collect();
        Judged { counts, ..Judged::loose(Sources::default(), findings) }
    }

    #[test]
    fn codes_are_counted_over_packages() {
        let all = [judged(&["E0204", "E0200"], [0; 3]), judged(&["E0204"], [0; 3])];
        assert_eq!(statistics(&all, Format::Pretty), "E0204  unknown-field  2\nE0200  unknown-name   1\n");
        let gate = |fail_level, exit_zero| Gate { fail_level, exit_zero, statistics: false };
        let fails = [gate(Level::Error, false), gate(Level::Warning, false), gate(Level::Info, true)].map(|gate| gate.fails(&all));
        assert_eq!(fails, [false, true, false]);
    }

    #[test]
    fn what_is_clean_is_counted() {
        assert_eq!(clean(&[judged(&[], [1, 10, 1]), judged(&[], [2, 4, 30])]), "3 policies, 14 rules, 31 tests: no findings\n");
        assert_eq!(clean(&[judged(&[], [1, 1, 0])]), "1 policy, 1 rule, 0 tests: no findings\n");
    }
}
