//! Which lints `ebsec check` reports: those that are selected, less those that a baseline or an earlier revision had.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{ebsec, folder, json, read, text};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const POLICY: &str = "let a: set<path> = [\"/x\"]\npolicy p {\n    a: deny exec when file.path == \"/bin/a\"\n}\n";
const WRONG: &str = "policy q {\n    a: deny exec when file.pth == \"/opt/a\"\n}\n";

/// The codes that a command reports, with its status.
#[track_caller]
fn codes(folder: &Path, words: &str) -> (i32, Vec<String>) {
    let done = ebsec(folder, &format!("{words} --format json"));
    let all = json(&done);
    let all = all.as_array().unwrap_or_else(|| panic!("{all}")).iter().map(|finding| finding["code"].as_str().unwrap().to_owned());
    (done.status.code().unwrap(), all.collect())
}

#[track_caller]
fn says(done: &Output, status: i32, wanted: &[&str]) {
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(status), "{said}");
    wanted.iter().for_each(|want| assert!(said.contains(want), "lacks {want}:\n{said}"));
}

#[test]
fn lints_are_selected_and_ignored_by_name_code_and_group() {
    let folder = folder(&[("a.ebsec", POLICY), ("b.ebsec", WRONG)]);
    for (words, status, wanted) in [
        ("", 0, &["L0209", "L0301"][..]),
        ("--select L0301", 0, &["L0301"]),
        ("--select symlink-path,correctness", 0, &["L0209", "L0301"]),
        ("--select missing-test --select unused-let", 0, &["L0209", "L0604"]),
        ("--ignore suspicious,unused-let", 0, &[]),
        ("--select suspicious --ignore symlink-path", 0, &[]),
        ("--select symlink-path --fail-level warning", 1, &["L0301"]),
    ] {
        let wanted: Vec<String> = wanted.iter().map(|code| (*code).to_owned()).collect();
        let command = format!("check a.ebsec {words}");
        assert_eq!(codes(folder.path(), command.trim_end()), (status, wanted), "{words}");
    }
    assert_eq!(codes(folder.path(), "check b.ebsec --select symlink-path"), (1, vec!["E0204".to_owned()]));
    says(&ebsec(folder.path(), "check a.ebsec --select symlink-pth"), 2, &["no lint", "did you mean `symlink-path`?"]);
    says(&ebsec(folder.path(), "check a.ebsec --ignore E0204"), 2, &["`E0204` is an error of the language"]);
}

#[test]
fn the_settings_are_overruled_and_comments_are_not() {
    let toml = "[package]\nname = \"web\"\n[lints]\nunused-let = \"off\"\nsymlink-path = \"error\"\n";
    let allowed = POLICY.replacen("let", "// ebsec: allow(unused-let) because \"kept\"\nlet", 1);
    let folder = folder(&[("a/ebsec.toml", toml), ("a/a.ebsec", POLICY), ("b/ebsec.toml", toml), ("b/b.ebsec", &allowed)]);
    assert_eq!(codes(folder.path(), "check a"), (1, vec!["L0301".to_owned()]));
    assert_eq!(codes(folder.path(), "check a --select unused-let"), (0, vec!["L0209".to_owned()]));
    assert_eq!(codes(folder.path(), "check b --select unused-let"), (0, vec![]));
}

