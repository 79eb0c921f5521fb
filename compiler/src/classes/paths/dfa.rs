//! A deterministic automaton with default transitions: what subset construction gives and minimisation keeps.
#![expect(clippy::indexing_slicing, reason = "states are numbered by the builders alone")]

/// State 0 is dead: class 0, default to itself, no edges.
pub(super) struct Dfa {
    /// By state.
    pub(super) class: Vec<u32>,
    /// By state: target of every byte without an edge.
    pub(super) default: Vec<u32>,
    /// By state: where its edges begin and end.
    pub(super) ranges: Vec<[u32; 2]>,
    /// Sorted by byte within a state; no target is the state's default.
    pub(super) edges: Vec<(u8, u32)>,
    /// State after the leading `/`.
    pub(super) start_path: u32,
    /// State before a task name.
    pub(super) start_comm: u32,
}

impl Dfa {
    pub(super) fn with_starts(start_path: u32, start_comm: u32) -> Self {
        Dfa { class: Vec::new(), default: Vec::new(), ranges: Vec::new(), edges: Vec::new(), start_path, start_comm }
    }

    pub(super) fn len(&self) -> usize {
        self.class.len()
    }

    /// Edges of a state.
    pub(super) fn edges(&self, state: u32) -> &[(u8, u32)] {
        let [begin, end] = self.ranges[state as usize];
        &self.edges[begin as usize..end as usize]
    }

    /// The target of a byte.
    pub(super) fn step(&self, state: u32, byte: u8) -> u32 {
        self.edges(state).iter().find(|(b, _)| *b == byte).map_or(self.default[state as usize], |(_, target)| *target)
    }

    /// Does every suffix keep the state?
    pub(super) fn is_final(&self, state: u32) -> bool {
        self.default[state as usize] == state && self.edges(state).is_empty()
    }

    /// By state: can it be reached within a task name?
    pub(super) fn of_comm(&self) -> Vec<bool> {
        let mut seen = vec![false; self.len()];
        let mut work = vec![self.start_comm];
        while let Some(state) = work.pop() {
            if state == 0 || std::mem::replace(&mut seen[state as usize], true) {
                continue;
            }
            work.push(self.default[state as usize]);
            work.extend(self.edges(state).iter().map(|(_, target)| *target));
        }
        seen
    }
}
