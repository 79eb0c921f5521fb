//! Takes functions, gives sections of code with the references between them as ELF and CO-RE relocations. Never changes
//! an instruction but in the fields that a relocation fills.

use super::core::{Access, CoreTypes};
use super::{ObjectError, ObjectSpec};
use crate::bpf::asm::{FuncKind, Reloc, RelocKind};
use crate::bpf::opcode::{self, AluOp, Op, Size};
use crate::bpf::{Insn, PSEUDO_CALL, PSEUDO_FUNC, UNRESOLVED, encode};
use ebsec_artifact::{KernelUse, Question};
use std::collections::BTreeMap;

/// The section of all subprograms.
pub(super) const TEXT: &str = ".text";
/// Bytes of an instruction slot.
pub(super) const SLOT: u32 = 8;

/// A section of code.
pub(super) struct CodeSection {
    /// `.text`, `lsm/file_open`.
    pub name: String,
    /// Its functions: (index in the spec, offset in bytes), ascending.
    pub funcs: Vec<(usize, u32)>,
    /// Code.
    pub bytes: Vec<u8>,
    /// ELF relocations by offset.
    pub relocs: Vec<ElfReloc>,
    /// CO-RE relocations by offset.
    pub core: Vec<(u32, Access)>,
    /// What is asked about the kernel's functions.
    pub kernel: Vec<KernelUse<'static>>,
}

/// An ELF relocation.
pub(super) struct ElfReloc {
    /// Bytes from the section's start.
    pub offset: u32,
    /// To what.
    pub target: Target,
    /// `R_BPF_64_64` is 1, `R_BPF_64_32` is 10.
    pub kind: u32,
}

/// What an ELF relocation refers to.
pub(super) enum Target {
    /// A symbol.
    Symbol(String),
    /// The section of subprograms itself; the instruction holds the offset.
    Text,
}

/// Assigns each function its place: subprograms to `.text`, programs to their sections, in order of first mention.
pub(super) fn lay_out(spec: &ObjectSpec<'_>) -> Result<Vec<CodeSection>, ObjectError> {
    let mut sections: Vec<CodeSection> = Vec::new();
    if spec.funcs.iter().any(|f| !matches!(f.kind, FuncKind::Prog { .. })) {
        sections.push(CodeSection::new(TEXT));
    }
    let mut sizes: BTreeMap<String, u32> = BTreeMap::new();
    for (index, func) in spec.funcs.iter().enumerate() {
        let name = match &func.kind {
            FuncKind::Prog { section } => section,
            FuncKind::Static | FuncKind::Global => TEXT,
        };
        if func.insns.is_empty() {
            return Err(ObjectError::new(format!("`{}` has no instructions", func.name)));
        }
        let size = sizes.entry(name.to_owned()).or_default();
        let offset = *size;
        *size += u32::try_from(func.insns.len()).ok().and_then(|n| n.checked_mul(SLOT)).unwrap_or(u32::MAX / 2);
        if *size > 1 << 27 {
            return Err(ObjectError::new(format!("the section `{name}` is too long")));
        }
        match sections.iter_mut().find(|s| s.name == name) {
            Some(section) => section.funcs.push((index, offset)),
            None => {
                let mut section = CodeSection::new(name);
                section.funcs.push((index, offset));
                sections.push(section);
            }
        }
    }
    Ok(sections)
}

impl CodeSection {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), funcs: Vec::new(), bytes: Vec::new(), relocs: Vec::new(), core: Vec::new(), kernel: Vec::new() }
    }
}

/// Writes the code with the references filled in as loaders expect them.
pub(super) fn resolve(
    spec: &ObjectSpec<'_>,
    mut sections: Vec<CodeSection>,
    core: &mut CoreTypes<'_>,
) -> Result<Vec<CodeSection>, ObjectError> {
    let names = Names::new(spec, &sections)?;
    for section in &mut sections {
        for (index, start) in section.funcs.clone() {
            let Some(func) = spec.funcs.get(index) else { continue };
            let mut insns = func.insns.clone();
            for reloc in &func.relocs {
                let offset = start + reloc.insn_index as u32 * SLOT;
                match patch(&mut insns, reloc, &names, core)
                    .map_err(|e| ObjectError::new(format!("{e} (instruction {} of `{}`)", reloc.insn_index, func.name)))?
                {
                    Patched::Elf(target, kind) => section.relocs.push(ElfReloc { offset, target, kind }),
                    Patched::Core(access) => section.core.push((offset, access)),
                    Patched::Kernel(kernel, question) => section.kernel.push(KernelUse {
                        func: func.name.clone().into(),
                        slot: reloc.insn_index as u32,
                        kernel: kernel.into(),
                        question,
                    }),
                }
            }
            section.bytes.extend(encode(&insns));
        }
        section.relocs.sort_by_key(|r| r.offset);
        section.core.sort_by_key(|(offset, _)| *offset);
    }
    Ok(sections)
}

/// What symbols there are.
struct Names<'a> {
    kinds: BTreeMap<&'a str, Kind>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    Data,
    Program,
    /// A subprogram and its offset in `.text`.
    Subprogram(u32),
}

