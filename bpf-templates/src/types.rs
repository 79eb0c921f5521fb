//! Takes `kernel-types.toml`, gives the kernel structs that field accesses name, laid out. The layouts are local: only
//! names, kinds and sizes of members count, offsets are moved by the loader. Never describes a kernel's real layout.

use crate::embedded;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Deepest embedding of a struct in a struct.
const MAX_DEPTH: usize = 8;

/// Type of a member.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KernelType {
    /// An integer of 1, 2, 4 or 8 bytes.
    Int {
        /// Bytes.
        size: u32,
        /// Signed.
        signed: bool,
    },
    /// A pointer to the struct of this name; empty: to anything.
    Ptr(String),
    /// An embedded struct or union.
    Struct(String),
    /// So many of a type.
    Array(Box<KernelType>, u32),
}

/// A member of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelMember {
    /// The kernel's name.
    pub name: String,
    /// Its type.
    pub ty: KernelType,
    /// Local offset in bytes.
    pub offset: u32,
}

/// A struct or union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelStruct {
    /// The kernel's name, a flavour (`___old`) included.
    pub name: String,
    /// All members at offset 0.
    pub is_union: bool,
    /// Members by name; an access counts them in this order.
    pub members: Vec<KernelMember>,
    /// Local size in bytes.
    pub size: u32,
    /// Local alignment in bytes.
    pub align: u32,
}

/// A path such as `dentry.d_name.len`, found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The struct it starts from.
    pub root: String,
    /// Index of the member, or of the element, at each step.
    pub steps: Vec<u32>,
    /// Type at its end.
    pub ty: KernelType,
    /// Local offset in bytes.
    pub offset: u32,
    /// Local size in bytes.
    pub size: u32,
}

/// All structs.
#[derive(Clone, Debug, Default)]
pub struct KernelTypes {
    structs: BTreeMap<String, KernelStruct>,
}

impl KernelTypes {
    /// Finds a struct or union.
    pub fn get(&self, name: &str) -> Option<&KernelStruct> {
        self.structs.get(name)
    }

    /// All of them by name.
    pub fn iter(&self) -> impl Iterator<Item = &KernelStruct> {
        self.structs.values()
    }

    /// Follows `struct.member.member[3]`; a lone struct name is the struct itself.
    ///
    /// # Errors
    /// One lowercase sentence that names the part that does not exist.
    pub fn resolve(&self, path: &str) -> Result<Resolved, String> {
        let mut parts = path.split('.');
        let root = parts.next().unwrap_or_default();
        let size = self.get(root).ok_or_else(|| format!("no kernel struct is named `{root}`"))?.size;
        let mut at = Resolved { root: root.to_owned(), steps: Vec::new(), ty: KernelType::Struct(root.to_owned()), offset: 0, size };
        for part in parts {
            let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
            self.step(&mut at, path, name)?;
            for index in indices.split_terminator(']') {
                let index = index.strip_prefix('[').and_then(|n| n.parse::<u32>().ok());
                self.element(&mut at, path, index.ok_or_else(|| format!("`{path}` has a malformed index"))?)?;
            }
        }
        Ok(at)
    }

    fn step(&self, at: &mut Resolved, path: &str, name: &str) -> Result<(), String> {
        let KernelType::Struct(outer) = &at.ty else {
            return Err(format!("`{path}`: what holds `{name}` is not an embedded struct"));
        };
        let found = self.get(outer).and_then(|s| s.members.iter().enumerate().find(|(_, m)| m.name == name));
        let (index, member) = found.ok_or_else(|| format!("the kernel struct `{outer}` has no member `{name}`"))?;
        at.steps.push(index as u32);
        at.offset += member.offset;
        at.size = self.layout(&member.ty)?.0;
        at.ty = member.ty.clone();
        Ok(())
    }

    fn element(&self, at: &mut Resolved, path: &str, index: u32) -> Result<(), String> {
        let KernelType::Array(inner, count) = &at.ty else { return Err(format!("`{path}` indexes what is not an array")) };
        if index >= *count {
            return Err(format!("`{path}` indexes beyond the array's {count} elements"));
        }
        let ty = (**inner).clone();
        let size = self.layout(&ty)?.0;
        let offset = index.checked_mul(size).and_then(|o| at.offset.checked_add(o));
        at.offset = offset.ok_or_else(|| format!("`{path}` has an index that is too large"))?;
        at.steps.push(index);
        at.size = size;
        at.ty = ty;
        Ok(())
    }

    /// Size and alignment in bytes.
    fn layout(&self, ty: &KernelType) -> Result<(u32, u32), String> {
        Ok(match ty {
            KernelType::Int { size, .. } => (*size, *size),
            KernelType::Ptr(_) => (8, 8),
            KernelType::Struct(name) => {
                let s = self.get(name).ok_or_else(|| format!("no kernel struct is named `{name}`"))?;
                (s.size, s.align)
            }
            KernelType::Array(inner, n) => {
                let (size, align) = self.layout(inner)?;
                (size.checked_mul(*n).ok_or("an array is too large")?, align)
            }
        })
    }
}

