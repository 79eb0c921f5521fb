//! What is built is what was reviewed: every dependency has its exact version, and no command of the project lets cargo
//! choose another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn manifest(path: &Path) -> toml::Table {
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_dependency_has_its_exact_version() {
    let workspace = manifest(&root().join("Cargo.toml"));
    for (name, wanted) in workspace["workspace"]["dependencies"].as_table().unwrap() {
        let version = wanted.as_str().or_else(|| wanted.get("version").and_then(toml::Value::as_str));
        let exact = version.is_some_and(|v| v.starts_with('=') && v.matches('.').count() == 2);
        assert!(exact || wanted.get("path").is_some(), "`{name}` is {wanted}, not `=x.y.z`");
    }
    for member in workspace["workspace"]["members"].as_array().unwrap() {
        let manifest = manifest(&root().join(member.as_str().unwrap()).join("Cargo.toml"));
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, wanted) in manifest.get(kind).and_then(toml::Value::as_table).into_iter().flatten() {
                assert_eq!(wanted.get("workspace"), Some(&true.into()), "{member}: `{name}` has a version of its own");
            }
        }
    }
}

#[test]
fn every_command_of_cargo_is_locked() {
    let files = ["Makefile", ".ci/run", "tools/planted", "tools/setup", "tools/demo/run", "tests/system/run"];
    let mut commands = 0;
    for file in files {
        let Ok(text) = fs::read_to_string(root().join(file)) else { continue };
        for line in text.lines().filter(|l| !l.trim_start().starts_with('#')) {
            for command in line.split("cargo ").skip(1) {
                let verb = command.split_whitespace().next().unwrap_or_default();
                if ["build", "test", "run", "clippy", "check", "install", "bench"].contains(&verb) {
                    commands += 1;
                    assert!(command.contains("--locked"), "{file}: {line}");
                }
            }
        }
    }
    assert!(commands >= 10, "only {commands} commands were found");
}

/// A number that does not fit is a mistake that tests find.
#[test]
fn tests_run_with_overflow_checks() {
    let workspace = manifest(&root().join("Cargo.toml"));
    for profile in ["dev", "test"] {
        assert_eq!(workspace["profile"][profile]["overflow-checks"], true.into(), "{profile}");
    }
    let most = std::hint::black_box(u8::MAX);
    assert!(std::panic::catch_unwind(|| std::hint::black_box(most + std::hint::black_box(1))).is_err());
}
