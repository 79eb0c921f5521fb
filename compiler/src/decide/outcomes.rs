//! Interned outcomes: what the matching rules of an event mean together.

use super::formula::{Formula, TRUE};
use super::{CANARY, Item, NOTHING, Outcome};
use crate::hir::{Action, Mode, Package};
use ebsec_templates::EventId;
use rustc_hash::FxHashMap;

/// EPERM.
const EPERM: u16 = 1;

/// All outcomes so far.
pub(super) struct Outcomes {
    pub(super) list: Vec<Outcome>,
    known: FxHashMap<Outcome, u32>,
}

impl Outcomes {
    pub(super) fn new() -> Self {
        let reserved = Outcome { event: EventId(0), items: Vec::new(), errno: None, kill: false };
        let list = (NOTHING..=CANARY).map(|_| reserved.clone()).collect();
        Outcomes { list, known: FxHashMap::default() }
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
        if let Some(&known) = self.known.get(&outcome) {
            return known;
        }
        let number = self.list.len() as u32;
        self.list.push(outcome.clone());
        self.known.insert(outcome, number);
        number
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
