//! Programs with several names (rule 3): where being true tightens, a set holds a program if it holds one of its names; where
//! it loosens, if it holds them all. Takes the classes of paths, gives those of programs, and what becomes of one that has a
//! further name. Never looks at a rule.

use crate::classes::paths::{FAIL, NONE};
use crate::hir::PathSetId;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Most numbers of single names that are joined; what has a higher one is only joined with its like.
const MAX_WIDTH: usize = 256;
/// Most entries of the table.
const MAX_ENTRIES: usize = 1 << 18;

/// A program with names that rules tell apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Joined {
    /// Sets that hold one of its names, sorted.
    pub any: Vec<PathSetId>,
    /// Sets that hold all of them, sorted.
    pub all: Vec<PathSetId>,
}

/// Numbers of programs. Names that no rule about programs tells apart have one number; 0 is that of names which no such rule
/// knows, 1 that of a name which could not be told.
#[derive(Clone, Debug, Default)]
pub struct Joins {
    /// By class of a path: its number.
    pub number: Vec<u32>,
    /// By number: the class of such a program. First those of single names, then those of several.
    pub class: Vec<u32>,
    /// Numbers of single names that are columns of the table.
    pub width: u32,
    /// `table[number * width + number of a further name] = next number << 1 | trusted`; 0: it is unresolved. Trusted: as far as
    /// all names are. 0 and 1 as a number are not asked.
    pub table: Vec<u32>,
    /// The classes of programs with several names come after those of paths.
    pub joined: Vec<Joined>,
}

impl Joins {
    /// Of the sets of all classes of paths and the sets that rules ask of programs.
    #[must_use]
    pub fn of(class_sets: &[Vec<PathSetId>], asked: &BTreeSet<PathSetId>) -> Joins {
        let mut joins = Joins { class: vec![NONE, FAIL], ..Joins::default() };
        let mut single = vec![Vec::new(), Vec::new()];
        let mut known = BTreeMap::from([(Vec::new(), NONE)]);
        for (class, sets) in class_sets.iter().enumerate() {
            let sets: Vec<PathSetId> = sets.iter().copied().filter(|set| asked.contains(set)).collect();
            let number = if class == FAIL as usize {
                FAIL
            } else {
                *known.entry(sets.clone()).or_insert_with(|| {
                    single.push(sets);
                    joins.class.push(class as u32);
                    joins.class.len() as u32 - 1
                })
            };
            joins.number.push(number);
        }
        joins.fill(single, class_sets.len() as u32);
        joins
    }

    /// The table: a row for each single name and each pair of them. A third name that makes something new of a pair is not
    /// followed.
    fn fill(&mut self, single: Vec<Vec<PathSetId>>, classes: u32) {
        let width = single.len().min(MAX_WIDTH);
        self.width = width as u32;
        let rows = MAX_ENTRIES / width.max(1);
        let mut states: Vec<Joined> = single.iter().map(|sets| Joined { any: sets.clone(), all: sets.clone() }).collect();
        let mut numbers: FxHashMap<Joined, u32> = states.iter().cloned().zip(0..).skip(2).collect();
        let singles = states.len();
        let mut row = 0;
        while row < states.len().min(rows) {
            for name in 0..width {
                let next = match (states.get(row), single.get(name)) {
                    (Some(state), Some(name_sets)) if row > 1 && name > 1 => state.with(name_sets),
                    _ => {
                        self.table.push(0);
                        continue;
                    }
                };
                // nobody is trusted by a set that holds not all names: so what has no such set is one that is not trusted
                let untrusted = Joined { all: next.any.clone(), any: next.any.clone() };
                let entry = match (numbers.get(&next), numbers.get(&untrusted)) {
                    (Some(number), _) => number << 1 | 1,
                    (None, Some(number)) if next.all.is_empty() => number << 1,
                    _ if row < singles && states.len() < rows => {
                        let number = states.len() as u32;
                        self.class.push(classes + self.joined.len() as u32);
                        self.joined.push(next.clone());
                        states.push(next.clone());
                        numbers.insert(next, number);
                        number << 1 | 1
                    }
                    _ => 0,
                };
                self.table.push(entry);
            }
            row += 1;
        }
    }

