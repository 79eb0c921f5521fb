//! A compiled policy against the field's own tools: bpftool (with libbpf) and llvm-objdump open it, and show what it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;

/// What a tool prints about an artifact of the example.
fn tool(name: &str, words: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("web.bpf.o");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/web-server");
    let built = Command::new(env!("CARGO_BIN_EXE_ebsec")).arg("build").arg(example).arg("-o").arg(&artifact).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let program = ["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(|f| Path::new(f).join(name)).into_iter().find(|p| p.exists());
    let program = program.unwrap_or_else(|| panic!("{name} is not installed: run `make setup`"));
    let words = words.iter().map(|w| if *w == "FILE" { artifact.to_str().unwrap() } else { w });
    let done = Command::new(program).args(words).output().unwrap();
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn wants(text: &str, all: &[&str]) {
    for want in all {
        assert!(text.contains(want), "no {want:?} in {} characters", text.len());
    }
}

#[test]
fn bpftool_reads_the_types() {
    wants(&tool("bpftool", &["btf", "dump", "file", "FILE"]), &["FUNC 'ebsec_file_open'", "DATASEC '.bss'", "STRUCT 'dentry'"]);
}

#[test]
fn libbpf_opens_it() {
    let text = tool("bpftool", &["gen", "skeleton", "FILE", "name", "ebsec"]);
    wants(&text, &["struct bpf_program *ebsec_file_open;", "struct bpf_map *tasks;", "struct bpf_map *bss;"]);
}

#[test]
fn libbpf_links_and_relocates_it() {
    // A light skeleton is made by libbpf's own load steps, without a kernel.
    wants(&tool("bpftool", &["gen", "skeleton", "-L", "FILE", "name", "ebsec"]), &["skel->progs.ebsec_file_open.prog_fd"]);
}

#[test]
fn llvm_disassembles_it() {
    let text = tool("llvm-objdump", &["-d", "-r", "FILE"]);
    wants(&text, &["Disassembly of section lsm/file_open", "R_BPF_64_64\ttasks", "R_BPF_64_32\tpath_find", "<path_fast>:"]);
}
