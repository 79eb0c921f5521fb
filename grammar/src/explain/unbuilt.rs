//! Words of the language whose form is written down and which nothing builds yet: marks, counting and limits. A
//! mistake in their form is not worth a message of its own: the words are refused anyhow, and the form is shown.

use super::{Bad, Stop};
use crate::error::{self, SyntaxError};
use crate::outline::Within;

impl Bad<'_> {
    /// `mark …` as an item, whatever follows.
    pub(super) fn mark_item(&self, first: usize) -> Option<SyntaxError> {
        if self.word(first) != "mark" {
            return None;
        }
        let name = if self.is_word(first + 1) { self.word(first + 1) } else { "name" };
        Some(self.unbuilt(first).help(format!("a mark's form is `mark {name} per lineage for 10m`")))
    }

    /// `limit …` or `after …` where a member or an action should stand.
    pub(super) fn counting(&self, at: usize) -> Option<SyntaxError> {
        let example = match self.word(at) {
            "limit" => "limit = 1/1m per process",
            "after" => "after = 3/1m per process",
            _ => return None,
        };
        let counts = self.is_word(at + 1) && !matches!(self.word(at + 2), ":" | "=");
        counts.then(|| self.unbuilt(at).help(format!("counts and limits have the form `with {{ {example} }}` at the end of a rule")))
    }

    /// The same words after the events or the condition of a rule.
    pub(super) fn tail(&self, stop: &Stop) -> Option<SyntaxError> {
        if self.within != Within::Policy || stop.at == 0 || !stop.open.is_empty() {
            return None;
        }
        if self.word(stop.at) == "mark" && self.is_word(stop.at + 1) {
            let help = format!("a rule of its own sets a mark, in the form `label: mark {} exec`", self.word(stop.at + 1));
            return Some(self.unbuilt(stop.at).help(help));
        }
        self.counting(stop.at)
    }

    fn unbuilt(&self, at: usize) -> SyntaxError {
        SyntaxError::new(error::UNBUILT, self.span(at), format!("{} is not supported yet", self.quoted(at)))
    }
}
