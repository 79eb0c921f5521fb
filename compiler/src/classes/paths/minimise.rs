//! Minimisation: partition refinement on whole signatures, recomputed only for states whose targets moved, the
//! largest part of a split keeping its name (so a state's targets move at most log n times).
#![expect(clippy::indexing_slicing, reason = "states and blocks are numbered by this module and the builders alone")]

use super::dfa::Dfa;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

/// Gives an equivalent automaton in which no two states accept the same, the dead state 0.
pub(super) fn minimise(dfa: &Dfa) -> Dfa {
    let mut partition = Partition::new(dfa);
    while let Some(block) = partition.dirty_blocks.pop_front() {
        partition.refine(dfa, block);
    }
    partition.quotient(dfa)
}

/// Blocks are ranges of `order`: first the clean states, whose signatures agree, then the dirty ones.
struct Partition {
    order: Vec<u32>,
    place: Vec<u32>,
    block: Vec<u32>,
    /// By block: begin, begin of the dirty states, end.
    ranges: Vec<[u32; 3]>,
    dirty_blocks: std::collections::VecDeque<u32>,
    /// By state and one more: where its predecessors begin.
    first_before: Vec<u32>,
    before: Vec<u32>,
    /// Scratch: signatures one behind the other, and where each begins.
    words: Vec<u32>,
    starts: Vec<u32>,
}

impl Partition {
    fn new(dfa: &Dfa) -> Self {
        let n = dfa.len();
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_by_key(|&s| dfa.class[s as usize]);
        let (first_before, before) = predecessors(dfa);
        let mut this = Partition {
            place: vec![0; n],
            block: vec![0; n],
            ranges: Vec::new(),
            dirty_blocks: std::collections::VecDeque::new(),
            first_before,
            before,
            words: Vec::new(),
            starts: Vec::new(),
            order,
        };
        let mut at = 0u32;
        for same in this.order.chunk_by(|a, b| dfa.class[*a as usize] == dfa.class[*b as usize]) {
            for &state in same {
                this.block[state as usize] = this.ranges.len() as u32;
            }
            this.dirty_blocks.push_back(this.ranges.len() as u32);
            this.ranges.push([at, at, at + same.len() as u32]);
            at += same.len() as u32;
        }
        for (place, &state) in this.order.iter().enumerate() {
            this.place[state as usize] = place as u32;
        }
        this
    }

    fn soil(&mut self, state: u32) {
        let block = self.block[state as usize];
        let [begin, dirty, end] = self.ranges[block as usize];
        let place = self.place[state as usize];
        if end - begin < 2 || place >= dirty {
            return;
        }
        let other = self.order[dirty as usize - 1];
        self.order.swap(place as usize, dirty as usize - 1);
        self.place[other as usize] = place;
        self.place[state as usize] = dirty - 1;
        self.ranges[block as usize][1] = dirty - 1;
        if dirty == end {
            self.dirty_blocks.push_back(block);
        }
    }

    /// The block of the default target, then the edges that lead elsewhere.
    fn sign(&mut self, dfa: &Dfa, state: u32) -> u64 {
        let default = self.block[dfa.default[state as usize] as usize];
        let mut hasher = FxHasher::default();
        self.starts.push(self.words.len() as u32);
        self.words.push(default);
        hasher.write_u32(default);
        for &(byte, target) in dfa.edges(state) {
            let target = self.block[target as usize];
            if target != default {
                self.words.extend([u32::from(byte), target]);
                hasher.write_u64(u64::from(target) << 8 | u64::from(byte));
            }
        }
        hasher.finish()
    }

    fn signature(&self, index: u32) -> &[u32] {
        let end = self.starts.get(index as usize + 1).copied().unwrap_or(self.words.len() as u32);
        &self.words[self.starts[index as usize] as usize..end as usize]
    }

    fn refine(&mut self, dfa: &Dfa, block: u32) {
        let [begin, dirty, end] = self.ranges[block as usize];
        if end - begin < 2 {
            self.ranges[block as usize][1] = end;
            return;
        }
        // One clean state stands for all of them; its group comes first.
        let first = if dirty > begin { dirty - 1 } else { dirty };
        let (group_of, groups) = self.group(dfa, first, end);
        if groups == 1 {
            self.ranges[block as usize][1] = end;
            return;
        }
        self.split(block, begin, first, &group_of, groups);
    }

    /// Signs the states at the places from `first` to `end`; gives the group of each, and how many groups.
    fn group(&mut self, dfa: &Dfa, first: u32, end: u32) -> (Vec<u32>, u32) {
        self.words.clear();
        self.starts.clear();
        let mut group_of = Vec::with_capacity((end - first) as usize);
        // Made anew each time: to empty a map costs as much as the largest block ever had groups.
        let mut known = Groups::default();
        for place in first..end {
            let index = place - first;
            let hash = self.sign(dfa, self.order[place as usize]);
            group_of.push(known.group(hash, index, |a, b| self.signature(a) == self.signature(b)));
        }
        let groups = known.representatives.len() as u32;
        (group_of, groups)
    }

