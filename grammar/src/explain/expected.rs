//! The sentence "expected …, found …". Takes what the parser tried at the place where it stopped, gives it in the
//! user's words, with the word that was probably meant.

use super::{Bad, Stop, is_clause, is_comparison};
use crate::ast::Span;
use crate::error::{self, SyntaxError};
use crate::lex::TokenKind;
use crate::outline::Within;
use crate::tree::Kind;
use crate::words;

/// What to say for each thing that may be expected, in the order in which it is said.
const PHRASES: &[(&[Kind], &str)] = &[
    (&[Kind::string, Kind::quoted], "text in double quotes"),
    (&[Kind::name, Kind::qname, Kind::key, Kind::arg_decl, Kind::pair], "a name"),
    (&[Kind::type_], "a type"),
    (&[Kind::action, Kind::verb, Kind::labelless, Kind::colonless], "an action (`deny`, `kill`, `audit`, `allow` or `mark`)"),
    (&[Kind::event], "an event"),
    (&[Kind::cond, Kind::not, Kind::group], "a condition"),
    (&[Kind::value, Kind::word, Kind::set], "a value"),
    (&[Kind::arg], "an argument"),
    (&[Kind::record], "`{`"),
    (&[Kind::target], "the object"),
    (&[Kind::arrow], "`=>`"),
    (&[Kind::expect, Kind::verdict, Kind::k_allow], "a verdict"),
    (&[Kind::lbrace], "`{`"),
    (&[Kind::lparen], "`(`"),
    (&[Kind::colon, Kind::rule], "`:`"),
    (&[Kind::eq, Kind::prop, Kind::pair_eq], "`=`"),
    (&[Kind::rparen], "`)`"),
    (&[Kind::rbracket], "`]`"),
    (&[Kind::rbrace], "`}`"),
    (&[Kind::rangle], "`>`"),
    (&[Kind::dangling_comma], "`,`"),
    (&[Kind::op], "a comparison"),
    (&[Kind::logic], "`and`, `or`"),
    (&[Kind::k_when], "`when`"),
    (&[Kind::k_unless], "`unless`"),
    (&[Kind::k_where], "`where`"),
    (&[Kind::k_because], "`because`"),
    (&[Kind::k_with], "`with`"),
    (&[Kind::k_until], "`until`"),
    (&[Kind::k_per], "`per`"),
    (&[Kind::k_for], "`for`"),
    (&[Kind::k_as], "`as`"),
    (&[Kind::k_by], "`by`"),
    (&[Kind::k_times], "`times`"),
];

