//! Conditions. Takes the flat sequence of a `cond` node, gives the nested condition.

use super::{Builder, Cursor};
use crate::MAX_CHAIN;
use crate::ast::{Arg, Cond, CondKind, Op, Operand, Span, Spanned};
use crate::error::{self, SyntaxError};
use crate::tree::{Kind, Node};

/// How two conditions are joined, and where.
#[derive(Clone, Copy, PartialEq)]
struct Joint {
    and: bool,
    span: Span,
}

impl Builder<'_> {
    /// The next node as a condition.
    pub(super) fn cond(&mut self, nodes: &mut Cursor<'_>) -> Option<Cond> {
        let (node, mut inner) = nodes.take(Kind::cond)?;
        let first = self.unary(&mut inner)?;
        if inner.peek().is_none() {
            return Some(first);
        }
        let (mut conds, mut joints) = (vec![first], Vec::new());
        while let Some((joint, _)) = inner.take(Kind::logic) {
            joints.push(self.joint(joint));
            conds.push(self.unary(&mut inner)?);
        }
        Some(self.join(conds, &joints, node.span))
    }

    fn joint(&mut self, node: Node) -> Joint {
        let (and, word) = match self.slice(node.span) {
            "&&" => (true, Some("and")),
            "||" => (false, Some("or")),
            other => (other == "and", None),
        };
        if let Some(word) = word {
            self.c_operator(node.span, word);
        }
        Joint { and, span: node.span }
    }

    fn c_operator(&mut self, span: Span, word: &str) {
        let message = format!("`{}` is not an operator", self.slice(span));
        let blank = word == "not" && !self.text.get(span.end as usize..).unwrap_or_default().starts_with([' ', '\n']);
        let written = if blank { "not ".to_owned() } else { word.to_owned() };
        self.error(SyntaxError::new(error::C_OPERATOR, span, message).help(format!("write `{word}`")).guess(span, written));
    }

    /// Joins conditions; where `and` and `or` are mixed `and` is taken first, after an error.
    fn join(&mut self, conds: Vec<Cond>, joints: &[Joint], span: Span) -> Cond {
        let first = joints.first().copied();
        let odd = first.and_then(|f| joints.iter().find(|j| j.and != f.and).map(|o| (f, *o)));
        let Some((first, odd)) = odd else {
            let kind = if first.is_some_and(|f| f.and) { CondKind::And(conds) } else { CondKind::Or(conds) };
            return Cond { span, kind };
        };
        let error = SyntaxError::new(error::MIXED, odd.span, "`and` and `or` are mixed without parentheses");
        let note = format!("`{}` is here", self.slice(first.span));
        self.error(error.help("put parentheses around the part that belongs together").related(first.span, note));
        let mut groups: Vec<Vec<Cond>> = Vec::new();
        let joined = std::iter::once(false).chain(joints.iter().map(|j| j.and));
        for (cond, with_last) in conds.into_iter().zip(joined) {
            match groups.last_mut() {
                Some(group) if with_last => group.push(cond),
                _ => groups.push(vec![cond]),
            }
        }
        let alternatives = groups.into_iter().filter_map(|mut group| {
            let ends = Span { start: group.first()?.span.start, end: group.last()?.span.end };
            if group.len() == 1 { group.pop() } else { Some(Cond { span: ends, kind: CondKind::And(group) }) }
        });
        Cond { span, kind: CondKind::Or(alternatives.collect()) }
    }

    fn unary(&mut self, nodes: &mut Cursor<'_>) -> Option<Cond> {
        let (mut nots, mut count): (Vec<Span>, usize) = (Vec::new(), 0);
        while let Some(span) = nodes.span(Kind::not) {
            if self.slice(span) == "!" {
                self.c_operator(span, "not");
            }
            count += 1;
            match count {
                ..=MAX_CHAIN => nots.push(span),
                _ if count == MAX_CHAIN + 1 => {
                    let message = format!("more than {MAX_CHAIN} `not` in a row");
                    self.error(SyntaxError::new(error::TOO_LONG, span, message).help("two of them undo each other"));
                }
                _ => {}
            }
        }
        let mut cond = self.primary(nodes)?;
        for not in nots.into_iter().rev() {
            let span = Span { start: not.start, end: cond.span.end };
            cond = Cond { span, kind: CondKind::Not(Box::new(cond)) };
        }
        Some(cond)
    }

    fn primary(&mut self, nodes: &mut Cursor<'_>) -> Option<Cond> {
        if let Some((group, mut inner)) = nodes.take(Kind::group) {
            let cond = self.cond(&mut inner)?;
            return Some(Cond { span: group.span, kind: cond.kind });
        }
        let (operand, start) = self.operand(nodes)?;
        let Some((op, _)) = nodes.take(Kind::op) else {
            return Some(Cond { span: start, kind: CondKind::Bare(operand) });
        };
        let op = self.op(op);
        let value = self.value(nodes)?;
        let span = Span { start: start.start, end: value.span.end };
        Some(Cond { span, kind: CondKind::Compare { operand, op, value } })
    }

    fn operand(&mut self, nodes: &mut Cursor<'_>) -> Option<(Operand, Span)> {
        let name = self.name(nodes, "a field or a function")?;
        let start = name.span.start;
        if let Some((index, mut inner)) = nodes.take(Kind::index) {
            let span = Span { start, end: index.span.end };
            let key = self.string(&mut inner)?;
            return Some((Operand::Index { name, key, span }, span));
        }
        if let Some((call, mut inner)) = nodes.take(Kind::call) {
            let span = Span { start, end: call.span.end };
            let mut args = Vec::with_capacity(1);
            while let Some((_, mut arg)) = inner.take(Kind::arg) {
                args.push(if arg.kind() == Some(Kind::cond) { Arg::Cond(self.cond(&mut arg)?) } else { Arg::Value(self.value(&mut arg)?) });
            }
            return Some((Operand::Call { name, args, span }, span));
        }
        let span = name.span;
        Some((Operand::Name(name), span))
    }

    fn op(&mut self, node: Node) -> Spanned<Op> {
        let op = match self.slice(node.span) {
            "!=" => Op::Ne,
            "<" => Op::Lt,
            "<=" => Op::Le,
            ">" => Op::Gt,
            ">=" => Op::Ge,
            "in" => Op::In,
            "under" => Op::Under,
            "matches" => Op::Matches,
            "has" => Op::Has,
            "only" => Op::Only,
            "=" => {
                let error = SyntaxError::new(error::SINGLE_EQUALS, node.span, "`=` is not a comparison");
                self.error(error.help("write `==`").guess(node.span, "=="));
                Op::Eq
            }
            _ => Op::Eq,
        };
        Spanned { node: op, span: node.span }
    }
}
