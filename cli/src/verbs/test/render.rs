//! What `ebsec test` shows: results in, text for people or JSON out. A test that passes is one line; one that fails shows
//! its lines.

use super::Report;
use ebsec_compiler::diag::render::Test;
use ebsec_compiler::diag::text;
use ebsec_compiler::source::{LineIndex, Loc, Sources};
use ebsec_compiler::testing::coverage::{RuleCoverage, Tried};
use ebsec_compiler::testing::mutation::Unnoticed;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;

/// A line of a test.
pub(super) struct Line {
    /// What happens, as written.
    pub operation: String,
    pub expected: String,
    pub got: String,
    pub passed: bool,
    pub place: String,
}

/// A test.
pub(super) struct Row {
    pub name: String,
    pub place: String,
    pub lines: Vec<Line>,
}

/// Most conditions that a shortfall names.
const MAX_OPEN: usize = 12;

/// Longest operation or condition that is shown whole.
const MAX_SHOWN: usize = 100;

/// Places as people read them.
pub(super) struct Places<'s> {
    sources: &'s Sources,
    lines: HashMap<u32, LineIndex>,
}

impl<'s> Places<'s> {
    pub fn new(sources: &'s Sources) -> Self {
        Self { sources, lines: HashMap::new() }
    }

    /// `web.ebsec:12:5`.
    pub fn of(&mut self, loc: Loc) -> String {
        let place = self.sources.place(loc);
        let Some(file) = self.sources.get(place.file) else { return String::new() };
        let index = self.lines.entry(place.file.0).or_insert_with(|| LineIndex::new(&file.text));
        let at = index.position(&file.text, place.span.start);
        format!("{}:{}:{}", text::line(&file.path), at.line, at.column)
    }

    /// What is written at a place, in one line.
    pub fn text(&self, loc: Loc) -> String {
        let words: Vec<&str> = self.sources.slice(loc).split_whitespace().collect();
        text::line(&text::short(&words.join(" "), MAX_SHOWN)).into_owned()
    }

    /// The operation of a line of a test: what stands before the arrow.
    pub fn operation(&self, loc: Loc) -> String {
        let line = self.text(loc);
        line.rsplit_once("=>").map_or(line.as_str(), |(before, _)| before).trim_end().to_owned()
    }
}

impl Row {
    fn passed(&self) -> usize {
        self.lines.iter().filter(|l| l.passed).count()
    }

    /// One line if all passed, else one for each line too.
    fn text(&self, width: usize) -> String {
        let (passed, total) = (self.passed(), self.lines.len());
        let name = text::line(&self.name);
        let word = match (passed, total) {
            (_, 0) => "none",
            (passed, total) if passed == total => "pass",
            _ => "FAIL",
        };
        let mut out = format!("{word}  {name:width$}  {passed} of {total}  {}\n", self.place);
        if passed < total {
            let widest = self.lines.iter().map(|l| l.operation.chars().count()).max().unwrap_or(0);
            let verdicts: Vec<String> = self.lines.iter().map(Line::verdict).collect();
            let wide = verdicts.iter().map(|v| v.chars().count()).max().unwrap_or(0);
            for (line, verdict) in self.lines.iter().zip(&verdicts) {
                let word = if line.passed { "pass" } else { "FAIL" };
                let _ = writeln!(out, "      {word}  {:widest$}  {verdict:wide$}  {}", line.operation, line.place);
            }
        }
        out
    }

    /// As the formats for CI systems show it.
    pub(super) fn summary(&self) -> Test {
        Test { name: self.name.clone(), passed: self.passed(), total: self.lines.len() }
    }

    fn json(&self) -> Value {
        let lines: Vec<Value> = self.lines.iter().map(Line::json).collect();
        json!({ "name": self.name, "place": self.place, "passed": self.passed(), "total": self.lines.len(), "lines": lines })
    }
}

impl Line {
    fn verdict(&self) -> String {
        let verdict = if self.passed { self.got.clone() } else { format!("{}, not {}", self.got, self.expected) };
        text::line(&verdict).into_owned()
    }

    fn json(&self) -> Value {
        json!({
            "operation": self.operation,
            "expected": self.expected,
            "verdict": self.got,
            "passed": self.passed,
            "place": self.place,
        })
    }
}

