//! Findings on their way out of `ebsec check`: one document for several packages, the standard input, exit codes, counts; what
//! is made from the arguments. The formats themselves are tested in the compiler.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{ebsec, folder, json, piped, text};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const GOOD: &str = "policy p {\n    a: deny exec when file.path == \"/opt/a\"\n}\n";
const WRONG: &str = "policy q {\n    a: deny exec when file.pth == \"/opt/a\"\n    b: deny exec when file.pth == \"/opt/a\"\n}\n";
const PACKAGE: &str = "[package]\nname = \"web\"\n";

#[test]
fn several_packages_are_one_document() {
    let folder = folder(&[("a/ebsec.toml", PACKAGE), ("a/p.ebsec", WRONG), ("b/ebsec.toml", PACKAGE), ("b/p.ebsec", WRONG)]);
    let done = ebsec(folder.path(), "check a b --format json");
    let files: Vec<Value> = json(&done).as_array().unwrap().iter().map(|finding| finding["file"].clone()).collect();
    assert_eq!((done.status.code(), files), (Some(1), ["a/p.ebsec", "a/p.ebsec", "b/p.ebsec", "b/p.ebsec"].map(Value::from).to_vec()));
    assert_eq!(json(&ebsec(folder.path(), "test a b --format json"))["findings"].as_array().unwrap().len(), 4);
    assert_eq!(json(&ebsec(folder.path(), "check a b --format sarif"))["runs"].as_array().unwrap().len(), 1);
    let shown = text(&ebsec(folder.path(), "check a b").stderr);
    assert!(shown.ends_with("\n4 errors\n") && shown.matches("errors\n").count() == 1, "{shown}");
}

