//! The object against its readers: our own reader, aya's, bpftool, llvm-objdump; and its golden dump.

use super::btf::{Btf, Type, VOID};
use super::*;
use crate::bpf::asm::{Params, assemble};
use crate::bpf::{self, Insn};
use object::read::{Object as _, ObjectSection as _, ObjectSymbol as _};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const TEXT: &str = "\
.func check prog lsm/file_open
.loc 0
r6 = *(u64 *)(r1 + 0)
r2 = *(u64 *)(r6 + file.f_path.dentry)
r3 = *(u8 *)(r2 + dentry.d_iname[8])
r4 = sizeof(dentry)
r5 = exists(dentry.d_shortname)
.loc 1
*(u32 *)(r10 - 4) = 1
r2 = r10
r2 += -4
r1 = map counts
call bpf_map_lookup_elem
if r0 == 0 goto out
r1 = 1
lock *(u64 *)(r0 + 0) += r1
r1 = 3
r2 = func visit
r3 = 0
r4 = 0
call bpf_loop
r1 = 7
*(u64 *)(r10 - 64) = 1
*(u64 *)(r10 - 56) = 1
*(u64 *)(r10 - 48) = 1
*(u64 *)(r10 - 40) = 1
*(u64 *)(r10 - 32) = 1
*(u64 *)(r10 - 24) = 1
*(u64 *)(r10 - 16) = 1
*(u64 *)(r10 - 8) = 1
r2 = r10
r2 += -64
call walk
.loc off
out:
r2 = data steps + 16
r7 = data bytes
r1 = *(u32 *)(r2 + 28)
r0 = 0
exit
.func seed prog iter/task
r0 = 0
exit
.func walk global 2
r6 = r1
r0 = 0
if r2 == 0 goto out
r1 = *(u64 *)(r2 + 56)
r1 += offsetof(dentry.d_name.name)
r4 = fieldsize(task_struct.comm)
out:
call leaf
exit
.func visit static 2
r1 = offsetof(task_struct.tgid)
call leaf
r0 = 0
exit
.func leaf static 1
r0 = 0
exit
";

fn spec() -> ObjectSpec<'static> {
    let unit = assemble(&[("templates/test.s", TEXT)], &Params::new()).unwrap();
    let map = |name: &str, map_type, key_size, value_size, max_entries, flags| MapSpec {
        name: name.into(),
        map_type,
        key_size,
        value_size,
        max_entries,
        flags,
    };
    let data = |section: &'static str, symbol: &'static str, bytes: Vec<u8>| DataSpec {
        section,
        symbol,
        bytes: bytes.into(),
        zeros: 0,
        align: 16,
    };
    let line = |line, text: &str| SourceLine { file: "web.ebsec".into(), line, column: 3, text: text.into() };
    let mem = ParamType::Mem { name: "record".into(), size: 64 };
    ObjectSpec {
        funcs: unit.funcs.into(),
        params: BTreeMap::from([(
            "walk".to_owned(),
            vec![Param { name: "state".into(), ty: ParamType::U64 }, Param { name: "record".into(), ty: mem }],
        )]),
        maps: vec![map("counts", 2, 4, 8, 64, 0), map("events", 27, 0, 0, 1 << 20, 0), map("prefixes", 11, 20, 4, 16, 1)],
        data: vec![
            data(".rodata.paths", "bytes", vec![1; 24]),
            data(".rodata.paths", "steps", vec![2; 48]),
            data(".rodata.rules", "layers", vec![3; 7]),
        ],
        sources: vec![line(4, "  deny file.read secrets"), line(9, "  kill exec where \"ü\"")],
        templates: vec![("templates/test.s", TEXT)],
        license: "Dual MIT/GPL",
        manifest: b"{}".to_vec(),
        policies: Vec::new(),
        tables: b"EBT1\0\0\0\0".to_vec(),
    }
}

#[test]
fn golden_dump() {
    let bytes = write(&spec()).unwrap();
    assert_eq!(bytes, write(&spec()).unwrap(), "equal input gives equal bytes");
    golden("dump", &dump(&bytes));
}

fn golden(name: &str, got: &str) {
    ebsec_test_support::check_one(&ebsec_test_support::folder("object"), name, "txt", got);
}

