//! `ebsec test`: runs the unit tests of packages by the reference interpreter and by the emitted programs, in user space.
//! Gives status 1 if a line fails, if the two differ, or if the package is wrong; 2 if no test is the one asked for.

use super::check::{self, Common};
use crate::guest::Failure;
use crate::output;
use crate::package::Found;
use crate::report::{self, Judged};
use ebsec_compiler::diag::render::{Format, Test};
use ebsec_compiler::diag::{self, Level, text};
use ebsec_compiler::hir::Package;
use ebsec_compiler::pipeline::{self, StepResult};
use ebsec_compiler::testing::judge::{self, Second};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Only tests whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// What came out for a package.
struct Report {
    judged: Judged,
    /// Tests that were asked for; `None` if the package is wrong.
    tests: Option<Vec<Test>>,
    second: Second,
}

/// Runs the tests and prints one line for each, then what failed.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let common = &arguments.common;
    let filter = arguments.filter.as_deref();
    let reports: Vec<Report> = common.open()?.into_iter().map(|found| report(found, filter)).collect();
    let wrong = reports.iter().any(|r| diag::has_errors(&r.judged.findings));
    let ran = reports.iter().filter_map(|r| r.tests.as_ref()).any(|tests| !tests.is_empty());
    if let (Some(wanted), false, false) = (filter, wrong, ran) {
        let message = format!("no test name contains `{wanted}`");
        return Err(common.told(Failure::new(message).help("`ebsec test` without `--filter` lists all tests")));
    }
    print(reports, common.format, filter)?;
    Ok(ExitCode::from(u8::from(wrong)))
}

/// Prints what came out, as one document.
fn print(reports: Vec<Report>, format: Format, filter: Option<&str>) -> Result<(), Failure> {
    if format == Format::Pretty {
        output::print(&reports.iter().map(|report| report.text(filter)).collect::<String>())?;
    }
    let (mut tests, mut judged, mut second) = (Vec::new(), Vec::new(), Vec::new());
    for report in reports {
        tests.extend(report.tests.unwrap_or_default());
        judged.push(report.judged);
        second.push(report.second);
    }
    if format == Format::Json {
        return output::print(&text::json(&document(&tests, &judged, &second)));
    }
    report::print(&judged, &tests, format, Level::Error)
}

/// The JSON document.
fn document(tests: &[Test], judged: &[Judged], second: &[Second]) -> Value {
    let row = |test: &Test| json!({ "name": test.name, "passed": test.passed, "total": test.total });
    let left_out: Vec<&str> = second.iter().flat_map(|s| &s.left_out).map(|(_, reason)| reason.as_str()).collect();
    let findings: Vec<Value> = report::values(judged).into_iter().filter_map(|v| v.as_array().cloned()).flatten().collect();
    json!({
        "tests": tests.iter().map(row).collect::<Vec<_>>(),
        "judged_by_programs": second.iter().map(|s| s.judged).sum::<usize>(),
        "not_judged_by_programs": left_out,
        "findings": findings,
    })
}

/// Checks a package and runs those of its tests whose names hold the text.
fn report(found: Found, filter: Option<&str>) -> Report {
    let (checked, mut findings) = check::check(&found);
    let (mut tests, mut second) = (None, Second::default());
    if let Some(package) = &checked.package {
        let name = |test: usize| package.tests.get(test).map_or("", |t| t.name.as_str());
        let wanted = |test: usize| filter.is_none_or(|text| name(test).contains(text));
        let results: Vec<StepResult> = pipeline::run_tests(package).into_iter().filter(|r| wanted(r.test)).collect();
        // Lines that were too much work for one judge are not given to another.
        if results.iter().all(|r| r.passed || !r.got.is_empty()) {
            second = judge::second_opinion(package, &checked.sources, &wanted);
        }
        findings.extend(pipeline::test_failures(package, &results));
        findings.append(&mut second.findings);
        tests = Some(rows(package, &results, &wanted));
    }
    Report { judged: Judged::new(&found, &checked, findings), tests, second }
}

fn rows(package: &Package, results: &[StepResult], wanted: &dyn Fn(usize) -> bool) -> Vec<Test> {
    let row = |(index, name): (usize, &str)| {
        let passed = results.iter().filter(|r| r.test == index && r.passed).count();
        let total = results.iter().filter(|r| r.test == index).count();
        Test { name: name.to_owned(), passed, total }
    };
    package.tests.iter().map(|t| t.name.as_str()).enumerate().filter(|(index, _)| wanted(*index)).map(row).collect()
}

/// The line of a test.
fn line(test: &Test) -> String {
    let name = text::line(&test.name);
    match (test.passed, test.total) {
        (_, 0) => format!("none {name} (no operations)\n"),
        (passed, total) if passed == total => format!("pass {name} ({passed} of {total})\n"),
        (passed, total) => format!("FAIL {name} ({passed} of {total})\n"),
    }
}

impl Report {
    /// A line for each test, how many of their lines passed, and which judges ran.
    fn text(&self, filter: Option<&str>) -> String {
        let Some(tests) = &self.tests else { return String::new() };
        if tests.is_empty() {
            // Under a filter another package has the tests that were asked for.
            return if filter.is_none() { "no tests\n".to_owned() } else { String::new() };
        }
        let (passed, total) = (tests.iter().map(|t| t.passed).sum::<usize>(), tests.iter().map(|t| t.total).sum::<usize>());
        let mut out: String = tests.iter().map(line).collect();
        out.push_str(&format!("{passed} of {total} operations have the expected verdict\n"));
        let judged = self.second.judged;
        out.push_str(&format!("judged by the policy's meaning and, {judged} of them, by the emitted programs in user space\n"));
        for (_, reason) in &self.second.left_out {
            out.push_str(&format!("not judged by the programs: {}\n", text::line(reason)));
        }
        out
    }
}
