//! `ebsec test`: runs the unit tests of packages by the reference interpreter and by the emitted programs, in user space.
//! Gives status 1 if a line fails, if the two differ, or if the package is wrong.

use super::check::{self, Common, Format};
use super::could_not;
use crate::package;
use ebsec_compiler::diag;
use ebsec_compiler::pipeline::{self, StepResult};
use ebsec_compiler::testing::judge::{self, Second};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Only tests whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// Runs the tests and prints one line for each, then what failed.
pub fn run(arguments: &Arguments) -> ExitCode {
    let packages = match package::open(&arguments.common.paths, &arguments.common.params, arguments.common.today) {
        Ok(packages) => packages,
        Err(failure) => return could_not(&failure),
    };
    let mut wrong = false;
    for found in packages {
        let (checked, mut findings) = check::check(&found);
        if let Some(package) = &checked.package {
            let wanted = |test: usize| {
                let name = package.tests.get(test).map_or("", |t| t.name.as_str());
                arguments.filter.as_ref().is_none_or(|text| name.contains(text.as_str()))
            };
            let results: Vec<StepResult> = pipeline::run_tests(package).into_iter().filter(|r| wanted(r.test)).collect();
            let second = judge::second_opinion(package, &checked.sources, &wanted);
            if arguments.common.format == Format::Pretty {
                print!("{}{}", table(package, &results), judges(&second));
            }
            findings.extend(pipeline::test_failures(package, &results));
            findings.extend(second.findings);
        }
        wrong |= diag::has_errors(&findings);
        check::print(&found, &checked.sources, &findings, arguments.common.format);
    }
    ExitCode::from(u8::from(wrong))
}

/// A line for each test, and how many lines of them passed.
fn table(package: &ebsec_compiler::hir::Package, results: &[StepResult]) -> String {
    let mut out = String::new();
    for (index, test) in package.tests.iter().enumerate() {
        let mine: Vec<&StepResult> = results.iter().filter(|r| r.test == index).collect();
        if mine.is_empty() && !results.is_empty() {
            continue;
        }
        let failed = mine.iter().filter(|r| !r.passed).count();
        let word = if failed == 0 { "pass" } else { "FAIL" };
        let name = diag::render::visible(&test.name);
        out.push_str(&format!("{word} {name} ({} of {})\n", mine.len() - failed, mine.len()));
    }
    let passed = results.iter().filter(|r| r.passed).count();
    out.push_str(&format!("{passed} of {} operations have the expected verdict\n", results.len()));
    out
}

/// Which judges ran.
fn judges(second: &Second) -> String {
    let mut out = format!("judged by the policy's meaning and, {} of them, by the emitted programs in user space\n", second.judged);
    for (_, reason) in &second.left_out {
        out.push_str(&format!("not judged by the programs: {}\n", diag::render::visible(reason)));
    }
    out
}
