//! Three-valued formulas over probes, hash-consed: equal formulas are one number, and a formula's parts have smaller
//! numbers than it. Negation stands at the probes only. Knows nothing of rules or tables.
#![expect(clippy::indexing_slicing, reason = "formulas are numbered by this module alone")]

use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// Number of a formula.
pub(super) type Formula = u32;
/// False.
pub(super) const FALSE: Formula = 0;
/// True.
pub(super) const TRUE: Formula = 1;
/// Unknown.
pub(super) const UNKNOWN: Formula = 2;

/// Shape of a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Const,
    /// A probe, or (true) its negation.
    Probe(u32, bool),
    And(Box<[Formula]>),
    Or(Box<[Formula]>),
}

/// Finds the number of a thing by the thing's hash; the things themselves stand elsewhere.
#[derive(Default)]
pub(super) struct Index {
    newest: FxHashMap<u64, u32>,
    /// By number: the next older one with the same hash.
    older: Vec<u32>,
}

impl Index {
    /// The number of a thing that `is` recognises.
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = self.newest.get(&hash).copied();
        while let Some(number) = at {
            if is(number) {
                return at;
            }
            at = self.older.get(number as usize).copied().filter(|older| *older != u32::MAX);
        }
        None
    }

    /// Gives the next number to a thing.
    pub(super) fn add(&mut self, hash: u64) -> u32 {
        let number = self.older.len() as u32;
        self.older.push(self.newest.insert(hash, number).unwrap_or(u32::MAX));
        number
    }
}

/// A hash within this process; numbers do not depend on it.
pub(super) fn hash_of(thing: impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    thing.hash(&mut hasher);
    hasher.finish()
}

/// The store.
pub(super) struct Formulas {
    shapes: Vec<Shape>,
    index: Index,
}

impl Formulas {
    pub(super) fn new() -> Self {
        let mut formulas = Formulas { shapes: Vec::new(), index: Index::default() };
        for value in [FALSE, TRUE, UNKNOWN] {
            formulas.shapes.push(Shape::Const);
            formulas.index.add(u64::from(value));
        }
        formulas
    }

    pub(super) fn len(&self) -> usize {
        self.shapes.len()
    }

    pub(super) fn shape(&self, formula: Formula) -> &Shape {
        &self.shapes[formula as usize]
    }

    pub(super) fn probe(&mut self, probe: u32, negated: bool) -> Formula {
        let shape = Shape::Probe(probe, negated);
        let hash = hash_of((probe, negated));
        self.index.find(hash, |f| self.shapes[f as usize] == shape).unwrap_or_else(|| {
            self.shapes.push(shape);
            self.index.add(hash)
        })
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
            parts => {
                let hash = hash_of((and, parts));
                let is = |f: u32| match self.shape(f) {
                    Shape::And(known) => and && **known == *parts,
                    Shape::Or(known) => !and && **known == *parts,
                    _ => false,
                };
                self.index.find(hash, is).unwrap_or_else(|| {
                    let parts = parts.into();
                    self.shapes.push(if and { Shape::And(parts) } else { Shape::Or(parts) });
                    self.index.add(hash)
                })
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
