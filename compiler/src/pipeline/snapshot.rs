//! A package, checked, that can be edited: sources in, and out come trees, names, the typed package, the folded policy if there
//! is one, and findings; after an edit the same again, of which only what changed is made anew. It says what a check of the
//! same sources says, always. Reads no file.

use super::front::{self, Before};
use super::{Checked, Input, Outside};
use crate::config::{self, Config};
use crate::diag::{self, Finding, Findings, codes};
use crate::hir;
use crate::lint;
use crate::resolve::{self, Loaded, Names, Use};
use crate::source::{FileId, Loc, Place, Sources, Span};
use crate::typed::{self, Date, Given, Settings};
use crate::written;
use ebsec_templates::catalog;
use std::sync::Arc;

/// A package as it is at one moment. Cheap to clone; an edit gives another one and leaves this one as it is.
#[derive(Clone, Debug)]
pub struct Snapshot(Arc<State>);

#[derive(Debug)]
struct State {
    base: Arc<Base>,
    loaded: Loaded,
    checked: Checked,
    /// Nothing, if some finding depends on the order in which parts are typed.
    kept: Option<front::Kept>,
    /// Nothing, if there was nothing to look at for most lints.
    lints: Option<lint::Kept>,
    /// The last snapshot that had something, if this one has not.
    linted: Option<Snapshot>,
}

/// What is kept of a snapshot.
#[derive(Clone, Copy, Default)]
struct Old<'o> {
    front: Option<Before<'o>>,
    lints: Option<lint::Before<'o>>,
}

/// What a check gives: all of it, and what is kept of it.
type Made = (Checked, Option<front::Kept>, Option<lint::Kept>);

/// What edits of policies leave as it is.
#[derive(Debug)]
struct Base {
    /// What the package was made of, without its sources.
    input: Input,
    /// How many files it had then.
    own: usize,
    settings: Config,
    /// Values of parameters.
    given: Vec<Given>,
    /// What is wrong with all of these.
    findings: Findings,
}

/// Most ids of parts that were given, for each part that there is, before all is read again.
const MAX_IDS: usize = 8;

/// Checks a package that will not be edited: with less memory than a snapshot takes.
pub(super) fn check(input: Input) -> Checked {
    let (base, mut sources, roots) = Base::new(input);
    let loaded = resolve::load(&mut sources, &roots);
    base.run(&loaded, sources, Old::default(), false).0
}

impl Snapshot {
    /// Checks a package.
    #[must_use]
    pub fn new(input: Input) -> Self {
        let (base, mut sources, roots) = Base::new(input);
        let loaded = resolve::load(&mut sources, &roots);
        let (checked, kept, lints) = base.run(&loaded, sources, Old::default(), true);
        Self(Arc::new(State { base: Arc::new(base), loaded, checked, kept, lints, linted: None }))
    }

    /// The package with another text of one of its own files, checked; of another file it is the package as it is.
    #[must_use]
    pub fn edit(&self, file: FileId, text: impl Into<Arc<str>>) -> Self {
        let State { base, loaded, checked, kept, .. } = &*self.0;
        let text = text.into();
        if file.0 as usize >= base.own {
            return self.clone();
        }
        let mut sources = checked.sources.clone();
        let most = MAX_IDS * loaded.files.iter().map(|file| file.tree.parts().len() + 1).sum::<usize>();
        let edited = if sources.part_count() > most { None } else { loaded.edited(&mut sources, file, &text) };
        let Some(loaded) = edited else { return self.anew(file, text) };
        let linted = if self.0.lints.is_some() { Some(self) } else { self.0.linted.as_ref() };
        let old = Old {
            front: kept.as_ref().map(|kept| Before { front: &checked.front, kept }),
            lints: linted.and_then(|linted| linted.0.lints()),
        };
        let (checked, kept, lints) = match base.run(&loaded, sources, old, true) {
            (checked, None, _) if old.front.is_some() => base.run(&loaded, checked.sources, Old { front: None, ..old }, true),
            made => made,
        };
        let linted = linted.filter(|_| lints.is_none()).cloned();
        Self(Arc::new(State { base: Arc::clone(base), loaded, checked, kept, lints, linted }))
    }

    /// Checks everything, with another text of a file.
    fn anew(&self, file: FileId, text: Arc<str>) -> Self {
        let State { base, checked, .. } = &*self.0;
        let mut sources = Sources::default();
        for own in checked.sources.files.iter().take(base.own) {
            sources.add(own.path.clone(), Arc::clone(&own.text));
        }
        sources.set_text(file, text);
        Self::new(Input { sources, ..base.input.clone() })
    }

