//! `old-mode`: a rule about a change of the mode asks for the mode before the change.

use crate::diag::codes;
use crate::hir::Atom;
use crate::lint::context::{Context, Folded};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::OLD_MODE, check: Check::Atom(check) };

/// Hooks that change the mode or the owner, and the fields that are as they were.
const HOOKS: &[(&str, &[&str])] = &[
    ("hook.path_chmod", &["file.mode", "file.setuid"]),
    ("hook.path_chown", &["file.owner"]),
    ("hook.inode_setattr", &["file.mode", "file.setuid", "file.owner"]),
    ("hook.inode_file_setattr", &["file.mode", "file.setuid"]),
];

fn check(cx: &Context<'_>, folded: &Folded<'_>, atom: &Atom, _: bool, report: &mut Report<'_>) {
    let (event, field) = (cx.event(folded.rule), cx.catalog[atom.field].name.as_str());
    if !HOOKS.iter().any(|(hook, fields)| *hook == event && fields.contains(&field)) {
        return;
    }
    let message = format!("at `{event}`, `{field}` still has the value from before the change");
    let new = match field {
        "file.owner" => "`new.owner`, the owner after the change, is not supported yet: deny every change of these files' owner",
        _ => "`new.mode`, the mode after the change, is not supported yet: deny every change of these files' mode",
    };
    report.push(report.at(atom.loc, message).help(new));
}
