//! `memfd-gap`: a rule refuses programs in folders that everybody writes, and no rule of the package is about programs in
//! memory, which have no path.

use crate::diag::codes;
use crate::hir::{Action, Atom, Cond, Test};
use crate::lint::context::{Context, Folded};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::MEMFD_GAP, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    let starts = |folded: &Folded<'_>| matches!(cx.event(folded.rule), "exec" | "file.run" | "hook.bprm_check_security" | "hook.mmap_file");
    let all: Vec<Folded<'_>> = cx.rules().filter(|folded| folded.rule.action != Action::Audit && starts(folded)).collect();
    if all.iter().any(|folded| has(&folded.rule.cond, &|atom| cx.catalog[atom.field].name == "file.memfd")) {
        return;
    }
    let of_everybody = |atom: &Atom| match atom.test {
        Test::InPaths(set) => cx.catalog[atom.field].name == "file.path" && cx.shared().get(set.0 as usize) == Some(&true),
        _ => false,
    };
    for folded in all.iter().filter(|folded| !folded.origin.applied && has(&folded.rule.cond, &of_everybody)) {
        let message = format!("{} does not stop a program in memory, which has no path", folded.name());
        report.push(report.at(folded.loc(), message).help("add a rule with `when file.memfd`"));
    }
}

/// Whether a test that is not negated is of a kind.
fn has(cond: &Cond, kind: &impl Fn(&Atom) -> bool) -> bool {
    match cond {
        Cond::Const(_) | Cond::Not(_) => false,
        Cond::And(all) | Cond::Or(all) => all.iter().any(|inner| has(inner, kind)),
        Cond::Atom(atom) => kind(atom),
    }
}
