//! Takes an object's bytes, relocates it to the emulated kernel by the same library and steps as the loader.
//!
//! Never accepts what a relocation left open: an access to what the kernel lacks has to be behind a guard.

use super::exec::FIRST_FD;
use super::kernel::Kernel;
use super::map::{Map, MapDef, RDONLY_PROG};
use super::{Program, Vm};
use crate::bpf::{Insn, PSEUDO_MAP_FD, PSEUDO_MAP_VALUE, opcode::Op};
use aya_obj::btf::Btf;
use aya_obj::{EbpfSectionKind, Function};
use ebsec_artifact::{FUNCTIONS_SECTION, KernelFunctions, Patch, read_uses};
use object::{Endianness, Object as _, ObjectSection as _};
use std::collections::{BTreeMap, HashSet};

impl Vm {
    /// Loads an ELF object into `kernel`.
    pub fn load(elf: &[u8], mut kernel: Kernel) -> Result<Vm, String> {
        let file = object::File::parse(elf).map_err(|e| format!("the object is no ELF file: {e}"))?;
        let names = SectionNames::of(&file)?;
        let mut obj = aya_obj::Object::parse(elf).map_err(|e| format!("the object cannot be read: {}", chain(&e)))?;
        let btf = Btf::parse(&kernel.btf(), Endianness::Little).map_err(|e| format!("the kernel's types cannot be read: {e}"))?;
        obj.relocate_btf(&btf).map_err(|e| format!("the object cannot be relocated: {}", chain(&e)))?;

        ask(&file, &mut obj, &kernel.btf())?;

        let declared: BTreeMap<String, aya_obj::Map> = obj.maps.iter().map(|(n, m)| (n.clone(), m.clone())).collect();
        let mut maps = Vec::new();
        for (name, map) in &declared {
            maps.push(make(name, map, &mut kernel)?);
        }
        let text: HashSet<usize> = obj.functions.keys().map(|(section, _)| *section).collect();
        let handles = (FIRST_FD..).zip(&declared).map(|(fd, (name, map))| (name.as_str(), fd, map));
        obj.relocate_maps(handles, &text).map_err(|e| format!("the maps cannot be relocated: {}", chain(&e)))?;
        obj.relocate_calls(&text).map_err(|e| format!("the calls cannot be relocated: {}", chain(&e)))?;

        let mut programs = Vec::new();
        for program in obj.programs.values() {
            let Some(function) = obj.functions.get(&program.function_key()) else { continue };
            programs.push(names.program(function, maps.len())?);
        }
        programs.sort_by(|a, b| a.name.cmp(&b.name));
        Vm::new(kernel, programs, maps)
    }
}

/// Answers what the object asks about the kernel's functions.
fn ask(file: &object::File<'_>, obj: &mut aya_obj::Object, btf: &[u8]) -> Result<(), String> {
    let section = file.section_by_name(FUNCTIONS_SECTION).and_then(|s| s.data().ok()).unwrap_or_default();
    let kernel = KernelFunctions::read(btf).ok_or("the kernel's types cannot be read")?;
    for asked in read_uses(section).map_err(|e| e.to_string())? {
        let function = obj.functions.values_mut().find(|f| f.name == asked.func);
        let insn = function
            .and_then(|f| f.instructions.get_mut(asked.slot as usize))
            .ok_or("a question about the kernel's functions has no place")?;
        match asked.answer(&kernel, insn.code, insn.src_reg())? {
            Patch::Immediate(imm) => insn.imm = imm,
            Patch::Offset(off) => insn.off = off,
            Patch::Nothing => {}
        }
    }
    Ok(())
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text = format!("{text}: {e}");
        cause = e.source();
    }
    text
}

fn make(name: &str, map: &aya_obj::Map, kernel: &mut Kernel) -> Result<Map, String> {
    let read_only = map.section_kind() == EbpfSectionKind::Rodata;
    let def = MapDef {
        name: name.to_owned(),
        map_type: map.map_type(),
        key_size: map.key_size(),
        value_size: map.value_size(),
        max_entries: map.max_entries(),
        flags: map.map_flags() | if read_only { RDONLY_PROG } else { 0 },
    };
    let mut made = Map::new(def, map.data(), &mut kernel.mem)?;
    made.frozen = read_only;
    Ok(made)
}

/// Names in the file that the relocating library does not give.
struct SectionNames {
    by_index: BTreeMap<usize, String>,
    strings: Vec<u8>,
}

impl SectionNames {
    fn of(file: &object::File<'_>) -> Result<SectionNames, String> {
        let by_index = file.sections().map(|s| (s.index().0, s.name().unwrap_or_default().to_owned())).collect();
        let btf = file.section_by_name(".BTF").and_then(|s| s.data().ok()).unwrap_or_default();
        let word = |at: usize| btf.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes) as usize;
        let start = word(4).saturating_add(word(16));
        Ok(SectionNames { by_index, strings: btf.get(start..).unwrap_or_default().to_vec() })
    }

    fn string(&self, at: u32) -> String {
        let rest = self.strings.get(at as usize..).unwrap_or_default();
        let end = rest.iter().position(|b| *b == 0).unwrap_or(rest.len());
        String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned()
    }

    fn program(&self, function: &Function, maps: usize) -> Result<Program, String> {
        let insns: Vec<Insn> = function
            .instructions
            .iter()
            .map(|i| Insn { code: i.code, dst: i.dst_reg(), src: i.src_reg(), off: i.off, imm: i.imm })
            .collect();
        for (pc, insn) in insns.iter().enumerate() {
            let handle = insn.op() == Some(Op::LoadImm64) && matches!(insn.src, PSEUDO_MAP_FD | PSEUDO_MAP_VALUE);
            if handle && !(0..maps as i64).contains(&i64::from(insn.imm - FIRST_FD)) {
                return Err(format!("instruction {pc} of `{}` names a map that was not relocated", function.name));
            }
        }
        let line = |l: &aya_obj::generated::bpf_line_info| {
            let text = format!("{}:{}: {}", self.string(l.file_name_off), l.line_col >> 10, self.string(l.line_off));
            (l.insn_off as usize, text)
        };
        let mut lines: Vec<(usize, String)> = function.line_info.line_info.iter().map(line).collect();
        lines.sort_by_key(|l| l.0);
        let section = self.by_index.get(&function.section_index.0).cloned().unwrap_or_default();
        Ok(Program::new(function.name.clone(), section, insns, lines))
    }
}
