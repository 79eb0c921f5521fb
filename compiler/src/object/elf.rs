//! Takes the contents of all sections, gives the ELF file. Symbols and sections stand in the order of the input; never
//! looks into a section.

use super::btf::{Btf, Type};
use super::code::{CodeSection, TEXT, Target};
use super::{DataSpec, ObjectError, ObjectSpec};
use crate::bpf::asm::FuncKind;
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The one section of zeros: libbpf knows no other name for such.
const BSS: &str = ".bss";

/// A section of data.
pub(super) struct DataSection<'a> {
    name: &'a str,
    align: u32,
    /// Contents, those of a lone block as they are; none of `.bss`.
    bytes: Cow<'a, [u8]>,
    size: usize,
    /// Symbol, offset, size.
    vars: Vec<(&'a str, u32, u32)>,
}

/// Groups blocks by section.
pub(super) fn data_sections<'a>(data: &'a [DataSpec<'a>]) -> Result<Vec<DataSection<'a>>, ObjectError> {
    let mut out: Vec<DataSection<'a>> = Vec::new();
    for block in data {
        if ![".rodata", ".data."].iter().any(|kind| block.section.starts_with(kind)) && block.section != BSS {
            return Err(ObjectError::new(format!("`{}` is not a section of data", block.section)));
        }
        if block.section == BSS && block.bytes.iter().any(|b| *b != 0) {
            return Err(ObjectError::new(format!("`{}` has contents, and its section holds zeros only", block.symbol)));
        }
        let length = block.bytes.len() + block.zeros;
        if length == 0 || !block.align.is_power_of_two() {
            return Err(ObjectError::new(format!("`{}` is empty or oddly aligned", block.symbol)));
        }
        let at = out.iter().position(|s| s.name == block.section).unwrap_or(out.len());
        if at == out.len() {
            out.push(DataSection { name: block.section, align: 8, bytes: Cow::default(), size: 0, vars: Vec::new() });
        }
        let Some(section) = out.get_mut(at) else { continue };
        section.size = section.size.next_multiple_of(block.align as usize);
        let place = u32::try_from(section.size).ok().zip(u32::try_from(length).ok());
        let (offset, size) = place
            .filter(|(o, s)| o.checked_add(*s).is_some_and(|end| end < 1 << 30))
            .ok_or_else(|| ObjectError::new(format!("the section `{}` exceeds 1 GiB", block.section)))?;
        section.align = section.align.max(block.align);
        if block.section != BSS {
            if section.size == 0 && block.zeros == 0 {
                section.bytes = Cow::Borrowed(&block.bytes);
            } else {
                let bytes = section.bytes.to_mut();
                bytes.resize(section.size, 0);
                bytes.extend_from_slice(&block.bytes);
                bytes.resize(section.size + length, 0);
            }
        }
        section.size += length;
        section.vars.push((block.symbol, offset, size));
    }
    Ok(out)
}

impl DataSection<'_> {
    /// Declares the section and its variables, arrays of bytes.
    pub(super) fn declare(&self, btf: &mut Btf) {
        let byte = btf.integer(1, false);
        let mut vars = Vec::new();
        for (symbol, offset, size) in &self.vars {
            let ty = btf.array(byte, *size);
            vars.push((btf.add(Type::Var { name: (*symbol).to_owned(), ty }), *offset, *size));
        }
        btf.add(Type::Section { name: self.name.to_owned(), size: self.size as u32, vars });
    }
}

