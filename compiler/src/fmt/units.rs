//! Second pass: which atoms are an item, a member of a policy or a line of a test. Takes the tree and the atoms, numbers the
//! atoms, gives the units in the order of the text.

use super::atoms::Atom;
use ebsec_grammar::ast::{Item, ItemKind, MemberKind, TestLineKind};
use ebsec_grammar::{Entry, TokenKind, Tree};
use std::ops::Range;

/// What a unit is, as far as its layout goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnitKind {
    Import,
    /// `let`, `param`, `mark`, `fn`
    Define,
    /// `apply`, `except`
    Use,
    /// The line up to the `{` of a policy or test.
    Head,
    /// The `}` of one.
    Close,
    Property,
    Default,
    Rule,
    Process,
    Step,
    /// Bytes that stay as they are, and whether they stand in a policy or test.
    Verbatim {
        inner: bool,
    },
    /// The end of the file, with the comments before it.
    End,
}

impl UnitKind {
    /// Whether it stands in the braces of a policy or test.
    pub fn is_inner(self) -> bool {
        matches!(self, Self::Property | Self::Default | Self::Rule | Self::Process | Self::Step | Self::Verbatim { inner: true })
    }

    /// Whether its atoms have roles: what has not is printed as it comes.
    pub fn has_roles(self) -> bool {
        !matches!(self, Self::Head | Self::Close | Self::Verbatim { .. } | Self::End)
    }
}

/// One line of a file, or several that belong together.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub kind: UnitKind,
    /// Its atoms, documentation included.
    pub atoms: Range<usize>,
    /// How many of them are documentation.
    pub docs: usize,
    /// It fits one line and is broken all the same, for its neighbours' sake.
    pub broken: bool,
}

impl Unit {
    /// Its atoms without the documentation.
    pub fn code(&self) -> Range<usize> {
        self.atoms.start + self.docs..self.atoms.end
    }
}

/// Numbers the atoms by the unit that they are part of; gives the kinds of the units.
pub(super) fn number(tree: &Tree, atoms: &mut [Atom<'_>]) -> Vec<UnitKind> {
    let mut starts: Vec<(usize, UnitKind)> = tree.items().iter().flat_map(|entry| of_entry(tree, entry)).collect();
    starts.push((tree.text().len(), UnitKind::End));
    starts.sort_by_key(|(start, _)| *start);
    let mut unit = 0;
    for atom in atoms {
        while starts.get(unit + 1).is_some_and(|(start, _)| *start <= atom.start) {
            unit += 1;
        }
        atom.unit = unit;
    }
    starts.into_iter().map(|(_, kind)| kind).collect()
}

/// Puts the numbered atoms together.
pub(super) fn units(kinds: &[UnitKind], atoms: &[Atom<'_>]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::with_capacity(kinds.len());
    let mut at = 0;
    for (number, kind) in kinds.iter().enumerate() {
        let own = atoms.get(at..).unwrap_or_default().iter().take_while(|atom| atom.unit == number);
        let docs = own.clone().take_while(|atom| atom.kind == TokenKind::Doc).count();
        let end = at + own.count();
        units.push(Unit { kind: *kind, atoms: at..end, docs, broken: false });
        at = end;
    }
    units
}

/// Where the units of an item begin.
fn of_entry(tree: &Tree, entry: &Entry<'_>) -> Vec<(usize, UnitKind)> {
    let place = |part: usize, span| tree.absolute(part, span).start as usize;
    let mut all = vec![(place(entry.part, entry.item.span), of_item(entry.item))];
    all.extend(entry.members.iter().map(|(part, member)| {
        let kind = match member.kind {
            MemberKind::Prop { .. } | MemberKind::Scope(_) => UnitKind::Property,
            MemberKind::Default { .. } => UnitKind::Default,
            MemberKind::Rule(_) | MemberKind::Broken { .. } => UnitKind::Rule,
        };
        (place(*part, member.span), kind)
    }));
    all.extend(entry.lines.iter().map(|(part, line)| {
        let kind = if matches!(line.kind, TestLineKind::Process { .. }) { UnitKind::Process } else { UnitKind::Step };
        (place(*part, line.span), kind)
    }));
    if of_item(entry.item) == UnitKind::Head {
        let close = tree.parts().get(entry.end.saturating_sub(1)).map(|part| part.piece.span.start as usize);
        all.extend(close.map(|start| (start, UnitKind::Close)));
    }
    all
}

fn of_item(item: &Item) -> UnitKind {
    match item.kind {
        ItemKind::Import { .. } => UnitKind::Import,
        ItemKind::Apply { .. } | ItemKind::Except { .. } => UnitKind::Use,
        ItemKind::Policy(_) | ItemKind::Test { .. } => UnitKind::Head,
        _ => UnitKind::Define,
    }
}
