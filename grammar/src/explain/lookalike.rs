//! Characters that look like those of the language, or like nothing: names them and says what to write.

use super::Bad;
use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::lex::TokenKind;

/// Characters, what they are called, and what is written for one of them.
const LOOKALIKES: &[(&str, &str, &str)] = &[
    ("\u{a0}", "a no-break space", " "),
    ("\u{202f}", "a narrow no-break space", " "),
    ("\u{3000}", "an ideographic space", " "),
    ("\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{205f}", "a wide space", " "),
    ("\u{200b}", "a zero-width space", ""),
    ("\u{200c}\u{200d}\u{2060}", "a zero-width joiner", ""),
    ("\u{ad}", "a soft hyphen", ""),
    ("“”„‟«»″＂‘’‚‛‹›′＇`´", "a typographic quotation mark", "\""),
    ("‐‑‒–—―−－", "a dash", "-"),
    ("＝", "a full-width equals sign", "="),
    ("≠", "a not-equal sign", "!="),
    ("≤", "a less-or-equal sign", "<="),
    ("≥", "a greater-or-equal sign", ">="),
    ("→⇒", "an arrow", "=>"),
    ("∧", "a logical and", "and"),
    ("∨", "a logical or", "or"),
    ("¬", "a logical not", "not"),
    ("∈", "an element-of sign", "in"),
    ("…", "an ellipsis", ".."),
    ("，、", "a full-width comma", ","),
    ("：", "a full-width colon", ":"),
    ("；", "a full-width semicolon", ";"),
    ("（", "a full-width parenthesis", "("),
    ("）", "a full-width parenthesis", ")"),
    ("［", "a full-width bracket", "["),
    ("］", "a full-width bracket", "]"),
    ("｛", "a full-width brace", "{"),
    ("｝", "a full-width brace", "}"),
];

/// Letters of other alphabets and the ones that they look like.
const LETTERS: &[(char, char)] = &[
    ('а', 'a'),
    ('с', 'c'),
    ('ԁ', 'd'),
    ('е', 'e'),
    ('һ', 'h'),
    ('і', 'i'),
    ('ј', 'j'),
    ('о', 'o'),
    ('ο', 'o'),
    ('р', 'p'),
    ('ѕ', 's'),
    ('х', 'x'),
    ('у', 'y'),
];

impl Bad<'_> {
    /// The error for the first character that the language does not have.
    pub(super) fn lookalike(&self) -> Option<SyntaxError> {
        let at =
            self.tokens.iter().position(|t| t.kind == TokenKind::Punct && (!self.text_of(*t).is_ascii() || self.text_of(*t) == "`"))?;
        let found = self.word(at).chars().next()?;
        let code = u32::from(found);
        let Some((_, name, meant)) = LOOKALIKES.iter().find(|(all, ..)| all.contains(found)) else {
            return Some(self.letter(at, found));
        };
        let message = match *meant {
            "" | " " => format!("{name} (U+{code:04X})"),
            _ => format!("`{found}` is {name} (U+{code:04X})"),
        };
        let help = match *meant {
            "" => "remove it".to_owned(),
            " " => "write an ordinary space".to_owned(),
            meant => format!("write `{}`", meant.repeat(self.run(at))),
        };
        let error = SyntaxError::new(error::UNEXPECTED, self.span(at), message).help(help);
        let (span, text) = match *meant {
            "\"" => self.in_quotes(at),
            meant => {
                let last = self.span(at + self.run(at) - 1);
                (Span { start: self.span(at).start, end: last.end }, meant.repeat(self.run(at)))
            }
        };
        Some(error.guess(span, text))
    }

    fn text_of(&self, token: crate::lex::Token) -> &str {
        crate::slice(self.text, token.span)
    }

    /// How many of the same character follow each other.
    fn run(&self, at: usize) -> usize {
        let same = |next: &usize| self.word(*next) == self.word(at) && self.span(*next).start == self.span(next - 1).end;
        1 + (at + 1..self.tokens.len()).take_while(same).count()
    }

    /// The text between two such quotation marks on one line, in the ones of the language.
    fn in_quotes(&self, open: usize) -> (Span, String) {
        let is_quote = |at: &usize| LOOKALIKES.iter().any(|(all, _, meant)| *meant == "\"" && all.contains(self.word(*at)));
        let close = (open + 1..self.tokens.len()).find(|at| is_quote(at) && !self.word(*at).is_empty());
        let inner = close.map(|close| Span { start: self.span(open).end, end: self.span(close).start });
        match inner.map(|inner| (inner, crate::slice(self.text, inner))) {
            Some((inner, text)) if !text.contains(['\n', '"', '\\']) => {
                let end = close.map_or(inner.end, |close| self.span(close).end);
                (Span { start: self.span(open).start, end }, format!("\"{text}\""))
            }
            _ => (self.span(open), "\"".to_owned()),
        }
    }

    /// A letter or sign that names do not have.
    fn letter(&self, at: usize, found: char) -> SyntaxError {
        let code = u32::from(found);
        if let Some((_, meant)) = LETTERS.iter().find(|(letter, _)| *letter == found) {
            let message = format!("`{found}` (U+{code:04X}) is not the letter `{meant}` that it looks like");
            let error = SyntaxError::new(error::UNEXPECTED, self.span(at), message).help(format!("write `{meant}`"));
            return error.guess(self.span(at), meant.to_string());
        }
        let message = format!("`{found}` (U+{code:04X}) is not allowed here");
        let help = "names have the letters `a` to `z`, digits and `_`; other text goes in double quotes";
        SyntaxError::new(error::UNEXPECTED, self.span(at), message).help(help)
    }
}
