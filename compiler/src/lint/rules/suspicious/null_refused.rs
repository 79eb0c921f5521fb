//! `null-refused`: an allow-list of files that may be written leaves out `/dev/null`, which every service writes to.

use crate::diag::codes;
use crate::hir::{Action, Atom, Cond, Test};
use crate::lint::context::{Context, Folded};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, narrow};

pub const LINT: Lint = Lint { code: codes::NULL_REFUSED, check: Check::Folded(check) };

/// What throws away all that is written to it.
const NULL: &[u8] = b"/dev/null";

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    if folded.origin.applied || folded.rule.action == Action::Audit || cx.event(folded.rule) != "file.write" {
        return;
    }
    let mut sets = Sets::default();
    look(cx, &folded.rule.cond, false, &mut sets);
    if sets.asked || !sets.left_out || sets.null {
        return;
    }
    let message = format!("{} refuses writes to `/dev/null`, where services send what nobody is to read", folded.name());
    report.push(report.at(folded.loc(), message).help(match folded.rule.label {
        Some(_) => "add `/dev/null` to the paths that it leaves out",
        None => "add an `allow` with `when file.path == \"/dev/null\"`",
    }));
}

/// What a rule says of paths.
#[derive(Default)]
struct Sets {
    /// It asks for some.
    asked: bool,
    /// It leaves some out.
    left_out: bool,
    /// And among them the device.
    null: bool,
}

fn look(cx: &Context<'_>, cond: &Cond, negated: bool, sets: &mut Sets) {
    match cond {
        Cond::Const(_) => {}
        Cond::Not(inner) => look(cx, inner, !negated, sets),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| look(cx, c, negated, sets)),
        Cond::Atom(atom) if is_path(cx, atom) => {
            sets.asked |= !negated && atom.test != Test::Unresolved;
            sets.left_out |= negated;
            sets.null |= negated && has_null(cx, atom);
        }
        // Of what the file is.
        Cond::Atom(atom) => sets.asked |= !negated && cx.catalog[atom.field].name.starts_with("file."),
    }
}

fn is_path(cx: &Context<'_>, atom: &Atom) -> bool {
    matches!(cx.catalog[atom.field].name.as_str(), "file.path" | "file.host_path")
}

fn has_null(cx: &Context<'_>, atom: &Atom) -> bool {
    let Test::InPaths(set) = atom.test else { return false };
    cx.package.path_sets.get(set.0 as usize).is_some_and(|set| narrow::has(&set.lang, NULL))
}
