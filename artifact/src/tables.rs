//! Initial contents of maps, the section `.ebsec.tables`: `EBT1`, the number of tables, and for each of them the lengths
//! of name, key and value, the number of entries, the name, and the entries, key before value. Numbers are 32 bits,
//! little endian. Reading borrows and allocates nothing on the word of a number.

use crate::ArtifactError;

const MAGIC: &[u8] = b"EBT1";
const MAX_TABLES: u32 = 64;
const MAX_NAME: u32 = 64;
const MAX_KEY: u32 = 512;
const MAX_VALUE: u32 = 1 << 26;

/// Contents of one map, to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapContents {
    /// The map's name.
    pub name: String,
    /// Bytes of each key.
    pub key_size: u32,
    /// Bytes of each value.
    pub value_size: u32,
    /// Keys and values.
    pub entries: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Contents of all maps, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables<'a> {
    /// In the order of the file.
    pub tables: Vec<Table<'a>>,
}

/// Contents of one map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table<'a> {
    /// The map's name.
    pub name: &'a str,
    /// Bytes of each key, at least 1.
    pub key_size: u32,
    /// Bytes of each value, at least 1.
    pub value_size: u32,
    /// The entries, key before value.
    pub data: &'a [u8],
}

impl<'a> Tables<'a> {
    /// The contents of a map.
    pub fn get(&self, name: &str) -> Option<&Table<'a>> {
        self.tables.iter().find(|t| t.name == name)
    }
}

impl<'a> Table<'a> {
    /// Number of entries.
    pub fn count(&self) -> usize {
        self.data.len() / (self.key_size as usize + self.value_size as usize).max(1)
    }

    /// Keys and values.
    pub fn entries(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let key = self.key_size as usize;
        self.data.chunks_exact((key + self.value_size as usize).max(1)).filter_map(move |entry| entry.split_at_checked(key))
    }
}

/// Writes the section.
///
/// # Errors
/// What a reader would refuse: a length beyond its cap, a key or value of another length, a name that is there twice.
pub fn encode_tables(maps: &[MapContents]) -> Result<Vec<u8>, ArtifactError> {
    let mut out = MAGIC.to_vec();
    out.extend((maps.len() as u32).to_le_bytes());
    for map in maps {
        let sizes = [map.name.len() as u32, map.key_size, map.value_size, map.entries.len() as u32];
        out.extend(sizes.iter().flat_map(|n| n.to_le_bytes()));
        out.extend(map.name.as_bytes());
        for (key, value) in &map.entries {
            if key.len() != map.key_size as usize || value.len() != map.value_size as usize {
                return Err(ArtifactError::Tables("a key or value has another length than its map's"));
            }
            out.extend(key);
            out.extend(value);
        }
    }
    read_tables(&out)?;
    Ok(out)
}

/// Reads the section.
///
/// # Errors
/// Anything that [`encode_tables`] would not have written.
pub fn read_tables(bytes: &[u8]) -> Result<Tables<'_>, ArtifactError> {
    let mut reader = Reader { rest: bytes };
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(ArtifactError::Tables("they do not begin as they must"));
    }
    let count = reader.number(MAX_TABLES)?;
    let mut out = Tables::default();
    for _ in 0..count {
        let table = reader.table()?;
        if out.get(table.name).is_some() {
            return Err(ArtifactError::Tables("a map is there twice"));
        }
        out.tables.push(table);
    }
    if reader.rest.is_empty() { Ok(out) } else { Err(ArtifactError::Tables("something follows the last one")) }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], ArtifactError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(ArtifactError::Tables("they are cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self, max: u32) -> Result<u32, ArtifactError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(ArtifactError::Tables("they are cut off"))?;
        self.rest = rest;
        let number = u32::from_le_bytes(*taken);
        if number <= max { Ok(number) } else { Err(ArtifactError::Tables("a number is too large")) }
    }

    fn table(&mut self) -> Result<Table<'a>, ArtifactError> {
        let name_length = self.number(MAX_NAME)?;
        let (key_size, value_size, count) = (self.number(MAX_KEY)?, self.number(MAX_VALUE)?, self.number(u32::MAX)?);
        if name_length == 0 || key_size == 0 || value_size == 0 {
            return Err(ArtifactError::Tables("a length is zero"));
        }
        let name = std::str::from_utf8(self.take(name_length as usize)?).ok();
        let name = name.filter(|n| n.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.'));
        let name = name.ok_or(ArtifactError::Tables("a name has characters that no map's has"))?;
        let length = (u64::from(key_size) + u64::from(value_size)).checked_mul(u64::from(count));
        let length = length.and_then(|l| usize::try_from(l).ok()).ok_or(ArtifactError::Tables("they are cut off"))?;
        Ok(Table { name, key_size, value_size, data: self.take(length)? })
    }
}
