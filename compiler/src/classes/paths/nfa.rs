//! Patterns to one nondeterministic automaton, shared along common prefixes like a trie. Takes the patterns of all
//! sets, gives nodes with byte edges, set edges, loops and empty moves. Knows nothing of classes.
#![expect(clippy::indexing_slicing, reason = "node and list indices are made by this module alone")]

use crate::hir::Space;
use crate::hir::glob::{Part, Pattern};
use rustc_hash::FxHashMap;

/// End of a linked list.
pub(super) const NIL: u32 = u32::MAX;

/// Which bytes lead from a node to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loop {
    None,
    /// All but `/`.
    Segment,
    Any,
}

/// A node; lists are linked through the automaton's vectors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    first_byte: u32,
    first_set: u32,
    first_empty: u32,
    first_mark: u32,
    pub(super) looping: Loop,
}

const BARE: Node = Node { first_byte: NIL, first_set: NIL, first_empty: NIL, first_mark: NIL, looping: Loop::None };

/// Why an empty move is there; moves of one purpose are shared by all patterns with the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Star,
    /// Within `**` in the middle.
    Segments,
    /// `**` at the end.
    Below,
    /// The same right after the leading `/`.
    BelowRoot,
    /// From an alternative's end to what follows.
    Join,
}

/// The automaton.
pub(super) struct Nfa<'a> {
    pub(super) nodes: Vec<Node>,
    bytes: Vec<(u8, u32, u32)>,
    sets: Vec<([u64; 4], u32, u32)>,
    empties: Vec<(Purpose, u32, u32)>,
    marks: Vec<(u32, u32)>,
    /// By node before, alternatives, and whether the pattern ends with them: the node after.
    joins: FxHashMap<(u32, &'a [Vec<Part>], bool), u32>,
    /// Before the leading `/` of paths.
    pub(super) path_root: u32,
    /// Before the first byte of task names.
    pub(super) comm_root: u32,
}

impl<'a> Nfa<'a> {
    pub(super) fn new() -> Self {
        Nfa {
            nodes: vec![BARE, BARE],
            bytes: Vec::new(),
            sets: Vec::new(),
            empties: Vec::new(),
            marks: Vec::new(),
            joins: FxHashMap::default(),
            path_root: 0,
            comm_root: 1,
        }
    }

    /// Adds a pattern whose matches get the mark.
    pub(super) fn add(&mut self, space: Space, pattern: &'a Pattern, mark: u32) {
        let root = if space == Space::Path { self.path_root } else { self.comm_root };
        let end = self.sequence(space, root, &pattern.parts, 0, true);
        let first = self.nodes[end as usize].first_mark;
        if first == NIL || self.marks[first as usize].0 != mark {
            self.marks.push((mark, first));
            self.nodes[end as usize].first_mark = self.marks.len() as u32 - 1;
        }
    }

    /// Nodes for parts in a row; gives the node after them. `least` is a lower bound of the bytes before;
    /// `last`: the pattern ends with these parts.
    fn sequence(&mut self, space: Space, from: u32, parts: &'a [Part], mut least: usize, last: bool) -> u32 {
        let mut node = from;
        let mut after_segments = false;
        for (index, part) in parts.iter().enumerate() {
            let at_end = last && index + 1 == parts.len();
            if after_segments && *part == Part::Byte(b'/') {
                // `(seg/)*` has read its slash already.
                continue;
            }
            node = match part {
                Part::Byte(byte) => self.byte(node, *byte),
                Part::Set(set) => self.set(node, **set, space),
                Part::Star => self.star(node, space),
                Part::Segments if at_end => self.below(node, least),
                Part::Segments => self.segments(node),
                Part::Alt(alternatives) => self.alternatives(space, node, alternatives, least, at_end),
            };
            after_segments = matches!(part, Part::Segments);
            least += least_bytes(part);
        }
        node
    }

    fn fresh(&mut self, looping: Loop) -> u32 {
        self.nodes.push(Node { looping, ..BARE });
        self.nodes.len() as u32 - 1
    }

    fn byte(&mut self, from: u32, byte: u8) -> u32 {
        let mut edge = self.nodes[from as usize].first_byte;
        while edge != NIL {
            let (b, target, next) = self.bytes[edge as usize];
            if b == byte {
                return target;
            }
            edge = next;
        }
        let target = self.fresh(Loop::None);
        self.bytes.push((byte, target, self.nodes[from as usize].first_byte));
        self.nodes[from as usize].first_byte = self.bytes.len() as u32 - 1;
        target
    }

    fn set(&mut self, from: u32, mut set: [u64; 4], space: Space) -> u32 {
        set[0] &= !1;
        if space == Space::Path {
            set[0] &= !(1 << b'/');
        }
        if let Some((_, target)) = self.sets_of(from).find(|(known, _)| **known == set) {
            return target;
        }
        let target = self.fresh(Loop::None);
        self.sets.push((set, target, self.nodes[from as usize].first_set));
        self.nodes[from as usize].first_set = self.sets.len() as u32 - 1;
        target
    }

