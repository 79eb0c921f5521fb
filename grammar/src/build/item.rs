//! Top-level items. Takes an `item` node, gives the item, or nothing after an error.

use super::clause::Owner;
use super::{Builder, Cursor};
use crate::ast::{Item, ItemKind, Literal, Name, Policy, Span};
use crate::error::{self, SyntaxError};
use crate::tree::{Kind, Node};

impl Builder<'_> {
    pub(super) fn item(&mut self, node: Node, mut nodes: Cursor<'_>) -> Option<Item> {
        let doc = self.doc(&mut nodes);
        let (kind, mut inner) = nodes.next()?;
        let (keyword, _) = inner.next()?;
        let nodes = &mut inner;
        let kind = match kind.kind {
            Kind::import => self.import(nodes),
            Kind::let_ => self.let_(nodes),
            Kind::param => self.param(nodes),
            Kind::fn_ => self.fn_(nodes),
            Kind::mark => self.mark(nodes),
            Kind::apply => self.apply(nodes),
            Kind::except => self.except(keyword.span, nodes),
            _ => None,
        }?;
        Some(Item { doc, span: node.span, kind })
    }

    fn import(&mut self, nodes: &mut Cursor<'_>) -> Option<ItemKind> {
        let path = self.name(nodes, "a package")?;
        nodes.take(Kind::k_as);
        let alias = self.name(nodes, "a name");
        Some(ItemKind::Import { path, alias })
    }

    fn let_(&mut self, nodes: &mut Cursor<'_>) -> Option<ItemKind> {
        let name = self.name(nodes, "a name")?;
        nodes.take(Kind::colon);
        let ty = self.type_(nodes);
        nodes.take(Kind::eq);
        let value = self.value(nodes)?;
        Some(ItemKind::Let { name, ty, value })
    }

    fn param(&mut self, nodes: &mut Cursor<'_>) -> Option<ItemKind> {
        let name = self.name(nodes, "a name")?;
        nodes.take(Kind::colon);
        let ty = self.type_(nodes)?;
        let default = match nodes.take(Kind::eq) {
            Some(_) => Some(self.value(nodes)?),
            None => None,
        };
        Some(ItemKind::Param { name, ty, default })
    }

    fn fn_(&mut self, nodes: &mut Cursor<'_>) -> Option<ItemKind> {
        let name = self.name(nodes, "a name")?;
        let mut args = Vec::new();
        nodes.take(Kind::lparen);
        while let Some((_, mut arg)) = nodes.take(Kind::arg_decl) {
            let name = self.name(&mut arg, "a name")?;
            arg.take(Kind::colon);
            args.push((name, self.type_(&mut arg)?));
        }
        nodes.take(Kind::rparen);
        nodes.take(Kind::eq);
        let body = self.cond(nodes)?;
        Some(ItemKind::Fn { name, args, body })
    }

    fn mark(&mut self, nodes: &mut Cursor<'_>) -> Option<ItemKind> {
        let name = self.name(nodes, "a name")?;
        nodes.take(Kind::k_per);
        let per = self.name(nodes, "a domain")?;
        let lasts = match nodes.take(Kind::k_for) {
            Some(_) => {
                let (word, _) = nodes.take(Kind::word)?;
                Some(self.shaped(word, "a duration", "10m", |l| matches!(l, Literal::Duration(_))))
            }
            None => None,
        };
        Some(ItemKind::Mark { name, per, lasts })
    }

    /// The line up to the `{` of a policy or test. What follows stands in parts of its own.
    pub(super) fn head(&mut self, mut nodes: Cursor<'_>) -> Option<Item> {
        let doc = self.doc(&mut nodes);
        let (keyword, _) = nodes.next()?;
        let kind = match keyword.kind {
            Kind::k_policy => ItemKind::Policy(Policy { name: self.name(&mut nodes, "a name")?, members: Vec::new() }),
            _ => self.test_head(&mut nodes)?,
        };
        Some(Item { doc, span: crate::span(0, self.text.trim_end().len()), kind })
    }

    fn test_head(&mut self, nodes: &mut Cursor<'_>) -> Option<ItemKind> {
        let name = self.string(nodes)?;
        let with = match nodes.take(Kind::k_with) {
            Some(_) => Some(self.record(nodes)?),
            None => None,
        };
        Some(ItemKind::Test { name, with, lines: Vec::new() })
    }

    fn apply(&mut self, nodes: &mut Cursor<'_>) -> Option<ItemKind> {
        let target = self.name(nodes, "a policy")?;
        let clauses = self.clauses(nodes, Owner::Apply)?;
        Some(ItemKind::Apply { target, filter: clauses.filter, with: clauses.with })
    }

    fn except(&mut self, keyword: Span, nodes: &mut Cursor<'_>) -> Option<ItemKind> {
        let target = self.name(nodes, "a rule")?;
        let default: Option<Name> = match nodes.take(Kind::k_default) {
            Some(_) => Some(self.event(nodes)?),
            None => None,
        };
        let clauses = self.clauses(nodes, Owner::Except)?;
        let span = Span { start: keyword.start, end: target.span.end };
        if clauses.when.is_none() && clauses.unless.is_none() {
            let error = SyntaxError::new(error::WRONG_CLAUSE, span, "an exception needs `when`");
            self.error(error.help("say which events it covers"));
        }
        if clauses.because.is_none() {
            let error = SyntaxError::new(error::WRONG_CLAUSE, span, "an exception needs `because`");
            self.error(error.help("say why, and who decided it"));
        }
        let (when, because) = (clauses.when?, clauses.because?);
        Some(ItemKind::Except { target, default, when, because, until: clauses.until })
    }
}
