//! The library's sets of programs that read password hashes, against the packages of Debian that may: every program of
//! `tests/std/password-readers.tsv`, which `tools/password-readers` makes from the distribution's own lists, is in a set
//! or among the exceptions, with a reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use ebsec_compiler::hir::glob::matches;
use ebsec_compiler::hir::{PathLang, Space};
use ebsec_compiler::pipeline::{self, Input};
use ebsec_compiler::source::Sources;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const POLICY: &str = "import std.programs as programs
policy readers {
    description = \"who reads password hashes\"
    severity    = low
    mode        = observe
    read: audit file.read when process.exe in programs.login_tools + programs.account_tools + programs.account_queries
}";

/// Lines of a file of `tests/std` as columns, comments left out.
fn rows(name: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/std").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines.map(|l| l.split('\t').map(str::to_owned).collect()).collect()
}

fn readers() -> PathLang {
    let mut sources = Sources::default();
    sources.add("readers.ebsec", POLICY);
    let checked = pipeline::check(Input { sources, ..Input::default() });
    let mut sets = checked.package.expect("the policy checks").path_sets;
    assert_eq!(sets.len(), 1, "one test, one set");
    sets.remove(0).lang
}

fn has(lang: &PathLang, path: &str) -> bool {
    match lang {
        PathLang::Patterns(all) => all.iter().any(|p| matches(p, path.as_bytes(), Space::Path)),
        PathLang::Union(all) => all.iter().any(|l| has(l, path)),
        PathLang::Minus(all, without) => has(all, path) && !has(without, path),
    }
}

#[test]
fn each_program_is_in_a_set_or_has_a_reason_not_to_be() {
    let readers = readers();
    let mut exceptions: BTreeMap<String, (BTreeSet<String>, bool)> = BTreeMap::new();
    for row in rows("password-readers.exceptions.tsv") {
        let [package, programs, reason] = row.as_slice() else { panic!("three columns: {row:?}") };
        assert!(!reason.trim().is_empty(), "{package} has no reason");
        let programs = programs.split(' ').map(str::to_owned).collect();
        assert!(exceptions.insert(package.clone(), (programs, false)).is_none(), "{package} stands twice");
    }
    let mut wrong = Vec::new();
    for row in rows("password-readers.tsv") {
        let [package, _, _, programs] = row.as_slice() else { panic!("four columns: {row:?}") };
        let (there, absent): (Vec<&str>, Vec<&str>) = programs.split(' ').partition(|p| has(&readers, p));
        let Some((excepted, used)) = exceptions.get_mut(package) else {
            wrong.extend(absent.iter().map(|p| format!("{package}: {p} is in no set and no exception")));
            continue;
        };
        *used = true;
        if excepted.contains("*") {
            wrong.extend(there.iter().map(|p| format!("{package}: {p} is in a set, and the exception says that none is")));
            continue;
        }
        wrong.extend(absent.iter().filter(|p| !excepted.contains(**p)).map(|p| format!("{package}: {p} is in no set and no exception")));
        let gone = |p: &&String| !absent.contains(&p.as_str());
        wrong.extend(excepted.iter().filter(gone).map(|p| format!("{package}: the exception {p} is none")));
    }
    wrong.extend(exceptions.iter().filter(|(_, (_, used))| !used).map(|(package, _)| format!("{package}: the package is not listed")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
