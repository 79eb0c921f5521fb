//! A file as parts: text in, a tree of parts out, each read by itself. After an edit only the parts whose text changed are
//! read again. Never reads files, never gives up on the rest of a file.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::formats;
use crate::lex::{self, Lexer};
use crate::outline::{self, PartKind, Piece, Within};
use crate::read::{self, Content};
use crate::{MAX_BYTES, MAX_ERRORS};

/// A part of a file: where it stands and what stands in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is, where it stands, and its name.
    pub piece: Piece,
    /// What its text says: the same for the same text. Its places count from the start of the part.
    pub content: Arc<Content>,
    key: u64,
}

/// A file in parts. Two trees are equal if their texts, parts and mistakes are.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    text: String,
    parts: Vec<Part>,
}

/// A mistake in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Index of the part from whose start its places count. They may lie beyond its end.
    pub part: usize,
    /// What is wrong.
    pub error: SyntaxError,
}

/// Reads a policy file.
#[must_use]
pub fn parse(text: &str) -> Tree {
    reparse(&Tree::default(), text)
}

/// Reads a policy file again; parts whose text stands in `old` already are taken from there.
#[must_use]
pub fn reparse(old: &Tree, text: &str) -> Tree {
    let whole = if text.len() > MAX_BYTES { Some(too_large()) } else { formats::recognise(text) };
    if let Some(error) = whole {
        return unread(text, error);
    }
    let known: HashMap<u64, &Part> = old.parts.iter().filter(|p| !p.content.partial).map(|p| (p.key, p)).collect();
    let outline = outline::outline(text);
    let mut parts: Vec<Part> = Vec::with_capacity(outline.pieces.len());
    let (mut nodes, mut errors) = (Vec::new(), 0);
    for piece in outline.pieces {
        let slice = crate::slice(text, piece.span);
        let key = key(&piece, slice);
        let before = known.get(&key).filter(|part| old.holds(part, &piece, slice));
        let content = match before {
            Some(part) => Arc::clone(&part.content),
            None => {
                let room = (MAX_ERRORS + 1).saturating_sub(errors);
                Arc::new(read::read(&piece, slice, outline.plain, room, &mut nodes))
            }
        };
        errors += content.errors.len();
        parts.push(Part { piece, content, key });
    }
    Tree { text: text.to_owned(), parts }
}

fn too_large() -> SyntaxError {
    let message = format!("the file has more than {MAX_BYTES} bytes, the most that are read of one");
    SyntaxError::new(error::TOO_LARGE, Span::default(), message).help("split the policy into several files")
}

/// A text of which nothing is read, and why.
fn unread(text: &str, error: SyntaxError) -> Tree {
    let content = Content { errors: vec![error], partial: true, ..Content::default() };
    let span = crate::span(0, text.len());
    let piece = Piece { kind: PartKind::Unknown, within: Within::File, head: false, span, name: None };
    Tree { text: text.to_owned(), parts: vec![Part { piece, content: Arc::new(content), key: 0 }] }
}

/// All that a part's content depends on, as a number.
fn key(piece: &Piece, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (text, piece.kind, piece.within, piece.head, is_first(piece, text)).hash(&mut hasher);
    hasher.finish()
}

/// Whether it matters that the part is the first of its file: a byte order mark has a message of its own there.
fn is_first(piece: &Piece, text: &str) -> bool {
    piece.span.start == 0 && text.starts_with('\u{feff}')
}

impl Tree {
    /// The text, byte for byte.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parts in the order of the text. Each byte of it is in one of them.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The text of a part.
    #[must_use]
    pub fn slice(&self, part: &Part) -> &str {
        crate::slice(&self.text, part.piece.span)
    }

    /// The tokens of a part, with places that count from its start.
    #[must_use]
    pub fn tokens(&self, part: &Part) -> Lexer<'_> {
        lex::tokens(self.slice(part))
    }

    /// Mistakes in the order of the text, and no more than are shown of one file.
    #[must_use]
    pub fn errors(&self) -> Vec<Found> {
        let all = self.parts.iter().enumerate();
        let in_parts = all.flat_map(|(part, p)| p.content.errors.iter().map(move |error| Found { part, error: error.clone() }));
        let mut found: Vec<Found> = in_parts.take(MAX_ERRORS + 1).collect();
        let closers = self.misplaced_closers();
        found.retain(|f| !closers.contains(&f.part));
        self.blocks(|_| {}, |part, error| found.push(Found { part, error }));
        found.sort_by_key(|f| (self.absolute(f.part, f.error.span), f.error.code));
        if found.len() > MAX_ERRORS {
            found.truncate(MAX_ERRORS);
            if let Some(last) = found.last() {
                let message = format!("more than {MAX_ERRORS} errors; the others are not shown");
                let error = SyntaxError::new(error::TOO_MANY, last.error.span, message);
                found.push(Found { part: last.part, error });
            }
        }
        found
    }

    /// A place of a part as bytes of the text.
    #[must_use]
    pub fn absolute(&self, part: usize, span: Span) -> Span {
        let start = self.parts.get(part).map_or(0, |p| p.piece.span.start);
        Span { start: start + span.start, end: start + span.end }
    }

    /// Whether the content of a part of this tree is that of a piece of this text.
    fn holds(&self, part: &Part, piece: &Piece, text: &str) -> bool {
        let (old, before) = (&part.piece, self.slice(part));
        let same = (old.kind, old.within, old.head) == (piece.kind, piece.within, piece.head);
        same && before == text && is_first(old, before) == is_first(piece, text)
    }
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        let pairs = || self.parts.iter().zip(&other.parts);
        let content = |a: &Content, b: &Content| a.items == b.items && a.members == b.members && a.lines == b.lines;
        self.text == other.text
            && self.parts.len() == other.parts.len()
            && pairs().all(|(a, b)| a.piece == b.piece && content(&a.content, &b.content))
            && self.errors() == other.errors()
    }
}
