#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! The machine against small programs.

use super::*;
use crate::bpf::asm::{Func, FuncKind, Params, Unit, assemble};
use proptest::prelude::*;

fn unit(text: &str) -> crate::bpf::asm::Unit {
    assemble(&[("t.s", text)], &Params::new()).unwrap_or_else(|e| panic!("{}", e.iter().map(|e| format!("{e}\n")).collect::<String>()))
}

fn map(name: &str, map_type: u32, key_size: u32, value_size: u32, max_entries: u32) -> MapDef {
    MapDef { name: name.into(), map_type, key_size, value_size, max_entries, flags: 0 }
}

fn maps() -> Vec<MapDef> {
    vec![map("arr", 2, 4, 8, 4), map("one", 2, 4, 16, 1), map("hash", 1, 8, 8, 2), map("ring", 27, 0, 0, 4096), map("pc", 6, 4, 8, 1)]
}

const TABLE: Data<'static> = Data { symbol: "tbl", bytes: &[1, 2, 3, 4, 5, 6, 7, 8] };

fn vm(text: &str) -> Vm {
    let text = format!(".func main prog lsm/test\n{text}");
    Vm::link(&unit(&text), &maps(), &[TABLE], Kernel::new(Flavour::New, 1).unwrap()).unwrap()
}

fn r0(text: &str) -> u64 {
    let mut vm = vm(text);
    vm.options.lsm_verdict = false;
    vm.run("main", &[11, 22]).unwrap_or_else(|e| panic!("{e}")).r0
}

fn wrong(text: &str) -> Wrong {
    let mut vm = vm(text);
    vm.run("main", &[11, 22]).expect_err("a fault").wrong
}

#[test]
fn arithmetic_jumps_and_context() {
    assert_eq!(r0("r0 = *(u64 *)(r1 + 8)\nr0 *= 2\nif r0 == 44 goto +1\nr0 = 0\nexit"), 44);
    assert_eq!(r0("r2 = 10\nr0 = 0\nl:\nr0 += r2\nr2 -= 1\nif r2 != 0 goto l\nexit"), 55);
    assert_eq!(r0("r0 = -1\nw0 += 2\nexit"), 1);
    assert_eq!(r0("r0 = 0x1122334455667788 ll\nr0 = be64 r0\nexit"), 0x8877_6655_4433_2211);
}

#[test]
fn stack_calls_and_callbacks() {
    let text = "*(u64 *)(r10 - 8) = 5\nr1 = r10\nr1 += -8\nr6 = 3\ncall add\nr0 += r6\nexit\n\
                .func add static\n*(u64 *)(r10 - 16) = 100\nr0 = *(u64 *)(r1 + 0)\nr2 = *(u64 *)(r10 - 16)\nr0 += r2\nr6 = 0\nexit";
    assert_eq!(r0(text), 108);
    let text = "*(u64 *)(r10 - 8) = 0\nr1 = 10\nr2 = func cb\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop\nr1 = *(u64 *)(r10 - 8)\nr0 <<= 8\nr0 += r1\nexit\n\
                .func cb static\nr3 = *(u64 *)(r2 + 0)\nr3 += r1\n*(u64 *)(r2 + 0) = r3\nr0 = 0\nif r1 != 4 goto +1\nr0 = 1\nexit";
    assert_eq!(r0(text), 5 << 8 | 10);
}

#[test]
fn atomics() {
    let start = "*(u64 *)(r10 - 8) = 7\nr1 = r10\nr2 = 3\n";
    assert_eq!(r0(&format!("{start}lock *(u64 *)(r1 - 8) += r2\nr0 = *(u64 *)(r10 - 8)\nexit")), 10);
    assert_eq!(r0(&format!("{start}r2 = atomic_fetch_or((u64 *)(r1 - 8), r2)\nr0 = *(u64 *)(r10 - 8)\nr0 *= 100\nr0 += r2\nexit")), 707);
    assert_eq!(r0(&format!("{start}r0 = 7\nr0 = cmpxchg_64(r1 - 8, r0, r2)\nr3 = *(u64 *)(r10 - 8)\nr0 *= 100\nr0 += r3\nexit")), 703);
    assert_eq!(r0(&format!("{start}r0 = 6\nr0 = cmpxchg_64(r1 - 8, r0, r2)\nr3 = *(u64 *)(r10 - 8)\nr0 *= 100\nr0 += r3\nexit")), 707);
    assert_eq!(r0(&format!("{start}w2 = xchg32_32(r1 - 8, w2)\nr0 = r2\nexit")), 7);
}

