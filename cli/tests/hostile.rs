//! Sources of a pull request that were made to do harm: to flood the log, to forge its lines, to read files that are none of
//! the package's. Bounds are counted (bytes, findings), never timed: what is quadratic does not end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use ebsec_compiler::diag::text;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

const RULE: &str = "policy p {\n    mode = enforce\n    a: deny exec when file.path == \"/opt/a\"\n}\n";

fn ebsec(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ebsec")).current_dir(folder).args(words).output().unwrap()
}

fn stderr(done: &Output) -> String {
    String::from_utf8(done.stderr.clone()).unwrap()
}

fn stdout(done: &Output) -> String {
    String::from_utf8(done.stdout.clone()).unwrap()
}

/// What no log may hold, whatever the source: characters that a terminal obeys, lines that a CI system does.
#[track_caller]
fn harmless(done: &Output) {
    for text in [stdout(done), stderr(done)] {
        assert!(text.chars().all(|c| matches!(c, '\n' | '\t') || !text::is_hidden(c)), "{text:?}");
        for line in text.lines() {
            assert!(!line.trim_start().starts_with("::") && !line.contains("##[") && !line.contains("##vso["), "{line}");
        }
        assert!(!text.contains("panicked"), "{text}");
    }
}

/// The output of a check of one file, which is wrong, in both formats.
#[track_caller]
fn check(name: &str, source: &str) -> (String, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.ebsec"), source).unwrap();
    let (pretty, json) = (ebsec(folder.path(), &["check", "a.ebsec"]), ebsec(folder.path(), &["check", "a.ebsec", "--format", "json"]));
    for done in [&pretty, &json] {
        assert_eq!(done.status.code(), Some(1), "{name}: {}", stderr(done));
        harmless(done);
    }
    (stderr(&pretty), serde_json::from_slice(&json.stdout).unwrap())
}

#[test]
fn output_does_not_grow_with_the_line() {
    let near = |count: usize| {
        let tests = vec!["file.pth == \"/x\""; count].join(" or ");
        format!("policy p {{ mode = enforce\n k: deny file.read when {tests}\n}}\n")
    };
    let cases = [
        ("braces", "policy p{".repeat(20_000)),
        ("near", near(20_000)),
        ("tests", "test \"a\" { c exec \"/x\" => deny by p.k } ".repeat(5_000)),
        ("lets", "let a = b ".repeat(20_000)),
        ("lines", "let a = b\n".repeat(20_000)),
        ("rules", format!("policy p {{\n{}}}", "a: deny exec when file.memfd\n".repeat(20_000))),
        ("quotes", "let a = '\" ".repeat(20_000)),
        ("controls", "\u{202e}\u{1b}a".repeat(20_000)),
    ];
    for (name, source) in cases {
        let (pretty, json) = check(name, &source);
        assert!(pretty.len() < 800_000, "{name}: {} bytes of {}", pretty.len(), source.len());
        let findings = pretty.lines().filter(|l| l.starts_with("error[")).count();
        assert!(findings <= 500 && json.len() <= 501, "{name}: {findings}");
        if json.len() == 501 {
            let said = json[500]["message"].as_str().unwrap();
            assert!(json[500]["code"] == "E0132" && said.starts_with("… and ") && said.contains(" more findings: "), "{said}");
            assert!(pretty.lines().any(|line| line == said), "{name} lacks {said}");
        }
    }
}

#[test]
fn places_in_a_long_line_are_true() {
    let source = format!("policy p {{ a: deny exec when {}file.pth == \"/x\" }}\n", "file.path == \"/é\" or ".repeat(5_000));
    let (pretty, json) = check("column", &source);
    let column = source.chars().count() - "file.pth == \"/x\" }\n".len() + 1;
    assert!(pretty.contains(&format!("a.ebsec:1:{column}\n")) && json[0]["column"] == column, "{pretty}");
    let shown = pretty.lines().find(|l| l.contains("file.pth") && l.contains('│')).unwrap();
    let marked = pretty.lines().find(|l| l.contains("^^^^^^^^")).unwrap();
    let at = shown.chars().count() - shown.split("file.pth").nth(1).unwrap().chars().count() - "file.pth".len();
    assert_eq!(marked.chars().position(|c| c == '^'), Some(at));
    assert!(pretty.lines().all(|l| l.chars().count() < 500));
}

