//! Paths and task names to classes: one byte automaton for all path sets of a package, as the tables that the event
//! path walks (ARCHITECTURE.md, "Path tables").

mod dfa;
mod layout;
mod marks;
mod minimise;
mod nfa;
mod steps;
mod subset;
mod walk;

#[cfg(test)]
pub(crate) mod tests;

use crate::hir::{PathSet, PathSetId, Space};
pub use steps::{K1, K2};

/// The class of what no set accepts, and of the absent path.
pub const NONE: u32 = 0;
/// The class of a path that exists but could not be computed; no automaton state has it.
pub const FAIL: u32 = 1;

/// The automaton as tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathTables {
    /// Row displacement, length a power of two. A state is named by its base, 8 x an index into this.
    /// At the base stands the state's info: low half `0x8000_0000 | class << 2 | type`, high half the base of the
    /// default target. At base / 8 + b stands the entry of byte b, if its low half is the base: high half is the next
    /// base, 0 for dead. Slots in use by nobody are 1.
    /// Types: 0 no default (any byte without entry is dead); 1 final, any suffix has this class; 2 default target for
    /// every byte without an entry; 3 skip: every byte but `/` goes to the default target, and from there to itself,
    /// so the rest of a component need not be read (if any byte of it is left the state is the default target).
    pub bytes: Vec<u64>,
    /// Two-choice hash of (state, word), length `1 << bits`.
    pub steps: Vec<Step>,
    /// Logarithm of the length of `steps`, at least 1.
    pub bits: u32,
    /// Base of the state after the leading `/` of a path.
    pub start_path: u32,
    /// The same for hooks that ask no program's path: only sets that rules ask of files count, so more is decided early.
    pub start_file: u32,
    /// Base of the state before the first byte of a task name.
    pub start_comm: u32,
    /// For each class the sets that accept, sorted; the first two ([`NONE`], [`FAIL`]) are empty.
    pub class_sets: Vec<Vec<PathSetId>>,
    /// States after minimisation, the dead one included.
    pub states: u32,
    /// Entries that found no room in `steps`.
    pub dropped_steps: u32,
}

/// An entry of [`PathTables::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// 1 to 8 bytes, little end first, zero-padded: a component, its rest, or 8 bytes of it. Ends in the `/` that follows
    /// the component where that fits.
    pub word: u64,
    /// Base of the state before; 1 in an unused entry.
    pub base: u32,
    /// Base of the state after.
    pub next: u32,
}

/// The sets ask for an automaton beyond any budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// States at which construction stopped.
    pub states: usize,
    /// Sets whose patterns multiply each other, most entangled first; at most 8.
    pub sets: Vec<PathSetId>,
}

/// Makes the tables of all path sets; `of_files` says which of them are asked of files.
pub fn build(sets: &[PathSet], of_files: impl Fn(PathSetId) -> bool) -> Result<PathTables, TooLarge> {
    let mut nfa = nfa::Nfa::new();
    let mut marks = marks::Marks::new(sets);
    for (index, set) in sets.iter().enumerate() {
        marks.number(index as u32, |pattern, mark| nfa.add(set.space, pattern, mark));
    }
    let mut dfa = minimise::minimise(&subset::determinise(&nfa, &mut marks)?);
    let paths = sets.iter().enumerate().filter(|(_, set)| set.space == Space::Path);
    if !paths.map(|(index, _)| PathSetId(index as u32)).all(&of_files) {
        dfa.add_narrowed(|class| marks.narrowed(class, &of_files));
        dfa = minimise::minimise(&dfa);
    }
    let layout = layout::lay_out(&dfa).ok_or(TooLarge { states: dfa.len(), sets: Vec::new() })?;
    let steps = steps::build(&dfa, &layout.base);
    let base = |state: u32| layout.base.get(state as usize).copied().unwrap_or(0);
    Ok(PathTables {
        start_path: base(dfa.start_path),
        start_file: base(dfa.start_file),
        start_comm: base(dfa.start_comm),
        bytes: layout.bytes,
        steps: steps.table,
        bits: steps.bits,
        class_sets: marks.class_sets,
        states: dfa.len() as u32,
        dropped_steps: steps.dropped,
    })
}
