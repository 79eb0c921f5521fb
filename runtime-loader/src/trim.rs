//! Takes a linked program, leaves out what it can never reach on this kernel: the ways for other kernels, which a constant that
//! was put in at load decides. The kernel's verifier would do the same, one gap at a time, each by moving all that follows.

use crate::error::Result;
use crate::object::ObjectProgram;
use crate::policy::invalid;

/// Bytes of an instruction, of a record of `func_info` and of one of `line_info` (include/uapi/linux/bpf.h).
const INSN: usize = 8;
const FUNC_INFO: usize = 8;
const LINE_INFO: usize = 16;

const MOV_IMM: u8 = 0xb7;
const LOAD_IMM64: u8 = 0x18;
const JUMP: u8 = 0x05;
const JUMP_IF_ZERO: u8 = 0x15;
const JUMP_IF_NOT_ZERO: u8 = 0x55;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
/// A jump whose distance is in the immediate, which the compiler does not write.
const LONG_JUMP: u8 = 0x06;
const CLASS: u8 = 7;
const CLASS_JMP: u8 = 5;
const CLASS_JMP32: u8 = 6;
/// Sources of a call and of a load: a function of the program.
const PSEUDO_CALL: u8 = 1;
const PSEUDO_FUNC: u8 = 4;

#[derive(Clone, Copy)]
struct Insn {
    code: u8,
    registers: u8,
    off: i16,
    imm: i32,
}

impl Insn {
    fn source(self) -> u8 {
        self.registers >> 4
    }

    /// Where it may go besides to the next one, as a distance from the next one.
    fn jump(self) -> Option<i64> {
        let jumps = matches!(self.code & CLASS, CLASS_JMP | CLASS_JMP32) && !matches!(self.code, CALL | EXIT);
        jumps.then_some(i64::from(self.off))
    }

    /// Which function it calls or names, as a distance from the next one.
    fn function(self) -> Option<i64> {
        let function = matches!((self.code, self.source()), (CALL, PSEUDO_CALL) | (LOAD_IMM64, PSEUDO_FUNC));
        function.then_some(i64::from(self.imm))
    }

    fn ends(self) -> bool {
        matches!(self.code, JUMP | EXIT)
    }
}

/// Trims a program.
///
/// # Errors
/// A jump or a record leads out of the program.
pub fn trim(program: &mut ObjectProgram) -> Result<()> {
    let trimmed = trimmed(program).ok_or_else(|| invalid(format!("the program `{}` leads out of its code", program.name)))?;
    *program = trimmed;
    Ok(())
}

fn trimmed(program: &ObjectProgram) -> Option<ObjectProgram> {
    let mut code: Vec<Insn> = program.instructions.chunks_exact(INSN).map(decode).collect::<Option<_>>()?;
    if code.iter().any(|insn| insn.code == LONG_JUMP) {
        return None;
    }
    decide(&mut code)?;
    let mut kept = reached(&code)?;
    skip_empty_jumps(&code, &mut kept)?;
    // the new place of each instruction, or of the next one that stays
    let mut places = Vec::with_capacity(code.len() + 1);
    let mut next = 0u32;
    for kept in kept.iter().chain([&false]) {
        places.push(next);
        next += u32::from(*kept);
    }
    let mut instructions = Vec::with_capacity(program.instructions.len());
    for (at, insn) in code.iter().enumerate().filter(|(at, _)| kept.get(*at) == Some(&true)) {
        let distance = |far: i64| Some(i64::from(*places.get(target(at, far)?)?) - i64::from(*places.get(at)?) - 1);
        let mut insn = *insn;
        if let Some(far) = insn.jump() {
            insn.off = distance(far)?.try_into().ok()?;
        }
        if let Some(far) = insn.function() {
            insn.imm = distance(far)?.try_into().ok()?;
        }
        instructions.extend(encode(insn));
    }
    Some(ObjectProgram {
        instructions,
        func_info: records(&program.func_info, FUNC_INFO, &places)?,
        line_info: records(&program.line_info, LINE_INFO, &places)?,
        ..program.clone()
    })
}

fn decode(bytes: &[u8]) -> Option<Insn> {
    let [code, registers, o0, o1, i0, i1, i2, i3] = bytes.try_into().ok()?;
    Some(Insn { code, registers, off: i16::from_le_bytes([o0, o1]), imm: i32::from_le_bytes([i0, i1, i2, i3]) })
}

