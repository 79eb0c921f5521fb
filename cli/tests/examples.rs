//! Every package below `examples/` is clean: its own tests pass, it builds, and nothing is to be said about it. The limits
//! that ARCHITECTURE.md names by policies of `examples/limits` are closed by policies that are there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

#[test]
fn every_example_is_clean_and_builds() {
    let folder = tempfile::tempdir().unwrap();
    for example in fs::read_dir(root().join("examples")).unwrap() {
        let example = example.unwrap().path();
        let artifact = folder.path().join("example.bpf.o");
        for words in [vec!["check"], vec!["build", "-o", artifact.to_str().unwrap()]] {
            let done = Command::new(env!("CARGO_BIN_EXE_ebsec")).args(&words).arg(&example).output().unwrap();
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{} {}: {said}", words[0], example.display());
            assert!(!said.contains("warning"), "{}: {said}", example.display());
        }
        assert!(artifact.exists());
    }
}

#[test]
fn policies_that_close_limits_are_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let limits = text.split("## Known limits").nth(1).unwrap();
    let policies = fs::read_to_string(root().join("examples/limits/limits.ebsec")).unwrap();
    let named: Vec<&str> = limits.split("`limits.").skip(1).map(|rest| rest.split('`').next().unwrap()).collect();
    assert!(named.len() >= 8, "only {} limits name their policy", named.len());
    for name in named {
        assert!(policies.contains(&format!("\npolicy {name} {{")), "examples/limits has no policy `{name}`");
    }
}
