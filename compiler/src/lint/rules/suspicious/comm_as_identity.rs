//! `comm-as-identity`: a task's name decides that something is let through, or it alone decides that something is refused. Any
//! process may give itself any name.

use crate::diag::codes;
use crate::hir::{Action, Atom};
use crate::lint::context::{Context, Folded};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::COMM_AS_IDENTITY, check: Check::Atom(check) };

fn check(cx: &Context<'_>, folded: &Folded<'_>, atom: &Atom, negated: bool, report: &mut Report<'_>) {
    if folded.rule.action == Action::Audit || cx.catalog[atom.field].name != "process.comm" {
        return;
    }
    let message = match negated {
        true => "any process can set its own `process.comm`, so it does not identify a program",
        false => "any process can set its own `process.comm`, and with another name it is not refused",
    };
    report.push(report.at(atom.loc, message).help("compare the program's path: `process.exe`, or `process.exe.name`"));
}