    /// Its texts, with those of the library that it imports.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.0.checked.sources
    }

    /// Its trees.
    #[must_use]
    pub fn outline(&self) -> &Loaded {
        &self.0.loaded
    }

    /// Its names, gathered each time.
    #[must_use]
    pub fn names(&self) -> Names<'_> {
        resolve::resolve(&self.0.loaded, &mut Findings::default())
    }

    /// Each use of a name, part by part.
    pub fn uses(&self) -> impl Iterator<Item = &Use> {
        self.typed().uses()
    }

    /// The package as it is written.
    #[must_use]
    pub fn typed(&self) -> &typed::Package {
        &self.0.checked.front.typed
    }

    /// The folded policy, unless there are errors of the language.
    #[must_use]
    pub fn hir(&self) -> Option<&hir::Package> {
        self.0.checked.package.as_ref()
    }

    /// Findings, sorted by place.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0.checked.diagnostics
    }

    /// All that a check gives.
    #[must_use]
    pub fn checked(&self) -> &Checked {
        &self.0.checked
    }
}

impl State {
    fn lints(&self) -> Option<lint::Before<'_>> {
        let (kept, package) = (self.lints.as_ref()?, self.checked.package.as_ref()?);
        Some(lint::Before { kept, package, parts: self.checked.sources.part_count() })
    }
}

impl Base {
    /// Reads the settings. Gives the sources, with what else has places in findings, and which of them are policies.
    fn new(mut input: Input) -> (Self, Sources, Vec<FileId>) {
        let mut sources = std::mem::take(&mut input.sources);
        let (own, config) = (sources.files.len(), input.config);
        let mut findings = Findings::default();
        let mut settings = Config::default();
        if let Some((file, text)) = config.and_then(|id| sources.get(id).map(|f| (id, Arc::clone(&f.text)))) {
            settings = config::parse(&text, file, &mut findings);
        }
        settings.levels.choose(input.lints.clone());
        let roots: Vec<FileId> = (0..own as u32).map(FileId).filter(|id| Some(*id) != config).collect();
        let paths: Vec<&str> = roots.iter().filter_map(|id| sources.get(*id)).map(|f| f.path.as_str()).collect();
        findings.extend(settings.unmatched(&paths));
        // Where `sources` names files, each entry that names none is told.
        if roots.is_empty() && settings.sources.is_none() {
            // The empty path is the package's folder.
            let place = config.unwrap_or_else(|| sources.add("", ""));
            let message = "the folder of the package has no `.ebsec` file";
            findings.push(Finding::error(codes::NO_SOURCES, Loc::new(place, Span::default()), message));
        }
        if let Some(Outside { path, text }) = &input.outside {
            let file = sources.add(path.clone(), text.as_str());
            config::outside(text, file, &mut settings, &mut findings);
        }
        let mut given = settings.params.clone();
        for text in &input.params {
            let file = sources.add(format!("--param {text}"), text.as_str());
            given.extend(config::command_line(text, file, &mut findings));
        }
        (Self { input, own, settings, given, findings }, sources, roots)
    }

    /// Checks the package. `keep` says that it will be edited; `old` is what it was, with other texts only.
    fn run(&self, loaded: &Loaded, sources: Sources, old: Old<'_>, keep: bool) -> Made {
        let (settings, mut findings) = (&self.settings, self.findings.clone());
        loaded.report(&mut findings);
        let names = resolve::resolve(loaded, &mut findings);
        let package = hir::Package {
            name: settings.name.clone(),
            version: settings.version.clone(),
            kernels: settings.kernels.clone(),
            ..hir::Package::default()
        };
        let today = self.input.today.unwrap_or(Date { year: 0, month: 1, day: 1 });
        let settings_of = Settings { package, given: &self.given, today };
        let folded = front::check(&names, &sources, settings_of, findings, (old.front, keep));
        let front::Folded { mut package, variants, mut findings, front, kept } = folded;
        let good = !findings.has_errors();
        if good && self.input.written {
            package.written = written::policies(&names, &sources, &self.given, &package);
        }
        let input = lint::Input {
            names: &names,
            loaded,
            sources: &sources,
            config: settings,
            catalog: catalog(),
            typed: &front.typed,
            package: good.then_some(&package),
            parts: &front.origins,
            variants: &variants,
            before: old.lints,
            keep,
        };
        let lints = lint::run(input, &mut findings);
        let (mut diagnostics, left_out) = findings.take();
        once_a_place(&mut diagnostics, &sources);
        diag::sort(&mut diagnostics, &sources);
        let (package, variants) = (good.then_some(package), if good { variants } else { Vec::new() });
        (Checked { sources, config: settings.clone(), front, package, variants, diagnostics, left_out }, kept, lints)
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