    fn empty(&mut self, from: u32, purpose: Purpose, target: u32) {
        self.empties.push((purpose, target, self.nodes[from as usize].first_empty));
        self.nodes[from as usize].first_empty = self.empties.len() as u32 - 1;
    }

    fn known(&self, from: u32, purpose: Purpose) -> Option<u32> {
        self.empties_with_purpose(from).find(|(p, _)| *p == purpose).map(|(_, target)| target)
    }

    fn star(&mut self, from: u32, space: Space) -> u32 {
        self.known(from, Purpose::Star).unwrap_or_else(|| {
            let star = self.fresh(if space == Space::Path { Loop::Segment } else { Loop::Any });
            self.empty(from, Purpose::Star, star);
            star
        })
    }

    /// `(seg/)*`: either nothing, or any bytes up to a `/`. That also reads empty segments, which no path has.
    fn segments(&mut self, from: u32) -> u32 {
        if let Some(inside) = self.known(from, Purpose::Segments) {
            return self.byte(inside, b'/');
        }
        let inside = self.fresh(Loop::Any);
        self.empty(from, Purpose::Segments, inside);
        let after = self.byte(inside, b'/');
        self.empty(from, Purpose::Join, after);
        after
    }

    /// `seg(/seg)*` at the end. Below anything but `/` itself nothing can end right after a `/`, so there the empty
    /// rest may be read too, which saves a state.
    fn below(&mut self, from: u32, least: usize) -> u32 {
        if least >= 2 {
            return self.known(from, Purpose::Below).unwrap_or_else(|| {
                let below = self.fresh(Loop::Any);
                self.empty(from, Purpose::Below, below);
                below
            });
        }
        if let Some(before) = self.known(from, Purpose::BelowRoot) {
            return self.set(before, [u64::MAX; 4], Space::Path);
        }
        let before = self.fresh(Loop::None);
        self.empty(from, Purpose::BelowRoot, before);
        let below = self.set(before, [u64::MAX; 4], Space::Path);
        self.nodes[below as usize].looping = Loop::Any;
        below
    }

    fn alternatives(&mut self, space: Space, from: u32, alternatives: &'a [Vec<Part>], least: usize, last: bool) -> u32 {
        if let Some(&join) = self.joins.get(&(from, alternatives, last)) {
            return join;
        }
        let join = self.fresh(Loop::None);
        self.joins.insert((from, alternatives, last), join);
        for alternative in alternatives {
            let end = self.sequence(space, from, alternative, least, last);
            self.empty(end, Purpose::Join, join);
        }
        join
    }

    /// Byte edges of a node.
    pub(super) fn bytes_of(&self, node: u32) -> impl Iterator<Item = (u8, u32)> {
        list(self.nodes[node as usize].first_byte, move |edge| {
            let (byte, target, next) = self.bytes[edge as usize];
            ((byte, target), next)
        })
    }

    /// Set edges of a node.
    pub(super) fn sets_of(&self, node: u32) -> impl Iterator<Item = (&[u64; 4], u32)> {
        list(self.nodes[node as usize].first_set, move |edge| {
            let (set, target, next) = &self.sets[edge as usize];
            ((set, *target), *next)
        })
    }

    fn empties_with_purpose(&self, node: u32) -> impl Iterator<Item = (Purpose, u32)> {
        list(self.nodes[node as usize].first_empty, move |edge| {
            let (purpose, target, next) = self.empties[edge as usize];
            ((purpose, target), next)
        })
    }

    /// Empty moves of a node.
    pub(super) fn empties_of(&self, node: u32) -> impl Iterator<Item = u32> {
        self.empties_with_purpose(node).map(|(_, target)| target)
    }

    /// Marks of a node.
    pub(super) fn marks_of(&self, node: u32) -> impl Iterator<Item = u32> {
        list(self.nodes[node as usize].first_mark, move |mark| self.marks[mark as usize])
    }

    /// Has the node nothing but empty moves?
    pub(super) fn is_bare(&self, node: u32) -> bool {
        let n = &self.nodes[node as usize];
        n.first_byte == NIL && n.first_set == NIL && n.first_mark == NIL && n.looping == Loop::None
    }

    /// Has the node empty moves?
    pub(super) fn has_empties(&self, node: u32) -> bool {
        self.nodes[node as usize].first_empty != NIL
    }

    /// Has the node byte edges alone, no loop and no sets?
    pub(super) fn is_literal(&self, node: u32) -> bool {
        let n = &self.nodes[node as usize];
        n.first_set == NIL && n.looping == Loop::None
    }
}

fn list<T>(first: u32, get: impl Fn(u32) -> (T, u32)) -> impl Iterator<Item = T> {
    let mut at = first;
    std::iter::from_fn(move || {
        if at == NIL {
            return None;
        }
        let (item, next) = get(at);
        at = next;
        Some(item)
    })
}

fn least_bytes(part: &Part) -> usize {
    match part {
        Part::Byte(_) | Part::Set(_) => 1,
        Part::Star | Part::Segments => 0,
        Part::Alt(alternatives) => {
            alternatives.iter().map(|parts| parts.iter().map(least_bytes).fold(0, usize::saturating_add)).min().unwrap_or(0)
        }
    }
}
