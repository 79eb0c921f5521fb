//! The step table: 8 bytes of a component at once for literal runs, in a two-choice hash. The `/` after a component is in
//! its last word if there is room; a last word without it stands here only if a path may end there. Only accelerates.
#![expect(clippy::indexing_slicing, reason = "states and slots are numbered by this module alone")]

use super::Step;
use super::dfa::Dfa;

/// Multiplier of the first candidate.
pub const K1: u64 = 0x9E37_79B9_7F4A_7C15;
/// Multiplier of the second candidate.
pub const K2: u64 = 0xD6E8_FEB8_6659_FD93;
/// An entry that nobody uses: 1 is nobody's base.
pub(super) const UNUSED: Step = Step { word: 0, base: 1, next: 0 };

/// The table, the logarithm of its length, and how many entries found no room.
pub(super) struct Steps {
    pub(super) table: Vec<Step>,
    pub(super) bits: u32,
    pub(super) dropped: u32,
}

/// Place of a state and a word for one of the multipliers.
pub(super) fn place(word: u64, base: u32, multiplier: u64, bits: u32) -> usize {
    ((word ^ u64::from(base)).wrapping_mul(multiplier) >> (64 - bits)) as usize
}

/// Makes the table for an automaton that is laid out.
pub(super) fn build(dfa: &Dfa, base: &[u32]) -> Steps {
    let mut finder = Finder {
        dfa,
        comm: dfa.of_comm(),
        is_root: vec![false; dfa.len()],
        roots: Vec::new(),
        met: vec![0; dfa.len()],
        found: Vec::new(),
        words: 0,
        distinct: 0,
    };
    finder.find_roots();
    let mut done = 0;
    while let Some(&root) = finder.roots.get(done) {
        done += 1;
        finder.words_from(root, done as u32);
    }
    let entries: Vec<Step> =
        finder.found.iter().map(|&(root, word, next)| Step { word, base: base[root as usize], next: base[next as usize] }).collect();
    insert_all(&entries)
}

/// Finds the words that lead from the start of a component, or from 8 bytes further, along edges.
struct Finder<'d> {
    dfa: &'d Dfa,
    comm: Vec<bool>,
    is_root: Vec<bool>,
    roots: Vec<u32>,
    /// By state: the last root (counted from 1) from which it was met.
    met: Vec<u32>,
    found: Vec<(u32, u64, u32)>,
    /// Of the root at hand.
    words: usize,
    distinct: usize,
}

impl Finder<'_> {
    fn root(&mut self, state: u32) {
        if state != 0 && !self.dfa.is_final(state) && !std::mem::replace(&mut self.is_root[state as usize], true) {
            self.roots.push(state);
        }
    }

    fn find_roots(&mut self) {
        self.root(self.dfa.start_path);
        self.root(self.dfa.start_file);
        self.root(self.dfa.start_comm);
        for state in 0..self.dfa.len() as u32 {
            if !self.comm[state as usize] {
                self.root(self.dfa.step(state, b'/'));
            }
        }
    }

    /// A root whose words outnumber its states (overlapping byte sets) gets none.
    fn words_from(&mut self, root: u32, visit: u32) {
        self.words = 0;
        self.distinct = 0;
        let before = self.found.len();
        let roots_before = self.roots.len();
        if !self.extend(root, visit, root, 0, 0) {
            self.found.truncate(before);
            for state in self.roots.drain(roots_before..) {
                self.is_root[state as usize] = false;
            }
        }
    }

    fn extend(&mut self, root: u32, visit: u32, state: u32, word: u64, length: u32) -> bool {
        for &(byte, target) in self.dfa.edges(state) {
            let slash = byte == b'/' && !self.comm[state as usize];
            // a word that is a slash alone is a byte's step
            if target == 0 || (slash && length == 0) {
                continue;
            }
            self.words += 1;
            if std::mem::replace(&mut self.met[target as usize], visit) != visit {
                self.distinct += 1;
            }
            if self.words > 2 * self.distinct + 256 {
                return false;
            }
            let longer = word | u64::from(byte) << (8 * length);
            if slash || length == 7 || self.dfa.class[target as usize] != 0 {
                self.found.push((root, longer, target));
            }
            if slash {
                continue;
            }
            if length == 7 {
                self.root(target);
            } else if !self.dfa.is_final(target) && !self.extend(root, visit, target, longer, length + 1) {
                return false;
            }
        }
        true
    }
}

fn insert_all(entries: &[Step]) -> Steps {
    let bits = (entries.len() * 5 / 2).max(2).next_power_of_two().trailing_zeros();
    let mut table = vec![UNUSED; 1 << bits];
    let mut dropped = 0;
    for entry in entries {
        let mut moving = *entry;
        let mut at = place(moving.word, moving.base, K1, bits);
        let mut placed = false;
        for _ in 0..500 {
            moving = std::mem::replace(&mut table[at], moving);
            if moving.base == UNUSED.base {
                placed = true;
                break;
            }
            let first = place(moving.word, moving.base, K1, bits);
            at = if first == at { place(moving.word, moving.base, K2, bits) } else { first };
        }
        dropped += u32::from(!placed);
    }
    Steps { table, bits, dropped }
}
