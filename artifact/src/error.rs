//! Why bytes are no artifact, in one lowercase sentence each.

use std::fmt;

/// Why bytes are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactError {
    /// More bytes than any artifact may have.
    TooLong(usize),
    /// The first bytes are not those of an object.
    NotArtifact,
    /// Fewer bytes than a header and a digest take.
    TooShort(usize),
    /// The last 32 bytes are not the digest of those before.
    Digest,
    /// Not an eBPF object: what is wrong.
    Object(&'static str),
    /// A section is missing.
    MissingSection(&'static str),
    /// A section is there twice.
    DoubleSection(&'static str),
    /// The format is another version's.
    Format(u64),
    /// The report and map layouts are another version's; the hash it has.
    Schema(String),
    /// The manifest cannot be read, or names things that are not there.
    Manifest(String),
    /// What its policies say cannot be read, or is about other rules.
    Policies(String),
    /// The initial map contents cannot be read.
    Tables(&'static str),
    /// The questions about the kernel's functions cannot be read.
    Functions(&'static str),
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(length) => write!(f, "the file has {length} bytes, more than an artifact may have"),
            Self::NotArtifact => f.write_str("the file is not an ebsec artifact"),
            Self::TooShort(length) => write!(f, "the file has only {length} bytes"),
            Self::Digest => f.write_str("the digest at the end of the file does not match its contents"),
            Self::Object(what) => write!(f, "the file is no eBPF object: {what}"),
            Self::MissingSection(name) => write!(f, "the section `{name}` is missing"),
            Self::DoubleSection(name) => write!(f, "the section `{name}` is there twice"),
            Self::Format(format) => write!(f, "the artifact has the format {format}, which this version cannot read"),
            Self::Schema(hash) => write!(f, "the artifact was made for other layouts (`{}`)", Plain(hash)),
            Self::Manifest(what) => write!(f, "the manifest cannot be read: {}", Plain(what)),
            Self::Policies(what) => write!(f, "what its policies say cannot be read: {}", Plain(what)),
            Self::Tables(what) => write!(f, "the initial map contents cannot be read: {what}"),
            Self::Functions(what) => write!(f, "what it asks about the kernel's functions cannot be read: {what}"),
        }
    }
}

/// Text that quotes the file: its control characters are escaped, so that it stays one line and moves no terminal.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { write!(f, "{c}") })
    }
}

impl std::error::Error for ArtifactError {}
