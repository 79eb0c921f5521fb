//! `unsatisfiable-condition`: a rule asks for two values of a field that has one. Compares what has to hold together; what
//! needs a proof over several fields is not found.

use crate::diag::codes;
use crate::hir::{Atom, Cond, PathLang, Test};
use crate::lint::context::{Context, Folded};
use crate::lint::narrow::{has, listed};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::UNSATISFIABLE_CONDITION, check: Check::Folded(check) };

/// Most tests of a rule that are compared with each other.
const MAX: usize = 16;

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    let Cond::And(all) = &folded.rule.cond else { return };
    if folded.origin.applied {
        return;
    }
    let mut atoms: Vec<&Atom> = Vec::new();
    required(all, &mut atoms);
    for (index, second) in atoms.iter().enumerate().take(MAX) {
        let Some(first) = atoms.iter().take(index).find(|first| first.field == second.field && are_apart(cx, first, second)) else {
            continue;
        };
        let field = &cx.catalog[second.field].name;
        let message = format!("{} never matches: `{field}` cannot be both", folded.name());
        let finding = report.at(second.loc, message).related(first.loc, "this must hold too");
        return report.push(finding.help("join the two with `or`, or write one set: `in [...]`"));
    }
}

fn required<'c>(all: &'c [Cond], out: &mut Vec<&'c Atom>) {
    for cond in all {
        match cond {
            Cond::Atom(atom) => out.push(atom),
            Cond::And(more) => required(more, out),
            _ => {}
        }
    }
}

/// Whether no value is in both. Programs and host paths may have several names at once, so two of them can hold.
fn are_apart(cx: &Context<'_>, a: &Atom, b: &Atom) -> bool {
    match (&a.test, &b.test) {
        (Test::InRanges(a), Test::InRanges(b)) => !a.iter().any(|(low, high)| b.iter().any(|(l, h)| low <= h && l <= high)),
        (Test::InPaths(x), Test::InPaths(y)) if cx.catalog[a.field].name == "file.path" => {
            let set = |id: &crate::hir::PathSetId| cx.package.path_sets.get(id.0 as usize).map(|s| &s.lang);
            let Some((x, y)) = set(x).zip(set(y)) else { return false };
            let apart = |path: &[u8], other: &PathLang| !has(other, path);
            listed(cx, x, y, apart) || listed(cx, y, x, apart)
        }
        _ => false,
    }
}
