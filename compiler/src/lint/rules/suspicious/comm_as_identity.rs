//! `comm-as-identity`: a task's name decides that something is let through. Any process may give itself any name.

use crate::diag::codes;
use crate::hir::{Action, Atom};
use crate::lint::context::{Context, Folded};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::COMM_AS_IDENTITY, check: Check::Atom(check) };

fn check(cx: &Context<'_>, folded: &Folded<'_>, atom: &Atom, negated: bool, report: &mut Report<'_>) {
    if !negated || folded.rule.action == Action::Audit || cx.catalog[atom.field].name != "process.comm" {
        return;
    }
    let message = "any process can set its own `process.comm`, so it does not identify a program";
    report.push(report.at(atom.loc, message).help("compare the program's path: `process.exe`"));
}
