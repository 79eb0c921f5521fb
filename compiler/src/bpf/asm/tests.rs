#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! The assembler against known encodings, its own printer, and mistakes.

use super::*;
use crate::bpf::{self, disasm, opcode};
use proptest::prelude::*;

fn body(text: &str) -> Func {
    with(text, &Params::new())
}

fn with(text: &str, params: &Params) -> Func {
    let text = format!(".func f static\n{text}");
    match assemble(&[("t.s", &text)], params) {
        Ok(unit) => unit.funcs.into_iter().next().unwrap(),
        Err(errors) => panic!("{}\n{text}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

fn error(text: &str) -> String {
    let errors = assemble(&[("t.s", text)], &Params::new()).expect_err(text);
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Each line and the bytes that LLVM gives for it.
const KNOWN: &[(&str, &[u8])] = &[
    ("r1 = r2", &[0xbf, 0x21, 0, 0, 0, 0, 0, 0]),
    ("w1 = w2", &[0xbc, 0x21, 0, 0, 0, 0, 0, 0]),
    ("r1 = 5", &[0xb7, 0x01, 0, 0, 5, 0, 0, 0]),
    ("r1 += r2", &[0x0f, 0x21, 0, 0, 0, 0, 0, 0]),
    ("w3 &= 7", &[0x54, 0x03, 0, 0, 7, 0, 0, 0]),
    ("r1 s>>= 3", &[0xc7, 0x01, 0, 0, 3, 0, 0, 0]),
    ("r1 = -r1", &[0x87, 0x01, 0, 0, 0, 0, 0, 0]),
    ("r1 = be16 r1", &[0xdc, 0x01, 0, 0, 16, 0, 0, 0]),
    ("r1 %= 3", &[0x97, 0x01, 0, 0, 3, 0, 0, 0]),
    ("r1 = 0x123456789abcdef0 ll", &[0x18, 1, 0, 0, 0xf0, 0xde, 0xbc, 0x9a, 0, 0, 0, 0, 0x78, 0x56, 0x34, 0x12]),
    ("r1 = -1 ll", &[0x18, 1, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255]),
    ("r1 = *(u64 *)(r6 + 8)", &[0x79, 0x61, 8, 0, 0, 0, 0, 0]),
    ("w1 = *(u8 *)(r6 + -1)", &[0x71, 0x61, 0xff, 0xff, 0, 0, 0, 0]),
    ("*(u32 *)(r10 - 4) = r1", &[0x63, 0x1a, 0xfc, 0xff, 0, 0, 0, 0]),
    ("*(u32 *)(r10 - 4) = 0", &[0x62, 0x0a, 0xfc, 0xff, 0, 0, 0, 0]),
    ("lock *(u64 *)(r1 + 0) += r2", &[0xdb, 0x21, 0, 0, 0, 0, 0, 0]),
    ("r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)", &[0xdb, 0x21, 0, 0, 1, 0, 0, 0]),
    ("w2 = atomic_fetch_xor((u32 *)(r1 + 4), w2)", &[0xc3, 0x21, 4, 0, 0xa1, 0, 0, 0]),
    ("r0 = cmpxchg_64(r1 + 0, r0, r2)", &[0xdb, 0x21, 0, 0, 0xf1, 0, 0, 0]),
    ("w0 = cmpxchg32_32(r1 + 0, w0, w2)", &[0xc3, 0x21, 0, 0, 0xf1, 0, 0, 0]),
    ("r2 = xchg_64(r1 + 0, r2)", &[0xdb, 0x21, 0, 0, 0xe1, 0, 0, 0]),
    ("if r1 == 0 goto +1", &[0x15, 0x01, 1, 0, 0, 0, 0, 0]),
    ("if w1 s> w2 goto -1", &[0x6e, 0x21, 255, 255, 0, 0, 0, 0]),
    ("if r1 & 4 goto +0", &[0x45, 0x01, 0, 0, 4, 0, 0, 0]),
    ("goto +2", &[0x05, 0, 2, 0, 0, 0, 0, 0]),
    ("call bpf_map_lookup_elem", &[0x85, 0, 0, 0, 1, 0, 0, 0]),
    ("call bpf_loop", &[0x85, 0, 0, 0, 181, 0, 0, 0]),
    ("exit", &[0x95, 0, 0, 0, 0, 0, 0, 0]),
];

#[test]
fn known_encodings() {
    for (text, bytes) in KNOWN {
        assert_eq!(bpf::encode(&body(text).insns), *bytes, "{text}");
        assert_eq!(bpf::encode(&body(&disasm(&body(text).insns)).insns), *bytes, "{text} printed and read");
    }
}

#[test]
fn labels_jump_both_ways_and_over_wide_immediates() {
    let f = body("top: r1 = 1 ll\nif r1 > 3 goto end\ngoto top\nend:\nexit");
    assert_eq!((f.insns[2].off, f.insns[3].off), (1, -4));
    assert_eq!(disasm(&f.insns), "L0:\n    r1 = 0x1 ll\n    if r1 > 3 goto L4\n    goto L0\nL4:\n    exit\n");
}

#[test]
fn symbols_become_relocations() {
    let f = body("r1 = map counts\nr2 = data tbl + 16\nr3 = func g\ncall g\nexit\n.func g static\nexit");
    let kinds: Vec<_> = f.relocs.iter().map(|r| (r.insn_index, r.kind.clone())).collect();
    assert_eq!(
        kinds,
        [
            (0, RelocKind::Map("counts".into())),
            (2, RelocKind::Data { symbol: "tbl".into(), addend: 16 }),
            (4, RelocKind::Func("g".into())),
            (6, RelocKind::Call("g".into())),
        ]
    );
    assert_eq!(f.insns.iter().map(|i| i.src).collect::<Vec<_>>(), [1, 0, 2, 0, 4, 0, 1, 0]);
    assert_eq!((f.insns[4].imm, f.insns[6].imm), (-1, -1));
}

#[test]
fn kernel_fields_by_name() {
    let f = body(
        "r2 = *(u64 *)(r1 + file.f_path.mnt)\nr1 += offsetof(file.f_path)\nw1 = exists(dentry.d_iname)\n\
         r1 = sizeof(dentry)\nr1 = fieldsize(dentry.d_iname)\n*(u8 *)(r1 + dentry.d_iname[8]) = 0\n\
         r1 = *(u64 *)(r1 + a.b[2].c[3].d.e)\nr1 = exists(dentry)\n",
    );
    let got: Vec<String> = f
        .relocs
        .iter()
        .map(|r| match &r.kind {
            RelocKind::Core { path, what } => format!("{} {what:?} {path}", r.insn_index),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        got,
        [
            "0 Offset file.f_path.mnt",
            "1 Offset file.f_path",
            "2 Exists dentry.d_iname",
            "3 TypeSize dentry",
            "4 Size dentry.d_iname",
            "5 Offset dentry.d_iname[8]",
            "6 Offset a.b[2].c[3].d.e",
            "7 TypeExists dentry",
        ]
    );
}

#[test]
fn repetition_arithmetic_and_parameters() {
    let params = Params::from([("N".into(), Value::Int(3)), ("REG".into(), "r7".into()), ("M".into(), "N*2".into())]);
    let f = with(".rept i 0 {N}\n*(u64 *)(r10 + {-8*i-8}) = {i | 1 << 4}\n.endr\n{REG} += {M+1}", &params);
    let want = body("*(u64 *)(r10 - 8) = 16\n*(u64 *)(r10 - 16) = 17\n*(u64 *)(r10 - 24) = 18\nr7 += 7");
    assert_eq!(f.insns, want.insns);
}

#[test]
fn conditions_choose_one_branch() {
    for (n, want) in [(0, "r0 = 0"), (1, "r0 = 1"), (2, "r0 = 2"), (9, "r0 = 4")] {
        let params = Params::from([("N".into(), Value::Int(n))]);
        let text = ".if !N\nr0 = 0\n.elif N == 1\nr0 = 1\n.elif N < 3\n.if 0\nexit\n.else\nr0 = 2\n.endif\n\
                    .else\n.if defined(Q)\nexit\n.else\nr0 = 4\n.endif\n.endif";
        assert_eq!(with(text, &params).insns, body(want).insns, "{n}");
    }
}

#[test]
fn local_labels_belong_to_their_expansion() {
    let text = ".macro skip reg\nif {reg} == 0 goto .out\n{reg} -= 1\n.out:\n.endm\n\
                .macro outer reg\nskip {reg}\ngoto .end\nskip r2\n.end:\n.endm\n\
                .rept i 0 2\nouter r1\n.endr";
    let one = "if r1 == 0 goto +1\nr1 -= 1\ngoto +2\nif r2 == 0 goto +1\nr2 -= 1\n";
    assert_eq!(body(text).insns, body(&one.repeat(2)).insns);
}

#[test]
fn a_label_given_to_a_macro_is_the_callers() {
    let text = ".macro null reg to\nif {reg} == 0 goto {to}\ngoto .out\nexit\n.out:\n.endm\n\
                .macro via to\nnull r1, {to}\n.endm\n\
                via .out\nr0 = 1\n.out:\nexit";
    assert_eq!(body(text).insns, body("if r1 == 0 goto +3\ngoto +1\nexit\nr0 = 1\nexit").insns);
}

#[test]
fn locations_follow_the_directive_or_the_template() {
    let f = body("r0 = 0\n.loc 7\nr0 = 1\nr0 = 2\n.loc off\nexit");
    assert_eq!(f.locs, [(0, Loc::Template(Pos { file: 0, line: 2 })), (1, Loc::Source(7)), (3, Loc::Template(Pos { file: 0, line: 7 }))]);
}

#[test]
fn functions_and_their_kinds() {
    let a = ".func main prog lsm/file_open ; the hook\ncall sub // below\nexit";
    let unit = assemble(&[("a.s", a), ("b.s", ".func sub global\nr0 = 0\nexit")], &Params::new()).unwrap();
    assert_eq!(unit.funcs[0].kind, FuncKind::Prog { section: "lsm/file_open".into() });
    assert_eq!((unit.funcs[1].name.as_str(), &unit.funcs[1].kind), ("sub", &FuncKind::Global));
}

#[test]
fn macros_are_shared_between_texts_in_any_order() {
    let texts = [("a.s", ".func f static\nout"), ("b.s", ".macro out\nexit\n.endm")];
    assert_eq!(assemble(&texts, &Params::new()).unwrap().funcs[0].insns, body("exit").insns);
}

#[test]
fn mistakes_name_file_and_line() {
    let f = ".func f static\n";
    for (text, want) in [
        ("r1 = 0", "t.s:1: an instruction stands before the first `.func`"),
        (".func f", "t.s:1: `.func` takes a name and `prog SECTION`, `static ARGS` or `global ARGS`"),
        (&format!("{f}goto x"), "t.s:2: there is no label `x` in the function `f`"),
        (&format!("{f}x:\nx:"), "t.s:3: the label `x` is defined twice"),
        (&format!("{f}call nowhere"), "t.s:2: there is no function or helper `nowhere`"),
        (&format!("{f}r1 = 0x100000000"), "does not fit 32 bits; write `4294967296 ll`"),
        (&format!("{f}r1 += 0x80000000"), "does not fit the 32 bits"),
        (&format!("{f}r1 = w2"), "t.s:2: both registers have to be 64-bit"),
        (&format!("{f}r11 = 1"), "there is no instruction, directive or macro `r11`"),
        (&format!("{f}r1 = *(u64 *)(r2 + 40000)"), "the offset 40000 does not fit 16 bits"),
        (&format!("{f}r1 = 1 2"), "unexpected `2` after the instruction"),
        (&format!("{f}.rept i 0 3\nexit"), "t.s:2: `.rept` is not closed"),
        (&format!("{f}.endif"), "t.s:2: `.endif` closes nothing"),
        (&format!("{f}r1 = {{nope}}"), "t.s:2: there is no parameter `nope`"),
        (&format!("{f}.macro m a\nexit\n.endm\nm 1 2"), "t.s:5: the macro `m` takes 1 arguments, not 2"),
        (&format!("{f}.macro m\nm\n.endm\nm"), "t.s:3: macros and blocks are nested too deeply"),
        (&format!("{f}.rept i 0 99999999\nexit\n.endr"), "the text expands to too many lines"),
        (&format!("{f}goto end\n.rept i 0 32768\nr0 = 0\n.endr\nend:\nexit"), "t.s:2: the jump to `end` is 32768 instructions long"),
        (&format!("{f}r1 = sizeof(a.b)"), "the size of the field is `fieldsize(a.b)`"),
        (&format!("{f}r1 = *(u64 *)(r1 + dentry)"), "`dentry` names no field"),
        (&format!("{f}r0 = cmpxchg_64(r1 + 0, r3, r2)"), "`cmpxchg` compares with r0"),
        (&format!("{f}r1 = {{1/0}}"), "`1 / 0` has no 64-bit value"),
        (&format!("{f}r1 = €"), "`€` has no meaning here"),
    ] {
        let got = error(text);
        assert!(got.contains(want), "{text}\n gave {got}\nwanted {want}");
    }
}

/// Instructions with known opcodes and random fields, two slots for 64-bit immediates.
fn insn() -> impl Strategy<Value = Vec<Insn>> {
    let codes: Vec<u8> = (0..=255).filter(|c| opcode::decode(*c).is_some()).collect();
    let atomics: Vec<i32> = opcode::ATOMIC.iter().map(|r| r.1).collect();
    (prop::sample::select(codes), 0u8..11, 0u8..11, any::<i16>(), any::<i32>(), any::<i32>(), prop::sample::select(atomics)).prop_map(
        |(code, dst, src, off, imm, high, atomic)| {
            let mut insn = Insn { code, dst, src, off: off % 40, imm };
            match insn.code {
                0x18 => return Insn::load_imm64(dst, src % 5, imm, high).to_vec(),
                0xd4 | 0xdc => insn.imm = 16 << (imm.unsigned_abs() % 3),
                0xc3 | 0xdb => insn.imm = atomic,
                _ => {}
            }
            // Zero the fields that this opcode does not use.
            for field in 0..4 {
                if insn.op().is_none() {
                    let mut tried = insn;
                    match field {
                        0 => tried.src %= 2,
                        1 => tried.off = 0,
                        2 => tried.imm = 0,
                        _ => (tried.src, tried.dst) = (0, 0),
                    }
                    insn = tried;
                }
            }
            vec![insn]
        },
    )
}

proptest! {
    #[test]
    fn valid_instructions_round_trip(list in prop::collection::vec(insn(), 1..60)) {
        let insns: Vec<Insn> = list.concat();
        let bytes = bpf::encode(&insns);
        prop_assert_eq!(bpf::decode(&bytes).unwrap(), insns.clone());
        let text = disasm(&insns);
        prop_assert_eq!(bpf::encode(&body(&text).insns), bytes, "{}", text);
    }

    #[test]
    fn any_bytes_round_trip(bytes in prop::collection::vec(any::<[u8; 8]>(), 0..40)) {
        let insns: Vec<Insn> = bytes.iter().map(|b| Insn::decode(*b)).collect();
        prop_assert_eq!(bpf::encode(&body(&disasm(&insns)).insns), bytes.concat());
    }

    #[test]
    fn no_text_panics(text in "[a-z0-9 .{}()*+=<>&|,:\\-\\[\\]\n]{0,200}") {
        let _ = assemble(&[("t.s", &text)], &Params::new());
    }

    #[test]
    fn no_mixture_of_words_panics(words in prop::collection::vec(prop::sample::select(vec![
        ".func", "f", "static", "\n", ".rept", "i", "0", "3", ".endr", ".if", ".else", ".elif", ".endif", ".macro", "m", ".endm",
        "{i}", "r1", "=", "*(u64 *)(", "r10", "-", ")", "goto", ".l", ":", "exit", "call", "map", "data", "offsetof(", "a.b", "[1]", "lock", "+=",
    ]), 0..60)) {
        let text = words.join(" ");
        let _ = assemble(&[("t.s", &text)], &Params::new());
    }
}
