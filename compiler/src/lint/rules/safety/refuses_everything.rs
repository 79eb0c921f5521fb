//! `refuses-everything`: an enforcing rule that refuses every operation of a kind, for every process.

use super::locks_out;
use crate::diag::codes;
use crate::lint::context::{Context, Folded};
use crate::lint::narrow::narrows;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::REFUSES_EVERYTHING, check: Check::Folded(check) };

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    let wide = folded.refuses() && !narrows(&folded.rule.cond, false, &cx.whole);
    if !wide || excludes(&folded.rule.cond) || locks_out::refused(cx, folded).is_some() {
        return;
    }
    let event = cx.event(folded.rule);
    let message = format!("{} refuses every `{event}` by every process on the host", folded.name());
    report.push(report.at(folded.loc(), message).help("add a `when`, an `unless` or a `scope`"));
}

/// Whether the rule leaves anything out: for these events a list of exceptions is how one starts.
fn excludes(cond: &crate::hir::Cond) -> bool {
    use crate::hir::Cond;
    match cond {
        Cond::Not(_) => true,
        Cond::And(all) => all.iter().any(excludes),
        _ => false,
    }
}
