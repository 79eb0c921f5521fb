//! Says what is wrong with a span that the tolerant grammar gave up on. Takes the text and the span, reads it again
//! with the rule that was meant, and gives one error at the precise place. Never names a grammar rule.

mod expected;
mod foreign;
mod habits;
mod head;
mod lookalike;
mod place;
mod unbuilt;

use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::lex::{self, Token, TokenKind};
use crate::outline::Within;
use crate::tree::{self, Failure, Kind};
use crate::words;

impl Within {
    /// Whether what stands there begins with this word, whatever follows.
    pub(crate) fn begins(self, word: &str) -> bool {
        match self {
            Self::File => words::ITEMS.contains(&word),
            Self::Policy => word == "default",
            Self::Test => word == "process",
        }
    }

    fn rule(self) -> Kind {
        match self {
            Self::File => Kind::only_item,
            Self::Policy => Kind::only_member,
            Self::Test => Kind::only_test_line,
        }
    }
}

/// A bad span in pieces.
struct Bad<'t> {
    text: &'t str,
    /// What the span was meant to be.
    within: Within,
    tokens: Vec<Token>,
}

/// The place where reading stopped, as an index of tokens, and the brackets open there.
struct Stop {
    at: usize,
    open: Vec<usize>,
}

/// The one error for a bad span.
pub(crate) fn explain(text: &str, within: Within, span: Span) -> SyntaxError {
    let tokens: Vec<Token> = lex::within(text, span).collect();
    let mut bad = Bad { text, within, tokens };
    bad.within = if within == Within::Policy && bad.is_item() { Within::File } else { within };
    if bad.tokens.iter().all(|t| t.kind == TokenKind::Doc) {
        return bad.only_docs(span);
    }
    if let Some(error) = bad.lookalike().or_else(|| bad.head()) {
        return error;
    }
    match tree::parse(bad.within.rule(), crate::slice(text, span), &mut Vec::new()) {
        Err(Failure::Expected { at, kinds }) => bad.stopped(at + span.start as usize, &kinds),
        Err(Failure::Limit) => limit(span),
        Ok(()) => bad.stopped(span.start as usize, &[]),
    }
}

/// The error for a text that is beyond the parser's own limits.
pub(crate) fn limit(span: Span) -> SyntaxError {
    SyntaxError::new(error::TOO_LONG, span, "the text is beyond the limits of the parser").help("split the policy into several files")
}

/// Whether a clause begins with this word.
fn is_clause(word: &str) -> bool {
    words::CLAUSES.contains(&word)
}

impl<'t> Bad<'t> {
    fn word(&self, at: usize) -> &'t str {
        self.tokens.get(at).map_or("", |t| crate::slice(self.text, t.span))
    }

    fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|t| t.kind)
    }

    fn is_word(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Word)
    }

    /// The place of a token, or just after the last one.
    fn span(&self, at: usize) -> Span {
        let end = self.tokens.last().map_or(0, |t| t.span.end);
        self.tokens.get(at).map_or(Span { start: end, end }, |t| t.span)
    }

    /// A token for a message: its text in backticks, shortened.
    fn quoted(&self, at: usize) -> String {
        let text = self.word(at).trim_end_matches(tree::is_blank);
        match text.char_indices().nth(32) {
            Some((cut, _)) => format!("`{}…`", text.get(..cut).unwrap_or_default()),
            None => format!("`{text}`"),
        }
    }

    /// A token with the blanks before it.
    fn before(&self, at: usize) -> Span {
        let start = at.checked_sub(1).map_or(self.span(at).start, |before| self.span(before).end);
        Span { start, end: self.span(at).end }
    }

    /// Whether a span in the place of a member begins like an item.
    fn is_item(&self) -> bool {
        let first = self.tokens.iter().position(|t| t.kind != TokenKind::Doc).unwrap_or_default();
        words::ITEMS.contains(&self.word(first))
            && !matches!(self.word(first + 1), ":" | "=")
            && (self.word(first) != "mark" || self.word(first + 2) == "per")
    }

    fn only_docs(&self, span: Span) -> SyntaxError {
        let first = self.tokens.first().map_or(span, |t| t.span);
        let error = SyntaxError::new(error::MISPLACED_DOC, first, "a documentation comment that documents nothing");
        error.help("put it before an item or a member, or write `//`")
    }

    fn stopped(&self, at: usize, kinds: &[Kind]) -> SyntaxError {
        let at = self.tokens.iter().position(|t| t.span.end as usize > at).unwrap_or(self.tokens.len());
        let stop = Stop { at, open: self.open(at) };
        self.token(&stop)
            .or_else(|| self.bracket(&stop))
            .or_else(|| self.tail(&stop))
            .or_else(|| self.property(&stop))
            .or_else(|| self.object(&stop, kinds))
            .or_else(|| self.neighbours(&stop, kinds))
            .or_else(|| self.habits(&stop, kinds))
            .or_else(|| self.foreign_comparison(&stop, kinds))
            .or_else(|| self.slip(&stop, kinds))
            .unwrap_or_else(|| self.expected(&stop, kinds))
    }

    /// Opening brackets before a token that are not closed before it.
    fn open(&self, end: usize) -> Vec<usize> {
        let mut open = Vec::new();
        for at in 0..end.min(self.tokens.len()) {
            match self.word(at) {
                "(" | "[" | "{" => open.push(at),
                ")" | "]" | "}" => drop(open.pop()),
                _ => {}
            }
        }
        open
    }
}

fn is_comparison(word: &str) -> bool {
    matches!(word, "==" | "!=" | "<=" | ">=" | "<" | ">" | "=") || words::COMPARISONS.contains(&word)
}
