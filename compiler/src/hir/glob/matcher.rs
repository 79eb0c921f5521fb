//! Matching by definition: a pattern and bytes in, yes or no out. Works on sets of offsets, one part after the other,
//! so the work is at most parts x bytes squared. Never backtracks.

use super::{Part, Pattern, set_has};
use crate::hir::Space;

/// Whether `pattern` matches all of `bytes`. For [`Space::Path`] the bytes are an absolute normalised path.
#[must_use]
pub fn matches(pattern: &Pattern, bytes: &[u8], space: Space) -> bool {
    if !begins_alike(&pattern.parts, bytes) {
        return false;
    }
    let mut reached = vec![false; bytes.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    let end = sequence(&pattern.parts, bytes, space, reached);
    end.last().copied().unwrap_or(false)
}

/// Whether the bytes begin with the literal ones that the pattern begins with: most patterns fail here.
fn begins_alike(parts: &[Part], bytes: &[u8]) -> bool {
    let literal = parts.iter().map_while(|part| if let Part::Byte(byte) = part { Some(byte) } else { None });
    let mut bytes = bytes.iter();
    literal.into_iter().all(|wanted| bytes.next() == Some(wanted))
}

/// The offsets reached after `parts` from the offsets in `from`.
fn sequence(parts: &[Part], bytes: &[u8], space: Space, from: Vec<bool>) -> Vec<bool> {
    let mut reached = from;
    for (i, part) in parts.iter().enumerate() {
        reached = match part {
            Part::Byte(wanted) => one(bytes, &reached, |byte| byte == *wanted),
            Part::Set(set) => one(bytes, &reached, |byte| set_has(set, byte)),
            Part::Star => star(bytes, space, reached),
            Part::Segments => segments(bytes, reached, i + 1 == parts.len()),
            Part::Alt(alternatives) => alternatives.iter().fold(vec![false; bytes.len() + 1], |sum, alternative| {
                let one = sequence(alternative, bytes, space, reached.clone());
                sum.iter().zip(&one).map(|(a, b)| *a || *b).collect()
            }),
        };
        if !reached.contains(&true) {
            break;
        }
    }
    reached
}

fn one(bytes: &[u8], from: &[bool], takes: impl Fn(u8) -> bool) -> Vec<bool> {
    let mut reached = vec![false];
    reached.extend(bytes.iter().zip(from).map(|(byte, here)| *here && takes(*byte)));
    reached
}

fn star(bytes: &[u8], space: Space, mut reached: Vec<bool>) -> Vec<bool> {
    let mut on = false;
    for (offset, here) in reached.iter_mut().enumerate() {
        if offset > 0 && space == Space::Path && bytes.get(offset - 1) == Some(&b'/') {
            on = false;
        }
        on |= *here;
        *here = on;
    }
    reached
}

/// `(seg/)*` in the middle; at the end `seg(/seg)*`, which takes all that is left of a normalised path.
fn segments(bytes: &[u8], mut reached: Vec<bool>, last: bool) -> Vec<bool> {
    if last {
        let any = reached.iter().take(bytes.len()).any(|here| *here);
        let mut end = vec![false; bytes.len() + 1];
        if let Some(slot) = end.last_mut() {
            *slot = any && bytes.last() != Some(&b'/');
        }
        return end;
    }
    let mut on = false;
    for (offset, here) in reached.iter_mut().enumerate() {
        let after_slash = offset > 0 && bytes.get(offset - 1) == Some(&b'/');
        let after_segment = after_slash && offset > 1 && bytes.get(offset - 2) != Some(&b'/');
        let start = *here;
        *here = start || (on && after_segment);
        on |= start;
    }
    reached
}