fn dump(bytes: &[u8]) -> String {
    let file = object::read::File::parse(bytes).unwrap();
    let mut out = String::new();
    for section in file.sections() {
        let _ =
            writeln!(out, "section {} {:?} {} bytes, aligned {}", section.name().unwrap(), section.kind(), section.size(), section.align());
        if section.kind() == object::SectionKind::Text {
            let insns = bpf::decode(section.data().unwrap()).unwrap();
            out.extend(bpf::disasm(&insns).lines().map(|l| format!("    {l}\n")));
        }
        for (offset, reloc) in section.relocations() {
            let object::RelocationTarget::Symbol(symbol) = reloc.target() else { panic!() };
            let _ = writeln!(out, "  reloc {} {:?} {:?}", offset / 8, reloc.flags(), file.symbol_by_index(symbol).unwrap().name().unwrap());
        }
    }
    for s in file.symbols() {
        let _ =
            writeln!(out, "symbol {:?} {:?} at {} {} bytes, global {}", s.name().unwrap(), s.kind(), s.address(), s.size(), s.is_global());
    }
    out
}

#[test]
fn the_digest_stands_at_the_end() {
    let bytes = write(&spec()).unwrap();
    let (object, digest) = bytes.split_last_chunk::<32>().unwrap();
    assert_eq!(ebsec_artifact::digest(object), *digest);
}

