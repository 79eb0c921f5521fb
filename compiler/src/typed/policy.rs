//! Policies in force: which they are, and their properties. Rules and defaults are typed by `member`.

use super::constant::{Data, Shape};
use super::kept::numbered;
use super::tree::{Apply, Member, Members, Name, Policy, Property, PropertyValue, Typed};
use super::{At, Elem, Env, Typer, advice};
use crate::diag::{Finding, codes};
use crate::hir::{Mode, Severity};
use crate::resolve::{PolicyId, ROOT, Target, WordOf};
use crate::source::Loc;
use ebsec_grammar::ast::{self, MemberKind, ValueKind};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Properties of a policy besides `scope`.
const PROPERTIES: &[&str] = &["description", "severity", "mode", "attack", "tags", "scope"];

/// Most ATT&CK ids of a policy or rule.
const MAX_ATTACK: usize = 64;

/// Names of severities.
pub(crate) const SEVERITIES: &[(&str, Severity)] =
    &[("low", Severity::Low), ("medium", Severity::Medium), ("high", Severity::High), ("critical", Severity::Critical)];

/// Names of modes.
pub(crate) const MODES: &[(&str, Mode)] = &[("observe", Mode::Observe), ("enforce", Mode::Enforce)];

impl Typer<'_> {
    /// Every policy of the package and every applied one, in the order of the source.
    pub(crate) fn policies(&mut self, applies: &[Typed<Apply>]) -> Vec<Policy> {
        let names = self.names;
        let mut all: Vec<(usize, Loc, PolicyId, Option<usize>)> = Vec::new();
        for (i, def) in names.policies.iter().enumerate().filter(|(_, p)| p.module == ROOT) {
            all.push((def.file, Loc::new(def.part, def.written.span), PolicyId(i as u32), None));
        }
        for (i, one) in applies.iter().enumerate() {
            let one = &one.tree;
            all.extend(one.policy.map(|id| (one.file, one.loc, id, Some(i))));
        }
        all.sort_by_key(|(file, loc, ..)| (*file, self.sources.place(*loc)));
        // A policy of a module that is applied twice with the same parameters says the same.
        let mut typed: FxHashMap<(u32, PolicyId), Members> = FxHashMap::default();
        let mut policies = Vec::with_capacity(all.len());
        for (_, _, id, apply) in all {
            let one = apply.and_then(|i| applies.get(i)).map(|one| &one.tree);
            let instance = one.map_or(0, |one| one.instance);
            let members = match typed.get(&(instance, id)) {
                Some(members) => Arc::clone(members),
                None => {
                    let members = self.members_with(id, instance, one);
                    typed.insert((instance, id), Arc::clone(&members));
                    members
                }
            };
            policies.push(Policy { id, apply, members });
        }
        policies
    }

    /// The members of a policy with the values of parameters that an `apply` gives.
    fn members_with(&mut self, id: PolicyId, instance: u32, one: Option<&Apply>) -> Members {
        self.instance = instance;
        self.overrides = one.map_or_else(Default::default, |one| one.params.clone());
        let members = self.members(id);
        self.instance = 0;
        self.overrides.clear();
        members
    }

    /// Types all members of a policy, each by itself, but for those that were typed before.
    fn members(&mut self, id: PolicyId) -> Members {
        let names = self.names;
        let Some(def) = names.policy(id) else { return Arc::default() };
        let env = Env::of(def.file, def.part);
        let parts = numbered(def.members.iter().map(|(part, _)| *part));
        let typed = def.members.iter().zip(parts).map(|((part, member), key)| match self.reuse.member(self.instance, key) {
            Some(same) => same,
            None => Arc::new(self.part(*part, |typer| typer.member(member, &env.at(*part)))),
        });
        typed.collect()
    }

    fn member(&mut self, member: &ast::Member, env: &Env<'_>) -> Member {
        match &member.kind {
            MemberKind::Prop { key, value } => Member::Property(self.property(key, value, env)),
            MemberKind::Scope(cond) => Member::Scope(self.condition(cond, env)),
            MemberKind::Default { verdict, events, because, with } => {
                Member::Default(Box::new(self.default_rule(verdict, events, because.as_ref(), with.as_ref(), env)))
            }
            MemberKind::Rule(rule) => Member::Rule(Box::new(self.rule(rule, Loc::new(env.id, member.span), env))),
            MemberKind::Broken { .. } => Member::Broken,
        }
    }

    fn property(&mut self, key: &ast::Name, value: &ast::Value, env: &Env<'_>) -> Property {
        let loc = Loc::new(env.id, key.span);
        self.note(loc, Target::Key);
        let value = match key.node.as_str() {
            "description" => PropertyValue::Description(self.text(value, env)),
            "severity" => PropertyValue::Severity(self.choice(value, WordOf::Severity, SEVERITIES, env)),
            "mode" => PropertyValue::Mode(self.choice(value, WordOf::Mode, MODES, env)),
            "attack" => PropertyValue::Attack(self.attack(value, env)),
            "tags" => PropertyValue::Tags(self.texts(value, Elem::Text, env)),
            _ => {
                let message = format!("a policy has no property `{}`", key.node);
                self.push(Finding::error(codes::UNKNOWN_PROPERTY, loc, message).near(&key.node, loc, PROPERTIES.iter().copied()));
                PropertyValue::Unknown
            }
        };
        Property { key: name(key, env), value }
    }

    fn text(&mut self, value: &ast::Value, env: &Env<'_>) -> Option<String> {
        let constant = self.value(value, Elem::Text, env).constant?;
        match (&constant.data, constant.shape) {
            (Data::Texts(all), Shape::One) => all.first().cloned(),
            _ => {
                self.error(codes::ONE_WANTED, Loc::new(env.id, value.span), "expected one text, found several");
                None
            }
        }
    }

    /// ATT&CK ids, which each rule keeps for itself.
    pub(crate) fn attack(&mut self, value: &ast::Value, env: &Env<'_>) -> Vec<String> {
        let ids = self.texts(value, Elem::Attack, env);
        if ids.len() > MAX_ATTACK {
            let message = format!("more than {MAX_ATTACK} ATT&CK ids");
            self.error(codes::TOO_COMPLEX, Loc::new(env.id, value.span), message);
            return Vec::new();
        }
        ids
    }

    /// One or several texts.
    pub(crate) fn texts(&mut self, value: &ast::Value, want: Elem, env: &Env<'_>) -> Vec<String> {
        match self.value(value, want, env).constant.as_deref() {
            Some(constant) => match &constant.data {
                Data::Texts(all) => all.clone(),
                _ => Vec::new(),
            },
            None => Vec::new(),
        }
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, value: &ast::Value, of: WordOf, all: &[(&str, T)], env: &Env<'_>) -> Option<T> {
        let what = of.name(self.index.catalog);
        let loc = Loc::new(env.id, value.span);
        let text = self.sources.slice(loc).to_owned();
        if let ValueKind::Name(name) = &value.kind
            && let Some((_, found)) = all.iter().find(|(n, _)| n == name)
        {
            self.note(loc, Target::Word(of));
            return Some(*found);
        }
        let article = if of == WordOf::Errno { "an" } else { "a" };
        let message = format!("`{text}` is not {article} {what}");
        let near = text.trim_matches('"');
        let diagnostic = Finding::error(codes::UNKNOWN_VALUE, loc, message);
        let mode = Some(of).filter(|of| *of == WordOf::Mode).and_then(|_| advice::mode_help(near));
        self.push(match mode {
            Some(help) => diagnostic.help(help),
            None => diagnostic.near(near, loc, all.iter().map(|(n, _)| *n)),
        });
        None
    }
}

/// A name with its place.
pub(crate) fn name(name: &ast::Name, env: &Env<'_>) -> Name {
    At { node: name.node.as_str().into(), loc: Loc::new(env.id, name.span) }
}