#[test]
fn a_baseline_hides_what_it_lists_and_no_more() {
    let folder = folder(&[("ebsec.toml", "[package]\nname = \"web\"\n"), ("a.ebsec", POLICY)]);
    says(&ebsec(folder.path(), "check --baseline known.json"), 2, &["cannot read `known.json`", "`--write-baseline` makes it"]);
    says(&ebsec(folder.path(), "check --baseline known.json --write-baseline"), 0, &["note: 2 lints written to `known.json`"]);
    let written = read(&folder, "known.json");
    assert!(written.contains("\"file\": \"a.ebsec\",\n      \"code\": \"L0209\""), "{written}");
    assert_eq!(codes(folder.path(), "check --baseline known.json"), (0, vec![]));
    says(&ebsec(folder.path(), "check --baseline known.json"), 0, &["note: 2 lints known already"]);
    // From elsewhere, and with lines before it, it is the same finding; a second one of its kind is not.
    let moved = format!("// a remark\n\n{}", POLICY.replace("\n}", "\n    b: deny exec when file.path == \"/bin/b\"\n}"));
    fs::write(folder.path().join("a.ebsec"), moved).unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let done = json(&ebsec(&folder.path().join("sub"), "check .. --baseline ../known.json --format json"));
    assert_eq!((done[0]["code"].as_str(), done[0]["line"].as_u64(), done.as_array().unwrap().len()), (Some("L0301"), Some(6), 1), "{done}");
    // Errors of the language are never known.
    fs::write(folder.path().join("b.ebsec"), WRONG).unwrap();
    says(&ebsec(folder.path(), "check --baseline known.json --write-baseline"), 1, &["error[E0204]", "written to"]);
    for (text, wrong) in [("{}", "missing field"), ("{\"version\":9,\"findings\":[]}", "its version is 9"), ("x", "expected value")] {
        fs::write(folder.path().join("other.json"), text).unwrap();
        says(&ebsec(folder.path(), "check --baseline other.json"), 2, &["is not a baseline", wrong]);
        says(&ebsec(folder.path(), "check --baseline other.json --write-baseline"), 2, &["exists and is not a baseline"]);
        assert_eq!(read(&folder, "other.json"), text);
    }
    says(&ebsec(folder.path(), "check --write-baseline"), 2, &["--baseline"]);
}

/// Runs git in a folder, with no settings but its own.
fn git(folder: &Path, words: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(words);
    let done = command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").output().expect("git");
    assert!(done.status.success(), "{}", text(&done.stderr));
}

#[test]
fn lints_of_an_earlier_revision_are_known() {
    let folder = folder(&[("web/ebsec.toml", "[package]\nname = \"web\"\n"), ("web/a.ebsec", POLICY)]);
    says(&ebsec(folder.path(), "check web --changed-since HEAD"), 2, &["cannot read the revision `HEAD`", "not a git repository"]);
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "empty"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    assert_eq!(codes(folder.path(), "check web --changed-since HEAD"), (0, vec![]));
    assert_eq!(codes(folder.path(), "check web/a.ebsec --changed-since HEAD"), (0, vec![]));
    assert_eq!(codes(folder.path(), "check web --changed-since HEAD~1").1.len(), 2, "there was no package");
    // What is found in changed lines is new; what only moved is not.
    fs::write(folder.path().join("web/a.ebsec"), format!("\n{}", POLICY.replace("/bin/a", "/bin/b"))).unwrap();
    fs::write(folder.path().join("web/new.ebsec"), "let c: set<path> = [\"/x\"]\n").unwrap();
    assert_eq!(codes(folder.path(), "check web --changed-since HEAD").1, ["L0301", "L0209"]);
    says(&ebsec(folder.path(), "check web --changed-since nosuch"), 2, &["cannot read the revision `nosuch`", "no such commit"]);
    says(&ebsec(folder.path(), "check web --changed-since --upload-pack=x"), 2, &[]);
    let hostile = ebsec(folder.path(), "check web --changed-since=--output=x");
    assert!(hostile.status.code() == Some(2) && !folder.path().join("x").exists());
    fs::write(folder.path().join("web/b.ebsec"), WRONG).unwrap();
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "wrong"]);
    fs::remove_file(folder.path().join("web/b.ebsec")).unwrap();
    says(&ebsec(folder.path(), "check web --changed-since HEAD"), 0, &["did not compile at `HEAD`", "warning[L0301]"]);
}

