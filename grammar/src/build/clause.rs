//! Clauses: `when`, `unless`, `because`, `with`, `where`, `until`. Takes them in any order as the grammar does,
//! and says which do not belong, stand twice or stand out of order.

use super::{Builder, Cursor};
use crate::ast::{Cond, Literal, Record, Span, Spanned};
use crate::error::{self, SyntaxError};
use crate::tree::Kind;

/// What the clauses belong to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Owner {
    Rule,
    Default,
    Apply,
    Except,
}

/// The clauses of one part.
#[derive(Default)]
pub(super) struct Clauses {
    pub when: Option<Cond>,
    pub unless: Option<Cond>,
    pub because: Option<Spanned<String>>,
    pub with: Option<Record>,
    pub filter: Option<Cond>,
    pub until: Option<Spanned<String>>,
}

impl Owner {
    /// Its clauses in their order.
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Owner::Rule => &["when", "unless", "because", "with"],
            Owner::Default => &["because", "with"],
            Owner::Apply => &["where", "with"],
            Owner::Except => &["when", "because", "until"],
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Owner::Rule => "a rule",
            Owner::Default => "a default",
            Owner::Apply => "`apply`",
            Owner::Except => "an exception",
        }
    }

    /// What to write in place of a clause that does not belong.
    fn advice(self, clause: &str) -> String {
        match (self, clause) {
            (Owner::Default, "when" | "unless" | "where") => {
                "a default covers everything in `scope`; write `allow` rules for what may happen".to_owned()
            }
            (Owner::Except, "unless") => "write `when … and not (…)`".to_owned(),
            (Owner::Apply, "when" | "unless") => "write `where`".to_owned(),
            (Owner::Rule, "where") => "write `when`".to_owned(),
            (Owner::Rule, "until") => "only an exception has an end date".to_owned(),
            _ => format!("{} takes {}", self.noun(), listed(self.allowed())),
        }
    }
}

/// "`a`, `b` and `c`".
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

impl Builder<'_> {
    /// All clauses that follow.
    pub(super) fn clauses(&mut self, nodes: &mut Cursor<'_>, owner: Owner) -> Option<Clauses> {
        let mut clauses = Clauses::default();
        let mut seen: Vec<(usize, Span)> = Vec::new();
        while let Some((keyword, _)) = nodes.next() {
            let word = self.slice(keyword.span);
            match owner.allowed().iter().position(|w| *w == word) {
                Some(rank) => self.order(owner, word, (rank, keyword.span), &mut seen),
                None => {
                    let message = format!("{} does not take `{word}`", owner.noun());
                    let error = SyntaxError::new(error::WRONG_CLAUSE, keyword.span, message);
                    self.error(error.help(owner.advice(word)));
                }
            }
            match keyword.kind {
                Kind::k_when => clauses.when = Some(self.cond(nodes)?),
                Kind::k_unless => clauses.unless = Some(self.cond(nodes)?),
                Kind::k_because => clauses.because = Some(self.string(nodes)?),
                Kind::k_with => clauses.with = Some(self.record(nodes)?),
                Kind::k_where => clauses.filter = Some(self.cond(nodes)?),
                Kind::k_until => {
                    let (date, _) = nodes.take(Kind::word)?;
                    let is_date = |l: &Literal| matches!(l, Literal::Date(_));
                    clauses.until = Some(self.shaped(date, "a date", "2027-03-31", is_date));
                }
                _ => return None,
            }
        }
        Some(clauses)
    }

    fn order(&mut self, owner: Owner, word: &str, clause: (usize, Span), seen: &mut Vec<(usize, Span)>) {
        let (rank, span) = clause;
        if let Some((_, first)) = seen.iter().find(|(r, _)| *r == rank) {
            let help = match word {
                "when" => "join the conditions with `and`",
                "unless" => "join the conditions with `or`",
                _ => "keep one of them",
            };
            let error = SyntaxError::new(error::CLAUSE_ORDER, span, format!("a second `{word}`"));
            self.error(error.help(help).related(*first, "the first one"));
        } else if let Some((later, first)) = seen.iter().find(|(r, _)| *r > rank) {
            let later_word = owner.allowed().get(*later).copied().unwrap_or_default();
            let message = format!("`{word}` comes after `{later_word}`");
            let help = format!("the order is {}", listed(owner.allowed()));
            self.error(SyntaxError::new(error::CLAUSE_ORDER, span, message).help(help).related(*first, "the later one"));
        }
        seen.push(clause);
    }
}
