//! Says what is wrong with a span that the tolerant grammar gave up on. Takes the text and the span, reads it again
//! with the rule that was meant, and gives one error at the precise place. Never names a grammar rule.

mod expected;
mod head;

use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::lex::{Lexer, Token, TokenKind};
use crate::tree::{self, Failure, Kind};
use crate::words;

/// What the span was meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A top-level item.
    Item,
    /// A member of a policy.
    Member,
    /// A line of a test.
    TestLine,
}

impl Part {
    /// Whether such a part begins with this word, whatever follows.
    pub fn begins(self, word: &str) -> bool {
        match self {
            Part::Item => words::ITEMS.contains(&word),
            Part::Member => word == "default",
            Part::TestLine => word == "process",
        }
    }

    fn rule(self) -> Kind {
        match self {
            Part::Item => Kind::only_item,
            Part::Member => Kind::only_member,
            Part::TestLine => Kind::only_test_line,
        }
    }
}

/// A bad span in pieces.
struct Bad<'t> {
    text: &'t str,
    part: Part,
    tokens: Vec<Token>,
}

/// The place where reading stopped, as an index of tokens, and the brackets open there.
struct Stop {
    at: usize,
    open: Vec<usize>,
}

/// The one error for a bad span.
pub(crate) fn explain(text: &str, part: Part, span: Span) -> SyntaxError {
    let tokens: Vec<Token> = Lexer::within(text, span).collect();
    let bad = Bad { text, part, tokens };
    if bad.tokens.iter().all(|t| t.kind == TokenKind::Doc) {
        return bad.only_docs(span);
    }
    if let Some(error) = bad.head() {
        return error;
    }
    match tree::parse(part.rule(), crate::slice(text, span), span.start as usize) {
        Err(Failure::Expected { at, kinds }) => bad.stopped(at, &kinds),
        Err(Failure::Limit) => limit(span),
        Ok(_) => bad.stopped(span.start as usize, &[]),
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

fn closing(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
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
        let text = self.word(at).trim_end();
        match text.char_indices().nth(32) {
            Some((cut, _)) => format!("`{}…`", text.get(..cut).unwrap_or_default()),
            None => format!("`{text}`"),
        }
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
            .or_else(|| self.neighbours(&stop))
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

    /// Mistakes that the token itself shows.
    fn token(&self, stop: &Stop) -> Option<SyntaxError> {
        let (at, span) = (stop.at, self.span(stop.at));
        if self.kind(at) == Some(TokenKind::OpenStr) {
            let error = SyntaxError::new(error::UNCLOSED_STRING, span, "the string is not closed on its line");
            return Some(error.help("add `\"`; a quote inside is written `\\\"`"));
        }
        if self.kind(at) == Some(TokenKind::Doc) {
            let error = SyntaxError::new(error::MISPLACED_DOC, span, "a documentation comment in the middle of something");
            return Some(error.help("put it before the item or member, or write `//`"));
        }
        let error = match self.word(at) {
            "'" => SyntaxError::new(error::SINGLE_QUOTES, span, "text stands in double quotes").help("write `\"`"),
            "#" | "/*" | "--" => {
                SyntaxError::new(error::COMMENT_STYLE, span, format!("{} does not begin a comment", self.quoted(at))).help("write `//`")
            }
            ";" => SyntaxError::new(error::UNEXPECTED, span, "`;` has no meaning").help("remove it"),
            "/" | "~" | "*" if !self.is_word(at.wrapping_sub(1)) => {
                SyntaxError::new(error::UNQUOTED, span, "a path stands in double quotes").help("put `\"` before and after it")
            }
            "," if stop.open.last().is_some_and(|o| o + 1 == at) || self.word(at.wrapping_sub(1)) == "," => {
                SyntaxError::new(error::UNEXPECTED, span, "something is missing before `,`").help("remove the comma")
            }
            _ => return None,
        };
        Some(error)
    }

    /// Brackets that do not fit, and those that nothing closes.
    fn bracket(&self, stop: &Stop) -> Option<SyntaxError> {
        let found = self.word(stop.at);
        let closes = matches!(found, ")" | "]" | "}");
        let Some(open) = stop.open.last().copied() else {
            return closes.then(|| self.stray(stop.at));
        };
        let fit = closing(self.word(open));
        if closes && found != fit {
            let message = format!("{} is closed by `{found}`", self.quoted(open));
            let error = SyntaxError::new(error::UNCLOSED, self.span(stop.at), message);
            return Some(error.help(format!("write `{fit}` before it")).related(self.span(open), "opened here"));
        }
        if closes || self.is_closed(open) {
            return None;
        }
        let error = SyntaxError::new(error::UNCLOSED, self.span(open), format!("{} is never closed", self.quoted(open)));
        let error = error.help(format!("add a `{fit}`"));
        let found = self.span(stop.at);
        Some(if found.start < found.end { error.related(found, format!("expected `{fit}` before this")) } else { error })
    }

    fn stray(&self, at: usize) -> SyntaxError {
        let message = format!("{} closes nothing", self.quoted(at));
        SyntaxError::new(error::STRAY, self.span(at), message).help("remove it, or open it before")
    }

    /// Whether the bracket is closed within the span.
    fn is_closed(&self, open: usize) -> bool {
        !self.open(self.tokens.len()).contains(&open)
    }

    /// Mistakes that the tokens before and after the place show together.
    fn neighbours(&self, stop: &Stop) -> Option<SyntaxError> {
        let at = stop.at;
        let before = at.checked_sub(1)?;
        let (found, span) = (self.word(at), self.span(at));
        let begins_value = matches!(self.kind(at), Some(TokenKind::Str | TokenKind::Word)) || found == "[";
        let ends_value = matches!(self.kind(before), Some(TokenKind::Str | TokenKind::Word)) || matches!(self.word(before), "]" | ")");
        let list = stop.open.last().is_some_and(|o| matches!(self.word(*o), "[" | "{"));
        if list && begins_value && ends_value && !is_clause(found) {
            let message = format!("a comma is missing between {} and {}", self.quoted(before), self.quoted(at));
            let place = Span { start: self.span(before).end, end: self.span(before).end };
            return Some(SyntaxError::new(error::NO_COMMA, place, message).help("write `,`"));
        }
        if is_comparison(found) && self.compares(at) {
            let message = format!("a second comparison {} in one condition", self.quoted(at));
            let error = SyntaxError::new(error::CHAINED, span, message);
            return Some(error.help("write two comparisons and join them with `and`; a field is compared with a constant"));
        }
        let constant =
            self.kind(at) == Some(TokenKind::Str) || found == "[" || (self.is_word(at) && found.starts_with(|c: char| c.is_ascii_digit()));
        if constant && self.is_word(before) && self.in_condition(before) && !words::is_keyword(self.word(before)) {
            let message = format!("an operator is missing between {} and {}", self.quoted(before), self.quoted(at));
            let error = SyntaxError::new(error::NO_OPERATOR, span, message);
            return Some(error.help("write `==`, `in`, `under` or another comparison"));
        }
        None
    }

    /// Whether the condition that holds this token has a comparison before it.
    fn compares(&self, at: usize) -> bool {
        for before in (0..at).rev() {
            let word = self.word(before);
            if is_comparison(word) {
                return true;
            }
            if is_clause(word) || matches!(word, "and" | "or" | "not" | "(" | "{" | "=") {
                return false;
            }
        }
        false
    }

    fn in_condition(&self, at: usize) -> bool {
        let last = (0..=at).rev().map(|i| self.word(i)).find(|w| is_clause(w) || *w == "scope" || *w == "fn");
        matches!(last, Some("when" | "unless" | "where" | "scope" | "fn"))
    }
}

fn is_comparison(word: &str) -> bool {
    matches!(word, "==" | "!=" | "<=" | ">=" | "<" | ">" | "=") || words::COMPARISONS.contains(&word)
}
