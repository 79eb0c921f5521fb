#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! Objects as kernels load them, from ELF to verdict.

use super::kernel::{FileSpec, TaskSpec};
use super::*;
use crate::bpf::asm::{Params, assemble};
use crate::object::{self, DataSpec, ObjectSpec, SourceLine};

const TEXT: &str = "\
.func check prog lsm/file_open
.loc 0
r6 = *(u64 *)(r1 + 0)
r7 = *(u64 *)(r6 + file.f_path.dentry)
r0 = exists(dentry.d_iname)
if r0 == 0 goto new
r8 = *(u64 *)(r7 + dentry.d_iname[0])
goto have
new:
r8 = *(u64 *)(r7 + dentry.d_shortname.string[0])
have:
r1 = r8
r1 <<= 40
call matches
.loc 1
if r0 == 0 goto allow
r0 = -13
exit
allow:
*(u64 *)(r10 - 8) = 0
r1 = 3
r2 = func visit
r3 = r10
r3 += -8
r4 = 0
call bpf_loop
r1 = *(u64 *)(r10 - 8)
if r1 == 3 goto +2
r0 = -1
exit
r0 = 0
exit
.func seed prog iter/task
r1 = *(u64 *)(r1 + 8)
w1 = *(u32 *)(r1 + task_struct.tgid)
*(u32 *)(r10 - 4) = r1
r2 = r10
r2 += -4
*(u64 *)(r10 - 16) = 1
r3 = r10
r3 += -16
r4 = 0
r1 = map tasks
call bpf_map_update_elem
r0 = 0
exit
.func matches global 1
r2 = data words + 8
r2 = *(u64 *)(r2 + 0)
r0 = 0
if r1 != r2 goto out
r0 = 1
r3 = data hits
lock *(u64 *)(r3 + 0) += r0
out:
exit
.func visit static 2
r3 = 1
lock *(u64 *)(r2 + 0) += r3
r0 = 0
exit
";

fn object(text: &str) -> Vec<u8> {
    let unit = assemble(&[("t.s", text)], &Params::new()).unwrap();
    let data =
        |section: &'static str, symbol: &'static str, bytes: Vec<u8>| DataSpec { section, symbol, bytes: bytes.into(), zeros: 0, align: 8 };
    let words = [[9; 8], u64::to_le_bytes(u64::from_le_bytes(*b"cat\0\0\0\0\0") << 40)].concat();
    let line = |line, text: &str| SourceLine { file: "web.ebsec".into(), line, column: 3, text: text.into() };
    object::write(&ObjectSpec {
        funcs: unit.funcs.into(),
        params: [("matches".to_owned(), vec![object::Param { name: "word".into(), ty: object::ParamType::U64 }])].into(),
        maps: vec![object::MapSpec { name: "tasks".into(), map_type: 1, key_size: 4, value_size: 8, max_entries: 16, flags: 1 }],
        data: vec![data(".rodata.words", "words", words), data(".data.hits", "hits", vec![0; 8])],
        sources: vec![line(4, "  deny exec"), line(9, "  where cat")],
        templates: vec![("t.s", text)],
        license: "Dual MIT/GPL",
        manifest: b"{}".to_vec(),
        policies: Vec::new(),
        tables: Vec::new(),
    })
    .unwrap()
}

#[test]
fn one_object_runs_on_every_layout() {
    let elf = object(TEXT);
    for flavour in Flavour::ALL {
        for seed in 0..10 {
            let mut w = World::new(flavour, seed).unwrap();
            let [cat, cut] = ["/bin/cat", "/bin/cut"].map(|p| w.open(p, FileSpec::default()).unwrap());
            let task = w.task(&TaskSpec { tgid: 77, ..TaskSpec::default() }).unwrap();
            let mut vm = Vm::load(&elf, w.kernel).unwrap();
            assert_eq!(vm.programs().map(|p| p.section.as_str()).collect::<Vec<_>>(), ["lsm/file_open", "iter/task"]);
            assert_eq!(vm.run("check", &[cat, 0]).unwrap().verdict, -13);
            assert_eq!(vm.run("lsm/file_open", &[cut, 0]).unwrap().verdict, 0);
            assert_eq!(vm.lookup(".data.hits", &[0; 4]).unwrap(), 1u64.to_le_bytes());
            vm.run("seed", &[0, task.addr]).unwrap();
            assert_eq!(vm.lookup("tasks", &77u32.to_le_bytes()).unwrap(), 1u64.to_le_bytes());
            assert!(vm.update(".rodata.words", &[0; 4], &[0; 16]).is_err());
        }
    }
}

#[test]
fn a_missing_field_without_a_guard_does_not_load_and_its_line_is_named() {
    let elf = object(&TEXT.replace("if r0 == 0 goto new", "r0 = 0"));
    assert!(Vm::load(&elf, Kernel::new(Flavour::Old, 1).unwrap()).is_ok());
    let error = Vm::load(&elf, Kernel::new(Flavour::New, 1).unwrap()).unwrap_err();
    assert!(error.contains("of `check` accesses a type or field that the kernel lacks (web.ebsec:4: deny exec)"), "{error}");
}

#[test]
fn faults_quote_the_policy() {
    let elf = object(&TEXT.replace("r0 = -13\n", "r0 = *(u64 *)(r10 - 16)\n"));
    let mut w = World::new(Flavour::Old, 1).unwrap();
    let cat = w.open("/bin/cat", FileSpec::default()).unwrap();
    let mut vm = Vm::load(&elf, w.kernel).unwrap();
    let fault = vm.run("check", &[cat, 0]).unwrap_err();
    assert_eq!(fault.line.as_deref(), Some("web.ebsec:9: where cat"));
    assert!(matches!(fault.wrong, Wrong::Memory { error: mem::MemError::Unwritten { .. }, .. }));
}

#[test]
fn nonsense_is_no_object() {
    assert!(Vm::load(b"nonsense", Kernel::new(Flavour::Old, 1).unwrap()).is_err());
}