#[test]
fn lints_are_ignored_in_files() {
    let toml = |ignore: &str| format!("[package]\nname = \"web\"\n[lints.ignore]\n{ignore}\n");
    let folder = folder(&[
        ("ebsec.toml", ""),
        ("a.ebsec", POLICY),
        ("old/b.ebsec", &POLICY.replace("policy p", "policy q").replace("let a", "let b")),
    ]);
    let with = |ignore: &str| fs::write(folder.path().join("ebsec.toml"), toml(ignore)).unwrap();
    with("");
    assert_eq!(codes(folder.path(), "check").1, ["L0209", "L0301", "L0209", "L0301"]);
    with("\"old/**\" = [\"symlink-path\", \"correctness\"]");
    assert_eq!(codes(folder.path(), "check"), (0, vec!["L0209".to_owned(), "L0301".to_owned()]));
    for (ignore, wanted) in [
        ("\"new/**\" = [\"naming\"]", "`new/**` in `[lints.ignore]` matches no `.ebsec` file"),
        ("\"../**\" = [\"naming\"]", "`../**` in `[lints.ignore]` leads out of the package"),
        ("\"old/**\" = [\"symlink-pth\"]", "no finding and no group of findings is called `symlink-pth`"),
        ("\"old/**\" = [\"E0204\"]", "`E0204` is an error of the language"),
        ("\"old/**\" = \"naming\"", "must be a list of strings"),
    ] {
        with(ignore);
        says(&ebsec(folder.path(), "check"), 1, &[wanted]);
    }
}

#[test]
fn a_package_does_not_change_what_settings_from_outside_say() {
    const LOCKED_OUT: &str = "// ebsec: allow(locks-out) because \"trust me\"\npolicy p {\n    mode = enforce\n    // ebsec: allow(locks-out) because \"trust me\"\n    a: deny exec\n}\n";
    let own = "[package]\nname = \"web\"\n[lints]\nsafety = \"off\"\n[lints.ignore]\n\"a.ebsec\" = [\"safety\"]\n";
    let folder = folder(&[
        ("web/ebsec.toml", own),
        ("web/a.ebsec", LOCKED_OUT),
        ("known.json", "{\"version\":1,\"findings\":[]}"),
        ("gate.toml", "[lints]\nsafety = \"error\"\n"),
        ("off.toml", "[lints]\nsymlink-path = \"off\"\n[lifelines]\nprograms = [\"/opt/agent/bin/agent\"]\n"),
        ("wrong.toml", "[lint]\nsafety = \"error\"\n"),
        ("package.toml", own),
    ]);
    assert_eq!(codes(folder.path(), "check web"), (0, vec![]));
    let (status, found) = codes(folder.path(), "check web --config gate.toml");
    assert!(status == 1 && found.iter().any(|code| code == "L0401") && found.iter().any(|code| code == "L0902"), "{found:?}");
    let locked = "`locks-out` is locked by the settings of `--config`: no comment can allow it";
    says(&ebsec(folder.path(), "check web --config gate.toml"), 1, &["error[L0401]", locked]);
    says(&ebsec(folder.path(), "build web --config gate.toml -o web.bpf.o"), 1, &["error[L0401]"]);
    assert!(!folder.path().join("web.bpf.o").exists());
    // A baseline may come with the package, so it does not hide what is locked; a command that ignores a lint does.
    let baseline = "check web --config gate.toml --baseline known.json";
    says(&ebsec(folder.path(), &format!("{baseline} --write-baseline")), 1, &["error[L0401]"]);
    says(&ebsec(folder.path(), baseline), 1, &["error[L0401]"]);
    assert_eq!(codes(folder.path(), "check web --config gate.toml --ignore safety,suppression"), (0, vec![]));
    // What is off outside is off, and programs are protected whatever the package says.
    fs::write(folder.path().join("agent.ebsec"), "policy p {\n    mode = enforce\n    a: deny exec when file.path == \"/opt/agent/bin/agent\"\n    b: deny exec when file.path == \"/bin/b\"\n}\n").unwrap();
    assert_eq!(codes(folder.path(), "check agent.ebsec"), (0, vec!["L0301".to_owned()]));
    assert_eq!(codes(folder.path(), "check agent.ebsec --config off.toml"), (1, vec!["L0402".to_owned()]));
    says(&ebsec(folder.path(), "check web --config wrong.toml"), 1, &["wrong.toml:1", "a file of `--config` has no key `lint`", "lints"]);
    says(&ebsec(folder.path(), "check web --config package.toml"), 1, &["has no key `package`", "`[lints.ignore]` is about files"]);
    says(&ebsec(folder.path(), "check web --config nosuch.toml"), 2, &["cannot read `nosuch.toml`: no such file"]);
}
