//! Takes one line's tokens, gives the instruction.
//!
//! Besides the kernel's syntax: `rN = map NAME`, `rN = data SYMBOL [+ N]`, `rN = func NAME`,
//! kernel fields in place of an offset (`*(u64 *)(r1 + file.f_path.mnt)`), and as an immediate
//! `offsetof(FIELD)`, `fieldsize(FIELD)`, `exists(FIELD or TYPE)`, `sizeof(TYPE)`, `typeid(TYPE)`.
//! Of the kernel's functions: `exists(kfunc NAME)`, `call kfunc NAME`, and in place of an offset
//! `argument(FUNCTION, STRUCT)`, where a hook's program finds an argument by its type. What the
//! disassembler prints for resolved operands parses too. Never knows labels' places.

use super::field::core_function;
use super::lex::Token;
use super::{CoreWhat, Question, RelocKind};
use crate::bpf::opcode::{ALU, ATOMIC, AluOp, AtomicOp, JUMP, Op, SIZES, Size};
use crate::bpf::{Insn, PSEUDO_CALL, PSEUDO_FUNC, PSEUDO_KFUNC, PSEUDO_MAP_FD, PSEUDO_MAP_VALUE, UNRESOLVED, helper_id};

/// A parsed instruction.
pub(super) struct Parsed<'t> {
    pub insn: Insn,
    /// the second slot of a 64-bit immediate
    pub second: Option<Insn>,
    pub reloc: Option<RelocKind>,
    /// the label that a jump goes to
    pub label: Option<&'t str>,
}

impl Parsed<'_> {
    fn plain(insn: Insn) -> Self {
        Parsed { insn, second: None, reloc: None, label: None }
    }

    fn core(insn: Insn, reloc: Option<RelocKind>) -> Self {
        Parsed { reloc, ..Parsed::plain(insn) }
    }

    fn wide(dst: u8, src: u8, low: i32, high: i32, reloc: Option<RelocKind>) -> Self {
        let [insn, second] = Insn::load_imm64(dst, src, low, high);
        Parsed { second: Some(second), reloc, ..Parsed::plain(insn) }
    }
}

pub(super) type Result<T> = std::result::Result<T, String>;

/// The instruction in `tokens`, all of which must be used.
pub(super) fn parse<'t>(tokens: &[Token<'t>]) -> Result<Parsed<'t>> {
    let mut p = Parser { tokens, at: 0 };
    let parsed = p.insn()?;
    match p.peek() {
        None => Ok(parsed),
        Some(t) => Err(format!("unexpected `{t}` after the instruction")),
    }
}

/// A register and whether it was written with its 64-bit name.
#[derive(Clone, Copy, PartialEq)]
struct Reg {
    n: u8,
    wide: bool,
}

fn register(word: &str) -> Option<Reg> {
    let (wide, n) = match *word.as_bytes() {
        [kind @ (b'r' | b'w'), digit @ b'0'..=b'9'] => (kind == b'r', digit - b'0'),
        [kind @ (b'r' | b'w'), b'1', b'0'] => (kind == b'r', 10),
        _ => return None,
    };
    Some(Reg { n, wide })
}

fn size(word: &str) -> Option<Size> {
    SIZES.iter().find(|r| r.2 == word).map(|r| r.0)
}

/// Where memory is accessed: register, offset, and the field if the offset is one's.
struct Place {
    size: Size,
    reg: u8,
    off: i16,
    core: Option<RelocKind>,
}

pub(super) struct Parser<'p, 't> {
    tokens: &'p [Token<'t>],
    pub(super) at: usize,
}