impl<'a> Names<'a> {
    fn new(spec: &'a ObjectSpec<'_>, sections: &[CodeSection]) -> Result<Self, ObjectError> {
        let mut all: Vec<(&str, Kind)> = Vec::new();
        all.extend(spec.maps.iter().map(|m| (m.name.as_str(), Kind::Map)));
        all.extend(spec.data.iter().map(|d| (d.symbol, Kind::Data)));
        for section in sections {
            for (index, offset) in &section.funcs {
                let kind = if section.name == TEXT { Kind::Subprogram(*offset) } else { Kind::Program };
                all.extend(spec.funcs.get(*index).map(|f| (f.name.as_str(), kind)));
            }
        }
        let mut kinds = BTreeMap::new();
        for (name, kind) in all {
            if kinds.insert(name, kind).is_some() {
                return Err(ObjectError::new(format!("the name `{name}` is there twice")));
            }
        }
        Ok(Self { kinds })
    }

    fn subprogram(&self, name: &str) -> Result<u32, ObjectError> {
        match self.kinds.get(name) {
            Some(Kind::Subprogram(offset)) => Ok(*offset),
            _ => Err(ObjectError::new(format!("no subprogram is named `{name}`"))),
        }
    }

    fn require(&self, name: &str, kind: Kind, what: &str) -> Result<(), ObjectError> {
        if self.kinds.get(name) == Some(&kind) { Ok(()) } else { Err(ObjectError::new(format!("no {what} is named `{name}`"))) }
    }
}

enum Patched {
    Elf(Target, u32),
    Core(Access),
    Kernel(String, Question),
}

/// The offset of an argument that nobody looked for: beyond all that a hook can have, so that a kernel refuses it.
const NO_ARGUMENT: i16 = i16::MAX & !7;

const R_BPF_64_64: u32 = 1;
const R_BPF_64_32: u32 = 10;

fn patch(insns: &mut [Insn], reloc: &Reloc, names: &Names<'_>, core: &mut CoreTypes<'_>) -> Result<Patched, ObjectError> {
    let wide = matches!(reloc.kind, RelocKind::Map(_) | RelocKind::Data { .. } | RelocKind::Func(_));
    let (insn, second) = match insns.get_mut(reloc.insn_index..) {
        Some([first, second, ..]) => (first, Some(second)),
        Some([first]) => (first, None),
        _ => return Err(ObjectError::new("a relocation lies behind the function's end")),
    };
    let op = opcode::decode(insn.code);
    if wide != (op == Some(Op::LoadImm64)) && !matches!(reloc.kind, RelocKind::Core { .. } | RelocKind::Kernel { .. }) {
        return Err(ObjectError::new("a relocation does not fit its instruction"));
    }
    match &reloc.kind {
        RelocKind::Map(name) => {
            names.require(name, Kind::Map, "map")?;
            set_wide(insn, second, 0, 0);
            Ok(Patched::Elf(Target::Symbol(name.clone()), R_BPF_64_64))
        }
        RelocKind::Data { symbol, addend } => {
            names.require(symbol, Kind::Data, "data")?;
            let addend = i32::try_from(*addend).map_err(|_| ObjectError::new(format!("the offset after `{symbol}` is too large")))?;
            set_wide(insn, second, 0, addend);
            Ok(Patched::Elf(Target::Symbol(symbol.clone()), R_BPF_64_64))
        }
        // libbpf takes a static function's address only against the section, with the offset in the instruction.
        RelocKind::Func(name) => {
            set_wide(insn, second, PSEUDO_FUNC, names.subprogram(name)?.cast_signed());
            Ok(Patched::Elf(Target::Text, R_BPF_64_64))
        }
        RelocKind::Call(name) => {
            names.subprogram(name)?;
            if op != Some(Op::Call) {
                return Err(ObjectError::new("a relocation does not fit its instruction"));
            }
            (insn.src, insn.imm) = (PSEUDO_CALL, UNRESOLVED);
            Ok(Patched::Elf(Target::Symbol(name.clone()), R_BPF_64_32))
        }
        RelocKind::Core { path, what } => {
            let access = core.access(path, *what)?;
            set_local(insn, second, op, access.local)?;
            Ok(Patched::Core(access))
        }
        RelocKind::Kernel { function, question } => {
            match (question, op) {
                (Question::Exists, Some(Op::Alu { op: AluOp::Mov, wide: true, reg: false })) => insn.imm = 0,
                (Question::Id, Some(Op::Call)) => insn.imm = 0,
                (Question::Argument(_), Some(Op::Load(Size::DW | Size::W))) => insn.off = NO_ARGUMENT,
                _ => return Err(ObjectError::new("a question about a kernel's function does not fit its instruction")),
            }
            Ok(Patched::Kernel(function.clone(), question.clone()))
        }
    }
}

fn set_wide(insn: &mut Insn, second: Option<&mut Insn>, src: u8, imm: i32) {
    (insn.src, insn.imm) = (src, imm);
    if let Some(second) = second {
        second.imm = 0;
    }
}

/// Puts the local answer where the loader will put the real one.
fn set_local(insn: &mut Insn, second: Option<&mut Insn>, op: Option<Op>, local: u32) -> Result<(), ObjectError> {
    match op {
        Some(Op::Load(_) | Op::StoreImm(_) | Op::StoreReg(_)) => {
            insn.off = i16::try_from(local).map_err(|_| ObjectError::new("a field's offset is too large"))?;
        }
        Some(Op::Alu { reg: false, .. }) => {
            insn.imm = i32::try_from(local).map_err(|_| ObjectError::new("a field's offset is too large"))?;
        }
        Some(Op::LoadImm64) => set_wide(insn, second, 0, local.cast_signed()),
        _ => return Err(ObjectError::new("a field relocation does not fit its instruction")),
    }
    Ok(())
}
