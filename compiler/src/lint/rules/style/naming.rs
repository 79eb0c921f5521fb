//! `naming`: a name that is not in snake case.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint, is_own};
use crate::source::Loc;
use crate::source::PartId;
use ebsec_grammar::ast::{MemberKind, Name};

pub const LINT: Lint = Lint { code: codes::NAMING, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    let names = cx.names;
    for def in names.defs.iter().filter(|d| is_own(names, d.file)) {
        name(def.part, def.name, report);
    }
    for policy in names.policies.iter().filter(|p| is_own(names, p.file)) {
        name(policy.part, policy.written, report);
        for (part, member) in &policy.members {
            if let MemberKind::Rule(rule) = &member.kind {
                name(*part, &rule.label, report);
            }
        }
    }
}

fn name(part: PartId, name: &Name, report: &mut Report<'_>) {
    if name.node.bytes().any(|b| b.is_ascii_uppercase()) {
        let message = format!("`{}` is not in snake case", name.node);
        report.push(report.at(Loc::new(part, name.span), message).help("write it in lowercase, with `_` between words"));
    }
}
