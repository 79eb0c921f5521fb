//! The readable list of steps. `check`: sources to folded policy; `run_tests`: folded policy to verdicts of its tests.

mod build;
mod dump;
mod dump_front;
mod fix;
mod front;
mod tests;

pub use build::{Built, build, dump_asm};
pub use dump::{dump_ast, dump_hir};
pub use dump_front::{dump_origins, dump_uses};
pub use fix::{Fixed, changes, fix};
pub use front::Front;
pub use tests::{StepResult, expectation, observing, run_tests, test_failures, tested};

use crate::config::{self, Choice, Config};
use crate::diag::{self, Finding, Findings, codes};
use crate::hir;
use crate::lint;
use crate::resolve;
use crate::source::{FileId, Loc, Place, Sources, Span};
use crate::typed::{Date, Settings};
use crate::written;
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
    /// Settings from outside of the package, which it cannot change.
    pub outside: Option<Outside>,
    /// The package is built: what its policies say is kept in [`hir::Package::written`].
    pub written: bool,
}

/// A file of settings that judge a package and are none of its own.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Its path, as messages show it.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What the check gives.
#[derive(Debug)]
pub struct Checked {
    /// The sources, with the files of the library that are imported.
    pub sources: Sources,
    /// Settings of the package.
    pub config: Config,
    /// The package as it is written, errors or not.
    pub front: Front,
    /// The folded policy, unless there are errors of the language, with the tests that are about its parameters' values. With
    /// errors that lints found it is given, and not built.
    pub package: Option<hir::Package>,
    /// The same policy with other values of its parameters, each with the tests that are about those; empty if there are
    /// errors.
    pub variants: Vec<hir::Package>,
    /// Findings, sorted by place.
    pub diagnostics: Vec<Finding>,
    /// Findings that were counted and not kept.
    pub left_out: usize,
}

/// Parses, resolves, types and lints a package. Every error is reported.
#[must_use]
pub fn check(input: Input) -> Checked {
    let Input { mut sources, config, params, today, lints, outside, written } = input;
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
    if let Some(Outside { path, text }) = outside {
        let file = sources.add(path, text.clone());
        config::outside(&text, file, &mut settings, &mut diagnostics);
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
    let settings_of = Settings { package, given: &given, today };
    let front::Folded { mut package, variants, mut findings, front } = front::check(&names, &sources, settings_of, diagnostics);
    let good = !findings.has_errors();
    if good && written {
        package.written = written::policies(&names, &sources, &given, &package);
    }
    let input = lint::Input {
        names: &names,
        loaded: &loaded,
        sources: &sources,
        config: &settings,
        catalog: catalog(),
        typed: &front.typed,
        package: good.then_some(&package),
        parts: &front.origins,
        variants: &variants,
    };
    lint::run(input, &mut findings);
    let (mut diagnostics, left_out) = findings.take();
    once_a_place(&mut diagnostics, &sources);
    diag::sort(&mut diagnostics, &sources);
    let (package, variants) = (good.then_some(package), if good { variants } else { Vec::new() });
    Checked { sources, config: settings, front, package, variants, diagnostics, left_out }
}

impl Checked {
    /// The folded policy with each set of values that its parameters have in tests; the one that is built comes first.
    pub fn packages(&self) -> impl Iterator<Item = &hir::Package> {
        self.package.iter().chain(&self.variants)
    }
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
