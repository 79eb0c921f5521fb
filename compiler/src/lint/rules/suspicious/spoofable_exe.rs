//! `spoofable-exe`: a rule about what is the host's lets a program through by its path, and an image can hold any program under
//! any path.

use crate::diag::codes;
use crate::fold::Origin;
use crate::hir::{Action, Atom, Cond, Test};
use crate::lint::context::{Context, Folded};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, narrow};
use crate::source::{Loc, Span};

pub const LINT: Lint = Lint { code: codes::SPOOFABLE_EXE, check: Check::Folded(check) };

/// Fields that hold programs.
const PROGRAMS: &[&str] = &["process.exe", "process.parent.exe", "process.lineage.exe"];

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    if folded.rule.action == Action::Audit || !is_of_the_host(cx, folded) || !narrow::covers_containers(cx, folded) {
        return;
    }
    for (part, origin) in folded.parts() {
        let Cond::Not(let_through) = part else { continue };
        let Some(atom) = trusted(cx, let_through) else { continue };
        let name = &cx.catalog[atom.field].name;
        let message = format!("`{name}` lets a container's program through too: an image can hold any program under any path");
        let finding = report.at(atom.loc, message);
        if !lets_through(cx, atom, origin) {
            // Beside a test that is negated, the same words would leave out every container.
            report.push(finding.help("write `not (… and not process.container)`, with the test of the program in place of `…`"));
            continue;
        }
        let finding = finding.help("add `and not process.container`");
        let end = Loc::new(atom.loc.part, Span { start: atom.loc.span.end, end: atom.loc.span.end });
        report.push(match &**let_through {
            Cond::Atom(_) => finding.guess("trust the host's program alone", end, " and not process.container"),
            _ => finding,
        });
    }
}

/// Whether the test is written where what is true is let through, and not negated there.
fn lets_through(cx: &Context<'_>, atom: &Atom, origin: Origin) -> bool {
    let text = cx.sources.slice(atom.loc);
    matches!(origin, Origin::Unless | Origin::Allows | Origin::Exception(_)) && !text.contains("!=") && !text.starts_with("not")
}

/// Whether a rule is about the host's files or about its network, whoever acts. A rule about one program is about that program
/// in a container as well, and one for containers means their programs.
fn is_of_the_host(cx: &Context<'_>, folded: &Folded<'_>) -> bool {
    let (mut host, mut asks) = (cx.event(folded.rule) == "net.egress", false);
    let mut see = |atom: &Atom| {
        let field = cx.catalog[atom.field].name.as_str();
        host |= field == "file.host_path";
        asks |= field == "process.container" || PROGRAMS.contains(&field);
    };
    folded.parts().for_each(|(part, _)| asked(part, &mut see));
    host && !asks
}

/// Calls for each test that is not negated.
fn asked(cond: &Cond, see: &mut impl FnMut(&Atom)) {
    match cond {
        Cond::Const(_) | Cond::Not(_) => {}
        Cond::Atom(atom) => see(atom),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| asked(c, see)),
    }
}

/// The test of a program that is enough for a condition to hold in a container.
fn trusted<'c>(cx: &Context<'_>, cond: &'c Cond) -> Option<&'c Atom> {
    match cond {
        Cond::Const(_) | Cond::Not(_) => None,
        Cond::Atom(atom) => {
            let program = matches!(atom.test, Test::InPaths(_)) && PROGRAMS.contains(&cx.catalog[atom.field].name.as_str());
            program.then_some(atom)
        }
        Cond::And(all) if all.iter().any(|c| narrow::needs_host(cx, c, false)) => None,
        Cond::And(all) | Cond::Or(all) => all.iter().find_map(|c| trusted(cx, c)),
    }
}
