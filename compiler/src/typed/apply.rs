//! `apply` and `except` as they are written: which policy each is about, and how.

use super::policy::{MODES, SEVERITIES, name};
use super::tree::{Apply, Except, Excepted, Typed};
use super::{Env, Typer};
use crate::diag::{Finding, codes};
use crate::resolve::{DefKind, Found, ModuleId, Other, PolicyId, ROOT, Target, WordOf};
use crate::source::Loc;
use ebsec_grammar::ast::{self, ItemKind, PairValue};
use rustc_hash::FxHashMap;

impl Typer<'_> {
    /// Every `apply`, in the order of the source.
    pub(crate) fn applies(&mut self) -> Vec<Typed<Apply>> {
        let names = self.names;
        let (mut all, mut instances) = (Vec::new(), 0);
        for other in &names.others {
            let ItemKind::Apply { target, filter, with } = &other.item.kind else { continue };
            let mut typed = self.part(other.part, |typer| typer.apply(other, target, filter.as_ref(), with.as_ref()));
            if !typed.tree.params.is_empty() {
                instances += 1;
                typed.tree.instance = instances;
            }
            all.push(typed);
        }
        all
    }

    fn apply(&mut self, other: &Other<'_>, target: &ast::Name, filter: Option<&ast::Cond>, with: Option<&ast::Record>) -> Apply {
        let env = Env::of(other.file, other.part);
        let loc = Loc::new(env.id, target.span);
        let mut one = Apply {
            policy: None,
            loc,
            file: other.file,
            filter: None,
            mode: None,
            severity: None,
            params: FxHashMap::default(),
            instance: 0,
        };
        if self.is_elsewhere(other.file) {
            self.error(codes::NO_EFFECT, loc, "`apply` has no effect in an imported module");
            return one;
        }
        let Some(policy) = self.find_policy(other.file, &target.node, loc) else { return one };
        self.note(loc, Target::Policy(policy));
        let Some(def) = self.names.policy(policy) else { return one };
        let module = def.module;
        if module == ROOT {
            let message = format!("`{}` is a policy of this package and is in force already", target.node);
            self.error(codes::APPLY_OWN, loc, message);
            return one;
        }
        one.policy = Some(policy);
        one.filter = filter.map(|tree| self.condition(tree, &env));
        if let Some(with) = with {
            self.apply_with(&mut one, with, module, &env);
        }
        one
    }

    /// Whether a file belongs to an imported module.
    fn is_elsewhere(&self, file: usize) -> bool {
        self.names.files.get(file).is_some_and(|f| f.module != ROOT)
    }

    fn apply_with(&mut self, one: &mut Apply, with: &ast::Record, module: ModuleId, env: &Env<'_>) {
        self.keys_once(with, env);
        for (key, value) in &with.pairs {
            let PairValue::Value(value) = value else {
                self.not_a_constant(value, env);
                continue;
            };
            if matches!(key.node.as_str(), "mode" | "severity") {
                self.note(Loc::new(env.id, key.span), Target::Key);
            }
            match key.node.as_str() {
                "mode" => one.mode = self.choice(value, WordOf::Mode, MODES, env),
                "severity" => one.severity = self.choice(value, WordOf::Severity, SEVERITIES, env),
                _ => self.apply_param(one, key, value, module, env),
            }
        }
    }

    fn apply_param(&mut self, one: &mut Apply, key: &ast::Name, value: &ast::Value, module: ModuleId, env: &Env<'_>) {
        let (loc, name) = (Loc::new(env.id, key.span), key.node.as_str());
        let id = self.names.modules.get(module.0 as usize).and_then(|m| m.defs.get(name)).copied();
        let def = id.and_then(|id| self.names.def(id));
        let (Some(id), Some(DefKind::Param(ty, _))) = (id, def.map(|d| d.kind)) else {
            let mut known = self.known(module, |kind| matches!(kind, DefKind::Param(..)));
            known.extend(["mode", "severity"]);
            let message = format!("`{name}` is neither a key of `apply` nor a parameter of the module");
            return self.push(Finding::error(codes::UNKNOWN_KEY, loc, message).near(name, loc, known));
        };
        self.note(loc, Target::Parameter(id));
        let part = self.names.def_loc(id).part;
        let constant = self.ty(ty, part).and_then(|ty| {
            let value = self.value(value, ty.elem, env);
            self.shaped(&value.constant?, ty, value.loc)
        });
        one.params.insert(id, constant);
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

    /// Reports an unknown policy.
    pub(crate) fn no_policy(&mut self, file: usize, name: &str, loc: Loc, found: Found<PolicyId>) {
        if self.half_named(file, name, loc, found) {
            return;
        }
        let module = self.module_of(file, &found);
        let names = self.names;
        let module = names.modules.get(module.0 as usize);
        let known = module.map_or_else(Vec::new, |m| self.candidates(m.policies.len(), m.policies.keys().copied()));
        self.not_found(codes::UNKNOWN_POLICY, "policy", name, loc, found, &known);
    }

    /// A module in place of one of its policies, or a rule without its policy.
    fn half_named(&mut self, file: usize, name: &str, loc: Loc, found: Found<PolicyId>) -> bool {
        if !matches!(found, Found::Nothing | Found::NotIn(_)) {
            return false;
        }
        let names = self.names;
        let module = names.files.get(file).and_then(|f| f.imports.get(name)).and_then(|id| names.modules.get(id.0 as usize));
        if let Some(module) = module {
            let mut policies: Vec<String> = module.policies.keys().map(|p| format!("{name}.{p}")).collect();
            policies.sort_unstable();
            let message = format!("`{name}` is a module: which of its policies?");
            let help = format!("it has {}", crate::diag::list(&policies));
            self.push(Finding::error(codes::UNKNOWN_POLICY, loc, message).help(help));
            return true;
        }
        let count = names.policies.len();
        let with: Vec<&str> = self
            .candidates(count, names.policies.iter().filter(|p| p.module == ROOT && p.labels.contains_key(name)).map(|p| p.name.as_str()));
        let [policy] = with.as_slice() else { return false };
        let full = format!("{policy}.{name}");
        let message = format!("`{name}` is a rule: its policy is missing");
        let found = Finding::error(codes::UNKNOWN_POLICY, loc, message).help(format!("write `{full}`"));
        self.push(found.guess(format!("replace by `{full}`"), loc, full));
        true
    }

    /// Every `except`, in the order of the source.
    pub(crate) fn excepts(&mut self) -> Vec<Typed<Except>> {
        let names = self.names;
        let mut all = Vec::new();
        for other in &names.others {
            let ItemKind::Except { target, default, when, because, until } = &other.item.kind else { continue };
            all.push(self.part(other.part, |typer| {
                let mut one = typer.except(other, target, when, because, until.as_ref());
                if one.when.is_some() {
                    one.target = typer.exception_target(other.file, target, default.as_ref(), one.loc);
                }
                one
            }));
        }
        all
    }

    /// An exception without what it is about.
    fn except(
        &mut self,
        other: &Other<'_>,
        target: &ast::Name,
        when: &ast::Cond,
        because: &ast::Name,
        until: Option<&ast::Name>,
    ) -> Except {
        let env = Env::of(other.file, other.part);
        let loc = Loc::new(env.id, target.span);
        let mut one = Except { loc, target: None, when: None, because: name(because, &env) };
        if self.is_elsewhere(other.file) {
            let message = "exceptions belong in the package being built, not in a module";
            self.error(codes::EXCEPTION_OUTSIDE_ROOT, loc, message);
            return one;
        }
        if because.node.trim().is_empty() {
            self.error(codes::NO_REASON, Loc::new(env.id, because.span), "an exception needs a reason in words");
        }
        if let Some(until) = until {
            self.check_expiry(until, &env);
        }
        one.when = Some(self.condition(when, &env));
        one
    }

    fn check_expiry(&mut self, until: &ast::Spanned<String>, env: &Env<'_>) {
        let loc = Loc::new(env.id, until.span);
        let Some(date) = self.date(&until.node, loc) else { return };
        let today = self.today;
        if date < today {
            let message = format!("this exception expired: its last day was {date}");
            self.push(
                Finding::error(codes::EXPIRED, loc, message)
                    .note(format!("today is {today}"))
                    .help("remove the exception or give it a new date"),
            );
        }
    }

    /// `policy`, `policy.rule`, `policy default event`.
    fn exception_target(&mut self, file: usize, target: &ast::Name, default: Option<&ast::Name>, loc: Loc) -> Option<(PolicyId, Excepted)> {
        let whole = self.names.find_policy(file, &target.node);
        if let Found::Here(id) = whole {
            return self.except_policy(id, target, default, loc);
        }
        let Some((before, label)) = target.node.rsplit_once('.') else {
            self.no_policy(file, &target.node, loc, whole);
            return None;
        };
        let found = self.names.find_policy(file, before);
        let Found::Here(id) = found else {
            // Either reading may have been meant; the one that knows its module says more.
            let whole_known = matches!(whole, Found::NotIn(_) | Found::NotImported | Found::Failed);
            let (name, found) = if whole_known { (target.node.as_str(), whole) } else { (before, found) };
            self.no_policy(file, name, loc, found);
            return None;
        };
        if let Some(default) = default {
            let message = format!("`{}` is a rule, and `default` follows the name of a policy", target.node);
            self.error(codes::UNKNOWN_RULE, Loc::new(loc.part, default.span), message);
            return None;
        }
        self.except_rule(id, target, (before, label), loc)
    }

    /// All of a policy, or its default of an event.
    fn except_policy(&mut self, id: PolicyId, target: &ast::Name, default: Option<&ast::Name>, loc: Loc) -> Option<(PolicyId, Excepted)> {
        let Some(event) = default else {
            self.note(loc, Target::Policy(id));
            return Some((id, Excepted::All));
        };
        let event_loc = Loc::new(loc.part, event.span);
        let event_id = self.event(&event.node, event_loc)?;
        self.note(loc, Target::Default(id, Some(event_id)));
        let has = self.names.policy(id).is_some_and(|p| p.may_default(&event.node));
        if !has {
            let message = format!("`{}` has no default for `{}`", target.node, event.node);
            self.error(codes::UNKNOWN_RULE, event_loc, message);
            return None;
        }
        Some((id, Excepted::Default(event_id)))
    }

    fn except_rule(&mut self, id: PolicyId, target: &ast::Name, (before, label): (&str, &str), loc: Loc) -> Option<(PolicyId, Excepted)> {
        let policy = self.names.policy(id)?;
        if !policy.may_have(label) {
            let message = format!("the policy `{before}` has no rule `{label}`");
            let known = self.candidates(policy.labels.len(), policy.labels.keys().copied());
            self.push(Finding::error(codes::UNKNOWN_RULE, loc, message).near(label, super::unknown::tail(loc, label), known));
            return None;
        }
        let index = policy.labels.get(label).copied();
        if let Some(index) = index {
            self.note(loc, Target::Rule(id, index as u32));
        }
        let member = index.and_then(|at| policy.members.get(at));
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
        Some((id, Excepted::Rule(label.into())))
    }
}
