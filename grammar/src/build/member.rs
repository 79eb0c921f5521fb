//! Members of a policy. Takes a `member` node, gives the member, or nothing after an error.

use super::clause::{Clauses, Owner};
use super::{Builder, Cursor};
use crate::ast::{Action, Member, MemberKind, Name, Rule, Span, Spanned, Verdict};
use crate::error::{self, SyntaxError};
use crate::tree::{Kind, Node};
use crate::words;

/// What follows the label of a rule.
struct Body {
    action: Option<Spanned<Action>>,
    events: Vec<Name>,
    clauses: Clauses,
}

impl Builder<'_> {
    pub(super) fn member(&mut self, node: Node, mut nodes: Cursor<'_>) -> Option<Member> {
        let doc = self.doc(&mut nodes);
        let (first, mut inner) = nodes.next()?;
        let kind = match first.kind {
            Kind::default => self.default(&mut inner),
            Kind::scope => {
                inner.next();
                inner.take(Kind::eq);
                self.cond(&mut inner).map(MemberKind::Scope)
            }
            Kind::labelless => self.labelless(&mut inner),
            Kind::key => {
                let (rest, mut inner) = nodes.next()?;
                self.labelled(first, rest, &mut inner)
            }
            _ => None,
        }?;
        Some(Member { doc, span: node.span, kind })
    }

    fn labelled(&mut self, key: Node, rest: Node, nodes: &mut Cursor<'_>) -> Option<MemberKind> {
        if rest.kind == Kind::prop {
            let key = self.named(key);
            let value = self.value_of(&key.node, nodes)?;
            return Some(MemberKind::Prop { key, value });
        }
        let label = self.label(key, *nodes);
        if rest.kind == Kind::colonless {
            let message = format!("`:` is missing after the label `{}`", label.node);
            let span = Span { start: label.span.end, end: label.span.end };
            let error = SyntaxError::new(error::NO_COLON, span, message);
            self.error(error.help(format!("write `{}:`", label.node)).guess(span, ":"));
        }
        let body = self.body(nodes, Owner::Rule)?;
        let Clauses { when, unless, because, with, .. } = body.clauses;
        let unless = unless.map(Box::new);
        let rule = Rule { label, action: body.action?, events: body.events, when, unless, because, with };
        Some(MemberKind::Rule(rule))
    }

    /// A label; a keyword in its place gets a proposal made of the keyword and the event.
    fn label(&mut self, key: Node, mut body: Cursor<'_>) -> Name {
        let label = self.named(key);
        if words::is_keyword(&label.node) {
            let event = std::iter::from_fn(|| body.next()).find(|(n, _)| n.kind == Kind::event);
            let event = event.map_or("rule", |(n, _)| self.slice(n.span));
            let proposal = format!("{}_{}", label.node, event.rsplit('.').next().unwrap_or(event));
            let help = match label.node.as_str() {
                "default" => "a default takes no colon: `default deny …`".to_owned(),
                _ => format!("choose another name, such as `{proposal}`"),
            };
            let message = format!("`{}` is a keyword and cannot be a label", label.node);
            self.error(SyntaxError::new(error::KEYWORD, label.span, message).help(help));
        }
        label
    }

    fn labelless(&mut self, nodes: &mut Cursor<'_>) -> Option<MemberKind> {
        let span = nodes.peek()?.span;
        let body = self.body(nodes, Owner::Rule)?;
        let event = body.events.first().map_or("rule", |e| e.node.as_str());
        let label = format!("{}_{}", event.rsplit('.').next().unwrap_or(event), "rule");
        let action = self.slice(span);
        let error = SyntaxError::new(error::NO_LABEL, span, "a rule needs a label");
        self.error(error.help(format!("write a name and `:` before it, such as `{label}: {action} …`")));
        None
    }

    fn default(&mut self, nodes: &mut Cursor<'_>) -> Option<MemberKind> {
        let (keyword, _) = nodes.next()?;
        let body = self.body(nodes, Owner::Default)?;
        let action = body.action?;
        let verdict = match action.node {
            Action::Verdict(verdict) => Spanned { node: verdict, span: action.span },
            Action::Allow | Action::Mark(_) => {
                let span = Span { start: keyword.span.start, end: action.span.end };
                let word = self.slice(action.span);
                let error = SyntaxError::new(error::UNKNOWN_ACTION, span, format!("a default cannot be `{word}`"));
                let help = "a default is `deny`, `kill` or `audit`; without one, whatever no rule refuses is allowed";
                self.error(error.help(help));
                return None;
            }
        };
        let Clauses { because, with, .. } = body.clauses;
        Some(MemberKind::Default { verdict, events: body.events, because, with })
    }

    fn body(&mut self, nodes: &mut Cursor<'_>, owner: Owner) -> Option<Body> {
        let (action, inner) = nodes.take(Kind::action)?;
        let action = self.action(action, inner);
        // Nearly always one: a spare place is wasted in each rule of a large package.
        let mut events = Vec::with_capacity(1);
        while let Some(event) = self.event(nodes) {
            events.push(event);
        }
        if let Some(comma) = nodes.span(Kind::dangling_comma) {
            let error = SyntaxError::new(error::LAST_COMMA, comma, "there is a comma after the last event");
            self.error(error.help("remove it, or name another event").guess(comma, ""));
        }
        let clauses = self.clauses(nodes, owner)?;
        Some(Body { action, events, clauses })
    }

    fn action(&mut self, node: Node, mut nodes: Cursor<'_>) -> Option<Spanned<Action>> {
        let (first, _) = nodes.next()?;
        if first.kind == Kind::k_mark {
            let mark = self.name(&mut nodes, "a mark")?;
            return Some(Spanned { node: Action::Mark(mark), span: node.span });
        }
        let word = self.slice(first.span);
        let action = match word {
            "allow" => Action::Allow,
            _ => match verdict(word) {
                Some(verdict) => Action::Verdict(verdict),
                None => return None,
            },
        };
        Some(Spanned { node: action, span: node.span })
    }
}

/// The verdict that a word is.
pub(super) fn verdict(word: &str) -> Option<Verdict> {
    match word {
        "deny" => Some(Verdict::Deny),
        "kill" => Some(Verdict::Kill),
        "audit" => Some(Verdict::Audit),
        _ => None,
    }
}

/// The error for a word where an action should stand.
pub(crate) fn unknown_action(word: &str, span: Span) -> SyntaxError {
    let near = words::foreign_action(word).or_else(|| words::near(word, words::ACTIONS));
    let error = SyntaxError::new(error::UNKNOWN_ACTION, span, format!("`{word}` is not an action"));
    match near {
        Some(action) => error.help(format!("did you mean `{action}`?")).guess(span, action),
        None => error.help("the actions are `deny`, `kill`, `audit`, `allow` and `mark`"),
    }
}
