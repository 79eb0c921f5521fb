//! `redundant-element`: a set that has an element twice, or one that another one covers.

use crate::diag::codes;
use crate::hir::{Space, glob};
use crate::lint::context::{Constant, Context, Role};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, string};
use crate::source::{Loc, Span};
use ebsec_grammar::ast::{Literal, Op};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

pub const LINT: Lint = Lint { code: codes::REDUNDANT_ELEMENT, check: Check::Constant(check) };

fn check(cx: &Context<'_>, constant: &Constant<'_>, report: &mut Report<'_>) {
    if constant.adds_again {
        return;
    }
    covered(cx, constant, report);
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

/// Largest set whose elements are compared with each other as paths.
const MAX_SET: usize = 64;

/// Finds paths that another element of the set covers: as a pattern, or after `under` as a folder above it.
fn covered(cx: &Context<'_>, constant: &Constant<'_>, report: &mut Report<'_>) {
    if constant.literals.len() < 2 || constant.literals.len() > MAX_SET || !matches!(constant.role, Role::Compared(..) | Role::Defined) {
        return;
    }
    let under = matches!(constant.role, Role::Compared(_, op) if op.node == Op::Under);
    let paths =
        || constant.literals.iter().filter_map(|(span, literal)| Some((*span, string(literal).filter(|text| text.starts_with('/'))?)));
    let patterns: Vec<(Span, &str, glob::Pattern)> =
        paths().filter_map(|(span, text)| Some((span, text, glob::parse(text, glob::Kind::Path).ok()?))).collect();
    let wide: Vec<&(Span, &str, glob::Pattern)> = patterns.iter().filter(|(.., pattern)| under || pattern.literal().is_none()).collect();
    for (span, text, pattern) in &patterns {
        let Some(path) = pattern.literal() else { continue };
        let covers = |(_, other, wider): &&&(Span, &str, glob::Pattern)| {
            let matches = |path: &[u8]| wider.literal().is_none() && glob::matches(wider, path, Space::Path);
            let above = |folder: &[u8]| matches(folder) || wider.literal().as_deref() == Some(folder);
            other != text && (matches(&path) || under && folders(&path).any(above))
        };
        let Some((first, other, _)) = wide.iter().find(covers) else { continue };
        let loc = Loc::new(constant.part, *span);
        let finding = report.at(loc, format!("`{other}` covers `{text}`")).related(Loc::new(constant.part, *first), "this covers it");
        report.push(match without(cx, constant, *span) {
            Some(place) => finding.help("remove it").fix("remove it", place, ""),
            None => finding.help("remove it"),
        });
    }
}

/// The folders above a path.
fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').filter_map(|(at, _)| path.get(..at))
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
