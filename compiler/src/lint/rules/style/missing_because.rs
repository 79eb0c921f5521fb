//! `missing-because`: a rule that refuses and does not say why.

use crate::diag::codes;
use crate::lint::context::{Context, Written};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use crate::source::Loc;
use ebsec_grammar::ast::{Action, MemberKind, Verdict};

pub const LINT: Lint = Lint { code: codes::MISSING_BECAUSE, check: Check::Written(check) };

fn check(_: &Context<'_>, written: &Written<'_>, report: &mut Report<'_>) {
    let span = match &written.member.kind {
        MemberKind::Rule(rule) if rule.because.is_none() && rule.action.node != Action::Allow => rule.label.span,
        MemberKind::Default { because: None, verdict, .. } if verdict.node != Verdict::Audit => verdict.span,
        _ => return,
    };
    report.push(report.at(Loc::new(written.part, span), "the rule gives no reason").help("write `because \"…\"`, which reports show"));
}