#[test]
fn maps_from_programs_and_from_user_space() {
    let lookup = |map: &str| {
        format!(
            "*(u32 *)(r10 - 4) = 2\nr2 = r10\nr2 += -4\nr1 = map {map}\ncall bpf_map_lookup_elem\n\
             if r0 == 0 goto out\nr1 = r0\nr0 = *(u64 *)(r1 + 0)\nr2 = 1\nlock *(u64 *)(r1 + 0) += r2\nout:\nexit"
        )
    };
    let mut vm = vm(&lookup("arr"));
    vm.options.lsm_verdict = false;
    vm.update("arr", &2u32.to_le_bytes(), &41u64.to_le_bytes()).unwrap();
    assert_eq!(vm.run("main", &[]).unwrap().r0, 41);
    assert_eq!(vm.run("lsm/test", &[]).unwrap().r0, 42);
    assert_eq!(vm.lookup("arr", &2u32.to_le_bytes()).unwrap(), 43u64.to_le_bytes());
    vm.freeze("arr").unwrap();
    assert!(vm.update("arr", &2u32.to_le_bytes(), &[0; 8]).is_err());
    assert_eq!(r0("r1 = data tbl + 2\nr0 = *(u16 *)(r1 + 0)\nexit"), 0x0403);
    let hash = "*(u64 *)(r10 - 8) = 9\n*(u64 *)(r10 - 16) = 77\nr2 = r10\nr2 += -8\nr3 = r10\nr3 += -16\nr4 = 0\nr1 = map hash\ncall bpf_map_update_elem\n\
                r1 = map hash\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem\nr6 = r0\nr1 = map hash\nr2 = r10\nr2 += -8\ncall bpf_map_delete_elem\n\
                r0 = *(u64 *)(r6 + 0)\nexit";
    assert_eq!(r0(hash), 77);
}

#[test]
fn ring_records_and_full_rings() {
    let text = ".func main prog lsm/test\nr1 = map ring\nr2 = 1000\nr3 = 0\ncall bpf_ringbuf_reserve\nif r0 == 0 goto full\nr1 = r0\n*(u64 *)(r1 + 0) = 5\n\
                r2 = 0\ncall bpf_ringbuf_submit\nr0 = 0\nexit\nfull:\nr0 = -1\nexit";
    let mut vm = Vm::link(&unit(text), &maps(), &[], Kernel::new(Flavour::Old, 1).unwrap()).unwrap();
    let verdicts: Vec<i32> = (0..6).map(|_| vm.run("main", &[]).unwrap().verdict).collect();
    assert_eq!(verdicts, [0, 0, 0, 0, -1, -1]);
    let records = vm.drain("ring");
    assert_eq!((records.len(), records[0].unwritten, &records[0].bytes[..8]), (4, 992, &5u64.to_le_bytes()[..]));
    assert_eq!(vm.run("main", &[]).unwrap().verdict, 0);
    vm.resize_ring("ring", 8192).unwrap();
    assert_eq!((0..9).filter(|_| vm.run("main", &[]).unwrap().verdict == 0).count(), 8);
}

#[test]
fn kernel_fields_are_found_wherever_they_are() {
    let text = ".func main prog lsm/test\nr1 = *(u64 *)(r1 + 0)\nr2 = *(u64 *)(r1 + file.f_path.dentry)\nr3 = r1\nr3 += offsetof(file.f_path)\n\
                r0 = exists(dentry.d_iname)\nif r0 == 0 goto new\nr0 = *(u8 *)(r2 + dentry.d_iname[1])\nexit\n\
                new:\nr0 = *(u8 *)(r2 + dentry.d_shortname.string[1])\nexit";
    for (flavour, name) in [(Flavour::Old, "dentry.d_iname"), (Flavour::New, "dentry.d_shortname.string")] {
        for seed in 0..20 {
            let mut k = Kernel::new(flavour, seed).unwrap();
            let (f, d) = (k.alloc("file").unwrap(), k.alloc("dentry").unwrap());
            k.set(f, "file.f_path.dentry", d).unwrap();
            k.set_bytes(d, name, b"xyz").unwrap();
            let mut vm = Vm::link(&unit(text), &[], &[], k).unwrap();
            vm.options.lsm_verdict = false;
            assert_eq!(vm.unresolved().len(), 1);
            assert_eq!(vm.run("main", &[f, 0]).unwrap().r0, u64::from(b'y'));
        }
    }
}

