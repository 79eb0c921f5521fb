//! The reference interpreter: a folded policy and one operation in, the verdict out. This is the meaning; the emitted
//! bytes must agree with it. Slow on purpose, keeps nothing between calls, never reports.

mod atom;
mod index;
mod outcome;
#[cfg(test)]
mod tests;
mod why;

pub use index::Index;
pub use outcome::{Modes, Range, describe, kills, met, refuses, satisfies};
pub use why::{Unmet, unmet};

use super::{Cond, Object, Operation, Package, PathValue, Rule};
use ebsec_templates::{Catalog, EventId, FieldId, ObjectKind};

/// Kleene's three values; `Failed` where a value that decides could not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Truth {
    /// No.
    False,
    /// Cannot be known.
    Failed,
    /// Yes.
    True,
}

impl Truth {
    pub(crate) fn of(yes: bool) -> Self {
        if yes { Self::True } else { Self::False }
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Failed => Self::Failed,
            Self::True => Self::False,
        }
    }
}

/// A rule or default whose condition is true or failed for an elementary event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Match {
    /// Which event.
    pub event: EventId,
    /// Index into [`Package::policies`].
    pub policy: usize,
    /// Index into [`super::Policy::rules`].
    pub rule: usize,
    /// Never [`Truth::False`].
    pub truth: Truth,
}

/// What happens to an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The errno, if the operation is refused.
    pub refused: Option<u16>,
    /// The process is killed as well.
    pub killed: bool,
    /// Everything that is reported, sorted by event, policy and rule; over several objects the strongest truth.
    pub matched: Vec<Match>,
}

/// EPERM.
const EPERM: u16 = 1;

/// The verdict of a package on one operation.
#[must_use]
pub fn eval(package: &Package, catalog: &Catalog, operation: &Operation) -> Verdict {
    let mut memo = atom::Memo::default();
    let mut matched: Vec<Match> = Vec::new();
    for (event, object) in elementary_events(catalog, operation) {
        for (p, policy) in package.policies.iter().enumerate() {
            for (r, rule) in policy.rules.iter().enumerate().filter(|(_, rule)| rule.event == event) {
                let truth = atom::Scene { package, catalog, operation, object: &object, unknown: &[] }.cond(&rule.cond, &mut memo);
                if truth != Truth::False {
                    matched.push(Match { event, policy: p, rule: r, truth });
                }
            }
        }
    }
    verdict(package, strongest(matched))
}

/// The same as [`eval`], from the rules that an index of the package finds.
#[must_use]
pub fn eval_by(index: &Index, package: &Package, catalog: &Catalog, operation: &Operation) -> Verdict {
    eval_range(index, package, catalog, operation, &[], &mut 0).least
}

/// What can happen to an operation if some of its fields may have any value: the verdict where as little as possible matches
/// and the one where as much as possible does. What happens lies between them, by Kleene's logic: both bounds may be wider
/// than what is possible, never narrower. With no such field both are what [`eval`] gives. The work is added to `work`, about a
/// nanosecond each.
#[must_use]
pub fn eval_range(
    index: &Index,
    package: &Package,
    catalog: &Catalog,
    operation: &Operation,
    unknown: &[FieldId],
    work: &mut u64,
) -> Range {
    let mut memo = atom::Memo::default();
    let (mut least, mut most) = (Vec::new(), Vec::new());
    for (event, object) in elementary_events(catalog, operation) {
        let scene = atom::Scene { package, catalog, operation, object: &object, unknown };
        for (p, r) in index.rules(event, operation, &object) {
            memo.work += 1;
            let Some(rule) = package.policies.get(p).and_then(|policy| policy.rules.get(r)) else { continue };
            let (low, high) = scene.range(&rule.cond, &mut memo);
            let found = |truth| Match { event, policy: p, rule: r, truth };
            least.extend((low != Truth::False).then(|| found(low)));
            most.extend((high != Truth::False).then(|| found(high)));
        }
    }
    *work = work.saturating_add(memo.work).saturating_add(most.len() as u64);
    let most = if unknown.is_empty() { None } else { Some(verdict(package, strongest(most))) };
    let least = verdict(package, strongest(least));
    Range { most: most.unwrap_or_else(|| least.clone()), least }
}

