//! Comparisons of other languages, `startswith` and its like: says how the same is asked here, with the user's own
//! field and text where they stand there.

use super::{Bad, Stop};
use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::lex::TokenKind;
use crate::tree::Kind;

/// What the other language asks.
#[derive(Clone, Copy)]
enum Asks {
    Starts,
    Ends,
    Contains,
}

/// What a field holds, by its last word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Path,
    Name,
    Several,
    Other,
}

impl Bad<'_> {
    /// The error for a foreign comparison, if the place wants a comparison and holds one.
    pub(super) fn foreign_comparison(&self, stop: &Stop, kinds: &[Kind]) -> Option<SyntaxError> {
        let left = stop.at.checked_sub(1)?;
        let field = self.word(left);
        let asks = asks(self.word(stop.at)).filter(|_| kinds.contains(&Kind::op))?;
        let message = format!("{} is not an operator", self.quoted(stop.at));
        let error = SyntaxError::new(error::UNEXPECTED, self.span(stop.at), message);
        let ways = self.plain_text(stop.at + 1).map_or_else(Vec::new, |text| written(asks, field, text));
        if ways.is_empty() {
            return Some(error.help(general(asks, field)));
        }
        let words: Vec<String> = ways.iter().map(|(when, way)| format!("{when}`{way}`")).collect();
        let whole = Span { start: self.span(left).start, end: self.span(stop.at + 1).end };
        let error = error.help(format!("write {}", words.join("; ")));
        Some(ways.into_iter().fold(error, |error, (_, way)| error.guess(whole, way)))
    }

    /// A string without anything that means more than itself.
    fn plain_text(&self, at: usize) -> Option<&str> {
        let text = Some(self.word(at)).filter(|_| self.kind(at) == Some(TokenKind::Str))?;
        let text = text.strip_prefix('"')?.strip_suffix('"')?;
        (!text.is_empty() && text.len() <= 64 && !text.contains(['*', '?', '[', '{', '\\'])).then_some(text)
    }
}

fn asks(word: &str) -> Option<Asks> {
    Some(match word.to_ascii_lowercase().replace('_', "").as_str() {
        "startswith" | "beginswith" | "hasprefix" | "prefix" => Asks::Starts,
        "endswith" | "hassuffix" | "suffix" => Asks::Ends,
        "contains" | "icontains" | "includes" => Asks::Contains,
        _ => return None,
    })
}

fn holds(field: &str) -> Holds {
    match field.rsplit('.').next() {
        Some("path" | "host_path" | "exe" | "dir" | "target") => Holds::Path,
        Some("name" | "ext" | "comm" | "fs") => Holds::Name,
        Some("args" | "env" | "mode" | "caps" | "flags") => Holds::Several,
        _ => Holds::Other,
    }
}

/// Help where the whole comparison cannot be written for the user.
fn general(asks: Asks, field: &str) -> String {
    match (holds(field), asks) {
        (Holds::Several, Asks::Contains) => "did you mean `has`?".to_owned(),
        (Holds::Path, Asks::Starts) => {
            format!("`{field} under …` matches a path and everything below it, `{field} matches …` a pattern such as `\"/usr/bin/py*\"`")
        }
        (Holds::Path | Holds::Name, _) => {
            format!("write `{field} matches …` with a pattern, where `*` matches any part of a name")
        }
        (Holds::Several | Holds::Other, _) => format!("compare `{field}` with whole values, by `==` or `in`"),
    }
}

/// The comparison in this language: each way with what is said before it. Empty if no path or name is like that.
fn written(asks: Asks, field: &str, text: &str) -> Vec<(String, String)> {
    match holds(field) {
        Holds::Path => of_path(asks, field, text),
        Holds::Name if !text.contains('/') && (text.len() < 15 || !field.ends_with("comm")) => of_name(asks, field, text),
        _ => Vec::new(),
    }
}

fn of_name(asks: Asks, field: &str, text: &str) -> Vec<(String, String)> {
    if field.ends_with(".ext") && text.contains('.') {
        return Vec::new();
    }
    let pattern = match asks {
        Asks::Starts => format!("{text}*"),
        Asks::Ends => format!("*{text}"),
        Asks::Contains => format!("*{text}*"),
    };
    vec![(String::new(), format!("{field} matches \"{pattern}\""))]
}

fn of_path(asks: Asks, field: &str, text: &str) -> Vec<(String, String)> {
    let inner = text.trim_matches('/');
    if inner.is_empty() || inner.split('/').any(|part| matches!(part, "" | "." | "..")) || text.starts_with("//") || text.ends_with("//") {
        return Vec::new();
    }
    let way = |when: &str, rest: String| (when.to_owned(), format!("{field} {rest}"));
    let (rooted, folder) = (text.starts_with('/'), text.ends_with('/'));
    // What may stand before the text: whole segments, or also a part of the one that it begins in.
    let before = if rooted { "/**/" } else { "/**/*" };
    match asks {
        Asks::Starts if !rooted => Vec::new(),
        Asks::Starts if folder => vec![way("", format!("under \"/{inner}\""))],
        Asks::Starts => {
            let below = way("for a folder and everything below it ", format!("under \"/{inner}\""));
            vec![way("", format!("matches \"/{inner}*\"")), below]
        }
        Asks::Ends if folder => Vec::new(),
        Asks::Ends if !rooted && !text.contains('/') && !field.ends_with(".dir") => {
            vec![(String::new(), format!("{field}.name matches \"*{text}\""))]
        }
        Asks::Ends => vec![way("", format!("matches \"{before}{inner}\""))],
        Asks::Contains if folder => vec![way("", format!("matches \"{before}{inner}/**\""))],
        Asks::Contains => {
            let below = way("for everything below a folder of such a name ", format!("matches \"{before}{inner}*/**\""));
            vec![way("", format!("matches \"{before}{inner}*\"")), below]
        }
    }
}
