//! `parent-at-exec`: a rule on `exec` asks for the parent. At that moment the process is still the program that calls.

use crate::diag::codes;
use crate::hir::Atom;
use crate::lint::context::{Context, Folded};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::PARENT_AT_EXEC, check: Check::Atom(check) };

fn check(cx: &Context<'_>, folded: &Folded<'_>, atom: &Atom, _: bool, report: &mut Report<'_>) {
    let event = cx.event(folded.rule);
    let at_exec = event == "exec" || event == "hook.bprm_check_security";
    if !at_exec || cx.catalog[atom.field].name != "process.parent.exe" {
        return;
    }
    let message = format!("at `{event}`, the program that starts another is `process.exe`, and `process.parent.exe` is its parent");
    report.push(report.at(atom.loc, message).help("compare `process.exe`, or `process.lineage.exe`"));
}
