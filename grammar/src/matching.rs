//! Which parts of a tree a new text has too. Takes the tree, the text and its pieces; gives for each piece the part whose
//! content it has. Reads no part.

use std::collections::HashMap;

use crate::outline::Piece;
use crate::parts::{Part, Tree};

/// All that a part's content depends on.
type Key<'t> = (&'t str, Piece, bool);

/// How many parts at the start and at the end are the same before and after a change.
pub(crate) fn ends(old: &Tree, pieces: &[Piece], text: &str) -> (usize, usize) {
    let parts = old.parts();
    let same = |part: &Part, piece: &Piece| old_key(old, part) == key(piece, text);
    let before = parts.iter().zip(pieces).take_while(|(part, piece)| same(part, piece)).count();
    let most = parts.len().min(pieces.len()) - before;
    let after = parts.iter().rev().zip(pieces.iter().rev()).take(most).take_while(|(part, piece)| same(part, piece)).count();
    (before, after)
}

/// For each of some pieces the index of the part that it was in the old tree, between parts at the start and at the end.
pub(crate) fn between(old: &Tree, (before, after): (usize, usize), pieces: &[Piece], text: &str) -> Vec<Option<usize>> {
    let last = old.parts().len() - after;
    let mut parts: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
    for (index, part) in old.parts().iter().enumerate().take(last).skip(before).rev() {
        parts.entry(old_key(old, part)).or_default().push(index);
    }
    let mut found = |piece| if parts.is_empty() { None } else { parts.get_mut(&key(piece, text))?.pop() };
    pieces.iter().map(&mut found).collect()
}

fn old_key<'t>(old: &'t Tree, part: &Part) -> Key<'t> {
    key(&part.piece, old.text())
}

/// What a piece is without its place. Whether it is the first of its file matters where a byte order mark stands, which has
/// a message of its own there.
fn key<'t>(piece: &Piece, text: &'t str) -> Key<'t> {
    let slice = crate::slice(text, piece.span);
    let first = piece.span.start == 0 && slice.starts_with('\u{feff}');
    (slice, Piece { span: crate::span(0, 0), ..*piece }, first)
}
