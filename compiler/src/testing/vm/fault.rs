//! Takes what went wrong in a run, says it. Never part of the emulated kernel: a fault is a mistake of whoever made
//! the program (or of the test), the verifier would have refused it.

use super::mem::MemError;
use std::fmt;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A load or store, or a helper's on the program's behalf, cannot be done.
    Memory {
        /// `read` or `write`
        access: &'static str,
        /// address
        addr: u64,
        /// bytes
        len: u64,
        /// why
        error: MemError,
    },
    /// A stack or context access is not aligned to its size.
    Misaligned(u64),
    /// The register was not set on this way.
    Unset(u8),
    /// r10 was to be changed.
    FramePointer,
    /// No instruction of the table, or its fields are wrong.
    BadInstruction,
    /// An access to a kernel type or field that this kernel lacks was reached.
    Unresolved,
    /// The way leads out of the program.
    OutOfProgram(i64),
    /// The helper is not emulated (or does not exist).
    Helper(i32),
    /// The kernel has no such function, or it was called wrongly.
    Kfunc(i32),
    /// The helper was called wrongly.
    Argument {
        /// its name
        helper: &'static str,
        /// how
        problem: String,
    },
    /// The frames of the call chain take more than 512 bytes: first instruction and bytes of each, the program's first.
    Stack(Vec<(usize, u64)>),
    /// More than 8 frames.
    Frames,
    /// More instructions than allowed.
    Limit(u64),
    /// A ring buffer record is neither submitted nor discarded.
    Reservation(String),
    /// An LSM program returned something outside of -4095 to 0.
    Verdict(i64),
    /// The test asks for something that is not there.
    Test(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Memory { access, addr, len, error } => write!(f, "a {access} of {len} bytes at {addr:#x}: {error}"),
            Wrong::Misaligned(addr) => write!(f, "the access at {addr:#x} is not aligned to its size"),
            Wrong::Unset(reg) => write!(f, "r{reg} is read but was not set"),
            Wrong::FramePointer => write!(f, "r10 is written"),
            Wrong::BadInstruction => write!(f, "this is no instruction"),
            Wrong::Unresolved => write!(f, "the kernel lacks the type or field that is accessed here"),
            Wrong::OutOfProgram(pc) => write!(f, "the program goes on at instruction {pc}, which it does not have"),
            Wrong::Helper(id) => write!(f, "helper {id} is not emulated"),
            Wrong::Kfunc(id) => write!(f, "function {id} of the kernel is not there, or is called wrongly"),
            Wrong::Argument { helper, problem } => write!(f, "`{helper}` is called wrongly: {problem}"),
            Wrong::Stack(frames) => {
                let list: Vec<String> = frames.iter().map(|(pc, bytes)| format!("{bytes} at {pc}")).collect();
                let total: u64 = frames.iter().map(|f| f.1).sum();
                write!(f, "the frames take {total} bytes of stack, 512 are allowed: {}", list.join(", "))
            }
            Wrong::Frames => write!(f, "more than 8 frames are called"),
            Wrong::Limit(n) => write!(f, "more than {n} instructions were executed"),
            Wrong::Reservation(map) => write!(f, "a record of `{map}` is neither submitted nor discarded"),
            Wrong::Verdict(v) => write!(f, "the program returns {v}; an LSM program returns -4095 to 0"),
            Wrong::Test(message) => f.write_str(message),
        }
    }
}

/// A fault: what went wrong and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// the program's name
    pub program: String,
    /// index of the instruction
    pub pc: usize,
    /// its text
    pub insn: String,
    /// the line of source that the object names for it
    pub line: Option<String>,
    /// what went wrong
    pub wrong: Wrong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} in `{}`: {}", self.insn, self.pc, self.program, self.wrong)?;
        self.line.as_ref().map_or(Ok(()), |line| write!(f, " ({line})"))
    }
}

impl std::error::Error for Fault {}