impl Bad<'_> {
    /// "expected …": the message of last resort.
    pub(super) fn expected(&self, stop: &Stop, kinds: &[Kind]) -> SyntaxError {
        let kinds = self.relevant(stop, kinds);
        let mut phrases: Vec<&str> =
            PHRASES.iter().filter(|(of, _)| of.iter().any(|k| kinds.contains(k))).map(|(_, phrase)| *phrase).collect();
        if phrases.contains(&"a condition") {
            phrases.retain(|p| *p == "a condition");
        }
        if phrases.contains(&"a value") {
            phrases.retain(|p| !matches!(*p, "text in double quotes"));
        }
        let found = stop.at < self.tokens.len();
        let place = if found { self.span(stop.at) } else { self.end() };
        let after = self.after(stop, &kinds);
        let message = match (listed(&phrases), found) {
            (Some(list), true) => format!("expected {list}{after}, found {}", self.quoted(stop.at)),
            (Some(list), false) => format!("expected {list}{after}"),
            (None, true) if stop.at > 0 => format!("{} cannot follow {}", self.quoted(stop.at), self.quoted(stop.at - 1)),
            (None, true) => format!("{} is not expected here", self.quoted(stop.at)),
            (None, false) => "this is incomplete".to_owned(),
        };
        let error = SyntaxError::new(error::UNEXPECTED, place, message);
        if self.within == Within::Test && !found && kinds.contains(&Kind::arrow) {
            let error = SyntaxError::new(error::NO_ARROW, place, "the line does not say which verdict is expected");
            return error.help("end the line with `=> allow` or `=> deny by policy.rule`");
        }
        match self.advice(stop, &kinds) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// What to write, where the place alone says it.
    fn advice(&self, stop: &Stop, kinds: &[Kind]) -> Option<String> {
        let found = self.word(stop.at);
        let has = |kind| kinds.contains(&kind);
        if has(Kind::lbrace) && self.word(0) == "policy" && stop.at == 2 {
            return Some(format!("write `policy {} {{`", self.word(1)));
        }
        if self.word(0) == "fn" && has(Kind::lparen) && stop.at == 2 {
            return Some(format!("write `fn {}() = …`", self.word(1)));
        }
        if self.word(0) == "fn" && has(Kind::colon) && stop.open.len() == 1 {
            return Some(format!("an argument has a type: write `{}: path`", self.word(stop.at.saturating_sub(1))));
        }
        if stop.at > 0 && self.word(stop.at - 1) == "with" {
            return Some("write `with { key = value, … }`".to_owned());
        }
        if has(Kind::event) && (matches!(found, "(" | "[") || self.kind(stop.at) == Some(TokenKind::Str)) {
            return Some("write events without quotes or brackets, separated by commas".to_owned());
        }
        if has(Kind::op) && found == "not" {
            return Some(format!("write `not ({} in …)`", self.word(stop.at.saturating_sub(1))));
        }
        if has(Kind::k_with) && found == "{" {
            return Some("write `with` before `{`".to_owned());
        }
        if has(Kind::k_when) && has(Kind::dangling_comma) && self.is_word(stop.at) && (found.contains('.') || found == "not") {
            let event = if found == "not" { "" } else { "; separate events with commas" };
            return Some(format!("a condition begins with `when`{event}"));
        }
        if has(Kind::k_when) && self.is_word(stop.at) && found.contains('.') {
            return Some(format!("write `when` before {}", self.quoted(stop.at)));
        }
        if has(Kind::op) && matches!(found, "is" | "equals" | "eq") {
            return Some("write `==`, or `in` and a set".to_owned());
        }
        if has(Kind::cond) && !found.is_empty() && is_comparison(self.word(stop.at + 1)) {
            return Some("write the field on the left of the comparison and the constant on the right".to_owned());
        }
        None
    }

    /// A word close to one of the keywords that could stand there.
    pub(super) fn slip(&self, stop: &Stop, kinds: &[Kind]) -> Option<SyntaxError> {
        if self.kind(stop.at) != Some(TokenKind::Word) {
            return None;
        }
        let kinds = self.relevant(stop, kinds);
        let candidates: Vec<&str> = kinds.iter().flat_map(|k| keywords_of(*k)).copied().collect();
        let word = self.word(stop.at);
        let meant = words::near(word, &candidates).or_else(|| words::clause_meant(word)).or_else(|| foreign(word));
        let near = meant.filter(|meant| candidates.contains(meant))?;
        let message = format!("{} is not expected here", self.quoted(stop.at));
        let message = match self.after(stop, &kinds) {
            after if after.is_empty() => message,
            after => format!("{} is not expected{after}", self.quoted(stop.at)),
        };
        let error = SyntaxError::new(error::UNEXPECTED, self.span(stop.at), message);
        Some(error.help(format!("did you mean `{near}`?")).guess(self.span(stop.at), near))
    }

    /// What was tried, without the clauses that cannot follow where this stands.
    fn relevant(&self, stop: &Stop, kinds: &[Kind]) -> Vec<Kind> {
        let first = self.tokens.iter().position(|t| t.kind != TokenKind::Doc).map_or("", |at| self.word(at));
        let order: &[&str] = match (self.within, first) {
            (Within::File, "apply") => &["where", "with"],
            (Within::File, _) => &["when", "because", "until"],
            (_, "default") => &["because", "with"],
            _ => &["when", "unless", "because", "with"],
        };
        let last = (0..stop.at).rev().map(|at| self.word(at)).find(|w| is_clause(w)).filter(|_| stop.open.is_empty());
        let from = last.and_then(|l| order.iter().position(|w| *w == l)).map_or(0, |rank| rank + 1);
        let following = order.get(from..).unwrap_or_default();
        let keep = |kind: &Kind| match keywords_of(*kind) {
            [word] if is_clause(word) => following.contains(word),
            _ => true,
        };
        kinds.iter().copied().filter(keep).collect()
    }

    /// " after …", in terms of the part where it is clear.
    fn after(&self, stop: &Stop, kinds: &[Kind]) -> String {
        if stop.at == 0 {
            return String::new();
        }
        let top = stop.open.is_empty();
        if top && kinds.contains(&Kind::dangling_comma) {
            return " after the events".to_owned();
        }
        if top && kinds.contains(&Kind::logic) && !kinds.contains(&Kind::op) {
            return " after the condition".to_owned();
        }
        format!(" after {}", self.quoted(stop.at - 1))
    }

    /// Just after the last token.
    fn end(&self) -> Span {
        let end = self.tokens.last().map_or(0, |t| t.span.end);
        Span { start: end, end }
    }
}

/// The keywords that a kind stands for.
fn keywords_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::k_when => &["when"],
        Kind::k_unless => &["unless"],
        Kind::k_where => &["where"],
        Kind::k_because => &["because"],
        Kind::k_with => &["with"],
        Kind::k_until => &["until"],
        Kind::k_per => &["per"],
        Kind::k_for => &["for"],
        Kind::k_as => &["as"],
        Kind::k_by => &["by"],
        Kind::k_times => &["times"],
        Kind::logic => &["and", "or"],
        Kind::op => words::COMPARISONS,
        Kind::action | Kind::verb | Kind::labelless | Kind::colonless => words::ACTIONS,
        _ => &[],
    }
}

/// The comparison that a word of other languages means.
fn foreign(word: &str) -> Option<&'static str> {
    matches!(word.to_ascii_lowercase().as_str(), "like" | "glob" | "regex").then_some("matches")
}

/// "a, b or c".
fn listed(phrases: &[&str]) -> Option<String> {
    let (last, rest) = phrases.split_last()?;
    Some(if rest.is_empty() { (*last).to_owned() } else { format!("{} or {last}", rest.join(", ")) })
}
