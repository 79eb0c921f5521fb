//! A file as parts: text in, a tree of parts out, each read by itself. After an edit only the parts whose text changed are
//! read again. Never reads files, never gives up on the rest of a file.

use std::ops::Range;
use std::sync::Arc;

use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::formats;
use crate::lex::{self, Lexer};
use crate::matching;
use crate::outline::{self, Again, Cut, Outline, PartKind, Piece, Within};
use crate::read::{self, Content};
use crate::tree::Node;
use crate::{MAX_BYTES, MAX_ERRORS};

/// A part of a file: where it stands and what stands in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is, where it stands, and its name.
    pub piece: Piece,
    /// What its text says: the same for the same text. Its places count from the start of the part.
    pub content: Arc<Content>,
    pub(crate) cut: Cut,
}

/// A file in parts. Two trees are equal if their texts, parts and mistakes are.
#[derive(Clone, Debug)]
pub struct Tree {
    text: Arc<str>,
    parts: Vec<Part>,
    /// After an edit all of it has to be cut again.
    whole: bool,
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
    parse_shared(text.into())
}

/// Reads a policy file whose text others hold too.
#[must_use]
pub fn parse_shared(text: Arc<str>) -> Tree {
    reparse(&Tree::default(), text).tree
}

/// A file that was read again.
#[derive(Clone, Debug)]
pub struct Reread {
    /// The file.
    pub tree: Tree,
    /// For each part its index in the old tree, if it was there already. No two parts were the same one.
    pub before: Vec<Option<usize>>,
}

/// Reads a policy file again; parts whose text stands in `old` already are taken from there.
#[must_use]
pub fn reparse(old: &Tree, text: Arc<str>) -> Reread {
    let whole = if text.len() > MAX_BYTES { Some(too_large()) } else { formats::recognise(&text) };
    if let Some(error) = whole {
        return Reread { tree: unread(text, error), before: vec![None] };
    }
    let again = if old.whole { None } else { outline::again(old, &text) };
    let (before, outline, after) = match again {
        Some(Again { before, pieces, cuts, after }) => (before, Outline { pieces, cuts, plain: false, blocks: false }, after),
        None => {
            let Outline { mut pieces, mut cuts, plain, blocks } = outline::outline(&text);
            let (before, after) = matching::ends(old, &pieces, &text);
            let middle = before..pieces.len() - after;
            let (pieces, cuts) = (pieces.drain(middle.clone()).collect(), cuts.drain(middle).collect());
            (before, Outline { pieces, cuts, plain, blocks }, after)
        }
    };
    let between = matching::between(old, (before, after), &outline.pieces, &text);
    let mut reader = Reader { old, text: &text, plain: outline.plain, nodes: Vec::new(), errors: 0, parts: Vec::new(), before: Vec::new() };
    reader.parts.reserve(before + outline.pieces.len() + after);
    reader.before.reserve(before + outline.pieces.len() + after);
    let last = old.parts.len() - after;
    old.parts.iter().enumerate().take(before).for_each(|(index, part)| reader.add(part.piece, part.cut, Some(index)));
    let new = outline.pieces.into_iter().zip(outline.cuts).zip(between);
    new.for_each(|((piece, cut), before)| reader.add(piece, cut, before));
    let moved = |at: u32| (i64::from(at) + text.len() as i64 - old.text.len() as i64) as u32;
    for (index, Part { piece, cut, .. }) in old.parts.iter().enumerate().skip(last) {
        let span = Span { start: moved(piece.span.start), end: moved(piece.span.end) };
        reader.add(Piece { span, ..*piece }, *cut, Some(index));
    }
    let (parts, before) = (reader.parts, reader.before);
    Reread { tree: Tree { text, parts, whole: outline.blocks }, before }
}

/// What reads the parts of a text one after the other.
struct Reader<'r> {
    old: &'r Tree,
    text: &'r str,
    plain: bool,
    nodes: Vec<Node>,
    errors: usize,
    parts: Vec<Part>,
    before: Vec<Option<usize>>,
}

impl Reader<'_> {
    /// Adds a part, with the content of a part of the old tree if it has the same text.
    fn add(&mut self, piece: Piece, cut: Cut, before: Option<usize>) {
        let known = before.and_then(|index| Some((index, &self.old.parts.get(index)?.content))).filter(|(_, content)| !content.partial);
        let content = match known {
            Some((_, content)) => Arc::clone(content),
            None => {
                let room = (MAX_ERRORS + 1).saturating_sub(self.errors);
                Arc::new(read::read(&piece, crate::slice(self.text, piece.span), self.plain, room, &mut self.nodes))
            }
        };
        self.errors += content.errors.len();
        self.before.push(known.map(|(index, _)| index));
        self.parts.push(Part { piece, content, cut });
    }
}

fn too_large() -> SyntaxError {
    let message = format!("the file has more than {MAX_BYTES} bytes, the most that are read of one");
    SyntaxError::new(error::TOO_LARGE, Span::default(), message).help("split the policy into several files")
}

/// A text of which nothing is read, and why.
fn unread(text: Arc<str>, error: SyntaxError) -> Tree {
    let content = Content { errors: vec![error], partial: true, ..Content::default() };
    let span = crate::span(0, text.len());
    let piece = Piece { kind: PartKind::Unknown, within: Within::File, head: false, span, name: None };
    Tree { text, parts: vec![Part { piece, content: Arc::new(content), cut: Cut::default() }], whole: true }
}

impl Default for Tree {
    /// The empty text.
    fn default() -> Self {
        Self { text: Arc::default(), parts: Vec::new(), whole: true }
    }
}

impl Tree {
    /// The text, byte for byte.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, to hold it too.
    #[must_use]
    pub fn shared_text(&self) -> &Arc<str> {
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

    /// Some of the parts as a file of their own: up to the end of the text, or to that of their last token and its line.
    #[must_use]
    pub fn window(&self, parts: Range<usize>, to_end: bool) -> Tree {
        let own = self.parts.get(parts).unwrap_or_default();
        let start = own.first().map_or(0, |part| part.piece.span.start);
        let last = own.last().map_or(start, |part| if to_end { part.piece.span.end } else { self.line_after(part) });
        let moved = |part: &Part| {
            let Span { start: from, end } = part.piece.span;
            let piece = Piece { span: Span { start: from - start, end: end.min(last) - start }, ..part.piece };
            Part { piece, ..part.clone() }
        };
        let text = crate::slice(&self.text, Span { start, end: last }).into();
        Tree { text, parts: own.iter().map(moved).collect(), whole: true }
    }

    /// The end of the line on which a part ends.
    fn line_after(&self, part: &Part) -> u32 {
        let Span { start, end } = part.piece.span;
        let token = self.tokens(part).filter(|token| !token.kind.is_trivia()).last().map_or(start, |token| start + token.span.end);
        let rest = crate::slice(&self.text, Span { start: token, end });
        rest.find('\n').map_or(end, |at| token + crate::span(0, at + 1).end)
    }

    /// A place of a part as bytes of the text.
    #[must_use]
    pub fn absolute(&self, part: usize, span: Span) -> Span {
        let start = self.parts.get(part).map_or(0, |p| p.piece.span.start);
        Span { start: start + span.start, end: start + span.end }
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
