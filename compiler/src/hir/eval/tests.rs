//! The rules of the decision, one test each, on policies made by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::hir::{
    Action, Atom, Cond, Mode, PathLang, PathSet, PathSetId, PathValue, Policy, Program, Severity, Space, Subject, Test, glob,
};
use crate::source::Loc;
use ebsec_templates::{FieldId, catalog};
use std::collections::BTreeMap;

fn set(patterns: &[&str]) -> PathSet {
    let patterns = patterns.iter().map(|p| glob::parse(p, glob::Kind::Path).unwrap()).collect();
    PathSet { space: Space::Path, lang: PathLang::Patterns(patterns) }
}

fn atom(field: &str, test: Test, identity: bool) -> Cond {
    Cond::Atom(Atom { field: catalog().field(field).unwrap(), test, identity, loc: Loc::default() })
}

fn rule(label: Option<&str>, event: &str, action: Action, cond: Cond) -> Rule {
    Rule {
        label: label.map(str::to_owned),
        event: catalog().event(event).unwrap(),
        action,
        cond,
        errno: 1,
        because: String::new(),
        severity: Severity::Medium,
        attack: Vec::new(),
        loc: Loc::default(),
    }
}

fn package(mode: Mode, rules: Vec<Rule>) -> Package {
    let policy = Policy { name: "p".into(), mode, rules, description: String::new(), tags: Vec::new(), loc: Loc::default() };
    Package { path_sets: vec![set(&["/etc/**"]), set(&["/usr/bin/ssh"])], policies: vec![policy], ..Package::default() }
}

fn known(path: &str) -> PathValue {
    PathValue::Known(path.as_bytes().to_vec())
}

fn open(path: PathValue, exe: Program, facts: &[&str]) -> Operation {
    Operation {
        hook: catalog().hook("file_open").unwrap(),
        subject: Subject { exe: exe.clone(), lineage: vec![exe], ..Subject::default() },
        objects: vec![Some(Object { path, ..Object::default() })],
        facts: facts.iter().map(|f| (*f).to_owned()).collect(),
        values: BTreeMap::<FieldId, u64>::new(),
        names: BTreeMap::new(),
    }
}

fn etc_unless_ssh(mode: Mode, action: Action) -> Package {
    let file = atom("file.path", Test::InPaths(PathSetId(0)), false);
    let ssh = atom("process.exe", Test::InPaths(PathSetId(1)), true);
    package(mode, vec![rule(Some("r"), "file.read", action, Cond::And(vec![file, Cond::Not(Box::new(ssh))]))])
}

fn text(package: &Package, operation: &Operation) -> String {
    describe(package, &eval(package, catalog(), operation), Modes::Actual)
}

#[test]
fn a_deny_refuses_reads_of_its_paths_only() {
    let p = etc_unless_ssh(Mode::Enforce, Action::Deny);
    let other = || Program::new(known("/usr/bin/cat"), true);
    assert_eq!(text(&p, &open(known("/etc/shadow"), other(), &["open.read"])), "deny by p.r");
    assert_eq!(text(&p, &open(known("/etc/shadow"), other(), &["open.write"])), "allow");
    assert_eq!(text(&p, &open(known("/etc/shadow"), other(), &["open.read", "path_only"])), "allow");
    assert_eq!(text(&p, &open(known("/srv/x"), other(), &["open.read"])), "allow");
    let ssh = Program::new(known("/usr/bin/ssh"), true);
    assert_eq!(text(&p, &open(known("/etc/shadow"), ssh, &["open.read"])), "allow");
}

#[test]
fn an_absent_path_misses_and_a_failed_one_refuses() {
    let p = etc_unless_ssh(Mode::Enforce, Action::Kill);
    let exe = || Program::new(known("/usr/bin/cat"), true);
    assert_eq!(text(&p, &open(PathValue::Absent, exe(), &["open.read"])), "allow");
    let failed = eval(&p, catalog(), &open(PathValue::Failed, exe(), &["open.read"]));
    assert_eq!((failed.refused, failed.killed, failed.matched[0].truth), (Some(1), false, Truth::Failed));
}

#[test]
fn an_untrusted_program_does_not_loosen() {
    let p = etc_unless_ssh(Mode::Enforce, Action::Deny);
    let evil = Program::new(known("/usr/bin/ssh"), false);
    let verdict = eval(&p, catalog(), &open(known("/etc/shadow"), evil, &["open.read"]));
    assert_eq!((verdict.refused, verdict.matched[0].truth), (Some(1), Truth::Failed));
}