/// The kernel structs of this build.
#[expect(clippy::expect_used, reason = "the data is embedded; a test parses it")]
pub fn kernel_types() -> &'static KernelTypes {
    static TYPES: OnceLock<KernelTypes> = OnceLock::new();
    TYPES.get_or_init(|| parse(embedded::KERNEL_TYPES).expect("embedded kernel types are well formed"))
}

type Rows = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "struct", default)]
    structs: Rows,
    #[serde(rename = "union", default)]
    unions: Rows,
}

fn parse(text: &str) -> Result<KernelTypes, String> {
    let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if let Some(both) = file.structs.keys().find(|name| file.unions.contains_key(*name)) {
        return Err(format!("`{both}` is a struct and a union"));
    }
    let mut types = KernelTypes::default();
    for name in file.structs.keys().chain(file.unions.keys()) {
        lay_out(&file, &mut types, name, 0)?;
    }
    Ok(types)
}

fn lay_out(file: &File, types: &mut KernelTypes, name: &str, depth: usize) -> Result<(), String> {
    if types.get(name).is_some() {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(format!("`{name}` is embedded too deeply"));
    }
    let rows = file.structs.get(name).or_else(|| file.unions.get(name)).ok_or_else(|| format!("no kernel struct is named `{name}`"))?;
    let is_union = file.unions.contains_key(name);
    let mut out = KernelStruct { name: name.to_owned(), is_union, members: Vec::new(), size: 0, align: 1 };
    for (member, text) in rows {
        let ty = parse_type(text).ok_or_else(|| format!("`{name}.{member}` has the unknown type `{text}`"))?;
        if let Some(inner) = embedded_struct(&ty) {
            lay_out(file, types, inner, depth + 1)?;
        }
        let (size, align) = types.layout(&ty)?;
        let offset = if is_union { 0 } else { out.size.next_multiple_of(align) };
        out.size = out.size.max(offset.checked_add(size).ok_or("a struct is too large")?);
        out.align = out.align.max(align);
        out.members.push(KernelMember { name: member.clone(), ty, offset });
    }
    out.size = out.size.next_multiple_of(out.align);
    types.structs.insert(name.to_owned(), out);
    Ok(())
}

fn embedded_struct(ty: &KernelType) -> Option<&str> {
    match ty {
        KernelType::Struct(name) => Some(name),
        KernelType::Array(inner, _) => embedded_struct(inner),
        KernelType::Int { .. } | KernelType::Ptr(_) => None,
    }
}

fn parse_type(text: &str) -> Option<KernelType> {
    if let Some((inner, count)) = text.strip_suffix(']').and_then(|t| t.rsplit_once('[')) {
        let count = count.parse().ok().filter(|n| (1..=4096).contains(n))?;
        return Some(KernelType::Array(Box::new(parse_type(inner)?), count));
    }
    let name = |rest: &str| (!rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then(|| rest.to_owned());
    if text == "ptr" {
        return Some(KernelType::Ptr(String::new()));
    }
    if let Some(rest) = text.strip_prefix("ptr ") {
        return name(rest).map(KernelType::Ptr);
    }
    if let Some(rest) = text.strip_prefix("struct ").or_else(|| text.strip_prefix("union ")) {
        return name(rest).map(KernelType::Struct);
    }
    let (signed, bits) = match text.split_at_checked(1)? {
        ("u", bits) => (false, bits),
        ("s", bits) => (true, bits),
        _ => return None,
    };
    let size = match bits {
        "8" => 1,
        "16" => 2,
        "32" => 4,
        "64" => 8,
        _ => return None,
    };
    Some(KernelType::Int { size, signed })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_through_embedded_structs_and_arrays() {
        let types = kernel_types();
        let at = types.resolve("dentry.d_name.name").unwrap();
        assert_eq!((at.root.as_str(), at.steps.len(), at.size), ("dentry", 2, 8));
        assert_eq!(at.ty, KernelType::Ptr(String::new()));
        let at = types.resolve("pid.numbers[0].ns").unwrap();
        assert_eq!(at.steps[1], 0);
        assert_eq!(at.ty, KernelType::Ptr("pid_namespace".into()));
        assert_eq!(types.resolve("dentry").unwrap().steps, Vec::<u32>::new());
        assert_eq!(types.resolve("task_struct.comm").unwrap().size, 16);
    }

    #[test]
    fn wrong_paths_name_the_part() {
        let types = kernel_types();
        for (path, part) in [
            ("nothing.x", "`nothing`"),
            ("dentry.x", "`x`"),
            ("dentry.d_parent.d_name", "`d_name`"),
            ("dentry.d_parent[1]", "array"),
            ("pid.numbers[x]", "index"),
            ("pid.numbers[1]", "beyond"),
            ("", "``"),
        ] {
            assert!(types.resolve(path).unwrap_err().contains(part), "{path}");
        }
    }

    #[test]
    fn every_pointer_and_embedding_is_plain_data() {
        let parse = |toml| super::parse(&crate::tests::json(toml));
        assert!(parse("[struct.a]\nx = 'struct a'").is_err());
        assert!(parse("[struct.a]\nx = 'u9'").is_err());
        assert!(parse("[struct.a]\nx = 'u8[0]'").is_err());
        assert!(parse("[struct.a]\nx = 'struct b'").is_err());
        assert_eq!(parse("[union.a]\nx = 'u8[9]'\ny = 'u64'").unwrap().get("a").unwrap().size, 16);
    }
}
