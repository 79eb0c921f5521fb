//! The readable list of steps. `check`: sources to typed policy; `run_tests`: typed policy to verdicts of its tests.

mod build;
mod dump;
mod fix;

pub use build::{Built, build, dump_asm};
pub use dump::{dump_ast, dump_hir};
pub use fix::{Fixed, changes, fix};

use crate::config::{self, Config};
use crate::diag::{self, Diagnostic, codes};
use crate::hir::{self, eval};
use crate::resolve;
use crate::source::{FileId, Loc, Place, Sources, Span};
use crate::types::{self, Date, Settings};
use ebsec_templates::catalog;

/// What a package is made of.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Source files of the package, and `ebsec.toml` if there is one.
    pub sources: Sources,
    /// Which of them is `ebsec.toml`.
    pub config: Option<FileId>,
    /// `NAME=VALUE` from the command line.
    pub params: Vec<String>,
    /// Today; without it no exception expires.
    pub today: Option<Date>,
}

/// What the check gives.
#[derive(Debug)]
pub struct Checked {
    /// The sources, with the files of the library that are imported.
    pub sources: Sources,
    /// Settings of the package.
    pub config: Config,
    /// The typed policy, unless there are errors.
    pub package: Option<hir::Package>,
    /// Findings, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses, resolves and types a package. Every error is reported; with one the package is not given.
#[must_use]
pub fn check(input: Input) -> Checked {
    let Input { mut sources, config, params, today } = input;
    let mut diagnostics = Vec::new();
    let mut settings = Config::default();
    if let Some((file, text)) = config.and_then(|id| sources.get(id).map(|f| (id, f.text.clone()))) {
        settings = config::parse(&text, file, &mut diagnostics);
    }
    let roots: Vec<FileId> = (0..sources.files.len() as u32).map(FileId).filter(|id| Some(*id) != config).collect();
    let paths: Vec<&str> = roots.iter().filter_map(|id| sources.get(*id)).map(|f| f.path.as_str()).collect();
    diagnostics.extend(settings.unmatched(&paths));
    // Where `sources` names files, each entry that names none is told.
    if roots.is_empty() && settings.sources.is_none() {
        // The empty path is the package's folder.
        let place = config.unwrap_or_else(|| sources.add("", ""));
        let message = "the folder of the package has no `.ebsec` file";
        diagnostics.push(Diagnostic::error(codes::NO_SOURCES, Loc::new(place, Span::default()), message));
    }
    let mut given = settings.params.clone();
    for text in &params {
        let file = sources.add(format!("--param {text}"), text.clone());
        given.extend(config::command_line(text, file, &mut diagnostics));
    }
    let loaded = resolve::load(&mut sources, &roots, &mut diagnostics);
    let names = resolve::resolve(&loaded, &mut diagnostics);
    let package = hir::Package {
        name: settings.name.clone(),
        version: settings.version.clone(),
        kernels: settings.kernels.clone(),
        ..hir::Package::default()
    };
    let today = today.unwrap_or(Date { year: 0, month: 1, day: 1 });
    let package = types::check(&names, &sources, catalog(), Settings { package, given: &given, today }, &mut diagnostics);
    once_a_place(&mut diagnostics, &sources);
    diag::sort(&mut diagnostics, &sources);
    let package = (!diag::has_errors(&diagnostics)).then_some(package);
    Checked { sources, config: settings, package, diagnostics }
}

/// What could not be read is reported by the parser; what later stages make of the same bytes only repeats it.
fn once_a_place(diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
    // Only words and literals: what spans more may well hold other mistakes.
    const LONGEST_WORD: u32 = 80;
    let is_syntax = |d: &Diagnostic| d.code.starts_with("E01");
    let places = diagnostics.iter().filter(|d| is_syntax(d)).map(|d| sources.place(d.primary.loc));
    let places: Vec<Place> = places.filter(|l| l.span.end - l.span.start <= LONGEST_WORD).collect();
    if places.is_empty() {
        return;
    }
    let within =
        |inner: Place, outer: &Place| inner.file == outer.file && outer.span.start <= inner.span.start && inner.span.end <= outer.span.end;
    diagnostics.retain(|d| {
        let place = sources.place(d.primary.loc);
        is_syntax(d) || !places.iter().any(|outer| within(place, outer))
    });
}

/// The result of one line of a test.
#[derive(Clone, Debug)]
pub struct StepResult {
    /// Index into [`hir::Package::tests`].
    pub test: usize,
    /// Index into [`hir::TestCase::steps`].
    pub step: usize,
    /// What the reference interpreter says.
    pub verdict: eval::Verdict,
    /// Whether it is what the line expects.
    pub passed: bool,
}

/// Runs every unit test by the reference interpreter.
#[must_use]
pub fn run_tests(package: &hir::Package) -> Vec<StepResult> {
    let mut results = Vec::new();
    for (test, case) in package.tests.iter().enumerate() {
        for (index, step) in case.steps.iter().enumerate() {
            let verdict = eval::eval(package, catalog(), &step.operation);
            let passed = eval::satisfies(package, &verdict, step.expect.as_ref());
            results.push(StepResult { test, step: index, verdict, passed });
        }
    }
    results
}

/// A finding for each line that failed.
#[must_use]
pub fn test_failures(package: &hir::Package, results: &[StepResult]) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for result in results.iter().filter(|r| !r.passed) {
        let Some(case) = package.tests.get(result.test) else { continue };
        let Some(step) = case.steps.get(result.step) else { continue };
        let expected = expectation(step.expect.as_ref());
        let got = eval::describe(package, &result.verdict);
        let message = format!("the test \"{}\" expects `{expected}` and gets `{got}`", case.name);
        let mut diagnostic = Diagnostic::error(codes::TEST_FAILED, step.loc, message);
        for found in &result.verdict.matched {
            let Some(policy) = package.policies.get(found.policy) else { continue };
            let Some(rule) = policy.rules.get(found.rule) else { continue };
            let failed = if found.truth == eval::Truth::Failed { ", though what it asks could not be computed" } else { "" };
            let event = &catalog()[found.event].name;
            diagnostic = diagnostic.related(rule.loc, format!("matches at `{event}`{failed}"));
            if policy.mode == hir::Mode::Observe && rule.action != hir::Action::Audit {
                let note = format!("the policy `{}` observes: with `mode = enforce` it would refuse", policy.name);
                if !diagnostic.notes.contains(&note) {
                    diagnostic = diagnostic.note(note);
                }
            }
        }
        all.push(diagnostic);
    }
    all
}

/// A finding if no rule is in force: an artifact would refuse and report nothing.
#[must_use]
pub fn nothing_in_force(package: &hir::Package) -> Option<Diagnostic> {
    if package.policies.iter().any(|p| !p.rules.is_empty()) {
        return None;
    }
    let loc = package.policies.first().map_or_else(Loc::default, |p| p.loc);
    let message = "no rule is in force, so the artifact would do nothing";
    Some(Diagnostic::error(codes::NO_RULES, loc, message).help("write a rule in a `policy`, or `apply` a policy of an imported module"))
}

/// An expected verdict as a test writes it.
#[must_use]
pub fn expectation(expect: Option<&(hir::Action, String, Option<String>)>) -> String {
    let Some((action, policy, label)) = expect else { return "allow".to_owned() };
    let verb = match action {
        hir::Action::Deny => "deny",
        hir::Action::Kill => "kill",
        hir::Action::Audit => "audit",
    };
    match label {
        Some(label) => format!("{verb} by {policy}.{label}"),
        None => format!("{verb} by {policy} default"),
    }
}
