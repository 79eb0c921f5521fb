//! The program itself, used wrongly or with outputs that cannot be written: what it says, where, and with which status.
//! Boots no guest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{EBSEC, command, ebsec, folder, json, text};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const POLICY: &str = r#"policy p {
    mode = enforce
    a: deny exec when file.path == "/opt/a"
}
test "one" {
    process sh = { exe = "/usr/bin/dash" }
    sh exec "/opt/a" => deny by p.a
    sh exec "/opt/b" => allow
}
test "two" {
    process sh = { exe = "/usr/bin/dash" }
    sh exec "/opt/b" => allow
}
"#;

/// Status, and each of the texts on the error output.
#[track_caller]
fn says(done: &Output, status: i32, wanted: &[&str]) {
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(status), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for want in wanted {
        assert!(said.contains(want), "lacks {want}:\n{said}");
    }
}

fn package(sources: &str) -> String {
    format!("[package]\nname = \"web\"\nsources = {sources}\n")
}

#[test]
fn an_entry_of_sources_that_names_no_file_is_an_error() {
    let cases = [
        (r#"["api.ebsec", "nope.ebsec"]"#, "`nope.ebsec` in `sources` matches no `.ebsec` file"),
        (r#"["nope.ebsec"]"#, "`nope.ebsec` in `sources` matches no `.ebsec` file"),
        (r#"["api.ebsec", "../x.ebsec"]"#, "`../x.ebsec` in `sources` leads out of the package"),
        (r#"["/api.ebsec"]"#, "`/api.ebsec` in `sources` is absolute"),
        ("[]", "`sources` is empty"),
    ];
    for (sources, wanted) in cases {
        let folder = folder(&[("ebsec.toml", &package(sources)), ("api.ebsec", POLICY)]);
        let done = ebsec(folder.path(), "check");
        says(&done, 1, &["error[E0508]", wanted, "ebsec.toml:3:", "1 error\n"]);
        assert_eq!(ebsec(folder.path(), "check api.ebsec").status.code(), Some(1));
    }
    let folder =
        folder(&[("ebsec.toml", &package(r#"["./api.ebsec", "sub/**"]"#)), ("api.ebsec", POLICY), ("sub/b.ebsec", "let b = [1]\n")]);
    says(&ebsec(folder.path(), "check"), 0, &[]);
}

#[test]
fn a_named_file_that_is_no_source_is_not_passed_over() {
    let folder = folder(&[("ebsec.toml", &package(r#"["api.ebsec"]"#)), ("api.ebsec", POLICY), ("other.ebsec", "wrong")]);
    says(&ebsec(folder.path(), "check other.ebsec"), 2, &["`other.ebsec` is not a source of the package", "`sources`"]);
    says(&ebsec(folder.path(), "check api.ebsec ebsec.toml"), 0, &[]);
}

#[test]
fn an_output_that_is_no_artifact_is_not_replaced() {
    let folder = folder(&[("a.ebsec", POLICY), ("empty", ""), ("short", "x")]);
    for name in ["a.ebsec", "short"] {
        let before = fs::read(folder.path().join(name)).unwrap();
        says(&ebsec(folder.path(), &format!("build a.ebsec -o {name}")), 2, &[&format!("`{name}` exists and is not an artifact")]);
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), before);
    }
    for _ in 0..2 {
        says(&ebsec(folder.path(), "build a.ebsec -o empty"), 0, &[]);
        says(&ebsec(folder.path(), "build a.ebsec -o p.bpf.o"), 0, &[]);
    }
}

#[test]
fn a_folder_without_policies_is_named() {
    let folder = folder(&[("empty/README.md", "nothing\n")]);
    says(&ebsec(folder.path(), "check empty"), 1, &["error[E0507]", "empty/:1:1"]);
    assert_eq!(json(&ebsec(folder.path(), "check empty --format json"))[0]["file"], "empty/");
    assert_eq!(json(&ebsec(&folder.path().join("empty"), "check --format json"))[0]["file"], ".");
}

#[test]
fn packages_below_a_folder_are_checked_too() {
    let wrong = "policy p {\n    r: deny exec when file.pth == \"/a\"\n}\n";
    let files = [
        ("all/one/ebsec.toml", "[package]\nname = \"one\"\n"),
        ("all/one/a.ebsec", wrong),
        ("all/deep/two/ebsec.toml", "[package]\nname = \"two\"\n"),
        ("all/deep/two/b.ebsec", wrong),
        ("all/deep/two/within/ebsec.toml", "[package]\nname = \"within\"\n"),
        ("all/deep/two/within/c.ebsec", "policy  c { }\n"),
        ("all/.hidden/ebsec.toml", ""),
        ("all/.hidden/d.ebsec", wrong),
    ];
    let folder = folder(&files);
    says(&ebsec(folder.path(), "check all"), 1, &["all/one/a.ebsec:2", "all/deep/two/b.ebsec:2"]);
    let untidy = ebsec(folder.path(), "fmt --check all");
    says(&untidy, 1, &[]);
    assert!(text(&untidy.stdout).contains("all/deep/two/within/c.ebsec"), "{untidy:?}");
    // A file of its own beside them hides none.
    fs::write(folder.path().join("all/x.ebsec"), "import std.paths\n").unwrap();
    let out = ebsec(folder.path(), "check all");
    says(&out, 1, &["all/one/a.ebsec:2", "all/deep/two/b.ebsec:2"]);
    // Of a folder within a package, those below it alone.
    let out = ebsec(&folder.path().join("all/deep"), "check");
    says(&out, 1, &["two/b.ebsec:2"]);
    assert!(!format!("{out:?}").contains("one/a.ebsec"), "{out:?}");
    fs::create_dir(folder.path().join("empty")).unwrap();
    says(&ebsec(folder.path(), "check all empty"), 1, &["all/one/a.ebsec:2", "error[E0507]", "empty/:1:1"]);
    says(&ebsec(folder.path(), "build all/deep -o p.bpf.o"), 2, &["there are 2", "`all/deep/two/`"]);
    says(&ebsec(folder.path(), "build all/deep/two -o p.bpf.o"), 1, &["file.pth"]);
}

#[test]
fn what_has_no_rule_in_force_is_checked_and_not_built() {
    let library = "let a = [1]\n";
    let imported = "import std.credentials\n";
    let empty = "policy p {\n    mode = enforce\n}\n";
    for policy in [library, imported, empty] {
        let folder = folder(&[("a.ebsec", policy)]);
        says(&ebsec(folder.path(), "check a.ebsec"), 0, &[]);
        says(&ebsec(folder.path(), "build a.ebsec"), 1, &["error[E0701]", "a.ebsec:1:", "no rule is in force", "help: "]);
        assert!(!folder.path().join("policy.bpf.o").exists());
    }
}

#[test]
fn a_filter_that_holds_of_no_test_is_told() {
    let folder = folder(&[("a.ebsec", POLICY), ("none/b.ebsec", "let b = [1]\n"), ("bare/c.ebsec", "test \"bare\" {\n}\n")]);
    let done = ebsec(folder.path(), "test a.ebsec --filter three");
    says(&done, 2, &["no test's name matches `three`"]);
    assert!(done.stdout.is_empty());
    says(&ebsec(folder.path(), "test none --filter one"), 2, &["no test's name matches `one`"]);
    let done = ebsec(folder.path(), "test a.ebsec none --filter one");
    says(&done, 0, &[]);
    assert!(text(&done.stdout).starts_with("pass  one  2 of 2  a.ebsec:5:6\n2 of 2 operations"), "{}", text(&done.stdout));
    assert_eq!(text(&ebsec(folder.path(), "test none").stdout), "no tests\n");
    assert!(!text(&ebsec(folder.path(), "test bare").stdout).contains("pass"));
}

#[test]
fn results_of_tests_are_json_too() {
    let wrong = POLICY.replace("sh exec \"/opt/b\" => allow\n}\ntest", "sh exec \"/opt/a\" => allow\n}\ntest");
    let folder = folder(&[("a.ebsec", POLICY), ("wrong.ebsec", &wrong), ("untyped.ebsec", "let a: wrong = 1\n")]);
    let done = json(&ebsec(folder.path(), "test a.ebsec --format json"));
    let tests = done["tests"].as_array().unwrap().iter().map(|t| (&t["name"], &t["passed"], &t["total"])).collect::<Vec<_>>();
    assert_eq!(tests, [(&"one".into(), &2.into(), &2.into()), (&"two".into(), &1.into(), &1.into())]);
    assert_eq!((&done["judged_by_programs"], &done["findings"]), (&3.into(), &serde_json::json!([])));
    let done = ebsec(folder.path(), "test wrong.ebsec --format json");
    assert_eq!((done.status.code(), &json(&done)["tests"][0]["passed"]), (Some(1), &1.into()));
    assert_eq!(json(&done)["findings"][0]["code"], "E0600");
    assert_eq!(json(&ebsec(folder.path(), "test untyped.ebsec --format json"))["findings"][0]["code"], "E0301");
}

#[test]
fn where_json_is_asked_for_a_failure_is_json() {
    let folder = folder(&[("a.ebsec", POLICY), ("text.o", "hello\n")]);
    let cases = [
        ("check nosuch --format json", 2),
        ("test nosuch --format json", 2),
        ("test a.ebsec --filter three --format json", 2),
        ("build nosuch --format json", 2),
        ("inspect nosuch --json", 2),
        ("inspect text.o --json", 1),
        ("verify text.o --json", 1),
    ];
    for (words, status) in cases {
        let done = ebsec(folder.path(), words);
        says(&done, status, &["error: "]);
        let error = json(&done)["error"].as_str().unwrap().to_owned();
        assert!(text(&done.stderr).contains(&error), "{words}: {error}");
    }
    let done = ebsec(folder.path(), "build a.ebsec --format json");
    assert_eq!((done.status.code(), json(&done)), (Some(0), serde_json::json!([])));
}

/// Each prints on the output.
const PRINTING: [&str; 9] = [
    "test a.ebsec",
    "test a.ebsec --format json",
    "check a.ebsec --format json",
    "build a.ebsec",
    "build a.ebsec --emit asm,hir",
    "inspect policy.bpf.o",
    "explain E0306",
    "explain",
    "--help",
];

#[test]
fn a_closed_pipe_is_the_end_of_reading_only() {
    let folder = folder(&[("a.ebsec", POLICY)]);
    says(&ebsec(folder.path(), "build a.ebsec"), 0, &[]);
    for words in PRINTING {
        let mut child = command(folder.path(), words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The reader has gone before anything is printed.
        drop(child.stdout.take());
        let done = child.wait_with_output().unwrap();
        says(&done, 0, &[]);
        assert!(done.stderr.is_empty(), "{words}: {}", text(&done.stderr));
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    let folder = folder(&[("a.ebsec", POLICY)]);
    says(&ebsec(folder.path(), "build a.ebsec"), 0, &[]);
    for words in PRINTING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let done = command(folder.path(), words).stdout(full).output().unwrap();
        says(&done, 2, &["error: cannot write the output: No space left on device"]);
    }
    let full = File::options().write(true).open("/dev/full").unwrap();
    let done = command(folder.path(), "check nosuch").stderr(full).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn an_artifact_that_cannot_be_written_is_named() {
    let folder = folder(&[("a.ebsec", POLICY), ("folder/x", "")]);
    let missing = ebsec(folder.path(), "build a.ebsec -o missing/x.o");
    says(&missing, 2, &["cannot write `missing/x.o`: there is no folder `missing`"]);
    says(&ebsec(folder.path(), "build a.ebsec -o folder"), 2, &["cannot write `folder`"]);
    for done in [&missing, &ebsec(folder.path(), "build a.ebsec -o a.ebsec/x.o")] {
        says(done, 2, &["cannot write `"]);
        assert!(!text(&done.stderr).contains(".tmp"));
    }
    // A device is written to and stays one.
    says(&ebsec(folder.path(), "build a.ebsec -o /dev/full"), 2, &["cannot write `/dev/full`: No space left"]);
    says(&ebsec(folder.path(), "build a.ebsec --emit asm -o x.o"), 2, &["cannot be used with"]);
}

#[test]
fn what_is_no_artifact_is_called_so() {
    let folder = folder(&[
        ("text.o", "policy p { a: deny exec }\n"),
        ("empty.o", ""),
        ("cut.o", "\u{7f}ELFxx and no more than that, though this is long enough\n"),
    ]);
    for verb in ["inspect", "verify"] {
        for file in ["text.o", "empty.o"] {
            says(&ebsec(folder.path(), &format!("{verb} {file}")), 1, &[&format!("`{file}`: the file is not an ebsec artifact")]);
        }
        says(&ebsec(folder.path(), &format!("{verb} cut.o")), 1, &["the digest at the end of the file does not match"]);
    }
}

#[test]
fn verify_needs_a_loader_and_known_kernels_before_it_boots() {
    let folder = folder(&[("a.ebsec", POLICY), ("script", "#!/bin/sh\n")]);
    says(&ebsec(folder.path(), "build a.ebsec"), 0, &[]);
    let with = |loader: &str| command(folder.path(), "verify policy.bpf.o --kernel 6.12").env("EBSEC_LOAD", loader).output().unwrap();
    says(&with("/nonexistent"), 2, &["EBSEC_LOAD names `/nonexistent`, which cannot be read", "make static", "make guest-tools"]);
    says(&with("script"), 2, &["EBSEC_LOAD names `script`, which is not a program for x86-64"]);
    says(&with(EBSEC), 2, &["which is not a static binary"]);
    for kernel in ["foo", "5.10", "../6.1"] {
        let done = ebsec(folder.path(), &format!("verify policy.bpf.o --kernel 6.1 --kernel {kernel}"));
        says(&done, 2, &[&format!("unknown kernel series `{kernel}`"), "known series: 6.1, 6.12, 6.18, 7"]);
        assert!(done.stdout.is_empty());
    }
}

#[test]
fn without_a_loader_verify_says_how_to_get_one() {
    let folder = folder(&[("a.ebsec", POLICY)]);
    let alone = folder.path().join("bin/ebsec");
    fs::create_dir(folder.path().join("bin")).unwrap();
    // By another process: a descriptor that writes it, inherited by what another test starts meanwhile, would keep it from running.
    assert!(Command::new("cp").arg(EBSEC).arg(&alone).status().unwrap().success());
    says(&ebsec(folder.path(), "build a.ebsec"), 0, &[]);
    let mut command = Command::new(alone);
    command.current_dir(folder.path()).env("EBSEC_CACHE", folder.path()).env_remove("EBSEC_LOAD");
    let done = command.args(["verify", "policy.bpf.o"]).output().unwrap();
    says(&done, 2, &["no static `ebsec-load` is beside this program", "make guest-tools", "make static", "EBSEC_LOAD"]);
}

#[test]
fn codes_are_found_by_their_number_and_listed() {
    let here = Path::new(".");
    let whole = text(&ebsec(here, "explain E0306").stdout);
    assert!(whole.starts_with("E0306: A pattern where one exact value is expected\n"), "{whole}");
    for code in ["306", "e306", "e0306", "0306", "pattern-compared", "Pattern-Compared"] {
        assert_eq!(text(&ebsec(here, &format!("explain {code}")).stdout), whole);
    }
    let all = text(&ebsec(here, "explain").stdout);
    // What goes on below a column belongs to the line before.
    let mut list = String::new();
    for line in all.split("\nFindings\n").nth(1).unwrap().lines() {
        list.push_str(if line.starts_with("   ") { " " } else { "\n" });
        list.push_str(line.trim_start());
    }
    let list = format!("{}\n", list.trim_start());
    let level = list.find("error").unwrap();
    for line in list.lines() {
        assert!(line.starts_with(['E', 'L']), "{line}");
        assert!(["error  ", "warning  ", "info  ", "off  "].iter().any(|word| line[level..].starts_with(word)), "{line}");
    }
    assert_eq!(text(&ebsec(here, "explain l301").stdout), text(&ebsec(here, "explain symlink-path").stdout));
    assert!(list.contains("  A pattern where one exact value is expected\n") && list.starts_with("E0100  file-too-large "));
    assert!(list.lines().count() > 100);
    says(&ebsec(here, "explain x\u{1b}1"), 1, &[r"nothing is called `x\u{1b}1`", "`ebsec explain` lists"]);
    says(&ebsec(here, "explain pattern-compare"), 1, &["did you mean `pattern-compared`?"]);
    says(&ebsec(here, "explain E0236"), 1, &["did you mean `E02"]);
}

#[test]
fn events_and_fields_are_explained() {
    let here = Path::new(".");
    let event = text(&ebsec(here, "explain file.read").stdout);
    assert!(event.starts_with("file.read: ") && event.contains("\n  file.path ") && event.contains(" path "), "{event}");
    assert!(event.contains("Raised by:\n") && event.contains("  hook.path_rename "), "{event}");
    let hook = text(&ebsec(here, "explain hook.path_rename").stdout);
    assert!(hook.contains("First kernel: 5.7\n") && hook.contains("  file.write  for `replaced`, if `replaces`\n"), "{hook}");
    let field = text(&ebsec(here, "explain process.exe").stdout);
    assert!(field.contains("Type: path\n") && field.contains("  process.exe.name ") && field.contains("  net.egress "), "{field}");
    assert!(json(&ebsec(here, "explain exec --json"))["fields"].as_array().unwrap().contains(&"file.path".into()));
    assert_eq!(json(&ebsec(here, "explain remote.port --json"))["type"], "port");
    says(&ebsec(here, "explain file.raed"), 1, &["did you mean `file.read`?"]);
}

#[test]
fn every_name_of_the_language_is_explained_and_listed() {
    let here = Path::new(".");
    let list = text(&ebsec(here, "explain").stdout);
    let cases = [
        ("under", "operator", "Operators"),
        ("cidr", "type", "Types"),
        ("severity", "property", "Properties"),
        ("because", "word", "Words"),
        ("target", "key", "Keys of unit tests"),
        ("std.programs", "library", "Library"),
    ];
    for (name, kind, title) in cases {
        let shown = text(&ebsec(here, &format!("explain {name}")).stdout);
        assert!(shown.starts_with(&format!("{name}: ")) && shown.lines().any(|line| line.starts_with(kind)), "{shown}");
        let section = list.split(&format!("{title}\n")).nth(1).unwrap().split("\n\n").next().unwrap();
        assert!(section.contains(&format!("  {name} ")), "{section}");
        assert_eq!(json(&ebsec(here, &format!("explain {name} --json")))["kind"], kind);
    }
    let policy = text(&ebsec(here, "explain std.credentials.shadow").stdout);
    assert!(policy.contains("  read    deny file.read: only login") && policy.contains("library · policy\n"), "{policy}");
    assert!(policy.contains("\n  shadow_readers  set<path>, by default `["), "{policy}");
    // `mode` is three things, and all are shown.
    let all = text(&ebsec(here, "explain mode").stdout);
    assert!(["\ntype\n", "\nproperty\n", "\nkey\n"].iter().all(|kind| all.contains(kind)), "{all}");
    assert_eq!(json(&ebsec(here, "explain mode --json")).as_array().unwrap().len(), 3);
    // A part of a name finds it.
    for (part, found) in [("exe", "process.lineage.exe"), ("host_path", "file.host_path"), ("rename", "hook.path_rename")] {
        assert!(text(&ebsec(here, &format!("explain {part}")).stdout).contains(found), "{part}");
    }
    for line in ["explain", "explain file.path", "explain hook.path_rename", "explain std.paths", "check --help"] {
        let shown = text(&ebsec(here, line).stdout);
        let wide: Vec<&str> = shown.lines().filter(|l| l.chars().count() > 80 && !l.starts_with("    ")).collect();
        assert!(wide.is_empty(), "{line}: {wide:#?}");
    }
    says(&ebsec(here, "explain std.credentials.shadwo"), 1, &["did you mean `std.credentials.shadow`?"]);
}

#[test]
fn pages_are_there_as_json() {
    let here = Path::new(".");
    let page = json(&ebsec(here, "explain 306 --json"));
    assert_eq!((page["name"].as_str(), page["level"].as_str()), (Some("pattern-compared"), Some("error")));
    assert!(page["text"].as_str().unwrap().starts_with("# A pattern"));
    let all = json(&ebsec(here, "explain --json"));
    assert!(all.as_array().unwrap().iter().any(|p| p["code"] == page["code"] && p["title"] == page["title"]));
    let unknown = ebsec(here, "explain x --json");
    assert!(unknown.status.code() == Some(1) && json(&unknown)["error"].as_str().unwrap().contains("`x`"));
}

#[test]
fn inspect_shows_what_says_something() {
    let folder = folder(&[("a.ebsec", POLICY)]);
    says(&ebsec(folder.path(), "build a.ebsec"), 0, &[]);
    let shown = text(&ebsec(folder.path(), "inspect policy.bpf.o").stdout);
    assert!(!shown.contains("stack") && !shown.contains("estimate"), "{shown}");
    let events = shown.lines().find(|l| l.trim_start().starts_with("events ")).unwrap();
    assert!(events.contains(" bytes ") && !events.contains("entries"), "{events}");
}

#[test]
fn a_parameter_without_a_name_is_told() {
    let folder = folder(&[("a.ebsec", POLICY), ("b.ebsec", "param s: set<path>\nparam n: set<cidr>\nparam d: path\n")]);
    says(&ebsec(folder.path(), "check a.ebsec --param =3"), 1, &["`=3` does not name a parameter", "write `NAME=VALUE`"]);
    // As the help says it.
    let mut command = command(folder.path(), "check b.ebsec");
    let done = command.args(["--param", "s=[\"/srv\", \"/opt\"]", "--param", "n=[10.0.0.0/8, fd00::/8]", "--param", "d=/srv"]).output();
    says(&done.unwrap(), 0, &[]);
}
