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