    /// Sorts the places from `first` by group (the clean states before `first` belong to group 0) and names the new
    /// blocks; predecessors of states whose block changed are dirty.
    fn split(&mut self, block: u32, begin: u32, first: u32, group_of: &[u32], groups: u32) {
        let mut sizes = vec![0u32; groups as usize];
        group_of.iter().for_each(|&g| sizes[g as usize] += 1);
        let mut next = Vec::with_capacity(sizes.len());
        let mut at = first;
        for size in &sizes {
            next.push(at);
            at += size;
        }
        let bounds: Vec<[u32; 2]> = (0..sizes.len()).map(|g| [if g == 0 { begin } else { next[g] }, next[g] + sizes[g]]).collect();
        let old: Vec<u32> = self.order[first as usize..first as usize + group_of.len()].to_vec();
        for (&state, &group) in old.iter().zip(group_of) {
            let place = next[group as usize];
            next[group as usize] += 1;
            self.order[place as usize] = state;
            self.place[state as usize] = place;
        }
        let largest = (0..bounds.len()).max_by_key(|&g| (bounds[g][1] - bounds[g][0], usize::MAX - g)).unwrap_or(0);
        self.ranges[block as usize] = [bounds[largest][0], bounds[largest][1], bounds[largest][1]];
        let fresh: Vec<[u32; 2]> = (0..bounds.len()).filter(|&g| g != largest).map(|g| bounds[g]).collect();
        for [from, to] in &fresh {
            let name = self.ranges.len() as u32;
            self.ranges.push([*from, *to, *to]);
            for place in *from..*to {
                self.block[self.order[place as usize] as usize] = name;
            }
        }
        // A predecessor may be within these very ranges: the states are taken down before any moves.
        let moved: Vec<u32> = fresh.iter().flat_map(|[from, to]| self.order[*from as usize..*to as usize].to_vec()).collect();
        for state in moved {
            for index in self.first_before[state as usize]..self.first_before[state as usize + 1] {
                self.soil(self.before[index as usize]);
            }
        }
    }

    /// The automaton of the blocks, each by its first state, in the order of these.
    fn quotient(&self, dfa: &Dfa) -> Dfa {
        let mut name = vec![u32::MAX; self.ranges.len()];
        let mut first = Vec::with_capacity(self.ranges.len());
        for state in 0..dfa.len() as u32 {
            let name = &mut name[self.block[state as usize] as usize];
            if *name == u32::MAX {
                *name = first.len() as u32;
                first.push(state);
            }
        }
        let name_of = |state: u32| name[self.block[state as usize] as usize];
        let mut out = Dfa::with_starts(name_of(dfa.start_path), name_of(dfa.start_file), name_of(dfa.start_comm));
        for state in first {
            let default = name_of(dfa.default[state as usize]);
            let begin = out.edges.len() as u32;
            let edges = dfa.edges(state).iter().map(|&(byte, target)| (byte, name_of(target)));
            out.edges.extend(edges.filter(|(_, target)| *target != default));
            out.ranges.push([begin, out.edges.len() as u32]);
            out.class.push(dfa.class[state as usize]);
            out.default.push(default);
        }
        out
    }
}

/// Groups of equal signatures; few are searched one after the other.
#[derive(Default)]
struct Groups {
    /// By group: hash and index of its first member.
    representatives: Vec<(u64, u32)>,
    /// By hash the groups, once there are many.
    by_hash: FxHashMap<u64, Vec<u32>>,
}

/// Groups that are searched one after the other.
const FEW: usize = 12;

impl Groups {
    fn group(&mut self, hash: u64, index: u32, equal: impl Fn(u32, u32) -> bool) -> u32 {
        let is = |group: &u32| {
            let (known, first) = self.representatives[*group as usize];
            known == hash && equal(first, index)
        };
        let count = self.representatives.len() as u32;
        let found = if self.by_hash.is_empty() {
            (0..count).find(is)
        } else {
            self.by_hash.get(&hash).and_then(|groups| groups.iter().copied().find(is))
        };
        found.unwrap_or_else(|| {
            self.representatives.push((hash, index));
            if self.representatives.len() > FEW {
                let from = if self.by_hash.is_empty() { 0 } else { count };
                for group in from..=count {
                    self.by_hash.entry(self.representatives[group as usize].0).or_default().push(group);
                }
            }
            count
        })
    }
}

fn predecessors(dfa: &Dfa) -> (Vec<u32>, Vec<u32>) {
    let n = dfa.len();
    let mut first = vec![0u32; n + 2];
    let arcs = |each: &mut dyn FnMut(u32, u32)| {
        for state in 0..n as u32 {
            each(state, dfa.default[state as usize]);
            dfa.edges(state).iter().for_each(|&(_, target)| each(state, target));
        }
    };
    arcs(&mut |_, target| first[target as usize + 2] += 1);
    for index in 2..first.len() {
        first[index] += first[index - 1];
    }
    let mut before = vec![0; first[n + 1] as usize];
    arcs(&mut |state, target| {
        let at = &mut first[target as usize + 1];
        before[*at as usize] = state;
        *at += 1;
    });
    first.truncate(n + 1);
    (first, before)
}
