//! `empty-reason`: a `because` that says nothing.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint, is_own};
use crate::source::{Loc, PartId};
use ebsec_grammar::ast::{ItemKind, MemberKind, Name};

pub const LINT: Lint = Lint { code: codes::EMPTY_REASON, check: Check::Package(check) };

/// Words that stand where a reason will be.
const PLACEHOLDERS: &[&str] = &["tbd", "tba", "tbc", "todo", "to do", "fixme", "xxx", "n/a", "none", "because", "reason", "later", "wip"];

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    let policies = cx.names.policies.iter().filter(|policy| is_own(cx.names, policy.file));
    for (part, member) in policies.flat_map(|policy| &policy.members) {
        match &member.kind {
            MemberKind::Rule(rule) => look(*part, rule.because.as_ref(), report),
            MemberKind::Default { because, .. } => look(*part, because.as_ref(), report),
            _ => {}
        }
    }
    for other in cx.names.others.iter().filter(|other| is_own(cx.names, other.file)) {
        if let ItemKind::Except { because, .. } = &other.item.kind {
            look(other.part, Some(because), report);
        }
    }
}

fn look(part: PartId, because: Option<&Name>, report: &mut Report<'_>) {
    let Some(because) = because else { return };
    let text = because.node.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let message = match () {
        () if because.node.trim().is_empty() => "the reason is empty".to_owned(),
        () if text.is_empty() || PLACEHOLDERS.contains(&text.as_str()) => format!("`{}` is not a reason", because.node.trim()),
        () => return,
    };
    let finding = report.at(Loc::new(part, because.span), message);
    report.push(finding.help("say why, since reports show it, or remove `because`"));
}
