//! Source text in, syntax tree and syntax errors out. Never reads files, never gives up on the rest of a file,
//! never panics whatever the text.
//!
//! The text is first looked through for what the parser must not see (`scan`), then read by a tolerant grammar
//! (`ebsec.pest`) whose error nodes keep mistakes apart, then made into [`ast::File`] (`build`); bad spans are
//! read a second time to say precisely what is wrong with them (`explain`).
#![forbid(unsafe_code)]

pub mod ast;
mod build;
mod error;
mod explain;
mod lex;
mod literal;
mod scan;
mod tree;
mod words;

pub use error::{SyntaxError, codes};
pub use words::{keywords, soft_keywords};

use ast::{File, Span};

/// The largest file that is read.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How deep brackets may nest.
pub const MAX_DEPTH: usize = 64;

/// How many `not`, or sets joined by `+` and `-`, may follow each other: they nest in the tree.
pub const MAX_CHAIN: usize = 64;

/// How many bytes a name may have, with the module before it.
pub const MAX_NAME: usize = 128;

/// How many errors of a file are given; one more says that there are others.
pub const MAX_ERRORS: usize = 1000;

/// What a text is: its tree, as far as it could be read, and every mistake in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parse {
    /// The tree. Parts with errors may be missing from it; with no errors it is complete.
    pub file: File,
    /// Mistakes in the order of the text.
    pub errors: Vec<SyntaxError>,
}

/// Reads a policy file. Spans are bytes of `text`, also where it has errors.
#[must_use]
pub fn parse(text: &str) -> Parse {
    if text.len() > MAX_BYTES {
        let message = format!("the file has more than {MAX_BYTES} bytes, the most that are read of one");
        let error = SyntaxError::new(error::TOO_LARGE, Span::default(), message);
        return Parse { file: File::default(), errors: vec![error.help("split the policy into several files")] };
    }
    let mut errors = Vec::new();
    let clean = scan::scan(text, &mut errors);
    let file = match tree::parse(tree::Kind::file, &clean, 0) {
        Ok(nodes) => build::file(&clean, &nodes, &mut errors),
        Err(_) => {
            errors.push(explain::limit(span(0, text.len())));
            File::default()
        }
    };
    errors.sort_by_key(|e| (e.span, e.code));
    if errors.len() > MAX_ERRORS {
        errors.truncate(MAX_ERRORS);
        let last = errors.last().map_or(Span::default(), |e| e.span);
        let message = format!("more than {MAX_ERRORS} errors; the others are not shown");
        errors.push(SyntaxError::new(error::TOO_MANY, last, message));
    }
    Parse { file, errors }
}

/// A span of byte positions; files are at most 8 MiB, so every place fits.
fn span(start: usize, end: usize) -> Span {
    let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: place(start), end: place(end) }
}

/// The text in a span, or nothing if it is no part of the text.
fn slice(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}
