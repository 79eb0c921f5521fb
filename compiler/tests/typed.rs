//! The typed package, folded, is what the check made before: the same policies and tests with the same places, the same
//! findings. And what each use of a name means. Inputs are all policies of the repository, what they become when words of
//! one stand in another, and generated packages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Case;
use ebsec_compiler::diag::codes;
use ebsec_compiler::pipeline::{self, Checked, Input};
use ebsec_compiler::source::FileId;
use ebsec_compiler::source::Sources;
use ebsec_compiler::testing::differential::policy;
use ebsec_compiler::testing::differential::random::Random;
use ebsec_compiler::types::Date;
use ebsec_test_support::{Goldens, files, folder};
use std::fs;
use std::path::{Path, PathBuf};

fn input(case: &Case) -> Input {
    Input { sources: case.sources.clone(), config: case.config, params: case.params.clone(), today: Date::new(2026, 11, 23) }
}

/// Everything that a check says, as text: the package with all places, the findings with all notes and fixes.
fn said(checked: &Checked) -> (String, String) {
    let package = checked.package.as_ref().map_or(String::new(), |package| format!("{package:#?}"));
    (format!("{:#?}\nleft out: {}", checked.diagnostics, checked.left_out), package)
}

/// Takes out what says that a bound is passed: that is reported where it happens, and no more where the result is used.
fn bounds(checked: &mut Checked) -> bool {
    let before = checked.diagnostics.len();
    checked.diagnostics.retain(|found| found.code != codes::TOO_COMPLEX);
    checked.diagnostics.len() < before
}

#[track_caller]
fn agree(what: &str, case: &Case) {
    let (mut before, mut after) = (pipeline::check(input(case)), pipeline::check_typed(input(case)).0);
    assert_eq!(bounds(&mut before), bounds(&mut after), "{what} passes a bound before or after");
    let (before, after) = (said(&before), said(&after));
    if before != after {
        let (a, b) = if before.0 == after.0 { (&before.1, &after.1) } else { (&before.0, &after.0) };
        let differs = a.lines().zip(b.lines()).position(|(a, b)| a != b).unwrap_or(a.lines().count().min(b.lines().count()));
        let near = |text: &str| text.lines().skip(differs.saturating_sub(25)).take(50).collect::<Vec<_>>().join("\n");
        let text = case.sources.files.first().map_or("", |f| f.text.as_str());
        panic!("{what} differs at line {differs}:\n--- before\n{}\n--- typed\n{}\n--- source\n{text}", near(a), near(b));
    }
}

fn one(text: String) -> Case {
    let mut sources = Sources::default();
    sources.add("a.ebsec", text);
    Case { sources, config: None, params: Vec::new() }
}

/// All policies below a folder.
fn policies(at: &Path, all: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(at).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("target") {
            policies(&path, all);
        } else if path.extension().is_some_and(|e| e == "ebsec") {
            all.push(path);
        }
    }
}

fn repository() -> Vec<PathBuf> {
    let mut all = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["std", "examples", "tests"] {
        policies(&root.join(folder), &mut all);
    }
    all
}

#[test]
fn goldens_agree() {
    for name in ["bad", "check", "fmt", "syntax"] {
        for path in files(&folder(name), "ebsec") {
            agree(&path.display().to_string(), &Case::golden(&path));
        }
    }
}

#[test]
fn pages_agree() {
    for page in codes::all() {
        for example in [page.example(), page.corrected()] {
            agree(page.code, &Case::example(&example).with_policy());
        }
    }
}

#[test]
fn the_policies_of_the_repository_agree() {
    let all = repository();
    assert!(all.len() > 100);
    for path in all {
        agree(&path.display().to_string(), &one(fs::read_to_string(&path).unwrap()));
    }
}

/// `tests/golden/typed`: for each policy what its names mean and where its conditions came from.
#[test]
fn uses_and_origins_are_known() {
    let mut goldens = Goldens::new(folder("typed"), "typed");
    for path in files(&folder("typed"), "ebsec") {
        let case = Case::golden(&path);
        agree(&path.display().to_string(), &case);
        let (checked, front) = pipeline::check_typed(input(&case));
        let mut out = pipeline::dump_uses(&front, &checked.sources, FileId(0));
        if let Some(package) = &checked.package {
            out.push_str(&pipeline::dump_origins(package, &front));
        }
        for found in &checked.diagnostics {
            out.push_str(&format!("{} {}\n", found.code, found.message));
        }
        goldens.check(path.file_stem().unwrap().to_str().unwrap(), &out);
    }
    goldens.finish();
}

fn generated(count: u64) {
    for seed in 0..count {
        let text = policy::draft(&mut Random::new(seed)).text();
        agree(&format!("the package of seed {seed}"), &one(text));
    }
}

/// Words of one file in place of words of another, or none.
fn mangled(count: usize, seed: u64) {
    let mut texts: Vec<String> = repository().iter().map(|p| fs::read_to_string(p).unwrap()).collect();
    texts.retain(|text| text.len() < 20_000);
    let mut random = Random::new(seed);
    for round in 0..count {
        let (a, b) = (&texts[round % texts.len()], &texts[random.below(texts.len())]);
        let other: Vec<&str> = b.split_inclusive([' ', '\n']).collect();
        let often = [12, 40, 120][round % 3];
        let mut text = String::new();
        for word in a.split_inclusive([' ', '\n']) {
            match random.below(often) {
                0 => text.push_str(random.word(&other)),
                1 => {}
                _ => text.push_str(word),
            }
        }
        agree(&format!("mangled package {round} of seed {seed}"), &one(text));
    }
}

#[test]
fn generated_packages_agree() {
    generated(500);
}

#[test]
fn mangled_packages_agree() {
    mangled(1_500, 1);
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_packages_agree() {
    generated(30_000);
    mangled(70_000, 2);
}
