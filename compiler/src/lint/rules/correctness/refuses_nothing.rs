//! `refuses-nothing`: a rule or default that never matches, or a policy without any.

use crate::diag::codes;
use crate::hir::Cond;
use crate::lint::context::{Context, Folded};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::REFUSES_NOTHING, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for (policy, origin) in cx.package.policies.iter().zip(&cx.origins) {
        if policy.rules.is_empty() {
            let message = format!("the policy `{}` has no rule, so it does nothing", policy.name);
            report.push(report.at(origin.loc, message).help("write a rule, or remove the policy"));
        }
        for rule in policy.rules.iter().filter(|rule| is_never(&rule.cond)) {
            let folded = Folded { policy, origin: *origin, rule };
            let message = format!("{} never matches, so it does nothing", folded.name());
            let help = match rule.label {
                Some(_) => "an `unless`, `when`, `scope` or `except` leaves out everything: narrow it",
                None => "an `allow`, `scope` or `except` leaves out everything: narrow it",
            };
            report.push(report.at(folded.loc(), message).help(help));
        }
    }
}

/// Whether a condition never holds, as far as can be seen without a proof.
fn is_never(cond: &Cond) -> bool {
    match cond {
        Cond::Const(value) => !value,
        // `not (file.path under "/")` is true of what has no path.
        Cond::Atom(_) => false,
        Cond::Not(inner) => is_ever(inner),
        Cond::And(all) => all.iter().any(is_never),
        Cond::Or(all) => all.iter().all(is_never),
    }
}

fn is_ever(cond: &Cond) -> bool {
    match cond {
        Cond::Const(value) => *value,
        Cond::Atom(_) => false,
        Cond::Not(inner) => is_never(inner),
        Cond::And(all) => all.iter().all(is_ever),
        Cond::Or(all) => all.iter().any(is_ever),
    }
}
