//! Subset construction: the nondeterministic automaton to a deterministic one, within a budget. States are sorted
//! lists of nodes; single nodes, by far the most, are found without hashing.
#![expect(clippy::indexing_slicing, reason = "states and nodes are numbered by the builders alone")]

use super::TooLarge;
use super::dfa::Dfa;
use super::marks::Marks;
use super::nfa::{Loop, NIL, Nfa};
use crate::hir::PathSetId;
use rustc_hash::FxHashMap;

/// What the automaton may cost. Follows the size of the patterns, so that ordinary packages of any size fit and one
/// that multiplies its patterns stops early.
struct Budget {
    states: usize,
    edges: usize,
    /// Nodes in all states, and sets in all classes.
    nodes: usize,
    /// Nodes visited to close sets.
    visits: usize,
}

struct Builder<'n, 'a, 's> {
    nfa: &'n Nfa<'a>,
    marks: &'n mut Marks<'s>,
    budget: Budget,
    dfa: Dfa,
    /// States to expand; the newest first, so that long literals stay together in memory.
    work: Vec<u32>,
    /// By state: where its nodes begin in `nodes`, and one more.
    first_node: Vec<u32>,
    nodes: Vec<u32>,
    /// By node: the state of its closure.
    single: Vec<u32>,
    many: FxHashMap<Box<[u32]>, u32>,
    /// Scratch.
    closure: Vec<u32>,
    stack: Vec<u32>,
    /// By node: the last closing that met it.
    met: Vec<u32>,
    closings: u32,
    visits: usize,
}

/// Makes the deterministic automaton.
pub(super) fn determinise(nfa: &Nfa<'_>, marks: &mut Marks<'_>) -> Result<Dfa, TooLarge> {
    let states = (1 << 17) + 8 * nfa.nodes.len();
    let mut builder = Builder {
        nfa,
        marks,
        budget: Budget { states, edges: 16 * states, nodes: 64 * states, visits: 256 * states },
        dfa: Dfa::with_starts(0, 0, 0),
        work: Vec::new(),
        first_node: vec![0],
        nodes: Vec::new(),
        single: vec![NIL; nfa.nodes.len()],
        many: FxHashMap::default(),
        closure: Vec::new(),
        stack: Vec::new(),
        met: vec![0; nfa.nodes.len()],
        closings: 0,
        visits: 0,
    };
    builder.run()?;
    Ok(builder.dfa)
}

