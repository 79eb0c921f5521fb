//! Takes a line of assembly, gives its tokens. Never looks at their meaning.

use std::fmt;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name; may hold dots (`file.f_path`), start with one (`.local`), and end with the scope
    /// that a macro argument carries (`.local@3`).
    Word(String),
    /// A number without a sign.
    Number(u64),
    /// Anything else.
    Sign(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(w) => f.write_str(w),
            Token::Number(n) => write!(f, "{n}"),
            Token::Sign(s) => f.write_str(s),
        }
    }
}

/// Signs, longer ones before their prefixes. Those with `s` are signed comparisons and shifts.
const SIGNS: &[&str] = &[
    "s>>=", "<<=", ">>=", "s>=", "s<=", "s>", "s<", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "==", "!=", "<=", ">=", "<<", ">>",
    "&&", "||", "=", "<", ">", "&", "|", "^", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",", ":", "!", "~",
];

/// The tokens of `text`.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        // most tokens are words: only the signed signs begin like one
        let signs = if is_word(c) && c != 's' { &[] } else { SIGNS };
        let (token, len) = if let Some(sign) = signs.iter().find(|s| rest.starts_with(**s)) {
            (Token::Sign(sign), sign.len())
        } else if c.is_ascii_digit() {
            number(rest)?
        } else if c.is_ascii_alphabetic() || c == '_' || c == '.' {
            let len = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            (Token::Word(rest.get(..len).unwrap_or_default().to_owned()), len)
        } else {
            return Err(format!("`{c}` has no meaning here"));
        };
        out.push(token);
        rest = rest.get(len..).unwrap_or_default().trim_start();
    }
    Ok(out)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@')
}

fn number(text: &str) -> Result<(Token, usize), String> {
    let len = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let word = text.get(..len).unwrap_or_default();
    let digits = word.replace('_', "");
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    value.map(|n| (Token::Number(n), len)).map_err(|_| format!("`{word}` is not a number of 64 bits"))
}
