//! What a line of a unit test expects: the verdict and the rule, which has to be one that can bring it about.

use super::Cases;
use crate::diag::{Finding, codes};
use crate::hir::Action;
use crate::resolve::{PolicyDef, PolicyId, Target};
use crate::source::Loc;
use crate::typed::Site;
use ebsec_grammar::ast;

/// Most rules that a message lists.
const MAX_RULES: usize = 12;

impl<'a> Cases<'_, 'a> {
    /// The expected verdict, with the full name of the policy.
    #[expect(clippy::option_option, reason = "wrong, or allow, or a verdict")]
    pub(super) fn expect(&mut self, expect: &ast::Expect, at: Site) -> Option<Option<(Action, String, Option<String>)>> {
        let ast::Expect::By { verdict, rule, default, .. } = expect else { return Some(None) };
        let loc = Loc::new(at.part, rule.span);
        let (policy, label) = if *default {
            (rule.node.as_str(), None)
        } else {
            rule.node.rsplit_once('.').map_or((rule.node.as_str(), None), |(p, l)| (p, Some(l)))
        };
        let Some((id, def)) = self.values.find_policy(at.file, policy) else {
            match self.values.find_policy(at.file, &rule.node).filter(|_| !default) {
                Some((id, whole)) => {
                    self.values.note(loc, Target::Policy(id));
                    self.which_rule(whole, &rule.node, loc);
                }
                None => self.values.no_policy(at.file, policy, loc),
            }
            return None;
        };
        self.values.note(loc, meaning(id, def, label, *default));
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
            Some("default") if !def.may_have("default") && def.may_have_defaults() => {
                let written = format!("{policy} default");
                let finding = Finding::error(codes::UNKNOWN_RULE, loc, format!("the policy `{policy}` has no rule `default`"));
                self.values.push(finding.help(format!("write `{written}`")).guess("name the default", loc, written));
                return None;
            }
            Some(label) if !def.may_have(label) => {
                let message = format!("the policy `{policy}` has no rule `{label}`");
                let known = self.values.candidates(def.labels.len(), def.labels.keys().copied());
                self.values.push(Finding::error(codes::UNKNOWN_RULE, loc, message).near(label, crate::typed::tail(loc, label), known));
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

    /// A policy where one of its rules is named.
    fn which_rule(&mut self, def: &PolicyDef<'a>, name: &str, loc: Loc) {
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

/// What the name of a rule, default or policy means.
fn meaning(id: PolicyId, def: &PolicyDef<'_>, label: Option<&str>, default: bool) -> Target {
    match label.and_then(|label| def.labels.get(label)) {
        Some(index) => Target::Rule(id, *index as u32),
        None if default => Target::Default(id, None),
        None => Target::Policy(id),
    }
}
