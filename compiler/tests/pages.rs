//! The pages of `compiler/pages/`: each failing example gives its code and nothing else, with the output that
//! `tests/golden/pages/` holds; each corrected one gives nothing. Every code is emitted somewhere. `EBSEC_BLESS=1` writes the
//! goldens.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Case, Outcome};
use ebsec_compiler::diag::page::{Block, ExampleFile, Page};
use ebsec_compiler::diag::{Level, codes};
use ebsec_compiler::pipeline;
use ebsec_test_support::{Goldens, folder};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The whole check, and for what is found where an artifact is made the rest of it too.
fn run(page: &Page, files: &[ExampleFile]) -> Outcome {
    let case = Case::example(files);
    let case = if page.name == "no-sources" { case } else { case.with_policy() };
    let mut outcome = case.check();
    if let Some(package) = outcome.checked.package.as_ref().filter(|_| page.group == "build") {
        outcome.findings.extend(pipeline::nothing_in_force(package));
    }
    outcome
}

#[test]
fn examples_give_their_code_and_corrected_ones_nothing() {
    let mut goldens = Goldens::new(folder("pages"), "txt");
    let mut wrong = String::new();
    for page in codes::all().iter().filter(|p| p.no_example.is_none()) {
        let outcome = run(page, &page.example());
        let found: Vec<&str> = outcome.findings.iter().map(|f| f.code).collect();
        if found.is_empty() || found.iter().any(|code| *code != page.code) {
            let _ = writeln!(wrong, "{}: the example gives {found:?}\n{}", page.code, outcome.shown());
        }
        if outcome.findings.iter().any(|f| f.level != page.level) {
            let _ = writeln!(wrong, "{}: the level is another", page.code);
        }
        if page.fix != outcome.findings.iter().any(|f| !f.fixes.is_empty()) {
            let _ = writeln!(wrong, "{}: `fix` of the page is not what its example shows", page.code);
        }
        goldens.check(page.code, &outcome.shown());
        let corrected = run(page, &page.corrected());
        if page.corrected().is_empty() || !corrected.findings.is_empty() {
            let _ = writeln!(wrong, "{}: the corrected example gives\n{}", page.code, corrected.shown());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    goldens.finish();
}

#[test]
fn pages_have_one_form() {
    for page in codes::all() {
        let headings: Vec<&str> =
            page.blocks().iter().filter_map(|b| if let Block::Heading(title) = b { Some(*title) } else { None }).collect();
        let wanted = [page.title, "Why this is a problem", "Example", "Corrected"];
        let length = if page.no_example.is_some() { 2 } else { 4 };
        assert_eq!(Some(headings.as_slice()), wanted.get(..length), "{}", page.code);
        assert!(page.no_example.is_none_or(|reason| reason.len() > 20), "{}", page.code);
        assert!(page.level == Level::Error || page.configurable, "{}: what is not an error may be switched off", page.code);
        let versions = page.since.split('.').all(|part| part.parse::<u32>().is_ok());
        assert!(versions, "{}: since {}", page.code, page.since);
    }
    let without = codes::all().iter().filter(|p| p.no_example.is_some()).count();
    assert!(without <= 6, "{without} pages have no example");
}

fn rust_files(path: &Path, out: &mut Vec<PathBuf>) {
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| rust_files(&entry.unwrap().path(), out));
    } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("diag/codes.rs") {
        out.push(path.to_owned());
    }
}

/// Whether a text has a word that is not part of a longer one.
fn names(text: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        !part(text.get(at + word.len()..).and_then(|t| t.chars().next())) && !part(text.get(..at).and_then(|t| t.chars().next_back()))
    })
}

#[test]
fn every_page_has_a_place_that_emits_its_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["compiler/src", "cli/src"] {
        rust_files(&root.join(folder), &mut files);
    }
    let text: String = files.iter().map(|f| fs::read_to_string(f).unwrap()).collect();
    for page in codes::all() {
        let constant = format!("codes::{}", page.name.to_uppercase().replace('-', "_"));
        // A constant of the grammar that nothing uses is a warning of the compiler.
        let emitted = names(&text, &constant) || ebsec_grammar::codes().contains(&page.code);
        assert!(emitted, "{} ({}) is emitted nowhere: remove its page", page.code, page.name);
    }
    assert!(names("a codes::X)", "codes::X") && !names("codes::XY codes::X_Z", "codes::X"));
}
