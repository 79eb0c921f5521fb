//! Takes and gives eBPF instructions: the opcode table, the 8-byte form, the text form.
//!
//! Knows nothing of policies, hooks or kernels, and never decides what a program does.

pub mod asm;
mod disasm;
mod helpers;
pub mod opcode;

pub use disasm::{disasm, line as disasm_line};
pub use helpers::{HELPERS, helper_id, helper_name};

use opcode::{AluOp, AtomicOp, Op};

/// Source register value of a call of a subprogram.
pub const PSEUDO_CALL: u8 = 1;
/// Source register value of a call of a function of the kernel (a kfunc).
pub const PSEUDO_KFUNC: u8 = 2;
/// Source register value of a 64-bit immediate that is a map's descriptor.
pub const PSEUDO_MAP_FD: u8 = 1;
/// Source register value of a 64-bit immediate that is an address in a map's value.
pub const PSEUDO_MAP_VALUE: u8 = 2;
/// Source register value of a 64-bit immediate that is a subprogram's address.
pub const PSEUDO_FUNC: u8 = 4;
/// The immediate of a call or function address that a relocation will fill in.
pub const UNRESOLVED: i32 = -1;

/// One instruction slot, as the kernel's `struct bpf_insn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Insn {
    /// opcode byte, see [`opcode`]
    pub code: u8,
    /// destination register, 0 to 10 (4 bits)
    pub dst: u8,
    /// source register or pseudo source (4 bits)
    pub src: u8,
    /// jump or memory offset
    pub off: i16,
    /// immediate
    pub imm: i32,
}

impl Insn {
    /// An instruction with the opcode of `op`.
    pub fn new(op: Op, dst: u8, src: u8, off: i16, imm: i32) -> Insn {
        Insn { code: op.code(), dst, src, off, imm }
    }

    /// The two slots of `rDST = VALUE ll`, with a pseudo source.
    pub fn load_imm64(dst: u8, src: u8, low: i32, high: i32) -> [Insn; 2] {
        [Insn::new(Op::LoadImm64, dst, src, 0, low), Insn { imm: high, ..Insn::default() }]
    }

    /// The slot's 8 bytes, little endian.
    pub fn encode(self) -> [u8; 8] {
        let [o0, o1] = self.off.to_le_bytes();
        let [i0, i1, i2, i3] = self.imm.to_le_bytes();
        [self.code, (self.dst & 15) | (self.src << 4), o0, o1, i0, i1, i2, i3]
    }

    /// The slot in 8 little-endian bytes.
    pub fn decode(bytes: [u8; 8]) -> Insn {
        let [code, regs, o0, o1, i0, i1, i2, i3] = bytes;
        Insn { code, dst: regs & 15, src: regs >> 4, off: i16::from_le_bytes([o0, o1]), imm: i32::from_le_bytes([i0, i1, i2, i3]) }
    }

    /// The operation, if the opcode is known and every field that it does not use is zero.
    pub fn op(&self) -> Option<Op> {
        let op = opcode::decode(self.code)?;
        let (dst, src) = (self.dst <= 10, self.src <= 10);
        let no = |used_off: bool, used_imm: bool| (used_off || self.off == 0) && (used_imm || self.imm == 0);
        let valid = match op {
            Op::Alu { op: AluOp::Neg, .. } => dst && self.src == 0 && no(false, false),
            Op::Alu { reg: true, .. } => dst && src && no(false, false),
            Op::Alu { reg: false, .. } => dst && self.src == 0 && no(false, true),
            Op::Swap { .. } => dst && self.src == 0 && self.off == 0 && matches!(self.imm, 16 | 32 | 64),
            Op::Jump { reg: true, .. } => dst && src && no(true, false),
            Op::Jump { reg: false, .. } => dst && self.src == 0 && no(true, true),
            Op::Goto => self.dst == 0 && self.src == 0 && no(true, false),
            Op::Call => self.dst == 0 && self.src <= PSEUDO_KFUNC && no(false, true),
            Op::Exit => self.dst == 0 && self.src == 0 && no(false, false),
            Op::LoadImm64 => dst && self.src <= 15 && no(false, true),
            Op::Load(_) | Op::StoreReg(_) => dst && src && no(true, false),
            Op::StoreImm(_) => dst && self.src == 0,
            Op::Atomic(_) => dst && src && AtomicOp::from_imm(self.imm).is_some(),
        };
        valid.then_some(op)
    }

    /// Whether this is the second slot of a 64-bit immediate (or a zeroed slot).
    pub fn is_second_slot(&self) -> bool {
        self.code == 0 && self.dst == 0 && self.src == 0 && self.off == 0
    }
}

/// The bytes of a program.
pub fn encode(insns: &[Insn]) -> Vec<u8> {
    insns.iter().flat_map(|i| i.encode()).collect()
}

/// The slots in `bytes`; `None` if the length is no multiple of 8.
pub fn decode(bytes: &[u8]) -> Option<Vec<Insn>> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| chunks.iter().map(|c| Insn::decode(*c)).collect())
}
