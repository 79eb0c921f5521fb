//! `locks-out`: an enforcing rule that refuses every program, every read or every write of the host.

use crate::diag::codes;
use crate::fold::Origin;
use crate::hir::{Cond, Test};
use crate::lint::context::{Context, Folded};
use crate::lint::narrow::narrows;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::LOCKS_OUT, check: Check::Folded(check) };

/// Without these nothing runs: the intents, and the hooks that see nothing else.
const VITAL: &[(&str, &str)] = &[
    ("exec", "every start of a program"),
    ("file.run", "every start of a program"),
    ("file.read", "every read of a file"),
    ("file.write", "every change of a file"),
    ("hook.bprm_check_security", "every start of a program"),
    ("hook.mmap_file", "every start of a program"),
    ("hook.file_open", "every opening of a file"),
];

/// Whether the rule refuses all there is of a vital event, and what that is.
pub fn refused(cx: &Context<'_>, folded: &Folded<'_>) -> Option<&'static str> {
    let event = cx.event(folded.rule);
    let (_, what) = VITAL.iter().find(|(name, _)| *name == event).filter(|_| folded.refuses())?;
    let narrow = folded.parts().any(|(cond, from)| narrows(cond, false, &cx.whole) || (is_scope(from) && spares_root(cx, cond, false)));
    (!narrow).then_some(what)
}

/// Whether a part of a condition says for whom the rule is. What is left out afterwards (`unless`, `allow`) narrows nothing.
fn is_scope(from: Origin) -> bool {
    matches!(from, Origin::Scope | Origin::Where | Origin::When)
}

/// Whether a condition, or its opposite, holds for no process of root: the host boots, and root can repair it.
fn spares_root(cx: &Context<'_>, cond: &Cond, negated: bool) -> bool {
    match cond {
        Cond::Const(_) => false,
        Cond::Atom(atom) => {
            let is_root = matches!(&atom.test, Test::InRanges(ranges) if ranges.first().is_some_and(|(low, _)| *low == 0));
            negated && is_root && matches!(cx.catalog[atom.field].name.as_str(), "process.uid" | "process.euid")
        }
        Cond::Not(inner) => spares_root(cx, inner, !negated),
        Cond::And(all) if !negated => all.iter().any(|c| spares_root(cx, c, false)),
        Cond::Or(all) if negated => all.iter().any(|c| spares_root(cx, c, true)),
        // One that narrows otherwise does as well as one that spares root.
        Cond::And(all) | Cond::Or(all) => all.iter().all(|c| narrows(c, negated, &cx.whole) || spares_root(cx, c, negated)),
    }
}

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    let Some(what) = refused(cx, folded) else { return };
    let name = folded.name();
    let message = match &folded.rule.cond {
        Cond::Const(_) => format!("{name} refuses {what} on the host, even by `init`, `sshd` and `ebsec-load`"),
        _ => format!("{name} refuses {what} on the host but for what it leaves out"),
    };
    let narrow = match folded.rule.label {
        Some(_) => "add a `when` about the file, or a `scope` to the policy",
        None => "add a `scope` to the policy",
    };
    let finding = report.at(folded.loc(), message).help(format!("{narrow}; an `unless` or `allow` alone does not narrow it"));
    let finding = finding.help("or write `mode = observe` to see what it would refuse");
    report
        .push(finding.help("if it lets through all that the host needs, say so in a comment: `// ebsec: allow(locks-out) because \"…\"`"));
}
