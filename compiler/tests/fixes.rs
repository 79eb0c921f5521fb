//! Every fix that a golden or a page shows, made: the finding is gone from its place, and nothing there fails to parse. A
//! safe fix leads to nothing else at its place.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Case, Outcome};
use ebsec_compiler::diag::{Applicability, Finding, Fix, codes};
use ebsec_compiler::source::{Place, Sources, Span};
use ebsec_test_support::{files, folder};
use std::fmt::Write as _;

/// The places of the edits after they were made.
fn changed(fix: &Fix, sources: &Sources) -> Vec<Place> {
    let mut edits: Vec<(Place, &str)> = fix.edits.iter().map(|e| (sources.place(e.loc), e.text.as_str())).collect();
    edits.sort_by_key(|(place, _)| *place);
    let (mut out, mut moved, mut file) = (Vec::new(), 0i64, None);
    for (place, text) in edits {
        if file != Some(place.file) {
            (moved, file) = (0, Some(place.file));
        }
        let start = u32::try_from(i64::from(place.span.start) + moved).unwrap();
        let length = u32::try_from(text.len()).unwrap();
        out.push(Place { file: place.file, span: Span { start, end: start + length } });
        moved += i64::from(length) - i64::from(place.span.end - place.span.start);
    }
    out
}

fn meets(finding: &Finding, sources: &Sources, places: &[Place]) -> bool {
    let at = sources.place(finding.primary.loc);
    places.iter().any(|p| p.file == at.file && p.span.start <= at.span.end && at.span.start <= p.span.end)
}

/// What is wrong with a fix, if anything.
fn judge(case: &Case, before: &Outcome, finding: &Finding, fix: &Fix) -> Option<String> {
    let Some(fixed) = case.fixed(before, fix) else { return Some("cannot be applied".to_owned()) };
    let after = fixed.check();
    let places = changed(fix, &before.checked.sources);
    let here: Vec<&Finding> = after.findings.iter().filter(|f| meets(f, &after.checked.sources, &places)).collect();
    let syntax = |all: &[Finding]| all.iter().filter(|f| f.code.starts_with("E01")).count();
    let wrong = here.iter().any(|f| f.code == finding.code && f.message == finding.message)
        || here.iter().any(|f| f.code.starts_with("E01"))
        || syntax(&after.findings) > syntax(&before.findings)
        || fix.applicability == Applicability::Safe && !here.is_empty();
    wrong.then(|| after.shown())
}

#[test]
fn every_fix_removes_its_finding() {
    let mut cases: Vec<(String, Case)> =
        files(&folder("bad"), "ebsec").iter().map(|path| (path.display().to_string(), Case::golden(path))).collect();
    let pages = codes::all().iter().filter(|p| p.no_example.is_none());
    cases.extend(pages.map(|page| (page.code.to_owned(), Case::example(&page.example()).with_policy())));
    let (mut made, mut wrong) = (0, String::new());
    for (name, case) in &cases {
        let before = case.check();
        for finding in &before.findings {
            for fix in finding.fixes.iter().filter(|f| f.applicability != Applicability::DisplayOnly) {
                made += 1;
                if let Some(after) = judge(case, &before, finding, fix) {
                    let _ = writeln!(wrong, "{name}: {}: {}\n`{}` leads to\n{after}", finding.code, finding.message, fix.title);
                }
            }
        }
    }
    assert!(made >= 80, "{made}");
    assert!(wrong.is_empty(), "{wrong}");
}
