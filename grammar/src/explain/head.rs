//! Mistakes that show in the first words of a bad span: an unknown item, a rule outside of a policy, an unknown
//! action, a property with a colon. Gives nothing where the words begin well.

use super::{Bad, is_clause};
use crate::build::unknown_action;
use crate::error::{self, SyntaxError};
use crate::lex::TokenKind;
use crate::outline::Within;
use crate::words;

/// Properties of a policy that are often written `key: value`.
const PROPERTIES: &[&str] = &["description", "severity", "attack", "mode", "scope", "tags", "errno", "limit"];

impl Bad<'_> {
    /// The error for the first words, if they are wrong.
    pub(super) fn head(&self) -> Option<SyntaxError> {
        let first = self.tokens.iter().position(|t| t.kind != TokenKind::Doc)?;
        if matches!(self.word(first), ")" | "]" | "}") {
            return Some(self.stray(first));
        }
        match self.within {
            Within::File => self.item_head(first),
            Within::Policy => self.member_head(first),
            Within::Test => self.line_head(),
        }
    }

    fn item_head(&self, first: usize) -> Option<SyntaxError> {
        let (word, span) = (self.word(first), self.span(first));
        if words::ITEMS.contains(&word) && self.word(first + 1) != ":" {
            return self.mark_outside(first).or_else(|| self.mark_item(first)).or_else(|| self.quoted_name(first));
        }
        if !self.is_word(first) {
            if self.kind(first) != Some(TokenKind::Punct) {
                let stop = super::Stop { at: first, open: Vec::new() };
                return self.token(&stop).or_else(|| Some(self.no_item(first)));
            }
            return Some(self.no_item(first));
        }
        let next = self.word(first + 1);
        let rule = matches!(next, ":" | "=") || words::ACTIONS.contains(&next);
        if rule || words::ACTIONS.contains(&word) || word == "default" {
            return Some(self.outside(first, if next == "=" { "a property" } else { "a rule" }));
        }
        let Some(near) = words::item_meant(word) else {
            return Some(self.no_item(first));
        };
        let error = SyntaxError::new(error::UNKNOWN_ITEM, span, format!("{} does not begin an item", self.quoted(first)));
        Some(error.help(format!("did you mean `{near}`?")).guess(span, near))
    }

    /// `mark name event` at the top level is a rule.
    fn mark_outside(&self, first: usize) -> Option<SyntaxError> {
        let rule = self.word(first) == "mark" && self.is_word(first + 2) && self.word(first + 2).contains('.');
        rule.then(|| self.outside(first, "a rule"))
    }

    fn outside(&self, at: usize, what: &str) -> SyntaxError {
        let error = SyntaxError::new(error::OUTSIDE, self.span(at), format!("{what} is outside of any policy"));
        error.help("move it between the braces of `policy name { … }`; perhaps a `}` comes too early")
    }

    /// The name of a policy or a module in quotes.
    fn quoted_name(&self, first: usize) -> Option<SyntaxError> {
        let (what, at) = match self.word(first) {
            "policy" => ("the name of a policy", first + 1),
            "import" => ("the name of a module", first + 1),
            _ => return None,
        };
        let name = Some(self.word(at)).filter(|_| self.kind(at) == Some(TokenKind::Str))?.trim_matches('"');
        // A module is a name here, where other languages have a path.
        let name = if self.word(first) == "import" { name.replace('/', ".") } else { name.to_owned() };
        let plain = name.split('.').all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.bytes().all(is_letter));
        let error = SyntaxError::new(error::UNEXPECTED, self.span(at), format!("{what} is written without quotes"));
        let help = if plain { format!("write `{name}`") } else { "names have letters, digits and `_`".to_owned() };
        let error = error.help(help);
        Some(if plain { error.guess(self.span(at), name.as_str()) } else { error })
    }

    fn no_item(&self, at: usize) -> SyntaxError {
        let message = format!("expected an item, found {}", self.quoted(at));
        SyntaxError::new(error::UNKNOWN_ITEM, self.span(at), message)
            .help("items begin with `policy`, `let`, `param`, `fn`, `mark`, `import`, `apply`, `except` or `test`")
    }

    fn member_head(&self, first: usize) -> Option<SyntaxError> {
        let (word, next, third) = (self.word(first), self.word(first + 1), self.word(first + 2));
        if let Some(error) = self.branch(first).or_else(|| self.default_list(first)) {
            return Some(error);
        }
        if word.contains('.') && super::is_comparison(next) {
            let message = format!("`when` is missing before {}", self.quoted(first));
            let start = self.span(first).start;
            let place = crate::ast::Span { start, end: start };
            let error = SyntaxError::new(error::UNEXPECTED, self.span(first), message);
            return Some(error.help("a condition begins with `when`").guess(place, "when "));
        }
        if word == "default" && self.is_word(first + 1) && !words::ACTIONS.contains(&next) {
            return Some(unknown_action(next, self.span(first + 1)));
        }
        let counts = if next == ":" { first + 2 } else { first };
        if let Some(error) = self.counting(counts) {
            return Some(error);
        }
        if !self.is_word(first) || next != ":" || words::ACTIONS.contains(&third) {
            return None;
        }
        let value = matches!(self.kind(first + 2), Some(TokenKind::Str | TokenKind::OpenStr)) || third == "[";
        if value || PROPERTIES.contains(&word) {
            let message = format!("expected `=` after the property `{word}`, found `:`");
            let error = SyntaxError::new(error::WRONG_EQUALS, self.span(first + 1), message);
            return Some(error.help(format!("write `{word} = …`")).guess(self.before(first + 1), " ="));
        }
        if !self.is_word(first + 2) || is_clause(third) {
            return None;
        }
        let similar = words::foreign_action(third).is_some() || words::near(third, words::ACTIONS).is_some();
        if similar || (self.is_word(first + 3) && !is_clause(self.word(first + 3)) && self.word(first + 4) != ":") {
            return Some(unknown_action(third, self.span(first + 2)));
        }
        let message = format!("the action is missing before {}", self.quoted(first + 2));
        let error = SyntaxError::new(error::UNKNOWN_ACTION, self.span(first + 2), message);
        Some(error.help(format!("write `deny {third}`, or another of `kill`, `audit`, `allow` and `mark`")))
    }

    /// `if … { deny … }` and `else`, where a rule should begin.
    fn branch(&self, first: usize) -> Option<SyntaxError> {
        let help = match (self.word(first), self.word(first + 1)) {
            (_, ":" | "=") => return None,
            ("if", _) => "a rule begins with its name and action: `name: deny file.read when …`",
            ("else" | "elif" | "elsif", _) => "rules have no order and no alternatives: what no rule refuses is allowed",
            _ => return None,
        };
        let error = SyntaxError::new(error::UNEXPECTED, self.span(first), format!("there is no {}", self.quoted(first)));
        Some(error.help(help))
    }

    /// `default exec = deny`: the event before the action.
    fn default_list(&self, first: usize) -> Option<SyntaxError> {
        let (event, action) = (self.word(first + 1), self.word(first + 3));
        let turned = self.word(first) == "default" && self.is_word(first + 1) && matches!(self.word(first + 2), "=" | ":");
        if !turned || !words::ACTIONS.contains(&action) {
            return None;
        }
        let span = crate::ast::Span { start: self.span(first + 1).start, end: self.span(first + 3).end };
        let error = SyntaxError::new(error::UNEXPECTED, span, "a default names its action before the event");
        Some(error.help(format!("write `default {action} {event}`")).guess(span, format!("{action} {event}")))
    }

    fn line_head(&self) -> Option<SyntaxError> {
        let arrow = (0..self.tokens.len()).find(|at| self.word(*at) == "=>")?;
        let (verdict, span) = (self.word(arrow + 1), self.span(arrow + 1));
        if !self.is_word(arrow + 1) || matches!(verdict, "allow" | "deny" | "kill" | "audit") {
            return None;
        }
        let near = words::foreign_action(verdict).or_else(|| words::near(verdict, words::ACTIONS));
        let help = match near.filter(|n| *n != "mark") {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the verdicts are `allow`, `deny`, `kill` and `audit`".to_owned(),
        };
        let message = format!("{} is not a verdict", self.quoted(arrow + 1));
        Some(SyntaxError::new(error::UNKNOWN_ACTION, span, message).help(help))
    }
}

/// Whether a byte may be in a name.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