#[test]
fn observing_never_refuses_and_still_reports() {
    let p = etc_unless_ssh(Mode::Observe, Action::Kill);
    let verdict = eval(&p, catalog(), &open(known("/etc/x"), Program::default(), &["open.read"]));
    assert_eq!((verdict.refused, verdict.killed, verdict.matched.len()), (None, false, 1));
    assert_eq!(describe(&p, &verdict, Modes::Actual), "audit by p.r");
    assert!(satisfies(&p, &verdict, Some(&(Action::Audit, "p".into(), Some("r".into())))));
    assert!(!satisfies(&p, &verdict, None));
}

#[test]
fn the_errno_is_eperm_unless_all_agree() {
    let mut p = etc_unless_ssh(Mode::Enforce, Action::Deny);
    let run = |p: &Package| eval(p, catalog(), &open(known("/etc/x"), Program::default(), &["open.read"])).refused;
    p.policies[0].rules[0].errno = 13;
    assert_eq!(run(&p), Some(13));
    p.policies[0].rules.push(rule(None, "file.read", Action::Deny, Cond::And(Vec::new())));
    assert_eq!(run(&p), Some(1));
}

#[test]
fn a_rename_reads_its_source_and_writes_both_names() {
    let write = rule(Some("w"), "file.write", Action::Deny, atom("file.path", Test::InPaths(PathSetId(0)), false));
    let read = rule(Some("r"), "file.read", Action::Audit, atom("file.path", Test::InPaths(PathSetId(0)), false));
    let p = package(Mode::Enforce, vec![write, read]);
    let object = |path: &str| Some(Object { path: known(path), ..Object::default() });
    let rename = |from: &str, to: &str| Operation {
        hook: catalog().hook("path_rename").unwrap(),
        objects: vec![object(from), object(to), None, None],
        ..open(PathValue::Absent, Program::default(), &[])
    };
    let rules = |o: &Operation| eval(&p, catalog(), o).matched.iter().map(|m| m.rule).collect::<Vec<_>>();
    assert_eq!(rules(&rename("/srv/a", "/etc/a")), [0]);
    assert_eq!(rules(&rename("/etc/a", "/srv/a")), [1, 0]);
    assert_eq!(rules(&rename("/srv/a", "/srv/b")), [] as [usize; 0]);
}

#[test]
fn each_path_of_a_file_is_an_object() {
    let write = rule(Some("w"), "file.write", Action::Deny, atom("file.path", Test::InPaths(PathSetId(0)), false));
    let p = package(Mode::Enforce, vec![write]);
    let mut operation = open(PathValue::Absent, Program::default(), &[]);
    operation.hook = catalog().hook("inode_setxattr").unwrap();
    operation.objects = vec![Some(Object { path: known("/mnt/x"), other_paths: vec![known("/etc/x")], ..Object::default() })];
    assert_eq!(text(&p, &operation), "deny by p.w");
}

#[test]
fn the_line_asks_for_one_program() {
    let p = |identity| {
        let atom = atom("process.lineage.exe", Test::InPaths(PathSetId(1)), identity);
        package(Mode::Enforce, vec![rule(Some("r"), "file.read", Action::Deny, atom)])
    };
    let line = |programs: &[(&str, bool)]| {
        let mut o = open(known("/x"), Program::default(), &["open.read"]);
        o.subject.lineage = programs
            .iter()
            .map(|(path, trusted)| Program::new(if path.is_empty() { PathValue::Failed } else { known(path) }, *trusted))
            .collect();
        o
    };
    let truth = |p: &Package, o: &Operation| eval(p, catalog(), o).matched.first().map(|m| m.truth);
    assert_eq!(truth(&p(false), &line(&[("/a", true), ("/usr/bin/ssh", false)])), Some(Truth::True));
    assert_eq!(truth(&p(true), &line(&[("/a", true), ("/usr/bin/ssh", false)])), Some(Truth::Failed));
    assert_eq!(truth(&p(true), &line(&[("/usr/bin/ssh", true), ("", false)])), Some(Truth::True));
    assert_eq!(truth(&p(false), &line(&[("/a", true), ("", false)])), Some(Truth::Failed));
    assert_eq!(truth(&p(false), &line(&[("/a", true)])), None);
}

/// Sets of every kind that the index tells apart.
const SETS: &[&[&str]] = &[
    &["/etc/shadow", "/etc/passwd"],
    &["/srv", "/srv/**"],
    &["/home/*/.ssh/id_*"],
    &["/**/core"],
    &["/{usr/,}bin/sh"],
    &["/usr/bin/?at", "/usr/bin/[xyz]"],
    &["/usr/bin/cat"],
];

