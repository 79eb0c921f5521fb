//! Takes functions, maps, data and the artifact's own sections, gives the eBPF object: an ELF file that libbpf, bpftool
//! and aya open, ending in the digest of all before it. Equal input gives equal bytes; never decides what a program does.

mod btf;
mod code;
mod core;
mod elf;
mod ext;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

use crate::bpf::asm::Func;
use btf::{Btf, Linkage, Type, TypeId};
use ebsec_templates::kernel_types;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What an object is made of.
#[derive(Clone, Debug, Default)]
pub struct ObjectSpec<'a> {
    /// Programs and subprograms, in the order in which they are laid out.
    pub funcs: Cow<'a, [Func]>,
    /// Parameters of subprograms that take something else than `Func::args` numbers.
    pub params: BTreeMap<String, Vec<Param>>,
    /// Maps.
    pub maps: Vec<MapSpec>,
    /// Data sections.
    pub data: Vec<DataSpec<'a>>,
    /// Lines of policies: `.loc N` is the N-th, from 0.
    pub sources: Vec<SourceLine>,
    /// The texts that were assembled, in that order, (file, text): lines of code that no `.loc` covers.
    pub templates: Vec<(&'a str, &'a str)>,
    /// GPL-compatible, or the kernel refuses the helpers.
    pub license: &'a str,
    /// Contents of `.ebsec.manifest`.
    pub manifest: Vec<u8>,
    /// Contents of `.ebsec.policies`; without any there is no such section.
    pub policies: Vec<u8>,
    /// Contents of `.ebsec.tables`.
    pub tables: Vec<u8>,
}

/// A parameter of a subprogram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name, for people.
    pub name: String,
    /// Its type.
    pub ty: ParamType,
}

/// Type of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// A number.
    U64,
    /// A pointer to memory of so many bytes, under a struct's name. In a global subprogram it may be null.
    Mem {
        /// Name of the struct.
        name: String,
        /// Bytes.
        size: u32,
    },
}

/// A map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapSpec {
    /// Its name and symbol.
    pub name: String,
    /// `enum bpf_map_type`.
    pub map_type: u32,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Entries; bytes for a ring buffer.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub flags: u32,
}

/// A block of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSpec<'a> {
    /// `.rodata.NAME` (read-only), `.data.NAME`, or `.bss` (zeros that the file leaves out); blocks of one section
    /// are laid out in order.
    pub section: &'a str,
    /// Its symbol.
    pub symbol: &'a str,
    /// Contents.
    pub bytes: Cow<'a, [u8]>,
    /// How many zeros follow; contents and zeros are not both empty.
    pub zeros: usize,
    /// Alignment in bytes, a power of two.
    pub align: u32,
}

/// A line of a policy, quoted by the verifier's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The file as the user would write it.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1; 0 if unknown.
    pub column: u32,
    /// The line's text.
    pub text: String,
}

/// Why there is no object: the parts do not fit together. One lowercase sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectError {
    message: String,
}

impl ObjectError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ObjectError {}

/// Writes the object, digest included.
///
/// # Errors
/// A reference to something that is not there, a name that is there twice, a length that a format cannot say.
pub fn write(spec: &ObjectSpec<'_>) -> Result<Vec<u8>, ObjectError> {
    let code = code::lay_out(spec)?;
    let data = elf::data_sections(&spec.data)?;
    let mut btf = Btf::new();
    let types = kernel_types();
    let mut core = core::CoreTypes::declare(&mut btf, types, spec.funcs.iter().flat_map(|f| &f.relocs).map(|r| &r.kind))?;
    let code = code::resolve(spec, code, &mut core)?;
    maps(&mut btf, &spec.maps)?;
    for section in &data {
        section.declare(&mut btf);
    }
    let funcs = functions(&mut btf, spec)?;
    let ext = ext::encode(&mut btf, spec, &code, &funcs)?;
    let elf = elf::write(spec, &code, &data, &btf.encode()?, &ext)?;
    Ok(ebsec_artifact::seal(elf))
}

/// Declares `.maps`: a struct of pointers to arrays, whose lengths are the attributes.
fn maps(btf: &mut Btf, maps: &[MapSpec]) -> Result<(), ObjectError> {
    let mut vars = Vec::new();
    let mut size = 0;
    for map in maps {
        let bytes = map.attributes().len() as u32 * 8;
        let ty = map_type(btf, map)?;
        vars.push((btf.add(Type::Var { name: map.name.clone(), ty }), size, bytes));
        size += bytes;
    }
    if !vars.is_empty() {
        btf.add(Type::Section { name: ".maps".to_owned(), size, vars });
    }
    Ok(())
}

fn map_type(btf: &mut Btf, map: &MapSpec) -> Result<TypeId, ObjectError> {
    let int = btf.int();
    let mut members = Vec::new();
    for (i, (name, value)) in map.attributes().into_iter().enumerate() {
        // The kernel refuses an array of more than 4 GiB, also one that stands for a number.
        if value >= 1 << 30 {
            return Err(ObjectError::new(format!("`{name}` of the map `{}` is too large", map.name)));
        }
        let array = btf.array(int, value);
        members.push((name.to_owned(), btf.add(Type::Ptr(array)), i as u32 * 8));
    }
    let size = members.len() as u32 * 8;
    Ok(btf.add(Type::Struct { name: String::new(), is_union: false, size, members }))
}

impl MapSpec {
    /// The attributes that are not 0, as `.maps` names them.
    fn attributes(&self) -> Vec<(&'static str, u32)> {
        let all = [
            ("type", self.map_type),
            ("key_size", self.key_size),
            ("value_size", self.value_size),
            ("max_entries", self.max_entries),
            ("map_flags", self.flags),
        ];
        all.into_iter().filter(|(_, value)| *value != 0).collect()
    }
}

/// Declares each function; types by the order of `spec.funcs`.
fn functions(btf: &mut Btf, spec: &ObjectSpec<'_>) -> Result<Vec<TypeId>, ObjectError> {
    use crate::bpf::asm::FuncKind;
    let u64_ty = btf.integer(8, false);
    let mut out = Vec::new();
    for func in spec.funcs.iter() {
        let (result, params, linkage) = match &func.kind {
            FuncKind::Prog { .. } => (btf.int(), vec![("ctx".to_owned(), btf.add(Type::Ptr(u64_ty)))], Linkage::Global),
            FuncKind::Static => (u64_ty, parameters(btf, spec, func), Linkage::Static),
            FuncKind::Global => (u64_ty, parameters(btf, spec, func), Linkage::Global),
        };
        if params.len() > 5 {
            return Err(ObjectError::new(format!("`{}` has more than five parameters", func.name)));
        }
        let proto = btf.add(Type::Proto { result, params });
        out.push(btf.add(Type::Func { name: func.name.clone(), proto, linkage }));
    }
    Ok(out)
}

fn parameters(btf: &mut Btf, spec: &ObjectSpec<'_>, func: &Func) -> Vec<(String, TypeId)> {
    let number = btf.integer(8, false);
    let Some(params) = spec.params.get(&func.name) else {
        return (1..=func.args).map(|i| (format!("arg{i}"), number)).collect();
    };
    let mut out = Vec::new();
    for param in params {
        let ty = match &param.ty {
            ParamType::U64 => number,
            ParamType::Mem { name, size } => {
                let byte = btf.integer(1, false);
                let members = vec![("bytes".to_owned(), btf.array(byte, *size), 0)];
                let to = btf.add(Type::Struct { name: name.clone(), is_union: false, size: *size, members });
                btf.add(Type::Ptr(to))
            }
        };
        out.push((param.name.clone(), ty));
    }
    out
}
