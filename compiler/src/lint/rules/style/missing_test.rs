//! `missing-test`: a policy that no unit test shows at work.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use rustc_hash::FxHashSet;

pub const LINT: Lint = Lint { code: codes::MISSING_TEST, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    let steps = cx.tests.iter().flat_map(|test| &test.steps);
    let tested: FxHashSet<&str> = steps.filter_map(|step| step.expect.as_ref()).map(|(_, policy, _)| policy.as_str()).collect();
    for origin in cx.origins.iter().filter(|origin| !tested.contains(origin.def.name.as_str())) {
        let message = format!("no test expects a verdict of `{}`", origin.def.name);
        report.push(report.at(origin.loc, message).help("write a `test` with a line for what it refuses"));
    }
}
