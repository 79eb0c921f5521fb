//! Diagnostics in, text out: for people and as JSON. Text from a source file never reaches the terminal as a control
//! character.

use super::{Diagnostic, Fix, Label, Level};
use crate::source::{FileId, LineIndex, Loc, Place, Sources, Span};
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

/// A line of more bytes is shown around its labels only.
const LONG_LINE: usize = 400;
/// Bytes that are shown of a long line before and after each end of a label.
const AROUND: usize = 80;

/// A file as it is shown, and how far each of its bytes moved.
struct Shown {
    file: SimpleFile<String, String>,
    /// (first byte it holds for, bytes to add), sorted.
    moves: Vec<(usize, isize)>,
    /// Places of `…` in what is shown, with the characters that each stands for.
    cuts: Vec<(usize, usize)>,
    length: usize,
}

impl Shown {
    /// `ends` are the first and last bytes of all labels in the file, sorted.
    fn new(path: &str, text: &str, ends: &[usize]) -> Self {
        let mut this =
            Self { length: text.len(), file: SimpleFile::new(String::new(), String::new()), moves: vec![(0, 0)], cuts: Vec::new() };
        let mut out = String::with_capacity(text.len().min(1 << 20));
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            match line.len() > LONG_LINE {
                true => this.add_long(&mut out, text, at, line, ends),
                false => this.add(&mut out, text, at, line),
            }
            at += line.len();
        }
        this.file = SimpleFile::new(visible(path).into_owned(), out);
        this
    }

    /// Adds what stands at a place of the text, with hidden characters as escapes.
    fn add(&mut self, out: &mut String, text: &str, from: usize, part: &str) {
        for (at, c) in part.char_indices().map(|(at, c)| (from + at, c)) {
            if c == '\r' && text.as_bytes().get(at + 1) == Some(&b'\n') {
                // A Windows line end.
            } else if matches!(c, '\n' | '\t') || !is_hidden(c) {
                out.push(c);
                continue;
            } else {
                out.extend(c.escape_unicode());
            }
            self.moved(out, at + c.len_utf8());
        }
    }

    /// From here on bytes stand where the output ends now.
    fn moved(&mut self, out: &str, at: usize) {
        self.moves.push((at, out.len() as isize - at as isize));
    }

    /// Adds the parts of a long line that are near a label, and its end.
    fn add_long(&mut self, out: &mut String, text: &str, from: usize, line: &str, ends: &[usize]) {
        let (mut done, end) = (from, from + line.len());
        let here = ends.iter().copied().skip_while(|at| *at < from).take_while(|at| *at <= end);
        for near in here.chain([end]) {
            let start = text.floor_char_boundary(near.saturating_sub(AROUND).max(done));
            let stop = text.ceil_char_boundary((near + AROUND).min(end));
            if start > done {
                self.cuts.push((out.len(), text.get(done..start).map_or(0, |t| t.chars().count())));
                out.push('…');
                self.moved(out, start);
            }
            if stop > start {
                self.add(out, text, start, text.get(start..stop).unwrap_or_default());
                done = stop;
            }
        }
    }

    /// Column in the file, from 1, of a byte that is shown.
    fn column(&self, line: Range<usize>, byte: usize) -> usize {
        let shown = self.file.source().get(line.start..byte).map_or(0, |t| t.chars().count());
        let cut = self.cuts.iter().filter(|(at, _)| line.start <= *at && *at < byte);
        cut.fold(shown, |column, (_, characters)| column + characters - 1) + 1
    }

    fn range(&self, span: Span) -> Range<usize> {
        let moved = |at: usize| {
            let i = self.moves.partition_point(|(from, _)| *from <= at).saturating_sub(1);
            at.saturating_add_signed(self.moves.get(i).map_or(0, |m| m.1))
        };
        let (start, end) = (span.start as usize, span.end as usize);
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
    fn column_number(&'a self, id: FileId, line: usize, byte: usize) -> Result<usize, Error> {
        Ok(self.0.get(&id).ok_or(Error::FileMissing)?.column(self.line_range(id, line)?, byte))
    }
}

/// For people: the place in the source with its neighbours, and a last line that counts. Empty if there is nothing.
#[must_use]
pub fn pretty(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let mut ends: FxHashMap<FileId, Vec<usize>> = FxHashMap::default();
    for label in diagnostics.iter().flat_map(|d| d.related.iter().chain(std::iter::once(&d.primary))) {
        let place = sources.place(label.loc);
        ends.entry(place.file).or_default().extend([place.span.start as usize, place.span.end as usize]);
    }
    let mut files = Files(FxHashMap::default());
    for (id, mut ends) in ends {
        ends.sort_unstable();
        if let Some(file) = sources.get(id) {
            files.0.insert(id, Shown::new(&file.path, &file.text, &ends));
        }
    }
    let config = term::Config::default();
    let mut out = String::new();
    for diagnostic in diagnostics {
        let shown = to_codespan(diagnostic, &files, sources);
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

fn to_codespan(diagnostic: &Diagnostic, files: &Files, sources: &Sources) -> span::Diagnostic<FileId> {
    let severity = match diagnostic.level {
        Level::Error => span::Severity::Error,
        Level::Warning => span::Severity::Warning,
        Level::Info => span::Severity::Note,
    };
    let label = |style: span::LabelStyle, label: &Label| {
        let place = sources.place(label.loc);
        let range = files.0.get(&place.file).map_or(0..0, |f| f.range(place.span));
        span::Label::new(style, place.file, range).with_message(visible(&label.text))
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
        let Place { file, span } = sources.place(loc);
        let (path, text) = sources.get(file).map_or(("", ""), |f| (f.path.as_str(), f.text.as_str()));
        let at = |offset| lines.get(file.0 as usize).map_or((1, 1), |l| l.position(text, offset));
        let ((line, column), (end_line, end_column)) = (at(span.start), at(span.end));
        JsonPlace { file: path, line, column, end_line, end_column, start: span.start, end: span.end }
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
        assert!(pretty(&[Diagnostic::error("E0204", all, "x")], &sources, false).len() < 2_000);
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
