//! Lays out what stands in a unit: on one line if it fits, otherwise broken where its outermost parts meet. Takes nodes,
//! writes text. Conditions break before `and` and `or`, sums before `+` and `-`, sets and records after each element.

use super::nodes::{Atoms, Element, Group, Node};
use super::roles::{Bracket, Role};
use super::write::Writer;
use super::{STEP, WIDTH};

/// What writes a file: its atoms, and the lines so far.
pub(super) struct Layout<'a, 't> {
    pub atoms: &'a Atoms<'t>,
    pub out: Writer,
    /// The atom that was written last.
    before: usize,
}

impl<'a, 't> Layout<'a, 't> {
    pub fn new(atoms: &'a Atoms<'t>, line_end: &'static str) -> Self {
        Self { atoms, out: Writer::new(line_end), before: usize::MAX }
    }

    /// Blanks between what was written last and an atom on the same line.
    fn gap(&self, atom: usize) -> usize {
        self.atoms.gap(self.before, atom)
    }

    /// Writes the comments before an atom; the empty lines among them stay, one before the first is not among them.
    pub fn leads(&mut self, atom: usize) {
        let atom = self.atoms.get(atom);
        let fresh = self.out.is_fresh();
        for (index, comment) in atom.lead.iter().enumerate() {
            if fresh && index > 0 && comment.blank {
                self.out.empty_line();
            }
            self.out.comment(comment.text);
        }
        if fresh && !atom.lead.is_empty() && atom.blank {
            self.out.empty_line();
        }
    }

    /// Writes an atom whose comments before it are written, and the comment after it.
    pub fn put(&mut self, atom: usize) {
        let (this, gap) = (self.atoms.get(atom), self.gap(atom));
        let comma = this.role == Role::Comma && this.text.is_empty();
        self.out.text(if comma { "," } else { this.text }, gap);
        if let Some(comment) = this.trail {
            self.out.trail(comment.text);
        }
        self.before = atom;
    }

    /// Writes an atom with its comments.
    pub fn atom(&mut self, atom: usize) {
        self.leads(atom);
        self.put(atom);
    }

    /// Whether nodes fit into the rest of the line, with so many columns behind them.
    fn fits(&self, nodes: &[Node], behind: usize) -> bool {
        let Some(first) = nodes.first().map(Node::first) else { return true };
        let column = self.out.column(self.gap(first)) + behind;
        WIDTH.checked_sub(column).is_some_and(|room| self.atoms.width(nodes, room).is_some())
    }

    /// Writes nodes: on the line if they fit, otherwise broken. `behind` is how many columns follow the last of them on its
    /// line.
    pub fn phrase(&mut self, nodes: &[Node], indent: usize, behind: usize) {
        if let Some(first) = nodes.first() {
            self.leads(first.first());
            self.body(nodes, indent, behind);
        }
    }

    /// A phrase; the comments before its first atom are written.
    fn body(&mut self, nodes: &[Node], indent: usize, behind: usize) {
        if self.fits(nodes, behind) {
            return self.rest_of_line(nodes);
        }
        let conditions = self.pieces(nodes, Role::Logic);
        let sums = self.pieces(nodes, Role::Sum);
        let events = self.events(nodes);
        if conditions.len() > 1 {
            self.broken(&conditions, indent + STEP, behind);
        } else if sums.len() > 1 && !self.hugs(nodes, behind) {
            self.broken(&sums, indent + STEP, behind);
        } else if events.len() > 1 {
            self.broken(&events, indent + 2 * STEP, behind);
        } else {
            self.sequence(nodes, indent, behind);
        }
    }

    /// Writes what begins with clauses of its own: on one line if it fits and may, otherwise each clause on a line.
    pub fn clauses(&mut self, nodes: &[Node], indent: usize, broken: bool) {
        let Some(first) = nodes.first() else { return };
        self.leads(first.first());
        if !broken && self.fits(nodes, 0) {
            return self.rest_of_line(nodes);
        }
        for (index, piece) in self.pieces(nodes, Role::Clause).into_iter().enumerate() {
            if index == 0 {
                self.body(piece, indent, 0);
            } else {
                self.out.newline(indent + STEP);
                self.phrase(piece, indent + STEP, 0);
            }
        }
    }

    /// Writes an operation of a test with its verdict, which gets a line of its own if both do not fit one.
    pub fn step(&mut self, nodes: &[Node], indent: usize) {
        let Some(first) = nodes.first() else { return };
        self.leads(first.first());
        match self.pieces(nodes, Role::Arrow).as_slice() {
            [operation, verdict] if !self.fits(nodes, 0) && self.fits(operation, 0) => {
                self.rest_of_line(operation);
                self.out.newline(indent + STEP);
                self.phrase(verdict, indent + STEP, 0);
            }
            _ => self.body(nodes, indent, 0),
        }
    }

