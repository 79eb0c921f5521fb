//! The readable list of steps. `check`: sources to typed policy; `run_tests`: typed policy to verdicts of its tests.

mod build;
mod dump;
mod fix;

pub use build::{Built, build, dump_asm};
pub use dump::{dump_ast, dump_hir};
pub use fix::{Fixed, changes, fix};

use crate::config::{self, Choice, Config};
use crate::diag::{self, Finding, Findings, codes};
use crate::hir::{self, eval};
use crate::lint;
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
    /// The lints that the command line asks for.
    pub lints: Choice,
}

/// What the check gives.
#[derive(Debug)]
pub struct Checked {
    /// The sources, with the files of the library that are imported.
    pub sources: Sources,
    /// Settings of the package.
    pub config: Config,
    /// The typed policy, unless there are errors of the language. With errors that lints found it is given, and not built.
    pub package: Option<hir::Package>,
    /// Findings, sorted by place.
    pub diagnostics: Vec<Finding>,
    /// Findings that were counted and not kept.
    pub left_out: usize,
}

/// Parses, resolves, types and lints a package. Every error is reported.
#[must_use]
pub fn check(input: Input) -> Checked {
    let Input { mut sources, config, params, today, lints } = input;
    let mut diagnostics = Findings::default();
    let mut settings = Config::default();
    if let Some((file, text)) = config.and_then(|id| sources.get(id).map(|f| (id, f.text.clone()))) {
        settings = config::parse(&text, file, &mut diagnostics);
    }
    settings.levels.choose(lints);
    let roots: Vec<FileId> = (0..sources.files.len() as u32).map(FileId).filter(|id| Some(*id) != config).collect();
    let paths: Vec<&str> = roots.iter().filter_map(|id| sources.get(*id)).map(|f| f.path.as_str()).collect();
    diagnostics.extend(settings.unmatched(&paths));
    // Where `sources` names files, each entry that names none is told.
    if roots.is_empty() && settings.sources.is_none() {
        // The empty path is the package's folder.
        let place = config.unwrap_or_else(|| sources.add("", ""));
        let message = "the folder of the package has no `.ebsec` file";
        diagnostics.push(Finding::error(codes::NO_SOURCES, Loc::new(place, Span::default()), message));
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
    let good = !diagnostics.has_errors();
    let input = lint::Input {
        names: &names,
        loaded: &loaded,
        sources: &sources,
        config: &settings,
        catalog: catalog(),
        package: good.then_some(&package),
    };
    lint::run(input, &mut diagnostics);
    let (mut diagnostics, left_out) = diagnostics.take();
    once_a_place(&mut diagnostics, &sources);
    diag::sort(&mut diagnostics, &sources);
    let package = good.then_some(package);
    Checked { sources, config: settings, package, diagnostics, left_out }
}

/// What could not be read is reported by the parser; what later stages make of the same bytes only repeats it.
fn once_a_place(diagnostics: &mut Vec<Finding>, sources: &Sources) {
    // Only words and literals: what spans more may well hold other mistakes.
    const LONGEST_WORD: u32 = 80;
    let is_syntax = |d: &Finding| d.code.starts_with("E01");
    let places = diagnostics.iter().filter(|d| is_syntax(d)).map(|d| sources.place(d.primary.loc));
    let mut places: Vec<Place> = places.filter(|p| p.span.end - p.span.start <= LONGEST_WORD).collect();
    if places.is_empty() {
        return;
    }
    places.sort_unstable();
    places.dedup();
    // Only what begins shortly before a place can hold it.
    let holding = |inner: Place| {
        let first = Place { file: inner.file, span: Span { start: inner.span.start.saturating_sub(LONGEST_WORD), end: 0 } };
        let near = places.iter().skip(places.partition_point(|place| *place < first));
        near.take_while(move |place| place.file == inner.file && place.span.start <= inner.span.start)
    };
    diagnostics.retain(|d| {
        let inner = sources.place(d.primary.loc);
        is_syntax(d) || !holding(inner).any(|place| inner.span.end <= place.span.end)
    });
}

/// The result of one line of a test.
#[derive(Clone, Debug)]
pub struct StepResult {
    /// Index into [`hir::Package::tests`].
    pub test: usize,
    /// Index into [`hir::TestCase::steps`].
    pub step: usize,
    /// What the reference interpreter says, as tests write it; empty where the line was not run, because all lines before it
    /// took too much work.
    pub got: String,
    /// Rules that match, the first [`MAX_MATCHED`] of them; none where the line passes.
    pub matched: Vec<eval::Match>,
    /// Whether it is what the line expects.
    pub passed: bool,
}

/// Most rules that are kept of a line that fails: more than a finding names.
const MAX_MATCHED: usize = diag::MAX_RELATED + 1;
/// Most work of all lines of tests, as [`eval::eval_counted`] counts it: some seconds.
const MAX_WORK: u64 = 1 << 33;

/// Runs every unit test by the reference interpreter, as long as the work is bounded: the first line beyond that is the last
/// result, and fails.
#[must_use]
pub fn run_tests(package: &hir::Package) -> Vec<StepResult> {
    let (mut results, mut work) = (Vec::new(), 0);
    for (test, case) in package.tests.iter().enumerate() {
        for (index, step) in case.steps.iter().enumerate() {
            if work > MAX_WORK {
                results.push(StepResult { test, step: index, got: String::new(), matched: Vec::new(), passed: false });
                return results;
            }
            let verdict = eval::eval_counted(package, catalog(), &step.operation, &mut work);
            let passed = eval::satisfies(package, &verdict, step.expect.as_ref());
            let (mut got, mut matched) = (String::new(), Vec::new());
            if !passed {
                got = eval::describe(package, &verdict);
                matched = verdict.matched;
                matched.truncate(MAX_MATCHED);
                matched.shrink_to_fit();
            }
            results.push(StepResult { test, step: index, got, matched, passed });
        }
    }
    results
}

/// A finding for each line that failed.
#[must_use]
pub fn test_failures(package: &hir::Package, results: &[StepResult]) -> Vec<Finding> {
    let mut all = Vec::new();
    for result in results.iter().filter(|r| !r.passed) {
        let Some(case) = package.tests.get(result.test) else { continue };
        let Some(step) = case.steps.get(result.step) else { continue };
        if all.len() >= diag::MAX_KEPT {
            break;
        }
        let (expected, got) = (expectation(step.expect.as_ref()), &result.got);
        if got.is_empty() {
            let message = "the tests before this line took too much work: this line and those after it were not run";
            all.push(Finding::error(codes::TOO_COMPLEX, step.loc, message).help("split the package, or its tests"));
            continue;
        }
        let message = format!("the test \"{}\" expects `{expected}` and gets `{got}`", case.name);
        let mut diagnostic = Finding::error(codes::TEST_FAILED, step.loc, message);
        for found in &result.matched {
            let Some(policy) = package.policies.get(found.policy) else { continue };
            let Some(rule) = policy.rules.get(found.rule) else { continue };
            let failed = if found.truth == eval::Truth::Failed { ", though what it asks could not be computed" } else { "" };
            let event = &catalog()[found.event].name;
            diagnostic = diagnostic.related(rule.loc, format!("this rule matches at `{event}`{failed}"));
            if policy.mode == hir::Mode::Observe && rule.action != hir::Action::Audit {
                let note = format!("the policy `{}` only observes: with `mode = enforce` it would refuse", policy.name);
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
pub fn nothing_in_force(package: &hir::Package) -> Option<Finding> {
    if package.policies.iter().any(|p| !p.rules.is_empty()) {
        return None;
    }
    let loc = package.policies.first().map_or_else(Loc::default, |p| p.loc);
    let message = "no rule is in force: the artifact would do nothing";
    Some(Finding::error(codes::NO_RULES, loc, message).help("write a rule in a `policy`, or `apply` a policy from an imported module"))
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