impl<'t> Parser<'_, 't> {
    pub(super) fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Result<Token<'t>> {
        let t = self.peek().ok_or("the instruction ends too early")?;
        self.at += 1;
        Ok(t)
    }

    pub(super) fn eat(&mut self, sign: &'static str) -> bool {
        let found = self.peek() == Some(Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(Token::Word(word));
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, sign: &'static str) -> Result<()> {
        let t = self.next()?;
        if t == Token::Sign(sign) { Ok(()) } else { Err(format!("expected `{sign}`, found `{t}`")) }
    }

    pub(super) fn word(&mut self) -> Result<&'t str> {
        match self.next()? {
            Token::Word(w) => Ok(w),
            t => Err(format!("expected a name, found `{t}`")),
        }
    }

    fn reg(&mut self) -> Result<Reg> {
        let t = self.next()?;
        match t {
            Token::Word(w) => register(w).ok_or(()),
            _ => Err(()),
        }
        .map_err(|()| format!("expected a register, found `{t}`"))
    }

    fn peek_reg(&self) -> Option<Reg> {
        match self.peek() {
            Some(Token::Word(w)) => register(w),
            _ => None,
        }
    }

    /// A number; `+ -8` and `- -8` are what an expression in the place of an offset may leave.
    pub(super) fn number(&mut self) -> Result<i128> {
        let mut negative = false;
        while let Some(Token::Sign(sign @ ("+" | "-"))) = self.peek() {
            negative ^= sign == "-";
            self.at += 1;
        }
        match self.next()? {
            Token::Number(n) => Ok(if negative { -i128::from(n) } else { i128::from(n) }),
            t => Err(format!("expected a number, found `{t}`")),
        }
    }

    /// A 32-bit immediate; where only 32 bits are used, an unsigned one may be written.
    fn imm(&mut self, unsigned: bool) -> Result<i32> {
        let n = self.number()?;
        if unsigned && let Ok(v) = u32::try_from(n) {
            return Ok(v.cast_signed());
        }
        i32::try_from(n).map_err(|_| format!("`{n}` does not fit the 32 bits of an immediate (they are sign-extended)"))
    }

    fn signed32(&mut self) -> Result<i32> {
        self.imm(false)
    }

    fn insn(&mut self) -> Result<Parsed<'t>> {
        if self.peek() == Some(Token::Sign("*")) {
            return self.store();
        }
        if let Some(reg) = self.peek_reg() {
            self.at += 1;
            return self.assign(reg);
        }
        let word = self.word()?;
        match word {
            "exit" => Ok(Parsed::plain(Insn::new(Op::Exit, 0, 0, 0, 0))),
            "goto" => self.jump(Insn::new(Op::Goto, 0, 0, 0, 0)),
            "if" => self.condition(),
            "call" => self.call(),
            "lock" => self.locked(),
            ".insn" => self.raw(),
            _ => Err(format!("there is no instruction, directive or macro `{word}`")),
        }
    }

    fn raw(&mut self) -> Result<Parsed<'t>> {
        let mut field = || self.number();
        let (code, dst, src, off, imm) = (field()?, field()?, field()?, field()?, field()?);
        let byte = |n: i128| u8::try_from(n).map_err(|_| format!("`{n}` is no byte"));
        Ok(Parsed::plain(Insn {
            code: byte(code)?,
            dst: byte(dst)? & 15,
            src: byte(src)? & 15,
            off: i16::try_from(off).map_err(|_| format!("`{off}` does not fit 16 bits"))?,
            imm: i32::try_from(imm).map_err(|_| format!("`{imm}` does not fit 32 bits"))?,
        }))
    }

    /// The target of a jump: a label or a relative `+N`.
    fn jump(&mut self, mut insn: Insn) -> Result<Parsed<'t>> {
        match self.peek() {
            Some(Token::Word(_)) => {
                let label = Some(self.word()?);
                Ok(Parsed { label, ..Parsed::plain(insn) })
            }
            Some(Token::Sign("+" | "-")) => {
                let off = self.number()?;
                insn.off = i16::try_from(off).map_err(|_| format!("the jump of {off} does not fit 16 bits"))?;
                Ok(Parsed::plain(insn))
            }
            _ => Err("expected a label after `goto`".to_owned()),
        }
    }

    fn condition(&mut self) -> Result<Parsed<'t>> {
        let dst = self.reg()?;
        let t = self.next()?;
        let row = JUMP.iter().find(|r| Token::Sign(r.2) == t);
        let op = row.ok_or_else(|| format!("`{t}` is no comparison of a jump"))?.0;
        let insn = if let Some(src) = self.peek_reg() {
            self.at += 1;
            same_width(dst, src)?;
            Insn::new(Op::Jump { op, wide: dst.wide, reg: true }, dst.n, src.n, 0, 0)
        } else {
            let imm = self.imm(!dst.wide)?;
            Insn::new(Op::Jump { op, wide: dst.wide, reg: false }, dst.n, 0, 0, imm)
        };
        match self.word()? {
            "goto" => self.jump(insn),
            w => Err(format!("expected `goto`, found `{w}`")),
        }
    }

    fn call(&mut self) -> Result<Parsed<'t>> {
        let insn = |src, imm| Insn::new(Op::Call, 0, src, 0, imm);
        if let Some(Token::Number(_)) | Some(Token::Sign("-")) = self.peek() {
            return Ok(Parsed::plain(insn(0, self.signed32()?)));
        }
        let name = self.word()?;
        if name == "pc" && matches!(self.peek(), Some(Token::Sign("+" | "-"))) {
            return Ok(Parsed::plain(insn(PSEUDO_CALL, self.signed32()?)));
        }
        if name == "kfunc" {
            if let Some(Token::Number(_) | Token::Sign("-")) = self.peek() {
                return Ok(Parsed::plain(insn(PSEUDO_KFUNC, self.signed32()?)));
            }
            let function = self.word()?.to_owned();
            return Ok(Parsed::core(insn(PSEUDO_KFUNC, 0), Some(RelocKind::Kernel { function, question: Question::Id })));
        }
        if let Some(id) = helper_id(name) {
            return Ok(Parsed::plain(insn(0, id)));
        }
        Ok(Parsed::core(insn(PSEUDO_CALL, UNRESOLVED), Some(RelocKind::Call(name.to_owned()))))
    }

    /// `*(SIZE *)(REG + OFFSET)`, from its `*` or, for atomics, from its `(`.
    fn place(&mut self) -> Result<Place> {
        let size = self.pointer_type()?;
        self.expect("(")?;
        let place = self.address(size)?;
        self.expect(")")?;
        Ok(place)
    }

    fn pointer_type(&mut self) -> Result<Size> {
        self.expect("(")?;
        let word = self.word()?;
        let size = size(word).ok_or_else(|| format!("`{word}` is no size: `u8`, `u16`, `u32`, `u64`"))?;
        self.expect("*")?;
        self.expect(")")?;
        Ok(size)
    }

    /// `REG + OFFSET` or `REG + FIELD`.
    fn address(&mut self, size: Size) -> Result<Place> {
        let reg = self.reg()?;
        if !reg.wide {
            return Err(format!("an address needs the 64-bit register `r{}`", reg.n));
        }
        let mut place = Place { size, reg: reg.n, off: 0, core: None };
        match self.peek() {
            Some(Token::Sign("+" | "-")) => {}
            _ => return Ok(place),
        }
        if let Some(Token::Word(_)) = self.tokens.get(self.at + 1) {
            self.expect("+")?;
            if self.eat_word("argument") {
                place.core = Some(self.argument()?);
                return Ok(place);
            }
            let path = self.field()?.into();
            place.core = Some(RelocKind::Core { path, what: CoreWhat::Offset });
            return Ok(place);
        }
        let off = self.number()?;
        place.off = i16::try_from(off).map_err(|_| format!("the offset {off} does not fit 16 bits"))?;
        Ok(place)
    }

    fn store(&mut self) -> Result<Parsed<'t>> {
        self.expect("*")?;
        let place = self.place()?;
        self.expect("=")?;
        if let Some(src) = self.peek_reg() {
            self.at += 1;
            if place.size == Size::DW && !src.wide {
                return Err(format!("8 bytes need the 64-bit register `r{}`", src.n));
            }
            let insn = Insn::new(Op::StoreReg(place.size), place.reg, src.n, place.off, 0);
            return Ok(Parsed::core(insn, place.core));
        }
        let imm = self.imm(place.size != Size::DW)?;
        Ok(Parsed::core(Insn::new(Op::StoreImm(place.size), place.reg, 0, place.off, imm), place.core))
    }

    fn locked(&mut self) -> Result<Parsed<'t>> {
        self.expect("*")?;
        let place = self.place()?;
        let t = self.next()?;
        let row = ATOMIC.iter().find(|r| Token::Sign(r.2) == t);
        let op = row.ok_or_else(|| format!("`{t}` is no atomic operation: `+=`, `|=`, `&=`, `^=`"))?.0;
        let src = self.reg()?;
        atomic(place, op, src)
    }

    fn assign(&mut self, dst: Reg) -> Result<Parsed<'t>> {
        let t = self.next()?;
        let row = ALU.iter().find(|r| Token::Sign(r.2) == t);
        let op = row.ok_or_else(|| format!("expected `=` or an operation, found `{t}`"))?.0;
        if op == AluOp::Mov
            && let Some(special) = self.special_source(dst)?
        {
            return Ok(special);
        }
        self.alu(op, dst)
    }

    fn alu(&mut self, op: AluOp, dst: Reg) -> Result<Parsed<'t>> {
        if let Some(src) = self.peek_reg() {
            self.at += 1;
            same_width(dst, src)?;
            return Ok(Parsed::plain(Insn::new(Op::Alu { op, wide: dst.wide, reg: true }, dst.n, src.n, 0, 0)));
        }
        let insn = |imm| Insn::new(Op::Alu { op, wide: dst.wide, reg: false }, dst.n, 0, 0, imm);
        if let Some(Token::Word(w)) = self.peek() {
            let what = core_function(w).ok_or_else(|| format!("`{w}` is no operand"))?;
            self.at += 1;
            return Ok(Parsed::core(insn(0), Some(self.core_operand(what)?)));
        }
        if op == AluOp::Mov && dst.wide {
            return self.constant(dst);
        }
        Ok(Parsed::plain(insn(self.imm(!dst.wide)?)))
    }

    /// `= NUMBER` or `= NUMBER ll`.
    fn constant(&mut self, dst: Reg) -> Result<Parsed<'t>> {
        let n = self.number()?;
        if self.peek() == Some(Token::Word("ll")) {
            self.at += 1;
            let bits = u64::try_from(n).ok().or_else(|| i64::try_from(n).ok().map(i64::cast_unsigned));
            let bits = bits.ok_or_else(|| format!("`{n}` does not fit 64 bits"))?;
            let half = |v: u64| u32::try_from(v & 0xffff_ffff).unwrap_or_default().cast_signed();
            return Ok(Parsed::wide(dst.n, 0, half(bits), half(bits >> 32), None));
        }
        let imm = i32::try_from(n).map_err(|_| format!("`{n}` does not fit 32 bits; write `{n} ll`"))?;
        let op = Op::Alu { op: AluOp::Mov, wide: true, reg: false };
        Ok(Parsed::plain(Insn::new(op, dst.n, 0, 0, imm)))
    }

    /// What only `=` can have on its right: memory, symbols, byte order, negation, atomics.
    fn special_source(&mut self, dst: Reg) -> Result<Option<Parsed<'t>>> {
        let start = self.at;
        let token = self.next()?;
        match token {
            Token::Sign("*") => {
                let place = self.place()?;
                if place.size == Size::DW && !dst.wide {
                    return Err(format!("8 bytes need the 64-bit register `r{}`", dst.n));
                }
                let insn = Insn::new(Op::Load(place.size), dst.n, place.reg, place.off, 0);
                return Ok(Some(Parsed::core(insn, place.core)));
            }
            Token::Sign("-") => {
                if let Some(src) = self.peek_reg() {
                    self.at += 1;
                    if src != dst {
                        return Err("a negation is of one register: `r1 = -r1`".to_owned());
                    }
                    let op = Op::Alu { op: AluOp::Neg, wide: dst.wide, reg: false };
                    return Ok(Some(Parsed::plain(Insn::new(op, dst.n, 0, 0, 0))));
                }
            }
            Token::Word(w) => {
                if let Some(parsed) = self.named_source(dst, w)? {
                    return Ok(Some(parsed));
                }
            }
            _ => {}
        }
        self.at = start;
        Ok(None)
    }

    fn named_source(&mut self, dst: Reg, word: &str) -> Result<Option<Parsed<'t>>> {
        if let Some(bits) = word.strip_prefix("be").or_else(|| word.strip_prefix("le"))
            && let Ok(bits @ (16 | 32 | 64)) = bits.parse::<i32>()
        {
            let src = self.reg()?;
            if src.n != dst.n {
                return Err("byte order is changed in one register: `r1 = be16 r1`".to_owned());
            }
            let op = Op::Swap { big: word.starts_with("be") };
            return Ok(Some(Parsed::plain(Insn::new(op, dst.n, 0, 0, bits))));
        }
        if let Some(op) = atomic_name(word) {
            return self.fetch(dst, op, word).map(Some);
        }
        if !matches!(word, "map" | "data" | "func" | "map_fd" | "map_value" | "func_pc") {
            return Ok(None);
        }
        if !dst.wide {
            return Err(format!("an address needs the 64-bit register `r{}`", dst.n));
        }
        let wide = |src, low, high, reloc| Parsed::wide(dst.n, src, low, high, reloc);
        Ok(Some(match word {
            "map" => wide(PSEUDO_MAP_FD, 0, 0, Some(RelocKind::Map(self.word()?.to_owned()))),
            "data" => {
                let symbol = self.word()?.to_owned();
                let signed = matches!(self.peek(), Some(Token::Sign("+" | "-")));
                let addend = if signed { i64::from(self.signed32()?) } else { 0 };
                wide(PSEUDO_MAP_VALUE, 0, 0, Some(RelocKind::Data { symbol, addend }))
            }
            "func" => wide(PSEUDO_FUNC, UNRESOLVED, 0, Some(RelocKind::Func(self.word()?.to_owned()))),
            "map_fd" => wide(PSEUDO_MAP_FD, self.signed32()?, 0, None),
            "func_pc" => wide(PSEUDO_FUNC, self.signed32()?, 0, None),
            _ => wide(PSEUDO_MAP_VALUE, self.signed32()?, self.signed32()?, None),
        }))
    }

    /// `atomic_fetch_OP((SIZE *)(PLACE), REG)`, `xchg_64(PLACE, REG)`, `cmpxchg_64(PLACE, r0, REG)`.
    fn fetch(&mut self, dst: Reg, op: AtomicOp, word: &str) -> Result<Parsed<'t>> {
        self.expect("(")?;
        let exchange = matches!(op, AtomicOp::Xchg | AtomicOp::CmpXchg);
        let place = if exchange {
            let size = if word.ends_with("64") { Size::DW } else { Size::W };
            self.address(size)?
        } else {
            self.place()?
        };
        self.expect(",")?;
        let result = self.reg()?;
        if op == AtomicOp::CmpXchg {
            if result.n != 0 {
                return Err("`cmpxchg` compares with r0".to_owned());
            }
            self.expect(",")?;
            let src = self.reg()?;
            self.expect(")")?;
            if dst != result {
                return Err("`cmpxchg` leaves the old value in r0".to_owned());
            }
            return atomic(place, op, src);
        }
        self.expect(")")?;
        if dst != result {
            return Err("the old value goes to the source register: `r2 = xchg_64(r1 + 0, r2)`".to_owned());
        }
        atomic(place, op, result)
    }
}

