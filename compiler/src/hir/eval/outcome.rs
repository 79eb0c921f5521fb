//! What a verdict means to those who read it: in words, and whether it is what a test expects. Takes verdicts of the
//! interpreter; never looks at an operation.

use super::{Match, Truth, Verdict, rule};
use crate::hir::{Action, Mode, Package};

/// Verdicts between which the one of an operation lies, if a test leaves values open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where as little as possible matches.
    pub least: Verdict,
    /// Where as much as possible matches.
    pub most: Verdict,
}

/// By which modes a verdict is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modes {
    /// As they are: a policy that observes refuses nothing.
    Actual,
    /// As if every policy enforced.
    Enforced,
}

/// The strongest thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Allow,
    Audit,
    Deny,
    Kill,
}

impl Strength {
    fn of(action: Action) -> Self {
        match action {
            Action::Audit => Self::Audit,
            Action::Deny => Self::Deny,
            Action::Kill => Self::Kill,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Audit => "audit",
            Self::Deny => "deny",
            Self::Kill => "kill",
        }
    }
}

/// Whether a match refuses: its policy enforces and its action is more than an audit.
#[must_use]
pub fn refuses(package: &Package, found: &Match) -> bool {
    brings(package, found, Strength::Deny, Modes::Actual)
}

/// Whether a match kills: it refuses by `kill`, and its condition is true, not failed.
#[must_use]
pub fn kills(package: &Package, found: &Match) -> bool {
    brings(package, found, Strength::Kill, Modes::Actual)
}

/// Whether a match brings something about, or what is stronger.
fn brings(package: &Package, found: &Match, what: Strength, modes: Modes) -> bool {
    let Some(action) = rule(package, found).map(|r| r.action) else { return false };
    let observes = package.policies.get(found.policy).is_none_or(|p| p.mode == Mode::Observe);
    let strength = match action {
        _ if observes && modes == Modes::Actual => Strength::Audit,
        Action::Kill if found.truth != Truth::True => Strength::Deny,
        action => Strength::of(action),
    };
    strength >= what
}

fn strength(package: &Package, verdict: &Verdict, modes: Modes) -> Strength {
    let any = |what: &Strength| verdict.matched.iter().any(|m| brings(package, m, *what, modes));
    [Strength::Kill, Strength::Deny, Strength::Audit].into_iter().find(any).unwrap_or(Strength::Allow)
}

/// The strongest thing that happens, as tests write it: `allow`, `deny by p.r`, `kill by p default`, `audit by p.r`.
#[must_use]
pub fn describe(package: &Package, verdict: &Verdict, modes: Modes) -> String {
    let strength = strength(package, verdict, modes);
    let Some(found) = verdict.matched.iter().find(|m| brings(package, m, strength, modes)) else { return "allow".to_owned() };
    let policy = package.policies.get(found.policy).map_or("", |p| p.name.as_str());
    match rule(package, found).and_then(|r| r.label.as_deref()) {
        Some(label) => format!("{} by {policy}.{label}", strength.word()),
        None => format!("{} by {policy} default", strength.word()),
    }
}

/// Whether a verdict is the one that a test expects; see [`met`].
#[must_use]
pub fn satisfies(package: &Package, verdict: &Verdict, expect: Option<&(Action, String, Option<String>)>) -> bool {
    met(package, verdict, verdict, expect) == Some(true)
}

/// Whether each verdict of a range is what a test expects: the strongest action is that one, and the named rule is among
/// those that bring it about. `None` expects that nothing is refused and nothing reported. A `deny` or `kill` is met by a
/// policy that observes, too, so that a test holds before and after it enforces. No answer means that it depends on which
/// verdict of the range it is.
#[must_use]
pub fn met(package: &Package, least: &Verdict, most: &Verdict, expect: Option<&(Action, String, Option<String>)>) -> Option<bool> {
    let answers = [Modes::Actual, Modes::Enforced].map(|modes| met_in(package, least, most, expect, modes));
    if answers.contains(&Some(true)) {
        return Some(true);
    }
    if answers.contains(&None) { None } else { Some(false) }
}

fn met_in(
    package: &Package,
    least: &Verdict,
    most: &Verdict,
    expect: Option<&(Action, String, Option<String>)>,
    modes: Modes,
) -> Option<bool> {
    let (low, high) = (strength(package, least, modes), strength(package, most, modes));
    let Some((action, policy, label)) = expect else {
        return match (low, high) {
            (_, Strength::Allow) => Some(true),
            (Strength::Allow, _) => None,
            _ => Some(false),
        };
    };
    let wanted = Strength::of(*action);
    let is_named = |m: &&Match| {
        package.policies.get(m.policy).is_some_and(|p| p.name == *policy) && rule(package, m).is_some_and(|r| r.label == *label)
    };
    let named = |verdict: &Verdict| verdict.matched.iter().filter(is_named).any(|m| brings(package, m, wanted, modes));
    if low > wanted || high < wanted || !named(most) {
        return Some(false);
    }
    if low == wanted && high == wanted && named(least) { Some(true) } else { None }
}
