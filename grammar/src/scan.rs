//! The look at a part before it is parsed. Takes the text; gives it with comments and what the parser must not see blanked
//! (byte for byte, so that places stay), and the errors. Leaves a part without either as it is.

use std::borrow::Cow;

use crate::MAX_DEPTH;
use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::lex::{self, Token, TokenKind, is_refused};
use crate::words;

/// What is looked for in a part besides its words.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// It is at the start of the file.
    pub first: bool,
    /// Brackets that are open before it.
    pub depth: usize,
    /// How many errors are kept.
    pub room: usize,
}

/// Blanks what is refused and says why.
pub(crate) fn scan<'t>(text: &'t str, place: Place, errors: &mut Vec<SyntaxError>) -> Cow<'t, str> {
    if is_plain(text.as_bytes(), place.depth) {
        return Cow::Borrowed(text);
    }
    let mut report = Report { errors, room: place.room };
    let hidden = characters(text, place.first, &mut report);
    let text = blank(Cow::Borrowed(text), &hidden);
    let foreign = comments(&text, &mut report);
    let text = blank(text, &foreign);
    let deep = depth(&text, place.depth, &mut report);
    blank(text, &deep)
}

/// Blanks comments, which the parser would look for wherever a blank may stand.
pub(crate) fn without_comments(text: Cow<'_, str>) -> Cow<'_, str> {
    // In strings too, which costs another look and no more.
    if !text.contains("//") {
        return text;
    }
    let mut spans = Vec::new();
    let mut quoted = false;
    for token in lex::tokens(&text) {
        match token.kind {
            TokenKind::LineEnd => quoted = false,
            TokenKind::Punct if crate::slice(&text, token.span) == "'" => quoted = !quoted,
            TokenKind::Comment => spans.extend(comment(&text, token.span, quoted)),
            _ => {}
        }
    }
    blank(text, &spans)
}

/// What of a token is a comment: in single quotes, which are a mistake that has a message, slashes begin none.
fn comment(text: &str, span: Span, quoted: bool) -> Option<Span> {
    let slashes = crate::slice(text, span);
    let Some(closed) = slashes.find('\'').filter(|_| quoted) else { return Some(span) };
    let start = closed + slashes.get(closed..)?.find("//")?;
    Some(crate::span(span.start as usize + start, span.end as usize))
}

/// Takes errors as long as they are kept.
struct Report<'e> {
    errors: &'e mut Vec<SyntaxError>,
    room: usize,
}

impl Report<'_> {
    /// Adds an error; one more than are kept shows that there are others.
    fn add(&mut self, error: impl FnOnce() -> SyntaxError) {
        if self.errors.len() <= self.room {
            self.errors.push(error());
        }
    }
}

/// Whether a quick look finds nothing to report. It may see ghosts, which the long look then lets pass.
fn is_plain(bytes: &[u8], depth: usize) -> bool {
    if has_suspect(bytes) {
        return false;
    }
    let (mut at, mut depth) = (0, depth);
    while let Some(byte) = bytes.get(at) {
        let rest = || bytes.get(at + 1..).unwrap_or_default();
        let next = bytes.get(at + 1);
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = rest().iter().position(|b| matches!(b, b'"' | b'\\' | b'\n'));
                match end {
                    Some(length) if rest().get(length) == Some(&b'"') => at += length + 1,
                    _ => return false,
                }
            }
            b'/' if next == Some(&b'/') => at += rest().iter().position(|b| *b == b'\n').unwrap_or(rest().len()),
            b'/' if next == Some(&b'*') => return false,
            b'#' => return false,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
        at += 1;
    }
    true
}

/// Bytes that may be, or begin, a character that is refused. Without a branch, so that many are compared at once.
fn is_suspect(byte: u8) -> bool {
    ((byte < 0x20) & (byte != b'\n') & (byte != b'\t')) | (byte == 0x7f) | (byte == 0xc2) | (byte == 0xe2) | (byte == 0xef)
}

/// Whether there is such a byte.
pub(crate) fn has_suspect(bytes: &[u8]) -> bool {
    bytes.chunks(64).any(|some| some.iter().fold(false, |found, byte| found | is_suspect(*byte)))
}

/// Characters that a reader cannot see or that change what he sees: each run of them is one error.
fn characters(text: &str, first: bool, report: &mut Report<'_>) -> Vec<Span> {
    let mut runs: Vec<Span> = Vec::new();
    let mut last = '\0';
    let bytes = text.as_bytes();
    let suspects = bytes.iter().enumerate().filter(|(_, b)| is_suspect(**b));
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
                let run = text.get(at..).map_or(1, |rest| rest.chars().take_while(|c| *c == found).count());
                report.add(|| refusal(found, span, run, first));
            }
        }
        last = found;
    }
    runs
}

/// The error for a run of one character, the first of which stands at `span`.
fn refusal(c: char, span: Span, run: usize, first: bool) -> SyntaxError {
    let code = u32::from(c);
    let (message, help) = match c {
        '\u{feff}' if first && span.start == 0 => {
            ("the file begins with a byte order mark".to_owned(), "save it as UTF-8 without a byte order mark")
        }
        '\r' => ("a carriage return without a line feed".to_owned(), "end lines with LF or CRLF"),
        '\0' => ("the file holds a NUL character".to_owned(), "remove it; policies are UTF-8 text"),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => (
            format!("the invisible character U+{code:04X} changes the order in which text is shown"),
            "remove it: people would see a different policy than the compiler does",
        ),
        _ => (format!("the control character U+{code:04X} is not allowed"), "remove it"),
    };
    let error = SyntaxError::new(error::CONTROL, span, message).help(help);
    let all = crate::span(span.start as usize, span.start as usize + run * c.len_utf8());
    if c == '\r' { error } else { error.guess(all, "") }
}

/// Comments of other languages: `#` to the end of the line, `/* … */` where blanks set it off from a path.
fn comments(text: &str, report: &mut Report<'_>) -> Vec<Span> {
    let foreign = lex::tokens(text).filter(|token| token.kind == TokenKind::Foreign).map(|token| token.span);
    let found: Vec<Span> = foreign.collect();
    for span in &found {
        report.add(|| {
            let mark = if crate::slice(text, *span).starts_with('#') { "#" } else { "/*" };
            let start = span.start as usize;
            let message = format!("`{mark}` does not begin a comment");
            SyntaxError::new(error::COMMENT_STYLE, crate::span(start, start + mark.len()), message).help("write `//`")
        });
    }
    found
}

/// Brackets deeper than the limit, reported where each nest crosses it; gives the items to blank.
fn depth(text: &str, open: usize, report: &mut Report<'_>) -> Vec<Span> {
    let mut blanks = Vec::new();
    let (mut depth, mut deep, mut item) = (open, false, 0_u32);
    let mut tokens = lex::significant(text);
    while let Some(token) = tokens.next() {
        match token.kind {
            TokenKind::Word if begins_item(text, token, tokens.clone()) => {
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
                        report.add(|| too_deep(token.span));
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
fn begins_item(text: &str, word: Token, mut rest: impl Iterator<Item = Token>) -> bool {
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
