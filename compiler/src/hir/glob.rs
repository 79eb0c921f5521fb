//! Patterns of paths and comms: text in, parsed pattern or error out, and matching by definition (slow, for the
//! reference interpreter). Never normalises silently: what is not in the language is an error.

/// A parsed pattern; the original text is kept for dumps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    /// As written.
    pub text: String,
    /// Alternatives and segments, parsed.
    pub parts: Vec<Part>,
}

/// An element of a pattern, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// One byte.
    Byte(u8),
    /// One byte of the set (256 bits, little end first); never `/` in a path.
    Set([u64; 4]),
    /// `*`: any bytes, none included; in a path none of them `/`.
    Star,
    /// `**` between slashes: any number of whole segments. Stands for `(seg/)*` after a `/`,
    /// or at the end for `seg(/seg)*`. Paths only.
    Segments,
    /// `{a,b}`: one of the sequences.
    Alt(Vec<Vec<Part>>),
}
