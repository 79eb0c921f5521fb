//! Source files of a compilation and places in them. Never reads a file.

pub use ebsec_grammar::ast::Span;
use std::sync::Arc;

/// Index into [`Sources::files`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// Index into the parts of [`Sources`], or a file as a whole. A part keeps its id as long as its text stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartId(u32);

/// A place: it counts from the start of a part of a file, so that an edit elsewhere does not change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Loc {
    /// Part.
    pub part: PartId,
    /// Bytes from its start.
    pub span: Span,
}

/// A place as it is shown: bytes of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// File.
    pub file: FileId,
    /// Bytes in it.
    pub span: Span,
}

/// Marks a [`PartId`] that is a file as a whole: its places count from the start of the file.
const WHOLE: u32 = 1 << 31;

impl From<FileId> for PartId {
    fn from(file: FileId) -> Self {
        Self(file.0 | WHOLE)
    }
}

impl Default for PartId {
    fn default() -> Self {
        FileId::default().into()
    }
}

/// One source file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path as the user would write it, relative to the package (or `std/…`), with `/`.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
}

/// All source files of a compilation, std included.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// By [`FileId`].
    pub files: Vec<SourceFile>,
    /// By [`PartId`]: the file and the byte where the part starts.
    parts: Vec<(FileId, u32)>,
}

impl Sources {
    /// Adds a file and gives its id.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile { path: path.into(), text: text.into() });
        id
    }

    /// The file of an id; ids of other compilations may have none.
    #[must_use]
    pub fn get(&self, file: FileId) -> Option<&SourceFile> {
        self.files.get(file.0 as usize)
    }

    /// Gives a file another text. Its parts are where they were until they are told otherwise.
    pub fn set_text(&mut self, file: FileId, text: Arc<str>) {
        if let Some(file) = self.files.get_mut(file.0 as usize) {
            file.text = text;
        }
    }

    /// Adds a part of a file, which starts at this byte. Ids are never given twice.
    pub fn add_part(&mut self, file: FileId, start: u32) -> PartId {
        let part = PartId(u32::try_from(self.parts.len()).unwrap_or(u32::MAX) & !WHOLE);
        self.parts.push((file, start));
        part
    }

    /// Says where a part starts after an edit.
    pub fn move_part(&mut self, PartId(part): PartId, to: u32) {
        if let Some((_, start)) = self.parts.get_mut(part as usize) {
            *start = to;
        }
    }

    /// How many parts there ever were.
    #[must_use]
    pub fn part_count(&self) -> usize {
        self.parts.len()
    }

    /// Takes the parts out, after which no place in a part holds.
    pub(crate) fn clear_parts(&mut self) {
        self.parts.clear();
    }

    /// A place as bytes of its file.
    #[must_use]
    pub fn place(&self, loc: Loc) -> Place {
        let PartId(part) = loc.part;
        if part & WHOLE != 0 {
            return Place { file: FileId(part & !WHOLE), span: loc.span };
        }
        let (file, start) = self.parts.get(part as usize).copied().unwrap_or_default();
        Place { file, span: Span { start: start.saturating_add(loc.span.start), end: start.saturating_add(loc.span.end) } }
    }

    /// The text at a place, empty if there is none.
    #[must_use]
    pub fn slice(&self, loc: Loc) -> &str {
        let Place { file, span } = self.place(loc);
        self.get(file).and_then(|f| f.text.get(span.start as usize..span.end as usize)).unwrap_or_default()
    }
}

impl PartId {
    /// Whether it is that of a part that was among the first so many.
    #[must_use]
    pub fn is_among(self, count: usize) -> bool {
        self.0 & WHOLE == 0 && (self.0 as usize) < count
    }
}

impl Loc {
    /// A place in a part, or in a file as a whole.
    #[must_use]
    pub fn new(part: impl Into<PartId>, span: Span) -> Self {
        Self { part: part.into(), span }
    }
}

/// A byte of a text as its line and its columns, all from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column in characters.
    pub column: u32,
    /// Column in UTF-16 code units, of which a character outside of the basic plane takes two.
    pub utf16: u32,
    /// Column in bytes of UTF-8.
    pub byte: u32,
}

impl Default for Position {
    /// The start of a text.
    fn default() -> Self {
        Self { line: 1, column: 1, utf16: 1, byte: 1 }
    }
}

/// Turns byte offsets of one text into lines and columns, at the same cost wherever they are.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    /// What is before each multiple of [`STEP`] bytes.
    before: Vec<Count>,
}

/// Characters of a text, and how many of them take two UTF-16 code units.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    characters: u32,
    wide: u32,
}

/// So many bytes at most are counted for a column, however long its line is.
const STEP: usize = 1024;

impl LineIndex {
    /// Finds the lines of a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1);
        let mut sum = Count::default();
        let before = text.as_bytes().chunks(STEP).map(|chunk| {
            let start = sum;
            sum = sum.plus(chunk);
            start
        });
        Self { before: before.collect(), starts: std::iter::once(0).chain(ends).collect() }
    }

    /// Number of lines.
    #[must_use]
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// Index of the line, from 0, that holds a byte.
    #[must_use]
    pub fn line(&self, offset: u32) -> usize {
        self.starts.partition_point(|start| *start <= offset).max(1) - 1
    }

    /// First byte of a line, by its index from 0, and of the next one; both the end of the text where there is none.
    #[must_use]
    pub fn range(&self, text: &str, line: usize) -> std::ops::Range<usize> {
        let start = |line: usize| self.starts.get(line).map_or(text.len(), |start| *start as usize);
        start(line)..start(line.saturating_add(1))
    }

    /// Line and columns of a byte.
    #[must_use]
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let line = self.line(offset);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let (here, first) = (self.count_before(text, offset), self.count_before(text, start));
        let column = here.characters - first.characters + 1;
        let byte = offset.min(text.len() as u32).saturating_sub(start) + 1;
        Position { line: line as u32 + 1, column, utf16: column + here.wide - first.wide, byte }
    }

    /// What is before a byte.
    fn count_before(&self, text: &str, offset: u32) -> Count {
        let offset = (offset as usize).min(text.len());
        let Some(last) = self.before.len().checked_sub(1) else { return Count::default() };
        let step = (offset / STEP).min(last);
        let rest = text.as_bytes().get(step * STEP..offset).unwrap_or_default();
        self.before.get(step).copied().unwrap_or_default().plus(rest)
    }
}

impl Count {
    /// With what is in some bytes: a byte that continues a character does not count, one that begins four bytes is wide.
    fn plus(self, bytes: &[u8]) -> Self {
        let characters = bytes.iter().filter(|b| **b & 0xC0 != 0x80).count() as u32;
        let wide = bytes.iter().filter(|b| **b >= 0xF0).count() as u32;
        Self { characters: self.characters + characters, wide: self.wide + wide }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_that_counting_gives() {
        let text = format!("é\n{}ü\n\n{}", "aé🦀".repeat(3_000), "x".repeat(STEP * 2));
        let index = LineIndex::new(&text);
        for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() as u32 + 1;
            let before = before.rsplit('\n').next().unwrap_or_default();
            let columns = [before.chars().count(), before.encode_utf16().count(), before.len()].map(|n| n as u32 + 1);
            let [column, utf16, byte] = columns;
            assert_eq!(index.position(&text, at as u32), Position { line, column, utf16, byte }, "{at}");
        }
        assert_eq!(LineIndex::new("").position("", 7), Position::default());
        assert_eq!((index.range(&text, 0), index.range(&text, 99)), (0..3, text.len()..text.len()));
    }
}
