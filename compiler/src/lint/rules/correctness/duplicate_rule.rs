//! `duplicate-rule`: two rules of a policy that do the same under the same condition.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::shape::{Related, Relation};
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::DUPLICATE_RULE, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for Related { wider: first, rule, .. } in cx.related().filter(|found| found.relation == Relation::Same) {
        let name = |label: &Option<String>| label.clone().unwrap_or_else(|| "default".to_owned());
        let message = format!("for `{}`, `{}` repeats `{}`", cx.event(rule), name(&rule.label), name(&first.label));
        report.push(report.at(rule.loc, message).related(first.loc, "the same rule").help("remove one of them"));
    }
}
