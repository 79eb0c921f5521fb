//! `ineffective-setting`: an `apply` or `except` that changes nothing: a parameter that the policy does not use, a policy that is
//! applied twice, an exception that another one says already.

use crate::diag::codes;
use crate::lint::context::{Context, Origin};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, is_own};
use crate::resolve::{DefId, Found, Target, Use};
use crate::source::{Loc, PartId};
use ebsec_grammar::ast::{Cond, ItemKind, Name};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;

pub const LINT: Lint = Lint { code: codes::INEFFECTIVE_SETTING, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    let applied = cx.typed.policies.iter().zip(&cx.origins).filter(|(_, origin)| origin.applied);
    let mut through = None;
    for (policy, origin) in applied {
        let Some(with) = origin.with else { continue };
        let uses = policy.members.iter().flat_map(|member| &member.uses);
        let used = reached(uses, through.get_or_insert_with(|| definitions(cx)));
        for (key, _) in &with.pairs {
            if parameter(cx, origin, key).is_none_or(|id| used.contains(&id)) {
                continue;
            }
            let message = format!("`{}` does not use the parameter `{}`", origin.def.name, key.node);
            let finding = report.at(Loc::new(origin.loc.part, key.span), message);
            report.push(finding.help("remove it, or set it where the policy that uses it is applied"));
        }
    }
    twice(cx, report);
    same_exceptions(cx, report);
}

/// The parameter of the applied policy's module that a key names.
fn parameter(cx: &Context<'_>, origin: &Origin<'_>, key: &Name) -> Option<DefId> {
    cx.names.modules.get(origin.def.module.0 as usize)?.defs.get(key.node.as_str()).copied()
}

/// For each definition those that its text names.
type Definitions = FxHashMap<DefId, Vec<DefId>>;

fn definitions(cx: &Context<'_>) -> Definitions {
    let mut all = Definitions::default();
    for ((_, id), def) in &cx.typed.defs {
        all.entry(*id).or_default().extend(def.uses.iter().filter_map(defined));
    }
    all
}

fn defined(one: &Use) -> Option<DefId> {
    if let Target::Def(id) = one.target { Some(id) } else { None }
}

/// What uses lead to, over any number of definitions.
fn reached<'u>(uses: impl Iterator<Item = &'u Use>, through: &Definitions) -> FxHashSet<DefId> {
    let mut open: Vec<DefId> = uses.filter_map(defined).collect();
    let mut all = FxHashSet::default();
    while let Some(id) = open.pop() {
        if all.insert(id) {
            open.extend(through.get(&id).into_iter().flatten());
        }
    }
    all
}

/// A policy that is in force twice for the same processes: the stricter one decides.
fn twice(cx: &Context<'_>, report: &mut Report<'_>) {
    let mut seen: FxHashMap<&str, Loc> = FxHashMap::default();
    for other in cx.names.others.iter().filter(|other| is_own(cx.names, other.file)) {
        let ItemKind::Apply { target, filter: None, .. } = &other.item.kind else { continue };
        let Found::Here(id) = cx.names.find_policy(other.file, &target.node) else { continue };
        let Some(def) = cx.names.policy(id) else { continue };
        let loc = Loc::new(other.part, target.span);
        match seen.entry(&def.name) {
            Entry::Vacant(slot) => _ = slot.insert(loc),
            Entry::Occupied(first) => {
                let message = format!("`{}` is applied twice: the stricter of the two decides", def.name);
                let finding = report.at(loc, message).related(*first.get(), "first here");
                report.push(finding.help("keep one of them, or give each a `where` of its own"));
            }
        }
    }
}

/// An exception that says what another one says.
fn same_exceptions(cx: &Context<'_>, report: &mut Report<'_>) {
    let mut seen: FxHashMap<(String, String), Loc> = FxHashMap::default();
    for other in cx.names.others.iter().filter(|other| is_own(cx.names, other.file)) {
        let ItemKind::Except { target, default, when, .. } = &other.item.kind else { continue };
        let loc = Loc::new(other.part, target.span);
        let of = format!("{} {}", target.node, default.as_ref().map_or("", |event| event.node.as_str()));
        match seen.entry((of, written(cx, other.part, when))) {
            Entry::Vacant(slot) => _ = slot.insert(loc),
            Entry::Occupied(first) => {
                let finding = report.at(loc, "another exception says the same").related(*first.get(), "first here");
                report.push(finding.help("keep one of them"));
            }
        }
    }
}

/// A condition as it is written, line ends aside.
fn written(cx: &Context<'_>, part: PartId, cond: &Cond) -> String {
    cx.sources.slice(Loc::new(part, cond.span)).split_whitespace().collect::<Vec<_>>().join(" ")
}
