//! What a line of a unit test expects: the verdict and the rule, which has to be one that can bring it about.

use super::Cases;
use crate::diag::{Finding, codes};
use crate::hir::Action;
use crate::source::Loc;
use crate::types::At;
use ebsec_grammar::ast::{self, Verdict};

impl Cases<'_, '_> {
    /// The expected verdict, with the full name of the policy.
    #[expect(clippy::option_option, reason = "wrong, or allow, or a verdict")]
    pub(super) fn expect(&mut self, expect: &ast::Expect, at: At) -> Option<Option<(Action, String, Option<String>)>> {
        let ast::Expect::By { verdict, rule, default, .. } = expect else { return Some(None) };
        let loc = Loc::new(at.part, rule.span);
        let (policy, label) = if *default {
            (rule.node.as_str(), None)
        } else {
            rule.node.rsplit_once('.').map_or((rule.node.as_str(), None), |(p, l)| (p, Some(l)))
        };
        let def = self.values.policy(at.file, policy, loc)?;
        if label.is_none() && !default {
            let message = format!("`{policy}` is a policy: which of its rules?");
            self.values
                .push(Finding::error(codes::UNKNOWN_RULE, loc, message).help(format!("write `{policy}.RULE`, or `{policy} default`")));
            return None;
        }
        if !self.applied.contains(&def.name) {
            if self.values.may_be_applied(def) {
                return None;
            }
            let message = format!("`{}` is not applied, so it does nothing", def.name);
            self.values.push(Finding::error(codes::NOT_APPLIED, loc, message).help(format!("write `apply {}`", def.name)));
            return None;
        }
        match label {
            Some(label) if !def.may_have(label) => {
                let message = format!("the policy `{policy}` has no rule `{label}`");
                let known = self.values.candidates(def.labels.len(), def.labels.keys().copied());
                self.values.push(Finding::error(codes::UNKNOWN_RULE, loc, message).near(label, crate::types::tail(loc, label), known));
                return None;
            }
            None if !def.may_have_defaults() => {
                self.error(codes::UNKNOWN_RULE, loc, format!("the policy `{policy}` has no default"));
                return None;
            }
            _ => {}
        }
        Some(Some((action(verdict.node), def.name.clone(), label.map(str::to_owned))))
    }
}

fn action(verdict: Verdict) -> Action {
    match verdict {
        Verdict::Deny => Action::Deny,
        Verdict::Kill => Action::Kill,
        Verdict::Audit => Action::Audit,
    }
}
