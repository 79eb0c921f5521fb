//! Takes nothing; gives the one table of opcodes that the encoder, the assembler, the disassembler
//! and the interpreter read. Never holds an opcode newer than those of eBPF v3 (`-mcpu=v3`), the
//! newest that every declared kernel runs.
//!
//! An opcode byte is a class (low three bits) and, by class, an operation or a size and a mode.
//! The families below list the operations once each; [`decode`] and [`Op::code`] put them together.

/// Arithmetic on registers; the same for 32 and 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AluOp {
    /// `+=`
    Add,
    /// `-=`
    Sub,
    /// `*=`
    Mul,
    /// `/=`, unsigned; by zero gives 0
    Div,
    /// `|=`
    Or,
    /// `&=`
    And,
    /// `<<=`, the count masked to the width
    Lsh,
    /// `>>=`, unsigned
    Rsh,
    /// `= -`
    Neg,
    /// `%=`, unsigned; by zero leaves the value
    Mod,
    /// `^=`
    Xor,
    /// `=`
    Mov,
    /// `s>>=`, signed
    Arsh,
}

/// Conditions of jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JmpOp {
    /// `==`
    Eq,
    /// `>`, unsigned
    Gt,
    /// `>=`, unsigned
    Ge,
    /// `&`: any common bit
    Set,
    /// `!=`
    Ne,
    /// `s>`
    Sgt,
    /// `s>=`
    Sge,
    /// `<`, unsigned
    Lt,
    /// `<=`, unsigned
    Le,
    /// `s<`
    Slt,
    /// `s<=`
    Sle,
}

/// Width of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// 1 byte
    B,
    /// 2 bytes
    H,
    /// 4 bytes
    W,
    /// 8 bytes
    DW,
}

/// Atomic operations; which one is in the instruction's immediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtomicOp {
    /// `+=`
    Add,
    /// `|=`
    Or,
    /// `&=`
    And,
    /// `^=`
    Xor,
    /// `atomic_fetch_add`
    FetchAdd,
    /// `atomic_fetch_or`
    FetchOr,
    /// `atomic_fetch_and`
    FetchAnd,
    /// `atomic_fetch_xor`
    FetchXor,
    /// `xchg`
    Xchg,
    /// `cmpxchg`, compares with r0 and leaves the old value there
    CmpXchg,
}

/// What an opcode byte means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Arithmetic; `wide` is 64 bits, `reg` takes the source register instead of the immediate.
    Alu {
        /// the operation
        op: AluOp,
        /// 64 bits instead of 32
        wide: bool,
        /// source is a register
        reg: bool,
    },
    /// Byte order: to big endian (or to little, which truncates only); the immediate is 16, 32, 64.
    Swap {
        /// to big endian
        big: bool,
    },
    /// Conditional jump.
    Jump {
        /// the condition
        op: JmpOp,
        /// 64 bits instead of 32
        wide: bool,
        /// source is a register
        reg: bool,
    },
    /// Unconditional jump.
    Goto,
    /// Call of a helper (source 0), a subprogram (1) or a function of the kernel (2).
    Call,
    /// Return.
    Exit,
    /// First slot of the two of a 64-bit immediate.
    LoadImm64,
    /// Load from memory.
    Load(Size),
    /// Store of the immediate.
    StoreImm(Size),
    /// Store of the source register.
    StoreReg(Size),
    /// Atomic operation, 4 or 8 bytes wide.
    Atomic(Size),
}

/// Operation, its bits (high nibble), its sign in the text.
pub static ALU: [(AluOp, u8, &str); 13] = [
    (AluOp::Add, 0x00, "+="),
    (AluOp::Sub, 0x10, "-="),
    (AluOp::Mul, 0x20, "*="),
    (AluOp::Div, 0x30, "/="),
    (AluOp::Or, 0x40, "|="),
    (AluOp::And, 0x50, "&="),
    (AluOp::Lsh, 0x60, "<<="),
    (AluOp::Rsh, 0x70, ">>="),
    (AluOp::Neg, 0x80, "= -"),
    (AluOp::Mod, 0x90, "%="),
    (AluOp::Xor, 0xa0, "^="),
    (AluOp::Mov, 0xb0, "="),
    (AluOp::Arsh, 0xc0, "s>>="),
];

/// Condition, its bits (high nibble), its sign in the text.
pub static JUMP: [(JmpOp, u8, &str); 11] = [
    (JmpOp::Eq, 0x10, "=="),
    (JmpOp::Gt, 0x20, ">"),
    (JmpOp::Ge, 0x30, ">="),
    (JmpOp::Set, 0x40, "&"),
    (JmpOp::Ne, 0x50, "!="),
    (JmpOp::Sgt, 0x60, "s>"),
    (JmpOp::Sge, 0x70, "s>="),
    (JmpOp::Lt, 0xa0, "<"),
    (JmpOp::Le, 0xb0, "<="),
    (JmpOp::Slt, 0xc0, "s<"),
    (JmpOp::Sle, 0xd0, "s<="),
];

/// Size, its bits, its type in the text, its bytes.
pub static SIZES: [(Size, u8, &str, u8); 4] =
    [(Size::W, 0x00, "u32", 4), (Size::H, 0x08, "u16", 2), (Size::B, 0x10, "u8", 1), (Size::DW, 0x18, "u64", 8)];

