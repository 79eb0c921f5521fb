//! Compact text for language models: a block for each finding with the title of its page, the place, what stands there, and
//! each fix as an edit. Texts of the sources are quoted as JSON strings, so that none of them can be taken for ours.

use super::item::{Change, Item};
use crate::diag::{codes, text};
use std::fmt::Write;

pub(super) fn document(items: &[Item<'_>], summary: &str) -> String {
    let mut out = String::new();
    for item in items {
        block(item, &mut out);
        out.push('\n');
    }
    let _ = writeln!(out, "{}", if summary.is_empty() { "no findings" } else { summary });
    out
}

fn block(item: &Item<'_>, out: &mut String) {
    let (at, finding) = (&item.at, item.finding);
    let (name, title) = codes::page(finding.code).map_or(("", ""), |page| (page.name, page.title));
    let _ = writeln!(out, "{} {} {name}: {title}", finding.level.name(), finding.code);
    let (path, start, end) = (text::line(at.path), at.start, at.end);
    let _ = writeln!(out, "at {path}:{}:{}-{}:{}", start.line, start.column, end.line, end.column);
    let _ = writeln!(out, "says: {}", text::line(&finding.message));
    if !item.excerpt.is_empty() {
        let _ = writeln!(out, "source: {}", quoted(item.excerpt));
    }
    for (at, label) in &item.related {
        let _ = writeln!(out, "see {}:{}:{} {}", text::line(at.path), at.start.line, at.start.column, text::line(label));
    }
    finding.notes.iter().for_each(|note| out.push_str(&format!("note: {}\n", text::line(note))));
    finding.help.iter().for_each(|help| out.push_str(&format!("help: {}\n", text::line(help))));
    item.fixes.iter().for_each(|change| fix(change, out));
}

fn fix(change: &Change<'_>, out: &mut String) {
    let _ = writeln!(out, "fix ({}): {}", change.fix.applicability.name(), text::line(&change.fix.title));
    for (at, before, after) in &change.edits {
        let place = format!("{}:{}:{}-{}:{}", text::line(at.path), at.start.line, at.start.column, at.end.line, at.end.column);
        let _ = writeln!(out, "  edit {place} replace {} by {}", quoted(before), quoted(after));
    }
}

fn quoted(text: &str) -> String {
    text::json_line(&text).trim_end().to_owned()
}
