//! `constant-test`: a field is compared with every value that it can have.

use crate::diag::codes;
use crate::hir::Atom;
use crate::lint::context::{Context, Folded};
use crate::lint::narrow::is_always;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::CONSTANT_TEST, check: Check::Atom(check) };

fn check(cx: &Context<'_>, _: &Folded<'_>, atom: &Atom, _: bool, report: &mut Report<'_>) {
    if is_always(atom, &cx.whole) {
        let field = &cx.catalog[atom.field].name;
        let message = format!("this holds for every value of `{field}`, unless there is none");
        report.push(report.at(atom.loc, message).help("name the values that are meant, or remove the test"));
    }
}
