//! The lints: each is in the registry and has a page, each can be allowed by a comment, none finds anything in the library and
//! in the examples, none refuses what the tests in guests load. `docs/lints.md` lists them all; `EBSEC_BLESS=1` writes it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod common;

use common::Case;
use ebsec_compiler::config::Choice;
use ebsec_compiler::diag::page::{PREVIEW, Page};
use ebsec_compiler::diag::{Finding, Level, codes, render};
use ebsec_compiler::lint;
use ebsec_compiler::pipeline;
use ebsec_compiler::source::Sources;
use ebsec_test_support::{Goldens, check_one, files, folder};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pages() -> impl Iterator<Item = &'static Page> {
    codes::all().iter().filter(|page| page.code.starts_with('L'))
}

/// A package in a folder of the repository.
fn package(folder: &Path) -> Case {
    let mut sources = Sources::default();
    for file in files(folder, "ebsec") {
        sources.add(file.file_name().unwrap().to_string_lossy(), fs::read_to_string(&file).unwrap());
    }
    let toml = folder.join("ebsec.toml");
    let config = toml.exists().then(|| sources.add("ebsec.toml", fs::read_to_string(&toml).unwrap()));
    Case { sources, config, params: Vec::new() }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.is_dir() && !files(path, "ebsec").is_empty());
    all.sort();
    assert!(!all.is_empty());
    all
}

#[test]
fn each_lint_has_a_page_and_each_page_a_lint() {
    let registered = lint::all();
    let unique: BTreeSet<&str> = registered.iter().copied().collect();
    assert_eq!(unique.len(), registered.len(), "a lint is in the registry twice");
    assert_eq!(unique, pages().map(|page| page.code).collect());
    assert!(pages().all(|page| page.configurable));
}

