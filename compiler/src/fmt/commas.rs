//! Pass: commas. Takes atoms with roles; every set and record that is not empty gets a comma after its last element (which
//! is printed only where the brackets are broken into lines), and comments move behind the comma that follows them, so that
//! a comma stands where its element ends.

use super::atoms::{Atom, Comment};
use super::roles::{Bracket, Role};
use ebsec_grammar::TokenKind;

/// Gives the atoms with all commas in place.
pub(super) fn complete(atoms: Vec<Atom<'_>>) -> Vec<Atom<'_>> {
    let mut all: Vec<Atom<'_>> = Vec::with_capacity(atoms.len() + 16);
    let mut moved: Vec<Comment<'_>> = Vec::new();
    for mut atom in atoms {
        if !moved.is_empty() {
            moved.append(&mut atom.lead);
            atom.lead = std::mem::take(&mut moved);
        }
        if atom.role == Role::Comma {
            moved = behind(all.last_mut(), &mut atom);
        } else if matches!(atom.role, Role::Close(Bracket::Set | Bracket::Record))
            && let Some(last) = all.last_mut()
            && !matches!(last.role, Role::Comma | Role::Open(_))
        {
            let trail = last.trail.take();
            let comma = Atom { trail, unit: atom.unit, role: Role::Comma, ..Atom::new("", TokenKind::Punct, last.end) };
            all.push(comma);
        }
        all.push(atom);
    }
    all
}

/// Moves the comments of a comma and of what is before it behind the comma; gives those that go before the next atom.
fn behind<'t>(before: Option<&mut Atom<'t>>, comma: &mut Atom<'t>) -> Vec<Comment<'t>> {
    let mut rest = std::mem::take(&mut comma.lead);
    if let Some(trail) = before.and_then(|before| before.trail.take()) {
        rest.extend(comma.trail.replace(trail));
    } else if !rest.is_empty() {
        rest.extend(comma.trail.take());
    }
    rest
}
