//! What a line of a unit test expects: the verdict and the rule, which has to be one that can bring it about.

use super::{Checker, Env};
use crate::diag::{Finding, codes};
use crate::hir::Action;
use crate::resolve::{Found, PolicyId};
use crate::source::Loc;
use ebsec_grammar::ast;
use rustc_hash::FxHashSet;

/// Most rules that a message lists.
const MAX_RULES: usize = 12;

impl Checker<'_> {
    /// The expected verdict, with the full name of the policy.
    #[expect(clippy::option_option, reason = "wrong, or allow, or a verdict")]
    pub(super) fn expect(
        &mut self,
        expect: &ast::Expect,
        file: usize,
        env: &Env<'_>,
        applied: &FxHashSet<String>,
    ) -> Option<Option<(Action, String, Option<String>)>> {
        let ast::Expect::By { verdict, rule, default, .. } = expect else { return Some(None) };
        let loc = Loc::new(env.id, rule.span);
        let (policy, label) = if *default {
            (rule.node.as_str(), None)
        } else {
            rule.node.rsplit_once('.').map_or((rule.node.as_str(), None), |(p, l)| (p, Some(l)))
        };
        let found = self.names.find_policy(file, policy);
        let Found::Here(id) = found else {
            if !default && let Found::Here(whole) = self.names.find_policy(file, &rule.node) {
                self.which_rule(whole, &rule.node, loc, applied);
            } else {
                self.no_policy(file, policy, loc, found);
            }
            return None;
        };
        let def = self.names.policy(id)?;
        if label.is_none() && !default {
            self.which_rule(id, policy, loc, applied);
            return None;
        }
        if !applied.contains(&def.name) {
            if self.names.half_applied.contains(&id) {
                return None;
            }
            let message = format!("`{}` is not applied, so it does nothing", def.name);
            self.push(Finding::error(codes::NOT_APPLIED, loc, message).help(format!("write `apply {}`", def.name)));
            return None;
        }
        match label {
            Some(label) if !def.may_have(label) => {
                let message = format!("the policy `{policy}` has no rule `{label}`");
                let known = self.candidates(def.labels.len(), def.labels.keys().copied());
                self.push(Finding::error(codes::UNKNOWN_RULE, loc, message).near(label, super::tail(loc, label), known));
                return None;
            }
            None if !def.may_have_defaults() => {
                self.error(codes::UNKNOWN_RULE, loc, format!("the policy `{policy}` has no default"));
                return None;
            }
            _ => {}
        }
        Some(Some((super::member::action(verdict.node), def.name.clone(), label.map(str::to_owned))))
    }

    /// A policy where one of its rules is named.
    fn which_rule(&mut self, id: PolicyId, name: &str, loc: Loc, applied: &FxHashSet<String>) {
        let Some(def) = self.names.policy(id) else { return };
        let mut rules: Vec<String> = def.labels.keys().take(MAX_RULES).map(|label| format!("{name}.{label}")).collect();
        rules.sort_unstable();
        rules.extend(def.may_have_defaults().then(|| format!("{name} default")));
        let help = format!("write one of {}", crate::diag::list(&rules));
        let finding = Finding::error(codes::UNKNOWN_RULE, loc, format!("`{name}` is a policy: which of its rules?")).help(help);
        self.push(match applied.contains(&def.name) || self.names.half_applied.contains(&id) {
            true => finding,
            false => finding.help(format!("it is not applied either: write `apply {}`", def.name)),
        });
    }
}