    /// The program with paths of these classes: its class, and whether it is as trusted as they are. `None`: unresolved.
    #[must_use]
    pub fn program(&self, classes: &[u32]) -> Option<(u32, bool)> {
        let mut numbers = classes.iter().map(|class| self.number.get(*class as usize).copied().unwrap_or(FAIL));
        let mut state = numbers.next().unwrap_or(NONE);
        let mut trusted = true;
        for name in numbers {
            match (state, name) {
                _ if name == state => {}
                (FAIL, _) | (_, FAIL) => return None,
                (_, NONE) => trusted = false,
                (NONE, _) => {
                    state = name;
                    trusted = false;
                }
                _ if name >= self.width => return None,
                _ => {
                    let entry = self.table.get((state * self.width + name) as usize).copied().filter(|entry| *entry != 0)?;
                    state = entry >> 1;
                    trusted &= entry & 1 == 1;
                }
            }
        }
        Some((self.class.get(state as usize).copied()?, trusted))
    }
}

impl Joined {
    /// The same with a further name that these sets hold.
    fn with(&self, sets: &[PathSetId]) -> Joined {
        let mut any: Vec<PathSetId> = self.any.iter().chain(sets).copied().collect();
        any.sort_unstable();
        any.dedup();
        Joined { any, all: self.all.iter().copied().filter(|set| sets.binary_search(set).is_ok()).collect() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    fn sets(bits: u32) -> Vec<PathSetId> {
        (0..6).filter(|set| bits >> set & 1 == 1).map(PathSetId).collect()
    }

    proptest! {
        /// What is said of a program with several names is what the sets of its names say.
        #[test]
        fn one_name_tightens_and_all_loosen(
            bits in proptest::collection::vec(0u32..64, 1..20),
            asked in 0u32..64,
            chosen in proptest::collection::vec(any::<prop::sample::Index>(), 1..4),
        ) {
            let class_sets: Vec<_> = [0, 0].into_iter().chain(bits).map(sets).collect();
            let asked: BTreeSet<PathSetId> = sets(asked).into_iter().collect();
            let joins = Joins::of(&class_sets, &asked);
            let classes: Vec<u32> = chosen.iter().map(|i| i.index(class_sets.len()) as u32).collect();
            let kept = |class: &u32| -> BTreeSet<PathSetId> { class_sets[*class as usize].iter().copied().filter(|s| asked.contains(s)).collect() };
            let names: Vec<_> = classes.iter().map(kept).collect();
            let any: BTreeSet<_> = names.iter().flatten().copied().collect();
            let all: BTreeSet<_> = any.iter().copied().filter(|set| names.iter().all(|n| n.contains(set))).collect();
            let Some((class, trusted)) = joins.program(&classes) else {
                // only three names that rules tell apart may be too many, and only a name that failed is unresolved
                let numbers: BTreeSet<_> = classes.iter().map(|c| joins.number[*c as usize]).filter(|n| *n != NONE).collect();
                prop_assert!(numbers.contains(&FAIL) || numbers.len() > 2);
                return Ok(());
            };
            if class == FAIL {
                prop_assert!(classes.iter().all(|c| *c == FAIL));
                return Ok(());
            }
            let found = match joins.joined.get((class as usize).wrapping_sub(class_sets.len())) {
                Some(joined) => (joined.any.iter().copied().collect(), joined.all.iter().copied().collect()),
                None => (kept(&class), kept(&class)),
            };
            prop_assert_eq!(found.0, any);
            prop_assert_eq!(if trusted { found.1 } else { BTreeSet::new() }, all);
        }
    }
}
