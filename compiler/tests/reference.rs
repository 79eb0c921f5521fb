//! `docs/reference/` is what the compiler knows today, and every example of a topic is a policy without an error.
//! `EBSEC_BLESS=1` writes the pages.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::Case;
use ebsec_compiler::diag::page::ExampleFile;
use ebsec_compiler::diag::{self, render};
use ebsec_compiler::reference::{self, Kind, Section};
use ebsec_test_support::Goldens;
use std::path::Path;

#[test]
fn the_pages_are_what_the_compiler_knows() {
    let mut goldens = Goldens::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference"), "md");
    for (name, text) in reference::pages() {
        goldens.check(name, &text);
    }
    goldens.finish();
}

#[test]
fn examples_are_policies() {
    let mut count = 0;
    for topic in reference::topics().iter().filter(|topic| topic.kind != Kind::Library) {
        for section in &topic.sections {
            let Section::Example(code) = section else { continue };
            let outcome = Case::example(&[ExampleFile { path: "policy.ebsec", text: format!("{code}\n") }]).check();
            let shown = render::pretty(&outcome.findings, &outcome.checked.sources, false);
            assert!(!diag::has_errors(&outcome.findings), "{} {}:\n{shown}", topic.kind.name(), topic.name);
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}
