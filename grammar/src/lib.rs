//! Source text in, syntax tree and syntax errors out. Never reads files, never gives up on the rest of a file.
#![forbid(unsafe_code)]
pub mod ast;
