//! `locks-out`: an enforcing rule that refuses every program, every read or every write of the host.

use crate::diag::codes;
use crate::hir::Cond;
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
    (!narrows(&folded.rule.cond, false, &cx.whole)).then_some(what)
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