fn encode(insn: Insn) -> [u8; INSN] {
    let ([o0, o1], [i0, i1, i2, i3]) = (insn.off.to_le_bytes(), insn.imm.to_le_bytes());
    [insn.code, insn.registers, o0, o1, i0, i1, i2, i3]
}

fn target(at: usize, far: i64) -> Option<usize> {
    usize::try_from(i64::try_from(at).ok()? + 1 + far).ok()
}

/// Turns each comparison of a constant that was just loaded with zero into a jump, or into one to the next instruction.
fn decide(code: &mut [Insn]) -> Option<()> {
    let mut joined = vec![false; code.len()];
    for (at, insn) in code.iter().enumerate() {
        if let Some(far) = insn.jump() {
            *joined.get_mut(target(at, far)?)? = true;
        }
    }
    for at in 1..code.len() {
        let (constant, test) = (*code.get(at - 1)?, *code.get(at)?);
        let same = constant.registers & 15 == test.registers & 15 && constant.code == MOV_IMM && test.imm == 0;
        if !same || *joined.get(at)? {
            continue;
        }
        let taken = match test.code {
            JUMP_IF_ZERO => constant.imm == 0,
            JUMP_IF_NOT_ZERO => constant.imm != 0,
            _ => continue,
        };
        *code.get_mut(at)? = Insn { code: JUMP, registers: 0, off: if taken { test.off } else { 0 }, imm: 0 };
    }
    Some(())
}

/// Which instructions the program can reach.
fn reached(code: &[Insn]) -> Option<Vec<bool>> {
    let mut reached = vec![false; code.len()];
    let mut waiting = vec![0];
    while let Some(mut at) = waiting.pop() {
        loop {
            let seen = reached.get_mut(at)?;
            if std::mem::replace(seen, true) {
                break;
            }
            let insn = *code.get(at)?;
            for far in insn.jump().into_iter().chain(insn.function()) {
                waiting.push(target(at, far)?);
            }
            if insn.ends() {
                break;
            }
            if insn.code == LOAD_IMM64 {
                at += 1;
                *reached.get_mut(at)? = true;
            }
            at += 1;
        }
    }
    Some(reached)
}

/// A jump over nothing but what goes, goes too.
fn skip_empty_jumps(code: &[Insn], kept: &mut [bool]) -> Option<()> {
    for at in (0..code.len()).rev() {
        let insn = *code.get(at)?;
        if insn.code != JUMP || insn.off < 0 || !*kept.get(at)? {
            continue;
        }
        if kept.get(at + 1..target(at, insn.off.into())?)?.iter().all(|kept| !kept) {
            *kept.get_mut(at)? = false;
        }
    }
    Some(())
}