#[test]
fn unguarded_accesses_to_missing_fields_do_not_load() {
    let text = ".func main prog lsm/test\nr1 = *(u64 *)(r1 + 0)\nr0 = *(u8 *)(r1 + dentry.d_iname[1])\nexit";
    let k = || Kernel::new(Flavour::New, 0).unwrap();
    let error = Vm::link(&unit(text), &[], &[], k()).unwrap_err();
    assert!(error.contains("instruction 1 of `main` accesses a type or field that the kernel lacks (t.s:3)"), "{error}");
    assert!(Vm::link(&unit(&text.replace("d_iname[1]", "d_name.name")), &[], &[], k()).is_ok());
}

#[test]
fn probe_reads_fail_softly_and_loads_of_bad_kernel_addresses_read_zero() {
    let probe = "r3 = *(u64 *)(r1 + 0)\nr1 = r10\nr1 += -16\nr2 = 16\ncall bpf_probe_read_kernel\nr1 = *(u64 *)(r10 - 8)\nr0 += r1\nexit";
    let run = |text: &str, fill: &dyn Fn(&mut Kernel) -> u64| {
        let mut vm = vm(text);
        vm.options.lsm_verdict = false;
        let arg = fill(&mut vm.kernel);
        vm.run("main", &[arg]).map(|r| r.r0)
    };
    assert_eq!(run(probe, &|k| k.alloc_bytes("name", &[1; 16])), Ok(0x0101_0101_0101_0101));
    assert_eq!(run(probe, &|k| k.alloc_bytes("name", &[1; 8])), Ok((-14i64).cast_unsigned()));
    assert_eq!(run(probe, &|k| k.alloc_user(&[1; 16])), Ok((-14i64).cast_unsigned()));
    let load = "r1 = *(u64 *)(r1 + 0)\nr0 = *(u64 *)(r1 + 0)\nexit";
    assert_eq!(run(load, &|_| 0xffff_8881_0000_0000), Ok(0));
    assert!(run(load, &|_| 0).is_err());
    assert!(run(load, &|k| k.alloc_bytes("name", &[1; 8]) + 4).is_err());
}

#[test]
fn what_the_verifier_would_refuse_is_a_fault() {
    let memory = |w: Wrong| matches!(w, Wrong::Memory { .. });
    assert_eq!(wrong("exit"), Wrong::Unset(0));
    assert_eq!(wrong("r0 = 0\ncall bpf_ktime_get_ns\nr0 = r1\nexit"), Wrong::Unset(1));
    assert_eq!(wrong("r0 = *(u64 *)(r1 + 1)\nexit"), Wrong::Misaligned(mem::CONTEXT + 1));
    assert!(memory(wrong("r0 = *(u64 *)(r1 + 16)\nexit")));
    assert!(memory(wrong("*(u64 *)(r1 + 0) = 0\nr0 = 0\nexit")));
    assert!(memory(wrong("r0 = *(u64 *)(r10 - 8)\nexit")));
    assert!(memory(wrong("*(u32 *)(r10 - 8) = 0\nr0 = *(u64 *)(r10 - 8)\nexit")));
    assert!(memory(wrong("*(u64 *)(r10 - 520) = 0\nr0 = 0\nexit")));
    assert!(memory(wrong("*(u64 *)(r10 + 0) = 0\nr0 = 0\nexit")));
    assert!(memory(wrong("r1 = data tbl\n*(u8 *)(r1 + 0) = 0\nr0 = 0\nexit")));
    assert!(memory(wrong("r1 = data tbl\nr0 = *(u64 *)(r1 + 1)\nexit")));
    assert!(memory(wrong("r1 = map arr\nr0 = *(u64 *)(r1 + 0)\nexit")));
    assert_eq!(wrong("r10 = 0\nr0 = 0\nexit"), Wrong::FramePointer);
    assert_eq!(wrong("r0 = 1\nexit"), Wrong::Verdict(1));
    assert_eq!(wrong("r0 = 0"), Wrong::OutOfProgram(1));
    assert_eq!(wrong("l:\ngoto l"), Wrong::Limit(1_000_000));
    assert_eq!(wrong("call main\nexit"), Wrong::Frames);
    assert_eq!(wrong("call 4000\nexit"), Wrong::Helper(4000));
    assert_eq!(
        wrong("*(u64 *)(r10 - 300) = 0\nexit").to_string(),
        format!("the access at {:#x} is not aligned to its size", mem::STACK + 212)
    );
    assert_eq!(wrong("r1 = map ring\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve\nr0 = 0\nexit"), Wrong::Reservation("ring".into()));
    let deep = "*(u64 *)(r10 - 304) = 0\ncall f\nexit\n.func f static\n*(u64 *)(r10 - 200) = 0\nr0 = 0\nexit";
    assert_eq!(wrong(deep), Wrong::Stack(vec![(0, 320), (3, 224)]));
}