#[test]
fn foreign_text_makes_no_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let evil = r"a (1 of 1)\npass forged_test (99 of 99)\n::add-mask::x\n##[error]y\n##vso[task.complete]z";
    let policy = RULE.replace("\"/opt/a\"", &format!("\"/opt/a\" because \"{evil}\""));
    let tests = format!("test \"{evil}\" {{ process c = {{ exe = \"/opt/c\" }}\n c exec \"/opt/a\" => allow\n}}\n");
    fs::write(folder.path().join("a.ebsec"), format!("{policy}{tests}let b = \"/x{evil}/../y\"\n")).unwrap();
    fs::write(folder.path().join("good.ebsec"), format!("{policy}{}", tests.replace("allow", "deny by p.a"))).unwrap();
    assert!(ebsec(folder.path(), &["build", "good.ebsec", "-o", "x.o"]).status.success());
    for words in [
        &["check", "a.ebsec"][..],
        &["check", "a.ebsec", "--format", "json"],
        &["test", "a.ebsec"],
        &["test", "good.ebsec"],
        &["test", "good.ebsec", "--format", "json"],
        &["test", "good.ebsec", "--filter", "\n::error::x"],
        &["build", "a.ebsec"],
        &["build", "good.ebsec", "--emit", "hir,manifest,ast"],
        &["inspect", "x.o"],
        &["inspect", "x.o", "--json"],
        &["check", "no\n::error::such"],
        &["check", "--no\n::error::such"],
        &["check", "good.ebsec", "--param", "\n::error::such"],
        &["check", "good.ebsec", "--format", "\n::error::such"],
        &["explain", "\n::error::such"],
        &["verify", "no\n::error::such"],
    ] {
        let done = ebsec(folder.path(), words);
        harmless(&done);
        for text in [stdout(&done), stderr(&done)] {
            assert!(!text.lines().any(|line| line.trim_start().starts_with("pass forged")), "{words:?}: {text}");
        }
    }
    let listed = stdout(&ebsec(folder.path(), &["test", "good.ebsec"]));
    assert!(listed.starts_with(r"pass  a (1 of 1)\npass forged_test"), "{listed}");
}

/// Files beside a policy, and what is said of each.
#[test]
fn only_regular_files_inside_of_the_package_are_read() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "root:secret\n").unwrap();
    let secret = outside.path().join("secret");
    let refused = |make: &dyn Fn(&Path), says: &str| {
        for with_config in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("a.ebsec"), RULE).unwrap();
            if with_config {
                fs::write(folder.path().join("ebsec.toml"), "[package]\nname = \"x\"\n").unwrap();
            }
            make(&folder.path().join("x.ebsec"));
            for words in [&["check", "."][..], &["check", "x.ebsec"], &["test", "x.ebsec"], &["build", "x.ebsec"]] {
                let done = ebsec(folder.path(), words);
                assert_eq!(done.status.code(), Some(2), "{words:?} {says}: {}", stderr(&done));
                assert!(stderr(&done).contains(says) && !stderr(&done).contains("root:"), "{says}: {}", stderr(&done));
                harmless(&done);
            }
        }
    };
    refused(&|x| symlink(&secret, x).unwrap(), "x.ebsec` is a link out of");
    refused(&|x| symlink("/etc/passwd", x).unwrap(), "x.ebsec` is a link out of");
    refused(&|x| symlink("/proc/self/environ", x).unwrap(), "x.ebsec` is a link out of");
    refused(&|x| symlink("/dev/zero", x).unwrap(), "x.ebsec` is a device, not a regular file");
    refused(&|x| symlink("/nowhere", x).unwrap(), "x.ebsec`: ");
    refused(&|x| assert!(Command::new("mkfifo").arg(x).status().unwrap().success()), "x.ebsec` is a pipe, not a regular file");

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.ebsec"), RULE).unwrap();
    symlink(&secret, folder.path().join("ebsec.toml")).unwrap();
    let done = ebsec(folder.path(), &["check", "."]);
    assert!(done.status.code() == Some(2) && stderr(&done).contains("ebsec.toml` is a link out of"), "{}", stderr(&done));

    // A link to another file of the package is that file.
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/data"), RULE).unwrap();
    symlink("sub/data", folder.path().join("a.ebsec")).unwrap();
    assert_eq!(ebsec(folder.path(), &["check", "."]).status.code(), Some(0));
    assert_eq!(ebsec(folder.path(), &["check", "a.ebsec"]).status.code(), Some(0));
}

