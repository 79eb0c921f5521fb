//! Patterns of paths and comms: text in, parsed pattern or error out, and matching by definition (slow, for the
//! reference interpreter). Never normalises silently: what is not in the language is an error.

mod matcher;
mod parse;

pub use matcher::matches;
pub use parse::{GlobError, Kind, Problem, parse};

use std::sync::Arc;

/// A parsed pattern; the original text is kept for dumps. Copies share what they hold: a constant may be in many sets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    /// As written.
    pub text: Arc<str>,
    /// Alternatives and segments, parsed.
    pub parts: Arc<[Part]>,
}

/// An element of a pattern, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// One byte.
    Byte(u8),
    /// One byte of the set (256 bits, little end first); never `/` in a path. Apart, so that a byte takes less room: of
    /// bytes most patterns are made.
    Set(Box<[u64; 4]>),
    /// `*`: any bytes, none included; in a path none of them `/`.
    Star,
    /// `**` between slashes: any number of whole segments. Stands for `(seg/)*` after a `/`,
    /// or at the end for `seg(/seg)*`. Paths only; never within [`Part::Alt`].
    Segments,
    /// `{a,b}`: one of the sequences.
    Alt(Vec<Vec<Part>>),
}

impl Pattern {
    /// The one value that the pattern matches, if it has no wildcard.
    #[must_use]
    pub fn literal(&self) -> Option<Vec<u8>> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Byte(byte) => Some(*byte),
                _ => None,
            })
            .collect()
    }

    /// The pattern that matches exactly `bytes`. Its text escapes what would be a wildcard.
    #[must_use]
    pub fn exact(bytes: &[u8]) -> Self {
        let mut text = String::new();
        for c in String::from_utf8_lossy(bytes).chars() {
            if "*?[]{},\\".contains(c) {
                text.push('\\');
            }
            text.push(c);
        }
        Self { text: text.into(), parts: bytes.iter().map(|b| Part::Byte(*b)).collect() }
    }
}

/// A set of bytes as [`Part::Set`] keeps it.
pub(crate) fn set_of(mut member: impl FnMut(u8) -> bool) -> [u64; 4] {
    let mut set = [0u64; 4];
    for (word, bits) in set.iter_mut().enumerate() {
        for bit in 0..64 {
            if member((word * 64 + bit) as u8) {
                *bits |= 1 << bit;
            }
        }
    }
    set
}

/// Whether `byte` is in a set.
#[must_use]
pub fn set_has(set: &[u64; 4], byte: u8) -> bool {
    set.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
}