#[test]
fn a_fingerprint_does_not_depend_on_where_the_command_is_called() {
    let folder = folder(&[("a/ebsec.toml", PACKAGE), ("a/p.ebsec", WRONG)]);
    let prints = |at: &str, words: &str| {
        let all = json(&ebsec(&folder.path().join(at), words));
        all.as_array().unwrap().iter().map(|finding| finding["fingerprint"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = prints("", "check a --format json");
    assert_eq!(before, prints("a", "check --format json"));
    fs::write(folder.path().join("a/p.ebsec"), format!("// more\n\n{}", WRONG.replace("    a: ", "    a:\n        "))).unwrap();
    assert_eq!(before, prints("", "check a --format json"));
    assert!(before[0] != before[1] && before.iter().all(|print| print.ends_with(":1")), "{before:?}");
}

#[test]
fn a_policy_may_come_on_the_standard_input() {
    let folder = folder(&[("ebsec.toml", PACKAGE), ("p.ebsec", WRONG), ("lib.ebsec", "let shells = [\"/bin/sh\"]\n")]);
    let alone = piped(folder.path(), "check -", WRONG);
    assert!(alone.status.code() == Some(1) && text(&alone.stderr).contains("<stdin>:2:"), "{}", text(&alone.stderr));
    assert_eq!(piped(folder.path(), "check -", GOOD).status.code(), Some(0));
    // The file of that name is what comes in, and the others of its package are there.
    assert_eq!(piped(folder.path(), "check - --stdin-filename p.ebsec", GOOD).status.code(), Some(0));
    let other = piped(folder.path(), "check - --stdin-filename new.ebsec --format concise", GOOD);
    assert_eq!((other.status.code(), text(&other.stdout).lines().next().unwrap().starts_with("p.ebsec:2:")), (Some(1), true));
    assert_eq!(piped(folder.path(), "check - --stdin-filename nowhere/x.ebsec", WRONG).status.code(), Some(1));
    for words in ["check - p.ebsec", "check - --fix"] {
        let done = piped(folder.path(), words, GOOD);
        assert!(done.status.code() == Some(2) && text(&done.stderr).contains("`-` is checked alone"), "{}", text(&done.stderr));
    }
    let diff = piped(folder.path(), "check - --fix --diff", "policy p {\n    a: deny net.egress when remote.port == \"443\"\n}\n");
    assert!(text(&diff.stdout).contains("+    a: deny net.egress when remote.port == 443\n"), "{}", text(&diff.stdout));
}

#[test]
fn the_status_is_what_is_asked_for() {
    let folder = folder(&[("a.ebsec", WRONG), ("good.ebsec", GOOD)]);
    for (words, status) in [
        ("check a.ebsec", 1),
        ("check a.ebsec --fail-level info", 1),
        ("check a.ebsec --fail-level warn", 1),
        ("check good.ebsec --fail-level warning", 0),
        ("check a.ebsec --exit-zero", 0),
        ("check nothing.ebsec --exit-zero", 2),
        ("check a.ebsec --fail-level off", 2),
        ("check a.ebsec --statistics --format sarif", 2),
    ] {
        assert_eq!(ebsec(folder.path(), words).status.code(), Some(status), "{words}");
    }
    let done = ebsec(folder.path(), "check a.ebsec --statistics");
    assert_eq!((done.status.code(), text(&done.stdout).as_str(), text(&done.stderr).as_str()), (Some(1), "E0204  unknown-field  2\n", ""));
    let counts = json(&ebsec(folder.path(), "check a.ebsec --statistics --format json"));
    assert_eq!((&counts["codes"][0]["code"], &counts["codes"][0]["count"]), (&"E0204".into(), &2.into()));
}

#[test]
fn a_clean_check_says_so_on_a_terminal_only() {
    let folder = folder(&[("a.ebsec", GOOD)]);
    let done = ebsec(folder.path(), "check a.ebsec");
    assert!(done.stdout.is_empty() && done.stderr.is_empty());
    let mut terminal = Command::new("script");
    terminal.args(["-qec", concat!(env!("CARGO_BIN_EXE_ebsec"), " check a.ebsec"), "/dev/null"]);
    let done = terminal.current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
    assert!(text(&done.stdout).contains("1 policy, 1 rule, 0 tests: no findings"), "{}", text(&done.stdout));
}

#[test]
fn no_format_obeys_a_source() {
    let hostile = "policy p {\n    a: deny exec when file.path in [\"\u{1b}[2J\u{202e}\n::error::x\n##vso[task.complete]\", ]]>\n}\n";
    let folder = folder(&[("a.ebsec", hostile)]);
    let help = text(&ebsec(folder.path(), "check --help").stdout);
    let formats = help.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split_once(':')).map(|(name, _)| name.to_owned());
    let formats: Vec<String> = formats.filter(|name| !["error", "warning", "info"].contains(&name.as_str())).collect();
    assert_eq!(formats.len(), 13, "{help}");
    for format in formats {
        let done = ebsec(folder.path(), &format!("check a.ebsec --format {format}"));
        let shown = format!("{}{}", text(&done.stdout), text(&done.stderr));
        assert!(done.status.code() == Some(1) && shown.chars().all(|c| c == '\n' || !ebsec_compiler::diag::text::is_hidden(c)), "{shown}");
        for line in shown.lines() {
            let own = match format.as_str() {
                "github" => line.strip_prefix("::error file=a.ebsec,line=").unwrap(),
                "azure" => line.strip_prefix("##vso[task.logissue type=error;sourcepath=a.ebsec;").unwrap(),
                _ => line,
            };
            assert!(!own.trim_start().starts_with("::") && !own.contains("##vso["), "{format}: {line}");
        }
    }
}

#[test]
fn layout_is_a_finding_where_findings_are_asked_for() {
    let folder = folder(&[("a.ebsec", "policy p{\na:deny exec}\n"), ("b.ebsec", "policy q {\n    a: deny exec\n}\n")]);
    let done = ebsec(folder.path(), "fmt --check --format concise");
    let wanted = "a.ebsec:1:1: error[E0511]: the file is not in the one layout from here on\n";
    assert_eq!((done.status.code(), text(&done.stdout).as_str()), (Some(1), wanted));
    assert_eq!(ebsec(folder.path(), "fmt --format sarif").status.code(), Some(0));
    assert_eq!(text(&ebsec(folder.path(), "fmt --check --format concise").stdout), "");
}

#[test]
fn commands_of_the_documentation_run() {
    let folder = folder(&[("ebsec.toml", PACKAGE), ("policies/web.ebsec", GOOD)]);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ci.md")).unwrap();
    let block = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(block.lines().count() > 5);
    for line in block.lines() {
        let done = piped(folder.path(), line.strip_prefix("ebsec ").unwrap(), GOOD);
        assert_eq!(done.status.code(), Some(0), "{line}: {}", text(&done.stderr));
    }
    let listed: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    for (_, name, _) in ebsec_compiler::diag::render::FORMATS {
        assert!(listed.iter().any(|line| line.split('|').nth(1).unwrap().contains(&format!("`{name}`"))), "{name}");
    }
}

#[test]
fn json_is_asked_for_in_two_ways() {
    let folder = folder(&[]);
    let done = ebsec(folder.path(), "explain 306 --format json");
    assert_eq!(json(&done), json(&ebsec(folder.path(), "explain 306 --json")));
    assert_eq!(ebsec(folder.path(), "explain 306 --json --format pretty").status.code(), Some(2));
}

#[test]
fn shells_and_manuals_know_the_arguments() {
    let folder = folder(&[("man/x", "")]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = text(&ebsec(folder.path(), &format!("completions {shell}")).stdout);
        assert!(["fail-level", "stdin-filename", "completions"].iter().all(|word| script.contains(word)), "{shell}");
    }
    let script = folder.path().join("ebsec.bash");
    fs::write(&script, ebsec(folder.path(), "completions bash").stdout).unwrap();
    assert!(Command::new("bash").arg("-n").arg(&script).status().unwrap().success());
    let words = "COMP_WORDS=(ebsec che); COMP_CWORD=1; _ebsec ebsec che ebsec; echo \"${COMPREPLY[*]}\"";
    let done = Command::new("bash").args(["-c", &format!(". {}; {words}", script.display())]).output().unwrap();
    assert_eq!(text(&done.stdout), "check\n");
    let page = text(&ebsec(folder.path(), "man").stdout);
    assert!(page.contains(".TH ebsec 1") && page.contains("ebsec\\-check(1)"), "{page}");
    assert_eq!(ebsec(folder.path(), "man --out man").status.code(), Some(0));
    let check = fs::read_to_string(folder.path().join("man/ebsec-check.1")).unwrap();
    assert!(check.contains("fail\\-level") && folder.path().join("man/ebsec.1").exists());
    assert_eq!(ebsec(folder.path(), "man --out nowhere").status.code(), Some(2));
}
