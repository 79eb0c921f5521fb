//! `missing-counterpart`: a rule refuses one hook, and another hook does the same.

use crate::diag::codes;
use crate::lint::context::{Context, Written};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use crate::source::Loc;
use ebsec_grammar::ast::{Action, MemberKind, Verdict};

pub const LINT: Lint = Lint { code: codes::MISSING_COUNTERPART, check: Check::Written(check) };

/// A hook, the one beside it, what that one does, and the intent that has both.
const PAIRS: &[(&str, &str, &str, &str)] = &[
    ("hook.path_unlink", "hook.path_rename", "a file loses its name when it is renamed too", "file.write"),
    ("hook.path_truncate", "hook.file_open", "a file is emptied when it is opened with `O_TRUNC` too", "file.write"),
    ("hook.socket_connect", "hook.socket_sendmsg", "`sendto` reaches an address without connecting", "net.egress"),
    ("hook.bprm_check_security", "hook.mmap_file", "a program's code also runs when it is mapped", "file.run"),
];

fn check(_: &Context<'_>, written: &Written<'_>, report: &mut Report<'_>) {
    let MemberKind::Rule(rule) = &written.member.kind else { return };
    if !matches!(rule.action.node, Action::Verdict(Verdict::Deny | Verdict::Kill)) {
        return;
    }
    for event in &rule.events {
        let Some((_, other, why, intent)) = PAIRS.iter().find(|(hook, ..)| *hook == event.node) else { continue };
        // Another rule of the policy may be about it.
        let members = written.policy.members.iter().map(|(_, m)| &m.kind);
        let answered = members.filter_map(|m| if let MemberKind::Rule(rule) = m { Some(rule) } else { None });
        if answered.flat_map(|r| &r.events).any(|e| e.node == *other || e.node == *intent) {
            continue;
        }
        let finding = report.at(Loc::new(written.part, event.span), format!("`{}` alone leaves a way round: {why}", event.node));
        report.push(finding.help(format!("write `{intent}`, which covers every way, or add `{other}`")));
    }
}
