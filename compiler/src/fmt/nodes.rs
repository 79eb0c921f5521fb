//! Pass: brackets. Takes the atoms of a unit, gives them as a tree in which what stands in brackets is one node; says how
//! wide nodes are on one line. Never prints.

use super::atoms::Atom;
use super::roles::{self, Bracket, Role};
use std::ops::Range;

/// An atom, or what stands in brackets.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Index of the atom.
    Atom(usize),
    Group(Group),
}

/// Brackets and what is in them.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub bracket: Bracket,
    pub open: usize,
    pub close: usize,
    pub elements: Vec<Element>,
    /// The author wrote one element a line and a comma after the last one: it stays so.
    pub tall: bool,
}

/// What stands between two commas.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub nodes: Vec<Node>,
    /// The comma after it.
    pub comma: Option<usize>,
}

impl Node {
    /// Index of its first atom.
    pub fn first(&self) -> usize {
        match self {
            Self::Atom(atom) => *atom,
            Self::Group(group) => group.open,
        }
    }

    /// Index of its last atom.
    pub fn last(&self) -> usize {
        match self {
            Self::Atom(atom) => *atom,
            Self::Group(group) => group.close,
        }
    }
}

/// The atoms of a file, and what is known of them together.
#[derive(Debug)]
pub(super) struct Atoms<'t> {
    pub all: Vec<Atom<'t>>,
    /// Blanks more before an atom, so that columns are aligned.
    pub pad: Vec<usize>,
    /// What an index that is none stands for.
    none: Atom<'t>,
}

impl<'t> Atoms<'t> {
    pub fn new(all: Vec<Atom<'t>>) -> Self {
        let pad = vec![0; all.len()];
        Self { all, pad, none: Atom::new("", ebsec_grammar::TokenKind::Blank, 0) }
    }

    pub fn get(&self, index: usize) -> &Atom<'t> {
        self.all.get(index).unwrap_or(&self.none)
    }

    pub fn role(&self, index: usize) -> Role {
        self.get(index).role
    }

    /// The role of a node that is one atom.
    pub fn role_of(&self, node: &Node) -> Option<Role> {
        match node {
            Node::Atom(atom) => Some(self.role(*atom)),
            Node::Group(_) => None,
        }
    }

    /// Blanks between two atoms on one line.
    pub fn gap(&self, before: usize, next: usize) -> usize {
        let apart = usize::from(roles::is_apart(self.get(before), self.get(next)));
        apart + self.pad.get(next).copied().unwrap_or_default()
    }

    /// The tree of some atoms.
    pub fn nodes(&self, atoms: Range<usize>) -> Vec<Node> {
        let mut at = atoms.start;
        let mut all = Vec::new();
        while at < atoms.end {
            all.push(self.node(&mut at, atoms.end));
        }
        all
    }

    fn node(&self, at: &mut usize, end: usize) -> Node {
        let open = *at;
        *at += 1;
        let Role::Open(bracket) = self.role(open) else { return Node::Atom(open) };
        let mut elements = Vec::new();
        let mut nodes = Vec::new();
        while *at < end {
            match self.role(*at) {
                Role::Close(_) => break,
                Role::Comma => {
                    elements.push(Element { nodes: std::mem::take(&mut nodes), comma: Some(*at) });
                    *at += 1;
                }
                _ => nodes.push(self.node(at, end)),
            }
        }
        if !nodes.is_empty() {
            elements.push(Element { nodes, comma: None });
        }
        let close = (*at).min(end.saturating_sub(1));
        *at += 1;
        let mut group = Group { bracket, open, close, elements, tall: false };
        group.tall = self.is_tall(&group);
        Node::Group(group)
    }

    fn is_tall(&self, group: &Group) -> bool {
        let begins_line = |element: &Element| element.nodes.first().is_some_and(|node| self.get(node.first()).line);
        let written = |comma: usize| !self.get(comma).text.is_empty();
        matches!(group.bracket, Bracket::Set | Bracket::Record)
            && group.elements.last().and_then(|last| last.comma).is_some_and(written)
            && group.elements.iter().all(begins_line)
            && self.get(group.close).line
    }

    /// Calls the function with each atom of the nodes that is printed where they stand on one line; gives whether it always
    /// said yes, and whether the nodes can stand on one line at all.
    fn flat(&self, nodes: &[Node], each: &mut dyn FnMut(usize) -> bool) -> bool {
        nodes.iter().all(|node| match node {
            Node::Atom(atom) => each(*atom),
            Node::Group(group) => {
                !group.tall && each(group.open) && {
                    let last = group.elements.len().saturating_sub(1);
                    let inner = group.elements.iter().enumerate().all(|(index, element)| {
                        let dropped = index == last && matches!(group.bracket, Bracket::Set | Bracket::Record);
                        self.flat(&element.nodes, each)
                            && element.comma.is_none_or(|comma| match dropped {
                                true => self.get(comma).trail.is_none(),
                                false => each(comma),
                            })
                    });
                    inner && each(group.close)
                }
            }
        })
    }

    /// The atoms of nodes that stand on one line.
    pub fn line(&self, nodes: &[Node]) -> Vec<usize> {
        let mut all = Vec::new();
        self.flat(nodes, &mut |atom| {
            all.push(atom);
            true
        });
        all
    }

    /// Columns of the nodes on one line, without the comments before and after them; none if there are others, if they must
    /// be broken, or if they have more than `most` columns.
    pub fn width(&self, nodes: &[Node], most: usize) -> Option<usize> {
        let last = nodes.last()?.last();
        let (mut before, mut width): (Option<usize>, usize) = (None, 0);
        let fits = self.flat(nodes, &mut |atom| {
            let this = self.get(atom);
            let commented = before.is_some() && !this.lead.is_empty() || atom != last && this.trail.is_some();
            width += before.map_or(0, |before| self.gap(before, atom)) + this.text.chars().count();
            before = Some(atom);
            !commented && width <= most
        });
        fits.then_some(width)
    }
}
