//! Policies in force: properties, scope, and the order of their members. Rules and defaults are made by `member`.

use super::apply::{Applied, Exceptions};
use super::constant::{Data, Shape};
use super::{Checker, Elem, Env, advice, atoms};
use crate::diag::{Finding, codes};
use crate::hir::{self, Cond, Mode, Severity};
use crate::resolve::{PolicyDef, ROOT};
use crate::source::Loc;
use ebsec_grammar::ast::{self, MemberKind, ValueKind};
use rustc_hash::FxHashMap;

/// Properties of a policy besides `scope`.
const PROPERTIES: &[&str] = &["description", "severity", "mode", "attack", "tags", "scope"];

/// Most ATT&CK ids of a policy or rule.
const MAX_ATTACK: usize = 64;

/// Names of severities.
pub(super) const SEVERITIES: &[(&str, Severity)] =
    &[("low", Severity::Low), ("medium", Severity::Medium), ("high", Severity::High), ("critical", Severity::Critical)];

/// Names of modes.
pub(super) const MODES: &[(&str, Mode)] = &[("observe", Mode::Observe), ("enforce", Mode::Enforce)];

/// What a policy says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Properties {
    pub description: String,
    pub severity: Option<Severity>,
    pub mode: Option<Mode>,
    pub attack: Vec<String>,
    pub tags: Vec<String>,
    pub scope: Option<Cond>,
}

