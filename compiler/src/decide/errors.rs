//! What makes a plan impossible: budgets, with the rules that are responsible.

use crate::classes::paths::TooLarge;
use crate::hir::{Package, PathLang, PathSetId};
use crate::source::Loc;
use ebsec_templates::{EventId, catalog};

/// A rule by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleRef {
    /// Index into [`Package::policies`].
    pub policy: u32,
    /// Index into [`crate::hir::Policy::rules`].
    pub rule: u32,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// The path sets multiply each other.
    Paths(TooLarge),
    /// More than 256 lineage bits are needed.
    LineBits {
        /// How many.
        needed: usize,
        /// The rules for which no bit was left.
        rules: Vec<RuleRef>,
    },
    /// More than 64 events have rules.
    Events {
        /// How many.
        needed: usize,
        /// A rule of each event beyond.
        rules: Vec<RuleRef>,
    },
    /// The rules of one policy for one event multiply each other.
    Chain {
        /// The event.
        event: EventId,
        /// The policy's index.
        policy: u32,
    },
}

impl PlanError {
    /// One lowercase sentence.
    pub fn message(&self, package: &Package) -> String {
        match self {
            PlanError::Paths(error) => {
                let names: Vec<String> = error.sets.iter().map(|set| format!("`{}`", example(package, *set))).collect();
                let limit = error.states;
                match names.as_slice() {
                    [] => format!("the paths of this package need an automaton of more than {limit} states"),
                    _ => format!("patterns multiply to an automaton of more than {limit} states: {}", names.join(", ")),
                }
            }
            PlanError::LineBits { needed, .. } => {
                format!("the rules ask about the line of a process in {needed} ways, at most 256 can be remembered")
            }
            PlanError::Events { needed, .. } => format!("the rules are about {needed} events, at most 64 are possible"),
            PlanError::Chain { event, policy } => {
                let name = package.policies.get(*policy as usize).map_or("", |p| p.name.as_str());
                format!("the rules of `{name}` for `{}` combine too many fields with too many values", catalog()[*event].name)
            }
        }
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            PlanError::Paths(_) => "use fewer `*` in one segment after `**`, or name the directories",
            PlanError::LineBits { .. } => "gather programs in sets: one set takes one bit, however large it is",
            PlanError::Events { .. } => "use intents such as `file.write` instead of single hooks",
            PlanError::Chain { .. } => "split the policy, or gather rules that differ in one field by sets",
        }
    }

    /// Places in the source, the most important first.
    pub fn places(&self, package: &Package) -> Vec<Loc> {
        match self {
            PlanError::Paths(error) => error.sets.iter().filter_map(|set| place_of_set(package, *set)).collect(),
            PlanError::LineBits { rules, .. } | PlanError::Events { rules, .. } => {
                let rule = |r: &RuleRef| package.policies.get(r.policy as usize)?.rules.get(r.rule as usize).map(|r| r.loc);
                rules.iter().filter_map(rule).collect()
            }
            PlanError::Chain { policy, .. } => package.policies.get(*policy as usize).map(|p| p.loc).into_iter().collect(),
        }
    }
}

/// A pattern of a set, as written.
fn example(package: &Package, set: PathSetId) -> String {
    fn first(lang: &PathLang) -> Option<&str> {
        match lang {
            PathLang::Patterns(patterns) => patterns.iter().max_by_key(|p| p.text.matches('*').count()).map(|p| &*p.text),
            PathLang::Union(parts) => parts.iter().find_map(first),
            PathLang::Minus(with, _) => first(with),
        }
    }
    package.path_sets.get(set.0 as usize).and_then(|s| first(&s.lang)).unwrap_or("").to_owned()
}

/// The first atom that asks for a set.
fn place_of_set(package: &Package, set: PathSetId) -> Option<Loc> {
    let mut place = None;
    for (_, _, rule) in super::probes::rules(package) {
        super::probes::atoms(&rule.cond, &mut |atom| {
            if atom.test == crate::hir::Test::InPaths(set) && place.is_none() {
                place = Some(atom.loc);
            }
        });
    }
    place
}
