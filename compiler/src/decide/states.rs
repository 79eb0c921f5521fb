//! One layer: from the states before it and its columns to the states after it. A state is what is left of the rules:
//! (rule, formula) for each that is not false yet. Only what a column changes against column 0 is computed, so rules
//! that each ask one class take time in proportion to the rules, whatever the number of classes.
#![expect(clippy::indexing_slicing, reason = "states, formulas and columns are numbered by this module's callers")]

use super::columns::Answers;
use super::formula::{FALSE, Formula, Formulas, Index, Shape, hash_of, not};
use super::lists::Lists;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What is left of the rules, sorted by rule.
pub(super) type State = Box<[(u32, Formula)]>;

/// Limits of one chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// States of a layer.
    pub(super) states: usize,
    /// Entries of a table before rows and columns are merged.
    pub(super) entries: usize,
    /// Parts of states and formulas that are written, over all layers.
    pub(super) work: usize,
}

/// The result of a layer: `table[state * columns + column]`, states numbered as in `next`, from 0.
pub(super) struct Stepped {
    pub(super) table: Vec<u32>,
    pub(super) next: Vec<State>,
}

/// Steps the states by a layer. `is_probe` says which probes the layer answers. `None`: over budget.
pub(super) fn step(
    formulas: &mut Formulas,
    states: &[State],
    is_probe: &dyn Fn(u32) -> bool,
    columns: &[Answers],
    budget: &mut Budget,
) -> Option<Stepped> {
    if states.len() * columns.len() > budget.entries {
        return None;
    }
    let mut layer = LayerWork::new(formulas, is_probe);
    let holders = Lists::of(holders_of(states));
    let base: Vec<State> = states.iter().map(|state| layer.base_of(formulas, state)).collect();
    layer.above = Lists::of(std::mem::take(&mut layer.is_part));
    let mut store = Store::default();
    let named: Vec<u32> = base.iter().map(|state| store.name(state, budget)).collect::<Option<_>>()?;
    let mut table: Vec<u32> = named.iter().flat_map(|&name| std::iter::repeat_n(name, columns.len())).collect();
    let mut patches: Vec<(u32, (u32, Formula))> = Vec::new();
    for (column, answers) in columns.iter().enumerate() {
        patches.clear();
        layer.change(formulas, answers, budget)?;
        for &(formula, value) in &layer.changed {
            patches.extend(holders.get(formula).iter().map(|&(_, (state, rule))| (state, (rule, value))));
        }
        patches.sort_unstable();
        for patch in patches.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(state, _)) = patch.first() else { continue };
            let next = patched(&base[state as usize], patch);
            table[state as usize * columns.len() + column] = store.name(&next, budget)?;
        }
        if store.states.len() > budget.states {
            return None;
        }
    }
    Some(Stepped { table, next: store.states })
}

/// What is left of a state when every probe of a kind is false.
pub(super) fn without(formulas: &mut Formulas, state: &State, is_probe: &dyn Fn(u32) -> bool) -> State {
    LayerWork::new(formulas, is_probe).base_of(formulas, state)
}

/// By formula the states and rules that have it.
fn holders_of(states: &[State]) -> Vec<(Formula, (u32, u32))> {
    let of = |(index, state): (usize, &State)| state.iter().map(move |&(rule, f)| (f, (index as u32, rule))).collect::<Vec<_>>();
    states.iter().enumerate().flat_map(of).collect()
}

/// Names of the states after a layer.
#[derive(Default)]
struct Store {
    states: Vec<State>,
    index: Index,
}

impl Store {
    fn name(&mut self, state: &[(u32, Formula)], budget: &mut Budget) -> Option<u32> {
        budget.work = budget.work.checked_sub(1 + state.len())?;
        let hash = hash_of(state);
        let known = self.index.find(hash, |name| *self.states[name as usize] == *state);
        Some(known.unwrap_or_else(|| {
            self.states.push(state.into());
            self.index.add(hash)
        }))
    }
}

/// A state with some rules' formulas replaced, and those that became false left out. Both are sorted by rule.
fn patched(base: &[(u32, Formula)], patch: &[(u32, (u32, Formula))]) -> Vec<(u32, Formula)> {
    let mut next = Vec::with_capacity(base.len() + patch.len());
    let mut old = base.iter().peekable();
    for &(_, (rule, formula)) in patch {
        while let Some(entry) = old.next_if(|entry| entry.0 < rule) {
            next.push(*entry);
        }
        old.next_if(|entry| entry.0 == rule);
        if formula != FALSE {
            next.push((rule, formula));
        }
    }
    next.extend(old);
    next
}

/// Values of the parts of a conjunction or disjunction where every probe of the layer is false.
struct Parts {
    and: bool,
    /// Each value, sorted, with how many parts have it.
    values: Vec<(Formula, u32)>,
}

/// No formula's number.
const UNSEEN: Formula = Formula::MAX;

