//! Takes a relocated program, finds the accesses that its kernel cannot resolve and says which may be reached.
//!
//! Follows the flow with the constants in registers, so that `if exists(...)` guards count; a constant kept in memory
//! does not. Never executes anything.

use super::Program;
use super::alu::{alu, holds};
use super::exec::POISON;
use crate::bpf::opcode::{AluOp, Op};
use crate::bpf::{Insn, PSEUDO_CALL, PSEUDO_FUNC};
use std::collections::BTreeMap;
use std::fmt;

/// An access to a type or field that the kernel lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// the program
    pub program: String,
    /// index of the instruction
    pub pc: usize,
    /// the line of source that the object names for it
    pub line: Option<String>,
    /// no constant guard stands before it
    pub reachable: bool,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instruction {} of `{}` accesses a type or field that the kernel lacks", self.pc, self.program)?;
        self.line.as_ref().map_or(Ok(()), |line| write!(f, " ({line})"))
    }
}

/// What is known of the registers: a constant or nothing.
type Known = [Option<u64>; 11];

/// The accesses of `program` that are not resolved.
pub(super) fn unresolved(program: &Program) -> Vec<Unresolved> {
    let poisoned: Vec<usize> = program.insns.iter().enumerate().filter(|(_, i)| poison(i)).map(|(pc, _)| pc).collect();
    if poisoned.is_empty() {
        return Vec::new();
    }
    let reached = reached(program);
    let found = |pc: usize| Unresolved { program: program.name.clone(), pc, line: program.line(pc), reachable: reached.contains_key(&pc) };
    poisoned.into_iter().map(found).collect()
}

fn poison(insn: &Insn) -> bool {
    insn.op() == Some(Op::Call) && insn.src == 0 && insn.imm == POISON
}

/// Every instruction that may be reached, with what is known there.
fn reached(program: &Program) -> BTreeMap<usize, Known> {
    let mut seen: BTreeMap<usize, Known> = BTreeMap::new();
    let mut work: Vec<(usize, Known)> = vec![(0, [None; 11])];
    while let Some((pc, known)) = work.pop() {
        let merged = match seen.get(&pc) {
            None => known,
            Some(old) => merge(old, &known),
        };
        if seen.get(&pc) == Some(&merged) {
            continue;
        }
        seen.insert(pc, merged);
        work.extend(step(program, pc, merged));
    }
    seen
}

fn merge(a: &Known, b: &Known) -> Known {
    let mut out = *a;
    for (o, b) in out.iter_mut().zip(b) {
        if o != b {
            *o = None;
        }
    }
    out
}

/// Where an instruction may lead.
fn step(program: &Program, pc: usize, mut known: Known) -> Vec<(usize, Known)> {
    let (Some(insn), Some(op)) = (program.insns.get(pc), program.ops.get(pc).copied().flatten()) else { return Vec::new() };
    let target = |off: i64| usize::try_from(pc as i64 + 1 + off).ok();
    let value = |known: &Known, reg: bool| {
        if reg { known.get(usize::from(insn.src)).copied().flatten() } else { Some(i64::from(insn.imm).cast_unsigned()) }
    };
    let dst = known.get(usize::from(insn.dst)).copied().flatten();
    let mut next = pc + 1;
    match op {
        Op::Exit => return Vec::new(),
        Op::Goto => return target(i64::from(insn.off)).map(|t| (t, known)).into_iter().collect(),
        Op::Jump { op, wide, reg } => {
            let taken = dst.zip(value(&known, reg)).map(|(a, b)| holds(op, wide, a, b));
            let ways = [(taken != Some(false)).then(|| target(i64::from(insn.off))).flatten(), (taken != Some(true)).then_some(next)];
            return ways.into_iter().flatten().map(|t| (t, known)).collect();
        }
        Op::Call => {
            for r in known.iter_mut().take(6) {
                *r = None;
            }
            let callee = (insn.src == PSEUDO_CALL).then(|| target(i64::from(insn.imm))).flatten();
            return callee.map(|t| (t, [None; 11])).into_iter().chain([(next, known)]).filter(|_| !poison(insn)).collect();
        }
        Op::Alu { op, wide, reg } => {
            let old = if op == AluOp::Mov { Some(0) } else { dst };
            let result = old.zip(value(&known, reg)).map(|(a, b)| alu(op, wide, a, b));
            set(&mut known, insn.dst, result);
        }
        Op::LoadImm64 => {
            next = pc + 2;
            set(&mut known, insn.dst, None);
            if insn.src == PSEUDO_FUNC {
                let callee = target(i64::from(insn.imm)).map(|t| (t, [None; 11]));
                return callee.into_iter().chain([(next, known)]).collect();
            }
        }
        Op::Atomic(_) => {
            set(&mut known, 0, None);
            set(&mut known, insn.src, None);
        }
        Op::Load(_) | Op::Swap { .. } => set(&mut known, insn.dst, None),
        Op::StoreImm(_) | Op::StoreReg(_) => {}
    }
    vec![(next, known)]
}

fn set(known: &mut Known, reg: u8, value: Option<u64>) {
    if let Some(r) = known.get_mut(usize::from(reg)) {
        *r = value;
    }
}
