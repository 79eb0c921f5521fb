//! The artifact: one ELF file with a manifest and initial map contents in sections of its own, and a SHA-256 at its end.
//! Gives readers and writers of these parts over bytes; never reads a file, never trusts a length it was given.
#![forbid(unsafe_code)]

#[rustfmt::skip]
pub mod schema;
