//! Unit tests to operations: the tests of a package in, what they do and expect out. Takes constants from the type stage by
//! its narrow interface alone. Never runs a test.

mod expected;
mod net;
mod process;
mod step;

use crate::diag::{Finding, codes};
use crate::hir::{self, Package, Subject, TestCase, Unknown};
use crate::resolve::{Names, Other, ROOT, Target};
use crate::source::Loc;
use crate::typed::{Site, Typed, Typer, Values};
use ebsec_grammar::ast::{self, ItemKind, TestLineKind};
use ebsec_templates::Catalog;
use rustc_hash::{FxHashMap, FxHashSet};

/// Tests while they are made.
struct Cases<'v, 'a> {
    values: Values<'v, 'a>,
    /// Names of the policies in force.
    applied: FxHashSet<String>,
    /// What was found in the lines so far.
    lines: Vec<Typed<()>>,
}

/// A test so far.
#[derive(Default)]
struct Test<'t> {
    processes: FxHashMap<&'t str, Process>,
    /// Processes that only later lines define.
    later: FxHashSet<&'t str>,
    shown: Vec<hir::Process>,
}

/// A process of a test.
#[derive(Default)]
struct Process {
    subject: Subject,
    /// What the test does not give of it.
    unknown: Vec<Unknown>,
    /// Index into [`TestCase::processes`].
    index: usize,
    /// The place of its name.
    loc: Loc,
    /// Index of its line in the test.
    line: u32,
}

/// The tests of the package that is built; those of imported modules are theirs.
pub fn of_package<'n, 'a>(names: &'n Names<'a>) -> impl Iterator<Item = &'n Other<'a>> {
    let is_own = |other: &&Other<'a>| names.files.get(other.file).is_some_and(|f| f.module == ROOT);
    names.others.iter().filter(|o| matches!(o.item.kind, ItemKind::Test { .. })).filter(is_own)
}

/// Makes tests and adds them to the package whose rules they are about. Gives what the names in their lines mean, and what
/// is wrong with them, in the order of the lines.
pub fn add<'n>(package: &mut Package, tests: impl IntoIterator<Item = &'n Other<'n>>, typer: &mut Typer<'_>) -> Vec<Typed<()>> {
    let applied = package.policies.iter().map(|p| p.name.clone()).collect();
    let mut cases = Cases { values: Values(typer), applied, lines: Vec::new() };
    package.tests.extend(tests.into_iter().filter_map(|test| cases.test(test)));
    cases.lines
}

impl Cases<'_, '_> {
    fn test(&mut self, other: &Other<'_>) -> Option<TestCase> {
        let ItemKind::Test { name, .. } = &other.item.kind else { return None };
        let mut test = Test { later: later(&other.lines), ..Test::default() };
        let mut steps = Vec::new();
        for (index, (part, line)) in other.lines.iter().enumerate() {
            let at = Site { file: other.file, part: *part };
            let outer = self.values.begin(*part);
            match &line.kind {
                TestLineKind::Process { name, record } => self.define(&mut test, name, record, index as u32, at),
                TestLineKind::Step { .. } => steps.extend(self.step(line, &test, at)),
                TestLineKind::Broken { name: Some(name) } => {
                    test.processes.entry(&name.node).or_default();
                }
                TestLineKind::Broken { name: None } => {}
            }
            let line = self.values.end(outer);
            self.lines.push(line);
        }
        Some(TestCase { name: name.node.clone(), loc: Loc::new(other.part, name.span), processes: test.shown, steps })
    }

    /// Adds a process to a test.
    fn define<'t>(&mut self, test: &mut Test<'t>, name: &'t ast::Name, record: &ast::Record, line: u32, at: Site) {
        let loc = Loc::new(at.part, name.span);
        test.later.remove(name.node.as_str());
        let (subject, unknown) = self.process(record, test, at);
        if let Some(first) = test.processes.get(name.node.as_str()).map(|p| p.loc) {
            let message = format!("the process `{}` is defined twice", name.node);
            self.values.push(Finding::error(codes::DUPLICATE, loc, message).related(first, "first here"));
        }
        let index = test.shown.len();
        let after = record.pairs.last().map_or(record.span.start + 1, |(_, value)| process::end(value));
        let end = Loc::new(at.part, crate::source::Span { start: after, end: after });
        test.shown.push(hir::Process { name: name.node.clone(), end, bare: record.pairs.is_empty() });
        test.processes.insert(&name.node, Process { subject, unknown, index, loc, line });
    }

    /// The keys and constants of a record.
    fn pairs<'r>(&mut self, record: &'r ast::Record, at: Site) -> Vec<(&'r ast::Name, &'r ast::Value)> {
        record.pairs.iter().for_each(|(key, _)| self.values.note(Loc::new(at.part, key.span), Target::Key));
        self.values.pairs(record, at)
    }

    fn catalog(&self) -> &'static Catalog {
        self.values.catalog()
    }

    fn error(&mut self, code: &'static str, loc: Loc, message: impl Into<String>) {
        self.values.push(Finding::error(code, loc, message));
    }

    fn unknown_key(&mut self, what: &str, key: &str, loc: Loc, known: Vec<&str>) {
        let message = format!("{what} has no `{key}`");
        self.values.push(Finding::error(codes::UNKNOWN_KEY, loc, message).near(key, loc, known));
    }

    fn truth(&mut self, value: &ast::Value, at: Site) -> bool {
        self.values.number(value, crate::typed::Elem::Bool, at) == Some(1)
    }

    /// One exact path; a wrong one counts as absent, the error is said.
    fn path(&mut self, value: &ast::Value, at: Site) -> hir::PathValue {
        self.values.exact(value, crate::typed::Elem::Path, at).map_or(hir::PathValue::Absent, hir::PathValue::Known)
    }
}

/// The keys of processes, and those of operations that are not fields or facts of their hooks.
#[cfg(test)]
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    process::KEYS.iter().chain(step::FILE_KEYS).copied()
}

/// The names of all processes of a test.
fn later<'t>(lines: &[(crate::source::PartId, &'t ast::TestLine)]) -> FxHashSet<&'t str> {
    let names = lines.iter().filter_map(|(_, line)| match &line.kind {
        TestLineKind::Process { name, .. } => Some(name.node.as_str()),
        _ => None,
    });
    names.collect()
}
