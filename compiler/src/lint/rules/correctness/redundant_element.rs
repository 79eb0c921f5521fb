//! `redundant-element`: a set that has an element twice.

use crate::diag::codes;
use crate::lint::context::{Constant, Context};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use crate::source::{Loc, Span};
use ebsec_grammar::ast::Literal;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

pub const LINT: Lint = Lint { code: codes::REDUNDANT_ELEMENT, check: Check::Constant(check) };

fn check(cx: &Context<'_>, constant: &Constant<'_>, report: &mut Report<'_>) {
    let small = constant.literals.len() <= SMALL;
    if small && !constant.literals.iter().enumerate().any(|(i, (_, one))| constant.literals.iter().take(i).any(|(_, other)| one == other)) {
        return;
    }
    let mut seen: FxHashMap<(u8, &str), Span> = FxHashMap::default();
    for (span, literal) in constant.literals {
        let first = match seen.entry(key(literal)) {
            Entry::Vacant(slot) => {
                slot.insert(*span);
                continue;
            }
            Entry::Occupied(first) => *first.get(),
        };
        if report.is_full() {
            return;
        }
        let loc = Loc::new(constant.part, *span);
        let text = cx.sources.slice(loc);
        let finding = report.at(loc, format!("{text} is in this set twice")).related(Loc::new(constant.part, first), "first here");
        report.push(match without(cx, constant, *span) {
            Some(place) => finding.help("remove it").fix("remove it", place, ""),
            None => finding.help("remove one of them"),
        });
    }
}

/// Sets whose elements are compared with each other before anything is looked up.
const SMALL: usize = 8;

fn key(literal: &Literal) -> (u8, &str) {
    match literal {
        Literal::Str(text) => (0, text),
        Literal::Date(text) => (1, text),
        Literal::Attack(text) => (2, text),
        Literal::Cidr(text) => (3, text),
        Literal::Ip(text) => (4, text),
        Literal::Duration(text) => (5, text),
        Literal::Number(text) => (6, text),
    }
}

/// An element with the comma before it. It is not the first of its set: then there is none.
fn without(cx: &Context<'_>, constant: &Constant<'_>, span: Span) -> Option<Loc> {
    let before = cx.sources.slice(Loc::new(constant.part, Span { start: constant.span.start, end: span.start }));
    let comma = before.trim_end().strip_suffix(',')?.len() as u32;
    Some(Loc::new(constant.part, Span { start: constant.span.start + comma, end: span.end }))
}
