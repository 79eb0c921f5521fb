//! `missing-description`: a policy without a description.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use ebsec_grammar::ast::MemberKind;

pub const LINT: Lint = Lint { code: codes::MISSING_DESCRIPTION, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for origin in cx.origins.iter().filter(|origin| !origin.applied) {
        let mut members = origin.def.members.iter().map(|(_, member)| &member.kind);
        if !members.any(|kind| matches!(kind, MemberKind::Prop { key, .. } if key.node == "description")) {
            let message = format!("the policy `{}` has no description", origin.def.name);
            report.push(report.at(origin.loc, message).help("write `description = \"…\"`"));
        }
    }
}
