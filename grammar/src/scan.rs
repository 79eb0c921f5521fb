//! The look at a file before it is parsed. Takes the text; gives it with what the parser must not see blanked
//! (byte for byte, so that places stay), and the errors. Never allocates when the file is fine.

use std::borrow::Cow;

use crate::MAX_DEPTH;
use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::lex::{Lexer, Token, TokenKind};
use crate::words;

/// Blanks what is refused and says why.
pub(crate) fn scan<'t>(text: &'t str, errors: &mut Vec<SyntaxError>) -> Cow<'t, str> {
    let hidden = characters(text, errors);
    let text = blank(Cow::Borrowed(text), &hidden);
    let deep = depth(&text, errors);
    blank(text, &deep)
}

/// Characters that a reader cannot see or that change what he sees: each run of them is one error.
fn characters(text: &str, errors: &mut Vec<SyntaxError>) -> Vec<Span> {
    let mut runs: Vec<Span> = Vec::new();
    let mut last = '\0';
    let bytes = text.as_bytes();
    let suspects =
        bytes.iter().enumerate().filter(|(_, b)| **b < 0x20 && !matches!(**b, b'\n' | b'\t') || matches!(**b, 0x7f | 0xc2 | 0xe2 | 0xef));
    for (at, _) in suspects {
        let Some(found) = text.get(at..).and_then(|t| t.chars().next()) else {
            continue;
        };
        let line_end = found == '\r' && bytes.get(at + 1) == Some(&b'\n');
        if line_end || !is_refused(found) {
            continue;
        }
        let span = crate::span(at, at + found.len_utf8());
        match runs.last_mut() {
            Some(run) if run.end == span.start && found == last => run.end = span.end,
            _ => {
                runs.push(span);
                if errors.len() <= crate::MAX_ERRORS {
                    errors.push(refusal(found, span));
                }
            }
        }
        last = found;
    }
    runs
}

fn is_refused(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn refusal(c: char, span: Span) -> SyntaxError {
    let code = u32::from(c);
    let (message, help) = match c {
        '\u{feff}' if span.start == 0 => {
            ("the file begins with a byte order mark".to_owned(), "save it as UTF-8 without a byte order mark")
        }
        '\r' => ("a carriage return stands without a line feed".to_owned(), "end lines with LF or CRLF"),
        '\0' => ("the file holds a NUL character".to_owned(), "remove it; policies are UTF-8 text"),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => (
            format!("the invisible character U+{code:04X} changes the order in which text is shown"),
            "remove it: a reader would see another policy than the compiler",
        ),
        _ => (format!("the control character U+{code:04X} is not allowed"), "remove it"),
    };
    SyntaxError::new(error::CONTROL, span, message).help(help)
}

/// Brackets deeper than the limit, reported where each nest crosses it; gives the items to blank.
fn depth(text: &str, errors: &mut Vec<SyntaxError>) -> Vec<Span> {
    let mut blanks = Vec::new();
    let (mut depth, mut deep, mut item) = (0_usize, false, 0_u32);
    let mut tokens = Lexer::new(text);
    while let Some(token) = tokens.next() {
        match token.kind {
            TokenKind::Word if begins_item(text, token, tokens) => {
                if deep {
                    blanks.push(Span { start: item, end: token.span.start });
                }
                (depth, deep, item) = (0, false, token.span.start);
            }
            TokenKind::Punct => match crate::slice(text, token.span) {
                "(" | "[" | "{" => {
                    depth += 1;
                    if depth == MAX_DEPTH + 1 {
                        deep = true;
                        errors.push(too_deep(token.span));
                    }
                }
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            },
            _ => {}
        }
    }
    if deep {
        blanks.push(crate::span(item as usize, text.len()));
    }
    blanks
}

fn too_deep(span: Span) -> SyntaxError {
    SyntaxError::new(error::TOO_DEEP, span, format!("brackets are nested deeper than {MAX_DEPTH}"))
        .help("give the inner part a name with `let` or `fn`")
}

/// Whether an item begins with this word: what follows is never legal inside of brackets.
fn begins_item(text: &str, word: Token, mut rest: Lexer<'_>) -> bool {
    let keyword = crate::slice(text, word.span);
    if !words::ITEMS.contains(&keyword) {
        return false;
    }
    let mut next = || rest.next().map(|t| (t.kind, crate::slice(text, t.span)));
    let Some((kind, first)) = next() else {
        return false;
    };
    let named = kind == TokenKind::Word && !words::is_keyword(first);
    match keyword {
        "test" => kind == TokenKind::Str,
        "mark" => named && next().is_some_and(|(_, w)| w == "per"),
        "except" => named && next().is_some_and(|(_, w)| matches!(w, "when" | "default" | "because" | "until")),
        _ => named,
    }
}

/// The text with the bytes of `spans` (in order) as blanks; line ends stay.
fn blank<'t>(text: Cow<'t, str>, spans: &[Span]) -> Cow<'t, str> {
    if spans.is_empty() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for span in spans {
        out.push_str(text.get(done..span.start as usize).unwrap_or_default());
        out.extend(crate::slice(&text, *span).bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        done = span.end as usize;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}
