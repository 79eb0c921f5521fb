//! Interned outcomes: what the matching rules of an event mean together.

use super::formula::{Formula, Index, TRUE, hash_of};
use super::{CANARY, Item, NOTHING, Outcome};
use crate::hir::{Action, Mode, Package};
use ebsec_templates::EventId;

/// EPERM.
const EPERM: u16 = 1;

/// All outcomes so far.
pub(super) struct Outcomes {
    pub(super) list: Vec<Outcome>,
    index: Index,
}

impl Outcomes {
    pub(super) fn new() -> Self {
        let reserved = Outcome { event: EventId(0), items: Vec::new(), errno: None, kill: false };
        let mut outcomes = Outcomes { list: Vec::new(), index: Index::default() };
        for number in [NOTHING, CANARY] {
            outcomes.list.push(reserved.clone());
            outcomes.index.add(u64::from(number));
        }
        outcomes
    }

    /// The outcome of what is left of the rules of an event. `rules` gives their places.
    pub(super) fn of(&mut self, package: &Package, event: EventId, rules: &[(u32, u32)], left: &[(u32, Formula)]) -> u32 {
        let item = |(rule, formula): &(u32, Formula)| {
            let (policy, rule) = *rules.get(*rule as usize)?;
            Some(Item { policy, rule, failed: *formula != TRUE })
        };
        let items: Vec<Item> = left.iter().filter_map(item).collect();
        if items.is_empty() {
            return NOTHING;
        }
        let outcome = combine(package, event, items);
        let hash = hash_of(&outcome);
        self.index.find(hash, |number| self.list.get(number as usize) == Some(&outcome)).unwrap_or_else(|| {
            self.list.push(outcome);
            self.index.add(hash)
        })
    }
}

/// Rule 8: refused if an enforcing deny or kill is true or failed; killed only if true; EPERM unless all that refuse
/// name the same other errno.
pub fn combine(package: &Package, event: EventId, items: Vec<Item>) -> Outcome {
    let mut errno = None;
    let mut kill = false;
    for item in &items {
        let Some(policy) = package.policies.get(item.policy as usize) else { continue };
        let Some(rule) = policy.rules.get(item.rule as usize) else { continue };
        if policy.mode == Mode::Observe || rule.action == Action::Audit {
            continue;
        }
        errno = Some(if errno.is_none_or(|known| known == rule.errno) { rule.errno } else { EPERM });
        kill |= rule.action == Action::Kill && !item.failed;
    }
    Outcome { event, items, errno, kill }
}
