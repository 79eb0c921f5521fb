//! The stages from names to the folded package: typed, fold, cases; and what they found out on the way.

use crate::diag::Findings;
use crate::fold::{self, Origin};
use crate::hir;
use crate::resolve::{DefId, Index, Names, Use};
use crate::source::{Loc, Sources};
use crate::typed::tree::{Package, Typed};
use crate::typed::{Settings, Typer};
use ebsec_templates::catalog;
use rustc_hash::FxHashSet;

/// A package as it is written, and how it became what it means.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// Definitions, policies, `apply` and `except`.
    pub typed: Package,
    /// Lines of tests.
    pub lines: Vec<Typed<()>>,
    /// For each rule of each policy that is in force: where each part of its condition came from.
    pub origins: Vec<Vec<Box<[Origin]>>>,
    /// Where the name of each definition stands, by id.
    pub defs: Vec<Loc>,
    /// Where the name of each policy stands, by id.
    pub policies: Vec<Loc>,
}

impl Front {
    /// Every use of a name, part by part.
    pub fn uses(&self) -> impl Iterator<Item = &Use> {
        let typed = &self.typed;
        let defs = typed.defs.values().map(|part| &part.uses);
        let rest = typed.outside.iter().chain(&self.lines).map(|part| &part.uses);
        let heads = typed.applies.iter().map(|part| &part.uses).chain(typed.excepts.iter().map(|part| &part.uses));
        let members = typed.policies.iter().flat_map(|policy| policy.members.iter()).map(|part| &part.uses);
        defs.chain(rest).chain(heads).chain(members).flatten()
    }
}

/// Types and folds a package; with findings that are errors the result is not to be used.
pub(super) fn check(names: &Names<'_>, sources: &Sources, settings: Settings<'_>, findings: &mut Findings) -> (hir::Package, Front) {
    let index = Index::new(catalog());
    let mut typer = Typer::new(names, sources, &index, &settings, findings.room());
    let mut typed = typer.package(settings.given);
    let folded = fold::fold(&typed, names, &index, typer.spent().clone(), typer.room());
    typer.take_room(folded.findings.len());
    let applied: FxHashSet<&str> = folded.policies.iter().map(|p| p.name.as_str()).collect();
    let cases = typer.cases(&applied);
    let (defs, left_out) = typer.finish();
    typed.defs = defs;
    collect(&typed, findings);
    findings.extend(folded.findings);
    cases.lines.iter().for_each(|line| findings.extend(line.findings.iter().cloned()));
    findings.left_out(left_out + folded.left_out);
    let front = Front {
        typed,
        lines: cases.lines,
        origins: folded.origins,
        defs: (0..names.defs.len() as u32).map(|i| names.def_loc(DefId(i))).collect(),
        policies: names.policies.iter().map(|p| Loc::new(p.part, p.written.span)).collect(),
    };
    let package = hir::Package { policies: folded.policies, path_sets: folded.path_sets, tests: cases.tests, ..settings.package };
    (package, front)
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
