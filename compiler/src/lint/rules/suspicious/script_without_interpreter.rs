//! `script-without-interpreter`: a script must not start, but its interpreter may read it.

use super::script_as_exe::is_script;
use crate::diag::codes;
use crate::lint::context::{Context, Written};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, string};
use crate::source::Loc;
use ebsec_grammar::ast::{Action, Cond, CondKind, MemberKind, Value, ValueKind, Verdict};

pub const LINT: Lint = Lint { code: codes::SCRIPT_WITHOUT_INTERPRETER, check: Check::Written(check) };

fn check(_: &Context<'_>, written: &Written<'_>, report: &mut Report<'_>) {
    let MemberKind::Rule(rule) = &written.member.kind else { return };
    let refuses = matches!(rule.action.node, Action::Verdict(Verdict::Deny | Verdict::Kill));
    let named = |name: &str| rule.events.iter().any(|e| e.node == name);
    if !refuses || !(named("exec") || named("file.run")) || named("file.read") {
        return;
    }
    let Some((span, text)) = rule.when.as_ref().and_then(script) else { return };
    let message = format!("this does not stop `sh {text}`: the shell only reads the file");
    let finding = report.at(Loc::new(written.part, span), message);
    report.push(finding.help("deny `file.read` of it too"));
}

fn script(cond: &Cond) -> Option<(ebsec_grammar::ast::Span, &str)> {
    match &cond.kind {
        CondKind::And(all) | CondKind::Or(all) => all.iter().find_map(script),
        CondKind::Compare { value, .. } => value_script(value),
        _ => None,
    }
}

fn value_script(value: &Value) -> Option<(ebsec_grammar::ast::Span, &str)> {
    match &value.kind {
        ValueKind::Set(all) => all.iter().find_map(value_script),
        ValueKind::Literal(literal) => string(literal).filter(|text| is_script(text)).map(|text| (value.span, text)),
        _ => None,
    }
}
