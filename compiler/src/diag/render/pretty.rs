//! For people: each finding with its places in the source and their neighbours, then how many findings there are. Nothing if
//! there is none.

use super::snippet::{Snippet, Snippets};
use super::{Chosen, Report};
use crate::diag::{Finding, Label, Level, text};
use crate::source::{FileId, LineIndex, Place, Sources, Span};
use codespan_reporting::diagnostic as span;
use codespan_reporting::term;
use rustc_hash::FxHashMap;
use std::fmt::Write;

/// Lines of the files of a package that are shown.
#[derive(Default)]
struct Lines(FxHashMap<FileId, LineIndex>);

impl Lines {
    fn of(&mut self, file: FileId, text: &str) -> &LineIndex {
        self.0.entry(file).or_insert_with(|| LineIndex::new(text))
    }
}

pub(super) fn document(report: &Report<'_>, chosen: &Chosen<'_>, colour: bool) -> String {
    let mut lines: Vec<Lines> = report.packages.iter().map(|_| Lines::default()).collect();
    let mut out = String::new();
    for (package, finding) in &chosen.shown {
        if let Some((package, lines)) = report.packages.get(*package).zip(lines.get_mut(*package)) {
            out.push_str(&draw(finding, package.sources, lines, colour));
        }
    }
    if let Some((_, more)) = &chosen.more {
        let _ = writeln!(out, "{}", more.message);
    }
    let summary = summary(report);
    if !summary.is_empty() {
        let _ = writeln!(out, "{summary}");
    }
    out
}

/// A finding and its places in the source.
fn draw(finding: &Finding, sources: &Sources, lines: &mut Lines, colour: bool) -> String {
    let mut snippets = Snippets::default();
    let places: Vec<Place> = std::iter::once(&finding.primary).chain(&finding.related).map(|l| sources.place(l.loc)).collect();
    for id in places.iter().map(|place| place.file) {
        if let Some(file) = sources.get(id).filter(|_| !snippets.0.contains_key(&id)) {
            let spans: Vec<Span> = places.iter().filter(|place| place.file == id).map(|place| place.span).collect();
            snippets.0.insert(id, Snippet::new(&file.path, &file.text, lines.of(id, &file.text), &spans));
        }
    }
    let (config, shown) = (term::Config::default(), to_codespan(finding, &snippets, sources));
    let mut out = String::new();
    let done = if colour {
        let mut buffer = term::termcolor::Ansi::new(Vec::new());
        let done = term::emit_to_write_style(&mut buffer, &config, &snippets, &shown);
        out.push_str(&String::from_utf8_lossy(&buffer.into_inner()));
        done
    } else {
        term::emit_to_string(&mut out, &config, &snippets, &shown)
    };
    if done.is_err() {
        // A place that is in no file: the message must not be lost.
        let _ = writeln!(out, "{}[{}]: {}", finding.level.name(), finding.code, text::line(&finding.message));
    }
    out
}

fn to_codespan(finding: &Finding, snippets: &Snippets, sources: &Sources) -> span::Diagnostic<FileId> {
    let severity = match finding.level {
        Level::Error => span::Severity::Error,
        Level::Warning => span::Severity::Warning,
        Level::Info => span::Severity::Note,
    };
    let label = |style: span::LabelStyle, label: &Label| {
        let place = sources.place(label.loc);
        let range = snippets.0.get(&place.file).map_or(0..0, |f| f.range(place.span));
        span::Label::new(style, place.file, range).with_message(text::line(&label.text))
    };
    let mut labels = vec![label(span::LabelStyle::Primary, &finding.primary)];
    labels.extend(finding.related.iter().map(|r| label(span::LabelStyle::Secondary, r)));
    let notes = finding.notes.iter().map(|n| format!("note: {}", text::line(n)));
    let help = finding.help.iter().map(|h| format!("help: {}", text::line(h)));
    span::Diagnostic::new(severity)
        .with_code(finding.code)
        .with_message(text::line(&finding.message))
        .with_labels(labels)
        .with_notes(notes.chain(help).collect())
}

/// How many findings there are of each level, and how many were not kept.
pub(super) fn summary(report: &Report<'_>) -> String {
    let left_out: usize = report.packages.iter().map(|package| package.left_out).sum();
    let count = |level: Level| report.packages.iter().flat_map(|package| package.findings).filter(|d| d.level == level).count();
    let one = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let more = (left_out > 0).then(|| format!("{left_out} more"));
    let parts = [one(count(Level::Error), "error"), one(count(Level::Warning), "warning"), one(count(Level::Info), "note"), more];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::diag::render::pretty;
    use crate::source::Loc;

    fn finding(text: &str, word: &str) -> (Sources, Vec<Finding>) {
        let mut sources = Sources::default();
        let file = sources.add("a.ebsec", text);
        let start = text.find(word).unwrap() as u32;
        let loc = Loc::new(file, Span { start, end: start + word.len() as u32 });
        (sources, vec![Finding::error("E0204", loc, format!("unknown field `{word}`")).help("look\u{1b}[31m")])
    }

    #[test]
    fn no_control_character_of_a_source_reaches_the_terminal() {
        let (sources, found) = finding("let a = \"\u{1b}[2J\u{202e}\" wrong\r\n", "wrong");
        let text = pretty(&found, &sources, false);
        assert!(text.chars().all(|c| c == '\n' || !text::is_hidden(c)), "{text:?}");
        assert!(text.contains(r"\u{1b}[2J"));
        let marked = text.lines().find(|l| l.contains("^^^^^")).unwrap();
        let shown = text.lines().find(|l| l.contains("wrong") && l.contains("let")).unwrap();
        assert_eq!(
            marked.chars().position(|c| c == '^'),
            shown.chars().collect::<String>().find("wrong").map(|b| shown[..b].chars().count())
        );
    }

    #[test]
    fn a_long_line_is_shown_around_its_labels() {
        let long = format!("let é = {}wrong{}\nlet b = 1", "x".repeat(100_000), "y".repeat(100_000));
        let (sources, found) = finding(&long, "wrong");
        let text = pretty(&found, &sources, false);
        assert!(text.len() < 1_000 && text.contains("a.ebsec:1:100009") && text.contains("…xxx"), "{text}");
        let shown = text.lines().find(|l| l.contains("wrongy")).unwrap();
        let marked = text.lines().find(|l| l.contains("^^^^^")).unwrap();
        assert_eq!(
            marked.chars().position(|c| c == '^'),
            shown.chars().collect::<String>().find("wrong").map(|b| shown[..b].chars().count())
        );
        // a label over all of it
        let all = Loc::new(found[0].primary.loc.part, Span { start: 0, end: long.len() as u32 });
        assert!(pretty(&[Finding::error("E0204", all, "x")], &sources, false).len() < 2_000);
    }

    #[test]
    fn colour_is_there_only_if_asked() {
        let (sources, found) = finding("wrong", "wrong");
        assert!(pretty(&found, &sources, true).contains('\u{1b}'));
        assert!(!pretty(&found, &sources, false).contains('\u{1b}'));
    }
}
