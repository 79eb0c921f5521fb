//! The formatter over every policy of the repository, and over untidy ones made of them; its goldens (`golden/fmt/*.ebsec`,
//! what it makes of them in `.out` beside). The library and the examples are formatted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use ebsec_compiler::fmt;
use ebsec_compiler::testing::differential::random::Random;
use ebsec_compiler::testing::untidy::{Mess, holds, untidy};
use ebsec_test_support::Goldens;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every policy below a folder, in order.
fn policies(folder: &str) -> Vec<PathBuf> {
    found(folder, "ebsec")
}

/// Every file below a folder with this extension, in order.
fn found(folder: &str, extension: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), extension, &mut found);
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// The policies of the repository that parse.
fn texts() -> Vec<String> {
    let all = ["std", "examples", "tests"].into_iter().flat_map(policies);
    all.map(|path| read(&path)).filter(|text| ebsec_grammar::parse(text).errors().is_empty()).collect()
}

#[test]
fn goldens_are_formatted_as_written_beside_them() {
    let folder = ebsec_test_support::folder("fmt");
    let policies = ebsec_test_support::files(&folder, "ebsec");
    assert!(policies.len() >= 8, "{}", policies.len());
    let mut goldens = Goldens::new(folder, "out");
    for path in &policies {
        let got = fmt::format(&read(path)).unwrap_or_else(|refused| panic!("{}: {refused:?}", path.display()));
        goldens.check(path.file_stem().unwrap().to_str().unwrap(), &got);
    }
    goldens.finish();
}

#[test]
fn every_policy_of_the_repository_keeps_its_meaning_and_is_formatted_once_for_all() {
    let mut count = 0;
    for path in ["std", "examples", "tests"].into_iter().flat_map(policies) {
        let parses = ebsec_grammar::parse(&read(&path)).errors().is_empty();
        let formatted = holds(&read(&path)).unwrap_or_else(|what| panic!("{}: {what}", path.display()));
        assert_eq!(parses, formatted.is_some(), "{}", path.display());
        count += usize::from(parses);
    }
    assert!(count > 90, "{count}");
}

/// Scenarios whose expected output names lines of the policy.
const BY_LINE: &[&str] = &["containers", "loader", "lockdown", "reports"];

#[test]
fn the_library_the_examples_and_the_policies_of_tests_are_formatted() {
    let by_line = |path: &Path| BY_LINE.iter().any(|name| path.ends_with(format!("scenarios/{name}/policy.ebsec")));
    let wrong: Vec<PathBuf> = ["std", "examples", "tests/kernel", "tests/system", "tests/golden/check"]
        .into_iter()
        .flat_map(policies)
        .filter(|path| !by_line(path) && fmt::format(&read(path)).ok().as_deref() != Some(&read(path)))
        .collect();
    assert!(wrong.is_empty(), "run `ebsec fmt` on {wrong:#?}");
}

#[test]
fn policies_in_the_documentation_are_formatted() {
    let mut count = 0;
    // The reference shows examples of findings, one of which is about the layout.
    let written = |path: &PathBuf| !path.starts_with(root().join("docs/reference"));
    for path in found("docs", "md").into_iter().filter(written).chain([root().join("README.md")]) {
        for block in read(&path).split("\n```ebsec").skip(1) {
            let block = block.split_once('\n').unwrap().1.split("```").next().unwrap();
            let formatted = fmt::format(block).unwrap_or_else(|refused| panic!("{}: {refused:?}\n{block}", path.display()));
            assert_eq!(formatted, block, "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 10, "{count}");
}

#[test]
fn blanks_make_no_difference() {
    let plain = |text: &&String| !text.contains("fmt: off");
    for (number, text) in texts().iter().filter(plain).enumerate() {
        let formatted = fmt::format(text).unwrap();
        for seed in 0..4 {
            let other = untidy(&formatted, Mess::Blanks, &mut Random::new(number as u64 * 4 + seed));
            let again = fmt::format(&other).unwrap_or_else(|refused| panic!("{refused:?}\n{other}"));
            assert!(again == formatted, "of\n{other}\n--- comes\n{again}\n--- instead of\n{formatted}");
        }
    }
}

/// Formats so many untidy texts.
fn untidy_texts(count: usize) {
    let texts = texts();
    let mut random = Random::new(1);
    let mut refused = Vec::new();
    for number in 0..count {
        let mess = if number % 4 == 0 { Mess::Switches } else { Mess::Comments };
        let text = untidy(&texts[number % texts.len()], mess, &mut random);
        match holds(&text) {
            Ok(Some(_)) => {}
            Ok(None) => refused.push(text),
            Err(what) => panic!("{number}: {what}\n--- of\n{text}"),
        }
    }
    let first = refused.first().map(|text| format!("{:?}\n{text}", ebsec_grammar::parse(text).syntax_errors()));
    assert!(refused.is_empty(), "{} texts parse in one layout and not in another, such as\n{}", refused.len(), first.unwrap_or_default());
}

#[test]
fn comments_anywhere_are_kept_and_the_second_time_changes_nothing() {
    untidy_texts(2_000);
}

#[test]
#[ignore = "minutes; part of `make soak`"]
fn comments_anywhere_at_length() {
    untidy_texts(100_000);
}

#[test]
fn a_long_file_and_deep_brackets_are_formatted_in_linear_time() {
    let rule = "    a: deny exec when file.path in [\"/a\", \"/b\"] and not (process.uid == 0) because \"x\"\n";
    let many = format!("policy p {{\n{}}}\n", rule.repeat(20_000));
    assert!(fmt::format(&many).is_ok_and(|out| out == many));
    let deep = format!("fn f() = {}a{}\n", "(b and ".repeat(60), ")".repeat(60));
    assert!(holds(&deep).unwrap().is_some());
    let chain = format!("fn f() = a{}\n", " and a".repeat(50_000));
    assert!(holds(&chain).unwrap().is_some());
    let set = format!("let a = [{}]\n", "\"/x\", ".repeat(50_000));
    assert!(holds(&set).unwrap().is_some());
}
