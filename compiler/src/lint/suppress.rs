//! Comments that allow a finding: `// ebsec: allow(name) because "…"`. Alone on its line it is for the item, rule or line of a
//! test that follows, else for all that is on its line. Removes what is allowed; says which comments allow nothing.

use super::Input;
use super::report::Report;
use crate::diag::page::Page;
use crate::diag::{Finding, Level, codes};
use crate::source::{FileId, Loc, Place, Span};
use ebsec_grammar::{Entry, Token, TokenKind, Tree};
use std::collections::BTreeMap;

/// What such a comment begins with, after the slashes.
const MARK: &str = "ebsec:";

/// The group of what is wrong with such comments, which no comment allows.
const OF_COMMENTS: &str = "suppression";

/// One name of a comment.
struct Allowed {
    code: &'static str,
    name: Span,
    /// What it is for.
    covers: Span,
    used: bool,
}

/// A comment that was read.
#[derive(Default)]
struct Comment {
    names: Vec<Span>,
    reason: bool,
    /// It is none of the form that is known.
    wrong: bool,
}

/// The findings that no comment allows. `complete` says that every lint ran.
pub(super) fn apply(input: &Input<'_>, report: &mut Report<'_>, complete: bool) -> Vec<Finding> {
    let mut found = report.take();
    let mut allowed: BTreeMap<FileId, Vec<Allowed>> = BTreeMap::new();
    for file in input.loaded.files.iter().filter(|f| f.module == crate::resolve::ROOT && f.tree.text().contains(MARK)) {
        allowed.insert(file.id, read(file.id, &file.tree, report));
    }
    found.retain(|finding| {
        let place = input.sources.place(finding.primary.loc);
        let path = input.sources.get(place.file).map_or("", |file| file.path.as_str());
        !input.config.ignores(path, finding.code) && !is_allowed(&mut allowed, finding, place)
    });
    // What refuses everything refuses what a host needs too, which is said of it only where it may refuse everything.
    // Settings may take the one less seriously than the other, which then stays.
    let all: Vec<(Loc, Level)> = found.iter().filter(|f| f.code == codes::LOCKS_OUT).map(|f| (f.primary.loc, f.level)).collect();
    let said = |f: &Finding| all.iter().any(|(loc, level)| *loc == f.primary.loc && *level >= f.level);
    found.retain(|f| f.code != codes::DENIES_LIFELINE || !said(f));
    if complete && report.begin_code(codes::UNUSED_SUPPRESSION) {
        allowed.iter().for_each(|(file, all)| all.iter().filter(|a| !a.used).for_each(|a| unused(*file, a, report)));
    }
    found.append(&mut report.take());
    found
}

fn is_allowed(allowed: &mut BTreeMap<FileId, Vec<Allowed>>, finding: &Finding, place: Place) -> bool {
    let Some(all) = allowed.get_mut(&place.file) else { return false };
    let covers = |a: &&mut Allowed| a.code == finding.code && a.covers.start <= place.span.start && place.span.start < a.covers.end;
    // Each comment that would do is used: none of them is then said to be there for nothing.
    all.iter_mut().filter(covers).map(|a| a.used = true).count() > 0
}

fn unused(file: FileId, allowed: &Allowed, report: &mut Report<'_>) {
    // What is off finds nothing, so nothing can be said of the comment.
    if !report.is_on(allowed.code) {
        return;
    }
    let name = codes::page(allowed.code).map_or("", |p| p.name);
    let message = format!("`{name}` finds nothing here, so this comment is not needed");
    report.push(report.at(Loc::new(file, allowed.name), message).help("remove it"));
}

/// The comments of a file.
fn read(file: FileId, tree: &Tree, report: &mut Report<'_>) -> Vec<Allowed> {
    let text = tree.text();
    let tokens: Vec<Token> = ebsec_grammar::tokens(text).collect();
    let entries = tree.items();
    let (mut out, following) = (Vec::new(), following(&tokens));
    for (index, token) in tokens.iter().enumerate().filter(|(_, t)| t.kind == TokenKind::Comment) {
        let slice = text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default();
        let Some(rest) = slice.trim_start_matches('/').trim_start().strip_prefix(MARK) else { continue };
        let comment = comment(rest, token.span.end - rest.len() as u32);
        let line = tokens.get(..index).unwrap_or_default().iter().rev().take_while(|t| t.kind != TokenKind::LineEnd);
        let mut beside = line.filter(|t| is_said(t)).map(|t| t.span.start);
        let last = beside.next().or_else(|| following.get(index).copied().flatten());
        let first = beside.last().or(last);
        let of = |at: Option<u32>| at.and_then(|at| covered(tree, &entries, at)).unwrap_or_default();
        let covers = Span { start: of(first).start, end: of(first).end.max(of(last).end) };
        if comment.wrong || comment.names.is_empty() {
            wrong(file, token.span, report);
        } else if !comment.reason {
            without_reason(file, token.span, report);
        } else {
            if out.len() + comment.names.len() > MAX_ALLOWED {
                too_many(file, token.span, report);
                break;
            }
            out.extend(comment.names.into_iter().filter_map(|name| named(file, text, name, covers, report)));
        }
    }
    out
}

