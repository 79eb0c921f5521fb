//! The stages from names to folded packages: typed, fold, cases; the package that is built, and one for each further set of
//! values that its parameters have in tests. A test sees the values that it pins and otherwise the defaults, so no deployment
//! changes its verdict.

use crate::cases;
use crate::diag::{Finding, Findings, codes};
use crate::fold::{self, Origin};
use crate::hir;
use crate::resolve::{DefId, DefKind, Index, Names, Other, ROOT};
use crate::source::{Loc, Sources};
use crate::typed::tree::Package;
use crate::typed::{self, Given, Settings, Site, Typer, Values};
use ebsec_grammar::ast::ItemKind;
use ebsec_templates::catalog;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// A package as it is written, and how it became what it means.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// Definitions, policies, `apply` and `except`, lines of tests; rules and defaults without their trees, unless the package
    /// can be edited.
    pub typed: Package,
    /// For each rule of each policy that is in force: where each part of its condition came from.
    pub origins: Vec<Vec<Box<[Origin]>>>,
    /// The place of each definition's name, by id.
    pub defs: Vec<Loc>,
    /// The place of each policy's name, by id.
    pub policies: Vec<Loc>,
}

/// What came out; with findings that are errors the packages are not to be used.
pub(super) struct Folded {
    pub package: hir::Package,
    /// See [`super::Checked::variants`].
    pub variants: Vec<hir::Package>,
    pub findings: Findings,
    pub front: Front,
    /// What is kept for after an edit, if that is wanted and possible.
    pub kept: Option<Kept>,
}

/// What typing a package leaves for after an edit, besides [`Front::typed`].
#[derive(Debug, Default)]
pub(super) struct Kept {
    typed: typed::Kept,
    /// The same of each further set of values that tests ask for.
    variants: BTreeMap<String, (Package, typed::Kept)>,
}

/// What is there already.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub front: &'a Front,
    pub kept: &'a Kept,
}

/// Tests with the same values of parameters.
#[derive(Default)]
struct Group<'n, 'a> {
    pins: Vec<Given>,
    tests: Vec<&'n Other<'a>>,
}

/// What all packages of a check share.
struct Stages<'a> {
    names: &'a Names<'a>,
    sources: &'a Sources,
    index: &'a Index,
    before: Option<Before<'a>>,
    /// The package will be edited.
    keep: bool,
}

/// A package for one set of values.
struct One<'a> {
    typer: Typer<'a>,
    given: &'a [Given],
    package: hir::Package,
    front: Front,
    /// What folding found.
    findings: Vec<Finding>,
    left_out: usize,
    /// What was found depends on the order of the parts.
    is_ordered: bool,
}

/// Types and folds the package for the values that are given, and for those that tests ask for. `keep` says that it will be
/// edited; `before` is what it was, with other texts only.
pub(super) fn check<'a>(
    names: &'a Names<'a>,
    sources: &'a Sources,
    settings: Settings<'a>,
    mut findings: Findings,
    (before, keep): (Option<Before<'a>>, bool),
) -> Folded {
    let index = Index::new(catalog());
    let stages = Stages { names, sources, index: &index, before, keep };
    let mut one = stages.one(settings.clone(), findings.room(), before.map(|before| (&before.front.typed, &before.kept.typed)));
    let groups = stages.groups(&mut one);
    let (mut variants, mut lines, mut found) = (Vec::new(), Vec::new(), Vec::new());
    let mut kept = keep.then(BTreeMap::new);
    for (key, group) in &groups {
        if group.pins.is_empty() && settings.given.is_empty() {
            one.add(&group.tests);
        } else if !stages.has_missing(group, &mut one) {
            let settings = Settings { package: settings.package.clone(), given: &group.pins, today: settings.today };
            let mut variant = stages.variant(settings, key, group);
            lines.append(&mut variant.front.typed.lines);
            variants.push(variant.package);
            found.push(variant.findings);
            let typed = variant.front.typed;
            kept = kept.zip(variant.kept).map(|(mut all, kept)| {
                all.insert(key.clone(), (typed, kept));
                all
            });
        }
    }
    let Finished { package, mut front, findings: own, kept: typed } = one.finish(findings, keep);
    findings = own;
    // What is wrong whatever the parameters are has been said.
    found.into_iter().for_each(|more| findings.add_new(more));
    front.typed.lines.extend(lines);
    front.defs = (0..names.defs.len() as u32).map(|i| names.def_loc(DefId(i))).collect();
    front.policies = names.policies.iter().map(|p| Loc::new(p.part, p.written.span)).collect();
    let kept = kept.zip(typed).map(|(variants, typed)| Kept { typed, variants });
    Folded { package, variants, findings, front, kept }
}

/// A package for one set of values, with all that was found.
struct Finished {
    package: hir::Package,
    front: Front,
    findings: Findings,
    kept: Option<typed::Kept>,
}