fn same_width(a: Reg, b: Reg) -> Result<()> {
    if a.wide == b.wide { Ok(()) } else { Err("both registers have to be 64-bit (`r`) or both 32-bit (`w`)".to_owned()) }
}

/// The atomic operation of a call-like word, in LLVM's or the kernel's spelling.
fn atomic_name(word: &str) -> Option<AtomicOp> {
    match word {
        "xchg_64" | "xchg32_32" | "xchg_32" => return Some(AtomicOp::Xchg),
        "cmpxchg_64" | "cmpxchg32_32" | "cmpxchg_32" => return Some(AtomicOp::CmpXchg),
        _ => {}
    }
    let op = word.strip_prefix("atomic_fetch_").or_else(|| word.strip_prefix("atomic64_fetch_"))?;
    ATOMIC.iter().find(|r| r.2 == op && r.1 & 1 != 0).map(|r| r.0)
}

fn atomic<'t>(place: Place, op: AtomicOp, src: Reg) -> Result<Parsed<'t>> {
    match (place.size, src.wide) {
        (Size::DW, true) | (Size::W, _) => {}
        (Size::DW, false) => return Err(format!("8 bytes need the 64-bit register `r{}`", src.n)),
        _ => return Err("an atomic operation is on `u32` or `u64`".to_owned()),
    }
    let insn = Insn::new(Op::Atomic(place.size), place.reg, src.n, place.off, op.row().1);
    Ok(Parsed::core(insn, place.core))
}