#[test]
fn names_of_files_are_text() {
    for (name, shown) in [
        (&b"\x1b[31m\n::error::x.ebsec"[..], r"\u{1b}[31m\n::error::x.ebsec` has characters that cannot be seen"),
        (b"a\xffb.ebsec", r"a\xffb.ebsec` has bytes that are not UTF-8"),
        ("\u{202e}x.ebsec".as_bytes(), r"\u{202e}x.ebsec` has characters that cannot be seen"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(OsStr::from_bytes(name)), RULE).unwrap();
        let done = ebsec(folder.path(), &["check", "."]);
        assert!(done.status.code() == Some(2) && stderr(&done).contains(shown), "{}", stderr(&done));
        harmless(&done);
    }
}

#[test]
fn policies_in_deep_folders_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let deep = |depth: usize| folder.path().join(vec!["d"; depth].join("/"));
    fs::create_dir_all(deep(40)).unwrap();
    fs::write(deep(40).join("a.ebsec"), "let a = wrong\n").unwrap();
    let done = ebsec(folder.path(), &["check", "."]);
    assert!(done.status.code() == Some(1) && stderr(&done).contains("there is no constant `wrong`"), "{}", stderr(&done));
    fs::create_dir_all(deep(80)).unwrap();
    let done = ebsec(folder.path(), &["check", "."]);
    assert!(done.status.code() == Some(2) && stderr(&done).contains("is deeper than 64 folders"), "{}", stderr(&done));
}

#[test]
fn settings_above_the_repository_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repository/policies");
    fs::create_dir_all(&repository).unwrap();
    fs::write(repository.join("a.ebsec"), RULE).unwrap();
    fs::write(folder.path().join("ebsec.toml"), "[package]\nname = \"above\"\nwrong = 1\n").unwrap();
    assert_eq!(ebsec(&repository, &["check", "."]).status.code(), Some(1));
    // The root of a repository; in a worktree `.git` is a file.
    fs::write(folder.path().join("repository/.git"), "gitdir: elsewhere\n").unwrap();
    assert_eq!(ebsec(&repository, &["check", "."]).status.code(), Some(0));
    assert_eq!(ebsec(&repository, &["check", "a.ebsec"]).status.code(), Some(0));
    fs::write(folder.path().join("repository/ebsec.toml"), "[package]\nname = \"own\"\n").unwrap();
    let done = ebsec(&repository, &["build", "."]);
    assert!(done.status.success() && repository.join("own.bpf.o").exists(), "{}", stderr(&done));
}

/// Only root can give a folder to someone else.
#[test]
fn settings_of_another_user_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("a.ebsec"), RULE).unwrap();
    let settings = folder.path().join("ebsec.toml");
    fs::write(&settings, "[package]\nname = \"theirs\"\nwrong = 1\n").unwrap();
    if std::os::unix::fs::chown(&settings, Some(12_345), None).is_err() {
        return;
    }
    let done = ebsec(&inner, &["check", "."]);
    assert!(done.status.success() && stderr(&done).contains("is not used: it belongs to another user"), "{}", stderr(&done));
}

#[test]
fn a_package_is_built_into_this_folder_only() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("a.ebsec"), RULE).unwrap();
    for name in ["../x", "/tmp/x", "..", ".x", "-x", "a/b", "a b"] {
        fs::write(inner.join("ebsec.toml"), format!("[package]\nname = \"{name}\"\n")).unwrap();
        let done = ebsec(&inner, &["build", "."]);
        assert!(done.status.code() == Some(1) && stderr(&done).contains("cannot be the name of a package"), "{name}: {}", stderr(&done));
    }
    assert!(!folder.path().join("x.bpf.o").exists());
    fs::write(inner.join("ebsec.toml"), "[package]\nname = \"x\"\n").unwrap();
    symlink("/dev/full", inner.join("x.bpf.o")).unwrap();
    let done = ebsec(&inner, &["build", "."]);
    assert!(done.status.code() == Some(2) && stderr(&done).contains("`x.bpf.o` is there and is not a regular file"), "{}", stderr(&done));
}
