//! `missing-negative-test`: a policy whose tests show only what it refuses.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use rustc_hash::FxHashMap;

pub const LINT: Lint = Lint { code: codes::MISSING_NEGATIVE_TEST, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    let mut shown: FxHashMap<&str, bool> = FxHashMap::default();
    for test in &cx.tests {
        let allows = test.steps.iter().any(|step| step.expect.is_none());
        for (_, policy, _) in test.steps.iter().filter_map(|step| step.expect.as_ref()) {
            *shown.entry(policy.as_str()).or_default() |= allows;
        }
    }
    for origin in cx.origins.iter().filter(|origin| shown.get(origin.def.name.as_str()) == Some(&false)) {
        let message = format!("the tests of `{}` expect nothing to be allowed", origin.def.name);
        report.push(report.at(origin.loc, message).help("write a line that ends in `=> allow` for what must keep working"));
    }
}
