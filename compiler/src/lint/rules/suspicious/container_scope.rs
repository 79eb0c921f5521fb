//! `container-scope`: an enforcing rule about the host's own files by `file.path`, which containers' files have too.

use crate::diag::codes;
use crate::hir::{Atom, Cond, Test};
use crate::lint::context::{Context, Folded};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::CONTAINER_SCOPE, check: Check::Folded(check) };

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    if !folded.refuses() || folded.origin.applied || cx.event(folded.rule) != "file.write" {
        return;
    }
    let (mut atom, mut asks) = (None, false);
    look(cx, &folded.rule.cond, false, &mut atom, &mut asks);
    let Some(atom) = atom.filter(|_| !asks) else { return };
    let message = format!("{} also applies in containers, which have their own files at these paths", folded.name());
    let finding = report.at(folded.loc(), message).related(atom.loc, "a container's own files match too");
    report.push(finding.help("write `file.host_path` for the host's own files, or add `not process.container`"));
}

/// Finds what asks for such files, and whether anything asks who the process is.
fn look<'c>(cx: &Context<'_>, cond: &'c Cond, negated: bool, found: &mut Option<&'c Atom>, asks: &mut bool) {
    match cond {
        Cond::Const(_) => {}
        Cond::Not(inner) => look(cx, inner, !negated, found, asks),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| look(cx, c, negated, found, asks)),
        Cond::Atom(atom) => {
            let field = cx.catalog[atom.field].name.as_str();
            // A rule about one program is about that program in a container as well.
            *asks |= field == "process.container" || field == "file.host_path" || (!negated && field.starts_with("process."));
            if let (false, "file.path", Test::InPaths(set)) = (negated, field, &atom.test)
                && cx.images().get(set.0 as usize) == Some(&true)
            {
                *found = found.or(Some(atom));
            }
        }
    }
}
