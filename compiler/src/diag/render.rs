//! Findings in, text out: for people and as JSON. A run shows a bounded number of them, each around its own places, and
//! says how many more there are. Foreign text is made fit to be shown (`text`).

mod snippet;

use super::{Edit, Finding, Fix, Label, Level, codes, text};
use crate::source::{FileId, LineIndex, Loc, Place, Sources, Span};
use codespan_reporting::diagnostic as span;
use codespan_reporting::term;
use rustc_hash::FxHashMap;
use serde::Serialize;
use snippet::{Snippet, Snippets};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Most findings that a run shows.
pub const MAX_SHOWN: usize = 500;
/// Most codes that are counted of findings that are not shown.
const MAX_CODES: usize = 8;

/// What a run may still show: of several packages together no more than of one.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    left: usize,
}

impl Default for Run {
    fn default() -> Self {
        Self { left: MAX_SHOWN }
    }
}

impl Run {
    /// For people: the places in the source with their neighbours, and a last line that counts. Empty if there is
    /// nothing. `left_out` findings were not even kept.
    pub fn pretty(&mut self, findings: &[Finding], left_out: usize, sources: &Sources, colour: bool) -> String {
        let (shown, more) = self.choose(findings, left_out);
        let mut lines = Lines::default();
        let mut out: String = shown.iter().map(|finding| draw(finding, sources, &mut lines, colour)).collect();
        if let Some(more) = more {
            out.push_str(&format!("{more}\n"));
        }
        out.push_str(&summary(findings, left_out));
        out
    }

    /// As JSON: one array of objects, sorted like the input, with a line break at its end. What is not shown is counted by
    /// a last object.
    pub fn json(&mut self, findings: &[Finding], left_out: usize, sources: &Sources) -> String {
        let (shown, more) = self.choose(findings, left_out);
        let last = shown.last().map_or(Loc::default(), |d| d.primary.loc);
        // Errors are shown first: what is left is none where others are shown.
        let error = left_out > 0 || findings.iter().filter(|d| d.level == Level::Error).count() >= shown.len().max(1);
        let level = if error { Level::Error } else { Level::Warning };
        let more = more.map(|message| Finding::new(codes::TOO_MANY_ERRORS, level, last, message));
        let mut lines = Lines::default();
        let all: Vec<Json<'_>> = shown.into_iter().chain(&more).map(|d| Json::new(d, sources, &mut lines)).collect();
        text::json(&all)
    }

    /// What of the findings is shown, errors before others, and the line about the rest.
    fn choose<'d>(&mut self, findings: &'d [Finding], left_out: usize) -> (Vec<&'d Finding>, Option<String>) {
        let room = self.left;
        let errors = findings.iter().filter(|d| d.level == Level::Error).count();
        let (mut errors, mut others) = (room, room.saturating_sub(errors));
        let mut rest: BTreeMap<&str, usize> = BTreeMap::new();
        let mut shown: Vec<&Finding> = Vec::new();
        for finding in findings {
            let room = if finding.level == Level::Error { &mut errors } else { &mut others };
            match room.checked_sub(1) {
                Some(less) => {
                    *room = less;
                    shown.push(finding);
                }
                None => *rest.entry(finding.code).or_default() += 1,
            }
        }
        self.left = room - shown.len();
        let more = findings.len() - shown.len() + left_out;
        (shown, (more > 0).then(|| said(more, left_out, rest)))
    }
}

/// The line about findings that are not shown.
fn said(more: usize, left_out: usize, by_code: BTreeMap<&str, usize>) -> String {
    let mut by_code: Vec<(&str, usize)> = by_code.into_iter().collect();
    by_code.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
    let mut parts: Vec<String> = by_code.iter().take(MAX_CODES).map(|(code, count)| format!("{} of {code}", grouped(*count))).collect();
    let others: usize = by_code.iter().skip(MAX_CODES).map(|(_, count)| count).sum::<usize>() + left_out;
    if others > 0 {
        parts.push(format!("{} others", grouped(others)));
    }
    let noun = if more == 1 { "finding" } else { "findings" };
    format!("… and {} more {noun}: {}", grouped(more), parts.join(", "))
}