/// Most names that comments of a file allow: each finding is compared with each.
const MAX_ALLOWED: usize = 4096;

/// Whether a token is something that a comment can be for.
fn is_said(token: &Token) -> bool {
    !token.kind.is_trivia() && token.kind != TokenKind::Doc
}

/// For each token where the next one begins that a comment can be for.
fn following(tokens: &[Token]) -> Vec<Option<u32>> {
    let mut next = None;
    let back = tokens.iter().rev().map(|token| {
        next = if is_said(token) { Some(token.span.start) } else { next };
        next
    });
    let mut all: Vec<Option<u32>> = back.collect();
    all.reverse();
    all
}

fn too_many(file: FileId, span: Span, report: &mut Report<'_>) {
    if report.begin_code(codes::UNKNOWN_SUPPRESSION) {
        let message = format!("this file has more than {MAX_ALLOWED} names in such comments: from here on they allow nothing");
        report.push(report.at(Loc::new(file, span), message).help("change the level of the lint in `[lints]` of ebsec.toml"));
    }
}

fn may_be_allowed(page: &Page, report: &Report<'_>) -> bool {
    page.configurable && page.group != OF_COMMENTS && !report.is_locked(page.code)
}

/// A name of a comment, if it is one of a lint.
fn named(file: FileId, text: &str, span: Span, covers: Span, report: &mut Report<'_>) -> Option<Allowed> {
    let name = text.get(span.start as usize..span.end as usize).unwrap_or_default();
    if let Some(page) = codes::page(name).filter(|page| may_be_allowed(page, report)) {
        return Some(Allowed { code: page.code, name: span, covers, used: false });
    }
    if !report.begin_code(codes::UNKNOWN_SUPPRESSION) || report.is_full() {
        return None;
    }
    let message = match codes::page(name) {
        Some(page) if report.is_locked(page.code) => {
            format!("`{}` is locked by the settings of `--config`: no comment can allow it", page.name)
        }
        Some(page) if page.group == OF_COMMENTS => format!("`{}` is about comments: none can allow it", page.name),
        Some(page) => format!("`{}` is an error of the language: no comment can allow it", page.name),
        None => format!("no lint is called `{name}`"),
    };
    let loc = Loc::new(file, span);
    let known = codes::all().iter().filter(|page| may_be_allowed(page, report)).map(|page| page.name);
    report.push(report.at(loc, message).near(name, loc, known));
    None
}

fn wrong(file: FileId, span: Span, report: &mut Report<'_>) {
    if report.begin_code(codes::UNKNOWN_SUPPRESSION) {
        let finding = report.at(Loc::new(file, span), "this comment allows nothing: it is not in the form that is expected");
        report.push(finding.help("write `// ebsec: allow(name) because \"…\"`"));
    }
}

fn without_reason(file: FileId, span: Span, report: &mut Report<'_>) {
    if report.begin_code(codes::SUPPRESSION_WITHOUT_REASON) {
        let finding = report.at(Loc::new(file, span), "this comment allows nothing without a reason");
        report.push(finding.help("write `because \"…\"` after the names"));
    }
}

/// Reads ` allow(a, b) because "…"`, which begins at this byte of the file.
fn comment(rest: &str, start: u32) -> Comment {
    let wrong = Comment { wrong: true, ..Comment::default() };
    let Some((before, list)) = rest.split_once('(') else { return wrong };
    let Some((list, after)) = list.split_once(')').filter(|_| before.trim() == "allow") else { return wrong };
    let mut at = start + before.len() as u32 + 1;
    let mut names = Vec::new();
    for word in list.split(',') {
        let name = word.trim();
        let begin = at + (word.len() - word.trim_start().len()) as u32;
        names.extend((!name.is_empty()).then_some(Span { start: begin, end: begin + name.len() as u32 }));
        at += word.len() as u32 + 1;
    }
    let quoted = after.trim().strip_prefix("because").map(str::trim).and_then(|r| r.strip_prefix('"')?.strip_suffix('"'));
    Comment { names, reason: quoted.is_some_and(|reason| !reason.trim().is_empty()), wrong: false }
}

/// The smallest item, member or line of a test at a byte. A head of a policy or test is all of it.
fn covered(tree: &Tree, entries: &[Entry<'_>], at: u32) -> Option<Span> {
    let index = tree.parts().partition_point(|part| part.piece.span.end <= at);
    let part = tree.parts().get(index)?;
    let entry = entries.get(entries.partition_point(|entry| entry.end <= index));
    let entry = entry.filter(|entry| entry.part == index && part.piece.head);
    let last = entry.and_then(|entry| tree.parts().get(entry.end - 1)).unwrap_or(part);
    Some(Span { start: part.piece.span.start, end: last.piece.span.end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_has_names_and_a_reason() {
        let read = comment(" allow(a-b, c) because \"d\"", 10);
        assert!(!read.wrong && read.reason && read.names == [Span { start: 17, end: 20 }, Span { start: 22, end: 23 }]);
        assert!(!comment(" allow(a) because \" \"", 0).reason && !comment(" allow(a)", 0).reason);
        assert!(comment(" deny(a)", 0).wrong && comment(" allow", 0).wrong && comment(" allow() because \"x\"", 0).names.is_empty());
    }
}
