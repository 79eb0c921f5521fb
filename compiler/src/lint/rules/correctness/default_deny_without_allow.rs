//! `default-deny-without-allow`: a default that refuses, and no `allow` of its policy answers its event.

use crate::diag::codes;
use crate::hir::Action;
use crate::lint::context::{Context, Folded};
use crate::lint::narrow::narrows;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use ebsec_grammar::ast::{Action as Written, MemberKind};

pub const LINT: Lint = Lint { code: codes::DEFAULT_DENY_WITHOUT_ALLOW, check: Check::Folded(check) };

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    let is_default = folded.rule.label.is_none() && folded.rule.action != Action::Audit;
    // Without a scope it refuses everything on the host, which other lints say.
    if !is_default || !narrows(&folded.rule.cond, false, &cx.whole) {
        return;
    }
    let event = cx.event(folded.rule);
    // An intent and the hooks that raise it are different names of the same operations.
    let may_answer = |name: &str| name == event || name.starts_with("hook.") != event.starts_with("hook.");
    let answered = folded.origin.def.members.iter().any(|(_, member)| match &member.kind {
        MemberKind::Rule(rule) => rule.action.node == Written::Allow && rule.events.iter().any(|name| may_answer(&name.node)),
        _ => false,
    });
    if !answered {
        let message = format!("no `allow` goes with {}: it refuses every `{event}` in its scope", folded.name());
        let help = format!("write an `allow {event}` rule for what must keep working, or a `deny {event}` rule if nothing must");
        report.push(report.at(folded.loc(), message).help(help));
    }
}
