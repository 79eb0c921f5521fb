//! What a line of a unit test expects: the verdict and the rule, which has to be one that can bring it about.

use super::Cases;
use crate::diag::{Finding, codes};
use crate::hir::Action;
use crate::resolve::PolicyDef;
use crate::source::Loc;
use crate::types::At;
use ebsec_grammar::ast::{self, Verdict};

/// Most rules that a message lists.
const MAX_RULES: usize = 12;

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
        let Some(def) = self.values.find_policy(at.file, policy) else {
            match self.values.find_policy(at.file, &rule.node).filter(|_| !default) {
                Some(whole) => self.which_rule(whole, &rule.node, loc),
                None => drop(self.values.policy(at.file, policy, loc)),
            }
            return None;
        };
        if label.is_none() && !default {
            self.which_rule(def, policy, loc);
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

    /// A policy where one of its rules is named.
    fn which_rule(&mut self, def: &PolicyDef<'_>, name: &str, loc: Loc) {
        let mut rules: Vec<String> = def.labels.keys().take(MAX_RULES).map(|label| format!("{name}.{label}")).collect();
        rules.sort_unstable();
        rules.extend(def.may_have_defaults().then(|| format!("{name} default")));
        let help = format!("write one of {}", crate::diag::list(&rules));
        let finding = Finding::error(codes::UNKNOWN_RULE, loc, format!("`{name}` is a policy: which of its rules?")).help(help);
        let is_applied = self.applied.contains(&def.name) || self.values.may_be_applied(def);
        self.values.push(match is_applied {
            true => finding,
            false => finding.help(format!("it is not applied either: write `apply {}`", def.name)),
        });
    }
}

fn action(verdict: Verdict) -> Action {
    match verdict {
        Verdict::Deny => Action::Deny,
        Verdict::Kill => Action::Kill,
        Verdict::Audit => Action::Audit,
    }
}
