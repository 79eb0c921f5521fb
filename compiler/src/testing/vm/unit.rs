//! Takes assembled functions, links them without an ELF file: for tests of assembly alone.
//!
//! Resolves fields by the emulated kernel's types as the loader's library would; what the kernel lacks becomes the same
//! poisoned instruction. Never writes an object.

use super::exec::{FIRST_FD, POISON};
use super::kernel::Kernel;
use super::map::{Map, MapDef, RDONLY_PROG};
use super::{Program, Vm};
use crate::bpf::asm::{CoreWhat, Func, FuncKind, Loc, Reloc, RelocKind, Unit};
use crate::bpf::{Insn, opcode::Op};
use ebsec_artifact::{KernelFunctions, KernelUse, Patch};
use std::collections::BTreeMap;

/// Read-only data that assembly refers to as `data SYMBOL`.
#[derive(Clone, Debug)]
pub struct Data<'a> {
    /// its symbol
    pub symbol: &'a str,
    /// its bytes
    pub bytes: &'a [u8],
}

impl Vm {
    /// Links the programs of `unit` with these maps and data.
    pub fn link(unit: &Unit, maps: &[MapDef], data: &[Data<'_>], mut kernel: Kernel) -> Result<Vm, String> {
        let mut made = Vec::new();
        for def in maps {
            made.push(Map::new(def.clone(), &[], &mut kernel.mem)?);
        }
        for d in data {
            let (name, value_size) = (d.symbol.to_owned(), d.bytes.len() as u32);
            let def = MapDef { name, map_type: 2, key_size: 4, value_size, max_entries: 1, flags: RDONLY_PROG };
            let mut map = Map::new(def, d.bytes, &mut kernel.mem)?;
            map.frozen = true;
            made.push(map);
        }
        let mut programs = Vec::new();
        for func in &unit.funcs {
            if let FuncKind::Prog { section } = &func.kind {
                let mut linker =
                    Linker { unit, maps: &made, kernel: &kernel, starts: BTreeMap::new(), insns: Vec::new(), lines: Vec::new() };
                linker.place(func)?;
                programs.push(Program::new(func.name.clone(), section.clone(), linker.insns, linker.lines));
            }
        }
        Vm::new(kernel, programs, made)
    }
}

struct Linker<'a> {
    unit: &'a Unit,
    maps: &'a [Map],
    kernel: &'a Kernel,
    /// where each function begins
    starts: BTreeMap<&'a str, usize>,
    insns: Vec<Insn>,
    lines: Vec<(usize, String)>,
}

impl<'a> Linker<'a> {
    /// Appends a function and those that it refers to.
    fn place(&mut self, func: &'a Func) -> Result<usize, String> {
        if let Some(start) = self.starts.get(func.name.as_str()) {
            return Ok(*start);
        }
        let start = self.insns.len();
        self.starts.insert(&func.name, start);
        self.insns.extend(&func.insns);
        self.lines.extend(func.locs.iter().map(|(at, loc)| (start + at, describe(self.unit, *loc))));
        for reloc in &func.relocs {
            self.relocate(start + reloc.insn_index, reloc).map_err(|e| format!("in `{}`: {e}", func.name))?;
        }
        Ok(start)
    }

    fn relocate(&mut self, at: usize, reloc: &'a Reloc) -> Result<(), String> {
        match &reloc.kind {
            RelocKind::Map(name) => {
                let fd = self.fd(name)?;
                self.change(at, |i| i.imm = fd);
            }
            RelocKind::Data { symbol, addend } => {
                let (fd, addend) = (self.fd(symbol)?, i32::try_from(*addend).map_err(|_| format!("the addend {addend} is too large"))?);
                self.change(at, |i| i.imm = fd);
                self.change(at + 1, |i| i.imm = addend);
            }
            RelocKind::Func(name) | RelocKind::Call(name) => {
                let func = self.unit.func(name).ok_or_else(|| format!("there is no function `{name}`"))?;
                let distance = self.place(func)? as i64 - at as i64 - 1;
                self.change(at, |i| i.imm = distance as i32);
            }
            RelocKind::Core { path, what } => {
                let value = self.core(&path.to_string(), *what);
                self.change(at, |i| match value {
                    None => *i = Insn::new(Op::Call, 0, 0, 0, POISON),
                    Some(v) if matches!(i.op(), Some(Op::Alu { .. })) => i.imm = v,
                    Some(v) => i.off = v as i16,
                });
            }
            RelocKind::Kernel { function, question } => {
                let asked = KernelUse { func: "".into(), slot: 0, kernel: function.into(), question: question.clone() };
                let Some(insn) = self.insns.get_mut(at) else { return Ok(()) };
                patch(insn, asked.answer(&KernelFunctions::read(&self.kernel.btf()).ok_or("no types")?, insn.code, insn.src)?);
            }
        }
        Ok(())
    }

    fn fd(&self, name: &str) -> Result<i32, String> {
        let index = self.maps.iter().position(|m| m.def.name == name);
        index.map(|i| FIRST_FD + i as i32).ok_or_else(|| format!("there is no map or data `{name}`"))
    }

    fn change(&mut self, at: usize, change: impl FnOnce(&mut Insn)) {
        if let Some(insn) = self.insns.get_mut(at) {
            change(insn);
        }
    }

    fn core(&self, path: &str, what: CoreWhat) -> Option<i32> {
        let place = self.kernel.types.place(path).ok();
        let value = match what {
            CoreWhat::Exists | CoreWhat::TypeExists => u32::from(place.is_some()),
            CoreWhat::TypeId => place.and(self.kernel.types.number(path))?,
            CoreWhat::Offset => place?.offset,
            CoreWhat::Size | CoreWhat::TypeSize => place?.size,
        };
        i32::try_from(value).ok()
    }
}

/// Puts an answer of the kernel's into its instruction.
pub(super) fn patch(insn: &mut Insn, patch: Patch) {
    match patch {
        Patch::Immediate(imm) => insn.imm = imm,
        Patch::Offset(off) => insn.off = off,
        Patch::Nothing => {}
    }
}

fn describe(unit: &Unit, loc: Loc) -> String {
    match loc {
        Loc::Source(n) => format!("source location {n}"),
        Loc::Template(at) => format!("{}:{}", unit.files.get(at.file as usize).map_or("", String::as_str), at.line),
    }
}