impl Report {
    /// The tests, how many of their lines passed, which judges ran, and what was measured.
    pub(super) fn text(&self, filtered: bool) -> String {
        let Some(tests) = &self.tests else { return String::new() };
        if tests.is_empty() {
            // Under a filter another package has the tests that were asked for.
            return if filtered { String::new() } else { "no tests\n".to_owned() };
        }
        let width = tests.iter().map(|t| text::line(&t.name).chars().count()).max().unwrap_or(0);
        let (passed, total) = (tests.iter().map(Row::passed).sum::<usize>(), tests.iter().map(|t| t.lines.len()).sum::<usize>());
        let mut out: String = tests.iter().map(|t| t.text(width)).collect();
        let _ = writeln!(out, "{passed} of {total} operations have the expected verdict");
        let judged = self.second.judged;
        let _ = writeln!(out, "judged by the policy's meaning and, {judged} of them, by the emitted programs in user space");
        for (_, reason) in &self.second.left_out {
            let _ = writeln!(out, "not judged by the programs: {}", text::line(reason));
        }
        out.push_str(&self.observers());
        let shown = self.found.shown(&self.checked.sources);
        let mut places = Places::new(&shown);
        out.push_str(&self.coverage_text(&mut places));
        out.push_str(&self.mutation_text(&mut places));
        out
    }

    /// The policies of which tests say what they would refuse.
    fn observers(&self) -> String {
        match self.observing.as_slice() {
            [] => String::new(),
            [one] => format!("1 policy observes (`{one}`): it reports and refuses nothing\n"),
            all => format!("{} policies observe ({}): they report and refuse nothing\n", all.len(), ebsec_compiler::diag::list(all)),
        }
    }

    fn coverage_text(&self, places: &mut Places<'_>) -> String {
        let Some(rules) = &self.coverage else { return String::new() };
        let (tried, total) = self.outcomes();
        let mut out = format!("\ncoverage: {tried} of {total} outcomes are tried ({} %)\n", percent(tried, total));
        let width = rules.iter().map(|r| r.name.chars().count()).max().unwrap_or(0);
        let missing = |rule: &RuleCoverage, places: &mut Places<'_>| -> Vec<[String; 3]> {
            let open = rule.conditions.iter().filter(|c| !(c.yes && c.no));
            open.map(|c| [places.of(c.loc), untried(c).to_owned(), places.text(c.loc)]).collect()
        };
        let open: Vec<Vec<[String; 3]>> = rules.iter().map(|rule| missing(rule, places)).collect();
        let widths = widths(open.iter().flatten());
        for (rule, open) in rules.iter().zip(&open) {
            let (tried, total) = rule.outcomes();
            let _ = writeln!(out, "  {:width$}  {tried} of {total}", rule.name);
            open.iter().for_each(|row| out.push_str(&aligned(6, row, &widths)));
        }
        out
    }

    /// What a package lacks that has less than a part of its outcomes tried.
    pub(super) fn shortfall(&self, wanted: u8) -> String {
        let (tried, total) = self.outcomes();
        let package = match self.checked.config.name.as_str() {
            "" => "the package".to_owned(),
            name => format!("`{name}`"),
        };
        let shown = self.found.shown(&self.checked.sources);
        let mut places = Places::new(&shown);
        let conditions = self.coverage.iter().flatten().flat_map(|rule| rule.conditions.iter().map(move |c| (rule, c)));
        let open: Vec<(&RuleCoverage, &Tried)> = conditions.filter(|(_, c)| !(c.yes && c.no)).collect();
        let row =
            |(rule, c): &(&RuleCoverage, &Tried), places: &mut Places<'_>| [places.of(c.loc), rule.name.clone(), untried(c).to_owned()];
        let rows: Vec<[String; 3]> = open.iter().take(MAX_OPEN).map(|one| row(one, &mut places)).collect();
        let widths = widths(rows.iter());
        let mut out = format!(
            "error: the tests of {package} try {tried} of {total} outcomes ({} %), and `--threshold {wanted}` asks for {}\n",
            percent(tried, total),
            (total * usize::from(wanted)).div_ceil(100)
        );
        rows.iter().for_each(|row| out.push_str(&aligned(2, row, &widths)));
        if open.len() > MAX_OPEN {
            let _ = writeln!(out, "  … {} more conditions", open.len() - MAX_OPEN);
        }
        out.push_str("help: add lines to tests in which these conditions have the other outcome and decide the rule\n");
        out
    }

    fn mutation_text(&self, places: &mut Places<'_>) -> String {
        let Some(mutation) = &self.mutation else { return String::new() };
        let count = mutation.unnoticed.len();
        let mut out = format!("\nmutation: {} changes tried, {count} that no test notices\n", mutation.tried);
        let row = |found: &Unnoticed| [places.of(found.loc), found.rule.clone(), found.what.to_owned(), places.text(found.loc)];
        let rows: Vec<[String; 4]> = mutation.unnoticed.iter().map(row).collect();
        let widths = widths(rows.iter());
        rows.iter().for_each(|row| out.push_str(&aligned(2, row, &widths)));
        if mutation.more {
            out.push_str("  there are more changes than are tried\n");
        }
        out
    }
}

