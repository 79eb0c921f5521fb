//! Source files of a compilation and places in them. Never reads a file.

pub use ebsec_grammar::ast::Span;

/// Index into [`Sources::files`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Loc {
    /// File.
    pub file: FileId,
    /// Bytes in it.
    pub span: Span,
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

    /// The text at a place, empty if there is none.
    #[must_use]
    pub fn slice(&self, loc: Loc) -> &str {
        self.get(loc.file).and_then(|f| f.text.get(loc.span.start as usize..loc.span.end as usize)).unwrap_or_default()
    }
}

impl Loc {
    /// A place in a file.
    #[must_use]
    pub fn new(file: FileId, span: Span) -> Self {
        Self { file, span }
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
