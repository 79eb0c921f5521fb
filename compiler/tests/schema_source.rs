//! Takes the schema of `bpf-templates`, gives the source of `artifact/src/schema.rs` and says when that file is stale.
//! `EBSEC_BLESS=1` writes it anew. The loader so needs neither TOML nor the templates.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use ebsec_templates::{Schema, SchemaField, SchemaStruct, SchemaType, schema};
use std::fmt::Write;

#[test]
fn the_generated_layouts_are_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../artifact/src/schema.rs");
    let want = source(schema());
    if ebsec_test_support::blessing() {
        std::fs::write(path, &want).unwrap();
    }
    let have = std::fs::read_to_string(path).unwrap_or_default();
    assert!(have == want, "artifact/src/schema.rs is stale: run this test with EBSEC_BLESS=1");
}

#[test]
fn the_generated_hash_is_the_schemas() {
    assert_eq!(ebsec_artifact::schema::SCHEMA_HASH, schema().hash());
}

fn source(schema: &Schema) -> String {
    let mut out = String::from(
        "//! Layouts shared by the kernel programs and the loader: offsets in bytes, readers and writers, little endian.\n\
         //! Generated from `bpf-templates/schema.toml` by `compiler/tests/schema_source.rs` (run it with `EBSEC_BLESS=1`).\n\n",
    );
    let _ = write!(
        out,
        "/// SHA-256 of all layouts; an artifact with another hash is refused.\npub const SCHEMA_HASH: &str = \"{}\";\n\n",
        schema.hash()
    );
    out.push_str(HELPERS);
    for s in schema.structs.iter().filter(|s| !s.of_programs) {
        structure(&mut out, s);
    }
    out
}

const HELPERS: &str = "\
fn get<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(offset).zip(value) {
        *to = *from;
    }
}
";

fn structure(out: &mut String, s: &SchemaStruct) {
    let name = camel(&s.name);
    let _ =
        write!(out, "\n/// {}.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\n#[rustfmt::skip]\npub struct {name} {{\n", sentence(&s.doc));
    for f in &s.fields {
        let _ = writeln!(out, "    /// {}.\n    pub {}: {},", sentence(&f.doc), f.name, rust_type(f.ty));
    }
    let _ = write!(out, "}}\n\n#[rustfmt::skip]\nimpl {name} {{\n    /// Size in bytes.\n    pub const SIZE: usize = {};\n", s.size);
    for f in &s.fields {
        let _ = writeln!(out, "    /// Offset of `{}`.\n    pub const {}: usize = {};", f.name, f.name.to_uppercase(), f.offset);
    }
    let _ = write!(
        out,
        "    /// Names and offsets of the fields.\n    pub const FIELDS: [(&'static str, usize); {}] = [{}];\n",
        s.fields.len(),
        s.fields.iter().map(|f| format!("(\"{}\", {})", f.name, f.offset)).collect::<Vec<_>>().join(", ")
    );
    reader(out, s);
    writer(out, s);
    out.push_str("}\n");
    if !derives_default(s) {
        let zeros: Vec<String> = s.fields.iter().map(|f| format!("{}: {}", f.name, zero(f.ty))).collect();
        let _ = write!(
            out,
            "\n#[rustfmt::skip]\nimpl Default for {name} {{\n    fn default() -> Self {{\n        Self {{ {} }}\n    }}\n}}\n",
            zeros.join(", ")
        );
    }
}

/// The standard library has `Default` for arrays of up to 32 elements.
fn derives_default(s: &SchemaStruct) -> bool {
    s.fields.iter().all(|f| f.ty.size() <= 32)
}

fn reader(out: &mut String, s: &SchemaStruct) {
    out.push_str(
        "    /// Reads it from the start of `bytes`; nothing if they are too few.\n    pub fn read(bytes: &[u8]) -> Option<Self> {\n",
    );
    let _ = writeln!(out, "        let bytes = bytes.get(..Self::SIZE)?;\n        Some(Self {{");
    for f in &s.fields {
        let _ = writeln!(out, "            {}: {},", f.name, read(f));
    }
    out.push_str("        })\n    }\n");
}

fn writer(out: &mut String, s: &SchemaStruct) {
    out.push_str("    /// Its bytes.\n    pub fn write(&self) -> [u8; Self::SIZE] {\n        let mut bytes = [0; Self::SIZE];\n");
    for f in &s.fields {
        let value = match f.ty {
            SchemaType::Bytes(_) => format!("&self.{}", f.name),
            SchemaType::U32 | SchemaType::U64 => format!("&self.{}.to_le_bytes()", f.name),
        };
        let _ = writeln!(out, "        put(&mut bytes, Self::{}, {value});", f.name.to_uppercase());
    }
    out.push_str("        bytes\n    }\n");
}

fn read(f: &SchemaField) -> String {
    let at = format!("get(bytes, Self::{})?", f.name.to_uppercase());
    match f.ty {
        SchemaType::U32 => format!("u32::from_le_bytes({at})"),
        SchemaType::U64 => format!("u64::from_le_bytes({at})"),
        SchemaType::Bytes(_) => at,
    }
}

fn rust_type(ty: SchemaType) -> String {
    match ty {
        SchemaType::U32 => "u32".to_owned(),
        SchemaType::U64 => "u64".to_owned(),
        SchemaType::Bytes(n) => format!("[u8; {n}]"),
    }
}

fn zero(ty: SchemaType) -> String {
    match ty {
        SchemaType::U32 | SchemaType::U64 => "0".to_owned(),
        SchemaType::Bytes(n) => format!("[0; {n}]"),
    }
}

fn camel(name: &str) -> String {
    name.split('_').map(capital).collect()
}

/// A first word that is code keeps its case.
fn sentence(text: &str) -> String {
    if text.split(' ').next().is_some_and(|word| word.contains('_')) {
        format!("`{}`{}", text.split(' ').next().unwrap(), &text[text.find(' ').unwrap_or(text.len())..])
    } else {
        capital(text)
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
