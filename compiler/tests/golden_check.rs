//! Goldens of the check: wrong policies with their findings (`bad/*.ebsec`, `.stderr` beside), right ones with their
//! typed form (`check/*.ebsec`, `.hir` beside). `EBSEC_BLESS=1` writes what comes out; orphans fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Case;
use ebsec_compiler::diag::render;
use ebsec_compiler::pipeline::{self, Checked, Input};
use ebsec_compiler::source::Sources;
use ebsec_compiler::typed::Date;
use ebsec_test_support::{Goldens, files, folder};
use std::path::{Path, PathBuf};

/// Checks one file, without its unit tests.
fn check(path: &Path) -> Checked {
    let Case { sources, config, params } = Case::golden(path);
    pipeline::check(Input { sources, config, params, today: Date::new(2026, 11, 23), ..Input::default() })
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// Those of the syntax alone belong to the grammar's own tests.
fn own(name: &str) -> bool {
    !name.starts_with("syntax_")
}

fn cases(name: &str) -> Vec<PathBuf> {
    for settings in files(&folder(name), "toml") {
        assert!(settings.with_extension("ebsec").exists(), "{} is an orphan: it has no policy", settings.display());
    }
    let mut files = files(&folder(name), "ebsec");
    files.retain(|f| own(stem(f)));
    files
}

#[test]
fn wrong_policies_say_what_is_wrong() {
    let mut goldens = Goldens::some(folder("bad"), "stderr", own);
    for path in cases("bad") {
        let checked = check(&path);
        assert!(checked.package.is_none(), "{} is not wrong", path.display());
        for found in &checked.diagnostics {
            assert!(ebsec_compiler::diag::codes::page(found.code).is_some(), "{} has no page", found.code);
            let first = found.message.chars().next().unwrap();
            assert!(!first.is_uppercase() || found.message.starts_with('T'), "{}", found.message);
            assert!(!found.message.ends_with('.'), "{}", found.message);
        }
        goldens.check(stem(&path), &render::pretty(&checked.diagnostics, &checked.sources, false));
    }
    goldens.finish();
}

#[test]
fn right_policies_are_typed_and_pass_their_tests() {
    let mut goldens = Goldens::new(folder("check"), "hir");
    for path in cases("check") {
        let checked = check(&path);
        let Some(package) = &checked.package else {
            panic!("{}", render::pretty(&checked.diagnostics, &checked.sources, false));
        };
        let failed: Vec<_> = checked.packages().flat_map(|p| pipeline::test_failures(p, &pipeline::run_tests(p))).collect();
        assert!(failed.is_empty(), "{}", render::pretty(&failed, &checked.sources, false));
        goldens.check(stem(&path), &pipeline::dump_hir(package));
    }
    goldens.finish();
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
