//! The reference interpreter: a typed policy and one operation in, the verdict out. This is the meaning; the emitted
//! bytes must agree with it. Slow on purpose, keeps nothing between calls, never reports.

mod atom;
#[cfg(test)]
mod tests;

use super::{Action, Mode, Object, Operation, Package, PathValue, Rule};
use ebsec_templates::{Catalog, EventId, ObjectKind};

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
    fn of(yes: bool) -> Self {
        if yes { Self::True } else { Self::False }
    }

    fn not(self) -> Self {
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
    eval_counted(package, catalog, operation, &mut 0)
}

/// The same, with the work that it took added to `work`: about a nanosecond each.
#[must_use]
pub fn eval_counted(package: &Package, catalog: &Catalog, operation: &Operation, work: &mut u64) -> Verdict {
    let mut memo = atom::Memo::default();
    let mut matched: Vec<Match> = Vec::new();
    for (event, object) in elementary_events(catalog, operation) {
        for (p, policy) in package.policies.iter().enumerate() {
            memo.work += 1 + policy.rules.len() as u64;
            for (r, rule) in policy.rules.iter().enumerate().filter(|(_, rule)| rule.event == event) {
                let truth = atom::Scene { package, catalog, operation, object: &object }.cond(&rule.cond, &mut memo);
                if truth != Truth::False {
                    matched.push(Match { event, policy: p, rule: r, truth });
                }
            }
        }
    }
    matched.sort_unstable();
    // Sorted by truth last: of equal rules the strongest truth comes last and is kept.
    matched.reverse();
    matched.dedup_by_key(|m| (m.event, m.policy, m.rule));
    matched.reverse();
    *work = work.saturating_add(memo.work).saturating_add(matched.len() as u64);
    verdict(package, matched)
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

/// Whether a match refuses: its policy enforces and its action is more than an audit.
#[must_use]
pub fn refuses(package: &Package, found: &Match) -> bool {
    let enforced = package.policies.get(found.policy).is_some_and(|p| p.mode == Mode::Enforce);
    enforced && rule(package, found).is_some_and(|r| r.action != Action::Audit)
}

/// Whether a match kills: it refuses by `kill`, and its condition is true, not failed.
#[must_use]
pub fn kills(package: &Package, found: &Match) -> bool {
    refuses(package, found) && found.truth == Truth::True && rule(package, found).is_some_and(|r| r.action == Action::Kill)
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

/// The strongest thing that happened, as tests write it: `allow`, `deny by p.r`, `kill by p default`, `audit by p.r`.
#[must_use]
pub fn describe(package: &Package, verdict: &Verdict) -> String {
    let word = verdict_word(verdict);
    let contributes = |m: &&Match| match word {
        Some(Action::Kill) => kills(package, m),
        Some(Action::Deny) => refuses(package, m),
        _ => true,
    };
    let Some(found) = verdict.matched.iter().find(contributes) else { return "allow".to_owned() };
    let policy = package.policies.get(found.policy).map_or("", |p| p.name.as_str());
    let verb = match word {
        Some(Action::Kill) => "kill",
        Some(Action::Deny) => "deny",
        _ => "audit",
    };
    match rule(package, found).and_then(|r| r.label.as_deref()) {
        Some(label) => format!("{verb} by {policy}.{label}"),
        None => format!("{verb} by {policy} default"),
    }
}

fn verdict_word(verdict: &Verdict) -> Option<Action> {
    if verdict.killed {
        Some(Action::Kill)
    } else if verdict.refused.is_some() {
        Some(Action::Deny)
    } else if verdict.matched.is_empty() {
        None
    } else {
        Some(Action::Audit)
    }
}

/// Whether a verdict is the one that a test expects: the strongest action is that one, and the named rule is among those
/// that bring it about. `None` expects that nothing is refused and nothing reported.
#[must_use]
pub fn satisfies(package: &Package, verdict: &Verdict, expect: Option<&(Action, String, Option<String>)>) -> bool {
    let word = verdict_word(verdict);
    let Some((action, policy, label)) = expect else { return word.is_none() };
    word == Some(*action)
        && verdict.matched.iter().any(|m| {
            let named =
                package.policies.get(m.policy).is_some_and(|p| p.name == *policy) && rule(package, m).is_some_and(|r| r.label == *label);
            named
                && match action {
                    Action::Kill => kills(package, m),
                    Action::Deny => refuses(package, m),
                    Action::Audit => true,
                }
        })
}
