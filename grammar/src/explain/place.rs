//! Mistakes that show at the place where reading stopped: an open string, a bracket that does not fit, a missing comma
//! or operator. Gives nothing where the place says nothing of itself.

use super::{Bad, Stop, is_clause, is_comparison};
use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::lex::TokenKind;
use crate::outline::Within;
use crate::tree::Kind;
use crate::words;

impl Bad<'_> {
    /// Mistakes that the token itself shows.
    pub(super) fn token(&self, stop: &Stop) -> Option<SyntaxError> {
        let (at, span) = (stop.at, self.span(stop.at));
        if self.kind(at) == Some(TokenKind::OpenStr) {
            let quote = Span { start: span.start, end: span.start + 1 };
            let error = SyntaxError::new(error::UNCLOSED_STRING, quote, "the string is not closed on its line");
            return Some(error.help("add `\"`; a quote inside is written `\\\"`"));
        }
        if self.kind(at) == Some(TokenKind::Doc) {
            let error = SyntaxError::new(error::MISPLACED_DOC, span, "a documentation comment in the middle of something");
            return Some(error.help("put it before the item or member, or write `//`"));
        }
        let error = match self.word(at) {
            "'" => SyntaxError::new(error::SINGLE_QUOTES, span, "text goes in double quotes").help("write `\"`"),
            ";" => SyntaxError::new(error::UNEXPECTED, span, "`;` is not needed").help("remove it").guess(span, ""),
            "/" | "~" | "*" if self.span(at + 1).start == span.end => {
                let (span, path) = self.unquoted(at);
                SyntaxError::new(error::UNQUOTED, span, "a path goes in double quotes")
                    .help(format!("write `\"{path}\"`"))
                    .guess(span, format!("\"{path}\""))
            }
            _ if self.quote_missing(at) => {
                let before = self.span(at - 1);
                let message = "a string ends here, but the line holds an odd number of quotes";
                SyntaxError::new(error::UNCLOSED_STRING, before, message).help("close the string before it")
            }
            "," if stop.open.last().is_some_and(|o| o + 1 == at) || self.word(at.wrapping_sub(1)) == "," => {
                SyntaxError::new(error::UNEXPECTED, span, "something is missing before `,`").help("remove the comma")
            }
            _ => return None,
        };
        Some(error)
    }

    /// A path without quotes, up to the next blank or bracket.
    fn unquoted(&self, at: usize) -> (Span, &str) {
        let start = self.span(at).start;
        let rest = self.text.get(start as usize..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | ')' | '}' | '"')).unwrap_or(rest.len());
        let span = Span { start, end: start + crate::span(0, end).end };
        (span, crate::slice(self.text, span))
    }

    /// Whether the token follows a string and the line has a quote too many: then the string is probably the
    /// text between two others.
    fn quote_missing(&self, at: usize) -> bool {
        let before = at.wrapping_sub(1);
        let rest = self.tokens.get(at..).unwrap_or_default();
        let end = self.span(before).end as usize;
        self.kind(before) == Some(TokenKind::Str)
            && rest
                .iter()
                .any(|t| t.kind == TokenKind::OpenStr && !self.text.get(end..t.span.start as usize).unwrap_or_default().contains('\n'))
    }

    /// Brackets that do not fit, and those that nothing closes.
    pub(super) fn bracket(&self, stop: &Stop) -> Option<SyntaxError> {
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

    pub(super) fn stray(&self, at: usize) -> SyntaxError {
        let message = format!("{} closes nothing", self.quoted(at));
        SyntaxError::new(error::STRAY, self.span(at), message).help("remove it, or open it before")
    }

    /// Whether the bracket is closed within the span.
    fn is_closed(&self, open: usize) -> bool {
        !self.open(self.tokens.len()).contains(&open)
    }

    /// Mistakes that the tokens before and after the place show together.
    pub(super) fn neighbours(&self, stop: &Stop, kinds: &[Kind]) -> Option<SyntaxError> {
        let at = stop.at;
        let before = at.checked_sub(1)?;
        let (found, span) = (self.word(at), self.span(at));
        let begins_value = matches!(self.kind(at), Some(TokenKind::Str | TokenKind::Word)) || found == "[";
        let ends_value = matches!(self.kind(before), Some(TokenKind::Str | TokenKind::Word)) || matches!(self.word(before), "]" | ")");
        let closes = [Kind::rbracket, Kind::rbrace, Kind::rparen, Kind::set_op].iter().any(|k| kinds.contains(k));
        let call = |open: usize| open > 0 && self.is_word(open - 1) && !words::is_keyword(self.word(open - 1));
        let open = stop.open.last().copied().filter(|_| closes);
        let list = open.is_some_and(|o| matches!(self.word(o), "[" | "{") || call(o));
        if list && begins_value && ends_value && !is_clause(found) {
            let message = format!("a comma is missing between {} and {}", self.quoted(before), self.quoted(at));
            let place = Span { start: self.span(before).end, end: self.span(before).end };
            return Some(SyntaxError::new(error::NO_COMMA, place, message).help("write `,`").guess(place, ","));
        }
        if found == "=" && self.word(before) == "==" && self.span(before).end == span.start {
            let both = Span { start: self.span(before).start, end: span.end };
            return Some(SyntaxError::new(error::CHAINED, both, "`===` is not an operator").help("write `==`").guess(both, "=="));
        }
        if found == ">" && self.word(before) == "<" && self.span(before).end == span.start {
            let both = Span { start: self.span(before).start, end: span.end };
            return Some(SyntaxError::new(error::CHAINED, both, "`<>` is not an operator").help("write `!=`").guess(both, "!="));
        }
        if is_comparison(found) && self.compares(at) && self.in_condition(before) {
            let message = format!("a second comparison {} in one condition", self.quoted(at));
            let error = SyntaxError::new(error::CHAINED, span, message);
            let help = "write two comparisons and join them with `and`; a field is compared with a constant";
            return Some(error.help(help));
        }
        if found == "," && stop.open.is_empty() && ends_value && (0..before).any(|i| self.word(i) == "=") {
            let error = SyntaxError::new(error::UNEXPECTED, span, "several values form a set");
            return Some(error.help("write `[…, …]`"));
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

    /// A condition as the value of a property: only `scope` takes one, and perhaps it was meant.
    pub(super) fn property(&self, stop: &Stop) -> Option<SyntaxError> {
        let first = self.tokens.iter().position(|t| t.kind != TokenKind::Doc)?;
        let (key, found) = (self.word(first), self.word(stop.at));
        if self.within != Within::Policy || self.word(first + 1) != "=" || key == "scope" || stop.at < first + 2 {
            return None;
        }
        if words::near(key, &["scope"]).is_some() {
            let message = format!("a policy has no property `{key}`");
            let error = SyntaxError::new(error::UNKNOWN_PROPERTY, self.span(first), message);
            return Some(error.help("did you mean `scope`?"));
        }
        if stop.at == first + 2 || !is_comparison(found) && !matches!(found, "and" | "or") {
            return None;
        }
        let message = format!("`{key}` takes a constant and no condition");
        let error = SyntaxError::new(error::UNEXPECTED, self.span(stop.at), message);
        Some(error.help("only `scope = …` takes a condition"))
    }

    /// The object of a test line without its quotes: it was read as the verdict, which `by` should follow.
    pub(super) fn object(&self, stop: &Stop, kinds: &[Kind]) -> Option<SyntaxError> {
        let object = self.tokens.iter().position(|t| t.kind != TokenKind::Doc)? + 2;
        let here = match self.word(stop.at) {
            "=>" | "->" | "=" => stop.at == object + 1,
            word => stop.at == object && self.is_word(object) && word.contains('.'),
        };
        if self.within != Within::Test || !kinds.contains(&Kind::k_by) || !here {
            return None;
        }
        if self.word(object - 1).starts_with("net.") {
            let message = format!("{} is not an address with a port", self.quoted(object));
            let error = SyntaxError::new(error::UNEXPECTED, self.span(object), message);
            return Some(error.help("write it such as `203.0.113.7:443`; names are not known in the kernel"));
        }
        let error = SyntaxError::new(error::UNQUOTED, self.span(object), "a path goes in double quotes");
        Some(error.help("put `\"` before and after it; it begins with `/`"))
    }

    fn in_condition(&self, at: usize) -> bool {
        let last = (0..=at).rev().map(|i| self.word(i)).find(|w| is_clause(w) || *w == "scope" || *w == "fn");
        matches!(last, Some("when" | "unless" | "where" | "scope" | "fn"))
    }
}

fn closing(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}
