//! One layer: from the states before it and its columns to the states after it. A state is what is left of the rules:
//! (rule, formula) for each that is not false yet. Only what a column changes against column 0 is computed, so rules
//! that each ask one class take time in proportion to the rules, whatever the number of classes.
#![expect(clippy::indexing_slicing, reason = "states, formulas and columns are numbered by this module's callers")]

use super::columns::Answers;
use super::formula::{FALSE, Formula, Formulas, Shape, not};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

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
    let roots = layer.roots(states);
    let base: Vec<State> = states.iter().map(|state| layer.base_of(formulas, state)).collect();
    let mut store = Store::default();
    let named: Vec<u32> = base.iter().map(|state| store.name(state, budget)).collect::<Option<_>>()?;
    let mut table: Vec<u32> = named.iter().flat_map(|&name| std::iter::repeat_n(name, columns.len())).collect();
    for (column, answers) in columns.iter().enumerate() {
        let mut patches: BTreeMap<u32, Vec<(u32, Formula)>> = BTreeMap::new();
        for (root, value) in layer.changes(formulas, answers, budget)? {
            for &(state, rule) in roots.get(&root).into_iter().flatten() {
                patches.entry(state).or_default().push((rule, value));
            }
        }
        for (state, mut patch) in patches {
            patch.sort_unstable();
            let next = patched(&base[state as usize], &patch);
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
    let mut layer = LayerWork::new(formulas, is_probe);
    layer.roots(std::slice::from_ref(state));
    layer.base_of(formulas, state)
}

/// Names of the states after a layer.
#[derive(Default)]
struct Store {
    states: Vec<State>,
    names: FxHashMap<State, u32>,
}

impl Store {
    fn name(&mut self, state: &State, budget: &mut Budget) -> Option<u32> {
        budget.work = budget.work.checked_sub(1 + state.len())?;
        if let Some(&name) = self.names.get(state) {
            return Some(name);
        }
        let name = self.states.len() as u32;
        self.states.push(state.clone());
        self.names.insert(state.clone(), name);
        Some(name)
    }
}

/// A state with some rules' formulas replaced, and those that became false left out. Both are sorted by rule.
fn patched(base: &State, patch: &[(u32, Formula)]) -> State {
    let mut next = Vec::with_capacity(base.len() + patch.len());
    let mut old = base.iter().peekable();
    for &(rule, formula) in patch {
        while let Some(entry) = old.next_if(|entry| entry.0 < rule) {
            next.push(*entry);
        }
        old.next_if(|entry| entry.0 == rule);
        if formula != FALSE {
            next.push((rule, formula));
        }
    }
    next.extend(old);
    next.into_boxed_slice()
}

/// Values of the parts of a conjunction or disjunction where every probe of the layer is false.
struct Parts {
    and: bool,
    /// Each value with how many parts have it.
    values: BTreeMap<Formula, u32>,
}

/// The formulas that depend on the layer.
struct LayerWork<'p> {
    is_probe: &'p dyn Fn(u32) -> bool,
    /// Value where every probe of the layer is false; of formulas that depend on the layer.
    base: FxHashMap<Formula, Formula>,
    /// By formula: does it depend on the layer? 2: not known yet.
    depends: Vec<u8>,
    /// By formula that depends on the layer: those that have it as a part.
    above: FxHashMap<Formula, Vec<Formula>>,
    /// By probe: its formula and its negation's.
    literals: FxHashMap<u32, Vec<(Formula, bool)>>,
    parts: FxHashMap<Formula, Parts>,
}

impl<'p> LayerWork<'p> {
    fn new(formulas: &Formulas, is_probe: &'p dyn Fn(u32) -> bool) -> Self {
        LayerWork {
            is_probe,
            base: FxHashMap::default(),
            depends: vec![2; formulas.len()],
            above: FxHashMap::default(),
            literals: FxHashMap::default(),
            parts: FxHashMap::default(),
        }
    }

