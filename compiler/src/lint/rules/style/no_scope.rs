//! `no-scope`: a policy that refuses something to every process of the host and of its containers.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use ebsec_grammar::ast::{Action, MemberKind, Verdict};

pub const LINT: Lint = Lint { code: codes::NO_SCOPE, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for origin in cx.origins.iter().filter(|origin| !origin.applied) {
        let members = || origin.def.members.iter().map(|(_, member)| &member.kind);
        let refuses = members().any(|kind| match kind {
            MemberKind::Rule(rule) => matches!(rule.action.node, Action::Verdict(Verdict::Deny | Verdict::Kill)),
            MemberKind::Default { verdict, .. } => verdict.node != Verdict::Audit,
            _ => false,
        });
        if refuses && !members().any(|kind| matches!(kind, MemberKind::Scope(_))) {
            let message = format!("the policy `{}` has no scope: it is for every process, in containers too", origin.def.name);
            report.push(report.at(origin.loc, message).help("write `scope = …`, such as `scope = not process.container`"));
        }
    }
}
