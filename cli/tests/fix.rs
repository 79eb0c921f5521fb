//! `ebsec check --fix` on disk: what it changes, what it leaves, what it says and with which status.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{ebsec, folder, read};
use std::fs;
use std::process::Output;

const QUOTED: &str = "policy p {\n    a: deny net.egress when remote.port == \"443\" // https\n}\n";
const FIXED: &str = "policy p {\n    a: deny net.egress when remote.port == 443 // https\n}\n";
const UNKNOWN: &str = "policy q {\n    a: deny exec when file.path in some_set_of_paths\n}\n";

#[track_caller]
fn says(done: &Output, status: i32, out: &str, err: &[&str]) {
    let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(status), "{stdout}{stderr}");
    assert_eq!(stdout, out);
    err.iter().for_each(|text| assert!(stderr.contains(text), "lacks {text}:\n{stderr}"));
}

#[test]
fn safe_fixes_are_made_and_counted() {
    let folder = folder(&[("a.ebsec", QUOTED), ("b.ebsec", FIXED.replace("policy p", "policy r").as_str())]);
    says(&ebsec(folder.path(), "check"), 1, "", &["1 error"]);
    says(&ebsec(folder.path(), "check --fix"), 0, "", &["1 fix made"]);
    assert_eq!(read(&folder, "a.ebsec"), FIXED);
    says(&ebsec(folder.path(), "check --fix"), 0, "", &["0 fixes made"]);
}

#[test]
fn what_cannot_be_fixed_is_left_and_printed() {
    let folder = folder(&[("a.ebsec", QUOTED), ("b.ebsec", UNKNOWN)]);
    says(&ebsec(folder.path(), "check --fix"), 1, "", &["error[E0200]", "b.ebsec:2:", "1 error", "1 fix made"]);
    assert_eq!((read(&folder, "a.ebsec").as_str(), read(&folder, "b.ebsec").as_str()), (FIXED, UNKNOWN));
}

/// Fixes that are not made unless asked for are counted, those that cannot be made are not.
#[test]
fn fixes_that_may_change_the_meaning_are_named() {
    let guess = "policy r {\n    a: deny exec when file.mode == 755\n}\n";
    let folder = folder(&[("a.ebsec", QUOTED), ("b.ebsec", guess), ("c.ebsec", UNKNOWN)]);
    let left = "1 fix made\n1 more finding has a fix that may change the meaning: `--unsafe-fixes` makes it\n";
    says(&ebsec(folder.path(), "check --fix"), 1, "", &["E0322", "E0200", left]);
    let done = ebsec(folder.path(), "check --fix --unsafe-fixes");
    says(&done, 1, "", &["E0200", "1 fix made\n"]);
    assert!(!String::from_utf8_lossy(&done.stderr).contains("more finding"));
}

#[test]
fn the_difference_is_printed_and_nothing_written() {
    let folder = folder(&[("a.ebsec", QUOTED)]);
    let diff = "--- a/a.ebsec\n+++ b/a.ebsec\n@@ -1,3 +1,3 @@\n policy p {\n-    a: deny net.egress when remote.port == \"443\" // https\n";
    let diff = format!("{diff}+    a: deny net.egress when remote.port == 443 // https\n }}\n");
    says(&ebsec(folder.path(), "check --fix --diff"), 1, &diff, &["1 fix would be made"]);
    assert_eq!(read(&folder, "a.ebsec"), QUOTED);
    says(&ebsec(folder.path(), "check --diff"), 2, "", &["--fix"]);
    says(&ebsec(folder.path(), "check --unsafe-fixes"), 2, "", &["--fix"]);
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = folder(&[("a.ebsec", QUOTED)]);
    let path = folder.path().join("a.ebsec");
    let mut mode = path.metadata().unwrap().permissions();
    mode.set_readonly(true);
    fs::set_permissions(&path, mode).unwrap();
    says(&ebsec(folder.path(), "check --fix"), 2, "", &["a.ebsec`: it is read-only"]);
    assert_eq!(read(&folder, "a.ebsec"), QUOTED);
}
