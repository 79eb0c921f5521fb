//! `missing-counterpart`: a rule refuses one hook, and another hook does the same.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use crate::source::{Loc, PartId};
use ebsec_grammar::ast::{Action, MemberKind, Rule, Verdict};
use rustc_hash::FxHashSet;

pub const LINT: Lint = Lint { code: codes::MISSING_COUNTERPART, check: Check::Package(check) };

/// A hook, the one beside it, what that one does, and the intent that has both.
const PAIRS: &[(&str, &str, &str, &str)] = &[
    ("hook.path_unlink", "hook.path_rename", "renaming a file removes its name too", "file.write"),
    ("hook.path_truncate", "hook.file_open", "opening a file with `O_TRUNC` empties it too", "file.write"),
    ("hook.socket_connect", "hook.socket_sendmsg", "`sendto` reaches an address without connecting to it", "net.egress"),
    ("hook.bprm_check_security", "hook.mmap_file", "code also runs when its file is mapped", "file.run"),
];

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for origin in cx.origins.iter().filter(|origin| !origin.applied) {
        let members = origin.def.members.iter();
        let rules: Vec<(PartId, &Rule)> =
            members.filter_map(|(part, m)| if let MemberKind::Rule(rule) = &m.kind { Some((*part, rule)) } else { None }).collect();
        // Another rule of the policy may be about the other hook.
        let answered: FxHashSet<&str> = rules.iter().flat_map(|(_, rule)| &rule.events).map(|event| event.node.as_str()).collect();
        let refusing = rules.iter().filter(|(_, rule)| matches!(rule.action.node, Action::Verdict(Verdict::Deny | Verdict::Kill)));
        for (part, event) in refusing.flat_map(|(part, rule)| rule.events.iter().map(move |event| (part, event))) {
            let Some((_, other, why, intent)) = PAIRS.iter().find(|(hook, ..)| *hook == event.node) else { continue };
            if !answered.contains(other) && !answered.contains(intent) {
                let finding = report.at(Loc::new(*part, event.span), format!("`{}` alone can be bypassed: {why}", event.node));
                report.push(finding.help(format!("write `{intent}`, which covers every way, or add `{other}`")));
            }
        }
    }
}
