//! The typed package in, the folded policies out: scope, `unless`, `allow`, exceptions and `apply` become one condition for
//! each rule and event, functions their bodies, sets of paths numbers. Each part of a condition remembers where it came
//! from. Looks at no text and evaluates nothing.

pub(crate) mod atoms;
mod join;
mod lower;
mod policy;
mod require;
mod rule;
pub(crate) mod sets;

pub use join::Origin;

use crate::diag::{Finding, codes};
use crate::hir::{self, Cond, PathSet, PathSetId, Space};
use crate::resolve::{Index, Names, PolicyId, ROOT, catalog};
use crate::source::Loc;
use crate::typed::Spent;
use crate::typed::cost::{Cost, Sum};
use crate::typed::tree::{Excepted, Package};
use rustc_hash::{FxHashMap, FxHashSet};

/// What folding gives.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    /// Policies in force, in the order of the source.
    pub policies: Vec<hir::Policy>,
    /// Their sets of paths, in the order of first use.
    pub path_sets: Vec<PathSet>,
    /// For each rule of each policy: where each part of its condition came from. The parts are those of an outermost `And`,
    /// or the condition as a whole.
    pub origins: Vec<Vec<Box<[Origin]>>>,
    /// What is wrong with the policies as wholes.
    pub findings: Vec<Finding>,
    /// How many findings were not kept.
    pub left_out: usize,
    /// A bound was passed: in which rule depends on what was folded before it.
    pub is_ordered: bool,
}

/// Rules, and the origins of their conditions.
#[derive(Default)]
struct WithOrigins {
    rules: Vec<hir::Rule>,
    origins: Vec<Box<[Origin]>>,
}

/// An exception that is folded: its index, condition and fields.
struct Exception {
    index: u32,
    cond: Cond,
    mask: u128,
}

/// Everything that is known while a package is folded.
struct Folder<'a> {
    names: &'a Names<'a>,
    index: &'a Index,
    /// The package keeps its trees.
    keep: bool,
    sets: sets::Sets,
    /// Ids of the sets of named constants, by where they are kept.
    known: FxHashMap<(usize, Space), PathSetId>,
    spent: Spent,
    findings: Vec<Finding>,
    room: usize,
    left_out: usize,
    /// What the rules are folded with: `where` of each `apply`, and exceptions by what they are about.
    filters: Vec<Option<Cond>>,
    exceptions: FxHashMap<(PolicyId, Excepted), Vec<Exception>>,
    /// Fields of identity.
    identity: u128,
}

/// Folds a package. Unless it is to be kept, rules and defaults become [`Member::Folded`] on the way, so that both forms of a
/// large package never are in memory at once. `spent` is what typing it has cost, `room` how many findings are kept.
///
/// [`Member::Folded`]: crate::typed::tree::Member::Folded
#[must_use]
pub fn fold(package: &mut Package, keep: bool, names: &Names<'_>, index: &Index, (spent, room): (Spent, usize)) -> Folded {
    let identity = index.catalog.fields.iter().enumerate().filter(|(_, f)| f.identity);
    let identity = identity.fold(0, |mask, (i, _)| mask | catalog::bit(ebsec_templates::FieldId(i as u16)));
    let mut folder = Folder {
        names,
        index,
        keep,
        sets: sets::Sets::default(),
        known: FxHashMap::default(),
        spent,
        findings: Vec::new(),
        room,
        left_out: 0,
        filters: Vec::new(),
        exceptions: FxHashMap::default(),
        identity,
    };
    folder.filters(package);
    folder.exceptions(package);
    let mut folded = Folded::default();
    for policy in &mut package.policies {
        let (policy, origins) = folder.policy(policy, &package.applies);
        folded.policies.push(policy);
        folded.origins.push(origins);
    }
    let is_ordered = folder.spent.is_any_spent() || folder.left_out > 0;
    Folded { path_sets: folder.sets.take(), findings: folder.findings, left_out: folder.left_out, is_ordered, ..folded }
}

impl Folder<'_> {
    fn push(&mut self, finding: Finding) {
        if self.findings.len() < self.room {
            self.findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// Spends some of a cost; false, after a finding at the first time, if there is no more.
    fn spend(&mut self, cost: Cost, count: usize, loc: Loc) -> bool {
        let sum = self.spent.add(cost, count);
        if sum == Sum::First {
            self.push(cost.finding(loc));
        }
        sum == Sum::Fits
    }

    fn filters(&mut self, package: &Package) {
        for one in &package.applies {
            let filter = one.tree.filter.as_ref().map(|typed| {
                let filter = self.lower(typed);
                self.require_subject(&filter, "`where`");
                filter
            });
            self.filters.push(filter);
        }
    }

    fn exceptions(&mut self, package: &Package) {
        let in_force: FxHashSet<PolicyId> = package.applies.iter().filter_map(|one| one.tree.policy).collect();
        let names = self.names;
        for (index, typed) in package.excepts.iter().enumerate() {
            let Some(when) = &typed.tree.when else { continue };
            let cond = self.lower(when);
            let Some((id, target)) = &typed.tree.target else { continue };
            let Some(def) = names.policy(*id) else { continue };
            if def.module != ROOT && !in_force.contains(id) {
                if !names.half_applied.contains(id) {
                    let message = format!("`{}` is not applied, so there is nothing to except", def.name);
                    let help = format!("write `apply {}`", def.name);
                    self.push(Finding::error(codes::NOT_APPLIED, typed.tree.loc, message).help(help));
                }
                continue;
            }
            let mask = atoms::mask(&cond);
            let exception = Exception { index: index as u32, cond, mask };
            self.exceptions.entry((*id, target.clone())).or_default().push(exception);
        }
    }
}
