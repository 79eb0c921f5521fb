//! Takes a linked program, its registers and the machine's state, executes it instruction by instruction.
//!
//! What the verifier would refuse is a fault: unset registers, accesses outside of a region, stack that nobody wrote,
//! too deep calls. Never runs more instructions than it is allowed.

use super::alu::{alu, atomic, holds, swap};
use super::env::Env;
use super::fault::Wrong;
use super::map::Map;
use super::mem::{self, Kind, MemError, Memory, Region};
use super::{Options, Program};
use crate::bpf::opcode::{AluOp, AtomicOp, Op, Size};
use crate::bpf::{Insn, PSEUDO_CALL, PSEUDO_FUNC, PSEUDO_KFUNC, PSEUDO_MAP_FD, PSEUDO_MAP_VALUE};
use std::collections::BTreeMap;

/// The immediate with which loaders mark an instruction whose field or type the kernel lacks.
pub(super) const POISON: i32 = 0x0bad_2310;
/// Map descriptors count from here: an unresolved one is 0.
pub(super) const FIRST_FD: i32 = 1000;
const STACK_SIZE: u64 = 512;
const MAX_FRAMES: usize = 8;
/// Addresses between two frames.
const FRAME_STRIDE: u64 = 0x1_0000;

/// The registers and which of them are set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Regs {
    v: [u64; 11],
    set: u16,
}

impl Regs {
    /// Registers r1 and on, set to `args`.
    pub(super) fn args(args: &[u64]) -> Regs {
        let mut regs = Regs::default();
        for (n, v) in (1u8..=5).zip(args) {
            regs.put(n, *v);
        }
        regs
    }

    fn put(&mut self, n: u8, v: u64) {
        if let Some(r) = self.v.get_mut(usize::from(n)) {
            *r = v;
            self.set |= 1 << n;
        }
    }

    pub(super) fn get(&self, n: u8) -> Result<u64, Wrong> {
        if self.set & (1 << n) == 0 {
            return Err(Wrong::Unset(n));
        }
        self.v.get(usize::from(n)).copied().ok_or(Wrong::BadInstruction)
    }

    /// What a call does to the caller's registers.
    fn after_call(&mut self, r0: u64) {
        self.set &= !0b11_1110;
        self.put(0, r0);
    }
}

/// A running program.
pub(super) struct Machine<'a> {
    pub program: &'a Program,
    pub mem: &'a mut Memory,
    pub env: &'a mut Env,
    pub maps: &'a mut [Map],
    pub options: &'a Options,
    /// the number of the kernel's cast, and the last of the types that may be cast to
    pub cast: Option<(i32, u64)>,
    /// deepest stack of each function seen so far, by its first instruction
    pub depths: &'a mut BTreeMap<usize, u64>,
    /// first instruction of each function on the call chain
    pub frames: Vec<usize>,
    pub executed: u64,
    /// values deleted during the run, unmapped at its end
    pub garbage: Vec<u64>,
    /// the instruction at hand, for faults
    pub pc: usize,
    /// next entry of the environment's script
    pub script: usize,
}

type Done<T> = Result<T, Wrong>;

