//! Small changes of rules that no unit test notices: typed policies with their tests in, the changes after which every line
//! that passed still passes out. Deterministic and bounded; changes no source.

mod changes;

use super::coverage::{key, name};
use crate::hir::eval::{self, Match, Truth, Verdict};
use crate::hir::{Package, Step};
use crate::source::Loc;
use changes::{Change, changes};
use ebsec_templates::{EventId, catalog};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// Most changes that are tried.
const MAX_CHANGES: usize = 20_000;

/// A change that no test notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unnoticed {
    /// `policy.rule`, or `policy default event`.
    pub rule: String,
    /// What was changed, in a few words.
    pub what: &'static str,
    /// Where.
    pub loc: Loc,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Mutation {
    /// How many changes were tried.
    pub tried: usize,
    /// There were more than are tried.
    pub more: bool,
    /// Those that no test notices, in source order.
    pub unnoticed: Vec<Unnoticed>,
}

/// By what a change is known in all packages: its rule, and its number among those of the rule.
type Key = ((Loc, Option<EventId>), usize);

/// A line that passes, with what matches it.
struct Passing<'p> {
    step: &'p Step,
    events: FxHashSet<EventId>,
    matched: Vec<Match>,
}

/// Tries changes of the rules for whose places `own` says yes. `packages` are one policy with several values of its
/// parameters: a change is noticed if a test of any of them fails.
#[must_use]
pub fn mutate<'p>(packages: impl IntoIterator<Item = &'p Package>, own: &dyn Fn(Loc) -> bool) -> Mutation {
    let mut all: BTreeMap<Key, (Unnoticed, bool)> = BTreeMap::new();
    let mut more = false;
    for package in packages {
        let mut lines = passing(package);
        let mut changed = Package { tests: Vec::new(), ..package.clone() };
        for (p, policy) in package.policies.iter().enumerate() {
            // The rules of one label differ by their events alone, and are changed together.
            let mut groups: BTreeMap<(Loc, Option<EventId>), Vec<usize>> = BTreeMap::new();
            policy.rules.iter().enumerate().for_each(|(r, rule)| groups.entry(key(rule)).or_default().push(r));
            for (of, rules) in groups {
                let Some(rule) = rules.first().and_then(|r| policy.rules.get(*r)) else { continue };
                let numbered = changes(rule, &mut changed.path_sets).into_iter().enumerate();
                for (number, change) in numbered.filter_map(|(n, c)| Some((n, c.filter(|c| own(c.loc))?))) {
                    if all.len() >= MAX_CHANGES && !all.contains_key(&(of, number)) {
                        more = true;
                        continue;
                    }
                    let unnoticed = Unnoticed { rule: name(&policy.name, rule), what: change.what, loc: change.loc };
                    let (_, noticed) = all.entry((of, number)).or_insert((unnoticed, false));
                    *noticed = *noticed || is_noticed(&mut changed, &mut lines, p, &rules, &change);
                }
            }
        }
    }
    let tried = all.len();
    Mutation { tried, more, unnoticed: without_implied(all) }
}

/// Where no test notices that a rule is missing, no other change of it is noticed: only that is said.
fn without_implied(all: BTreeMap<Key, (Unnoticed, bool)>) -> Vec<Unnoticed> {
    let missing: FxHashSet<_> = all.iter().filter(|((_, number), (_, noticed))| *number == 0 && !noticed).map(|((of, _), _)| *of).collect();
    let said = |(of, number): &Key| *number == 0 || !missing.contains(of);
    all.into_iter().filter(|(key, (_, noticed))| !noticed && said(key)).map(|(_, (unnoticed, _))| unnoticed).collect()
}

fn passing(package: &Package) -> Vec<Passing<'_>> {
    let index = eval::Index::new(package);
    let mut lines = Vec::new();
    for step in package.tests.iter().flat_map(|t| &t.steps) {
        let verdict = eval::eval_by(&index, package, catalog(), &step.operation);
        if eval::satisfies(package, &verdict, step.expect.as_ref()) {
            let events = eval::elementary_events(catalog(), &step.operation).into_iter().map(|(event, _)| event).collect();
            lines.push(Passing { step, events, matched: verdict.matched });
        }
    }
    lines
}

/// Whether a line that passed does not pass with a change of some rules of a policy.
fn is_noticed(package: &mut Package, lines: &mut [Passing<'_>], p: usize, rules: &[usize], change: &Change) -> bool {
    let before = package.policies.get(p).map(|policy| policy.rules.clone()).unwrap_or_default();
    if let Some(policy) = package.policies.get_mut(p) {
        for (_, rule) in policy.rules.iter_mut().enumerate().filter(|(r, _)| rules.contains(r)) {
            rule.action = change.action.unwrap_or(rule.action);
            change.cond.iter().for_each(|cond| rule.cond.clone_from(cond));
        }
    }
    let found = lines.iter().position(|line| fails(package, line, p, rules));
    if let Some(policy) = package.policies.get_mut(p) {
        policy.rules = before;
    }
    // What noticed one change probably notices the next one too.
    if let Some(at) = found {
        lines.swap(0, at);
    }
    found.is_some()
}

/// Whether a line does not pass with the rules as they are now.
fn fails(package: &Package, line: &Passing<'_>, p: usize, rules: &[usize]) -> bool {
    let policy = package.policies.get(p);
    let mut matched: Vec<Match> = line.matched.iter().filter(|m| m.policy != p || !rules.contains(&m.rule)).copied().collect();
    let mut touched = matched.len() < line.matched.len();
    for (r, rule) in rules.iter().filter_map(|r| Some((*r, policy?.rules.get(*r)?))) {
        if line.events.contains(&rule.event) {
            let truth = eval::truth(package, catalog(), &line.step.operation, rule.event, &rule.cond);
            matched.extend((truth != Truth::False).then_some(Match { event: rule.event, policy: p, rule: r, truth }));
            touched = true;
        }
    }
    touched && !eval::satisfies(package, &Verdict { matched, ..Verdict::default() }, line.step.expect.as_ref())
}
