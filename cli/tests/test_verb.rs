//! `ebsec test` on the policies of `tests/golden/tests`: what it prints on both outputs and its status are in the `.txt`
//! beside each. A line `// args: …` gives further arguments. `EBSEC_BLESS=1` writes what comes out. Boots no guest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use ebsec_test_support::{Goldens, files, folder};
use std::process::Command;

fn run(file: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebsec"));
    let done = command.current_dir(folder("tests")).args(["test", file]).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("{}{}status {}\n", text(&done.stdout), text(&done.stderr), done.status.code().unwrap())
}

#[test]
fn what_tests_say() {
    let mut goldens = Goldens::new(folder("tests"), "txt");
    for path in files(&folder("tests"), "ebsec") {
        let text = std::fs::read_to_string(&path).unwrap();
        let arguments = text.lines().find_map(|l| l.strip_prefix("// args: ")).unwrap_or_default();
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let name = path.file_name().unwrap().to_str().unwrap();
        goldens.check(path.file_stem().unwrap().to_str().unwrap(), &run(name, &arguments));
    }
    goldens.finish();
}

#[test]
fn a_filter_is_a_regular_expression() {
    let shown = run("not_given.ebsec", &["--filter", "^gi.en$"]);
    assert!(shown.contains("given  6 of 6") && !shown.contains("open") && shown.ends_with("status 0\n"), "{shown}");
    let shown = run("not_given.ebsec", &["--filter", "(a"]);
    assert!(shown.contains("not a regular expression") && shown.ends_with("status 2\n"), "{shown}");
}

#[test]
fn what_is_measured_is_json_too() {
    let shown = run("coverage.ebsec", &["--coverage", "--mutate", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(shown.rsplit_once("status").unwrap().0).unwrap();
    assert_eq!(json["coverage"]["rules"][0]["conditions"][0]["true"], true, "{shown}");
    assert!(json["mutation"]["tried"].as_u64().unwrap() > 10);
    assert_eq!(json["tests"][0]["lines"][0]["verdict"], "deny by web.all");
}
