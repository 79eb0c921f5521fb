//! Third pass: what each atom of a unit does. Takes atoms and the kinds of their units, writes the roles into the atoms. A
//! file that parses needs no more than the words and brackets before an atom to tell.

use super::atoms::Atom;
use super::units::UnitKind;
use ebsec_grammar::{TokenKind, keywords};

/// What stands in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bracket {
    /// `[a, b]`
    Set,
    /// `{ a = b }`
    Record,
    /// `(a or b)`
    Group,
    /// `f(a, b)`
    Call,
    /// `a["b"]`
    Index,
}

/// What an atom does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A word, a literal, an operator.
    Plain,
    Open(Bracket),
    Close(Bracket),
    Comma,
    /// `and`, `or`
    Logic,
    /// `+`, `-` between sets
    Sum,
    /// The word that begins a clause.
    Clause,
    /// `=` outside of brackets
    Equals,
    /// `=>`
    Arrow,
    /// `:` and the `>` of a type: no blank before it.
    Left,
    /// `..`, `/` and the `<` of a type: no blank around it.
    Tight,
}

const CLAUSES: &[&str] = &["when", "unless", "because", "with", "where", "until"];

/// Gives the atoms their roles.
pub(super) fn assign(kinds: &[UnitKind], atoms: &mut [Atom<'_>]) {
    let mut open: Vec<Bracket> = Vec::new();
    // Whether the unit's `=` came already, and what the atom before could be the name of.
    let (mut unit, mut equals, mut named) = (usize::MAX, false, false);
    let mut before = "";
    for atom in atoms {
        let kind = kinds.get(atom.unit).copied().unwrap_or(UnitKind::End);
        if atom.unit != unit {
            (unit, equals, named) = (atom.unit, false, false);
            open.clear();
        }
        if kind == UnitKind::Close {
            atom.blank = false; // no empty line before a brace that closes
        }
        // The parameters that a test pins.
        let pins = kind == UnitKind::Head && (!open.is_empty() || atom.text == "{" && before == "with");
        before = atom.text;
        if !kind.has_roles() && !pins {
            continue;
        }
        let of_type = kind == UnitKind::Define && !equals;
        atom.role = match atom.kind {
            TokenKind::Word => word(atom.text, open.is_empty()),
            TokenKind::Punct if atom.text.len() <= 2 => punct(atom.text, &mut open, named, of_type),
            _ => Role::Plain,
        };
        atom.blank &= !matches!(atom.role, Role::Close(_));
        equals |= atom.role == Role::Equals;
        named = atom.kind == TokenKind::Word && atom.role == Role::Plain && !keywords().contains(&atom.text);
    }
}

fn word(text: &str, outside: bool) -> Role {
    match text {
        "and" | "or" => Role::Logic,
        _ if outside && CLAUSES.contains(&text) => Role::Clause,
        _ => Role::Plain,
    }
}

fn punct(text: &str, open: &mut Vec<Bracket>, named: bool, of_type: bool) -> Role {
    match text {
        "(" => push(open, if named { Bracket::Call } else { Bracket::Group }),
        "[" => push(open, if named { Bracket::Index } else { Bracket::Set }),
        "{" => push(open, Bracket::Record),
        ")" | "]" | "}" => open.pop().map_or(Role::Plain, Role::Close),
        "," => Role::Comma,
        ":" => Role::Left,
        ".." | "/" => Role::Tight,
        "<" if of_type => Role::Tight,
        ">" if of_type => Role::Left,
        "+" | "-" => Role::Sum,
        "=" if open.is_empty() => Role::Equals,
        "=>" => Role::Arrow,
        _ => Role::Plain,
    }
}

fn push(open: &mut Vec<Bracket>, bracket: Bracket) -> Role {
    open.push(bracket);
    Role::Open(bracket)
}

/// Whether a blank stands between two atoms on one line.
pub(super) fn is_apart(before: &Atom<'_>, next: &Atom<'_>) -> bool {
    let closes = |bracket| bracket != Bracket::Record;
    match (before.role, next.role) {
        (Role::Open(Bracket::Record), Role::Close(Bracket::Record)) => false,
        (_, Role::Comma | Role::Left | Role::Tight) | (Role::Tight, _) => false,
        (_, Role::Open(Bracket::Call | Bracket::Index)) => false,
        (_, Role::Close(bracket)) if closes(bracket) => false,
        (Role::Open(bracket), _) if closes(bracket) => false,
        // The braces of an empty policy.
        _ => !(before.text == "{" && next.text == "}"),
    }
}