impl<'a> Stages<'a> {
    fn one<'s>(&self, settings: Settings<'s>, room: usize, before: Option<(&'s Package, &typed::Kept)>) -> One<'s>
    where
        'a: 's,
    {
        let mut typer = Typer::new(self.names, self.sources, self.index, &settings, room);
        if let Some((package, kept)) = before {
            typer.reuse(package, kept, settings.given);
        }
        let mut typed = typer.package(settings.given);
        let left = (typer.spent().clone(), typer.room());
        let folded = fold::fold(&mut typed, self.keep, self.names, self.index, left);
        typer.take_room(folded.findings.len());
        let package = hir::Package { policies: folded.policies, path_sets: folded.path_sets, ..settings.package };
        let front = Front { typed, origins: folded.origins, ..Front::default() };
        let fold::Folded { findings, left_out, is_ordered, .. } = folded;
        One { typer, given: settings.given, package, front, findings, left_out, is_ordered }
    }

    /// The package for the values that a group of tests pins, with these tests.
    fn variant(&self, settings: Settings<'_>, key: &str, group: &Group<'_, '_>) -> Finished {
        let findings = Findings::default();
        let before = self.before.and_then(|before| before.kept.variants.get(key)).map(|(package, kept)| (package, kept));
        let mut one = self.one(settings, findings.room(), before);
        one.add(&group.tests);
        one.finish(findings, self.keep)
    }

    /// The tests of the package, by the values that they pin.
    fn groups(&self, one: &mut One<'_>) -> BTreeMap<String, Group<'a, 'a>> {
        let mut groups: BTreeMap<String, Group<'a, 'a>> = BTreeMap::new();
        for test in cases::of_package(self.names) {
            let pins = pins(test, one);
            let group = groups.entry(key(&pins, self.sources)).or_insert_with(|| Group { pins, tests: Vec::new() });
            group.tests.push(test);
        }
        groups
    }

    /// Whether tests leave a parameter without a value; that is said at each of them.
    fn has_missing(&self, group: &Group<'_, '_>, one: &mut One<'_>) -> bool {
        let pinned: FxHashSet<&str> = group.pins.iter().map(|pin| pin.name.as_str()).collect();
        let open = self.names.defs.iter().filter(|def| def.module == ROOT && matches!(def.kind, DefKind::Param(_, None)));
        let open: Vec<&str> = open.map(|def| def.name.node.as_str()).filter(|name| !pinned.contains(name)).collect();
        let Some(first) = open.first() else { return false };
        for test in &group.tests {
            let ItemKind::Test { name, .. } = &test.item.kind else { continue };
            let message = format!("the test does not pin the parameter `{first}`, which has no default");
            let help = format!("write `test \"…\" with {{ {first} = … }}`: a test does not see the values of a deployment");
            let finding = Finding::error(codes::NOT_PINNED, Loc::new(test.part, name.span), message).help(help);
            let mut values = Values(&mut one.typer);
            let outer = values.begin(test.part);
            values.push(finding);
            one.front.typed.lines.push(values.end(outer));
        }
        true
    }
}

impl One<'_> {
    fn add(&mut self, tests: &[&Other<'_>]) {
        let lines = cases::add(&mut self.package, tests.iter().copied(), &mut self.typer);
        self.front.typed.lines.extend(lines);
    }

    /// Adds what was found to other findings, and gives all.
    fn finish(mut self, mut findings: Findings, keep: bool) -> Finished {
        let kept = if keep && !self.is_ordered { self.typer.kept(self.given) } else { None };
        let (defs, left_out) = self.typer.finish();
        self.front.typed.defs = defs;
        collect(&self.front.typed, &mut findings);
        findings.extend(self.findings);
        self.front.typed.lines.iter().for_each(|line| findings.extend(line.findings.iter().cloned()));
        findings.left_out(left_out + self.left_out);
        Finished { package: self.package, front: self.front, kept: kept.filter(|_| findings.room() > 0), findings }
    }
}

/// The values that a test pins.
fn pins(test: &Other<'_>, one: &mut One<'_>) -> Vec<Given> {
    let ItemKind::Test { with: Some(record), .. } = &test.item.kind else { return Vec::new() };
    let mut values = Values(&mut one.typer);
    let outer = values.begin(test.part);
    let at = Site { file: test.file, part: test.part };
    let pairs = values.pairs(record, at);
    let mut all = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let loc = Loc::new(test.part, name.span);
        values.note_parameter(name, value, at);
        all.push(Given { name: name.node.clone(), loc, value: value.clone(), from_text: false, file: Some(test.file) });
    }
    one.front.typed.lines.push(values.end(outer));
    all
}

/// Equal for tests that write the same values for the same parameters.
fn key(pins: &[Given], sources: &Sources) -> String {
    let text = |pin: &Given| sources.slice(Loc::new(pin.loc.part, pin.value.span)).split_whitespace().collect::<String>();
    let mut all: Vec<String> = pins.iter().map(|pin| format!("{}={}\n", pin.name, text(pin))).collect();
    all.sort_unstable();
    all.concat()
}

/// The findings of all parts, in an order that is always the same.
fn collect(typed: &Package, findings: &mut Findings) {
    let mut defs: Vec<_> = typed.defs.iter().collect();
    defs.sort_unstable_by_key(|(key, _)| **key);
    let defs = defs.into_iter().map(|(_, part)| &part.findings);
    let heads = typed.applies.iter().map(|part| &part.findings).chain(typed.excepts.iter().map(|part| &part.findings));
    let members = typed.policies.iter().flat_map(|policy| policy.members.iter()).map(|part| &part.findings);
    for found in typed.outside.iter().map(|part| &part.findings).chain(defs).chain(heads).chain(members) {
        findings.extend(found.iter().cloned());
    }
}
