//! Untidy policies: takes a text that parses, gives the same policy in another layout, with comments in every place where one
//! may stand. And what must hold when the formatter has read any text. The same seed gives the same text.

use super::differential::random::Random;
use crate::fmt::{self, Refused};
use ebsec_grammar::{Token, TokenKind, tokens};

/// How untidy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mess {
    /// Blanks alone, and lines broken where there was a blank: one formatted text must come of all.
    Blanks,
    /// Comments and empty lines too.
    Comments,
    /// Comments that switch the formatter off and on, too.
    Switches,
}

/// What stands for blanks.
const BLANKS: &[&str] = &[" ", "  ", "\t", "\n", " \n", "\n\t  ", "     \n  "];
/// Comments, one of which looks like the beginning of something.
const COMMENTS: &[&str] = &["// why", "//", "//! {", "//// \"x", "// a: deny exec", "// }  ", "//b,", "// let x = [1,"];
/// The comments that the formatter reads.
const SWITCHES: &[&str] = &["// fmt: off", "// fmt: on"];

/// Another layout of a text.
#[must_use]
pub fn untidy(text: &str, mess: Mess, random: &mut Random) -> String {
    let all: Vec<Token> = tokens(text).collect();
    let mut out = String::with_capacity(text.len() * 2);
    let mut before: Option<Token> = None;
    let mut between: Vec<Token> = Vec::new();
    for token in all {
        if token.kind.is_trivia() {
            between.push(token);
            continue;
        }
        gap(text, before, &between, token, mess, random, &mut out);
        out.push_str(slice(text, token));
        (before, between) = (Some(token), Vec::new());
    }
    between.iter().for_each(|token| out.push_str(slice(text, *token)));
    let windows = text.contains("\r\n") || mess != Mess::Blanks && random.chance(10);
    if windows { out.replace("\r\n", "\n").replace('\n', "\r\n") } else { out }
}

fn slice(text: &str, token: Token) -> &str {
    text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default()
}

/// Writes what stands between two tokens.
fn gap(text: &str, before: Option<Token>, between: &[Token], next: Token, mess: Mess, random: &mut Random, out: &mut String) {
    let lines = between.iter().any(|token| token.kind != TokenKind::Blank);
    if mess == Mess::Blanks && lines || before.is_some_and(|before| before.kind == TokenKind::Doc) {
        // Empty lines and comments are the author's; the blanks beside them are not.
        for token in between {
            match token.kind {
                TokenKind::Blank => out.push_str(random.word(&["", " ", "\t\t"])),
                TokenKind::LineEnd => {
                    out.push_str(random.word(&["", " "]));
                    out.push_str(slice(text, *token));
                    out.push_str(random.word(&["", "  "]));
                }
                _ => out.push_str(slice(text, *token)),
            }
        }
        return;
    }
    let sign = |token: Token| matches!(slice(text, token), "," | "{" | "}" | "(" | ")");
    if between.is_empty() && !sign(next) && !before.is_some_and(sign) {
        return; // the two may be one literal
    }
    if before.is_some_and(|before| slice(text, before) == "{") && slice(text, next) == "}" && mess == Mess::Blanks {
        return;
    }
    if mess == Mess::Blanks {
        // A line that begins with a word in the first column may be taken for something new.
        let blank = random.word(BLANKS);
        out.push_str(if between.is_empty() && random.chance(50) { "" } else { blank });
        return;
    }
    let mut written = false;
    if before.is_some_and(|before| slice(text, before) == "/") {
        out.push(' '); // three slashes would be documentation
    }
    for token in between.iter().filter(|token| token.kind == TokenKind::Comment) {
        out.push_str(random.word(&[" ", "\n", "\n\n"]));
        out.push_str(slice(text, *token));
        out.push('\n');
        written = true;
    }
    while random.chance(12) {
        out.push_str(random.word(&[" ", "\n", "\n\n", "\n\n\n  ", ""]));
        let switch = mess == Mess::Switches && random.chance(30);
        out.push_str(random.word(if switch { SWITCHES } else { COMMENTS }));
        out.push_str(random.word(&["\n", "\n\n", "\n    ", "\n \n\n"]));
        written = true;
    }
    let lines = lines && random.chance(80);
    out.push_str(match (written, between.is_empty()) {
        (true, _) => random.word(&["", "  "]),
        (_, true) => random.word(&["", "", " "]),
        _ if lines => random.word(&["\n", "\n\n", "\n\n\n", " \n  "]),
        _ => random.word(BLANKS),
    });
}

/// What is wrong with what the formatter makes of a text, if anything; nothing if the text does not parse.
///
/// # Errors
///
/// One sentence that says what does not hold.
pub fn holds(text: &str) -> Result<Option<String>, String> {
    let once = match fmt::format(text) {
        Ok(once) => once,
        Err(Refused::Syntax(_)) => return Ok(None),
        Err(Refused::Internal(what)) => return Err(what.to_owned()),
    };
    match fmt::format(&once) {
        Ok(twice) if twice == once => {}
        Ok(twice) => return Err(format!("formatted twice it differs:\n{once}\n---\n{twice}")),
        Err(refused) => return Err(format!("the result is refused: {refused:?}\n{once}")),
    }
    let kept = text.contains("fmt: off");
    if !kept && once.lines().any(|line| line.ends_with([' ', '\t'])) {
        return Err(format!("a line ends with a blank:\n{once}"));
    }
    if !kept && once.replace('\r', "").contains("\n\n\n") {
        return Err(format!("two empty lines in a row:\n{once}"));
    }
    if !once.is_empty() && !once.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    Ok(Some(once))
}