impl Builder<'_, '_, '_> {
    fn run(&mut self) -> Result<(), TooLarge> {
        self.state_of(&[]);
        self.dfa.start_comm = self.state_of(&[self.nfa.comm_root]);
        self.dfa.start_path = self.after_slash();
        self.dfa.start_file = self.dfa.start_path;
        while let Some(state) = self.work.pop() {
            self.expand(state);
            if self.over_budget() {
                return Err(TooLarge { states: self.first_node.len() - 1, sets: self.culprits() });
            }
        }
        Ok(())
    }

    /// The state after the leading `/` of a path.
    fn after_slash(&mut self) -> u32 {
        self.close(&[self.nfa.path_root]);
        let nodes = std::mem::take(&mut self.closure);
        let mut after: Vec<u32> = nodes.iter().flat_map(|&n| self.nfa.bytes_of(n)).filter(|m| m.0 == b'/').map(|m| m.1).collect();
        after.sort_unstable();
        self.state_of(&after)
    }

    fn over_budget(&self) -> bool {
        self.first_node.len() > self.budget.states
            || self.dfa.edges.len() > self.budget.edges
            || self.nodes.len() + self.marks.weight > self.budget.nodes
            || self.visits > self.budget.visits
    }

    /// The state of a set of nodes, closed under empty moves; made if it is new.
    fn state_of(&mut self, nodes: &[u32]) -> u32 {
        if let &[node] = nodes
            && self.single[node as usize] != NIL
        {
            return self.single[node as usize];
        }
        if let &[node] = nodes
            && !self.nfa.has_empties(node)
            && !self.nfa.is_bare(node)
        {
            self.single[node as usize] = self.fresh(nodes);
            return self.single[node as usize];
        }
        self.close(nodes);
        let closure = std::mem::take(&mut self.closure);
        let state = self.intern(&closure);
        self.closure = closure;
        if let &[node] = nodes {
            self.single[node as usize] = state;
        }
        state
    }

    fn close(&mut self, nodes: &[u32]) {
        self.closure.clear();
        self.closings += 1;
        self.stack.extend_from_slice(nodes);
        while let Some(node) = self.stack.pop() {
            self.visits += 1;
            if std::mem::replace(&mut self.met[node as usize], self.closings) != self.closings {
                self.stack.extend(self.nfa.empties_of(node));
                self.closure.push(node);
            }
        }
        self.closure.retain(|&n| !self.nfa.is_bare(n));
        self.closure.sort_unstable();
    }

    fn intern(&mut self, closure: &[u32]) -> u32 {
        let known = match closure {
            &[node] if !self.nfa.has_empties(node) => Some(self.single[node as usize]).filter(|&s| s != NIL),
            _ => self.many.get(closure).copied(),
        };
        known.unwrap_or_else(|| {
            let state = self.fresh(closure);
            match closure {
                &[node] if !self.nfa.has_empties(node) => self.single[node as usize] = state,
                _ => {
                    self.many.insert(closure.into(), state);
                }
            }
            state
        })
    }

    fn fresh(&mut self, closure: &[u32]) -> u32 {
        let state = self.first_node.len() as u32 - 1;
        self.nodes.extend_from_slice(closure);
        self.first_node.push(self.nodes.len() as u32);
        self.dfa.class.push(0);
        self.dfa.default.push(0);
        self.dfa.ranges.push([0, 0]);
        self.work.push(state);
        state
    }

    fn nodes_of(&self, state: u32) -> &[u32] {
        &self.nodes[self.first_node[state as usize] as usize..self.first_node[state as usize + 1] as usize]
    }

    fn expand(&mut self, state: u32) {
        let begin = self.dfa.edges.len() as u32;
        let default = if let &[node] = self.nodes_of(state)
            && self.nfa.is_literal(node)
        {
            self.expand_literal(node);
            0
        } else {
            let nodes = self.nodes_of(state).to_vec();
            if nodes.iter().all(|&n| self.nfa.sets_of(n).next().is_none()) { self.expand_looping(&nodes) } else { self.expand_any(&nodes) }
        };
        self.dfa.edges[begin as usize..].sort_unstable();
        self.dfa.ranges[state as usize] = [begin, self.dfa.edges.len() as u32];
        self.dfa.default[state as usize] = default;
        let mut marks: Vec<u32> = self.nodes_of(state).iter().flat_map(|&n| self.nfa.marks_of(n)).collect();
        marks.sort_unstable();
        marks.dedup();
        self.dfa.class[state as usize] = self.marks.class(&marks);
    }

    fn expand_literal(&mut self, node: u32) {
        for (byte, target) in self.nfa.bytes_of(node) {
            let next = self.state_of(&[target]);
            if next != 0 {
                self.dfa.edges.push((byte, next));
            }
        }
    }

    /// Nodes that stay at a byte: those that loop over segments, unless it is a `/`, and those that loop over all.
    fn staying(&self, nodes: &[u32], slash: bool) -> Vec<u32> {
        let stays = |n: &u32| match self.nfa.nodes[*n as usize].looping {
            Loop::None => false,
            Loop::Segment => !slash,
            Loop::Any => true,
        };
        nodes.iter().copied().filter(stays).collect()
    }

    fn expand_looping(&mut self, nodes: &[u32]) -> u32 {
        let (on_any, on_slash) = (self.staying(nodes, false), self.staying(nodes, true));
        let default = self.state_of(&on_any);
        let mut moves: Vec<(u8, u32)> = nodes.iter().flat_map(|&n| self.nfa.bytes_of(n)).collect();
        moves.sort_unstable();
        if moves.binary_search_by_key(&b'/', |m| m.0).is_err() {
            self.push_edge(b'/', &on_slash, default);
        }
        for same in moves.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(byte, _)) = same.first() else { continue };
            let mut targets = if byte == b'/' { on_slash.clone() } else { on_any.clone() };
            targets.extend(same.iter().map(|m| m.1));
            self.push_edge(byte, &targets, default);
        }
        default
    }

    fn push_edge(&mut self, byte: u8, targets: &[u32], default: u32) {
        let next = self.state_of(targets);
        if next != default {
            self.dfa.edges.push((byte, next));
        }
    }

    /// With byte sets: all 255 bytes, the most frequent target is the default.
    fn expand_any(&mut self, nodes: &[u32]) -> u32 {
        let (on_any, on_slash) = (self.staying(nodes, false), self.staying(nodes, true));
        let bytes: Vec<(u8, u32)> = nodes.iter().flat_map(|&n| self.nfa.bytes_of(n)).collect();
        let sets: Vec<([u64; 4], u32)> = nodes.iter().flat_map(|&n| self.nfa.sets_of(n)).map(|(s, t)| (*s, t)).collect();
        let mut next = [0; 256];
        let mut known: FxHashMap<Vec<u32>, u32> = FxHashMap::default();
        for byte in 1..=255u8 {
            let in_set = |set: &[u64; 4]| set[usize::from(byte / 64)] >> (byte % 64) & 1 == 1;
            let mut targets = if byte == b'/' { on_slash.clone() } else { on_any.clone() };
            targets.extend(bytes.iter().filter(|(b, _)| *b == byte).map(|(_, t)| *t));
            targets.extend(sets.iter().filter(|(s, _)| in_set(s)).map(|(_, t)| *t));
            next[usize::from(byte)] = match known.get(&targets) {
                Some(&state) => state,
                None => {
                    let state = self.state_of(&targets);
                    known.insert(targets, state);
                    state
                }
            };
        }
        let default = most_frequent(&next[1..]);
        let edges = (1..=255u8).map(|b| (b, next[usize::from(b)])).filter(|(_, t)| *t != default);
        self.dfa.edges.extend(edges);
        default
    }

    /// Sets whose patterns the newest states are made of, most entangled first: for looping nodes the sets below.
    fn culprits(&self) -> Vec<PathSetId> {
        let count = self.first_node.len() as u32 - 1;
        let mut weight: FxHashMap<u32, u32> = FxHashMap::default();
        for state in count.saturating_sub(2048)..count {
            for &node in self.nodes_of(state) {
                *weight.entry(node).or_default() += 1;
            }
        }
        let mut heavy: Vec<(u32, u32)> = weight.into_iter().map(|(n, w)| (u32::MAX - w, n)).collect();
        heavy.sort_unstable();
        let mut sets: Vec<PathSetId> = Vec::new();
        for (_, node) in heavy.into_iter().take(256) {
            if let Some(set) = self.set_below(node)
                && !sets.contains(&set)
            {
                sets.push(set);
                if sets.len() == 8 {
                    break;
                }
            }
        }
        sets
    }

    fn set_below(&self, node: u32) -> Option<PathSetId> {
        let mut at = node;
        for _ in 0..65_536 {
            if let Some(mark) = self.nfa.marks_of(at).next() {
                return Some(self.marks.owner(mark));
            }
            let onward = self.nfa.bytes_of(at).map(|(_, t)| t).chain(self.nfa.sets_of(at).map(|(_, t)| t));
            at = onward.chain(self.nfa.empties_of(at)).max()?;
        }
        None
    }
}

fn most_frequent(targets: &[u32]) -> u32 {
    let mut sorted = targets.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.min_by_key(|run| 256 - run.len()).and_then(|run| run.first().copied()).unwrap_or(0)
}