    /// Writes nodes on the line, the comments before which are written.
    fn rest_of_line(&mut self, nodes: &[Node]) {
        let mut atoms = self.atoms.line(nodes).into_iter();
        if let Some(first) = atoms.next() {
            self.put(first);
        }
        atoms.for_each(|atom| self.atom(atom));
    }

    /// The nodes cut before each atom of a role, but not before the first one.
    fn pieces<'n>(&self, nodes: &'n [Node], role: Role) -> Vec<&'n [Node]> {
        let cuts = nodes.iter().enumerate().skip(1).filter(|(_, node)| self.atoms.role_of(node) == Some(role));
        let mut pieces = Vec::new();
        let mut start = 0;
        for (at, _) in cuts {
            pieces.extend(nodes.get(start..at));
            start = at;
        }
        pieces.extend(nodes.get(start..));
        pieces
    }

    /// The nodes cut behind each comma outside of brackets: the events of a rule.
    fn events<'n>(&self, nodes: &'n [Node]) -> Vec<&'n [Node]> {
        nodes.split_inclusive(|node| self.atoms.role_of(node) == Some(Role::Comma)).collect()
    }

    /// Writes pieces, each but the first on a line of its own. The comments before the first are written.
    fn broken(&mut self, pieces: &[&[Node]], indent: usize, behind: usize) {
        for (index, piece) in pieces.iter().enumerate() {
            let behind = if index + 1 == pieces.len() { behind } else { 0 };
            if index == 0 {
                self.body(piece, indent, behind);
            } else {
                self.out.newline(indent);
                self.phrase(piece, indent, behind);
            }
        }
    }

    /// Whether a sum reads best with its one set broken and the rest on the lines of the brackets.
    fn hugs(&self, nodes: &[Node], behind: usize) -> bool {
        let sets = nodes.iter().enumerate().filter_map(|(at, node)| match node {
            Node::Group(group) if group.bracket == Bracket::Set && !group.elements.is_empty() => Some(at),
            _ => None,
        });
        let sets: Vec<usize> = sets.collect();
        let [set] = sets.as_slice() else { return false };
        let rest = nodes.get(set + 1..).unwrap_or_default();
        let after = rest.is_empty() || self.atoms.width(rest, WIDTH / 2).is_some();
        // The bracket that opens follows on the line, behind a blank.
        after && self.fits(nodes.get(..*set).unwrap_or_default(), behind.max(2))
    }

    /// Writes nodes one after the other, breaking brackets that do not fit. The comments before the first are written.
    fn sequence(&mut self, nodes: &[Node], indent: usize, behind: usize) {
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                self.leads(node.first());
            }
            match node {
                Node::Atom(atom) => self.put(*atom),
                Node::Group(group) => {
                    let behind = self.behind(nodes.get(index + 1..).unwrap_or_default(), group.close, behind);
                    if self.fits(std::slice::from_ref(node), behind) {
                        self.rest_of_line(std::slice::from_ref(node));
                    } else {
                        self.group(group, indent, behind);
                    }
                }
            }
        }
    }

    /// Columns that follow a node on its line: up to the next brackets, which can be broken.
    fn behind(&self, nodes: &[Node], before: usize, behind: usize) -> usize {
        let mut width = 0;
        let mut last = before;
        for node in nodes {
            let first = node.first();
            width += self.atoms.gap(last, first) + self.atoms.get(first).text.chars().count();
            match node {
                Node::Atom(_) => last = first,
                Node::Group(_) => return width,
            }
        }
        width + behind
    }

    /// Writes brackets whose content does not fit on their line.
    fn group(&mut self, group: &Group, indent: usize, behind: usize) {
        self.put(group.open);
        match group.bracket {
            Bracket::Group | Bracket::Index => {
                group.elements.iter().for_each(|element| self.phrase(&element.nodes, indent, behind + 1));
                self.atom(group.close);
            }
            Bracket::Set | Bracket::Record | Bracket::Call => {
                for (index, element) in group.elements.iter().enumerate() {
                    self.element(element, index, indent + STEP);
                }
                self.out.newline(indent + STEP);
                self.leads(group.close);
                self.out.newline(indent);
                self.put(group.close);
            }
        }
    }

    /// Writes an element on lines of its own.
    fn element(&mut self, element: &Element, index: usize, indent: usize) {
        self.out.newline(indent);
        let first = element.nodes.first().map_or(usize::MAX, Node::first);
        if index > 0 && self.atoms.get(first).is_set_off() {
            self.out.empty_line();
        }
        let behind = usize::from(element.comma.is_some());
        self.phrase(&element.nodes, indent, behind);
        if let Some(comma) = element.comma {
            self.atom(comma);
        }
    }
}
