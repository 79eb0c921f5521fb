//! Takes `schema.toml`, gives the layouts that the assembly, the loader and the documentation share: offsets, sizes and
//! a hash of their meaning. Never guesses: an unknown type or a double name is an error text.

use crate::embedded;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::OnceLock;

/// Type of a schema field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaType {
    /// Four bytes, little endian.
    U32,
    /// Eight bytes, little endian.
    U64,
    /// So many bytes.
    Bytes(u32),
}

impl SchemaType {
    /// Size in bytes.
    pub fn size(self) -> u32 {
        match self {
            Self::U32 => 4,
            Self::U64 => 8,
            Self::Bytes(n) => n,
        }
    }

    /// Alignment in bytes.
    pub fn align(self) -> u32 {
        match self {
            Self::U32 => 4,
            Self::U64 => 8,
            Self::Bytes(_) => 1,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "u32" => Some(Self::U32),
            "u64" => Some(Self::U64),
            _ => text.strip_prefix("u8[")?.strip_suffix(']')?.parse().ok().map(Self::Bytes),
        }
    }
}

/// One field of a layout.
#[derive(Clone, Debug)]
pub struct SchemaField {
    /// Its name, `mode`.
    pub name: String,
    /// Its type.
    pub ty: SchemaType,
    /// Bytes from the start of the struct.
    pub offset: u32,
    /// One sentence.
    pub doc: String,
}

/// One layout.
#[derive(Clone, Debug)]
pub struct SchemaStruct {
    /// Its name, `control`.
    pub name: String,
    /// One sentence.
    pub doc: String,
    /// Of the programs alone: the loader never reads it.
    pub of_programs: bool,
    /// Fields by offset.
    pub fields: Vec<SchemaField>,
    /// Size in bytes, a multiple of the alignment.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
}

impl SchemaStruct {
    /// Finds a field by name.
    pub fn field(&self, name: &str) -> Option<&SchemaField> {
        self.fields.iter().find(|f| f.name == name)
    }
}

/// All layouts.
#[derive(Clone, Debug)]
pub struct Schema {
    /// In the order of the file.
    pub structs: Vec<SchemaStruct>,
}

impl Schema {
    /// Finds a layout by name.
    pub fn get(&self, name: &str) -> Option<&SchemaStruct> {
        self.structs.iter().find(|s| s.name == name)
    }

    /// Offset and size in bytes of a field, for example `offset("record", "line0")`.
    pub fn field(&self, name: &str, field: &str) -> Option<&SchemaField> {
        self.get(name)?.field(field)
    }

    /// SHA-256 of names, types and offsets in lowercase hex; sentences do not count.
    pub fn hash(&self) -> String {
        let mut text = String::new();
        for s in &self.structs {
            let _ = writeln!(text, "struct {} {}", s.name, s.size);
            for f in &s.fields {
                let _ = writeln!(text, "{} {} {} {}", f.name, f.ty.align(), f.offset, f.ty.size());
            }
        }
        Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// The layouts of this build.
#[expect(clippy::expect_used, reason = "the data is embedded; a test parses it")]
pub fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| parse(embedded::SCHEMA).expect("embedded schema is well formed"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "struct")]
    structs: Vec<StructRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StructRow {
    name: String,
    doc: String,
    #[serde(default)]
    of_programs: bool,
    fields: Vec<FieldRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldRow {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    doc: String,
}

fn parse(text: &str) -> Result<Schema, String> {
    let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut structs: Vec<SchemaStruct> = Vec::new();
    for row in file.structs {
        if structs.iter().any(|s| s.name == row.name) {
            return Err(format!("struct {} is there twice", row.name));
        }
        structs.push(layout(row)?);
    }
    Ok(Schema { structs })
}

fn layout(row: StructRow) -> Result<SchemaStruct, String> {
    let mut out = SchemaStruct { name: row.name, doc: row.doc, of_programs: row.of_programs, fields: Vec::new(), size: 0, align: 1 };
    for field in row.fields {
        let ty = SchemaType::parse(&field.ty).ok_or_else(|| format!("unknown type {} of {}.{}", field.ty, out.name, field.name))?;
        if out.field(&field.name).is_some() {
            return Err(format!("field {}.{} is there twice", out.name, field.name));
        }
        let offset = out.size.next_multiple_of(ty.align());
        out.align = out.align.max(ty.align());
        out.size = offset + ty.size();
        out.fields.push(SchemaField { name: field.name, ty, offset, doc: field.doc });
    }
    out.size = out.size.next_multiple_of(out.align);
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tests::json;

    #[test]
    fn fields_are_aligned_and_sizes_add_up() {
        let s = schema();
        assert_eq!(s.field("control", "lease").unwrap().offset, 8);
        assert_eq!(s.field("record", "line0").unwrap().offset, 32);
        for s in &s.structs {
            let last = s.fields.last().unwrap();
            assert_eq!(s.size, (last.offset + last.ty.size()).next_multiple_of(s.align), "{}", s.name);
            assert!(s.fields.iter().all(|f| f.offset % f.ty.align() == 0), "{}", s.name);
        }
        assert_eq!(s.hash().len(), 64);
    }

    #[test]
    fn the_hash_follows_the_meaning_and_not_the_sentences() {
        let text = |name: &str, doc: &str, ty: &str| {
            let toml = format!("[[struct]]\nname = 'a'\ndoc = '{doc}'\nfields = [{{ name = '{name}', type = '{ty}', doc = '' }}]");
            parse(&json(&toml)).unwrap().hash()
        };
        assert_eq!(text("x", "one", "u32"), text("x", "two", "u32"));
        assert_ne!(text("x", "one", "u32"), text("y", "one", "u32"));
        assert_ne!(text("x", "one", "u32"), text("x", "one", "u8[4]"));
    }

    #[test]
    fn unknown_types_and_double_names_are_errors() {
        let fields = |fields: &str| parse(&json(&format!("[[struct]]\nname = 'a'\ndoc = ''\nfields = [{fields}]")));
        assert!(fields("{ name = 'x', type = 'u16', doc = '' }").is_err());
        assert!(fields("{ name = 'x', type = 'u32', doc = '' }, { name = 'x', type = 'u32', doc = '' }").is_err());
    }
}