impl Machine<'_> {
    /// Calls the function at `start`; gives its r0.
    pub(super) fn call(&mut self, start: usize, mut regs: Regs) -> Done<u64> {
        if self.frames.len() >= MAX_FRAMES {
            return Err(Wrong::Frames);
        }
        let base = mem::STACK + self.frames.len() as u64 * FRAME_STRIDE;
        self.mem.map_at(base, Region::new(Kind::Stack, "the stack", vec![0xa5; STACK_SIZE as usize]).tracked());
        self.frames.push(start);
        regs.put(10, base + STACK_SIZE);
        let result = self.check_stack().and_then(|()| self.run(start, regs));
        self.frames.pop();
        self.mem.unmap(base);
        result
    }

    fn run(&mut self, start: usize, mut regs: Regs) -> Done<u64> {
        let mut pc = start;
        loop {
            self.pc = pc;
            self.tick()?;
            let (insn, op) = self.fetch(pc)?;
            let next = pc as i64 + 1;
            let to = match op {
                Op::Exit => return regs.get(0),
                Op::Goto => next + i64::from(insn.off),
                Op::Jump { op, wide, reg } => {
                    let (a, b) = (regs.get(insn.dst)?, operand(&regs, &insn, reg)?);
                    if holds(op, wide, a, b) { next + i64::from(insn.off) } else { next }
                }
                Op::LoadImm64 => {
                    let value = self.wide_imm(pc, &insn)?;
                    regs.put(insn.dst, value);
                    next + 1
                }
                Op::Call => {
                    let r0 = self.called(pc, &insn, &regs)?;
                    regs.after_call(r0);
                    next
                }
                _ => {
                    self.straight(&insn, op, &mut regs)?;
                    next
                }
            };
            pc = usize::try_from(to).map_err(|_| Wrong::OutOfProgram(to))?;
        }
    }

    /// Counts an instruction and does what the script has for this moment.
    fn tick(&mut self) -> Done<()> {
        self.executed += 1;
        if self.executed > self.options.limit {
            return Err(Wrong::Limit(self.options.limit));
        }
        while let Some(s) = self.env.script.get(self.script).filter(|s| s.after <= self.executed) {
            let poked = self.mem.poke(s.addr, &s.bytes);
            poked.map_err(|error| Wrong::Memory { access: "scripted write", addr: s.addr, len: s.bytes.len() as u64, error })?;
            self.script += 1;
        }
        Ok(())
    }

    fn fetch(&self, pc: usize) -> Done<(Insn, Op)> {
        let insn = self.program.insns.get(pc).copied().ok_or(Wrong::OutOfProgram(pc as i64))?;
        let op = self.program.ops.get(pc).copied().flatten().ok_or(Wrong::BadInstruction)?;
        if op == Op::Call && insn.src == 0 && insn.imm == POISON {
            return Err(Wrong::Unresolved);
        }
        Ok((insn, op))
    }

    /// Instructions that neither jump nor call.
    fn straight(&mut self, insn: &Insn, op: Op, regs: &mut Regs) -> Done<()> {
        let written = match op {
            Op::Alu { .. } | Op::Swap { .. } | Op::Load(_) => Some(insn.dst),
            _ => None,
        };
        if written == Some(10) {
            return Err(Wrong::FramePointer);
        }
        match op {
            Op::Alu { op: AluOp::Mov, wide, reg } => {
                let v = operand(regs, insn, reg)?;
                regs.put(insn.dst, alu(AluOp::Mov, wide, 0, v));
            }
            Op::Alu { op, wide, reg } => {
                let (a, b) = (regs.get(insn.dst)?, operand(regs, insn, reg)?);
                regs.put(insn.dst, alu(op, wide, a, b));
            }
            Op::Swap { big } => regs.put(insn.dst, swap(big, insn.imm, regs.get(insn.dst)?)),
            Op::Load(size) => {
                let v = self.load(at(regs.get(insn.src)?, insn), size)?;
                regs.put(insn.dst, v);
            }
            Op::StoreImm(size) => self.store(at(regs.get(insn.dst)?, insn), size, i64::from(insn.imm).cast_unsigned())?,
            Op::StoreReg(size) => self.store(at(regs.get(insn.dst)?, insn), size, regs.get(insn.src)?)?,
            Op::Atomic(size) => self.atomic(insn, size, regs)?,
            _ => return Err(Wrong::BadInstruction),
        }
        Ok(())
    }

    fn load(&mut self, addr: u64, size: Size) -> Done<u64> {
        let len = u64::from(size.bytes());
        self.aligned(addr, len)?;
        match self.mem.read(addr, len) {
            Ok(v) => Ok(v),
            Err(MemError::Unmapped) if self.reads_zero(addr) => Ok(0),
            Err(error) => Err(Wrong::Memory { access: "read", addr, len, error }),
        }
    }

    /// Whether a load there is one that the kernel's exception table would answer with 0.
    fn reads_zero(&self, addr: u64) -> bool {
        let heap = (mem::KERNEL..mem::KERNEL_END).contains(&addr);
        (heap && self.options.kernel_loads_read_zero) || (addr < mem::NULL_PAGE && self.options.null_loads_read_zero)
    }

    fn store(&mut self, addr: u64, size: Size, value: u64) -> Done<()> {
        let len = u64::from(size.bytes());
        self.aligned(addr, len)?;
        let bytes = value.to_le_bytes();
        self.write(addr, bytes.get(..usize::from(size.bytes())).unwrap_or(&bytes))
    }

    fn atomic(&mut self, insn: &Insn, size: Size, regs: &mut Regs) -> Done<()> {
        let op = AtomicOp::from_imm(insn.imm).ok_or(Wrong::BadInstruction)?;
        let (addr, src) = (at(regs.get(insn.dst)?, insn), regs.get(insn.src)?);
        let mask = if size == Size::DW { u64::MAX } else { 0xffff_ffff };
        let r0 = if op == AtomicOp::CmpXchg { regs.get(0)? & mask } else { 0 };
        let len = u64::from(size.bytes());
        let old = self.mem.read(addr, len).map_err(|error| Wrong::Memory { access: "read", addr, len, error })?;
        self.store(addr, size, atomic(op, old, src & mask, r0))?;
        match op {
            AtomicOp::CmpXchg => regs.put(0, old),
            AtomicOp::Add | AtomicOp::Or | AtomicOp::And | AtomicOp::Xor => {}
            _ => regs.put(insn.src, old),
        }
        Ok(())
    }

    /// The stack and the context have to be accessed aligned; the stack's use is counted.
    fn aligned(&mut self, addr: u64, len: u64) -> Done<()> {
        let Some((base, kind)) = self.mem.region(addr).map(|(base, r)| (base, r.kind)) else { return Ok(()) };
        if matches!(kind, Kind::Stack | Kind::Context) && !addr.is_multiple_of(len) {
            return Err(Wrong::Misaligned(addr));
        }
        if kind == Kind::Stack { self.touched(base, addr) } else { Ok(()) }
    }

    /// Notes how deep a frame's stack is used.
    fn touched(&mut self, base: u64, addr: u64) -> Done<()> {
        let frame = usize::try_from((base - mem::STACK) / FRAME_STRIDE).ok();
        let Some(start) = frame.and_then(|f| self.frames.get(f)).copied() else { return Ok(()) };
        let depth = base + STACK_SIZE - addr;
        let known = self.depths.entry(start).or_insert(0);
        if depth > *known {
            *known = depth;
            return self.check_stack();
        }
        Ok(())
    }

    /// The kernel adds the frames of a chain, each rounded up to 32 bytes.
    fn check_stack(&self) -> Done<()> {
        let size = |start: &usize| self.depths.get(start).copied().unwrap_or(0).max(1).next_multiple_of(32);
        if self.frames.iter().map(size).sum::<u64>() <= STACK_SIZE {
            return Ok(());
        }
        Err(Wrong::Stack(self.frames.iter().map(|start| (*start, size(start))).collect()))
    }

    /// Bytes that a helper reads for the program.
    pub(super) fn read(&mut self, addr: u64, len: u64) -> Done<Vec<u8>> {
        if let Some((base, Kind::Stack)) = self.mem.region(addr).map(|(base, r)| (base, r.kind)) {
            self.touched(base, addr)?;
        }
        let bytes = self.mem.bytes(addr, len).map(<[u8]>::to_vec);
        bytes.map_err(|error| Wrong::Memory { access: "read", addr, len, error })
    }

    /// Writes for the program, by itself or by a helper.
    pub(super) fn write(&mut self, addr: u64, bytes: &[u8]) -> Done<()> {
        let region = self.mem.region(addr).map(|(base, r)| (base, r.kind, r.name.clone()));
        let len = bytes.len() as u64;
        match region {
            // No LSM program may write kernel objects or its context.
            Some((_, Kind::Kernel | Kind::Context, region)) => {
                return Err(Wrong::Memory { access: "write", addr, len, error: MemError::ReadOnly { region } });
            }
            Some((base, Kind::Stack, _)) => self.touched(base, addr)?,
            _ => {}
        }
        self.mem.write(addr, bytes).map_err(|error| Wrong::Memory { access: "write", addr, len, error })
    }

    fn wide_imm(&self, pc: usize, insn: &Insn) -> Done<u64> {
        let next = self.program.insns.get(pc + 1).filter(|n| n.is_second_slot()).ok_or(Wrong::BadInstruction)?;
        let map = || usize::try_from(insn.imm - FIRST_FD).ok().filter(|i| *i < self.maps.len()).ok_or(Wrong::BadInstruction);
        match insn.src {
            0 => Ok(u64::from(insn.imm.cast_unsigned()) | u64::from(next.imm.cast_unsigned()) << 32),
            PSEUDO_MAP_FD => Ok(mem::MAP_HANDLE + map()? as u64),
            PSEUDO_MAP_VALUE => {
                let base = self.maps.get(map()?).and_then(Map::direct).ok_or(Wrong::BadInstruction)?;
                Ok(base.wrapping_add_signed(i64::from(next.imm)))
            }
            PSEUDO_FUNC => Ok(mem::FUNC_HANDLE.wrapping_add_signed(pc as i64 + 1 + i64::from(insn.imm))),
            _ => Err(Wrong::BadInstruction),
        }
    }

    fn called(&mut self, pc: usize, insn: &Insn, regs: &Regs) -> Done<u64> {
        match insn.src {
            PSEUDO_CALL => {}
            PSEUDO_KFUNC => return self.kfunc(insn.imm, regs),
            _ => return self.helper(insn.imm, regs),
        }
        let to = pc as i64 + 1 + i64::from(insn.imm);
        let start = usize::try_from(to).map_err(|_| Wrong::OutOfProgram(to))?;
        let mut args = *regs;
        args.set &= 0b11_1110;
        let r0 = self.call(start, args)?;
        self.pc = pc;
        Ok(r0)
    }
}

fn operand(regs: &Regs, insn: &Insn, reg: bool) -> Done<u64> {
    if reg { regs.get(insn.src) } else { Ok(i64::from(insn.imm).cast_unsigned()) }
}

fn at(base: u64, insn: &Insn) -> u64 {
    base.wrapping_add_signed(i64::from(insn.off))
}
