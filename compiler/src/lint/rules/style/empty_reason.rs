//! `empty-reason`: a `because` that says nothing.

use crate::diag::codes;
use crate::lint::context::{Context, Written};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use crate::source::Loc;
use ebsec_grammar::ast::MemberKind;

pub const LINT: Lint = Lint { code: codes::EMPTY_REASON, check: Check::Written(check) };

fn check(_: &Context<'_>, written: &Written<'_>, report: &mut Report<'_>) {
    let because = match &written.member.kind {
        MemberKind::Rule(rule) => rule.because.as_ref(),
        MemberKind::Default { because, .. } => because.as_ref(),
        _ => None,
    };
    if let Some(because) = because.filter(|b| b.node.trim().is_empty()) {
        let finding = report.at(Loc::new(written.part, because.span), "the reason is empty");
        report.push(finding.help("say why, since reports show it, or remove `because`"));
    }
}
