//! Conditions compared by what they say, wherever they stand: each is a set of parts that must all hold, each part a number.

use super::context::Context;
use crate::hir::{Action, Cond, Rule};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// How a rule relates to an earlier or wider one of its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// Both say the same.
    Same,
    /// The other one's condition has fewer parts, so it matches whatever this one matches.
    Covered,
}

/// The condition as a number, places aside.
fn shape(cond: &Cond, out: &mut FxHasher) {
    match cond {
        Cond::Const(value) => (0u8, value).hash(out),
        Cond::Atom(atom) => (1u8, atom.field, &atom.test).hash(out),
        Cond::Not(inner) => {
            2u8.hash(out);
            shape(inner, out);
        }
        Cond::And(all) | Cond::Or(all) => {
            (if matches!(cond, Cond::And(_)) { 3u8 } else { 4u8 }, all.len()).hash(out);
            all.iter().for_each(|c| shape(c, out));
        }
    }
}

/// The parts of a condition that must all hold, each a number, sorted.
pub(super) fn parts(cond: &Cond) -> Vec<u64> {
    let mut out = Vec::new();
    add_parts(cond, &mut out);
    out
}

/// The same, added to others; gives where they are.
fn add_parts(cond: &Cond, out: &mut Vec<u64>) -> Range<usize> {
    let start = out.len();
    let number = |cond: &Cond| {
        let mut hasher = FxHasher::default();
        shape(cond, &mut hasher);
        hasher.finish()
    };
    match cond {
        Cond::And(all) => out.extend(all.iter().map(number)),
        Cond::Const(true) => {}
        one => out.push(number(one)),
    }
    if let Some(added) = out.get_mut(start..) {
        added.sort_unstable();
    }
    let (mut kept, mut last) = (start, None);
    for at in start..out.len() {
        let Some(part) = out.get(at).copied().filter(|part| last != Some(*part)) else { continue };
        if let Some(slot) = out.get_mut(kept) {
            *slot = part;
        }
        (kept, last) = (kept + 1, Some(part));
    }
    out.truncate(kept);
    start..kept
}

/// A rule of which another one of its policy does all that it does.
pub(super) struct Related<'a> {
    pub wider: &'a Rule,
    pub rule: &'a Rule,
    pub relation: Relation,
}

/// Such rules of a policy by their indices: the wider one, the other, and how they relate.
pub(super) type OfPolicy = Vec<(usize, usize, Relation)>;

/// All such rules, policy by policy.
pub(super) fn related(cx: &Context<'_>) -> Vec<OfPolicy> {
    let policies = cx.package.policies.iter().zip(&cx.origins).enumerate();
    let of = policies.map(|(at, (policy, origin))| match cx.before.filter(|_| cx.same.is_whole(at)) {
        _ if origin.applied || policy.rules.len() < 2 => Vec::new(),
        Some(before) => before.kept.related.get(at).cloned().unwrap_or_default(),
        None => of_policy(&policy.rules),
    });
    of.collect()
}

fn of_policy(rules: &[Rule]) -> OfPolicy {
    let mut out = Vec::new();
    let mut numbers = Vec::with_capacity(4 * rules.len());
    let rules: Vec<(&Rule, Range<usize>)> = rules.iter().map(|rule| (rule, add_parts(&rule.cond, &mut numbers))).collect();
    let parts = |range: &Range<usize>| numbers.get(range.clone()).unwrap_or_default();
    let mut count: FxHashMap<u64, u32> = FxHashMap::with_capacity_and_hasher(numbers.len(), FxBuildHasher);
    numbers.iter().for_each(|part| *count.entry(*part).or_default() += 1);
    // Each rule is found by its rarest part: what all rules have, such as the scope, tells nothing.
    let rarest = |own: &[u64]| own.iter().copied().min_by_key(|part| count.get(part).copied().unwrap_or(0)).unwrap_or(0);
    let mut keys: Vec<(u64, usize)> = rules.iter().enumerate().map(|(index, (_, range))| (rarest(parts(range)), index)).collect();
    keys.sort_unstable();
    let with = |part: u64| {
        let from = keys.partition_point(|(key, _)| *key < part);
        keys.iter().skip(from).take_while(move |(key, _)| *key == part).map(|(_, index)| *index)
    };
    for (index, (rule, range)) in rules.iter().enumerate().filter(|(_, (rule, _))| rule.label.is_some()) {
        let own = parts(range);
        let near = own.iter().chain(&[0]).flat_map(|part| with(*part)).take(MAX_COMPARED);
        let mut others = near.filter_map(|other| Some((other, rules.get(other)?))).filter(|(other, _)| *other != index);
        out.extend(others.find_map(|(other, (wider, theirs))| {
            let relation = relation((wider, parts(theirs)), (rule, own))?;
            (relation == Relation::Covered || other < index).then_some((other, index, relation))
        }));
    }
    out
}

/// With how many others a rule is compared.
const MAX_COMPARED: usize = 64;

fn relation((wider, theirs): (&Rule, &[u64]), (rule, parts): (&Rule, &[u64])) -> Option<Relation> {
    let as_strong = wider.action == rule.action || (wider.action == Action::Kill && rule.action == Action::Deny);
    let other = wider.label != rule.label && wider.event == rule.event;
    if !other || !as_strong || !theirs.iter().all(|part| parts.binary_search(part).is_ok()) {
        return None;
    }
    Some(if theirs.len() == parts.len() { Relation::Same } else { Relation::Covered })
}
