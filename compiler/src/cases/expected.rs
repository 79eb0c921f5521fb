//! What a line of a unit test expects: the verdict and the rule, which has to be one that can bring it about.

use crate::diag::{Finding, codes};
use crate::hir::Action;
use crate::resolve::{Found, Target};
use crate::source::Loc;
use crate::typed::{Env, Typer, tail};
use ebsec_grammar::ast;
use rustc_hash::FxHashSet;

impl Typer<'_> {
    /// The expected verdict, with the full name of the policy.
    #[expect(clippy::option_option, reason = "wrong, or allow, or a verdict")]
    pub(super) fn expect(
        &mut self,
        expect: &ast::Expect,
        file: usize,
        env: &Env<'_>,
        applied: &FxHashSet<&str>,
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
            self.no_policy(file, policy, loc, found);
            return None;
        };
        let def = self.names.policy(id)?;
        self.note(
            loc,
            match label.map(|label| def.labels.get(label)) {
                None if *default => Target::Default(id, None),
                Some(Some(index)) => Target::Rule(id, *index as u32),
                _ => Target::Policy(id),
            },
        );
        if label.is_none() && !default {
            let message = format!("`{policy}` is a policy: which of its rules?");
            self.push(Finding::error(codes::UNKNOWN_RULE, loc, message).help(format!("write `{policy}.RULE`, or `{policy} default`")));
            return None;
        }
        if !applied.contains(def.name.as_str()) {
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
                self.push(Finding::error(codes::UNKNOWN_RULE, loc, message).near(label, tail(loc, label), known));
                return None;
            }
            None if !def.may_have_defaults() => {
                self.error(codes::UNKNOWN_RULE, loc, format!("the policy `{policy}` has no default"));
                return None;
            }
            _ => {}
        }
        Some(Some((crate::typed::action(verdict.node), def.name.clone(), label.map(str::to_owned))))
    }
}
