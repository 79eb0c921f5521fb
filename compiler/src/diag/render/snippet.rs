//! The source as one finding shows it: the lines of its labels and a few between, long lines cut around the labels,
//! hidden characters as escapes. Takes a file and the places in it, gives what codespan-reporting draws; line numbers and
//! columns are those of the file. Costs as much as what is shown, however large the file is.

use crate::diag::text;
use crate::source::{FileId, LineIndex, Span};
use codespan_reporting::files::{Error, Files};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// A line of more bytes is shown around its labels only.
const LONG_LINE: usize = 400;
/// Bytes that are shown of a long line before and after each end of a label.
const AROUND: usize = 80;
/// Lines that are drawn after the first and before the last one of a label of several lines, as codespan-reporting's
/// configuration has it.
const CONTEXT: (usize, usize) = (3, 1);

/// Part of a file.
pub(super) struct Snippet {
    name: String,
    /// The lines that are kept.
    source: String,
    lines: Vec<Line>,
    /// (byte of the file, byte of what is kept), sorted: from there on they go side by side.
    moves: Vec<(usize, usize)>,
    /// (byte of what is kept, column in the file from 1) of the first byte of each label.
    columns: Vec<(usize, usize)>,
    length: usize,
}

/// A line as it is kept. Where lines are left out two empty ones stand for them: that is how a break is drawn.
struct Line {
    /// In what is kept.
    range: Range<usize>,
    /// In the file, from 1.
    number: usize,
}

impl Snippet {
    /// `labels` are the places that the finding has in the file.
    pub(super) fn new(path: &str, text: &str, index: &LineIndex, labels: &[Span]) -> Self {
        let (name, length) = (text::line(path).into_owned(), text.len());
        let (source, lines, moves, columns) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        let mut this = Self { name, source, lines, moves, columns, length };
        let places: Vec<Range<usize>> = labels.iter().map(|span| this.within(*span)).collect();
        let mut ends: Vec<usize> = places.iter().flat_map(|place| [place.start, place.end]).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut last = None;
        for line in kept(index, &places) {
            if last.is_some_and(|last| last + 1 < line) {
                let at = this.source.len();
                this.lines.extend([0, 1].map(|_| Line { range: at..at, number: line }));
            }
            last = Some(line);
            this.add_line(text, index.range(text, line), line + 1, &ends);
        }
        for place in &places {
            let column = index.position(text, place.start as u32).column;
            this.columns.push((this.moved(place.start), column as usize));
        }
        this
    }

    /// A span as places of the file, the end never before the start.
    fn within(&self, span: Span) -> Range<usize> {
        let start = (span.start as usize).min(self.length);
        start..(span.end as usize).clamp(start, self.length)
    }

    /// The place of a label in what is kept.
    pub(super) fn range(&self, span: Span) -> Range<usize> {
        let place = self.within(span);
        self.moved(place.start)..self.moved(place.end)
    }

    fn moved(&self, at: usize) -> usize {
        let before = self.moves.partition_point(|(from, _)| *from <= at).saturating_sub(1);
        self.moves.get(before).map_or(0, |(from, to)| to + at.saturating_sub(*from)).min(self.source.len())
    }

    fn add_line(&mut self, text: &str, line: Range<usize>, number: usize, ends: &[usize]) {
        let start = self.source.len();
        match line.len() > LONG_LINE {
            true => self.add_long(text, &line, ends),
            false => self.add(text, line),
        }
        self.lines.push(Line { range: start..self.source.len(), number });
    }

    /// Adds what stands at a place of the text.
    fn add(&mut self, text: &str, part: Range<usize>) {
        self.moves.push((part.start, self.source.len()));
        let piece = text.get(part.clone()).unwrap_or_default();
        for (at, c) in piece.char_indices().map(|(at, c)| (part.start + at, c)) {
            let rest = text.get(at..).unwrap_or_default();
            // The end of a line of Windows is no more than an end of a line.
            let windows = c == '\r' && rest.starts_with("\r\n");
            if matches!(c, '\n' | '\t') || !text::is_refused(rest, c) {
                self.source.push(c);
                continue;
            }
            if !windows {
                text::escape(&mut self.source, c);
            }
            self.moves.push((at + c.len_utf8(), self.source.len()));
        }
    }

    /// Adds the parts of a long line that are near an end of a label, and its own end.
    fn add_long(&mut self, text: &str, line: &Range<usize>, ends: &[usize]) {
        let here = ends.iter().copied().filter(|at| (line.start..=line.end).contains(at));
        let own_start = here.clone().next().is_none().then_some(line.start);
        let mut done = line.start;
        for near in own_start.into_iter().chain(here).chain([line.end]) {
            let start = text.floor_char_boundary(near.saturating_sub(AROUND).max(done));
            let stop = text.ceil_char_boundary((near + AROUND).min(line.end));
            if start > done {
                self.source.push('…');
            }
            if stop > start {
                self.add(text, start..stop);
                done = stop;
            }
        }
    }

    /// The line that is kept of an index.
    fn line(&self, index: usize) -> Result<&Line, Error> {
        self.lines.get(index).ok_or(Error::LineTooLarge { given: index, max: self.lines.len() })
    }
}

/// Indices of the lines that are drawn of labels, sorted: the first and last ones of each, and a single one between two.
fn kept(index: &LineIndex, places: &[Range<usize>]) -> Vec<usize> {
    let mut lines: Vec<usize> = Vec::new();
    for place in places {
        let (first, last) = (index.line(place.start as u32), index.line(place.end as u32));
        lines.extend(first..=last.min(first + CONTEXT.0));
        lines.extend(last.saturating_sub(CONTEXT.1).max(first)..=last);
    }
    lines.sort_unstable();
    lines.dedup();
    let between = lines.windows(2).filter_map(|pair| match pair {
        [a, b] if *b == a + 2 => Some(a + 1),
        _ => None,
    });
    let between: Vec<usize> = between.collect();
    lines.extend(between);
    lines.sort_unstable();
    lines
}

/// The snippets of one finding.
#[derive(Default)]
pub(super) struct Snippets(pub(super) FxHashMap<FileId, Snippet>);

impl Snippets {
    fn get(&self, id: FileId) -> Result<&Snippet, Error> {
        self.0.get(&id).ok_or(Error::FileMissing)
    }
}

impl<'a> Files<'a> for Snippets {
    type FileId = FileId;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: FileId) -> Result<&'a str, Error> {
        self.get(id).map(|s| s.name.as_str())
    }

    fn source(&'a self, id: FileId) -> Result<&'a str, Error> {
        self.get(id).map(|s| s.source.as_str())
    }

    fn line_index(&'a self, id: FileId, byte: usize) -> Result<usize, Error> {
        // Empty lines that stand for others begin where the next one does, which comes after them.
        self.get(id).map(|s| s.lines.partition_point(|line| line.range.start <= byte).saturating_sub(1))
    }

    fn line_range(&'a self, id: FileId, index: usize) -> Result<Range<usize>, Error> {
        self.get(id)?.line(index).map(|line| line.range.clone())
    }

    fn line_number(&'a self, id: FileId, index: usize) -> Result<usize, Error> {
        self.get(id)?.line(index).map(|line| line.number)
    }

    fn column_number(&'a self, id: FileId, _line: usize, byte: usize) -> Result<usize, Error> {
        let snippet = self.get(id)?;
        Ok(snippet.columns.iter().find(|(at, _)| *at == byte).map_or(1, |(_, column)| *column))
    }
}