/// The unknown fields on which the truth of a condition depends, for any object of the operation.
#[must_use]
pub fn depends(package: &Package, catalog: &Catalog, operation: &Operation, unknown: &[FieldId], found: &Match) -> Vec<FieldId> {
    let mut fields = Vec::new();
    let Some(rule) = rule(package, found) else { return fields };
    for (_, object) in elementary_events(catalog, operation).iter().filter(|(event, _)| *event == found.event) {
        let scene = atom::Scene { package, catalog, operation, object, unknown };
        scene.open_fields(&rule.cond, &mut fields);
    }
    fields
}

/// The truths of a condition's atoms in the order of the condition, for each time that the operation raises the event.
#[must_use]
pub fn atom_truths(package: &Package, catalog: &Catalog, operation: &Operation, event: EventId, cond: &Cond) -> Vec<Vec<Truth>> {
    let mut memo = atom::Memo::default();
    let events = elementary_events(catalog, operation);
    let objects = events.iter().filter(|(raised, _)| *raised == event).map(|(_, object)| object);
    let truths = objects.map(|object| {
        let mut all = Vec::new();
        atom::Scene { package, catalog, operation, object, unknown: &[] }.truths(cond, &mut memo, &mut all);
        all
    });
    truths.collect()
}

/// The strongest truth of a condition over all objects for which an operation raises an event.
#[must_use]
pub fn truth(package: &Package, catalog: &Catalog, operation: &Operation, event: EventId, cond: &Cond) -> Truth {
    let mut memo = atom::Memo::default();
    let events = elementary_events(catalog, operation);
    let objects = events.iter().filter(|(raised, _)| *raised == event).map(|(_, object)| object);
    let truths = objects.map(|object| atom::Scene { package, catalog, operation, object, unknown: &[] }.cond(cond, &mut memo));
    truths.max().unwrap_or(Truth::False)
}

/// Of equal rules the strongest truth, in the order of events, policies and rules.
fn strongest(mut matched: Vec<Match>) -> Vec<Match> {
    matched.sort_unstable();
    // Sorted by truth last: of equal rules the strongest truth comes last and is kept.
    matched.reverse();
    matched.dedup_by_key(|m| (m.event, m.policy, m.rule));
    matched.reverse();
    matched
}

fn verdict(package: &Package, matched: Vec<Match>) -> Verdict {
    let mut errnos = Vec::new();
    let mut killed = false;
    for found in &matched {
        if refuses(package, found) {
            errnos.extend(rule(package, found).map(|r| r.errno));
            killed |= kills(package, found);
        }
    }
    let refused = errnos.first().map(|first| if errnos.iter().all(|e| e == first) { *first } else { EPERM });
    Verdict { refused, killed, matched }
}

fn rule<'p>(package: &'p Package, found: &Match) -> Option<&'p Rule> {
    package.policies.get(found.policy)?.rules.get(found.rule)
}

/// The elementary events of an operation, each with its object, as the hook's contract says: once for each path of the
/// object, and of these once for each path by which the host shows it. The objects given have one of each.
#[must_use]
pub fn elementary_events(catalog: &Catalog, operation: &Operation) -> Vec<(EventId, Object)> {
    let hook = &catalog[operation.hook];
    let holds = |(fact, wanted): &(String, bool)| operation.facts.contains(fact) == *wanted;
    if hook.silent_when.iter().any(holds) {
        return Vec::new();
    }
    let mut events = Vec::new();
    if hook.object == ObjectKind::Nothing {
        let raised = hook.raises.iter().filter(|r| r.when.iter().all(holds));
        return raised.map(|r| (r.event, Object::default())).collect();
    }
    for raise in hook.raises.iter().filter(|r| r.when.iter().all(holds)) {
        let mut object = operation.objects.get(raise.object).cloned().flatten();
        let unseen = hook.objects.get(raise.object).and_then(|o| o.host_unless.as_ref()).is_some_and(|f| operation.facts.contains(f));
        if let Some(object) = object.as_mut().filter(|_| unseen) {
            object.host_paths.clear();
        }
        events.extend(object.iter().flat_map(each_path).map(|object| (raise.event, object)));
    }
    events
}

/// The object with each pair of a path and a host's path.
fn each_path(object: &Object) -> Vec<Object> {
    let hosts: Vec<&[PathValue]> =
        if object.host_paths.is_empty() { vec![&[]] } else { object.host_paths.iter().map(std::slice::from_ref).collect() };
    let paths = std::iter::once(&object.path).chain(&object.other_paths);
    let pairs = paths.flat_map(|path| hosts.iter().map(move |host| (path.clone(), host.to_vec())));
    pairs.map(|(path, host_paths)| Object { path, other_paths: Vec::new(), host_paths, ..object.clone() }).collect()
}
