//! What is left of a part that could not be read: its kind and its name, so that uses of the name say nothing more.
//! Takes the bad span; gives nothing where the words say nothing.

use super::Builder;
use crate::ast::{Item, ItemKind, Member, MemberKind, Name, Span, Spanned, TestLine, TestLineKind};
use crate::lex::{self, TokenKind};
use crate::outline::{self, PartKind, Within};
use crate::words;

/// A broken item.
pub(super) fn item(builder: &mut Builder<'_>, span: Span) -> Option<Item> {
    let (kind, name) = builder.kind_and_name(span, Within::File);
    let (kind, name) = if kind == PartKind::Unknown { builder.meant(span) } else { (kind, name) };
    (kind != PartKind::Unknown).then_some(Item { doc: None, span, kind: ItemKind::Broken { kind, name } })
}

/// A broken member. An item in its place is kept with the items.
pub(super) fn member(builder: &mut Builder<'_>, span: Span) -> Option<Member> {
    let (kind, name) = builder.kind_and_name(span, Within::Policy);
    match kind {
        PartKind::Unknown => None,
        PartKind::Rule | PartKind::Property | PartKind::Default => {
            Some(Member { doc: None, span, kind: MemberKind::Broken { kind, name } })
        }
        _ => {
            builder.built.items.push(Item { doc: None, span, kind: ItemKind::Broken { kind, name } });
            None
        }
    }
}

/// A broken line of a test.
pub(super) fn line(builder: &mut Builder<'_>, span: Span) -> Option<TestLine> {
    let (_, name) = builder.kind_and_name(span, Within::Test);
    Some(TestLine { span, kind: TestLineKind::Broken { name } })
}

impl Builder<'_> {
    /// What an item with a foreign or a misspelt keyword was meant to be, and its name.
    fn meant(&self, span: Span) -> (PartKind, Option<Name>) {
        let mut tokens = lex::within(self.text, span).skip_while(|t| t.kind == TokenKind::Doc);
        let keyword = tokens.next().map_or("", |t| self.slice(t.span));
        let kind = match words::item_meant(keyword) {
            Some("import") => PartKind::Import,
            Some("let") => PartKind::Let,
            Some("param") => PartKind::Param,
            Some("fn") => PartKind::Fn,
            Some("policy") => PartKind::Policy,
            _ => return (PartKind::Unknown, None),
        };
        let name = tokens.next().filter(|t| t.kind == TokenKind::Word).map(|t| t.span);
        (kind, name.map(|span| self.name_at(span)))
    }

    fn name_at(&self, span: Span) -> Name {
        let mut name = Spanned { node: self.slice(span).to_owned(), span };
        super::cut(&mut name);
        name
    }

    /// What the words are, and the name cut like those that are read.
    fn kind_and_name(&self, span: Span, within: Within) -> (PartKind, Option<Name>) {
        let (kind, name) = outline::named(self.text, span, within);
        let mut name = name.map(|span| self.name_at(span));
        // A module as a path in quotes: it is meant all the same.
        name.iter_mut().filter(|_| kind == PartKind::Import).for_each(|name| name.node = name.node.replace('/', "."));
        (kind, name)
    }
}
