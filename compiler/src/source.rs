//! Source files of a compilation and places in them. Never reads a file.

pub use ebsec_grammar::ast::Span;

/// Index into [`Sources::files`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// Index into the parts of [`Sources`], or a file as a whole.
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
    pub text: String,
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
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile { path: path.into(), text: text.into() });
        id
    }

    /// The file of an id; ids of other compilations may have none.
    #[must_use]
    pub fn get(&self, file: FileId) -> Option<&SourceFile> {
        self.files.get(file.0 as usize)
    }

    /// Adds the parts of a file, which start at these bytes; gives the id of the first, from which the others count.
    pub fn add_parts(&mut self, file: FileId, starts: impl IntoIterator<Item = u32>) -> PartId {
        let first = PartId(u32::try_from(self.parts.len()).unwrap_or(u32::MAX) & !WHOLE);
        self.parts.extend(starts.into_iter().map(|start| (file, start)));
        first
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
    /// The id of a part of a file whose first part has this one.
    #[must_use]
    pub fn nth(self, index: usize) -> Self {
        Self(self.0.saturating_add(u32::try_from(index).unwrap_or(u32::MAX)) & !WHOLE)
    }
}

impl Loc {
    /// A place in a part, or in a file as a whole.
    #[must_use]
    pub fn new(part: impl Into<PartId>, span: Span) -> Self {
        Self { part: part.into(), span }
    }
}

/// Turns byte offsets of one text into lines and columns.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Finds the lines of a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1);
        Self { starts: std::iter::once(0).chain(ends).collect() }
    }

    /// Line and column of a byte, both from 1; columns count characters.
    #[must_use]
    pub fn position(&self, text: &str, offset: u32) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let before = text.as_bytes().get(start as usize..(offset as usize).min(text.len())).unwrap_or_default();
        // A byte that continues a character does not count.
        let column = before.iter().filter(|b| **b & 0xC0 != 0x80).count() as u32 + 1;
        (line as u32, column)
    }
}