#[test]
fn the_library_and_the_examples_have_no_findings() {
    let mut wrong = String::new();
    let mut cases: Vec<Case> = folders(&root().join("examples")).iter().map(|folder| package(folder)).collect();
    for (_, path, text) in ebsec_compiler::resolve::MODULES {
        let mut sources = Sources::default();
        sources.add(*path, *text);
        cases.push(Case { sources, config: None, params: Vec::new() });
    }
    for case in cases {
        wrong.push_str(&case.check().shown());
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What lints find and what they leave alone: policies of `tests/golden/lints` with their findings, fixes included.
#[test]
fn policies_have_the_findings_that_are_recorded() {
    let mut goldens = Goldens::new(folder("lints"), "txt");
    for path in files(&folder("lints"), "ebsec") {
        goldens.check(path.file_stem().unwrap().to_str().unwrap(), &Case::golden(&path).check().shown());
    }
    goldens.finish();
}

#[test]
fn what_is_loaded_in_guests_has_no_errors() {
    let mut wrong = String::new();
    for place in ["tests/kernel/scenarios", "tests/system/policies"] {
        for folder in folders(&root().join(place)) {
            let outcome = package(&folder).check();
            let errors: Vec<_> = outcome.findings.into_iter().filter(|f| f.level == Level::Error).collect();
            let shown = render::pretty(&errors, &outcome.checked.sources, false);
            if !shown.is_empty() {
                let _ = writeln!(wrong, "{}\n{shown}", folder.display());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn each_lint_is_allowed_by_a_comment() {
    let mut wrong = String::new();
    for page in pages().filter(|page| page.group != "suppression") {
        let case = Case::example(&page.example());
        let before = case.check();
        let mut sources = case.sources.clone();
        let mut places: Vec<_> = before.findings.iter().map(|f| before.checked.sources.place(f.primary.loc)).collect();
        places.sort();
        places.dedup();
        for place in places.into_iter().rev() {
            let mut text = sources.files[place.file.0 as usize].text.to_string();
            let line = text[..place.span.start as usize].rfind('\n').map_or(0, |at| at + 1);
            let blanks = text[line..].len() - text[line..].trim_start_matches(' ').len();
            let comment = format!("{}// ebsec: allow({}) because \"tried\"\n", " ".repeat(blanks), page.name);
            text.insert_str(line, &comment);
            sources.set_text(place.file, text.into());
        }
        let after = Case { sources, config: case.config, params: Vec::new() }.check();
        let unused = |code: &str| code == codes::UNUSED_SUPPRESSION;
        if after.findings.iter().any(|f| f.code == page.code || (unused(f.code) && before.findings.len() == 1)) {
            let _ = writeln!(wrong, "{}\n{}", page.code, after.shown());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_program_of_the_package_is_a_lifeline() {
    let mut sources = Sources::default();
    sources.add("a.ebsec", "policy opt {\n    mode = enforce\n    start: deny exec when file.path under \"/opt\"\n}\n");
    let of = |sources: &Sources, toml: &str| {
        let mut sources = sources.clone();
        let config = Some(sources.add("ebsec.toml", format!("[package]\nname = \"a\"\n{toml}")));
        Case { sources, config, params: Vec::new() }.check().findings.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(of(&sources, ""), [] as [&str; 0]);
    assert_eq!(of(&sources, "[lifelines]\nprograms = [\"/opt/agent\"]\n"), [codes::DENIES_LIFELINE]);
    assert_eq!(of(&sources, "[lifelines]\nprograms = [\"agent\"]\nprogram = []\n"), [codes::CONFIG_TYPE, codes::CONFIG_KEY]);
    assert_eq!(of(&sources, "[lifelines]\nprograms = [\"/opt/agent\"]\n[lints]\ndenies-lifeline = \"off\"\n"), [] as [&str; 0]);
}

/// What refuses everything hides what it refuses of a host only where it is taken as seriously.
#[test]
fn a_lesser_level_of_locks_out_hides_no_lifeline() {
    let of = |levels: &str| {
        let mut sources = Sources::default();
        sources.add("a.ebsec", "policy a {\n    mode = enforce\n    read: deny file.read unless process.uid == 77\n}\n");
        let config = Some(sources.add("ebsec.toml", format!("[package]\nname = \"a\"\n[lints]\n{levels}")));
        Case { sources, config, params: Vec::new() }.check().findings.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(of(""), [codes::LOCKS_OUT]);
    assert_eq!(of("locks-out = \"info\""), [codes::DENIES_LIFELINE, codes::LOCKS_OUT]);
    assert_eq!(of("locks-out = \"info\"\ndenies-lifeline = \"info\""), [codes::LOCKS_OUT]);
}

/// Rows of the library's list: program, event, path.
fn lifelines() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let rows = include_str!("../../std/lifelines.tsv").lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        (columns[1], columns[5], columns[6])
    })
}

/// An operation of each program and event, each in a package of its own: a rule against it alone is found, and named.
#[test]
fn a_rule_against_an_operation_of_a_protected_program_is_found() {
    let mut seen = BTreeSet::new();
    let mut wrong = String::new();
    for (program, event, path) in lifelines() {
        if path.contains(['*', '?', '[', '{', '\\', '"']) || !seen.insert((program, event)) {
            continue;
        }
        // The kernel itself has no program that a rule could name.
        let by = if program == "-" { String::new() } else { format!(" and process.exe == \"{program}\"") };
        let mut sources = Sources::default();
        sources.add("a.ebsec", format!("policy p {{\n    mode = enforce\n    r: deny {event} when file.path == \"{path}\"{by}\n}}\n"));
        let outcome = Case { sources, config: None, params: Vec::new() }.check();
        let named = if program == "-" { path } else { program };
        let found = |f: &Finding| {
            f.code == codes::DENIES_LIFELINE && f.message.contains(&format!("`{named}`")) && f.message.contains(&format!("`{path}`"))
        };
        if !outcome.findings.iter().any(found) {
            let _ = writeln!(wrong, "{program} {event} {path}: {}", outcome.shown());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for program in PROTECTED {
        assert!(seen.iter().any(|(known, _)| known == program), "the list has nothing of {program}");
    }
}

/// Programs of which the list has to have something, whatever is recorded.
const PROTECTED: &[&str] = &[
    "-",
    "/usr/bin/apt-get",
    "/usr/bin/bash",
    "/usr/bin/dpkg",
    "/usr/bin/kmod",
    "/usr/bin/login",
    "/usr/bin/passwd",
    "/usr/bin/su",
    "/usr/bin/sudo",
    "/usr/lib/openssh/sshd-session",
    "/usr/lib/systemd/systemd",
    "/usr/sbin/agetty",
    "/usr/sbin/ebsec-load",
    "/usr/sbin/sshd",
];

/// A policy of many rules, as a large host has them.
fn many_rules(count: usize) -> String {
    let mut text = "policy p {\n    mode = enforce\n".to_owned();
    for i in 0..count {
        let _ = writeln!(
            text,
            "    r{i}: deny file.write when file.path in [\"/srv/a{i}/x\", \"/srv/b{i}/**\"] unless process.exe == \"/opt/t{i}\" because \"r\""
        );
    }
    text + "}\n"
}

/// The codes of what an appliance's list of programs gives.
fn of_list(all: bool) -> Vec<&'static str> {
    let mut sources = Sources::default();
    let comment = "// ebsec: allow(locks-out) because \"an appliance\"";
    let folders = "file.path under \"/usr\" or file.path under \"/etc\" or file.path under \"/tmp\" or file.path under \"/var/lib/dpkg\"";
    let folders = if all { folders } else { "file.path under \"/opt\"" };
    sources.add(
        "a.ebsec",
        format!("policy apps {{\n    mode = enforce\n    {comment}\n    default deny exec\n    ours: allow exec when {folders}\n}}\n"),
    );
    let found = pipeline::check(pipeline::Input { sources, ..pipeline::Input::default() }).diagnostics;
    found.iter().filter(|f| f.level == Level::Error).map(|f| f.code).collect()
}

#[test]
fn what_may_lock_out_still_has_to_let_a_host_boot() {
    assert_eq!(of_list(false), [codes::DENIES_LIFELINE]);
    assert!(of_list(true).is_empty());
}

/// Time that this thread ran, in nanoseconds: others on the machine do not count.
fn on_cpu() -> u64 {
    fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap()
}

/// The least time of some checks with the lints that are selected, in microseconds.
fn least(lints: &Choice, rounds: usize) -> u64 {
    let time = |_| {
        let mut sources = Sources::default();
        sources.add("a.ebsec", many_rules(10_000));
        let input = pipeline::Input { sources, lints: lints.clone(), ..pipeline::Input::default() };
        let start = on_cpu();
        assert!(pipeline::check(input).diagnostics.is_empty());
        (on_cpu() - start) / 1000
    };
    (0..rounds).map(time).min().unwrap()
}

#[test]
#[ignore = "a measurement"]
fn ten_thousand_rules_with_and_without_lints() {
    let groups: Vec<String> = pages().map(|page| page.group.to_owned()).collect::<BTreeSet<_>>().into_iter().collect();
    let none = Choice::read(&[], &groups).unwrap();
    // By turns, since the machine is not always as fast.
    let rounds = [(); 12].map(|()| (least(&none, 2), least(&Choice::default(), 2)));
    let (without, with) = (rounds.map(|r| r.0).into_iter().min().unwrap(), rounds.map(|r| r.1).into_iter().min().unwrap());
    println!("without {without} µs, with {with} µs");
}

const HEAD: &str = include_str!("lints_head.md");

#[test]
fn the_page_of_all_lints_is_complete() {
    let mut text = HEAD.to_owned();
    let groups: BTreeSet<&str> = pages().map(|page| page.group).collect();
    for group in groups {
        let _ = writeln!(text, "\n## {group}\n\n| code | name | level | finds | fix |\n|---|---|---|---|---|");
        for page in pages().filter(|page| page.group == group) {
            let level = match page.level {
                _ if group == PREVIEW => "off",
                Level::Error => "error",
                Level::Warning => "warn",
                Level::Info => "info",
            };
            let fix = if page.fix { "yes" } else { "" };
            let _ = writeln!(text, "| {} | `{}` | {level} | {} | {fix} |", page.code, page.name, page.title.to_lowercase());
        }
    }
    check_one(&root().join("docs"), "lints", "md", &text);
}
