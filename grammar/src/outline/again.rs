//! The outline after an edit: a tree and the new text in, and out come which of its parts the text begins and ends with, and the
//! parts between these. Cuts only from the first part that looked at what changed to where the parts are the old ones again.

use super::{Cut, Cutter, PartKind, Piece, Within, begins_block_comment};
use crate::lex;
use crate::parts::{Part, Tree};

/// The parts of a text that may be others than before the edit.
pub(crate) struct Again {
    /// How many parts of the old text begin the new one.
    pub before: usize,
    /// The parts after them.
    pub pieces: Vec<Piece>,
    /// What cutting these looked at.
    pub cuts: Vec<Cut>,
    /// How many parts of the old text end the new one.
    pub after: usize,
}

/// How many bytes behind a token decide where it ends.
const AHEAD: u64 = 4;

/// So many bytes behind what changed are cut into tokens at first.
const WINDOW: usize = 512;

/// Cuts a text again. `None` if all of it has to be cut, since a comment may end anywhere in it.
pub(crate) fn again(old: &Tree, text: &str) -> Option<Again> {
    let parts = old.parts();
    let (start, kept) = common(old.text().as_bytes(), text.as_bytes());
    let mut before = parts.iter().position(|part| reaches(part, start)).unwrap_or(parts.len().saturating_sub(1));
    while parts.get(before).is_some_and(|part| part.cut.unclosed) {
        before = before.checked_sub(1)?;
    }
    let last = before.checked_sub(1).and_then(|at| parts.get(at));
    let within = last.map_or(Within::File, |last| after(&last.piece));
    // The token before the first part that is cut is looked at too.
    let from = last.map_or(0, |last| last.piece.span.start);
    let first = parts.get(before)?.piece.span.start;
    let changed = text.len() - kept;
    let mut window = WINDOW;
    loop {
        let end = changed.saturating_add(window);
        let mut tokens = Vec::new();
        for token in lex::from(text, from as usize).take_while(|token| (token.span.start as usize) < end) {
            if begins_block_comment(text, token) {
                return None;
            }
            if !token.kind.is_trivia() {
                tokens.push(token);
            }
        }
        let mut cutter = Cutter::new(text, tokens, within);
        cutter.at = cutter.tokens.partition_point(|token| token.span.start < first);
        if before == 0 {
            cutter.begin();
        }
        let moved = Moved { old, changed, by: text.len() as i64 - old.text().len() as i64 };
        if let Some(after) = moved.cut(&mut cutter, end >= text.len()) {
            return Some(Again { before, pieces: cutter.pieces, cuts: cutter.cuts, after });
        }
        window = window.saturating_mul(8);
    }
}

/// The end of a text that is as it was.
struct Moved<'o> {
    old: &'o Tree,
    /// Where it begins in the new text.
    changed: usize,
    /// How many bytes further behind it is than before.
    by: i64,
}

impl Moved<'_> {
    /// Cuts until the parts are those of the old text again, and gives how many of these are left. `None` if more tokens are
    /// needed than there are.
    fn cut(&self, cutter: &mut Cutter<'_>, whole: bool) -> Option<usize> {
        // Where two parts in a row are the same, the token before the second one is too.
        let mut same = 0;
        loop {
            let more = cutter.step();
            if !whole && (cutter.seen.get() >= cutter.tokens.len() || !more) {
                return None;
            }
            if !more {
                return Some(0);
            }
            let left = self.left(cutter);
            same = if left.is_some() { same + 1 } else { 0 };
            if same > 1 {
                return left;
            }
        }
    }

    /// How many parts of the old text are left, if the next part begins where one of them does and is read like it.
    fn left(&self, cutter: &Cutter<'_>) -> Option<usize> {
        let parts = self.old.parts();
        let place = cutter.start(cutter.at);
        let old = u32::try_from(i64::from(place) - self.by).ok().filter(|_| place as usize >= self.changed)?;
        let at = parts.partition_point(|part| part.piece.span.start < old);
        let (part, last) = (parts.get(at)?, parts.get(at.checked_sub(1)?)?);
        let same = part.piece.span.start == old && after(&last.piece) == cutter.within;
        (same && !part.cut.unclosed && cutter.at >= cutter.unclosed).then(|| parts.len() - at)
    }
}

/// In what stands what follows a part.
fn after(piece: &Piece) -> Within {
    match (piece.head, piece.kind) {
        (true, PartKind::Test) => Within::Test,
        (true, _) => Within::Policy,
        (false, PartKind::Close) => Within::File,
        _ => piece.within,
    }
}

/// Whether cutting a part looked at a place, or would see another token if what stands there changed.
fn reaches(part: &Part, place: usize) -> bool {
    let end = u64::from(part.piece.span.start) + u64::from(part.cut.reach) + AHEAD;
    part.cut.reach == u32::MAX || end > place as u64
}

/// How many bytes two texts have in common at their start, and behind these at their end.
fn common(old: &[u8], new: &[u8]) -> (usize, usize) {
    const CHUNK: usize = 1024;
    let whole = old.chunks(CHUNK).zip(new.chunks(CHUNK)).take_while(|(a, b)| a == b).count() * CHUNK;
    let whole = whole.min(old.len()).min(new.len());
    let start = whole + old.iter().skip(whole).zip(new.iter().skip(whole)).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - start;
    let whole = old.rchunks(CHUNK).zip(new.rchunks(CHUNK)).take_while(|(a, b)| a == b).count() * CHUNK;
    let whole = whole.min(most);
    let rest = old.iter().rev().skip(whole).zip(new.iter().rev().skip(whole)).take_while(|(a, b)| a == b).count();
    (start, most.min(whole + rest))
}
