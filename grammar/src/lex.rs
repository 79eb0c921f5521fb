//! A small lexer for the scan before the parser and for explaining a bad span. Takes text, gives tokens that
//! cover everything but blanks and comments; never fails. Strings and comments are cut exactly as the grammar does.

use crate::ast::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Letters, digits, `_`, and dots between them.
    Word,
    /// `"…"`
    Str,
    /// A string that is not closed on its line, with the rest of the line.
    OpenStr,
    /// `/// …`
    Doc,
    /// Operators and all other characters, one at a time.
    Punct,
}

/// A token and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// Tokens of a text from a place on.
#[derive(Clone, Copy)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

const PAIRS: &[&[u8]] = &[b"==", b"!=", b"<=", b">=", b"=>", b"->", b"&&", b"||", b"..", b"/*", b"*/"];

impl<'t> Lexer<'t> {
    /// Tokens of `text`, places counted from its start.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Tokens of the part of `text` in `span`, places counted from the start of `text`.
    pub fn within(text: &'t str, span: Span) -> Self {
        let text = text.get(..span.end as usize).unwrap_or(text);
        Self { text, at: span.start as usize }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or(&[])
    }

    /// Bytes of the line that is left.
    fn line(&self) -> usize {
        let rest = self.rest();
        rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
    }

    /// Length of the string that begins here, or none if the line ends before it does.
    fn string(&self) -> Option<usize> {
        let mut bytes = self.rest().iter().enumerate().skip(1);
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => return Some(at + 1),
                b'\n' => return None,
                b'\\' => match bytes.next() {
                    Some((_, b'\n')) | None => return None,
                    Some(_) => {}
                },
                _ => {}
            }
        }
        None
    }

    fn word(&self) -> usize {
        let rest = self.rest();
        let mut length = 0;
        while let Some(byte) = rest.get(length) {
            let dot = *byte == b'.' && rest.get(length + 1).is_some_and(|b| is_word(*b));
            if !is_word(*byte) && !dot {
                break;
            }
            length += 1;
        }
        length
    }

    fn punct(&self) -> usize {
        let rest = self.rest();
        if PAIRS.iter().any(|pair| rest.starts_with(pair)) {
            return 2;
        }
        self.text.get(self.at..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let first = *self.rest().first()?;
            let (kind, length) = match first {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    self.at += 1;
                    continue;
                }
                b'/' if self.byte(1) == b'/' && (self.byte(2) != b'/' || self.byte(3) == b'/') => {
                    self.at += self.line();
                    continue;
                }
                b'/' if self.byte(1) == b'/' => (TokenKind::Doc, self.line()),
                b'"' => self.string().map_or_else(|| (TokenKind::OpenStr, self.line()), |length| (TokenKind::Str, length)),
                _ if is_word(first) => (TokenKind::Word, self.word()),
                _ => (TokenKind::Punct, self.punct()),
            };
            let span = crate::span(self.at, self.at + length);
            self.at += length;
            return Some(Token { kind, span });
        }
    }
}
