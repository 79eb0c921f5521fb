//! Comparisons of other languages, `startswith` and its like: says how the same is asked here, with the user's own
//! field and text where they stand there.

use super::{Bad, Stop};
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

impl Bad<'_> {
    /// The error for a foreign comparison, if the place wants a comparison and holds one.
    pub(super) fn foreign_comparison(&self, stop: &Stop, kinds: &[Kind]) -> Option<SyntaxError> {
        let field = self.word(stop.at.checked_sub(1)?);
        let asks = asks(self.word(stop.at)).filter(|_| kinds.contains(&Kind::op))?;
        let message = format!("{} is not an operator", self.quoted(stop.at));
        let help = match self.plain_text(stop.at + 1) {
            _ if matches!(asks, Asks::Contains) && holds_several(field) => "did you mean `has`?".to_owned(),
            Some(text) => written(asks, field, text),
            None if matches!(asks, Asks::Starts) => {
                format!("`{field} under …` asks for a path and all below it, `{field} matches …` for a pattern such as `\"ssh*\"`")
            }
            None => format!("write `{field} matches …` and a pattern, in which `*` stands for any part of a name"),
        };
        Some(SyntaxError::new(error::UNEXPECTED, self.span(stop.at), message).help(help))
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

/// Fields that hold several values, or bits, which are asked by `has`.
fn holds_several(field: &str) -> bool {
    matches!(field.rsplit('.').next(), Some("args" | "env" | "mode" | "caps" | "flags"))
}

/// The whole comparison in this language.
fn written(asks: Asks, field: &str, text: &str) -> String {
    let path = matches!(field.rsplit('.').next(), Some("path" | "exe" | "dir" | "target"));
    let rooted = text.starts_with('/');
    match asks {
        Asks::Starts if rooted => {
            let folder = if text == "/" { text } else { text.trim_end_matches('/') };
            format!("write `{field} under \"{folder}\"`")
        }
        Asks::Ends if path && rooted => format!("write `{field} matches \"/**{text}\"`"),
        Asks::Ends if path && !text.contains('/') => format!("write `{field}.name matches \"*{text}\"`"),
        Asks::Contains if path && rooted && text.len() > 1 && text.ends_with('/') => {
            format!("write `{field} matches \"/**{text}**\"`")
        }
        Asks::Contains if path && !text.contains('/') => {
            let name = format!("write `{field} matches \"/**/*{text}*\"`");
            format!("{name}; what is below a folder of such a name is `\"/**/*{text}*/**\"`")
        }
        Asks::Starts => format!("write `{field} matches \"{text}*\"`"),
        Asks::Ends => format!("write `{field} matches \"*{text}\"`"),
        Asks::Contains => format!("write `{field} matches \"*{text}*\"`"),
    }
}
