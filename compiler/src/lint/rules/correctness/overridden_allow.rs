//! `overridden-allow`: an `allow` lets something through the default of its policy that a rule of the same policy refuses.

use crate::diag::codes;
use crate::hir::{Action, Cond, Rule};
use crate::lint::context::{Context, Origin};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, shape};
use crate::source::{Loc, PartId};
use ebsec_grammar::ast::{Action as Written, MemberKind, Name};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::OnceCell;

pub const LINT: Lint = Lint { code: codes::OVERRIDDEN_ALLOW, check: Check::Package(check) };

/// Most rules with which an `allow` is compared.
const MAX: usize = 256;

/// A rule that refuses, with the parts of its condition that the default does not have too.
type Refusing<'a> = (&'a Rule, Vec<u64>);

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for (policy, origin) in cx.package.policies.iter().zip(&cx.origins).filter(|(_, origin)| !origin.applied) {
        let labels = OnceCell::new();
        for default in policy.rules.iter().filter(|rule| rule.label.is_none()) {
            let Cond::And(all) = &default.cond else { continue };
            let scope: FxHashSet<u64> = all.iter().filter(|c| !matches!(c, Cond::Not(_))).flat_map(shape::parts).collect();
            let own = |rule| shape::parts(rule).into_iter().filter(|part| !scope.contains(part)).collect();
            let rules = policy.rules.iter().filter(|rule| rule.event == default.event && rule.label.is_some());
            let refusing = rules.filter(|rule| rule.action != Action::Audit).take(MAX);
            let refusing: Vec<Refusing<'_>> = refusing.map(|rule| (rule, own(&rule.cond))).collect();
            if !refusing.is_empty() {
                allows(cx, all, &refusing, labels.get_or_init(|| allowing(origin)), report);
            }
        }
    }
}

/// Looks at what the default leaves out.
fn allows(cx: &Context<'_>, all: &[Cond], refusing: &[Refusing<'_>], labels: &Labels<'_>, report: &mut Report<'_>) {
    for left_out in all.iter().filter_map(|c| if let Cond::Not(inner) = c { Some(&**inner) } else { None }) {
        let alternatives = if let Cond::Or(all) = left_out { all.as_slice() } else { std::slice::from_ref(left_out) };
        for alternative in alternatives {
            let mine = shape::parts(alternative);
            let covers = |(_, parts): &&Refusing<'_>| parts.iter().all(|part| mine.binary_search(part).is_ok());
            let Some((rule, _)) = refusing.iter().find(covers) else { continue };
            let Some((part, label)) = first_part(alternative).and_then(|part| Some((part, labels.get(&part)?))) else { continue };
            let by = rule.label.as_deref().unwrap_or_default();
            let message = format!("for `{}`, `{}` allows what `{by}` refuses: the refusal wins", cx.event(rule), label.node);
            let finding = report.at(Loc::new(part, label.span), message).related(rule.loc, "this rule refuses it");
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

/// The labels of a policy's `allow` rules.
type Labels<'a> = FxHashMap<PartId, &'a Name>;

fn allowing<'a>(origin: &Origin<'a>) -> Labels<'a> {
    let members = origin.def.members.iter();
    let rules = members.filter_map(|(part, member)| if let MemberKind::Rule(rule) = &member.kind { Some((*part, rule)) } else { None });
    rules.filter(|(_, rule)| rule.action.node == Written::Allow).map(|(part, rule)| (part, &rule.label)).collect()
}
