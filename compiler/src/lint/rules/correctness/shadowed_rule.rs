//! `shadowed-rule`: a rule whose whole effect another rule of its policy has, since that one asks for less.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::shape::{Related, Relation};
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::SHADOWED_RULE, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for Related { wider, rule, .. } in cx.related().filter(|found| found.relation == Relation::Covered) {
        let by = wider.label.as_ref().map_or("the default".to_owned(), |label| format!("`{label}`"));
        let label = rule.label.as_deref().unwrap_or("default");
        let message = format!("for `{}`, `{label}` adds nothing to {by}", cx.event(rule));
        let finding = report.at(rule.loc, message).related(wider.loc, format!("this matches whenever `{label}` does"));
        report.push(finding.help(format!("remove `{label}`, or narrow {by}")));
    }
}
