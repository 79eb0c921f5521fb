//! `refuses-nothing`: a rule or default that never matches, or a policy without any.

use crate::diag::codes;
use crate::hir::{Atom, Cond};
use crate::lint::context::Context;
use crate::lint::narrow;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::REFUSES_NOTHING, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for (policy, origin) in cx.package.policies.iter().zip(&cx.origins) {
        if policy.rules.is_empty() {
            let message = format!("the policy `{}` has no rule, so it does nothing", policy.name);
            report.push(report.at(origin.loc, message).help("write a rule, or remove the policy"));
        }
    }
    for folded in cx.rules().filter(|folded| is_never(&folded.rule.cond) || leaves_out_all(cx, &folded.rule.cond)) {
        let message = format!("{} never matches, so it does nothing", folded.name());
        let help = match folded.rule.label {
            Some(_) => "an `unless`, `when`, `scope` or `except` leaves out everything: narrow it",
            None => "an `allow`, `scope` or `except` leaves out everything: narrow it",
        };
        report.push(report.at(folded.loc(), message).help(help));
    }
}

/// Most tests of a rule that are compared with each other.
const MAX: usize = 16;

/// Whether what a condition leaves out is all that it asks for: `when x unless x`.
fn leaves_out_all(cx: &Context<'_>, cond: &Cond) -> bool {
    if !matches!(cond, Cond::And(_)) {
        return false;
    }
    let tests = narrow::tests(cond);
    let left_out = tests.iter().filter(|(_, negated)| *negated).take(MAX);
    let asked = |b: &Atom| tests.iter().filter(|(_, negated)| !*negated).take(MAX).any(|(a, _)| covers(cx, a, b));
    left_out.into_iter().any(|(b, _)| asked(b))
}

fn covers(cx: &Context<'_>, asked: &Atom, left_out: &Atom) -> bool {
    asked.field == left_out.field && narrow::is_within(cx, &asked.test, &left_out.test)
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
