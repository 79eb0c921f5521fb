//! Spellings of other languages at the place where reading stopped: `:=`, `=~`, `$name`, sets in other brackets, names with
//! a dash. Says what is written here, with the user's own words, and gives nothing where the words are none of these.

use super::{Bad, Stop, is_comparison};
use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::lex::TokenKind;
use crate::outline::Within;
use crate::tree::Kind;
use crate::words;

impl Bad<'_> {
    pub(super) fn habits(&self, stop: &Stop, kinds: &[Kind]) -> Option<SyntaxError> {
        let at = stop.at;
        self.sign(at)
            .or_else(|| self.dashed(at))
            .or_else(|| self.set_brackets(at, kinds))
            .or_else(|| self.events_comma(at, kinds))
            .or_else(|| self.sides(at, kinds))
            .or_else(|| self.let_equals(at, kinds))
    }

    /// Signs of two characters, and those before a name.
    fn sign(&self, at: usize) -> Option<SyntaxError> {
        let before = at.checked_sub(1).filter(|before| self.touches(*before));
        let pair = before.map(|before| (self.word(before), self.word(at)));
        let both = |before: usize| Span { start: self.span(before).start, end: self.span(at).end };
        let new = |span, message: String| SyntaxError::new(error::UNEXPECTED, span, message);
        match (pair, before) {
            (Some((":", "=")), Some(before)) => {
                return Some(new(both(before), "`:=` is not used here".to_owned()).help("write `=`").guess(both(before), "="));
            }
            (Some(("=" | "!" | "==", "~")), Some(before)) => {
                let message = format!("`{}` is not an operator", crate::slice(self.text, both(before)));
                let help = "there are no regular expressions: write `matches` and a pattern such as `\"/etc/*.conf\"`, or `in` and a set";
                return Some(new(both(before), message).help(help));
            }
            (Some((network, ".")), Some(before))
                if self.word(at + 1) == "*" && network.bytes().all(|b| b.is_ascii_digit() || b == b'.') =>
            {
                let span = Span { start: self.span(before).start, end: self.span(at + 1).end };
                let zeros = 4_usize.saturating_sub(network.split('.').count());
                let bits = 32 - 8 * zeros;
                let written = format!("{network}{}/{bits}", ".0".repeat(zeros));
                let error = new(span, format!("`{}` is not a network", crate::slice(self.text, span)));
                return Some(error.help(format!("write `in {written}`")));
            }
            _ => {}
        }
        if let Some(error) = self.added(at) {
            return Some(error);
        }
        let sign = matches!(self.word(at), "$" | "@" | "%") && self.is_word(at + 1) && self.touches(at);
        let name = self.word(at + 1);
        let error = || new(self.span(at), format!("names are written without {}", self.quoted(at)));
        sign.then(|| error().help(format!("write `{name}`")).guess(self.span(at), ""))
    }

    /// `+=` and `-=`: what a library has is reached by its full name.
    fn added(&self, at: usize) -> Option<SyntaxError> {
        let (sign, name) = (self.word(at), self.word(at.checked_sub(1)?));
        if !matches!(sign, "+" | "-") || self.word(at + 1) != "=" || !self.touches(at) {
            return None;
        }
        let span = Span { start: self.span(at).start, end: self.span(at + 1).end };
        let error = SyntaxError::new(error::UNEXPECTED, span, format!("`{sign}=` is not used here: a value replaces the one before"));
        let first = self.tokens.iter().position(|t| t.kind != TokenKind::Doc)?;
        let module = self.word(first + 1).rsplit_once('.').filter(|_| self.word(first) == "apply").map(|(module, _)| module);
        Some(match module {
            Some(module) => {
                let written = format!("= {module}.{name} {sign}");
                error.help(format!("write `{name} {written} …`")).guess(span, written)
            }
            None => error.help(format!("write `=`, and the other set by its name: `= OTHER {sign} …`")),
        })
    }

    /// Whether nothing stands between a token and the next.
    fn touches(&self, at: usize) -> bool {
        self.span(at).end == self.span(at + 1).start
    }

    /// `web-server` as a name.
    fn dashed(&self, at: usize) -> Option<SyntaxError> {
        let before = at.checked_sub(1)?;
        // What follows the dash may be read as the label of a rule already.
        let dash = self.word(at) == "-" && self.is_word(before) && self.touches(before);
        let first = self.tokens.iter().position(|t| t.kind != TokenKind::Doc)?;
        let named = before == first + 1 && words::ITEMS.contains(&self.word(first)) || before == first && self.within == Within::Policy;
        if !dash || !named {
            return None;
        }
        let start = self.span(before).start;
        let rest = self.text.get(start as usize..).unwrap_or_default();
        let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')).next()?.trim_end_matches('-');
        if !name.contains('-') {
            let error = SyntaxError::new(error::UNEXPECTED, self.span(at), "names have no `-`");
            return Some(error.help(format!("write `_`: `{name}_…`")).guess(self.span(at), "_"));
        }
        let span = Span { start, end: start + crate::span(0, name.len()).end };
        let error = SyntaxError::new(error::UNEXPECTED, span, format!("`{name}` is not a name: names have no `-`"));
        let written = name.replace('-', "_");
        Some(error.help(format!("write `{written}`")).guess(span, written))
    }

    /// A set in braces or parentheses.
    fn set_brackets(&self, at: usize, kinds: &[Kind]) -> Option<SyntaxError> {
        let open = self.word(at);
        let close = match open {
            "(" => ")",
            "{" => "}",
            _ => return None,
        };
        if !kinds.contains(&Kind::value) && !kinds.contains(&Kind::set) {
            return None;
        }
        if let Some(error) = self.grouped_sets(at) {
            return Some(error);
        }
        let error = SyntaxError::new(error::UNEXPECTED, self.span(at), format!("a set is written in `[ ]`, not in `{open} {close}`"));
        let element = |at: &usize| self.word(*at) == "," || matches!(self.kind(*at), Some(TokenKind::Str | TokenKind::Word));
        let end = (at + 1..self.tokens.len()).find(|end| !element(end));
        let Some(end) = end.filter(|end| self.word(*end) == close && *end > at + 1) else {
            return Some(error.help("write `[a, b]`"));
        };
        let inner = crate::slice(self.text, Span { start: self.span(at).end, end: self.span(end).start });
        let whole = Span { start: self.span(at).start, end: self.span(end).end };
        let written = format!("[{}]", inner.trim());
        let help = if written.len() <= 80 && !written.contains('\n') { format!("write `{written}`") } else { "write `[a, b]`".to_owned() };
        Some(error.help(help).guess(whole, written))
    }

    /// `(a + b)`: sums of sets have no parentheses.
    fn grouped_sets(&self, at: usize) -> Option<SyntaxError> {
        let end = (at + 1..self.tokens.len()).find(|end| self.word(*end) == ")" && self.open(*end).last() == Some(&at))?;
        let joins = |i: &usize| matches!(self.word(*i), "+" | "-") && self.open(*i).last() == Some(&at);
        if self.word(at) != "(" || !(at + 1..end).any(|i| joins(&i)) {
            return None;
        }
        let error = SyntaxError::new(error::UNEXPECTED, self.span(at), "sums of sets are written without parentheses");
        let inner = crate::slice(self.text, Span { start: self.span(at).end, end: self.span(end).start }).trim();
        let whole = Span { start: self.span(at).start, end: self.span(end).end };
        // What is taken away is taken away part by part.
        if at.checked_sub(1).is_some_and(|before| self.word(before) == "-") {
            return Some(error.help("`+` and `-` are read from left to right: `a - (b + c)` is `a - b - c`"));
        }
        let error = error.help("remove them: `+` and `-` are read from left to right, as in `a + b - c`");
        Some(if self.word(at.wrapping_sub(1)) == "+" && inner.contains('-') { error } else { error.guess(whole, inner) })
    }

    /// Two events without a comma.
    fn events_comma(&self, at: usize, kinds: &[Kind]) -> Option<SyntaxError> {
        let events = kinds.contains(&Kind::dangling_comma) && kinds.contains(&Kind::k_when);
        let before = at.checked_sub(1)?;
        let event = self.is_word(at) && is_event(self.word(at)) && !is_comparison(self.word(at + 1));
        if !events || !event || self.within != Within::Policy {
            return None;
        }
        let message = format!("a comma is missing between {} and {}", self.quoted(before), self.quoted(at));
        let place = Span { start: self.span(before).end, end: self.span(before).end };
        Some(SyntaxError::new(error::NO_COMMA, place, message).help("write `,`").guess(place, ","))
    }

    /// The constant on the left.
    fn sides(&self, at: usize, kinds: &[Kind]) -> Option<SyntaxError> {
        let (constant, op, field) = (self.word(at), self.word(at + 1), self.word(at + 2));
        let is_constant = self.kind(at) == Some(TokenKind::Str) || constant.starts_with(|c: char| c.is_ascii_digit());
        let turned = match op {
            "==" | "!=" => op,
            "<" => ">",
            ">" => "<",
            "<=" => ">=",
            ">=" => "<=",
            _ => return None,
        };
        let is_field = self.is_word(at + 2) && field.starts_with(|c: char| c.is_ascii_alphabetic()) && !words::is_keyword(field);
        if !kinds.contains(&Kind::cond) || !is_constant || !is_field {
            return None;
        }
        let whole = Span { start: self.span(at).start, end: self.span(at + 2).end };
        let error = SyntaxError::new(error::UNEXPECTED, whole, "the field belongs on the left of a comparison");
        let written = format!("{field} {turned} {constant}");
        Some(error.help(format!("write `{written}`")).guess(whole, written))
    }

    /// `let name value`.
    fn let_equals(&self, at: usize, kinds: &[Kind]) -> Option<SyntaxError> {
        let first = self.tokens.iter().position(|t| t.kind != TokenKind::Doc)?;
        let value = matches!(self.word(at), "[" | "{" | "(") || self.kind(at) == Some(TokenKind::Str);
        if !kinds.contains(&Kind::eq) || !value || self.word(first) != "let" {
            return None;
        }
        let place = Span { start: self.span(at - 1).end, end: self.span(at - 1).end };
        let error = SyntaxError::new(error::UNEXPECTED, self.span(at), format!("expected `=` before {}", self.quoted(at)));
        Some(error.help(format!("write `let {} = …`", self.word(first + 1))).guess(place, " ="))
    }
}

/// Whether a word looks like an event and not like a field, which would be the beginning of a condition.
fn is_event(word: &str) -> bool {
    let verbs = ["read", "write", "run", "done", "egress", "listen", "accept", "tamper"];
    word == "exec" || word.starts_with("hook.") || word.split_once('.').is_some_and(|(_, last)| verbs.contains(&last))
}
