//! How far a file is formatted, found again after an edit: a tree and what was found in the last one in, and the first byte that
//! the formatter would change out. Lays out what an edit touched alone: each item with the one before it, between which no
//! layout depends on what stands further away. Writes nothing.

use super::{lay_out, line_end};
use ebsec_grammar::{Part, PartKind, Tree, Within};
use std::ops::Range;
use std::sync::Arc;

/// A file without syntax errors, and where it is not formatted.
#[derive(Clone, Debug)]
pub struct Extent {
    tree: Arc<Tree>,
    /// The first byte that the formatter would change.
    difference: Option<u32>,
}

impl Extent {
    /// Looks at a file; `before` is the same of an earlier text of it.
    #[must_use]
    pub fn new(tree: &Arc<Tree>, before: Option<&Extent>) -> Self {
        if let Some(same) = before.filter(|before| Arc::ptr_eq(&before.tree, tree)) {
            return same.clone();
        }
        let in_items = before.filter(|_| !tree.text().contains("fmt: o"));
        let difference = match in_items.and_then(|before| Some((before, windows(tree)?))) {
            Some((before, windows)) => Known::new(before, tree).difference(windows),
            None => difference(tree, line_end(tree.text())),
        };
        Self { tree: Arc::clone(tree), difference: difference.map(|at| boundary(tree.text(), at)) }
    }

    /// The first byte that the formatter would change, if there is any.
    #[must_use]
    pub fn difference(&self) -> Option<u32> {
        self.difference
    }
}

/// The character that a byte is in.
fn boundary(text: &str, at: u32) -> u32 {
    (0..=at as usize).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0) as u32
}

/// Where a tree is not formatted.
fn difference(tree: &Tree, line_end: &'static str) -> Option<u32> {
    let (text, formatted) = (tree.text(), lay_out(tree, line_end));
    if text == formatted {
        return None;
    }
    let same = text.bytes().zip(formatted.bytes()).take_while(|(a, b)| a == b).count();
    Some(same.min(text.len()) as u32)
}

/// The parts of each item with those of the item before it; those up to the last import together, since imports are sorted.
/// None if that would be all of the file.
fn windows(tree: &Tree) -> Option<Vec<Range<usize>>> {
    let items = items(tree.parts());
    let parts = tree.parts();
    let is_import = |item: &Range<usize>| parts.get(item.clone())?.iter().find(|part| part.piece.kind == PartKind::Import);
    let together = items.iter().rposition(|item| is_import(item).is_some()).unwrap_or(0).max(1);
    let first = items.first()?.start..items.get(together)?.end;
    let pairs = items.iter().zip(items.iter().skip(1)).skip(together).map(|(one, next)| one.start..next.end);
    let all: Vec<Range<usize>> = std::iter::once(first).chain(pairs).collect();
    (all.len() > 1).then_some(all)
}

/// The parts of each item; what stands before the first one belongs to it.
fn items(parts: &[Part]) -> Vec<Range<usize>> {
    let (mut items, mut at) = (Vec::new(), 0);
    while let Some(part) = parts.get(at) {
        let start = if items.is_empty() { 0 } else { at };
        let body = parts.get(at + 1..).unwrap_or_default();
        let inner = |part: &&Part| part.piece.within != Within::File && part.piece.kind != PartKind::Close;
        let end = if part.piece.head { at + 2 + body.iter().take_while(inner).count() } else { at + 1 };
        if part.piece.kind != PartKind::Trivia {
            items.push(start..end.min(parts.len()));
        }
        at = end;
    }
    items
}

/// What an earlier text tells of a tree.
struct Known<'k> {
    before: &'k Extent,
    tree: &'k Tree,
    /// How many parts at the start and at the end are the same.
    start: usize,
    end: usize,
}

impl<'k> Known<'k> {
    fn new(before: &'k Extent, tree: &'k Tree) -> Self {
        let (old, new) = (before.tree.parts(), tree.parts());
        let same = |(old, new): &(&Part, &Part)| Arc::ptr_eq(&old.content, &new.content);
        let start = old.iter().zip(new).take_while(same).count();
        let most = old.len().min(new.len()) - start;
        let end = old.iter().rev().zip(new.iter().rev()).take(most).take_while(same).count();
        Self { before, tree, start, end }
    }

    fn difference(&self, windows: Vec<Range<usize>>) -> Option<u32> {
        let count = windows.len();
        let mut done = 0;
        windows.into_iter().enumerate().find_map(|(at, window)| {
            let looked_at = std::mem::replace(&mut done, window.end);
            self.in_window(window, looked_at, at + 1 == count)
        })
    }

    /// Where some parts are not formatted. What follows the last token of them is the next ones' matter; of those before
    /// `done`, which were looked at already, only the last one has to do with what follows.
    fn in_window(&self, parts: Range<usize>, done: usize, last: bool) -> Option<u32> {
        let window = self.tree.window(parts.clone(), last);
        let start = self.tree.parts().get(parts.start).map_or(0, |part| part.piece.span.start);
        let end = start + window.text().len() as u32;
        let (old, new) = (&self.before.tree, self.tree);
        let moved = match (parts.end <= self.start, parts.start.max(done.saturating_sub(1)) >= new.parts().len() - self.end) {
            // What is last now had something behind it then.
            (true, _) if last => None,
            (true, _) => Some(0),
            (_, true) => Some(new.text().len() as i64 - old.text().len() as i64),
            _ => None,
        };
        if let Some(by) = moved.filter(|_| line_end(new.text()) == line_end(old.text())) {
            match self.before.difference.map(|at| i64::from(at) + by) {
                None => return None,
                Some(at) if i64::from(end) <= at => return None,
                Some(at) if (i64::from(start)..i64::from(end)).contains(&at) && parts.start >= done => return u32::try_from(at).ok(),
                // It was not looked at.
                Some(_) => {}
            }
        }
        difference(&window, line_end(self.tree.text())).map(|at| start + at)
    }
}
