//! Takes instructions, gives text that [`super::asm`] assembles back to the same bytes.
//!
//! Never fails: what is no instruction of the table is printed as `.insn CODE DST SRC OFF IMM`.

use super::opcode::{AluOp, AtomicOp, Op};
use super::{Insn, PSEUDO_CALL, PSEUDO_FUNC, PSEUDO_KFUNC, PSEUDO_MAP_FD, PSEUDO_MAP_VALUE, helper_name};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The text of a function body, one instruction a line; jump targets get labels `L<slot>:`.
pub fn disasm(insns: &[Insn]) -> String {
    let starts = starts(insns);
    let targets: BTreeSet<usize> =
        starts.iter().filter_map(|&at| target(insns.get(at)?, at)).filter(|t| starts.contains(t) || *t == insns.len()).collect();
    let mut out = String::new();
    for &at in &starts {
        if targets.contains(&at) {
            let _ = writeln!(out, "L{at}:");
        }
        let Some(insn) = insns.get(at) else { continue };
        let label = target(insn, at).filter(|t| targets.contains(t)).map(|t| format!("L{t}"));
        let _ = writeln!(out, "    {}", line(insn, insns.get(at + 1), label.as_deref()));
    }
    if targets.contains(&insns.len()) {
        let _ = writeln!(out, "L{}:", insns.len());
    }
    out
}

/// The slots at which an instruction starts: all but the second ones of 64-bit immediates.
fn starts(insns: &[Insn]) -> BTreeSet<usize> {
    let mut out = BTreeSet::new();
    let mut at = 0;
    while let Some(insn) = insns.get(at) {
        out.insert(at);
        at += if wide_text(insn, insns.get(at + 1)).is_some() { 2 } else { 1 };
    }
    out
}

fn target(insn: &Insn, at: usize) -> Option<usize> {
    match insn.op()? {
        Op::Jump { .. } | Op::Goto => (at + 1).checked_add_signed(isize::from(insn.off)),
        _ => None,
    }
}

/// The text of one instruction; `next` is the slot after it (the second half of a 64-bit
/// immediate); a jump goes to `label`, or to a relative `+N`.
pub fn line(insn: &Insn, next: Option<&Insn>, label: Option<&str>) -> String {
    let raw = || format!(".insn {:#x} {} {} {} {}", insn.code, insn.dst, insn.src, insn.off, insn.imm);
    let Some(op) = insn.op() else { return raw() };
    let to = || label.map_or_else(|| format!("{:+}", insn.off), str::to_owned);
    match op {
        Op::Alu { op, wide, reg } => alu(insn, op, wide, reg),
        Op::Swap { big } => {
            let (d, order) = (insn.dst, if big { "be" } else { "le" });
            format!("r{d} = {order}{} r{d}", insn.imm)
        }
        Op::Jump { op, wide, reg } => {
            let sign = op.row().2;
            let (dst, operand) = (name(insn.dst, wide), operand(insn, wide, reg));
            format!("if {dst} {sign} {operand} goto {}", to())
        }
        Op::Goto => format!("goto {}", to()),
        Op::Call if insn.src == PSEUDO_CALL => format!("call pc{:+}", insn.imm),
        Op::Call if insn.src == PSEUDO_KFUNC => format!("call kfunc {}", insn.imm),
        Op::Call => helper_name(insn.imm).map_or_else(|| format!("call {}", insn.imm), |n| format!("call {n}")),
        Op::Exit => "exit".to_owned(),
        Op::LoadImm64 => wide_text(insn, next).unwrap_or_else(raw),
        Op::Load(s) => format!("r{} = {}", insn.dst, place(s.row().2, insn.src, insn.off)),
        Op::StoreImm(s) => format!("{} = {}", place(s.row().2, insn.dst, insn.off), insn.imm),
        Op::StoreReg(s) => format!("{} = r{}", place(s.row().2, insn.dst, insn.off), insn.src),
        Op::Atomic(s) => atomic(insn, s.row().2).unwrap_or_else(raw),
    }
}

fn name(reg: u8, wide: bool) -> String {
    format!("{}{reg}", if wide { 'r' } else { 'w' })
}

fn operand(insn: &Insn, wide: bool, reg: bool) -> String {
    if reg { name(insn.src, wide) } else { insn.imm.to_string() }
}

fn alu(insn: &Insn, op: AluOp, wide: bool, reg: bool) -> String {
    let dst = name(insn.dst, wide);
    match op {
        AluOp::Neg => format!("{dst} = -{dst}"),
        _ => format!("{dst} {} {}", op.row().2, operand(insn, wide, reg)),
    }
}

fn address(reg: u8, off: i16) -> String {
    let (sign, size) = (if off < 0 { '-' } else { '+' }, off.unsigned_abs());
    format!("r{reg} {sign} {size}")
}

fn place(ty: &str, reg: u8, off: i16) -> String {
    format!("*({ty} *)({})", address(reg, off))
}

fn atomic(insn: &Insn, ty: &str) -> Option<String> {
    let op = AtomicOp::from_imm(insn.imm)?;
    let wide = ty == "u64";
    let (src, sign, at) = (name(insn.src, wide), op.row().2, address(insn.dst, insn.off));
    let (suffix, r0) = if wide { ("_64", "r0") } else { ("32_32", "w0") };
    Some(match op {
        AtomicOp::Add | AtomicOp::Or | AtomicOp::And | AtomicOp::Xor => {
            format!("lock *({ty} *)({at}) {sign} {src}")
        }
        AtomicOp::Xchg => format!("{src} = xchg{suffix}({at}, {src})"),
        AtomicOp::CmpXchg => format!("{r0} = cmpxchg{suffix}({at}, {r0}, {src})"),
        _ => format!("{src} = atomic_fetch_{sign}(({ty} *)({at}), {src})"),
    })
}

/// The text of a 64-bit immediate, if both slots are well formed and the pseudo source is known.
fn wide_text(insn: &Insn, next: Option<&Insn>) -> Option<String> {
    if insn.op() != Some(Op::LoadImm64) {
        return None;
    }
    let next = next.filter(|n| n.is_second_slot())?;
    let (d, low, high) = (insn.dst, insn.imm, next.imm);
    match insn.src {
        0 => {
            let value = u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32;
            Some(format!("r{d} = {value:#x} ll"))
        }
        PSEUDO_MAP_FD if high == 0 => Some(format!("r{d} = map_fd {low}")),
        PSEUDO_MAP_VALUE => Some(format!("r{d} = map_value {low} {high}")),
        PSEUDO_FUNC if high == 0 => Some(format!("r{d} = func_pc {low:+}")),
        _ => None,
    }
}
