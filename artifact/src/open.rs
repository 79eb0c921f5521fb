//! Takes a file's bytes, gives the artifact in them, in this order: length, first bytes, digest, section table, format,
//! layouts, manifest, tables, functions. Nothing is parsed before the digest was found right.

use crate::elf::{self, Elf};
use crate::{ArtifactError, FUNCTIONS_SECTION, KernelUse, MANIFEST_SECTION, Manifest, POLICIES_SECTION, Policies, TABLES_SECTION, Tables};
use crate::{digest, read_tables, read_uses, schema::SCHEMA_HASH};

/// Most bytes of an artifact: 128 MiB, of which 100,000 rules take 90.
pub const MAX_LENGTH: usize = 128 << 20;
/// Bytes of the digest at the end.
pub const DIGEST_LENGTH: usize = 32;

/// An artifact whose digest is right.
#[derive(Clone, Debug)]
pub struct Artifact<'a> {
    /// The whole file, digest included; a parser of ELF takes it as it is.
    pub bytes: &'a [u8],
    /// SHA-256 of all bytes but the last 32.
    pub digest: [u8; DIGEST_LENGTH],
    /// The manifest.
    pub manifest: Manifest,
    /// Initial map contents.
    pub tables: Tables<'a>,
    /// What it asks about the kernel's functions.
    pub functions: Vec<KernelUse<'a>>,
    elf: Elf<'a>,
}

impl<'a> Artifact<'a> {
    /// Contents of the first section of this name.
    pub fn section(&self, name: &str) -> Option<&'a [u8]> {
        self.sections().find(|(n, _)| *n == name.as_bytes()).map(|(_, bytes)| bytes)
    }

    /// What its policies say; nothing if it was built by a version that did not write it.
    ///
    /// # Errors
    /// It is there twice or cannot be read, or it is about other rules than the manifest.
    pub fn policies(&self) -> Result<Option<Policies>, ArtifactError> {
        match self.elf.find(POLICIES_SECTION) {
            Ok(section) => Policies::decode(section.bytes, &self.manifest).map(Some),
            Err(ArtifactError::MissingSection(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All sections: (name, contents).
    pub fn sections(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.elf.iter()
    }
}

/// Reads an artifact.
///
/// # Errors
/// Whatever makes the bytes something else than an artifact of this version.
pub fn open(bytes: &[u8]) -> Result<Artifact<'_>, ArtifactError> {
    let (object, found) = unseal(bytes)?;
    let elf = Elf::parse(object)?;
    let manifest = Manifest::decode(elf.find(MANIFEST_SECTION)?.bytes)?;
    if manifest.schema != SCHEMA_HASH {
        return Err(ArtifactError::Schema(manifest.schema.chars().take(64).collect()));
    }
    let tables = read_tables(elf.find(TABLES_SECTION)?.bytes)?;
    let functions = read_uses(elf.find(FUNCTIONS_SECTION)?.bytes)?;
    Ok(Artifact { bytes, digest: found, manifest, tables, functions, elf })
}

/// Appends the digest to an object.
pub fn seal(mut object: Vec<u8>) -> Vec<u8> {
    let digest = digest(&object);
    object.reserve_exact(DIGEST_LENGTH);
    object.extend(digest);
    object
}

fn unseal(bytes: &[u8]) -> Result<(&[u8], [u8; DIGEST_LENGTH]), ArtifactError> {
    if bytes.len() > MAX_LENGTH {
        return Err(ArtifactError::TooLong(bytes.len()));
    }
    if !bytes.starts_with(b"\x7fELF") {
        return Err(ArtifactError::NotArtifact);
    }
    let (object, found) = bytes.split_last_chunk().ok_or(ArtifactError::TooShort(bytes.len()))?;
    if digest(object) == *found { Ok((object, *found)) } else { Err(ArtifactError::Digest) }
}

/// The artifact with another manifest: programs, tables and everything else stay the same bytes.
///
/// # Errors
/// The bytes are no artifact, or the result would be too long.
pub fn set_manifest(bytes: &[u8], manifest: &Manifest) -> Result<Vec<u8>, ArtifactError> {
    let artifact = open(bytes)?;
    let old = artifact.elf.find(MANIFEST_SECTION)?;
    let (object, _) = unseal(bytes)?;
    let mut out = object.to_vec();
    let new = manifest.encode()?;
    let start = if old.offset + old.bytes.len() == out.len() {
        out.truncate(old.offset);
        old.offset
    } else {
        // The first time it moves behind the section table, where it can change its length.
        if let Some(place) = out.get_mut(old.offset..old.offset + old.bytes.len()) {
            place.fill(0);
        }
        out.len()
    };
    out.extend(new.iter());
    let (offset, size) =
        elf::place_of(artifact.elf.table_offset, old.index).ok_or(ArtifactError::Object("its section table is out of bounds"))?;
    for (at, value) in [(offset, start as u64), (size, new.len() as u64)] {
        if let Some(place) = out.get_mut(at..at + 8) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }
    let out = seal(out);
    open(&out)?;
    Ok(out)
}
