//! Goldens of the check: wrong policies with their findings (`bad/*.ebsec`, `.stderr` beside), right ones with their
//! typed form (`check/*.ebsec`, `.hir` beside). `INSTA_UPDATE=always` writes what comes out; orphans fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use ebsec_compiler::diag::render;
use ebsec_compiler::pipeline::{self, Checked, Input};
use ebsec_compiler::source::Sources;
use ebsec_compiler::types::Date;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name)
}

/// Checks one file. A first line `// param: NAME=VALUE` gives a parameter; `NAME.toml` beside it is its `ebsec.toml`.
fn check(path: &Path) -> Checked {
    let text = fs::read_to_string(path).unwrap();
    let mut sources = Sources::default();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let params = text.lines().filter_map(|l| l.strip_prefix("// param: ")).map(str::to_owned).collect();
    sources.add(name, text);
    let toml = path.with_extension("toml");
    let config = toml.exists().then(|| sources.add("ebsec.toml", fs::read_to_string(&toml).unwrap()));
    pipeline::check(Input { sources, config, params, today: Date::new(2026, 11, 23) })
}

/// Compares with the file beside, or writes it.
fn compare(path: &Path, extension: &str, got: &str, failures: &mut Vec<String>) {
    let beside = path.with_extension(extension);
    if std::env::var("INSTA_UPDATE").is_ok_and(|v| v == "always") {
        fs::write(&beside, got).unwrap();
        return;
    }
    let wanted = fs::read_to_string(&beside).unwrap_or_default();
    if wanted != got {
        failures.push(format!("--- {}\n{wanted}\n+++ got\n{got}", beside.display()));
    }
}

fn cases(name: &str, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder(name)).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for orphan in files.iter().filter(|f| f.extension().is_some_and(|e| e == extension || e == "toml")) {
        assert!(orphan.with_extension("ebsec").exists(), "{} has no policy", orphan.display());
    }
    // Those of the syntax alone belong to the grammar's own tests.
    let own = |f: &Path| !f.file_name().is_some_and(|n| n.to_string_lossy().starts_with("syntax_"));
    files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "ebsec") && own(f)).collect()
}

#[test]
fn wrong_policies_say_what_is_wrong() {
    let mut failures = Vec::new();
    let all = cases("bad", "stderr");
    for path in &all {
        let checked = check(path);
        assert!(checked.package.is_none(), "{} is not wrong", path.display());
        let text = render::pretty(&checked.diagnostics, &checked.sources, false);
        for found in &checked.diagnostics {
            assert!(ebsec_compiler::diag::codes::page(found.code).is_some(), "{} has no page", found.code);
            let first = found.message.chars().next().unwrap();
            assert!(!first.is_uppercase() || found.message.starts_with('T'), "{}", found.message);
            assert!(!found.message.ends_with('.'), "{}", found.message);
        }
        compare(path, "stderr", &text, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_code_has_a_wrong_policy() {
    let mut seen: Vec<&str> = cases("bad", "stderr").iter().flat_map(|p| check(p).diagnostics).map(|d| d.code).collect();
    seen.sort_unstable();
    seen.dedup();
    // Those of later stages and of tests have goldens of their own; these are no matter of a single policy file.
    let elsewhere = ["E0404", "E0507"];
    let front = |c: &str| c < "E0600" || c == "E0900";
    let missing: Vec<&str> = ebsec_compiler::diag::codes::all()
        .iter()
        .map(|p| p.code)
        .filter(|c| front(c) && !seen.contains(c) && !elsewhere.contains(c))
        .collect();
    assert!(missing.is_empty(), "no wrong policy gives {missing:?}");
}

#[test]
fn right_policies_are_typed_and_pass_their_tests() {
    let mut failures = Vec::new();
    for path in cases("check", "hir") {
        let checked = check(&path);
        let Some(package) = &checked.package else {
            panic!("{}", render::pretty(&checked.diagnostics, &checked.sources, false));
        };
        let results = pipeline::run_tests(package);
        let failed = pipeline::test_failures(package, &results);
        assert!(failed.is_empty(), "{}", render::pretty(&failed, &checked.sources, false));
        compare(&path, "hir", &pipeline::dump_hir(package), &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_library_checks_and_passes_its_tests() {
    for (name, path, text) in ebsec_compiler::resolve::MODULES {
        let mut sources = Sources::default();
        sources.add(*path, *text);
        let checked = pipeline::check(Input { sources, today: Date::new(2026, 11, 23), ..Input::default() });
        let Some(package) = &checked.package else {
            panic!("{name}: {}", render::pretty(&checked.diagnostics, &checked.sources, false));
        };
        let failed = pipeline::test_failures(package, &pipeline::run_tests(package));
        assert!(failed.is_empty(), "{}", render::pretty(&failed, &checked.sources, false));
    }
}
