//! What unit tests try of the rules: typed policies with their tests in, for each condition which outcomes were tried in
//! such a way that they decided the rule. Runs no emitted program.

use crate::hir::eval::{self, Truth};
use crate::hir::{Cond, Package, Rule};
use crate::source::Loc;
use ebsec_templates::{EventId, catalog};
use std::collections::BTreeMap;

/// A condition of a rule and the outcomes that tests tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Where the condition stands; the rule itself where it has none.
    pub loc: Loc,
    /// It was true, and the rule would not have matched otherwise, or would have.
    pub yes: bool,
    /// It was false, and this mattered. Always so for a rule without conditions.
    pub no: bool,
}

/// What was tried of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCoverage {
    /// `policy.rule`, or `policy default event`.
    pub name: String,
    /// The label or the keyword `default`.
    pub loc: Loc,
    /// Its conditions: scope, `when`, `unless`, exceptions, the `allow` rules of a default.
    pub conditions: Vec<Tried>,
}

impl RuleCoverage {
    /// How many outcomes were tried, and of how many.
    #[must_use]
    pub fn outcomes(&self) -> (usize, usize) {
        let tried = self.conditions.iter().map(|c| usize::from(c.yes) + usize::from(c.no)).sum();
        (tried, 2 * self.conditions.len())
    }
}

/// Coverage of the rules in source order. `packages` are one policy with several values of its parameters; only conditions
/// for whose places `own` says yes count.
#[must_use]
pub fn coverage<'p>(packages: impl IntoIterator<Item = &'p Package>, own: &dyn Fn(Loc) -> bool) -> Vec<RuleCoverage> {
    let mut all: BTreeMap<(Loc, Option<EventId>), RuleCoverage> = BTreeMap::new();
    for package in packages {
        for policy in &package.policies {
            for rule in &policy.rules {
                let found = all.entry(key(rule)).or_insert_with(|| uncovered(&policy.name, rule));
                for step in package.tests.iter().flat_map(|t| &t.steps) {
                    for truths in eval::atom_truths(package, catalog(), &step.operation, rule.event, &rule.cond) {
                        note(&rule.cond, &truths, &mut found.conditions);
                    }
                }
            }
        }
    }
    let mut rules: Vec<RuleCoverage> = all.into_values().collect();
    rules.iter_mut().for_each(|rule| rule.conditions.retain(|c| own(c.loc)));
    rules.retain(|rule| !rule.conditions.is_empty());
    rules
}

/// By what a rule is known in all packages. The conditions of a default differ from event to event.
pub(super) fn key(rule: &Rule) -> (Loc, Option<EventId>) {
    (rule.loc, rule.label.is_none().then_some(rule.event))
}

/// The name of a rule as tests write it.
pub(super) fn name(policy: &str, rule: &Rule) -> String {
    match &rule.label {
        Some(label) => format!("{policy}.{label}"),
        None => format!("{policy} default {}", catalog()[rule.event].name),
    }
}

fn uncovered(policy: &str, rule: &Rule) -> RuleCoverage {
    let mut conditions = Vec::new();
    atoms(&rule.cond, &mut |loc| conditions.push(Tried { loc, yes: false, no: false }));
    if conditions.is_empty() {
        conditions.push(Tried { loc: rule.loc, yes: false, no: true });
    }
    RuleCoverage { name: name(policy, rule), loc: rule.loc, conditions }
}

fn atoms(cond: &Cond, each: &mut impl FnMut(Loc)) {
    match cond {
        Cond::Const(_) => {}
        Cond::Atom(atom) => each(atom.loc),
        Cond::Not(inner) => atoms(inner, each),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| atoms(c, each)),
    }
}

/// Notes the outcomes of one event.
fn note(cond: &Cond, truths: &[Truth], conditions: &mut [Tried]) {
    if truths.is_empty() {
        conditions.iter_mut().for_each(|c| c.yes = true);
    }
    for (at, (truth, tried)) in truths.iter().zip(conditions).enumerate() {
        let with = |truth| value(cond, &mut truths.iter().copied().enumerate().map(|(i, t)| if i == at { truth } else { t }));
        if with(Truth::True) != with(Truth::False) {
            tried.yes |= *truth == Truth::True;
            tried.no |= *truth == Truth::False;
        }
    }
}

/// The truth of a condition from those of its atoms.
fn value(cond: &Cond, truths: &mut dyn Iterator<Item = Truth>) -> Truth {
    match cond {
        Cond::Const(yes) => Truth::of(*yes),
        Cond::Atom(_) => truths.next().unwrap_or(Truth::Failed),
        Cond::Not(inner) => value(inner, truths).not(),
        Cond::And(all) => all.iter().fold(Truth::True, |truth, c| truth.min(value(c, truths))),
        Cond::Or(all) => all.iter().fold(Truth::False, |truth, c| truth.max(value(c, truths))),
    }
}
