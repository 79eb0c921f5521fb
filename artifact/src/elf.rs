//! Takes an ELF file's bytes, gives its sections. Reads only what finds a section by name; every number is checked before
//! it is used, and nothing is allocated on its word.

use crate::ArtifactError;

const HEADER: usize = 64;
const ENTRY: usize = 64;
const MAX_SECTIONS: usize = 4096;
const NO_BITS: u32 = 8;
const EM_BPF: u16 = 247;
const ET_REL: u16 = 1;

/// The section table of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elf<'a> {
    file: &'a [u8],
    table: &'a [u8],
    names: &'a [u8],
    /// Bytes of the file before the section table.
    pub(crate) table_offset: usize,
}

/// A section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section<'a> {
    /// Index in the table.
    pub(crate) index: usize,
    /// Bytes before it in the file.
    pub(crate) offset: usize,
    /// Contents.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Elf<'a> {
    /// Checks the header and finds the section table.
    pub(crate) fn parse(file: &'a [u8]) -> Result<Self, ArtifactError> {
        let no = ArtifactError::Object;
        let header = file.get(..HEADER).ok_or(no("its header is cut off"))?;
        if !header.starts_with(b"\x7fELF\x02\x01\x01") {
            return Err(no("it does not begin like one"));
        }
        if u16_at(header, 16) != Some(ET_REL) || u16_at(header, 18) != Some(EM_BPF) {
            return Err(no("it is for another machine"));
        }
        if u16_at(header, 58) != Some(ENTRY as u16) {
            return Err(no("its section table has an unknown form"));
        }
        let count = usize::from(u16_at(header, 60).unwrap_or(0));
        if count == 0 || count > MAX_SECTIONS {
            return Err(no("it has no section table"));
        }
        let table_offset = usize_at(header, 40).ok_or(no("its section table is out of bounds"))?;
        let table = range(file, table_offset, count * ENTRY).ok_or(no("its section table is out of bounds"))?;
        let mut elf = Self { file, table, names: &[], table_offset };
        let names = usize::from(u16_at(header, 62).unwrap_or(0));
        elf.names = elf.section(names).ok_or(no("its section names are out of bounds"))?.bytes;
        for index in 0..count {
            if elf.section(index).is_none() || elf.name(index).is_none() {
                return Err(no("a section is out of bounds"));
            }
        }
        Ok(elf)
    }

    /// The one section of this name.
    pub(crate) fn find(&self, name: &'static str) -> Result<Section<'a>, ArtifactError> {
        let mut found = None;
        for index in 0..self.table.len() / ENTRY {
            if self.name(index) == Some(name.as_bytes()) && found.replace(index).is_some() {
                return Err(ArtifactError::DoubleSection(name));
            }
        }
        found.and_then(|index| self.section(index)).ok_or(ArtifactError::MissingSection(name))
    }

    /// All sections: (name, contents), in the order of the table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let this = *self;
        (0..this.table.len() / ENTRY).filter_map(move |index| Some((this.name(index)?, this.section(index)?.bytes)))
    }

    fn entry(&self, index: usize) -> Option<&'a [u8]> {
        range(self.table, index.checked_mul(ENTRY)?, ENTRY)
    }

    fn section(&self, index: usize) -> Option<Section<'a>> {
        let entry = self.entry(index)?;
        let (offset, size) = (usize_at(entry, 24)?, usize_at(entry, 32)?);
        let empty = matches!(u32_at(entry, 4)?, 0 | NO_BITS);
        let bytes = if empty { &[][..] } else { range(self.file, offset, size)? };
        Some(Section { index, offset, bytes })
    }

    fn name(&self, index: usize) -> Option<&'a [u8]> {
        let start = u32_at(self.entry(index)?, 0)? as usize;
        // An object without names has an empty name section.
        if start == 0 && self.names.is_empty() {
            return Some(&[]);
        }
        let rest = self.names.get(start..)?;
        rest.get(..rest.iter().position(|b| *b == 0)?)
    }
}

fn range(bytes: &[u8], offset: usize, length: usize) -> Option<&[u8]> {
    bytes.get(offset..offset.checked_add(length)?)
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

fn usize_at(bytes: &[u8], offset: usize) -> Option<usize> {
    bytes.get(offset..)?.first_chunk().and_then(|b| usize::try_from(u64::from_le_bytes(*b)).ok())
}

/// Bytes of the file at which section `index` of the table says its offset and its size.
pub(crate) fn place_of(table_offset: usize, index: usize) -> Option<(usize, usize)> {
    let entry = index.checked_mul(ENTRY)?.checked_add(table_offset)?;
    Some((entry.checked_add(24)?, entry.checked_add(32)?))
}
