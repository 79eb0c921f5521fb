//! `constant-condition`: `true` or `false` as a condition.

use crate::diag::codes;
use crate::lint::context::{Context, Test};
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use crate::source::Loc;
use ebsec_grammar::ast::{CondKind, Operand};

pub const LINT: Lint = Lint { code: codes::CONSTANT_CONDITION, check: Check::Condition(check) };

fn check(_: &Context<'_>, test: &Test<'_>, report: &mut Report<'_>) {
    let CondKind::Bare(Operand::Name(name)) = &test.cond.kind else { return };
    let help = match name.node.as_str() {
        "true" => "it always holds: remove it",
        "false" => "it never holds: remove it and what needs it",
        _ => return,
    };
    let message = format!("this condition is always `{}`", name.node);
    report.push(report.at(Loc::new(test.part, test.cond.span), message).help(help));
}
