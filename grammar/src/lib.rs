//! Source text in, syntax tree and syntax errors out. Never reads files, never gives up on the rest of a file,
//! never panics whatever the text.
//!
//! The text is cut into tokens (`lex`) and these into parts: items, members of policies, lines of tests (`outline`). Each
//! part is read by itself (`read`): looked through for what the parser must not see (`scan`), read by a tolerant grammar
//! (`ebsec.pest`) whose error nodes keep mistakes apart, made into [`ast`] (`build`); bad spans are read a second time to
//! say precisely what is wrong with them (`explain`). The parts are a [`Tree`] (`parts`), whose items and braces are put
//! together again (`blocks`). A file of another tool is recognised as a whole and not read (`formats`).
#![forbid(unsafe_code)]

pub mod ast;
mod blocks;
mod build;
mod error;
mod explain;
mod formats;
mod lex;
mod literal;
mod matching;
mod outline;
mod parts;
mod read;
mod scan;
mod tree;
mod whole;
mod words;

pub use blocks::Entry;
pub use error::{SyntaxError, codes};
pub use lex::{Lexer, Token, TokenKind, tokens};
pub use outline::{PartKind, Piece, Within, pieces};
pub use parts::{Found, Part, Reread, Tree, parse, parse_shared, reparse};
pub use read::Content;
pub use words::{keywords, soft_keywords};

use ast::Span;

/// The grammar of parts, as pest reads it.
pub const GRAMMAR: &str = include_str!("ebsec.pest");

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

/// A span of byte positions; files are at most 8 MiB, so every place fits.
fn span(start: usize, end: usize) -> Span {
    let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: place(start), end: place(end) }
}

/// The text in a span, or nothing if it is no part of the text.
fn slice(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}