impl<'a> Checker<'a> {
    /// Every policy of the package and every applied one, in the order of the source.
    pub(super) fn policies(&mut self, package: &mut hir::Package) {
        let applied = self.applied();
        let exceptions = self.exceptions(&applied);
        let names = self.names;
        let own = names.policies.iter().filter(|p| p.module == ROOT);
        let mut all: Vec<(usize, Loc, &PolicyDef<'a>, Option<&Applied>)> =
            own.map(|p| (p.file, Loc::new(p.part, p.written.span), p, None)).collect();
        for one in &applied {
            if let Some(policy) = names.policy(one.policy) {
                all.push((one.file, one.loc, policy, Some(one)));
            }
        }
        all.sort_by_key(|(file, loc, ..)| (*file, *loc));
        for (_, _, policy, one) in all {
            if let Some(one) = one {
                self.instance = one.instance;
                self.overrides = one.overrides.clone();
            }
            let policy = self.policy(policy, one, &exceptions);
            package.policies.push(policy);
            self.instance = 0;
            self.overrides.clear();
        }
    }

    fn policy(&mut self, def: &PolicyDef<'a>, applied: Option<&Applied>, exceptions: &Exceptions<'a>) -> hir::Policy {
        let env = Env::of(def.file, def.part);
        let mut properties = self.properties(def, &env);
        if let Some(one) = applied {
            properties.mode = one.mode.or(properties.mode);
            properties.severity = one.severity.or(properties.severity);
            let scope = [properties.scope.take(), one.filter.clone()].into_iter().flatten().collect();
            properties.scope = Some(cond_and(scope));
        }
        let rules = self.members(def, &properties, exceptions, &env);
        hir::Policy {
            name: def.name.clone(),
            mode: properties.mode.unwrap_or(Mode::Observe),
            rules,
            description: properties.description,
            tags: properties.tags,
            loc: Loc::new(env.id, def.written.span),
        }
    }

    fn properties(&mut self, def: &PolicyDef<'a>, env: &Env<'_>) -> Properties {
        let mut properties = Properties::default();
        let mut seen: FxHashMap<&str, Loc> = FxHashMap::default();
        for (part, member) in &def.members {
            let env = &env.at(*part);
            let (key, span) = match &member.kind {
                MemberKind::Prop { key, .. } => (key.node.as_str(), key.span),
                MemberKind::Scope(scope) => ("scope", scope.span),
                _ => continue,
            };
            let loc = Loc::new(env.id, span);
            if let Some(first) = seen.insert(key, loc) {
                let message = format!("`{key}` is given twice");
                self.push(Finding::error(codes::DUPLICATE_KEY, loc, message).related(first, "first here").help("keep one of them"));
            }
            match &member.kind {
                MemberKind::Scope(tree) => {
                    let scope = self.condition(tree, env);
                    self.require_subject(&scope, "`scope`");
                    properties.scope = Some(scope);
                }
                MemberKind::Prop { key, value } => self.property(&mut properties, key, value, env),
                _ => {}
            }
        }
        properties
    }

    fn property(&mut self, properties: &mut Properties, key: &ast::Name, value: &ast::Value, env: &Env<'_>) {
        match key.node.as_str() {
            "description" => properties.description = self.text(value, env).unwrap_or_default(),
            "severity" => properties.severity = self.choice(value, "severity", SEVERITIES, env),
            "mode" => properties.mode = self.choice(value, "mode", MODES, env),
            "attack" => properties.attack = self.attack(value, env),
            "tags" => properties.tags = self.texts(value, Elem::Text, env),
            _ => {
                let loc = Loc::new(env.id, key.span);
                let message = format!("a policy has no property `{}`", key.node);
                self.push(Finding::error(codes::UNKNOWN_PROPERTY, loc, message).near(&key.node, loc, PROPERTIES.iter().copied()));
            }
        }
    }

    fn text(&mut self, value: &ast::Value, env: &Env<'_>) -> Option<String> {
        let constant = self.value(value, Elem::Text, env)?;
        match (&constant.data, constant.shape) {
            (Data::Texts(all), Shape::One) => all.first().cloned(),
            _ => {
                self.error(codes::ONE_WANTED, Loc::new(env.id, value.span), "expected one text, found several");
                None
            }
        }
    }

    /// ATT&CK ids, which each rule keeps for itself.
    pub(super) fn attack(&mut self, value: &ast::Value, env: &Env<'_>) -> Vec<String> {
        let ids = self.texts(value, Elem::Attack, env);
        if ids.len() > MAX_ATTACK {
            let message = format!("more than {MAX_ATTACK} ATT&CK ids");
            self.error(codes::TOO_COMPLEX, Loc::new(env.id, value.span), message);
            return Vec::new();
        }
        ids
    }

    /// One or several texts.
    pub(super) fn texts(&mut self, value: &ast::Value, want: Elem, env: &Env<'_>) -> Vec<String> {
        match self.value(value, want, env).as_deref() {
            Some(constant) => match &constant.data {
                Data::Texts(all) => all.clone(),
                _ => Vec::new(),
            },
            None => Vec::new(),
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, value: &ast::Value, what: &str, all: &[(&str, T)], env: &Env<'_>) -> Option<T> {
        let loc = Loc::new(env.id, value.span);
        let text = self.sources.slice(loc).to_owned();
        if let ValueKind::Name(name) = &value.kind
            && let Some((_, found)) = all.iter().find(|(n, _)| n == name)
        {
            return Some(*found);
        }
        let article = if what == "errno" { "an" } else { "a" };
        let message = format!("`{text}` is not {article} {what}");
        let near = text.trim_matches('"');
        let diagnostic = Finding::error(codes::UNKNOWN_VALUE, loc, message);
        let mode = Some(what).filter(|w| *w == "mode").and_then(|_| advice::mode_help(near));
        self.push(match mode {
            Some(help) => diagnostic.help(help),
            None => diagnostic.near(near, loc, all.iter().map(|(n, _)| *n)),
        });
        None
    }
}

/// All of them; one alone stands for itself, none is true.
pub(super) fn cond_and(parts: Vec<Cond>) -> Cond {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Cond::And(more) => flat.extend(more.into_iter().filter(|c| *c != Cond::Const(true))),
            Cond::Const(true) => {}
            other => flat.push(other),
        }
    }
    match <[Cond; 1]>::try_from(flat) {
        Ok([one]) => one,
        Err(all) => Cond::And(all),
    }
}

/// The condition of a rule or default from its parts, with identity marked (rules 6, 7 and 18).
pub(super) fn fold(scope: Option<&Cond>, when: Option<Cond>, not: Vec<Cond>, identity: u128) -> Cond {
    let mut parts: Vec<Cond> = scope.cloned().into_iter().chain(when).collect();
    parts.extend(not.into_iter().map(|c| match c {
        Cond::Const(no) => Cond::Const(!no),
        c => Cond::Not(Box::new(c)),
    }));
    let mut folded = cond_and(parts);
    atoms::mark_identity(&mut folded, false, identity);
    folded
}