/// The formulas that depend on the layer.
struct LayerWork<'p> {
    is_probe: &'p dyn Fn(u32) -> bool,
    /// By formula: its value where every probe of the layer is false; itself if it does not depend on the layer.
    base: Vec<Formula>,
    /// Formulas that depend on the layer, with one that has them as a part.
    is_part: Vec<(Formula, Formula)>,
    /// The same by formula, once all are known.
    above: Lists<Formula>,
    /// The formulas of a probe and of its negation.
    literals: FxHashMap<(u32, bool), Formula>,
    parts: FxHashMap<Formula, Parts>,
    /// Of the column at hand: formulas whose value is not their base value, with that value.
    changed: Vec<(Formula, Formula)>,
    /// By formula: its value in the column at hand, if it changed. Not a map: to empty one costs as much as the column
    /// with most changes ever had.
    value: Vec<Formula>,
}

impl<'p> LayerWork<'p> {
    fn new(formulas: &Formulas, is_probe: &'p dyn Fn(u32) -> bool) -> Self {
        LayerWork {
            is_probe,
            base: vec![UNSEEN; formulas.len()],
            is_part: Vec::new(),
            above: Lists::of(Vec::new()),
            literals: FxHashMap::default(),
            parts: FxHashMap::default(),
            changed: Vec::new(),
            value: vec![UNSEEN; formulas.len()],
        }
    }

    fn base_of(&mut self, formulas: &mut Formulas, state: &State) -> State {
        let values = state.iter().map(|&(rule, formula)| (rule, self.base(formulas, formula)));
        values.filter(|(_, formula)| *formula != FALSE).collect()
    }

    /// The value of a formula where every probe of the layer is false.
    fn base(&mut self, formulas: &mut Formulas, formula: Formula) -> Formula {
        let known = self.base[formula as usize];
        if known != UNSEEN {
            return known;
        }
        let value = match formulas.shape(formula) {
            Shape::Const => formula,
            &Shape::Probe(probe, negated) => {
                if (self.is_probe)(probe) {
                    self.literals.insert((probe, negated), formula);
                    Formula::from(negated)
                } else {
                    formula
                }
            }
            Shape::And(parts) => {
                let parts = parts.clone();
                self.base_nary(formulas, formula, true, &parts)
            }
            Shape::Or(parts) => {
                let parts = parts.clone();
                self.base_nary(formulas, formula, false, &parts)
            }
        };
        self.base[formula as usize] = value;
        value
    }

    fn base_nary(&mut self, formulas: &mut Formulas, formula: Formula, and: bool, parts: &[Formula]) -> Formula {
        let mut values: Vec<(Formula, u32)> = Vec::with_capacity(parts.len());
        let before = self.is_part.len();
        for &part in parts {
            let value = self.base(formulas, part);
            values.push((value, 1));
            if value != part {
                self.is_part.push((part, formula));
            }
        }
        if self.is_part[before..].iter().all(|(_, above)| *above != formula) {
            return formula;
        }
        values.sort_unstable();
        values.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += u32::from(same);
            same
        });
        let value = formulas.nary(and, values.iter().map(|(value, _)| *value));
        self.parts.insert(formula, Parts { and, values });
        value
    }

    /// Finds what these answers change.
    fn change(&mut self, formulas: &mut Formulas, answers: &Answers, budget: &mut Budget) -> Option<()> {
        for (formula, _) in self.changed.drain(..) {
            self.value[formula as usize] = UNSEEN;
        }
        // Parts have smaller numbers than what they are part of: the smallest formula is always ready.
        let mut ready: BinaryHeap<Reverse<(Formula, Formula)>> = BinaryHeap::new();
        for &(probe, answer) in answers {
            for (negated, value) in [(false, answer), (true, not(answer))] {
                if let Some(&literal) = self.literals.get(&(probe, negated)) {
                    self.note(literal, value, &mut ready);
                }
            }
        }
        let mut values: Vec<(Formula, u32)> = Vec::new();
        while let Some(&Reverse((formula, _))) = ready.peek() {
            let Some(known) = self.parts.get(&formula) else { break };
            budget.work = budget.work.checked_sub(known.values.len())?;
            values.clone_from(&known.values);
            while let Some(part) = pop_part(&mut ready, formula) {
                budget.work = budget.work.checked_sub(1)?;
                let old = self.base[part as usize];
                if let Ok(at) = values.binary_search_by_key(&old, |v| v.0) {
                    values[at].1 -= 1;
                }
                let new = self.value[part as usize];
                if new != UNSEEN {
                    match values.binary_search_by_key(&new, |v| v.0) {
                        Ok(at) => values[at].1 += 1,
                        Err(at) => values.insert(at, (new, 1)),
                    }
                }
            }
            let left = values.iter().filter(|(_, count)| *count > 0).map(|(value, _)| *value);
            let value = formulas.nary(known.and, left);
            if self.base[formula as usize] != value {
                self.note(formula, value, &mut ready);
            }
        }
        Some(())
    }

    fn note(&mut self, formula: Formula, value: Formula, ready: &mut BinaryHeap<Reverse<(Formula, Formula)>>) {
        self.changed.push((formula, value));
        self.value[formula as usize] = value;
        ready.extend(self.above.get(formula).iter().map(|&(part, above)| Reverse((above, part))));
    }
}

/// Takes the next part of a formula from the heap.
fn pop_part(ready: &mut BinaryHeap<Reverse<(Formula, Formula)>>, formula: Formula) -> Option<Formula> {
    if ready.peek()?.0.0 == formula { ready.pop().map(|Reverse((_, part))| part) } else { None }
}