/// The JSON document of all packages; `findings` is an array for each of them.
pub(super) fn document(reports: &[Report], findings: Vec<Value>) -> Value {
    let findings: Vec<Value> = findings.into_iter().filter_map(|v| v.as_array().cloned()).flatten().collect();
    let tests: Vec<Value> = reports.iter().flat_map(|r| r.tests.iter().flatten()).map(Row::json).collect();
    let left_out: Vec<&str> = reports.iter().flat_map(|r| &r.second.left_out).map(|(_, reason)| reason.as_str()).collect();
    let observing: Vec<_> = reports.iter().flat_map(|r| &r.observing).collect();
    let judged: usize = reports.iter().map(|r| r.second.judged).sum();
    let mut all = serde_json::Map::new();
    let mut add = |name: &str, value| all.insert(name.to_owned(), value);
    add("tests", json!(tests));
    add("observing", json!(observing));
    add("judged_by_programs", json!(judged));
    add("not_judged_by_programs", json!(left_out));
    add("findings", json!(findings));
    if reports.iter().any(|r| r.coverage.is_some()) {
        let (tried, total) = reports.iter().map(Report::outcomes).fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        let rules: Vec<Value> = reports.iter().flat_map(Report::coverage_json).collect();
        add("coverage", json!({ "tried": tried, "total": total, "rules": rules }));
    }
    if reports.iter().any(|r| r.mutation.is_some()) {
        let mutations = || reports.iter().filter_map(|r| r.mutation.as_ref());
        let unnoticed: Vec<Value> = reports.iter().flat_map(Report::unnoticed_json).collect();
        let (tried, more) = (mutations().map(|m| m.tried).sum::<usize>(), mutations().any(|m| m.more));
        add("mutation", json!({ "tried": tried, "more": more, "unnoticed": unnoticed }));
    }
    Value::Object(all)
}

impl Report {
    fn coverage_json(&self) -> Vec<Value> {
        let shown = self.found.shown(&self.checked.sources);
        let mut places = Places::new(&shown);
        self.coverage.iter().flatten().map(|rule| rule_json(rule, &mut places)).collect()
    }

    fn unnoticed_json(&self) -> Vec<Value> {
        let shown = self.found.shown(&self.checked.sources);
        let mut places = Places::new(&shown);
        let each = self.mutation.iter().flat_map(|m| &m.unnoticed);
        each.map(|m| json!({ "rule": m.rule, "change": m.what, "place": places.of(m.loc) })).collect()
    }
}

fn rule_json(rule: &RuleCoverage, places: &mut Places<'_>) -> Value {
    let condition = |c: &Tried, places: &mut Places<'_>| json!({ "place": places.of(c.loc), "true": c.yes, "false": c.no });
    let conditions: Vec<Value> = rule.conditions.iter().map(|c| condition(c, places)).collect();
    json!({ "rule": rule.name, "place": places.of(rule.loc), "conditions": conditions })
}

/// The widths of columns.
fn widths<'r, const N: usize>(rows: impl Iterator<Item = &'r [String; N]> + Clone) -> [usize; N] {
    std::array::from_fn(|at| rows.clone().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
}

/// A row in its columns.
fn aligned<const N: usize>(indent: usize, row: &[String; N], widths: &[usize; N]) -> String {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    format!("{:indent$}{}\n", "", cells.join("  ").trim_end())
}

/// What tests do not try of a condition.
fn untried(condition: &Tried) -> &'static str {
    match (condition.yes, condition.no) {
        (false, false) => "never decides",
        (false, true) => "never true",
        (true, _) => "never false",
    }
}

/// In whole percent, rounded down; all of nothing is everything.
fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(100)
}
