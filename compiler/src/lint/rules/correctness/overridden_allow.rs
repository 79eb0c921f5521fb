//! `overridden-allow`: an `allow` lets something through the default of its policy that a rule of the same policy refuses.

use crate::diag::codes;
use crate::hir::{Action, Cond, Rule};
use crate::lint::context::{Context, Origin};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, shape};
use crate::source::PartId;
use ebsec_grammar::ast::{Action as Written, MemberKind};

pub const LINT: Lint = Lint { code: codes::OVERRIDDEN_ALLOW, check: Check::Package(check) };

/// Most rules with which an `allow` is compared.
const MAX: usize = 256;

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for (policy, origin) in cx.package.policies.iter().zip(&cx.origins).filter(|(_, origin)| !origin.applied) {
        for default in policy.rules.iter().filter(|rule| rule.label.is_none()) {
            let same_event = policy.rules.iter().filter(|rule| rule.event == default.event && rule.label.is_some());
            let refusing: Vec<&Rule> = same_event.filter(|rule| rule.action != Action::Audit).take(MAX).collect();
            if !refusing.is_empty() {
                allows(cx, origin, default, &refusing, report);
            }
        }
    }
}

/// Looks at what the default leaves out.
fn allows(cx: &Context<'_>, origin: &Origin<'_>, default: &Rule, refusing: &[&Rule], report: &mut Report<'_>) {
    let Cond::And(all) = &default.cond else { return };
    let scope: Vec<u64> = all.iter().filter(|c| !matches!(c, Cond::Not(_))).flat_map(shape::parts).collect();
    for allowed in all.iter().filter_map(|c| if let Cond::Not(inner) = c { Some(&**inner) } else { None }) {
        let alternatives = if let Cond::Or(all) = allowed { all.as_slice() } else { std::slice::from_ref(allowed) };
        for alternative in alternatives {
            let Some((part, label)) = first_part(alternative).and_then(|part| label(origin, part)) else { continue };
            let mine = shape::parts(alternative);
            let covers = |rule: &&&Rule| shape::parts(&rule.cond).iter().all(|p| scope.contains(p) || mine.binary_search(p).is_ok());
            let Some(rule) = refusing.iter().find(covers) else { continue };
            let by = rule.label.as_deref().unwrap_or_default();
            let message = format!("for `{}`, `{}` allows what `{by}` refuses: the refusal wins", cx.event(rule), label.node);
            let finding = report.at(crate::source::Loc::new(part, label.span), message).related(rule.loc, "this rule refuses it");
            report.push(finding.help(format!("move the condition to `unless` of `{by}`, or remove the `allow`")));
        }
    }
}

/// The part in which the first test of a condition is written.
fn first_part(cond: &Cond) -> Option<PartId> {
    match cond {
        Cond::Const(_) => None,
        Cond::Atom(atom) => Some(atom.loc.part),
        Cond::Not(inner) => first_part(inner),
        Cond::And(all) | Cond::Or(all) => all.iter().find_map(first_part),
    }
}

/// The label of the `allow` that is a part of the policy.
fn label<'a>(origin: &Origin<'a>, part: PartId) -> Option<(PartId, &'a ebsec_grammar::ast::Name)> {
    let (_, member) = origin.def.members.iter().find(|(own, _)| *own == part)?;
    match &member.kind {
        MemberKind::Rule(rule) if rule.action.node == Written::Allow => Some((part, &rule.label)),
        _ => None,
    }
}
