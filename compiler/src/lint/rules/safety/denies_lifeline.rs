//! `denies-lifeline`: an enforcing policy that refuses something without which the host does not boot, or nobody logs in.
//! The operations are those of `lifelines`; each is put to the reference interpreter.

use super::locks_out;
use crate::diag::codes;
use crate::hir::{Package, eval};
use crate::lint::context::{Context, Folded};
use crate::lint::lifelines::{self, Lifelines};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::DENIES_LIFELINE, check: Check::Package(check) };

/// Most work of all operations, as [`eval::eval_counted`] counts it: some seconds.
const MAX_WORK: u64 = 1 << 32;

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    let rules = cx.package.policies.iter().zip(&cx.origins);
    let rules: Vec<Folded<'_>> =
        rules.flat_map(|(policy, origin)| policy.rules.iter().map(move |rule| Folded { policy, origin: *origin, rule })).collect();
    let refusing: Vec<&Folded<'_>> = rules.iter().filter(|f| f.refuses() && locks_out::refused(cx, f).is_none()).collect();
    if refusing.is_empty() {
        return;
    }
    let lines = Lifelines::new(cx.catalog, &cx.config.lifelines);
    let refusing: Vec<&Folded<'_>> = refusing.into_iter().filter(|f| lines.may_match(cx.package, f.rule)).collect();
    if refusing.is_empty() {
        return;
    }
    // A package of one rule at a time would have to copy the sets each time: all rules are in one, in the same order.
    let rule = |f: &&Folded<'_>| crate::hir::Policy { rules: vec![f.rule.clone()], ..shell(f.policy) };
    let policies = refusing.iter().map(rule).collect();
    let package = Package { path_sets: cx.package.path_sets.clone(), policies, ..Package::default() };
    let mut first: Vec<Option<&lifelines::Line>> = vec![None; refusing.len()];
    let mut work = 0;
    for line in &lines.all {
        if work > MAX_WORK {
            let loc = refusing.first().map(|f| f.loc()).unwrap_or_default();
            let message = "the package is too large to be put to what a host needs: not all of it was tried";
            report.push(report.at(loc, message).help("split the package"));
            break;
        }
        for found in eval::eval_counted(&package, cx.catalog, &line.operation, &mut work).matched {
            if let Some(slot) = first.get_mut(found.policy) {
                slot.get_or_insert(line);
            }
        }
    }
    for (folded, line) in refusing.iter().zip(first) {
        if let Some(line) = line {
            tell(folded, line, report);
        }
    }
}

/// A policy without its rules.
fn shell(policy: &crate::hir::Policy) -> crate::hir::Policy {
    crate::hir::Policy { name: policy.name.clone(), mode: policy.mode, rules: Vec::new(), description: String::new(), loc: policy.loc }
}

fn tell(folded: &Folded<'_>, line: &lifelines::Line, report: &mut Report<'_>) {
    let message = format!("{} refuses what {} needs: {}", folded.name(), line.purpose, line.shown());
    let finding = report.at(folded.loc(), message);
    let finding = match folded.rule.label {
        Some(_) => finding.help(format!("narrow the rule by a `scope` or `when`, or leave it out: `unless {}`", line.condition())),
        None => finding.help(format!("narrow the policy by a `scope`, or add an `allow` for it: `when {}`", line.condition())),
    };
    report.push(finding);
}
