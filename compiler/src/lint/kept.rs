//! What the lints found that an edit leaves as it is: in parts that are the same, and in rules that say the same. Takes the last
//! package and the one at hand, says what of the one is the other's. Knows no lint.

use super::shape::OfPolicy;
use crate::diag::Finding;
use crate::hir::{Cond, Package, PathSet, Policy, Rule, Test};
use crate::source::{FileId, PartId};
use rustc_hash::FxHashMap;

/// What a run of the lints leaves for the next one, before comments allow any of it.
#[derive(Debug, Default)]
pub struct Kept {
    /// What was found in parts as they are written.
    pub(super) parts: FxHashMap<PartId, Vec<Finding>>,
    /// What was found in rules, by policy and rule.
    pub(super) rules: FxHashMap<(usize, usize), Vec<Finding>>,
    /// For each policy the rules that others of it cover.
    pub(super) related: Vec<OfPolicy>,
    /// For each set of paths whether a lifeline may be in it.
    pub(super) lifelines: Vec<Answers>,
    /// How far each file is formatted.
    pub(super) files: FxHashMap<FileId, crate::fmt::Extent>,
}

/// Whether a set has the path of an object, and of a program, that a host needs; nothing where nobody asked.
pub(super) type Answers = [Option<bool>; 2];

/// The last run, with the package that it was about.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// What it left.
    pub kept: &'a Kept,
    /// The package.
    pub package: &'a Package,
    /// How many parts there ever were then: those with a smaller id that are still there are the same.
    pub parts: usize,
}

impl<'a> Before<'a> {
    /// What was found in a part, if it is the same.
    pub(super) fn part(&self, part: PartId) -> Option<&'a [Finding]> {
        part.is_among(self.parts).then(|| self.kept.parts.get(&part).map_or(&[][..], Vec::as_slice))
    }

    /// What was found in a rule.
    pub(super) fn rule(&self, policy: usize, rule: usize) -> &'a [Finding] {
        self.kept.rules.get(&(policy, rule)).map_or(&[], Vec::as_slice)
    }
}

/// Which rules and sets of paths of a package are those of the last one.
#[derive(Debug, Default)]
pub(super) struct Same {
    /// For each policy, for each rule its index there. Nothing of policies that are not the same.
    rules: Vec<Vec<Option<usize>>>,
    /// For each policy whether its rules are all of these.
    whole: Vec<bool>,
    sets: Vec<Option<usize>>,
}

impl Same {
    pub fn new(before: Option<&Before<'_>>, package: &Package) -> Self {
        let Some(Before { package: old, .. }) = before else { return Self::default() };
        let sets = matching(&old.path_sets, &package.path_sets, |a: &PathSet, b: &PathSet| a == b);
        let mut rules = Vec::new();
        if old.policies.len() == package.policies.len() {
            let pairs = old.policies.iter().zip(&package.policies);
            rules = pairs.map(|(old, new)| if is_same(old, new) { rules_of(old, new, &sets) } else { Vec::new() }).collect();
        }
        let whole = |(rules, old): (&Vec<Option<usize>>, &Policy)| rules.len() == old.rules.len() && rules.iter().all(Option::is_some);
        let whole = rules.iter().zip(&old.policies).map(whole).collect();
        Self { rules, whole, sets }
    }

    /// The index that a rule had in the same policy.
    pub fn rule(&self, policy: usize, rule: usize) -> Option<usize> {
        self.rules.get(policy)?.get(rule).copied().flatten()
    }

    /// Whether all rules of a policy are the same, at the same places.
    pub fn is_whole(&self, policy: usize) -> bool {
        self.whole.get(policy).copied().unwrap_or(false)
    }

    /// What is known of the sets.
    pub fn answers(&self, before: Option<&Before<'_>>, count: usize) -> Vec<Answers> {
        let known = |set: usize| before?.kept.lifelines.get(self.sets.get(set).copied().flatten()?).copied();
        (0..count).map(|set| known(set).unwrap_or_default()).collect()
    }
}

/// Whether what lints see of a policy beside its rules is the same.
fn is_same(old: &Policy, new: &Policy) -> bool {
    (&old.name, old.mode, old.loc) == (&new.name, new.mode, new.loc)
}

fn rules_of(old: &Policy, new: &Policy, sets: &[Option<usize>]) -> Vec<Option<usize>> {
    matching(&old.rules, &new.rules, |old: &Rule, new: &Rule| {
        let head = |rule: &Rule| (rule.event, rule.action, rule.loc, rule.errno, rule.severity);
        let texts = (&old.label, &old.because, &old.attack) == (&new.label, &new.because, &new.attack);
        texts && head(old) == head(new) && says_the_same(&old.cond, &new.cond, sets)
    })
}

/// Whether two conditions are the same, places included, where equal sets have other numbers.
fn says_the_same(old: &Cond, new: &Cond, sets: &[Option<usize>]) -> bool {
    match (old, new) {
        (Cond::Const(a), Cond::Const(b)) => a == b,
        (Cond::Not(a), Cond::Not(b)) => says_the_same(a, b, sets),
        (Cond::And(a), Cond::And(b)) | (Cond::Or(a), Cond::Or(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| says_the_same(a, b, sets))
        }
        (Cond::Atom(a), Cond::Atom(b)) => {
            let test = match (&a.test, &b.test) {
                (Test::InPaths(a), Test::InPaths(b)) => sets.get(b.0 as usize).copied().flatten() == Some(a.0 as usize),
                (a, b) => a == b,
            };
            test && (a.field, a.identity, a.loc) == (b.field, b.identity, b.loc)
        }
        _ => false,
    }
}

/// For each element of a list its index in another one: those at the same place, where both are as long, and otherwise those at
/// the start and at the end that are the same.
fn matching<T>(old: &[T], new: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<Option<usize>> {
    if old.len() == new.len() {
        return old.iter().zip(new).enumerate().map(|(at, (old, new))| same(old, new).then_some(at)).collect();
    }
    let start = old.iter().zip(new).take_while(|(old, new)| same(old, new)).count();
    let most = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(old, new)| same(old, new)).count();
    let middle = (start..new.len() - end).map(|_| None);
    (0..start).map(Some).chain(middle).chain((old.len() - end..old.len()).map(Some)).collect()
}