    /// Finds what depends on the layer. For each such formula the states and rules that have it.
    fn roots(&mut self, states: &[State]) -> Roots {
        let mut roots = Roots::default();
        for (index, state) in states.iter().enumerate() {
            for &(rule, formula) in state {
                roots.entry(formula).or_default().push((index as u32, rule));
            }
        }
        roots
    }

    fn base_of(&mut self, formulas: &mut Formulas, state: &State) -> State {
        let values = state.iter().map(|&(rule, formula)| (rule, self.base(formulas, formula)));
        values.filter(|(_, formula)| *formula != FALSE).collect()
    }

    /// The value of a formula where every probe of the layer is false.
    fn base(&mut self, formulas: &mut Formulas, formula: Formula) -> Formula {
        if self.depends[formula as usize] == 0 {
            return formula;
        }
        if let Some(&value) = self.base.get(&formula) {
            return value;
        }
        let value = match formulas.shape(formula).clone() {
            Shape::Const => None,
            Shape::Probe(probe, negated) => (self.is_probe)(probe).then(|| {
                self.literals.entry(probe).or_default().push((formula, negated));
                Formula::from(negated)
            }),
            Shape::And(parts) => self.base_nary(formulas, formula, true, &parts),
            Shape::Or(parts) => self.base_nary(formulas, formula, false, &parts),
        };
        self.depends[formula as usize] = u8::from(value.is_some());
        if let Some(value) = value {
            self.base.insert(formula, value);
        }
        value.unwrap_or(formula)
    }

    fn base_nary(&mut self, formulas: &mut Formulas, formula: Formula, and: bool, parts: &[Formula]) -> Option<Formula> {
        let mut values = BTreeMap::new();
        let mut depends = false;
        for &part in parts {
            *values.entry(self.base(formulas, part)).or_default() += 1;
            if self.depends[part as usize] == 1 {
                depends = true;
                self.above.entry(part).or_default().push(formula);
            }
        }
        if !depends {
            return None;
        }
        let value = formulas.nary(and, values.keys().copied());
        self.parts.insert(formula, Parts { and, values });
        Some(value)
    }

    /// The formulas whose value under these answers is not their base value, with that value.
    fn changes(&self, formulas: &mut Formulas, answers: &Answers, budget: &mut Budget) -> Option<BTreeMap<Formula, Formula>> {
        let mut changed: BTreeMap<Formula, Formula> = BTreeMap::new();
        // Parts have smaller numbers than what they are part of: the smallest formula is always ready.
        let mut ready: BTreeMap<Formula, Vec<Formula>> = BTreeMap::new();
        for &(probe, answer) in answers {
            for &(literal, negated) in self.literals.get(&probe).into_iter().flatten() {
                changed.insert(literal, if negated { not(answer) } else { answer });
                self.tell(literal, &mut ready);
            }
        }
        while let Some((formula, parts)) = ready.pop_first() {
            let Some(known) = self.parts.get(&formula) else { continue };
            budget.work = budget.work.checked_sub(known.values.len() + parts.len())?;
            let mut values = known.values.clone();
            for part in parts {
                if let Some(count) = self.base.get(&part).and_then(|old| values.get_mut(old)) {
                    *count -= 1;
                }
                if let Some(&new) = changed.get(&part) {
                    *values.entry(new).or_default() += 1;
                }
            }
            let value = formulas.nary(known.and, values.iter().filter(|(_, count)| **count > 0).map(|(value, _)| *value));
            if self.base.get(&formula) != Some(&value) {
                changed.insert(formula, value);
                self.tell(formula, &mut ready);
            }
        }
        Some(changed)
    }

    fn tell(&self, part: Formula, ready: &mut BTreeMap<Formula, Vec<Formula>>) {
        for &formula in self.above.get(&part).into_iter().flatten() {
            ready.entry(formula).or_default().push(part);
        }
    }
}

type Roots = FxHashMap<Formula, Vec<(u32, u32)>>;
