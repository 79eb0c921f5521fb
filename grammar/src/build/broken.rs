//! What is left of a part that could not be read: its kind and its name, so that uses of the name say nothing more.
//! Takes the bad span; gives nothing where the words say nothing.

use super::Builder;
use crate::ast::{Item, ItemKind, Member, MemberKind, Name, Span, Spanned, TestLine, TestLineKind};
use crate::outline::{self, PartKind, Within};

/// A broken item.
pub(super) fn item(builder: &mut Builder<'_>, span: Span) -> Option<Item> {
    let (kind, name) = builder.kind_and_name(span, Within::File);
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
    /// What the words are, and the name cut like those that are read.
    fn kind_and_name(&self, span: Span, within: Within) -> (PartKind, Option<Name>) {
        let (kind, name) = outline::named(self.text, span, within);
        let name = name.map(|span| {
            let mut name = Spanned { node: self.slice(span).to_owned(), span };
            super::cut(&mut name);
            name
        });
        (kind, name)
    }
}
