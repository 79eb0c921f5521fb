//! A tree as one file whose places count from its start: for dumps and comparisons. What could not be read is left out.

use crate::ast::*;
use crate::error::SyntaxError;
use crate::outline::PartKind;
use crate::parts::Tree;

impl Tree {
    /// The file with its policies and tests in one piece.
    #[must_use]
    pub fn whole(&self) -> File {
        let items = self.items().into_iter().filter(|entry| !matches!(entry.item.kind, ItemKind::Broken { .. }));
        let whole = items.map(|entry| {
            let mut item = self.moved(entry.part, entry.item);
            item.span.end = item.span.end.max(self.last(entry.part, entry.end));
            let members = entry.members.iter().filter(|(_, m)| !matches!(m.kind, MemberKind::Broken { .. }));
            let lines = entry.lines.iter().filter(|(_, l)| !matches!(l.kind, TestLineKind::Broken { .. }));
            match &mut item.kind {
                ItemKind::Policy(policy) => policy.members = members.map(|(part, m)| self.moved(*part, *m)).collect(),
                ItemKind::Test { lines: all, .. } => *all = lines.map(|(part, l)| self.moved(*part, *l)).collect(),
                _ => {}
            }
            item
        });
        File { items: whole.collect() }
    }

    /// Mistakes with places that count from the start of the file.
    #[must_use]
    pub fn syntax_errors(&self) -> Vec<SyntaxError> {
        let placed = self.errors().into_iter().map(|found| {
            let mut error = found.error;
            error.span = self.absolute(found.part, error.span);
            for (span, _) in error.related.iter_mut().chain(&mut error.guesses) {
                *span = self.absolute(found.part, *span);
            }
            error
        });
        placed.collect()
    }

    /// Where the last thing of a block ends.
    fn last(&self, start: usize, end: usize) -> u32 {
        let parts = self.parts().get(start + 1..end).unwrap_or_default();
        let Some(last) = parts.last() else { return 0 };
        let text = self.slice(last);
        let length = if last.piece.kind == PartKind::Close { 1 } else { text.trim_end().len() };
        last.piece.span.start + crate::span(0, length).end
    }

    fn moved<T: Places + Clone>(&self, part: usize, node: &T) -> T {
        let mut node = node.clone();
        let by = self.parts().get(part).map_or(0, |p| p.piece.span.start);
        node.places(&mut |span| {
            span.start += by;
            span.end += by;
        });
        node
    }
}

impl File {
    /// Every place in the tree, in no order, some more than once.
    #[must_use]
    pub fn all_places(&self) -> Vec<Span> {
        let mut all = Vec::new();
        self.clone().places(&mut |span| all.push(*span));
        all
    }

    /// The same tree without its places: two of them are equal if they say the same.
    #[must_use]
    pub fn without_places(mut self) -> Self {
        self.places(&mut |span| *span = Span::default());
        self
    }
}

/// What holds places.
trait Places {
    /// Calls the function with every place.
    fn places(&mut self, change: &mut dyn FnMut(&mut Span));
}

impl Places for Span {
    fn places(&mut self, change: &mut dyn FnMut(&mut Span)) {
        change(self);
    }
}

/// Values without places.
macro_rules! placeless {
    ($($ty:ty)*) => { $(impl Places for $ty { fn places(&mut self, _: &mut dyn FnMut(&mut Span)) {} })* };
}
placeless!(String u64 bool Verdict Op Literal PartKind);

/// Structs: the fields that hold places.
macro_rules! fields {
    ($($ty:ident { $($field:ident)* })*) => { $(impl Places for $ty {
        fn places(&mut self, change: &mut dyn FnMut(&mut Span)) { $(self.$field.places(change);)* }
    })* };
}
fields! {
    File { items }
    Item { span kind }
    Type { name arg span }
    Policy { name members }
    Member { span kind }
    Rule { label action events when unless because with }
    Cond { span kind }
    Value { span kind }
    Record { pairs span }
    TestLine { span kind }
}

/// Enums: the fields of each variant.
macro_rules! variants {
    ($($ty:ident { $($variant:ident $(($($one:ident),*))? $({ $($field:ident),* })?)* })*) => { $(
        impl Places for $ty {
            fn places(&mut self, change: &mut dyn FnMut(&mut Span)) {
                match self { $(Self::$variant $(($($one),*))? $({ $($field),* })? => { $($($one.places(change);)*)? $($($field.places(change);)*)? })* }
            }
        }
    )* };
}
variants! {
    ItemKind {
        Import { path, alias }
        Let { name, ty, value }
        Param { name, ty, default }
        Fn { name, args, body }
        Mark { name, per, lasts }
        Policy(policy)
        Apply { target, filter, with }
        Except { target, default, when, because, until }
        Test { name, with, lines }
        Broken { kind, name }
    }
    MemberKind {
        Prop { key, value }
        Scope(cond)
        Default { verdict, events, because, with }
        Rule(rule)
        Broken { kind, name }
    }
    CondKind { And(conds) Or(conds) Not(cond) Bare(operand) Compare { operand, op, value } }
    Operand { Name(name) Index { name, key, span } Call { name, args, span } }
    Arg { Cond(cond) Value(value) }
    ValueKind { Set(items) Range { low, high } Literal(literal) Name(name) Union(a, b) Difference(a, b) }
    PairValue { Value(value) Endpoint(text) Rate { count, window, per, span } }
    TestLineKind { Process { name, record } Step { process, event, target, record, times, expect } Broken { name } }
    Target { Endpoint(text) Literal(literal) }
    Expect { Allow(span) By { verdict, rule, default, span } }
}

impl Places for Action {
    fn places(&mut self, change: &mut dyn FnMut(&mut Span)) {
        if let Self::Mark(name) = self {
            name.places(change);
        }
    }
}

impl<T: Places> Places for Spanned<T> {
    fn places(&mut self, change: &mut dyn FnMut(&mut Span)) {
        self.node.places(change);
        self.span.places(change);
    }
}

impl<T: Places> Places for Option<T> {
    fn places(&mut self, change: &mut dyn FnMut(&mut Span)) {
        self.iter_mut().for_each(|one| one.places(change));
    }
}

impl<T: Places> Places for Vec<T> {
    fn places(&mut self, change: &mut dyn FnMut(&mut Span)) {
        self.iter_mut().for_each(|one| one.places(change));
    }
}

impl<T: Places> Places for Box<T> {
    fn places(&mut self, change: &mut dyn FnMut(&mut Span)) {
        self.as_mut().places(change);
    }
}

impl<A: Places, B: Places> Places for (A, B) {
    fn places(&mut self, change: &mut dyn FnMut(&mut Span)) {
        self.0.places(change);
        self.1.places(change);
    }
}
