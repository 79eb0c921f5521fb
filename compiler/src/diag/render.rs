//! Diagnostics in, text out: for people and as JSON. Text from a source file never reaches the terminal as a control
//! character.

use super::{Diagnostic, Fix, Label, Level};
use crate::source::{FileId, LineIndex, Loc, Sources};
use codespan_reporting::diagnostic as span;
use codespan_reporting::files::{Error, SimpleFile};
use codespan_reporting::term;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

/// Whether a character could change what a terminal or a reader sees of its neighbours.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{061C}' | '\u{FEFF}')
}

/// Text with hidden characters as escapes; line breaks and tabs stay.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| matches!(c, '\n' | '\t') || !is_hidden(c);
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if harmless(c) { c.to_string() } else { c.escape_unicode().to_string() }).collect())
}

/// A file as it is shown, and how far each of its bytes moved.
struct Shown {
    file: SimpleFile<String, String>,
    /// (first byte it holds for, bytes to add), sorted.
    moves: Vec<(usize, isize)>,
    length: usize,
}

impl Shown {
    fn new(path: &str, text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        let mut moves = vec![(0, 0)];
        for (at, c) in text.char_indices() {
            if c == '\r' && text.as_bytes().get(at + 1) == Some(&b'\n') {
                // A Windows line end.
            } else if matches!(c, '\n' | '\t') || !is_hidden(c) {
                out.push(c);
                continue;
            } else {
                out.extend(c.escape_unicode());
            }
            let end = at + c.len_utf8();
            moves.push((end, out.len() as isize - end as isize));
        }
        Self { length: text.len(), file: SimpleFile::new(visible(path).into_owned(), out), moves }
    }

    fn range(&self, loc: Loc) -> Range<usize> {
        let moved = |at: usize| {
            let i = self.moves.partition_point(|(from, _)| *from <= at).saturating_sub(1);
            at.saturating_add_signed(self.moves.get(i).map_or(0, |m| m.1))
        };
        let (start, end) = (loc.span.start as usize, loc.span.end as usize);
        moved(start.min(self.length))..moved(end.min(self.length).max(start.min(self.length)))
    }
}

struct Files(FxHashMap<FileId, Shown>);