/// `1,234`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// [`Run::pretty`] of a run that has nothing else.
#[must_use]
pub fn pretty(findings: &[Finding], sources: &Sources, colour: bool) -> String {
    Run::default().pretty(findings, 0, sources, colour)
}

/// [`Run::json`] of a run that has nothing else.
#[must_use]
pub fn json(findings: &[Finding], sources: &Sources) -> String {
    Run::default().json(findings, 0, sources)
}

/// Lines of the files that are shown.
#[derive(Default)]
struct Lines(FxHashMap<FileId, LineIndex>);

impl Lines {
    fn of(&mut self, file: FileId, text: &str) -> &LineIndex {
        self.0.entry(file).or_insert_with(|| LineIndex::new(text))
    }
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

/// How many findings there are of each level; those that were not kept count as errors, which they nearly always are.
fn summary(findings: &[Finding], left_out: usize) -> String {
    let count = |level: Level| findings.iter().filter(|d| d.level == level).count();
    let one = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let parts = [one(count(Level::Error) + left_out, "error"), one(count(Level::Warning), "warning"), one(count(Level::Info), "remark")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("{}\n", parts.join(", ")) }
}

/// A place as JSON has it. Lines and columns count from 1, columns in characters; `start` and `end` are bytes.
#[derive(Serialize)]
struct JsonPlace<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct JsonLabel<'a> {
    #[serde(flatten)]
    place: JsonPlace<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    #[serde(flatten)]
    place: JsonPlace<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    title: &'a str,
    applicability: &'static str,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct Json<'a> {
    code: &'a str,
    level: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: JsonPlace<'a>,
    label: &'a str,
    related: Vec<JsonLabel<'a>>,
    notes: &'a [String],
    help: &'a [String],
    fixes: Vec<JsonFix<'a>>,
}

impl<'a> JsonPlace<'a> {
    fn new(loc: Loc, sources: &'a Sources, lines: &mut Lines) -> Self {
        let Place { file: id, span: Span { start, end } } = sources.place(loc);
        let Some(file) = sources.get(id) else {
            return Self { file: "", line: 1, column: 1, end_line: 1, end_column: 1, start, end };
        };
        let index = lines.of(id, &file.text);
        let ((line, column), (end_line, end_column)) = (index.position(&file.text, start), index.position(&file.text, end));
        Self { file: &file.path, line, column, end_line, end_column, start, end }
    }
}

impl<'a> Json<'a> {
    fn new(d: &'a Finding, sources: &'a Sources, lines: &mut Lines) -> Self {
        let place = JsonPlace::new(d.primary.loc, sources, lines);
        let related = d.related.iter().map(|r| JsonLabel { place: JsonPlace::new(r.loc, sources, lines), text: &r.text }).collect();
        let mut edit = |e: &'a Edit| JsonEdit { place: JsonPlace::new(e.loc, sources, lines), text: &e.text };
        let fix = |f: &'a Fix| {
            let edits = f.edits.iter().map(&mut edit).collect();
            JsonFix { title: &f.title, applicability: f.applicability.name(), edits }
        };
        Self {
            code: d.code,
            level: d.level.name(),
            message: &d.message,
            place,
            label: &d.primary.text,
            related,
            notes: &d.notes,
            help: &d.help,
            fixes: d.fixes.iter().map(fix).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

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
    fn json_counts_characters_and_keeps_bytes() {
        let (sources, found) = finding("// é\nlet ü = wrong", "wrong");
        let value: serde_json::Value = serde_json::from_str(&json(&found, &sources)).unwrap();
        assert_eq!((value[0]["line"].as_u64(), value[0]["column"].as_u64(), value[0]["start"].as_u64()), (Some(2), Some(9), Some(15)));
    }

    #[test]
    fn colour_is_there_only_if_asked() {
        let (sources, found) = finding("wrong", "wrong");
        assert!(pretty(&found, &sources, true).contains('\u{1b}'));
        assert!(!pretty(&found, &sources, false).contains('\u{1b}'));
    }
}