#[test]
fn faults_name_instruction_and_line() {
    let mut vm = vm(".loc 3\nr0 = 0\nr0 = *(u64 *)(r10 - 8)\nexit");
    let fault = vm.run("main", &[]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "r0 = *(u64 *)(r10 - 8) at 1 in `main`: a read of 8 bytes at 0xffffc900000001f8: offset 504 of the stack was never written (source location 3)"
    );
    assert!(vm.run("none", &[]).is_err());
}

#[test]
fn the_environment_answers_and_remembers() {
    let text = "call bpf_get_current_pid_tgid\nr6 = r0\nr6 >>= 32\ncall bpf_get_current_uid_gid\nw0 = w0\nr6 += r0\ncall bpf_get_current_task_btf\nr6 += r0\n\
                r1 = r10\nr1 += -16\nr2 = 16\ncall bpf_get_current_comm\nr0 = *(u8 *)(r10 - 15)\nr6 += r0\nr1 = 9\ncall bpf_send_signal\nr0 = r6\nexit";
    let mut vm = vm(text);
    vm.options.lsm_verdict = false;
    vm.kernel.env.task = Task { addr: 1_000_000, pid: 7, tgid: 100, uid: 1000, gid: 5, comm: [0; 16] }.named("bash");
    assert_eq!(vm.run("main", &[]).unwrap().r0, 1_001_100 + u64::from(b'a'));
    assert_eq!(vm.kernel.env.signals, [Signal { number: 9, thread: false }]);
}

#[test]
fn scripted_writes_happen_in_the_middle() {
    let text = "r1 = *(u64 *)(r1 + 0)\nr0 = *(u32 *)(r1 + 0)\nr2 = *(u32 *)(r1 + 0)\nr0 -= r2\nexit";
    let mut vm = vm(text);
    let lock = vm.kernel.alloc_bytes("lock", &[0; 8]);
    vm.kernel.env.script.push(Scripted { after: 3, addr: lock, bytes: vec![1, 0, 0, 0] });
    assert_eq!(vm.run("main", &[lock]).unwrap().verdict, -1);
    assert_eq!(vm.run("main", &[lock]).unwrap(), Run { r0: 0, verdict: 0, executed: 5 });
}

proptest! {
    #[test]
    fn no_program_panics(bytes in prop::collection::vec(any::<[u8; 8]>(), 1..40), known in prop::collection::vec((0usize..200, 0u8..11, 0u8..11, -8i16..8, -64i32..200), 0..40)) {
        let codes: Vec<u8> = (0..=255).filter(|c| crate::bpf::opcode::decode(*c).is_some()).collect();
        let known = known.into_iter().map(|(code, dst, src, off, imm)| {
            let insn = Insn { code: codes[code % codes.len()], dst, src, off, imm };
            // Where a field is not used, most random values are refused at once.
            if insn.op().is_some() { insn } else { Insn { src: 0, off: 0, ..insn } }
        });
        let random = bytes.iter().map(|b| Insn::decode(*b));
        for insns in [known.collect::<Vec<_>>(), random.collect()] {
            let kind = FuncKind::Prog { section: "lsm/test".into() };
            let func = Func { name: "main".into(), kind, args: 1, memory: 0, insns, relocs: Vec::new(), locs: Vec::new() };
            let Ok(mut vm) = Vm::link(&Unit { funcs: vec![func], files: Vec::new() }, &maps(), &[], Kernel::new(Flavour::New, 1).unwrap()) else { continue };
            vm.options.limit = 2000;
            let _ = vm.run("main", &[mem::KERNEL, 3]);
        }
    }
}
