//! The lexer. Takes text, gives tokens that cover every byte of it, blanks and comments included; never fails. Strings
//! and comments are cut exactly as the grammar does.

use crate::ast::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Spaces and tabs.
    Blank,
    /// A line feed, with the carriage return before it.
    LineEnd,
    /// `// …`, or four slashes and more, without the end of the line.
    Comment,
    /// A comment of another language: `# …` to the end of the line, `/* … */` that blanks set off from a path.
    Foreign,
    /// A character that policies must not hold: a control character, or one that changes the order of others.
    Refused,
    /// `/// …`, without the end of the line.
    Doc,
    /// Letters, digits, `_`, and dots between them.
    Word,
    /// `"…"`
    Str,
    /// A string that is not closed on its line, with the rest of the line.
    OpenStr,
    /// Operators and all other characters, one at a time.
    Punct,
}

impl TokenKind {
    /// Whether the grammar passes over such a token.
    #[must_use]
    pub fn is_trivia(self) -> bool {
        matches!(self, Self::Blank | Self::LineEnd | Self::Comment | Self::Foreign | Self::Refused)
    }
}

/// A token and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands, in bytes.
    pub span: Span,
}

/// All tokens of a text, one after the other: their texts joined are the text.
#[derive(Clone, Debug)]
pub struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// A search for `*/` from here on finds none.
    unclosed: bool,
}

/// All tokens of `text`.
#[must_use]
pub fn tokens(text: &str) -> Lexer<'_> {
    Lexer { text, at: 0, unclosed: false }
}

/// The tokens from a byte on at which one begins.
pub(crate) fn from(text: &str, at: usize) -> Lexer<'_> {
    Lexer { text, at, unclosed: false }
}

/// The tokens of a text that the grammar does not pass over.
pub(crate) fn significant(text: &str) -> impl Iterator<Item = Token> + Clone + '_ {
    tokens(text).filter(|token| !token.kind.is_trivia())
}

/// The same within a span of `text`, places counted from the start of `text`.
pub(crate) fn within(text: &str, span: Span) -> impl Iterator<Item = Token> + Clone + '_ {
    let text = text.get(..span.end as usize).unwrap_or(text);
    Lexer { text, at: span.start as usize, unclosed: false }.filter(|token| !token.kind.is_trivia())
}

impl Lexer<'_> {
    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or(&[])
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Bytes of the line that is left.
    fn line(&self) -> usize {
        let rest = self.rest();
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        // The carriage return of a Windows line end belongs to the end.
        if end < rest.len() && end > 0 && rest.get(end - 1) == Some(&b'\r') { end - 1 } else { end }
    }

    fn blanks(&self) -> usize {
        let rest = self.rest();
        rest.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(rest.len())
    }

    /// Length of the string that begins here, or none if the line ends before it does.
    fn string(&self) -> Option<usize> {
        let rest = self.rest();
        let mut at = 1;
        loop {
            at += rest.get(at..)?.iter().position(|b| matches!(b, b'"' | b'\\' | b'\n'))?;
            match rest.get(at)? {
                b'"' => return Some(at + 1),
                b'\\' if rest.get(at + 1).is_some_and(|b| *b != b'\n') => at += 2,
                _ => return None,
            }
        }
    }

    fn word(&self) -> usize {
        let mut rest = self.rest();
        let whole = rest.len();
        loop {
            let end = rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len());
            rest = rest.get(end..).unwrap_or_default();
            match rest {
                [b'.', next, ..] if is_word(*next) => rest = rest.get(1..).unwrap_or_default(),
                _ => return whole - rest.len(),
            }
        }
    }

    fn slash(&mut self) -> (TokenKind, usize) {
        match (self.byte(1), self.byte(2), self.byte(3)) {
            (b'/', b'/', b'/') => (TokenKind::Comment, self.line()),
            (b'/', b'/', _) => (TokenKind::Doc, self.line()),
            (b'/', ..) => (TokenKind::Comment, self.line()),
            (b'*', ..) if self.is_set_off() => (TokenKind::Foreign, self.block_comment()),
            _ => (TokenKind::Punct, self.punct()),
        }
    }

    /// Whether the two bytes here have blanks around them.
    fn is_set_off(&self) -> bool {
        let near = |at: Option<usize>| {
            at.and_then(|at| self.text.as_bytes().get(at)).is_none_or(|b| b.is_ascii_whitespace() || b.is_ascii_control())
        };
        near(self.at.checked_sub(1)) && near(Some(self.at + 2))
    }

    fn block_comment(&mut self) -> usize {
        let found = if self.unclosed { None } else { self.text.get(self.at..).and_then(|rest| rest.find("*/")) };
        self.unclosed = found.is_none();
        found.map_or_else(|| self.line(), |at| at + 2)
    }

    fn punct(&self) -> usize {
        match (self.byte(0), self.byte(1)) {
            (b'=' | b'!' | b'<' | b'>', b'=') | (b'=' | b'-', b'>') | (b'&', b'&') | (b'|', b'|') | (b'.', b'.') => 2,
            (b'/', b'*') | (b'*', b'/') => 2,
            _ => 1,
        }
    }

    /// A character that no token begins with.
    fn other(&self) -> (TokenKind, usize) {
        let Some(c) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
            return (TokenKind::Punct, 1);
        };
        (if is_refused(c) { TokenKind::Refused } else { TokenKind::Punct }, c.len_utf8())
    }
}

fn is_word(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'_' | b'a'..=b'z')
}

/// Characters that a reader cannot see or that change what he sees.
pub(crate) fn is_refused(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let first = *self.rest().first()?;
        let (kind, length) = match first {
            b' ' | b'\t' => (TokenKind::Blank, self.blanks()),
            b'\n' => (TokenKind::LineEnd, 1),
            b'\r' if self.byte(1) == b'\n' => (TokenKind::LineEnd, 2),
            b'/' => self.slash(),
            b'#' => (TokenKind::Foreign, self.line()),
            b'"' => self.string().map_or_else(|| (TokenKind::OpenStr, self.line()), |length| (TokenKind::Str, length)),
            _ if is_word(first) => (TokenKind::Word, self.word()),
            b'!'..=b'~' => (TokenKind::Punct, self.punct()),
            _ => self.other(),
        };
        let span = crate::span(self.at, self.at + length);
        self.at += length;
        Some(Token { kind, span })
    }
}
