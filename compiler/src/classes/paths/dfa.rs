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
    /// The same where only the sets that are asked of files count.
    pub(super) start_file: u32,
    /// State before a task name.
    pub(super) start_comm: u32,
}

impl Dfa {
    pub(super) fn with_starts(start_path: u32, start_file: u32, start_comm: u32) -> Self {
        Dfa { class: Vec::new(), default: Vec::new(), ranges: Vec::new(), edges: Vec::new(), start_path, start_file, start_comm }
    }

    /// Adds, beside what the start of paths reaches, the same with other classes, which the start of files reaches.
    pub(super) fn add_narrowed(&mut self, mut class: impl FnMut(u32) -> u32) {
        let mut copy = vec![0; self.len()];
        let mut states = Vec::new();
        let mut work = vec![self.start_path];
        while let Some(state) = work.pop() {
            if state == 0 || copy[state as usize] != 0 {
                continue;
            }
            copy[state as usize] = (self.len() + states.len()) as u32;
            states.push(state);
            work.push(self.default[state as usize]);
            work.extend(self.edges(state).iter().map(|(_, target)| *target));
        }
        for state in states {
            let begin = self.edges.len() as u32;
            let edges: Vec<(u8, u32)> = self.edges(state).iter().map(|&(byte, target)| (byte, copy[target as usize])).collect();
            self.edges.extend(edges);
            self.ranges.push([begin, self.edges.len() as u32]);
            self.class.push(class(self.class[state as usize]));
            self.default.push(copy[self.default[state as usize] as usize]);
        }
        self.start_file = copy[self.start_path as usize];
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
