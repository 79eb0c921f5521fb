//! Three-valued formulas over probes, hash-consed: equal formulas are one number, and a formula's parts have smaller
//! numbers than it. Negation stands at the probes only. Knows nothing of rules or tables.
#![expect(clippy::indexing_slicing, reason = "formulas are numbered by this module alone")]

use rustc_hash::FxHashMap;

/// Number of a formula.
pub(super) type Formula = u32;
/// False.
pub(super) const FALSE: Formula = 0;
/// True.
pub(super) const TRUE: Formula = 1;
/// Unknown.
pub(super) const UNKNOWN: Formula = 2;

/// Shape of a formula.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Const,
    /// A probe, or (true) its negation.
    Probe(u32, bool),
    And(Box<[Formula]>),
    Or(Box<[Formula]>),
}

/// The store.
pub(super) struct Formulas {
    shapes: Vec<Shape>,
    known: FxHashMap<Shape, Formula>,
    /// Sum of the lengths of all lists.
    pub(super) weight: usize,
}

impl Formulas {
    pub(super) fn new() -> Self {
        Formulas { shapes: vec![Shape::Const, Shape::Const, Shape::Const], known: FxHashMap::default(), weight: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.shapes.len()
    }

    pub(super) fn shape(&self, formula: Formula) -> &Shape {
        &self.shapes[formula as usize]
    }

    fn intern(&mut self, shape: Shape) -> Formula {
        if let Some(&known) = self.known.get(&shape) {
            return known;
        }
        let formula = self.shapes.len() as Formula;
        self.shapes.push(shape.clone());
        self.known.insert(shape, formula);
        formula
    }

    pub(super) fn probe(&mut self, probe: u32, negated: bool) -> Formula {
        self.intern(Shape::Probe(probe, negated))
    }

    /// Conjunction or disjunction: flat, sorted, without repetition, without its neutral element.
    pub(super) fn nary(&mut self, and: bool, parts: impl IntoIterator<Item = Formula>) -> Formula {
        let (neutral, absorbing) = if and { (TRUE, FALSE) } else { (FALSE, TRUE) };
        let mut list: Vec<Formula> = Vec::new();
        for part in parts {
            match self.shape(part) {
                _ if part == absorbing => return absorbing,
                _ if part == neutral => {}
                Shape::And(inner) if and => list.extend(inner.iter()),
                Shape::Or(inner) if !and => list.extend(inner.iter()),
                _ => list.push(part),
            }
        }
        list.sort_unstable();
        list.dedup();
        match list.as_slice() {
            [] => neutral,
            &[one] => one,
            _ => {
                self.weight += list.len();
                let list = list.into_boxed_slice();
                self.intern(if and { Shape::And(list) } else { Shape::Or(list) })
            }
        }
    }
}

/// The negation of a constant.
pub(super) fn not(value: Formula) -> Formula {
    match value {
        FALSE => TRUE,
        TRUE => FALSE,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_absorbed_and_lists_are_flat() {
        let mut f = Formulas::new();
        let (a, b) = (f.probe(0, false), f.probe(1, true));
        assert_eq!(f.nary(true, [a, TRUE]), a);
        assert_eq!(f.nary(true, [a, FALSE, UNKNOWN]), FALSE);
        assert_eq!(f.nary(false, [UNKNOWN, FALSE, UNKNOWN]), UNKNOWN);
        assert_eq!(f.nary(false, [a, TRUE]), TRUE);
        assert_eq!(f.nary(true, []), TRUE);
        let inner = f.nary(true, [b, a]);
        let outer = f.nary(true, [inner, UNKNOWN]);
        assert_eq!(outer, f.nary(true, [a, UNKNOWN, b]));
        assert_eq!(not(UNKNOWN), UNKNOWN);
    }
}
