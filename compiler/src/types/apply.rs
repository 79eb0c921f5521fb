//! `apply` and `except`: which imported policies are in force and how, and what is excepted from which rule.

use super::policy::{MODES, SEVERITIES};
use super::{Checker, Date, Env, atoms};
use crate::diag::{Finding, codes};
use crate::hir::{Cond, Mode, Severity};
use crate::resolve::{DefId, DefKind, Found, ModuleId, PolicyDef, PolicyId, ROOT};
use crate::source::Loc;
use crate::typed::Constant;
use ebsec_grammar::ast::{self, ItemKind, PairValue};
use ebsec_templates::EventId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// One `apply`.
pub(super) struct Applied {
    pub policy: PolicyId,
    pub file: usize,
    pub loc: Loc,
    pub filter: Option<Cond>,
    pub mode: Option<Mode>,
    pub severity: Option<Severity>,
    /// 0 if no parameter is set.
    pub instance: u32,
    pub overrides: FxHashMap<DefId, Option<Rc<Constant>>>,
}

/// What an exception is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Target<'a> {
    All,
    Rule(&'a str),
    Default(EventId),
}

/// Conditions of exceptions by what they are for.
pub(super) struct Exceptions<'a>(FxHashMap<(&'a str, Target<'a>), Vec<(Cond, u128)>>);

impl<'a> Exceptions<'a> {
    /// Exceptions for a rule, those for its whole policy first.
    pub(super) fn for_rule<'e>(&'e self, policy: &'e PolicyDef<'a>, label: &'e str) -> impl Iterator<Item = &'e (Cond, u128)> {
        self.of(policy, Target::All).chain(self.of(policy, Target::Rule(label)))
    }

    /// Exceptions for the default of an event.
    pub(super) fn for_default<'e>(&'e self, policy: &'e PolicyDef<'a>, event: EventId) -> impl Iterator<Item = &'e (Cond, u128)> {
        self.of(policy, Target::All).chain(self.of(policy, Target::Default(event)))
    }

    fn of<'e>(&'e self, policy: &'e PolicyDef<'a>, target: Target<'e>) -> impl Iterator<Item = &'e (Cond, u128)> {
        // The keys live longer than the question; the map is read with the shorter life.
        let map: &'e FxHashMap<(&'e str, Target<'e>), Vec<(Cond, u128)>> = &self.0;
        map.get(&(policy.name.as_str(), target)).into_iter().flatten()
    }
}

impl<'a> Checker<'a> {
    pub(super) fn applied(&mut self) -> Vec<Applied> {
        let names = self.names;
        let mut all: Vec<Applied> = Vec::new();
        for other in &names.others {
            let ItemKind::Apply { target, filter, with } = &other.item.kind else { continue };
            let (file, env) = (&other.file, Env::of(other.file, other.part));
            let loc = Loc::new(env.id, target.span);
            if names.files.get(*file).is_some_and(|f| f.module != ROOT) {
                self.error(codes::NO_EFFECT, loc, "an imported module applies nothing");
                continue;
            }
            let Some(policy) = self.find_policy(*file, &target.node, loc) else { continue };
            let Some(def) = names.policy(policy) else { continue };
            if def.module == ROOT {
                let message = format!("`{}` is a policy of this package and is in force already", target.node);
                self.error(codes::APPLY_OWN, loc, message);
                continue;
            }
            let filter = filter.as_ref().map(|tree| {
                let filter = self.condition(tree, &env);
                self.require_subject(&filter, "`where`");
                filter
            });
            let mut one =
                Applied { policy, file: *file, loc, filter, mode: None, severity: None, instance: 0, overrides: FxHashMap::default() };
            if let Some(with) = with {
                self.apply_with(&mut one, with, def.module, &env);
            }
            if !one.overrides.is_empty() {
                one.instance = all.len() as u32 + 1;
            }
            all.push(one);
        }
        all
    }

    fn apply_with(&mut self, one: &mut Applied, with: &ast::Record, module: ModuleId, env: &Env<'_>) {
        self.keys_once(with, env);
        for (key, value) in &with.pairs {
            let loc = Loc::new(env.id, key.span);
            let PairValue::Value(value) = value else {
                self.not_a_constant(value, env);
                continue;
            };
            match key.node.as_str() {
                "mode" => one.mode = self.choice(value, "mode", MODES, env),
                "severity" => one.severity = self.choice(value, "severity", SEVERITIES, env),
                name => {
                    let id = self.names.modules.get(module.0 as usize).and_then(|m| m.defs.get(name)).copied();
                    let def = id.and_then(|id| self.names.def(id));
                    let (Some(id), Some(DefKind::Param(ty, _))) = (id, def.map(|d| d.kind)) else {
                        let mut known = self.known(module, |kind| matches!(kind, DefKind::Param(..)));
                        known.extend(["mode", "severity"]);
                        let message = format!("`apply` has no `{name}`, and the module has no parameter of that name");
                        self.push(Finding::error(codes::UNKNOWN_KEY, loc, message).near(name, loc, known));
                        continue;
                    };
                    let part = self.names.def_loc(id).part;
                    let constant = self.ty(ty, part).and_then(|ty| {
                        let constant = self.value(value, ty.elem, env)?;
                        self.shaped(&constant, ty, Loc::new(env.id, value.span))
                    });
                    one.overrides.insert(id, constant);
                }
            }
        }
    }

    /// The policy of a name, or an error.
    fn find_policy(&mut self, file: usize, name: &str, loc: Loc) -> Option<PolicyId> {
        match self.names.find_policy(file, name) {
            Found::Here(id) => Some(id),
            found => {
                self.no_policy(file, name, loc, found);
                None
            }
        }
    }

