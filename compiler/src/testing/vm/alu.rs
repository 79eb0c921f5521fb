//! Takes an operation and its operands, gives the result as the kernel's interpreter does. Never touches registers.

use crate::bpf::opcode::{AluOp, AtomicOp, JmpOp};

/// The result of `dst OP src`, zero-extended for 32-bit operations.
pub fn alu(op: AluOp, wide: bool, dst: u64, src: u64) -> u64 {
    if wide { alu64(op, dst, src) } else { u64::from(alu32(op, dst as u32, src as u32)) }
}

fn alu64(op: AluOp, a: u64, b: u64) -> u64 {
    match op {
        AluOp::Add => a.wrapping_add(b),
        AluOp::Sub => a.wrapping_sub(b),
        AluOp::Mul => a.wrapping_mul(b),
        AluOp::Div => a.checked_div(b).unwrap_or(0),
        AluOp::Or => a | b,
        AluOp::And => a & b,
        AluOp::Lsh => a.wrapping_shl(b as u32),
        AluOp::Rsh => a.wrapping_shr(b as u32),
        AluOp::Neg => a.wrapping_neg(),
        AluOp::Mod => a.checked_rem(b).unwrap_or(a),
        AluOp::Xor => a ^ b,
        AluOp::Mov => b,
        AluOp::Arsh => a.cast_signed().wrapping_shr(b as u32).cast_unsigned(),
    }
}

fn alu32(op: AluOp, a: u32, b: u32) -> u32 {
    match op {
        AluOp::Add => a.wrapping_add(b),
        AluOp::Sub => a.wrapping_sub(b),
        AluOp::Mul => a.wrapping_mul(b),
        AluOp::Div => a.checked_div(b).unwrap_or(0),
        AluOp::Or => a | b,
        AluOp::And => a & b,
        AluOp::Lsh => a.wrapping_shl(b),
        AluOp::Rsh => a.wrapping_shr(b),
        AluOp::Neg => a.wrapping_neg(),
        AluOp::Mod => a.checked_rem(b).unwrap_or(a),
        AluOp::Xor => a ^ b,
        AluOp::Mov => b,
        AluOp::Arsh => a.cast_signed().wrapping_shr(b).cast_unsigned(),
    }
}

/// Whether the condition holds.
pub fn holds(op: JmpOp, wide: bool, a: u64, b: u64) -> bool {
    // A 32-bit comparison is the 64-bit one of operands extended by their kind.
    let (a, b) = if wide { (a, b) } else { (a & 0xffff_ffff, b & 0xffff_ffff) };
    let signed = |v: u64| if wide { v.cast_signed() } else { i64::from((v as u32).cast_signed()) };
    match op {
        JmpOp::Eq => a == b,
        JmpOp::Gt => a > b,
        JmpOp::Ge => a >= b,
        JmpOp::Set => a & b != 0,
        JmpOp::Ne => a != b,
        JmpOp::Sgt => signed(a) > signed(b),
        JmpOp::Sge => signed(a) >= signed(b),
        JmpOp::Lt => a < b,
        JmpOp::Le => a <= b,
        JmpOp::Slt => signed(a) < signed(b),
        JmpOp::Sle => signed(a) <= signed(b),
    }
}

/// The value in the byte order of `big`, truncated to `bits`.
pub fn swap(big: bool, bits: i32, v: u64) -> u64 {
    match (bits, big) {
        (16, true) => u64::from((v as u16).swap_bytes()),
        (32, true) => u64::from((v as u32).swap_bytes()),
        (64, true) => v.swap_bytes(),
        (16, false) => u64::from(v as u16),
        (32, false) => u64::from(v as u32),
        _ => v,
    }
}

/// What memory holds after an atomic operation (`r0` is what a compare-and-exchange expects).
pub fn atomic(op: AtomicOp, old: u64, src: u64, r0: u64) -> u64 {
    match op {
        AtomicOp::Add | AtomicOp::FetchAdd => old.wrapping_add(src),
        AtomicOp::Or | AtomicOp::FetchOr => old | src,
        AtomicOp::And | AtomicOp::FetchAnd => old & src,
        AtomicOp::Xor | AtomicOp::FetchXor => old ^ src,
        AtomicOp::Xchg => src,
        AtomicOp::CmpXchg if old == r0 => src,
        AtomicOp::CmpXchg => old,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_zero_and_widths() {
        assert_eq!(alu(AluOp::Div, true, 7, 0), 0);
        assert_eq!(alu(AluOp::Mod, true, 7, 0), 7);
        assert_eq!(alu(AluOp::Mod, false, 0x1_0000_0007, 0), 7);
        assert_eq!(alu(AluOp::Add, false, 0xffff_ffff, 1), 0);
        assert_eq!(alu(AluOp::Arsh, false, 0x8000_0000, 31), 0xffff_ffff);
        assert_eq!(alu(AluOp::Lsh, true, 1, 65), 2);
        assert_eq!(alu(AluOp::Neg, false, 1, 0), 0xffff_ffff);
    }

    #[test]
    fn comparisons_by_width_and_sign() {
        let minus = (-1i64).cast_unsigned();
        assert!(holds(JmpOp::Slt, true, minus, 0) && !holds(JmpOp::Lt, true, minus, 0));
        assert!(holds(JmpOp::Slt, false, 0xffff_ffff, 0) && holds(JmpOp::Eq, false, 1 << 32, 0));
        assert_eq!((swap(true, 16, 0x1234_5678), swap(false, 16, 0x1234_5678)), (0x7856, 0x5678));
    }
}
