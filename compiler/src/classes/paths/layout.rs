//! Row displacement: the automaton as one array of words, rows laid into each other's gaps.
#![expect(clippy::indexing_slicing, reason = "states and slots are numbered by this module alone")]

use super::dfa::Dfa;
use rustc_hash::FxHashMap;

/// A slot that nobody uses: 1 is nobody's base.
const FREE: u64 = 1;

/// The table and where each state stands in it.
pub(super) struct Layout {
    pub(super) bytes: Vec<u64>,
    /// By state: 8 x the index of its info.
    pub(super) base: Vec<u32>,
}

/// Lays the states out; `None` if the table would need 2^27 slots.
pub(super) fn lay_out(dfa: &Dfa) -> Option<Layout> {
    let base = Placer::default().place_all(dfa)?;
    let top = base.iter().max().map_or(0, |b| *b as usize / 8);
    let mut bytes = vec![FREE; (top + 256).next_power_of_two()];
    let comm = dfa.of_comm();
    for state in 0..dfa.len() as u32 {
        let at = base[state as usize];
        let default = dfa.default[state as usize];
        let info = 0x8000_0000 | dfa.class[state as usize] << 2 | kind(dfa, &comm, state);
        bytes[at as usize / 8] = u64::from(info) | u64::from(base[default as usize]) << 32;
        for &(byte, target) in dfa.edges(state) {
            bytes[at as usize / 8 + usize::from(byte)] = u64::from(at) | u64::from(base[target as usize]) << 32;
        }
    }
    Some(Layout { bytes, base })
}

fn kind(dfa: &Dfa, comm: &[bool], state: u32) -> u32 {
    let default = dfa.default[state as usize];
    let only_slash = |s: u32| dfa.edges(s).iter().all(|(b, _)| *b == b'/');
    if dfa.is_final(state) {
        1
    } else if default == 0 {
        0
    } else if !comm[state as usize] && only_slash(state) && only_slash(default) && dfa.default[default as usize] == default {
        3
    } else {
        2
    }
}

/// First fit, rows with most edges first. A row's search begins where the last one of its shape ended.
#[derive(Default)]
struct Placer {
    /// A bit for each slot.
    used: Vec<u64>,
    /// First word that is not full.
    low: usize,
    /// Where to look for a row with these bytes.
    shapes: FxHashMap<Box<[u8]>, usize>,
    /// Where to look for rows of this many edges.
    counts: FxHashMap<usize, usize>,
}

impl Placer {
    fn place_all(mut self, dfa: &Dfa) -> Option<Vec<u32>> {
        let mut order: Vec<u32> = (1..dfa.len() as u32).collect();
        order.sort_by_key(|&s| usize::MAX - dfa.edges(s).len());
        let mut base = vec![0; dfa.len()];
        self.mark(0);
        let mut row: Vec<u8> = Vec::new();
        for state in order {
            row.clear();
            row.extend(dfa.edges(state).iter().map(|(byte, _)| *byte));
            let slot = self.place(&row);
            if slot >= 1 << 27 {
                return None;
            }
            base[state as usize] = 8 * slot as u32;
        }
        Some(base)
    }

    fn place(&mut self, row: &[u8]) -> usize {
        while self.used.get(self.low) == Some(&u64::MAX) {
            self.low += 1;
        }
        let by_shape = self.shapes.get(row).copied();
        let by_count = self.counts.get(&row.len()).copied().unwrap_or(0);
        let first = by_shape.unwrap_or(by_count).max(self.low);
        let mut word = first;
        let slot = loop {
            let free = self.fitting(word, row);
            if free != 0 {
                break word * 64 + free.trailing_zeros() as usize;
            }
            word += 1;
        };
        match self.shapes.get_mut(row) {
            Some(place) => *place = word,
            None => {
                self.shapes.insert(row.into(), word);
            }
        }
        // Rows of other shapes look in the last few words only: a little space for much time.
        if word > by_count + 64 {
            self.counts.insert(row.len(), word - 32);
        }
        self.mark(slot);
        row.iter().for_each(|b| self.mark(slot + usize::from(*b)));
        slot
    }

    /// A bit for each slot of this word where the row fits.
    fn fitting(&self, word: usize, row: &[u8]) -> u64 {
        let mut free = !self.window(word * 64);
        for byte in row {
            if free == 0 {
                break;
            }
            free &= !self.window(word * 64 + usize::from(*byte));
        }
        free
    }

    /// 64 bits of `used` from a slot on.
    fn window(&self, slot: usize) -> u64 {
        let at = |word: usize| self.used.get(word).copied().unwrap_or(0);
        match slot % 64 {
            0 => at(slot / 64),
            shift => at(slot / 64) >> shift | at(slot / 64 + 1) << (64 - shift),
        }
    }

    fn mark(&mut self, slot: usize) {
        if self.used.len() <= slot / 64 {
            self.used.resize(slot / 64 + 1, 0);
        }
        self.used[slot / 64] |= 1 << (slot % 64);
    }
}