    /// Says that there is no such policy.
    pub(super) fn no_policy(&mut self, file: usize, name: &str, loc: Loc, found: Found<PolicyId>) {
        let module = self.module_of(file, &found);
        let names = self.names;
        let module = names.modules.get(module.0 as usize);
        let known = module.map_or_else(Vec::new, |m| self.candidates(m.policies.len(), m.policies.keys().copied()));
        self.not_found(codes::UNKNOWN_POLICY, "policy", name, loc, found, &known);
    }

    pub(super) fn exceptions(&mut self, applied: &[Applied]) -> Exceptions<'a> {
        let names = self.names;
        let in_force: FxHashSet<PolicyId> = applied.iter().map(|a| a.policy).collect();
        let mut all = Exceptions(FxHashMap::default());
        for other in &names.others {
            let ItemKind::Except { target, default, when, because, until } = &other.item.kind else { continue };
            let (file, env) = (&other.file, Env::of(other.file, other.part));
            let loc = Loc::new(env.id, target.span);
            if names.files.get(*file).is_some_and(|f| f.module != ROOT) {
                let message = "an exception stands in the package that is built, not in a module";
                self.error(codes::EXCEPTION_OUTSIDE_ROOT, loc, message);
                continue;
            }
            if because.node.trim().is_empty() {
                self.error(codes::NO_REASON, Loc::new(env.id, because.span), "an exception needs a reason in words");
            }
            if let Some(until) = until {
                self.check_expiry(until, &env);
            }
            let cond = self.condition(when, &env);
            let Some((policy, on)) = self.exception_target(*file, target, default.as_ref(), loc) else { continue };
            let Some((id, def)) = names.policy(policy).map(|def| (policy, def)) else { continue };
            if def.module != ROOT && !in_force.contains(&id) {
                if names.half_applied.contains(&id) {
                    continue;
                }
                let message = format!("`{}` is not applied, so there is nothing to except", def.name);
                self.push(Finding::error(codes::NOT_APPLIED, loc, message).help(format!("write `apply {}`", def.name)));
                continue;
            }
            let mask = atoms::mask(&cond);
            all.0.entry((def.name.as_str(), on)).or_default().push((cond, mask));
        }
        all
    }

    fn check_expiry(&mut self, until: &ast::Spanned<String>, env: &Env<'_>) {
        let loc = Loc::new(env.id, until.span);
        let Some(date) = self.date(&until.node, loc) else { return };
        if date < self.today {
            let message = format!("this exception expired: its last day was {date}");
            let today: Date = self.today;
            self.push(
                Finding::error(codes::EXPIRED, loc, message)
                    .note(format!("today is {today}"))
                    .help("take the exception out, or give it a new date"),
            );
        }
    }

    /// `policy`, `policy.rule`, `policy default event`.
    fn exception_target(
        &mut self,
        file: usize,
        target: &'a ast::Name,
        default: Option<&ast::Name>,
        loc: Loc,
    ) -> Option<(PolicyId, Target<'a>)> {
        let whole = self.names.find_policy(file, &target.node);
        if let Found::Here(id) = whole {
            let Some(event) = default else { return Some((id, Target::All)) };
            let event_loc = Loc::new(loc.part, event.span);
            let event_id = self.event(&event.node, event_loc)?;
            let has = self.names.policy(id).is_some_and(|p| p.may_default(&event.node));
            if !has {
                let message = format!("`{}` has no default for `{}`", target.node, event.node);
                self.error(codes::UNKNOWN_RULE, event_loc, message);
                return None;
            }
            return Some((id, Target::Default(event_id)));
        }
        let Some((before, label)) = target.node.rsplit_once('.') else {
            self.no_policy(file, &target.node, loc, whole);
            return None;
        };
        let Found::Here(id) = self.names.find_policy(file, before) else {
            // Either reading may have been meant; the one that knows its module says more.
            let found = self.names.find_policy(file, before);
            let whole_known = matches!(whole, Found::NotIn(_) | Found::NotImported | Found::Failed);
            let (name, found) = if whole_known { (target.node.as_str(), whole) } else { (before, found) };
            self.no_policy(file, name, loc, found);
            return None;
        };
        if let Some(default) = default {
            let message = format!("`{}` is a rule; `default` stands after the name of a policy", target.node);
            self.error(codes::UNKNOWN_RULE, Loc::new(loc.part, default.span), message);
            return None;
        }
        let policy = self.names.policy(id)?;
        if !policy.may_have(label) {
            let message = format!("the policy `{before}` has no rule `{label}`");
            let known = self.candidates(policy.labels.len(), policy.labels.keys().copied());
            self.push(Finding::error(codes::UNKNOWN_RULE, loc, message).near(label, super::tail(loc, label), known));
            return None;
        }
        let member = policy.labels.get(label).and_then(|at| policy.members.get(*at));
        if let Some((part, ast::MemberKind::Rule(rule))) = member.map(|(part, m)| (part, &m.kind))
            && rule.action.node == ast::Action::Allow
        {
            let place = Loc::new(*part, rule.label.span);
            let message = format!("`{}` is an `allow`: an exception to it would refuse more", target.node);
            self.push(
                Finding::error(codes::EXCEPTION_FOR_ALLOW, loc, message)
                    .related(place, "this rule")
                    .help("narrow the condition of the rule"),
            );
            return None;
        }
        Some((id, Target::Rule(label)))
    }
}
