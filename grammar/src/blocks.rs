//! Policies and tests as they stand over several parts: which members and lines belong to which head. Takes a tree, gives
//! its items; says which braces are missing and what stands in a policy that may not.

use crate::ast::{Item, ItemKind, Member, Span, TestLine};
use crate::error::{self, SyntaxError};
use crate::lex::{self, TokenKind};
use crate::outline::{PartKind, Within};
use crate::parts::{Part, Tree};

/// An item with what stands in its braces. Indices are those of [`Tree::parts`].
#[derive(Clone, Debug)]
pub struct Entry<'t> {
    /// The part that holds the item, or its head.
    pub part: usize,
    /// The item. A policy's members and a test's lines are not in it.
    pub item: &'t Item,
    /// The members of a policy, each with its part.
    pub members: Vec<(usize, &'t Member)>,
    /// The lines of a test, each with its part.
    pub lines: Vec<(usize, &'t TestLine)>,
    /// One past the last part of it.
    pub end: usize,
}

impl Tree {
    /// All items in the order of the text; those that stand in a policy by mistake follow it.
    #[must_use]
    pub fn items(&self) -> Vec<Entry<'_>> {
        let mut all = Vec::new();
        self.blocks(|entry| all.push(entry), |_, _| {});
        all
    }

    /// Goes over the items, and says what is wrong with their braces: the part from whose start the places count, and the
    /// error.
    pub(crate) fn blocks<'t>(&'t self, mut item: impl FnMut(Entry<'t>), mut error: impl FnMut(usize, SyntaxError)) {
        let mut at = 0;
        while let Some(part) = self.parts().get(at) {
            if !part.piece.head {
                part.content.items.iter().for_each(|one| item(Entry::new(at, one)));
                at += 1;
                continue;
            }
            let body = self.parts().get(at + 1..).unwrap_or_default();
            let count = body.iter().take_while(|p| p.piece.within != Within::File && p.piece.kind != PartKind::Close).count();
            let closed = body.get(count).is_some_and(|p| p.piece.kind == PartKind::Close);
            let parts = body.get(..count).unwrap_or_default().iter().zip(at + 1..);
            self.block(at, parts.clone(), closed, &mut error);
            let end = at + 1 + count + usize::from(closed);
            if let Some(head) = part.content.items.first() {
                let members = parts.clone().flat_map(|(p, at)| p.content.members.iter().map(move |m| (at, m))).collect();
                let lines = parts.clone().flat_map(|(p, at)| p.content.lines.iter().map(move |l| (at, l))).collect();
                item(Entry { part: at, item: head, members, lines, end });
            }
            for (part, at) in parts {
                part.content.items.iter().for_each(|one| item(Entry::new(at, one)));
            }
            at = end;
        }
    }

    /// The errors of one policy or test: items in it, or a brace that is missing.
    fn block<'t>(
        &self,
        head: usize,
        parts: impl Iterator<Item = (&'t Part, usize)> + Clone,
        closed: bool,
        error: &mut impl FnMut(usize, SyntaxError),
    ) {
        let good = |item: &&Item| !matches!(item.kind, ItemKind::Broken { .. });
        let mut inner = parts.clone().flat_map(|(part, at)| part.content.items.iter().filter(good).map(move |item| (at, item)));
        let Some((what, brace)) = self.opened(head) else { return };
        if closed {
            for (at, item) in inner {
                error(at, self.inside(at, item.span, &what));
            }
            return;
        }
        let end = head + 1 + parts.clone().count();
        if self.closer(end).is_some()
            && let Some(item) = self.parts().get(end).and_then(|part| part.content.items.first())
        {
            let found = self.inside(end, item.span, &what);
            let way = if what.starts_with("policy") {
                format!("close {what} with `}}` before it")
            } else {
                "close the test before it".to_owned()
            };
            return error(end, SyntaxError { help: Some(format!("tests and policies belong outside of others: {way}")), ..found });
        }
        let next = match inner.next() {
            Some((at, item)) => Some(self.absolute(at, item.span)),
            None => self.parts().get(end).map(|part| part.piece.span),
        };
        let found = SyntaxError::new(error::UNCLOSED, brace, format!("the `{{` of {what} is never closed"));
        let found = match next.and_then(|next| lex::within(self.text(), next).next()) {
            Some(token) => found.related(self.relative(head, token.span), "expected `}` before this"),
            None => found,
        };
        error(head, found.help("add a `}`"));
    }

    /// The parts that close a block after others that stand in it by mistake: they are the way it was meant.
    pub(crate) fn misplaced_closers(&self) -> Vec<usize> {
        let mut all = Vec::new();
        let mut at = 0;
        while at < self.parts().len() {
            let (end, closed) = self.block_end(at);
            if !closed && end > at + 1 {
                all.extend(self.closer(end));
            }
            at = end;
        }
        all
    }

    /// One past the block that begins with a part, and whether it is closed; a part that begins none is closed by itself.
    fn block_end(&self, at: usize) -> (usize, bool) {
        if !self.parts().get(at).is_some_and(|part| part.piece.head) {
            return (at + 1, true);
        }
        let body = self.parts().get(at + 1..).unwrap_or_default();
        let end = at + 1 + body.iter().take_while(|p| p.piece.within != Within::File && p.piece.kind != PartKind::Close).count();
        let closed = self.parts().get(end).is_some_and(|p| p.piece.kind == PartKind::Close);
        (end + usize::from(closed), closed)
    }

    /// The `}` that closes nothing after whole blocks from here on: it was to close the block before them.
    fn closer(&self, at: usize) -> Option<usize> {
        let mut end = at;
        while self.parts().get(end).is_some_and(|part| part.piece.head) {
            let (next, closed) = self.block_end(end);
            if !closed {
                return None;
            }
            end = next;
        }
        let part = self.parts().get(end).filter(|_| end > at)?;
        let mut tokens = lex::significant(self.slice(part));
        let brace = tokens.next().is_some_and(|t| crate::slice(self.slice(part), t.span) == "}");
        (brace && tokens.next().is_none()).then_some(end)
    }

    /// What a head is called, and its brace.
    fn opened(&self, head: usize) -> Option<(String, Span)> {
        let part = self.parts().get(head)?;
        let end = crate::span(0, self.slice(part).len()).end;
        let brace = lex::significant(self.slice(part)).last().map_or(Span { start: end, end }, |t| t.span);
        match &part.content.items.first()?.kind {
            ItemKind::Policy(policy) => Some((format!("policy `{}`", policy.name.node), brace)),
            ItemKind::Test { name, .. } => Some((format!("test `{}`", name.node), brace)),
            _ => None,
        }
    }

    /// The error for an item within a policy that is closed after it.
    fn inside(&self, part: usize, item: Span, what: &str) -> SyntaxError {
        let text = self.parts().get(part).map_or("", |p| self.slice(p));
        let keyword = lex::within(text, item).find(|t| t.kind != TokenKind::Doc).map_or(item, |t| t.span);
        let message = format!("`{}` is inside {what}", crate::slice(text, keyword));
        SyntaxError::new(error::INSIDE, keyword, message).help("items belong outside of policies: move it before the policy")
    }

    /// A place of the text as bytes from the start of a part, which may be before it.
    fn relative(&self, part: usize, span: Span) -> Span {
        let start = self.parts().get(part).map_or(0, |p| p.piece.span.start);
        Span { start: span.start - start, end: span.end - start }
    }
}

impl<'t> Entry<'t> {
    fn new(part: usize, item: &'t Item) -> Self {
        Self { part, item, members: Vec::new(), lines: Vec::new(), end: part + 1 }
    }
}
