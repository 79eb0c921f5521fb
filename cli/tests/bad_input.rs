//! The program itself against wrong input: every wrong policy of `tests/golden/bad`, and files made to break it, give
//! their findings, status 1 and no panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn check(file: &Path, words: &[&str]) -> Output {
    let (folder, name) = (file.parent().unwrap(), file.file_name().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebsec"));
    command.current_dir(folder).args(["check", "--today", "2026-11-23"]).args(words).arg(name).output().unwrap()
}

fn stderr(done: &Output) -> String {
    String::from_utf8(done.stderr.clone()).unwrap()
}

/// A policy in a folder of its own, with its `ebsec.toml`.
fn alone(policy: &Path, folder: &Path) -> PathBuf {
    let file = folder.join(policy.file_name().unwrap());
    fs::copy(policy, &file).unwrap();
    if policy.with_extension("toml").exists() {
        fs::copy(policy.with_extension("toml"), folder.join("ebsec.toml")).unwrap();
    }
    file
}

fn params(text: &str) -> Vec<&str> {
    text.lines().filter_map(|l| l.strip_prefix("// param: ")).flat_map(|p| ["--param", p]).collect()
}

#[test]
fn every_wrong_policy_fails_with_its_findings() {
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/bad");
    let mut policies: Vec<PathBuf> = fs::read_dir(bad).unwrap().map(|e| e.unwrap().path()).collect();
    policies.retain(|p| p.extension().is_some_and(|e| e == "ebsec"));
    policies.sort();
    assert!(policies.len() >= 60);
    for policy in policies {
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(&policy).unwrap();
        let file = alone(&policy, folder.path());
        let done = check(&file, &params(&text));
        assert_eq!(done.status.code(), Some(1), "{}:\n{}", policy.display(), stderr(&done));
        assert!(done.stdout.is_empty());
        // The syntax's own goldens are in another form.
        if !policy.file_name().unwrap().to_string_lossy().starts_with("syntax_") {
            let wanted = fs::read_to_string(policy.with_extension("stderr")).unwrap();
            for finding in wanted.split("\n\n").filter(|part| part.contains("┌─")) {
                assert!(stderr(&done).contains(finding), "{} lacks\n{finding}\nin\n{}", policy.display(), stderr(&done));
            }
        }
        let json = check(&file, &[params(&text), vec!["--format", "json"]].concat());
        let found: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        let places = stderr(&done).lines().filter(|l| l.contains("┌─")).count();
        assert!(json.status.code() == Some(1) && found.as_array().unwrap().len() >= places.min(1), "{}", policy.display());
    }
}

#[test]
fn files_made_to_break_it_fail_shortly_and_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(100_000), close.repeat(100_000));
        format!("let a = [1]\npolicy p {{ a: deny exec when {open}file.memfd{close} }}\nlet b: wrong = 1\n").into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("hundred_megabytes", vec![b'a'; 100 << 20], &["E0100"]),
        ("hundred_megabytes_of_lines", b"let a = [1]\n".repeat((100 << 20) / 12), &["E0100"]),
        ("deep_round", deep("(", ")"), &["E0102", "E0301", "deep_round.ebsec:2:"]),
        ("deep_square", deep("[", "]"), &["E0102", "E0301"]),
        ("deep_curly", deep("{", "}"), &["E0102"]),
        ("unclosed", deep("(", ""), &["E0102"]),
        ("control", b"let a = \"\x1b[2J\x07\"\n\x1b]0;title\x07 let \x08b = [1]\n".to_vec(), &["control.ebsec:1:"]),
        ("not_text", vec![0xff, 0xfe, b'l', b'e', b't'], &["not_text.ebsec"]),
        ("zeros", vec![0; 4096], &["E01"]),
        ("one_line", [b"let a = [".to_vec(), b"1, ".repeat(1_000_000), b"oops]".to_vec()].concat(), &["one_line.ebsec:1:"]),
    ];
    for (name, bytes, wants) in cases {
        let file = folder.path().join(format!("{name}.ebsec"));
        fs::write(&file, bytes).unwrap();
        let done = check(&file, &[]);
        let text = stderr(&done);
        assert!(matches!(done.status.code(), Some(1 | 2)), "{name}: {:?}", done.status);
        assert!(text.len() < 20_000 && !text.contains("panicked"), "{name}: {} bytes", text.len());
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{name}: {text:?}");
        for want in wants {
            assert!(text.contains(want), "{name} lacks {want}: {text}");
        }
        fs::remove_file(&file).unwrap();
    }
}
