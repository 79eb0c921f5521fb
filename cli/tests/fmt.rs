//! `ebsec fmt` on disk: what it writes, what it leaves, what it says and with which status.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{ebsec, folder, piped, read, text};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Output;

const UNTIDY: &str = "policy p{\nmode=enforce // c\na:deny exec}\n";
const TIDY: &str = "policy p {\n    mode = enforce // c\n    a: deny exec\n}\n";
const WRONG: &str = "policy p{\na:deny exec when\n}\n";

#[track_caller]
fn says(done: &Output, status: i32, out: &str, err: &str) {
    let (stdout, stderr) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(done.status.code(), Some(status), "{stdout}{stderr}");
    assert_eq!(stdout, out);
    assert!(if err.is_empty() { stderr.is_empty() } else { stderr.contains(err) }, "{stderr}");
}

#[test]
fn files_are_written_only_where_something_changes() {
    let folder = folder(&[("a.ebsec", UNTIDY), ("sub/b.ebsec", TIDY), ("c.txt", UNTIDY)]);
    let path = folder.path().join("a.ebsec");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let untouched = folder.path().join("sub/b.ebsec").metadata().unwrap().ino();
    says(&ebsec(folder.path(), "fmt ."), 0, "", "");
    assert_eq!((read(&folder, "a.ebsec").as_str(), read(&folder, "c.txt").as_str()), (TIDY, UNTIDY));
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(folder.path().join("sub/b.ebsec").metadata().unwrap().ino(), untouched);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside");
}

#[test]
fn check_and_diff_write_nothing() {
    let folder = folder(&[("a.ebsec", UNTIDY), ("b.ebsec", TIDY)]);
    says(&ebsec(folder.path(), "fmt --check"), 1, "a.ebsec\n", "");
    says(&ebsec(folder.path(), "fmt --check b.ebsec"), 0, "", "");
    let diff = "--- a/a.ebsec\n+++ b/a.ebsec\n@@ -1,3 +1,4 @@\n-policy p{\n-mode=enforce // c\n-a:deny exec}\n";
    let diff = format!("{diff}+policy p {{\n+    mode = enforce // c\n+    a: deny exec\n+}}\n");
    says(&ebsec(folder.path(), "fmt --diff"), 1, &diff, "");
    says(&ebsec(folder.path(), "fmt --check --diff b.ebsec"), 0, "", "");
    assert_eq!(read(&folder, "a.ebsec"), UNTIDY);
}

#[test]
fn the_standard_input_is_printed() {
    let folder = folder(&[]);
    says(&piped(folder.path(), "fmt -", UNTIDY), 0, TIDY, "");
    says(&piped(folder.path(), "fmt - --check --stdin-filename x.ebsec", UNTIDY), 1, "x.ebsec\n", "");
    says(&piped(folder.path(), "fmt - --check", TIDY), 0, "", "");
    says(&piped(folder.path(), "fmt - --stdin-filename x.ebsec", WRONG), 1, "", "x.ebsec:2:17");
    says(&ebsec(folder.path(), "fmt - a.ebsec"), 2, "", "`-` takes no other path");
}

#[test]
fn what_does_not_parse_stays_and_the_rest_is_formatted() {
    let folder = folder(&[("a.ebsec", WRONG), ("b.ebsec", UNTIDY)]);
    says(&ebsec(folder.path(), "fmt"), 1, "", "a.ebsec:2:17");
    assert_eq!((read(&folder, "a.ebsec").as_str(), read(&folder, "b.ebsec").as_str()), (WRONG, TIDY));
}

#[test]
fn files_that_cannot_be_written_are_named() {
    let folder = folder(&[("a.ebsec", UNTIDY)]);
    fs::set_permissions(folder.path().join("a.ebsec"), Permissions::from_mode(0o444)).unwrap();
    says(&ebsec(folder.path(), "fmt a.ebsec"), 2, "", "a.ebsec`: it is read-only");
    assert_eq!(read(&folder, "a.ebsec"), UNTIDY);
    says(&ebsec(folder.path(), "fmt --check a.ebsec"), 1, "a.ebsec\n", "");
}

#[test]
fn only_what_is_named_is_formatted() {
    let package = "[package]\nname = \"web\"\n";
    let folder = folder(&[
        ("ebsec.toml", package),
        ("a.ebsec", UNTIDY),
        ("sub/b.ebsec", UNTIDY),
        ("other/ebsec.toml", package),
        ("other/c.ebsec", UNTIDY),
    ]);
    says(&ebsec(folder.path(), "fmt sub"), 0, "", "");
    assert_eq!((read(&folder, "a.ebsec").as_str(), read(&folder, "sub/b.ebsec").as_str()), (UNTIDY, TIDY));
    assert_eq!(read(&folder, "other/c.ebsec"), UNTIDY);
    says(&ebsec(folder.path(), "fmt"), 0, "", "");
    assert_eq!((read(&folder, "a.ebsec").as_str(), read(&folder, "other/c.ebsec").as_str()), (TIDY, TIDY), "a package below");
    says(&ebsec(folder.path(), "fmt nothing.ebsec"), 2, "", "nothing.ebsec");
}

#[test]
fn a_link_out_of_the_package_is_not_written() {
    let (folder, other) = (folder(&[]), folder(&[("a.ebsec", UNTIDY)]));
    symlink(other.path().join("a.ebsec"), folder.path().join("l.ebsec")).unwrap();
    assert_eq!(ebsec(folder.path(), "fmt .").status.code(), Some(2));
    assert_eq!(read(&other, "a.ebsec"), UNTIDY);
}

#[test]
fn results_are_data_on_request() {
    let folder = folder(&[("a.ebsec", UNTIDY), ("b.ebsec", TIDY), ("c.ebsec", WRONG)]);
    for (words, state) in [("fmt --check --format json", "would change"), ("fmt --format json", "formatted")] {
        let done = ebsec(folder.path(), words);
        let found: Value = serde_json::from_slice(&done.stdout).unwrap();
        let states: Vec<&str> = found.as_array().unwrap().iter().map(|file| file["state"].as_str().unwrap()).collect();
        assert_eq!(states, [state, "unchanged", "refused"]);
        assert_eq!((&found[0]["file"], found[2]["findings"].as_array().map(Vec::len)), (&Value::from("a.ebsec"), Some(1)));
        assert_eq!(done.status.code(), Some(1));
    }
    assert_eq!(read(&folder, "a.ebsec"), TIDY);
}
