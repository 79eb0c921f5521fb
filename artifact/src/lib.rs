//! The artifact: one ELF file with a manifest and initial map contents in sections of its own, and a SHA-256 at its end.
//! Gives readers and writers of these parts over bytes; never reads a file, never trusts a length it was given.
#![forbid(unsafe_code)]

mod btf;
mod elf;
mod error;
mod functions;
mod manifest;
mod open;
mod policies;
#[rustfmt::skip]
pub mod schema;
mod tables;

pub use btf::KernelFunctions;
pub use error::ArtifactError;
pub use functions::{KernelUse, Patch, Question, encode_uses, read_uses};
pub use manifest::{
    Action, Budget, FORMAT, Manifest, ManifestMap, ManifestProgram, MapRole, Mode, Name, NameSet, Outcome, OutcomeRule, ProgramBudget,
    Rule, Severity, SourceDigest, Tests, Truth, VerifiedKernel, VerifiedProgram,
};
pub use open::{Artifact, DIGEST_LENGTH, MAX_LENGTH, open, seal, set_manifest};
pub use policies::{Allow, Clauses, Definition, Exception, POLICIES_FORMAT, Policies, Policy};
pub use tables::{MapContents, Table, Tables, encode_tables, read_tables};

use sha2::{Digest, Sha256};

/// Section of the manifest.
pub const MANIFEST_SECTION: &str = ".ebsec.manifest";
/// The manifest's second section: what its policies say, for people.
pub const POLICIES_SECTION: &str = ".ebsec.policies";
/// Section of the initial map contents.
pub const TABLES_SECTION: &str = ".ebsec.tables";
/// Section of the questions about the kernel's functions.
pub const FUNCTIONS_SECTION: &str = ".ebsec.functions";

/// SHA-256.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lowercase hex.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}
