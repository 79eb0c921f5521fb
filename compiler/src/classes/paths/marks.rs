//! Marks of patterns to classes: numbers the pattern lists of all sets, and interns which sets hold for given marks.
#![expect(clippy::indexing_slicing, reason = "marks and sets are numbered by this module alone")]

use crate::hir::glob::Pattern;
use crate::hir::{PathLang, PathSet, PathSetId};
use rustc_hash::FxHashMap;

/// The numbering and the classes found so far.
pub(super) struct Marks<'a> {
    sets: &'a [PathSet],
    /// By mark: the set that it belongs to.
    owner: Vec<u32>,
    by_marks: FxHashMap<Vec<u32>, u32>,
    by_sets: FxHashMap<Vec<PathSetId>, u32>,
    /// By class; the two reserved ones stand in front.
    pub(super) class_sets: Vec<Vec<PathSetId>>,
    /// Sum of the lengths of `class_sets`.
    pub(super) weight: usize,
}

impl<'a> Marks<'a> {
    pub(super) fn new(sets: &'a [PathSet]) -> Self {
        Marks {
            sets,
            owner: Vec::new(),
            by_marks: FxHashMap::default(),
            by_sets: FxHashMap::default(),
            class_sets: vec![Vec::new(), Vec::new()],
            weight: 0,
        }
    }

    /// Numbers the pattern lists of a set; calls `add` with each pattern and its mark. Sets come in order.
    pub(super) fn number(&mut self, set: u32, mut add: impl FnMut(&'a Pattern, u32)) {
        let first = self.owner.len() as u32;
        let mut next = first;
        leaves(&self.sets[set as usize].lang, &mut next, &mut |patterns, mark| patterns.iter().for_each(|p| add(p, mark)));
        self.owner.resize(next as usize, set);
    }

    /// The set that a mark belongs to.
    pub(super) fn owner(&self, mark: u32) -> PathSetId {
        PathSetId(self.owner[mark as usize])
    }

    /// The class of a state with these marks, sorted, without repetition.
    pub(super) fn class(&mut self, marks: &[u32]) -> u32 {
        if marks.is_empty() {
            return super::NONE;
        }
        if let Some(&class) = self.by_marks.get(marks) {
            return class;
        }
        let sets = self.holding(marks);
        let class = if sets.is_empty() { super::NONE } else { self.interned(sets) };
        self.by_marks.insert(marks.to_vec(), class);
        class
    }

    /// The class of what is in those sets of a class that are asked.
    pub(super) fn narrowed(&mut self, class: u32, asked: impl Fn(PathSetId) -> bool) -> u32 {
        let sets: Vec<PathSetId> = self.class_sets[class as usize].iter().copied().filter(|set| asked(*set)).collect();
        if sets.is_empty() { super::NONE } else { self.interned(sets) }
    }

    fn interned(&mut self, sets: Vec<PathSetId>) -> u32 {
        if let Some(&class) = self.by_sets.get(&sets) {
            return class;
        }
        let class = self.class_sets.len() as u32;
        self.weight += sets.len();
        self.class_sets.push(sets.clone());
        self.by_sets.insert(sets, class);
        class
    }

    fn holding(&self, marks: &[u32]) -> Vec<PathSetId> {
        let mut sets = Vec::new();
        for same in marks.chunk_by(|a, b| self.owner[*a as usize] == self.owner[*b as usize]) {
            let Some(&mark) = same.first() else { continue };
            let set = self.owner[mark as usize];
            let mut next = self.owner.partition_point(|&owner| owner < set) as u32;
            if holds(&self.sets[set as usize].lang, &mut next, marks) {
                sets.push(PathSetId(set));
            }
        }
        sets
    }
}

/// Visits the pattern lists of an expression; lists that stand side by side in a union have one mark.
fn leaves<'a>(lang: &'a PathLang, next: &mut u32, visit: &mut impl FnMut(&'a [Pattern], u32)) {
    match lang {
        PathLang::Patterns(patterns) => {
            visit(patterns, *next);
            *next += 1;
        }
        PathLang::Union(parts) => {
            for part in parts {
                if let PathLang::Patterns(patterns) = part {
                    visit(patterns, *next);
                }
            }
            *next += 1;
            parts.iter().filter(|p| !matches!(p, PathLang::Patterns(_))).for_each(|p| leaves(p, next, visit));
        }
        PathLang::Minus(with, without) => {
            leaves(with, next, visit);
            leaves(without, next, visit);
        }
    }
}

/// Evaluates an expression whose first mark is `next`, in the order of [`leaves`].
fn holds(lang: &PathLang, next: &mut u32, marks: &[u32]) -> bool {
    match lang {
        PathLang::Patterns(_) => {
            *next += 1;
            marks.binary_search(&(*next - 1)).is_ok()
        }
        PathLang::Union(parts) => {
            *next += 1;
            let mut any = marks.binary_search(&(*next - 1)).is_ok();
            for part in parts.iter().filter(|p| !matches!(p, PathLang::Patterns(_))) {
                any |= holds(part, next, marks);
            }
            any
        }
        PathLang::Minus(with, without) => {
            let with = holds(with, next, marks);
            let without = holds(without, next, marks);
            with && !without
        }
    }
}
