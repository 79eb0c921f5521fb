//! First pass: the text of a file in, its atoms out. An atom is what is printed in one piece, a token or the tokens of one
//! literal, with the comments that belong to it. Blanks end here: what is kept of them is whether a line, or an empty line,
//! begins before an atom.

use super::roles::Role;
use ebsec_grammar::ast::Span;
use ebsec_grammar::{TokenKind, tokens};

/// A comment, without the blanks after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment<'t> {
    pub text: &'t str,
    /// Where it begins in the file.
    pub start: usize,
    /// An empty line stands before it.
    pub blank: bool,
}

/// What is printed in one piece.
#[derive(Clone, Debug)]
pub(super) struct Atom<'t> {
    pub text: &'t str,
    pub kind: TokenKind,
    /// Its bytes in the file.
    pub start: usize,
    pub end: usize,
    /// Comments on lines of their own before it.
    pub lead: Vec<Comment<'t>>,
    /// The comment that ends its line.
    pub trail: Option<Comment<'t>>,
    /// It is the first on its line.
    pub line: bool,
    /// An empty line stands directly before it.
    pub blank: bool,
    /// Index of the unit that it is part of.
    pub unit: usize,
    pub role: Role,
}

impl<'t> Atom<'t> {
    /// An atom without comments, on the line of the one before it.
    pub fn new(text: &'t str, kind: TokenKind, start: usize) -> Self {
        let end = start + text.len();
        Self { text, kind, start, end, lead: Vec::new(), trail: None, line: false, blank: false, unit: 0, role: Role::Plain }
    }

    /// Whether an empty line stands before it and its comments.
    pub fn is_set_off(&self) -> bool {
        self.lead.first().map_or(self.blank, |comment| comment.blank)
    }

    /// Where its bytes end, with the comment after it.
    pub fn last(&self) -> usize {
        self.trail.map_or(self.end, |comment| comment.start + comment.text.len())
    }
}

/// Cuts a text into atoms. The last one is empty: it holds the comments at the end of the file.
pub(super) fn atoms<'t>(text: &'t str, places: Vec<Span>) -> Vec<Atom<'t>> {
    let literals = literals(text, places);
    let mut literals = literals.iter().peekable();
    let mut all: Vec<Atom<'t>> = Vec::new();
    let mut lead: Vec<Comment<'t>> = Vec::new();
    let (mut ends, mut done) = (0, 0);
    for token in tokens(text) {
        let (start, mut end) = (token.span.start as usize, token.span.end as usize);
        if start < done {
            continue; // within a literal
        }
        match token.kind {
            TokenKind::Blank => continue,
            TokenKind::LineEnd => {
                ends += 1;
                continue;
            }
            _ => {}
        }
        while literals.next_if(|literal| literal.0 < start).is_some() {}
        if let Some(literal) = literals.next_if(|literal| literal.0 == start) {
            end = end.max(literal.1);
        }
        done = end;
        let slice = text.get(start..end).unwrap_or_default().trim_end_matches([' ', '\t']);
        if token.kind.is_trivia() {
            let comment = Comment { text: slice, start, blank: ends > 1 };
            match all.last_mut() {
                Some(before) if ends == 0 && lead.is_empty() && before.trail.is_none() => before.trail = Some(comment),
                _ => lead.push(comment),
            }
        } else {
            let (line, blank) = (ends > 0 || all.is_empty(), ends > 1);
            all.push(Atom { lead: std::mem::take(&mut lead), line, blank, ..Atom::new(slice, token.kind, start) });
        }
        ends = 0;
    }
    all.push(Atom { lead, line: true, ..Atom::new("", TokenKind::Blank, text.len()) });
    all
}

/// Literals of several tokens, such as addresses and dates: what has a place in the tree, no other place in it, and no blanks.
fn literals(text: &str, mut places: Vec<Span>) -> Vec<(usize, usize)> {
    places.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    places.dedup();
    let next = places.iter().skip(1).map(Some).chain([None]);
    let leaves = places.iter().zip(next).filter(|(span, next)| next.is_none_or(|next| next.start >= span.end));
    let places = leaves.map(|(span, _)| (span.start as usize, span.end as usize));
    let joined = |(start, end): &(usize, usize)| {
        let slice = text.get(*start..*end).unwrap_or_default();
        !slice.is_empty() && !slice.contains([' ', '\t', '\r', '\n', '"']) && !slice.contains("//")
    };
    places.filter(joined).collect()
}
