//! `enforce-over-audit-only`: a policy that enforces and has rules that only report.

use crate::diag::codes;
use crate::hir::{Action, Mode};
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::ENFORCE_OVER_AUDIT_ONLY, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for (policy, origin) in cx.package.policies.iter().zip(&cx.origins) {
        let only = !policy.rules.is_empty() && policy.rules.iter().all(|rule| rule.action == Action::Audit);
        if policy.mode != Mode::Enforce || !only {
            continue;
        }
        let message = format!("`{}` enforces, but its rules only report: nothing is refused", policy.name);
        let finding = report.at(origin.loc, message);
        report.push(match origin.with {
            Some(_) => finding.help("leave `mode = enforce` out, or apply a policy that refuses"),
            None => finding.help("write `deny` instead of `audit`, or leave `mode = enforce` out"),
        });
    }
}