/// Puts the file together.
pub(super) fn write<'a>(
    spec: &'a ObjectSpec<'a>,
    code: &'a [CodeSection],
    data: &'a [DataSection<'a>],
    btf: &'a [u8],
    ext: &'a [u8],
) -> Result<Vec<u8>, ObjectError> {
    let mut file = File { object: Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little), symbols: BTreeMap::new() };
    let mut ids = Vec::new();
    for section in code {
        let id = file.section(&section.name, SectionKind::Text, section.bytes.as_slice(), 8);
        for (func, size, offset) in functions(spec, section) {
            let scope = if matches!(func.kind, FuncKind::Static) { SymbolScope::Compilation } else { SymbolScope::Dynamic };
            file.symbol(&func.name, id, offset, size, SymbolKind::Text, scope);
        }
        ids.push(id);
    }
    let mut license = spec.license.as_bytes().to_vec();
    license.push(0);
    let length = license.len() as u32;
    let id = file.section("license", SectionKind::Data, license, 1);
    file.symbol("LICENSE", id, 0, length, SymbolKind::Data, SymbolScope::Dynamic);
    for section in data {
        let id = file.data(section);
        for (symbol, offset, size) in &section.vars {
            file.symbol(symbol, id, *offset, *size, SymbolKind::Data, SymbolScope::Dynamic);
        }
    }
    file.maps(spec);
    file.section(".BTF", SectionKind::Other, btf, 4);
    file.section(".BTF.ext", SectionKind::Other, ext, 4);
    file.section(ebsec_artifact::MANIFEST_SECTION, SectionKind::Other, spec.manifest.as_slice(), 1);
    file.section(ebsec_artifact::TABLES_SECTION, SectionKind::Other, spec.tables.as_slice(), 8);
    let asked: Vec<_> = code.iter().flat_map(|section| section.kernel.iter().cloned()).collect();
    file.section(ebsec_artifact::FUNCTIONS_SECTION, SectionKind::Other, ebsec_artifact::encode_uses(&asked), 1);
    let text = code.iter().zip(&ids).find(|(s, _)| s.name == TEXT).map(|(_, id)| *id);
    // The last one, so that everything else is where it would be without it.
    if !spec.policies.is_empty() {
        file.section(ebsec_artifact::POLICIES_SECTION, SectionKind::Other, spec.policies.as_slice(), 1);
    }
    for (section, id) in code.iter().zip(ids) {
        file.relocate(section, id, text)?;
    }
    file.object.write().map_err(|e| ObjectError::new(format!("the object cannot be written: {e}")))
}

fn functions<'a>(spec: &'a ObjectSpec<'_>, section: &CodeSection) -> Vec<(&'a crate::bpf::asm::Func, u32, u32)> {
    let func = |(index, offset): &(usize, u32)| spec.funcs.get(*index).map(|f| (f, f.insns.len() as u32 * super::code::SLOT, *offset));
    section.funcs.iter().filter_map(func).collect()
}

struct File<'a> {
    object: Object<'a>,
    symbols: BTreeMap<String, SymbolId>,
}

impl<'a> File<'a> {
    fn section(&mut self, name: &str, kind: SectionKind, bytes: impl Into<Cow<'a, [u8]>>, align: u64) -> SectionId {
        let id = self.object.add_section(Vec::new(), name.as_bytes().to_vec(), kind);
        self.object.set_section_data(id, bytes, align);
        id
    }

    /// Of `.bss` only the size is in the file.
    fn data(&mut self, section: &'a DataSection<'a>) -> SectionId {
        let align = u64::from(section.align);
        if section.name == BSS {
            let id = self.object.add_section(Vec::new(), section.name.as_bytes().to_vec(), SectionKind::UninitializedData);
            self.object.append_section_bss(id, section.size as u64, align);
            return id;
        }
        let kind = if section.name.starts_with(".data") { SectionKind::Data } else { SectionKind::ReadOnlyData };
        self.section(section.name, kind, &*section.bytes, align)
    }

    fn symbol(&mut self, name: &str, section: SectionId, offset: u32, size: u32, kind: SymbolKind, scope: SymbolScope) {
        let id = self.object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: u64::from(offset),
            size: u64::from(size),
            kind,
            scope,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
        self.symbols.insert(name.to_owned(), id);
    }

    /// `.maps` holds zeros: all that counts is in its types.
    fn maps(&mut self, spec: &ObjectSpec<'_>) {
        let sizes: Vec<u32> = spec.maps.iter().map(|m| m.attributes().len() as u32 * 8).collect();
        if sizes.is_empty() {
            return;
        }
        let id = self.section(".maps", SectionKind::Data, vec![0; sizes.iter().sum::<u32>() as usize], 8);
        let mut offset = 0;
        for (map, size) in spec.maps.iter().zip(sizes) {
            self.symbol(&map.name, id, offset, size, SymbolKind::Data, SymbolScope::Dynamic);
            offset += size;
        }
    }

    fn relocate(&mut self, section: &CodeSection, id: SectionId, text: Option<SectionId>) -> Result<(), ObjectError> {
        for reloc in &section.relocs {
            let symbol = match &reloc.target {
                Target::Symbol(name) => self.symbols.get(name).copied(),
                Target::Text => text.map(|text| self.object.section_symbol(text)),
            };
            let symbol = symbol.ok_or_else(|| ObjectError::new("a relocation refers to no symbol"))?;
            let flags = RelocationFlags::Elf { r_type: reloc.kind };
            let relocation = Relocation { offset: u64::from(reloc.offset), symbol, addend: 0, flags };
            self.object.add_relocation(id, relocation).map_err(|e| ObjectError::new(format!("a relocation cannot be written: {e}")))?;
        }
        Ok(())
    }
}
