//! A finding as machines take it: its places as paths, lines and columns, and its fingerprint. What a format does with them
//! is the format's own.

use super::{Chosen, Package};
use crate::diag::fingerprint::Fingerprints;
use crate::diag::{Finding, Fix};
use crate::source::{FileId, LineIndex, Loc, Position, Sources, Span};
use rustc_hash::FxHashMap;

/// A finding with its places.
pub(super) struct Item<'a> {
    pub finding: &'a Finding,
    /// Index of its package.
    pub package: usize,
    pub at: At<'a>,
    /// Other places, each with a few words.
    pub related: Vec<(At<'a>, &'a str)>,
    pub fixes: Vec<Change<'a>>,
    pub fingerprint: String,
    /// The lines that its place begins and ends in, and those between, as far as they are short.
    pub excerpt: &'a str,
}

/// A fix with the places of its edits.
pub(super) struct Change<'a> {
    pub fix: &'a Fix,
    /// Each place, what is there now, and what is put there.
    pub edits: Vec<(At<'a>, &'a str, &'a str)>,
}

/// A place.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// As it is shown; empty where the place is in no file.
    pub path: &'a str,
    pub start: Position,
    pub end: Position,
    /// Bytes of the file.
    pub span: Span,
}

/// Most bytes of the lines of a finding that are kept.
const MAX_EXCERPT: usize = 400;

/// Lines of the files of a package.
#[derive(Default)]
struct Lines(FxHashMap<FileId, LineIndex>);

impl Lines {
    fn at<'a>(&mut self, loc: Loc, sources: &'a Sources) -> At<'a> {
        let place = sources.place(loc);
        let span = place.span;
        let Some(file) = sources.get(place.file) else {
            return At { path: "", start: Position::default(), end: Position::default(), span };
        };
        let index = self.0.entry(place.file).or_insert_with(|| LineIndex::new(&file.text));
        let (start, end) = (index.position(&file.text, span.start), index.position(&file.text, span.end.max(span.start)));
        At { path: &file.path, start, end, span }
    }

    /// The whole lines of a place; the place alone, or its beginning, where they are long.
    fn excerpt<'a>(&mut self, loc: Loc, sources: &'a Sources) -> &'a str {
        let place = sources.place(loc);
        let Some((file, index)) = sources.get(place.file).zip(self.0.get(&place.file)) else { return "" };
        let (first, last) = (index.line(place.span.start), index.line(place.span.end.max(place.span.start)));
        let (start, end) = (index.range(&file.text, first).start, index.range(&file.text, last).end);
        let whole = file.text.get(start..end).unwrap_or_default().trim_end_matches(['\r', '\n']);
        if whole.len() <= MAX_EXCERPT {
            return whole;
        }
        let own = sources.slice(loc);
        own.get(..own.floor_char_boundary(MAX_EXCERPT)).unwrap_or_default()
    }
}

/// The findings that are shown, in their order.
pub(super) fn items<'a>(packages: &'a [Package<'a>], chosen: &'a Chosen<'a>) -> Vec<Item<'a>> {
    let more = chosen.more.as_ref().map(|(package, finding)| (*package, finding));
    let all = chosen.shown.iter().copied().chain(more);
    let mut lines: Vec<Lines> = packages.iter().map(|_| Lines::default()).collect();
    let mut fingerprints = Fingerprints::default();
    let items = all.filter_map(|(index, finding)| {
        let (package, lines) = packages.get(index).zip(lines.get_mut(index))?;
        let fingerprint = fingerprints.of(index, finding, package.sources, package.root);
        Some(item(finding, index, package.sources, lines, fingerprint))
    });
    items.collect()
}

fn item<'a>(finding: &'a Finding, package: usize, sources: &'a Sources, lines: &mut Lines, fingerprint: String) -> Item<'a> {
    let at = lines.at(finding.primary.loc, sources);
    let excerpt = lines.excerpt(finding.primary.loc, sources);
    let related = finding.related.iter().map(|label| (lines.at(label.loc, sources), label.text.as_str())).collect();
    let mut change = |fix: &'a Fix| {
        let edits = fix.edits.iter().map(|edit| (lines.at(edit.loc, sources), sources.slice(edit.loc), edit.text.as_str()));
        Change { fix, edits: edits.collect() }
    };
    let fixes = finding.fixes.iter().map(&mut change).collect();
    Item { finding, package, at, related, fixes, fingerprint, excerpt }
}

impl Item<'_> {
    /// The message, and after it the notes and the help, a line each.
    pub(super) fn whole_message(&self) -> String {
        let mut out = self.finding.message.clone();
        self.finding.notes.iter().for_each(|note| out.push_str(&format!("\nnote: {note}")));
        self.finding.help.iter().for_each(|help| out.push_str(&format!("\nhelp: {help}")));
        out
    }
}