/// Atomic operation, its immediate, its sign or name in the text.
pub static ATOMIC: [(AtomicOp, i32, &str); 10] = [
    (AtomicOp::Add, 0x00, "+="),
    (AtomicOp::Or, 0x40, "|="),
    (AtomicOp::And, 0x50, "&="),
    (AtomicOp::Xor, 0xa0, "^="),
    (AtomicOp::FetchAdd, 0x01, "add"),
    (AtomicOp::FetchOr, 0x41, "or"),
    (AtomicOp::FetchAnd, 0x51, "and"),
    (AtomicOp::FetchXor, 0xa1, "xor"),
    (AtomicOp::Xchg, 0xe1, "xchg"),
    (AtomicOp::CmpXchg, 0xf1, "cmpxchg"),
];

const LDX: u8 = 0x61;
const ST: u8 = 0x62;
const STX: u8 = 0x63;
const ATOMIC_MODE: u8 = 0xc3;
const ALU32: u8 = 0x04;
const ALU64: u8 = 0x07;
const JMP64: u8 = 0x05;
const JMP32: u8 = 0x06;
const X: u8 = 0x08;

impl Op {
    /// The opcode byte; the inverse of [`decode`].
    pub fn code(self) -> u8 {
        let x = |reg: bool| if reg { X } else { 0 };
        match self {
            Op::Alu { op, wide, reg } => op.row().1 | x(reg) | if wide { ALU64 } else { ALU32 },
            Op::Swap { big } => 0xd0 | x(big) | ALU32,
            Op::Jump { op, wide, reg } => op.row().1 | x(reg) | if wide { JMP64 } else { JMP32 },
            Op::Goto => 0x05,
            Op::Call => 0x85,
            Op::Exit => 0x95,
            Op::LoadImm64 => 0x18,
            Op::Load(s) => LDX | s.row().1,
            Op::StoreImm(s) => ST | s.row().1,
            Op::StoreReg(s) => STX | s.row().1,
            Op::Atomic(s) => ATOMIC_MODE | s.row().1,
        }
    }
}

/// The meaning of an opcode byte, if it is one of the table's.
pub fn decode(code: u8) -> Option<Op> {
    let reg = code & X != 0;
    let size = || SIZES.iter().find(|r| r.1 == code & 0x18).map(|r| r.0);
    match code {
        0x05 => return Some(Op::Goto),
        0x85 => return Some(Op::Call),
        0x95 => return Some(Op::Exit),
        0x18 => return Some(Op::LoadImm64),
        0xd4 => return Some(Op::Swap { big: false }),
        0xdc => return Some(Op::Swap { big: true }),
        _ => {}
    }
    match code & 0x07 {
        ALU32 | ALU64 => {
            let op = ALU.iter().find(|r| r.1 == code & 0xf0)?.0;
            // Negation has no source operand.
            if op == AluOp::Neg && reg {
                return None;
            }
            Some(Op::Alu { op, wide: code & 7 == ALU64, reg })
        }
        JMP64 | JMP32 => {
            let op = JUMP.iter().find(|r| r.1 == code & 0xf0)?.0;
            Some(Op::Jump { op, wide: code & 7 == JMP64, reg })
        }
        _ => match code & 0xe7 {
            LDX => size().map(Op::Load),
            ST => size().map(Op::StoreImm),
            STX => size().map(Op::StoreReg),
            ATOMIC_MODE => size().filter(|s| matches!(s, Size::W | Size::DW)).map(Op::Atomic),
            _ => None,
        },
    }
}

impl AluOp {
    /// The operation's row in [`ALU`].
    pub fn row(self) -> &'static (AluOp, u8, &'static str) {
        ALU.iter().find(|r| r.0 == self).unwrap_or(&ALU[0])
    }
}

impl JmpOp {
    /// The condition's row in [`JUMP`].
    pub fn row(self) -> &'static (JmpOp, u8, &'static str) {
        JUMP.iter().find(|r| r.0 == self).unwrap_or(&JUMP[0])
    }
}

impl Size {
    /// The size's row in [`SIZES`].
    pub fn row(self) -> &'static (Size, u8, &'static str, u8) {
        SIZES.iter().find(|r| r.0 == self).unwrap_or(&SIZES[0])
    }

    /// Width in bytes.
    pub fn bytes(self) -> u8 {
        self.row().3
    }
}

impl AtomicOp {
    /// The operation's row in [`ATOMIC`].
    pub fn row(self) -> &'static (AtomicOp, i32, &'static str) {
        ATOMIC.iter().find(|r| r.0 == self).unwrap_or(&ATOMIC[0])
    }

    /// The operation that an immediate selects.
    pub fn from_imm(imm: i32) -> Option<AtomicOp> {
        ATOMIC.iter().find(|r| r.1 == imm).map(|r| r.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_decodes_to_itself_or_to_nothing() {
        let valid = (0..=255u8).filter(|&c| decode(c).is_some_and(|op| op.code() == c)).count();
        let any = (0..=255u8).filter(|&c| decode(c).is_some()).count();
        assert_eq!(valid, any);
        // 12 operations × 4 forms, negation × 2, byte order × 2, 11 conditions × 4, goto, call,
        // exit, ld_imm64, 4 sizes × 3, 2 atomic widths.
        assert_eq!(valid, 48 + 2 + 2 + 44 + 4 + 12 + 2);
    }
}