/// The records that say something of an instruction that stays, by the new places. A record holds up to the next one.
fn records(bytes: &[u8], size: usize, places: &[u32]) -> Option<Vec<u8>> {
    let offset = |record: &[u8]| Some(u32::from_le_bytes(record.get(..4)?.try_into().ok()?) as usize);
    let mut kept = Vec::with_capacity(bytes.len());
    let mut all = bytes.chunks_exact(size).peekable();
    while let Some(record) = all.next() {
        let end = all.peek().map_or(Some(places.len() - 1), |next| offset(next))?;
        let (from, to) = (places.get(offset(record)?)?, places.get(end)?);
        if from < to {
            kept.extend(from.to_le_bytes());
            kept.extend(record.get(4..)?);
        }
    }
    Some(kept)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::sys::ProgKind;

    fn insn(code: u8, registers: u8, off: i16, imm: i32) -> [u8; INSN] {
        encode(Insn { code, registers, off, imm })
    }

    fn program(code: &[[u8; INSN]], functions: &[u32], lines: &[u32]) -> ObjectProgram {
        let records = |offsets: &[u32], size: usize| {
            offsets.iter().enumerate().flat_map(|(i, at)| [at.to_le_bytes().to_vec(), vec![i as u8; size - 4]].concat()).collect()
        };
        ObjectProgram {
            name: "p".into(),
            kind: ProgKind::Lsm,
            license: c"GPL".into(),
            instructions: code.concat(),
            func_info: records(functions, FUNC_INFO),
            line_info: records(lines, LINE_INFO),
        }
    }

    fn offsets(records: &[u8], size: usize) -> Vec<(u32, u8)> {
        records.chunks(size).map(|r| (u32::from_le_bytes(r[..4].try_into().unwrap()), r[4])).collect()
    }

    /// `r1 = constant; if r1 == 0 goto old; r0 = 1; goto done; old: call old_way; done: r2 = func callback; exit`, then `old_way`
    /// and `callback`.
    fn two_ways(constant: i32) -> ObjectProgram {
        let code = [
            insn(MOV_IMM, 1, 0, constant),
            insn(JUMP_IF_ZERO, 1, 2, 0),
            insn(MOV_IMM, 0, 0, 1),
            insn(JUMP, 0, 1, 0),
            insn(CALL, PSEUDO_CALL << 4, 0, 3),
            insn(LOAD_IMM64, 2 | PSEUDO_FUNC << 4, 0, 4),
            insn(0, 0, 0, 0),
            insn(EXIT, 0, 0, 0),
            insn(MOV_IMM, 0, 0, 2),
            insn(EXIT, 0, 0, 0),
            insn(MOV_IMM, 0, 0, 3),
            insn(EXIT, 0, 0, 0),
        ];
        program(&code, &[0, 8, 10], &[0, 2, 4, 5, 8, 9, 10])
    }

    #[test]
    fn the_way_of_another_kernel_goes_with_its_functions_and_lines() {
        let new = trimmed(&two_ways(1)).unwrap();
        let code = [
            insn(MOV_IMM, 1, 0, 1),
            insn(MOV_IMM, 0, 0, 1),
            insn(LOAD_IMM64, 2 | PSEUDO_FUNC << 4, 0, 2),
            insn(0, 0, 0, 0),
            insn(EXIT, 0, 0, 0),
            insn(MOV_IMM, 0, 0, 3),
            insn(EXIT, 0, 0, 0),
        ];
        assert_eq!(new.instructions, code.concat());
        assert_eq!(offsets(&new.func_info, FUNC_INFO), [(0, 0), (5, 2)]);
        assert_eq!(offsets(&new.line_info, LINE_INFO), [(0, 0), (1, 1), (2, 3), (5, 6)]);
        let old = trimmed(&two_ways(0)).unwrap();
        assert_eq!(offsets(&old.func_info, FUNC_INFO), [(0, 0), (5, 1), (7, 2)]);
        assert_eq!(old.instructions[8..16], insn(CALL, PSEUDO_CALL << 4, 0, 3));
        assert_eq!(old.instructions[16..24], insn(LOAD_IMM64, 2 | PSEUDO_FUNC << 4, 0, 4));
    }

    #[test]
    fn what_may_be_reached_with_another_value_stays() {
        // another jump comes to the comparison
        let code =
            [insn(JUMP_IF_ZERO, 3, 1, 0), insn(MOV_IMM, 1, 0, 0), insn(JUMP_IF_ZERO, 1, 1, 0), insn(MOV_IMM, 0, 0, 1), insn(EXIT, 0, 0, 0)];
        let all = program(&code, &[0], &[0]);
        assert_eq!(trimmed(&all).unwrap(), all);
        // another register is compared
        let other = program(&[insn(MOV_IMM, 1, 0, 0), insn(JUMP_IF_ZERO, 2, 0, 0), insn(EXIT, 0, 0, 0)], &[0], &[0]);
        assert_eq!(trimmed(&other).unwrap(), other);
    }

    #[test]
    fn what_leads_out_of_the_code_is_refused() {
        for code in [
            vec![insn(JUMP, 0, 5, 0), insn(EXIT, 0, 0, 0)],
            vec![insn(JUMP, 0, -3, 0), insn(EXIT, 0, 0, 0)],
            vec![insn(CALL, PSEUDO_CALL << 4, 0, 9), insn(EXIT, 0, 0, 0)],
            vec![insn(MOV_IMM, 0, 0, 0)],
            vec![insn(LONG_JUMP, 0, 0, 0), insn(EXIT, 0, 0, 0)],
            vec![],
        ] {
            assert_eq!(trimmed(&program(&code, &[0], &[0])), None);
        }
        let records = program(&[insn(EXIT, 0, 0, 0)], &[7], &[]);
        assert_eq!(trimmed(&records), None);
    }
}
