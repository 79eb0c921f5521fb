//! `redundant-condition`: of two tests of a field that must both hold, one follows from the other; or of two of which one is
//! enough. Compares what can be compared without a proof over several fields.

use crate::diag::codes;
use crate::hir::{Atom, Cond};
use crate::lint::context::{Context, Folded};
use crate::lint::narrow;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::REDUNDANT_CONDITION, check: Check::Folded(check) };

/// Most tests of a condition that are compared with each other.
const MAX: usize = 16;

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    if !folded.origin.applied {
        look(cx, &folded.rule.cond, report);
    }
}

fn look(cx: &Context<'_>, cond: &Cond, report: &mut Report<'_>) {
    match cond {
        Cond::Const(_) | Cond::Atom(_) => {}
        Cond::Not(inner) => look(cx, inner, report),
        Cond::And(all) | Cond::Or(all) => {
            pairs(cx, &narrow::tests(cond), matches!(cond, Cond::And(_)), report);
            let same = |inner: &&Cond| std::mem::discriminant(*inner) != std::mem::discriminant(cond);
            all.iter().filter(same).for_each(|inner| look(cx, inner, report));
        }
    }
}

/// `both` says that all of the tests must hold, else one is enough.
fn pairs(cx: &Context<'_>, tests: &[(&Atom, bool)], both: bool, report: &mut Report<'_>) {
    for (index, second) in tests.iter().enumerate().take(MAX) {
        let found = tests.iter().take(index).find_map(|first| {
            let follows = |a, b| narrow::implies(cx, a, b);
            // Of two that say the same the later one is too many.
            let (second_is, first_is) =
                if both { (follows(first, second), follows(second, first)) } else { (follows(second, first), follows(first, second)) };
            match () {
                () if second_is => Some((second, first)),
                () if first_is => Some((first, second)),
                () => None,
            }
        });
        let Some(((redundant, _), (other, _))) = found else { continue };
        let message = match both {
            true => "this test adds nothing: it holds whenever the other one does",
            false => "this test adds nothing: the other one holds whenever it does",
        };
        report.push(report.at(redundant.loc, message).related(other.loc, "the other one").help("remove it"));
    }
}
