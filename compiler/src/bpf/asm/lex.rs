//! Takes a line of assembly, gives its tokens. Never looks at their meaning.

use std::fmt;

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A name; may hold dots (`file.f_path`), start with one (`.local`), and end with the scope
    /// that a macro argument carries (`.local@3`).
    Word(&'t str),
    /// A number without a sign.
    Number(u64),
    /// Anything else.
    Sign(&'static str),
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(w) => f.write_str(w),
            Token::Number(n) => write!(f, "{n}"),
            Token::Sign(s) => f.write_str(s),
        }
    }
}

/// The sign that `text` begins with; those with `s` are signed comparisons and shifts.
fn sign(text: &[u8]) -> Option<&'static str> {
    Some(match text {
        [b's', b'>', b'>', b'=', ..] => "s>>=",
        [b's', b'>', b'=', ..] => "s>=",
        [b's', b'<', b'=', ..] => "s<=",
        [b's', b'>', ..] => "s>",
        [b's', b'<', ..] => "s<",
        [b'<', b'<', b'=', ..] => "<<=",
        [b'>', b'>', b'=', ..] => ">>=",
        [b'<', b'<', ..] => "<<",
        [b'>', b'>', ..] => ">>",
        [b'<', b'=', ..] => "<=",
        [b'>', b'=', ..] => ">=",
        [b'<', ..] => "<",
        [b'>', ..] => ">",
        [b'=', b'=', ..] => "==",
        [b'=', ..] => "=",
        [b'!', b'=', ..] => "!=",
        [b'!', ..] => "!",
        [b'&', b'&', ..] => "&&",
        [b'&', b'=', ..] => "&=",
        [b'&', ..] => "&",
        [b'|', b'|', ..] => "||",
        [b'|', b'=', ..] => "|=",
        [b'|', ..] => "|",
        [b'^', b'=', ..] => "^=",
        [b'^', ..] => "^",
        [b'+', b'=', ..] => "+=",
        [b'+', ..] => "+",
        [b'-', b'=', ..] => "-=",
        [b'-', ..] => "-",
        [b'*', b'=', ..] => "*=",
        [b'*', ..] => "*",
        [b'/', b'=', ..] => "/=",
        [b'/', ..] => "/",
        [b'%', b'=', ..] => "%=",
        [b'%', ..] => "%",
        [b'(', ..] => "(",
        [b')', ..] => ")",
        [b'[', ..] => "[",
        [b']', ..] => "]",
        [b',', ..] => ",",
        [b':', ..] => ":",
        [b'~', ..] => "~",
        _ => return None,
    })
}

/// Puts the tokens of `text` in the place of what `out` holds.
pub(super) fn lex<'t>(text: &'t str, out: &mut Vec<Token<'t>>) -> Result<(), String> {
    out.clear();
    let mut rest = text;
    while let Some(&first) = rest.as_bytes().first() {
        let (token, len) = if first.is_ascii_whitespace() {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        } else if let Some(sign) = sign(rest.as_bytes()) {
            (Token::Sign(sign), sign.len())
        } else if first.is_ascii_digit() {
            number(rest)?
        } else if is_word(first) && first != b'@' {
            let len = length(rest, is_word);
            (Token::Word(rest.get(..len).unwrap_or_default()), len)
        } else {
            let c = rest.chars().next().unwrap_or_default();
            return Err(format!("`{c}` has no meaning here"));
        };
        out.push(token);
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'@')
}

/// How many bytes at the beginning are of a kind.
fn length(text: &str, kind: fn(u8) -> bool) -> usize {
    text.bytes().position(|b| !kind(b)).unwrap_or(text.len())
}

fn number(text: &str) -> Result<(Token<'static>, usize), String> {
    let len = length(text, |b| b.is_ascii_alphanumeric() || b == b'_');
    let word = text.get(..len).unwrap_or_default();
    let parsed = |digits: &str| match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let value = if word.contains('_') { parsed(&word.replace('_', "")) } else { parsed(word) };
    value.map(|n| (Token::Number(n), len)).map_err(|_| format!("`{word}` is not a number of 64 bits"))
}