fn indexed() -> Package {
    let file = |set| atom("file.path", Test::InPaths(PathSetId(set)), false);
    let exe = |set, identity| atom("process.exe", Test::InPaths(PathSetId(set)), identity);
    let root = || atom("process.uid", Test::InRanges(vec![(0, 0)]), false);
    let mut conds: Vec<Cond> = (0..SETS.len() as u32).flat_map(|set| [file(set), exe(set, false), exe(set, true)]).collect();
    conds.push(Cond::Or(vec![file(0), file(2)]));
    conds.push(Cond::Or(vec![file(1), exe(6, false)]));
    conds.push(Cond::And(vec![root(), Cond::And(vec![file(1), Cond::Not(Box::new(exe(6, true)))])]));
    conds.push(Cond::Not(Box::new(file(0))));
    conds.push(root());
    conds.push(Cond::And(Vec::new()));
    let rules = conds.into_iter().enumerate().map(|(i, cond)| rule(Some(&format!("r{i}")), "file.read", Action::Deny, cond));
    let mut package = package(Mode::Enforce, rules.collect());
    package.path_sets = SETS.iter().map(|patterns| set(patterns)).collect();
    package
}

#[test]
fn the_index_leaves_out_nothing_that_matches() {
    let package = indexed();
    let index = Index::new(&package);
    let paths =
        ["/etc/shadow", "/srv", "/srv/a/b", "/srvx", "/home/eve/.ssh/id_rsa", "/home/eve/x", "/var/core", "/bin/sh", "/usr/bin/cat", "/"];
    let mut values: Vec<PathValue> = paths.iter().map(|path| known(path)).collect();
    values.extend([PathValue::Failed, PathValue::Absent]);
    for path in &values {
        for exe in &values {
            for other in &values {
                let program = Program { path: exe.clone(), other_paths: vec![other.clone()], trusted: *path != *exe };
                let mut operation = open(path.clone(), program, &["open.read"]);
                operation.objects[0].as_mut().unwrap().other_paths = vec![other.clone()];
                let expected = eval(&package, catalog(), &operation);
                assert_eq!(eval_by(&index, &package, catalog(), &operation), expected, "{operation:?}");
            }
        }
    }
}

#[test]
fn the_index_finds_few_rules() {
    let rules = (0..100).map(|i| rule(Some("r"), "file.read", Action::Deny, atom("file.path", Test::InPaths(PathSetId(i)), false)));
    let mut package = package(Mode::Enforce, rules.collect());
    package.path_sets = (0..100).map(|i| set(&[&format!("/d{i}/**"), &format!("/f{i}")])).collect();
    let index = Index::new(&package);
    for path in ["/d7/a/b", "/f7"] {
        let operation = open(known(path), Program::default(), &["open.read"]);
        let object = operation.objects[0].clone().unwrap();
        assert_eq!(index.rules(catalog().event("file.read").unwrap(), &operation, &object), [(0, 7)]);
    }
}

#[test]
fn unknown_values_leave_open_only_what_depends_on_them() {
    let root = || atom("process.uid", Test::InRanges(vec![(0, 0)]), false);
    let etc = || atom("file.path", Test::InPaths(PathSetId(0)), false);
    let package = package(Mode::Enforce, vec![rule(Some("r"), "file.read", Action::Deny, Cond::And(vec![etc(), root()]))]);
    let index = Index::new(&package);
    let uid = [catalog().field("process.uid").unwrap()];
    let range = |path: &str| {
        let operation = open(known(path), Program::default(), &["open.read"]);
        let range = eval_range(&index, &package, catalog(), &operation, &uid, &mut 0);
        let open = range.most.matched.iter().flat_map(|m| depends(&package, catalog(), &operation, &uid, m)).collect::<Vec<_>>();
        (met(&package, &range.least, &range.most, Some(&(Action::Deny, "p".into(), Some("r".into())))), open)
    };
    assert_eq!(range("/etc/x"), (None, uid.to_vec()));
    assert_eq!(range("/srv/x"), (Some(false), Vec::new()));
}

#[test]
fn an_expected_deny_holds_before_and_after_a_policy_enforces() {
    let deny = |action| (action, "p".to_owned(), Some("r".to_owned()));
    for (mode, holds) in [(Mode::Observe, [true, true, false]), (Mode::Enforce, [true, false, false])] {
        let p = etc_unless_ssh(mode, Action::Deny);
        let verdict = eval(&p, catalog(), &open(known("/etc/x"), Program::default(), &["open.read"]));
        let met = [Action::Deny, Action::Audit, Action::Kill].map(|action| satisfies(&p, &verdict, Some(&deny(action))));
        assert_eq!(met, holds);
    }
}
