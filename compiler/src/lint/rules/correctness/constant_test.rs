//! `constant-test`: a field is compared with every value that it can have. `not (file.path under "/")` is how a policy asks for
//! what has no path, and is not meant.

use crate::diag::codes;
use crate::hir::Cond;
use crate::lint::context::{Context, Folded};
use crate::lint::narrow::is_always;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::CONSTANT_TEST, check: Check::Folded(check) };

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    if !folded.origin.applied {
        look(cx, &folded.rule.cond, report);
    }
}

fn look(cx: &Context<'_>, cond: &Cond, report: &mut Report<'_>) {
    match cond {
        Cond::Not(inner) if matches!(**inner, Cond::Atom(_)) => {}
        Cond::Not(inner) => look(cx, inner, report),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| look(cx, c, report)),
        Cond::Atom(atom) if is_always(atom, &cx.whole) => {
            let message = format!("every value of `{}` passes this test", cx.catalog[atom.field].name);
            report.push(report.at(atom.loc, message).help("name the values that you mean, or remove the test"));
        }
        Cond::Atom(_) | Cond::Const(_) => {}
    }
}
