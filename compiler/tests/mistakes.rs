//! Mistakes that people make, one a file in `tests/mistakes`: what the terminal says (`NAME.out`), and the policy to which
//! those words alone lead (`NAME.fixed.ebsec`), which has no findings. A fix that is offered leads exactly there.
//! `EBSEC_BLESS=1` writes the outputs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Case, Outcome};
use ebsec_compiler::diag::{Applicability, render};
use ebsec_test_support::{Goldens, files};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Two mistakes are in these.
const TWO: &[&str] = &[];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/mistakes")
}

/// What is wrong with the right policy beside a wrong one, or with the fixes that lead to it.
fn judge(name: &str, case: &Case, outcome: &Outcome) -> Option<String> {
    let path = folder().join(format!("{name}.fixed.ebsec"));
    let fixed = Case::golden(&path);
    let after = fixed.check();
    if !after.findings.is_empty() {
        return Some(format!("the right policy has findings\n{}", after.shown()));
    }
    let wanted = &fixed.sources.files[0].text;
    let fixes: Vec<_> = outcome.findings.iter().flat_map(|f| &f.fixes).filter(|f| f.applicability != Applicability::DisplayOnly).collect();
    let leads = |fix: &&_| case.fixed(outcome, fix).is_some_and(|fixed| fixed.sources.files[0].text == *wanted);
    let misses = outcome.findings.len() == 1 && !fixes.is_empty() && !fixes.iter().any(leads);
    misses.then(|| format!("no fix leads to the right policy\n{}", outcome.shown()))
}

#[test]
fn mistakes_are_explained() {
    let mut goldens = Goldens::new(folder(), "out");
    let (mut count, mut wrong) = (0, String::new());
    for path in files(&folder(), "ebsec") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".fixed") {
            continue;
        }
        count += 1;
        let case = Case::golden(&path);
        let outcome = case.check();
        let most = if TWO.contains(&name.as_str()) { 2 } else { 1 };
        if !(1..=most).contains(&outcome.findings.len()) {
            let _ = writeln!(wrong, "{name}: {} findings\n{}", outcome.findings.len(), outcome.shown());
        }
        if let Some(problem) = judge(&name, &case, &outcome) {
            let _ = writeln!(wrong, "{name}: {problem}");
        }
        goldens.check(&name, &render::pretty(&outcome.findings, &outcome.checked.sources, false));
    }
    assert!(count >= 80, "{count}");
    assert!(wrong.is_empty(), "{wrong}");
    goldens.finish();
}
