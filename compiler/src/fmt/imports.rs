//! Pass: imports. Takes the units of a file and their atoms; all imports come together where the first one is, sorted. Where
//! a comment is among them nothing moves, since nobody can tell what it is about.

use super::atoms::Atom;
use super::units::UnitKind;

/// Gives the kinds and atoms with the imports in order.
pub(super) fn sort<'t>(kinds: Vec<UnitKind>, atoms: Vec<Atom<'t>>) -> (Vec<UnitKind>, Vec<Atom<'t>>) {
    let is_import = |atom: &&Atom<'_>| kinds.get(atom.unit) == Some(&UnitKind::Import);
    let Some(first) = atoms.iter().find(is_import).map(|atom| (atom.unit, atom.start)) else { return (kinds, atoms) };
    let commented = |atom: &Atom<'_>| {
        // What stands above the first one, with an empty line between, is about the file.
        let above = atom.start == first.1 && atom.blank;
        !above && !atom.lead.is_empty() || atom.trail.is_some() || atom.kind == ebsec_grammar::TokenKind::Doc
    };
    if atoms.iter().filter(is_import).any(commented) {
        return (kinds, atoms);
    }
    let mut imports: Vec<Vec<Atom<'t>>> = Vec::new();
    let mut others: Vec<Atom<'t>> = Vec::new();
    for atom in atoms {
        match kinds.get(atom.unit) {
            Some(UnitKind::Import) => match imports.last_mut().filter(|last| last.last().is_some_and(|a| a.unit == atom.unit)) {
                Some(last) => last.push(atom),
                None => imports.push(vec![atom]),
            },
            _ => others.push(atom),
        }
    }
    let (lead, blank) =
        imports.first_mut().and_then(|own| own.first_mut()).map(|a| (std::mem::take(&mut a.lead), a.blank)).unwrap_or_default();
    imports.sort_by_cached_key(|own| own.iter().map(|atom| atom.text).collect::<Vec<_>>());
    imports.iter_mut().filter_map(|own| own.first_mut()).for_each(|atom| (atom.line, atom.blank) = (true, false));
    if let Some(atom) = imports.first_mut().and_then(|own| own.first_mut()) {
        (atom.lead, atom.blank) = (lead, blank);
    }
    let mut all = Order::default();
    let mut imports = Some(imports);
    for atom in others {
        if atom.unit > first.0
            && let Some(imports) = imports.take()
        {
            imports.into_iter().for_each(|own| all.unit(UnitKind::Import, own));
        }
        let kind = kinds.get(atom.unit).copied().unwrap_or(UnitKind::End);
        all.atom(kind, atom);
    }
    (all.kinds, all.atoms)
}

/// Units in a new order, numbered anew.
#[derive(Default)]
struct Order<'t> {
    kinds: Vec<UnitKind>,
    atoms: Vec<Atom<'t>>,
    /// The old number of the unit that is last.
    last: Option<usize>,
}

impl<'t> Order<'t> {
    fn unit(&mut self, kind: UnitKind, own: Vec<Atom<'t>>) {
        own.into_iter().for_each(|atom| self.atom(kind, atom));
    }

    fn atom(&mut self, kind: UnitKind, atom: Atom<'t>) {
        if self.last != Some(atom.unit) {
            self.last = Some(atom.unit);
            self.kinds.push(kind);
        }
        self.atoms.push(Atom { unit: self.kinds.len() - 1, ..atom });
    }
}