impl<'a> codespan_reporting::files::Files<'a> for Files {
    type FileId = FileId;
    type Name = &'a str;
    type Source = &'a str;
    fn name(&'a self, id: FileId) -> Result<&'a str, Error> {
        self.0.get(&id).map(|f| f.file.name().as_str()).ok_or(Error::FileMissing)
    }
    fn source(&'a self, id: FileId) -> Result<&'a str, Error> {
        self.0.get(&id).map(|f| f.file.source().as_str()).ok_or(Error::FileMissing)
    }
    fn line_index(&'a self, id: FileId, byte: usize) -> Result<usize, Error> {
        self.0.get(&id).ok_or(Error::FileMissing)?.file.line_index((), byte)
    }
    fn line_range(&'a self, id: FileId, line: usize) -> Result<Range<usize>, Error> {
        self.0.get(&id).ok_or(Error::FileMissing)?.file.line_range((), line)
    }
}

/// For people: the place in the source with its neighbours, and a last line that counts. Empty if there is nothing.
#[must_use]
pub fn pretty(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let mut files = Files(FxHashMap::default());
    for label in diagnostics.iter().flat_map(|d| d.related.iter().chain(std::iter::once(&d.primary))) {
        if let Some(file) = sources.get(label.loc.file) {
            files.0.entry(label.loc.file).or_insert_with(|| Shown::new(&file.path, &file.text));
        }
    }
    let config = term::Config::default();
    let mut out = String::new();
    for diagnostic in diagnostics {
        let shown = to_codespan(diagnostic, &files);
        let done = if colour {
            let mut buffer = term::termcolor::Ansi::new(Vec::new());
            let done = term::emit_to_write_style(&mut buffer, &config, &files, &shown);
            out.push_str(&String::from_utf8_lossy(&buffer.into_inner()));
            done
        } else {
            term::emit_to_string(&mut out, &config, &files, &shown)
        };
        if done.is_err() {
            // A place that is in no file: the message must not be lost.
            let _ = writeln!(out, "{}[{}]: {}", diagnostic.level.name(), diagnostic.code, visible(&diagnostic.message));
        }
    }
    out.push_str(&summary(diagnostics));
    out
}

fn to_codespan(diagnostic: &Diagnostic, files: &Files) -> span::Diagnostic<FileId> {
    let severity = match diagnostic.level {
        Level::Error => span::Severity::Error,
        Level::Warning => span::Severity::Warning,
        Level::Info => span::Severity::Note,
    };
    let label = |style: span::LabelStyle, label: &Label| {
        let range = files.0.get(&label.loc.file).map_or(0..0, |f| f.range(label.loc));
        span::Label::new(style, label.loc.file, range).with_message(visible(&label.text))
    };
    let mut labels = vec![label(span::LabelStyle::Primary, &diagnostic.primary)];
    labels.extend(diagnostic.related.iter().map(|r| label(span::LabelStyle::Secondary, r)));
    let notes = diagnostic.notes.iter().map(|n| format!("note: {}", visible(n)));
    let help = diagnostic.help.iter().map(|h| format!("help: {}", visible(h)));
    span::Diagnostic::new(severity)
        .with_code(diagnostic.code)
        .with_message(visible(&diagnostic.message))
        .with_labels(labels)
        .with_notes(notes.chain(help).collect())
}

fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |level: Level| diagnostics.iter().filter(|d| d.level == level).count();
    let one = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let parts: Vec<String> = [one(count(Level::Error), "error"), one(count(Level::Warning), "warning"), one(count(Level::Info), "remark")]
        .into_iter()
        .flatten()
        .collect();
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
struct JsonFix<'a> {
    #[serde(flatten)]
    place: JsonPlace<'a>,
    message: &'a str,
    replacement: &'a str,
    safe: bool,
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

/// As JSON: one array of objects, sorted like the input, with a line break at the end.
#[must_use]
pub fn json(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let lines: Vec<LineIndex> = sources.files.iter().map(|f| LineIndex::new(&f.text)).collect();
    let place = |loc: Loc| {
        let (path, text) = sources.get(loc.file).map_or(("", ""), |f| (f.path.as_str(), f.text.as_str()));
        let at = |offset| lines.get(loc.file.0 as usize).map_or((1, 1), |l| l.position(text, offset));
        let ((line, column), (end_line, end_column)) = (at(loc.span.start), at(loc.span.end));
        JsonPlace { file: path, line, column, end_line, end_column, start: loc.span.start, end: loc.span.end }
    };
    let fix = |f: &'_ Fix| (place(f.loc), f.safe);
    let all: Vec<Json<'_>> = diagnostics
        .iter()
        .map(|d| Json {
            code: d.code,
            level: d.level.name(),
            message: &d.message,
            place: place(d.primary.loc),
            label: &d.primary.text,
            related: d.related.iter().map(|r| JsonLabel { place: place(r.loc), text: &r.text }).collect(),
            notes: &d.notes,
            help: &d.help,
            fixes: d
                .fixes
                .iter()
                .map(|f| {
                    let (place, safe) = fix(f);
                    JsonFix { place, message: &f.message, replacement: &f.text, safe }
                })
                .collect(),
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&all).unwrap_or_else(|_| "[]".to_owned());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::source::Span;

    fn finding(text: &str, word: &str) -> (Sources, Vec<Diagnostic>) {
        let mut sources = Sources::default();
        let file = sources.add("a.ebsec", text);
        let start = text.find(word).unwrap() as u32;
        let loc = Loc::new(file, Span { start, end: start + word.len() as u32 });
        (sources, vec![Diagnostic::error("E0204", loc, format!("unknown field `{word}`")).help("look\u{1b}[31m")])
    }

    #[test]
    fn no_control_character_of_a_source_reaches_the_terminal() {
        let (sources, found) = finding("let a = \"\u{1b}[2J\u{202e}\" wrong\r\n", "wrong");
        let text = pretty(&found, &sources, false);
        assert!(text.chars().all(|c| c == '\n' || !is_hidden(c)), "{text:?}");
        assert!(text.contains(r"\u{1b}[2J"));
        let marked = text.lines().find(|l| l.contains("^^^^^")).unwrap();
        let shown = text.lines().find(|l| l.contains("wrong") && l.contains("let")).unwrap();
        assert_eq!(
            marked.chars().position(|c| c == '^'),
            shown.chars().collect::<String>().find("wrong").map(|b| shown[..b].chars().count())
        );
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