#[test]
fn parts_that_do_not_fit_are_errors() {
    let error = |change: &dyn Fn(&mut ObjectSpec<'static>)| {
        let mut spec = spec();
        change(&mut spec);
        write(&spec).map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(error(&|s| s.maps.clear()), "no map is named `counts` (instruction 8 of `check`)");
    assert_eq!(error(&|s| s.data.clear()), "no data is named `steps` (instruction 32 of `check`)");
    assert_eq!(error(&|s| s.sources.clear()), "no source line has the number 0");
    assert_eq!(error(&|s| s.maps.push(s.maps[0].clone())), "the name `counts` is there twice");
    assert_eq!(error(&|s| s.data[0].bytes.to_mut().clear()), "`bytes` is empty or oddly aligned");
    assert_eq!(error(&|s| s.data[0].section = ".data"), "`.data` is not a section of data");
    assert_eq!(error(&|s| s.funcs.to_mut()[0].insns.clear()), "`check` has no instructions");
    assert_eq!(
        error(&|s| s.funcs.to_mut()[0].relocs[0].insn_index = 999),
        "a relocation lies behind the function's end (instruction 999 of `check`)"
    );
    assert_eq!(
        error(&|s| s.funcs.to_mut()[0].relocs[0].insn_index = 10),
        "a field relocation does not fit its instruction (instruction 10 of `check`)"
    );
    assert_eq!(error(&|s| s.maps[0].max_entries = u32::MAX), "`max_entries` of the map `counts` is too large");
    assert_eq!(error(&|s| drop(s.funcs.to_mut().pop())), "no subprogram is named `leaf` (instruction 6 of `walk`)");
}

/// A kernel whose structs are laid out unlike ours.
fn kernel() -> aya_obj::btf::Btf {
    let mut btf = Btf::new();
    let (u8_ty, int, u64_ty) = (btf.integer(1, false), btf.int(), btf.integer(8, false));
    let ptr = btf.add(Type::Ptr(VOID));
    let structure = |btf: &mut Btf, name: &str, size, members: &[(&str, _, u32)]| {
        let members = members.iter().map(|(n, t, o)| ((*n).to_owned(), *t, *o)).collect();
        btf.add(Type::Struct { name: name.into(), is_union: false, size, members })
    };
    let path = structure(&mut btf, "path", 16, &[("mnt", ptr, 0), ("dentry", ptr, 8)]);
    structure(&mut btf, "file", 80, &[("f_mode", int, 0), ("f_path", path, 64)]);
    let name = structure(&mut btf, "qstr", 16, &[("hash_len", u64_ty, 0), ("name", ptr, 8)]);
    let inline = btf.array(u8_ty, 32);
    let hidden = structure(&mut btf, "", 40, &[("d_pad", u64_ty, 0), ("d_iname", inline, 8)]);
    structure(&mut btf, "dentry", 192, &[("d_name", name, 32), ("", hidden, 100)]);
    let comm = btf.array(u8_ty, 16);
    structure(&mut btf, "task_struct", 4096, &[("tgid", int, 2024), ("comm", comm, 3000)]);
    aya_obj::btf::Btf::parse(&btf.encode().unwrap(), object::Endianness::Little).unwrap()
}

#[test]
fn aya_moves_fields_links_calls_and_fills_in_maps() {
    let bytes = write(&spec()).unwrap();
    let mut obj = aya_obj::Object::parse(&bytes).unwrap();
    assert_eq!(obj.license.to_str().unwrap(), "Dual MIT/GPL");
    assert_eq!(obj.maps.len(), 5);
    let prefixes = &obj.maps["prefixes"];
    assert_eq!((prefixes.map_type(), prefixes.key_size(), prefixes.value_size(), prefixes.max_entries()), (11, 20, 4, 16));
    assert_eq!((prefixes.map_flags(), obj.maps["events"].max_entries()), (1, 1 << 20));
    obj.relocate_btf(&kernel()).unwrap();
    let maps: HashMap<String, aya_obj::Map> = obj.maps.clone().into_iter().collect();
    let number = |name: &str| ["counts", "events", "prefixes", ".rodata.paths", ".rodata.rules"].iter().position(|n| *n == name).unwrap();
    let text: HashSet<usize> = obj.functions.keys().map(|(section, _)| *section).collect();
    obj.relocate_maps(maps.iter().map(|(name, map)| (name.as_str(), 100 + number(name) as i32, map)), &text).unwrap();
    obj.relocate_calls(&text).unwrap();
    let program = &obj.programs["check"];
    let function = &obj.functions[&program.function_key()];
    let insns: Vec<Insn> =
        function.instructions.iter().map(|i| Insn { code: i.code, dst: i.dst_reg(), src: i.src_reg(), off: i.off, imm: i.imm }).collect();
    golden("relocated", &bpf::disasm(&insns));
    // The function's address and the calls, by slot: aya appends a function when it is first named.
    let starts: Vec<_> = function.func_info.func_info.iter().map(|f| f.insn_off).collect();
    assert_eq!((starts, insns[15].imm, insns[31].imm), (vec![0, 39, 43, 45], 39 - 16, 45 - 32));
    let lines: Vec<_> = function.line_info.line_info.iter().map(|l| (l.insn_off, l.line_col >> 10)).collect();
    assert_eq!(&lines[..3], [(0, 4), (5, 9), (32, 36)]);
    assert_eq!(function.func_info.func_info.len(), 4, "check, visit, leaf, walk");
}

#[test]
fn an_element_is_relocated_within_both_bounds() {
    let mut spec = spec();
    spec.funcs =
        assemble(&[("t.s", ".func a prog lsm/x\nr1 = *(u8 *)(r1 + dentry.d_iname[36])\nexit")], &Params::new()).unwrap().funcs.into();
    let bytes = write(&spec).unwrap();
    let mut obj = aya_obj::Object::parse(&bytes).unwrap();
    obj.relocate_btf(&kernel()).unwrap();
    let function = &obj.functions[&obj.programs["a"].function_key()];
    assert_eq!(function.instructions[0].imm, 0x0BAD_2310, "what the kernel lacks becomes a call that no kernel accepts");
}

/// Runs a tool on the object.
fn tool(name: &str, folder: &str, args: &[&str], wants: &[&str]) {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("ebsec-object-{}-{run}.o", std::process::id()));
    std::fs::write(&path, write(&spec()).unwrap()).unwrap();
    let program = [folder, "/usr/bin", "/usr/sbin", "/usr/local/bin"]
        .iter()
        .map(|f| format!("{f}/{name}"))
        .find(|p| std::path::Path::new(p).exists());
    let program = program.unwrap_or_else(|| panic!("{name} is not installed: run `make setup`"));
    let args = args.iter().map(|a| if *a == "FILE" { path.to_str().unwrap() } else { a });
    let output = Command::new(program).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    for want in wants {
        assert!(text.contains(want), "{name} does not say {want:?}:\n{text}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn bpftool_reads_the_types() {
    let wants = [
        "FUNC 'walk' type_id=",
        "linkage=global",
        "FUNC 'leaf' type_id=",
        "linkage=static",
        "DATASEC '.maps' size=",
        "DATASEC '.rodata.paths' size=80 vlen=2",
        "STRUCT 'dentry' size=",
        "'record' type_id=",
    ];
    tool("bpftool", "/usr/sbin", &["btf", "dump", "file", "FILE"], &wants);
    tool("bpftool", "/usr/sbin", &["btf", "dump", "file", "FILE", "format", "c"], &["struct dentry {", "union shortname_store {"]);
}

#[test]
fn bpftool_makes_a_skeleton_with_libbpf() {
    tool("bpftool", "/usr/sbin", &["gen", "skeleton", "FILE", "name", "ebsec"], &["struct bpf_map *counts;", "struct bpf_program *check;"]);
}

#[test]
fn libbpf_links_and_relocates_it() {
    // A light skeleton is made by libbpf's own load steps, without a kernel.
    tool("bpftool", "/usr/sbin", &["gen", "skeleton", "-L", "FILE", "name", "ebsec"], &["skel->progs.check.prog_fd", "bpf_load_and_run"]);
}

#[test]
fn llvm_disassembles_it() {
    let wants = ["Disassembly of section lsm/file_open", "R_BPF_64_64\tcounts", "R_BPF_64_32\twalk", "R_BPF_64_64\t.text", "<leaf>:"];
    tool("llvm-objdump", "/usr/bin", &["-d", "-r", "FILE"], &wants);
}
