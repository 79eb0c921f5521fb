//! Rules and defaults of a policy, one for each event, with scope, `unless`, `allow` and exceptions folded in.

use super::apply::Exceptions;
use super::cost::{Cost, weight};
use super::policy::{Properties, SEVERITIES, fold};
use super::{Checker, Env, atoms};
use crate::diag::{Finding, codes};
use crate::hir::{Action, Cond, Rule, Severity};
use crate::resolve::PolicyDef;
use crate::resolve::catalog;
use crate::source::{Loc, Span};
use ebsec_grammar::ast::{self, MemberKind, PairValue, ValueKind, Verdict};
use ebsec_templates::EventId;
use rustc_hash::FxHashMap;

/// The event after an exec, at which nothing can be refused.
const AFTER_EXEC: &str = "exec.done";

/// errno names that a refusal may have.
const ERRNOS: &[(&str, u16)] = &[
    ("EPERM", 1),
    ("ENOENT", 2),
    ("EIO", 5),
    ("ENXIO", 6),
    ("EBADF", 9),
    ("EAGAIN", 11),
    ("ENOMEM", 12),
    ("EACCES", 13),
    ("EBUSY", 16),
    ("EEXIST", 17),
    ("ENODEV", 19),
    ("EINVAL", 22),
    ("ENOSPC", 28),
    ("EROFS", 30),
    ("ENOSYS", 38),
    ("EOPNOTSUPP", 95),
    ("EADDRNOTAVAIL", 99),
    ("ENETUNREACH", 101),
    ("ECONNREFUSED", 111),
    ("EHOSTUNREACH", 113),
    ("EDQUOT", 122),
    ("EKEYREJECTED", 129),
];

/// `with` of a rule or default.
#[derive(Default)]
struct With {
    severity: Option<Severity>,
    attack: Option<Vec<String>>,
    errno: Option<u16>,
}

/// What the members of a policy share.
struct Policy<'p, 'a> {
    def: &'p PolicyDef<'a>,
    properties: &'p Properties,
    exceptions: &'p Exceptions<'a>,
    /// First default of each event.
    defaults: FxHashMap<EventId, Loc>,
    /// `allow` conditions of each event.
    allows: FxHashMap<EventId, Vec<Cond>>,
    identity: u128,
}

impl<'a> Checker<'a> {
    pub(super) fn members(
        &mut self,
        def: &PolicyDef<'a>,
        properties: &Properties,
        exceptions: &Exceptions<'a>,
        env: &Env<'_>,
    ) -> Vec<Rule> {
        let catalog = self.index.catalog;
        let identity = catalog.fields.iter().enumerate().filter(|(_, f)| f.identity);
        let identity = identity.fold(0, |mask, (i, _)| mask | catalog::bit(ebsec_templates::FieldId(i as u16)));
        let mut policy = Policy { def, properties, exceptions, defaults: FxHashMap::default(), allows: FxHashMap::default(), identity };
        self.collect_defaults(&mut policy, env);
        self.collect_allows(&mut policy, env);
        let mut rules = Vec::new();
        for (part, member) in &def.members {
            let env = &env.at(*part);
            match &member.kind {
                MemberKind::Rule(rule) => self.rule(&mut rules, &policy, rule, env),
                MemberKind::Default { verdict, events, because, with } => {
                    self.default(&mut rules, &policy, (verdict, events, because.as_ref(), with.as_ref()), env);
                }
                _ => {}
            }
        }
        rules
    }

    fn collect_defaults(&mut self, policy: &mut Policy<'_, 'a>, env: &Env<'_>) {
        for (part, member) in &policy.def.members {
            let MemberKind::Default { events, .. } = &member.kind else { continue };
            let env = &env.at(*part);
            for name in events {
                // Unknown events are reported where the default is made.
                let Some(event) = self.index.event(&name.node) else { continue };
                let loc = Loc::new(env.id, name.span);
                if let Some(first) = policy.defaults.get(&event) {
                    let message = format!("`{}` has two defaults in this policy", name.node);
                    self.push(Finding::error(codes::TWO_DEFAULTS, loc, message).related(*first, "first here"));
                } else {
                    policy.defaults.insert(event, loc);
                }
            }
        }
    }

    fn collect_allows(&mut self, policy: &mut Policy<'_, 'a>, env: &Env<'_>) {
        for (part, member) in &policy.def.members {
            let MemberKind::Rule(rule) = &member.kind else { continue };
            let env = &env.at(*part);
            if rule.action.node != ast::Action::Allow {
                continue;
            }
            let (when, unless) = self.clauses(rule, env);
            let cond = fold(None, when, unless.into_iter().collect(), 0);
            let mask = atoms::mask(&cond);
            for (event, loc) in self.events(&rule.events, env) {
                self.require(&cond, mask, event, Loc::new(env.id, member.span));
                if !self.spend(Cost::Tests, weight(&cond), loc) {
                    return;
                }
                if policy.defaults.contains_key(&event) {
                    policy.allows.entry(event).or_default().push(cond.clone());
                } else if !policy.def.broken_default {
                    self.allow_without_default(policy, event, loc);
                }
            }
            self.allow_with(rule, env);
        }
    }

    fn allow_without_default(&mut self, policy: &Policy<'_, 'a>, event: EventId, loc: Loc) {
        let catalog = self.index.catalog;
        let name = &catalog[event].name;
        let message = format!("`allow {name}` answers no default: this policy has none for `{name}`");
        let mut diagnostic = Finding::error(codes::ALLOW_WITHOUT_DEFAULT, loc, message);
        // A default of the other level does not count: say so where it stands.
        let related = policy.defaults.iter().filter(|(other, _)| {
            let raised = |hook: EventId, intent: EventId| {
                catalog.hooks.iter().any(|h| h.event == hook && h.raises.iter().any(|r| r.event == intent))
            };
            raised(event, **other) || raised(**other, event)
        });
        let mut related: Vec<(&EventId, &Loc)> = related.collect();
        related.sort();
        for (other, place) in related {
            diagnostic = diagnostic.related(*place, format!("`{}` is another event", catalog[*other].name));
        }
        self.push(diagnostic.help(format!("write `default deny {name}` in this policy, or take the rule out")));
    }

    fn allow_with(&mut self, rule: &ast::Rule, env: &Env<'_>) {
        if let Some(with) = &rule.with {
            let message = "an `allow` is not reported and refuses nothing, so `with` has no effect";
            self.error(codes::NO_EFFECT, Loc::new(env.id, with.span), message);
        }
    }

    fn clauses(&mut self, rule: &ast::Rule, env: &Env<'_>) -> (Option<Cond>, Option<Cond>) {
        let when = rule.when.as_ref().map(|c| self.condition(c, env));
        let unless = rule.unless.as_ref().map(|c| self.condition(c, env));
        (when, unless)
    }

    fn rule(&mut self, rules: &mut Vec<Rule>, policy: &Policy<'_, 'a>, rule: &'a ast::Rule, env: &Env<'_>) {
        let action = match &rule.action.node {
            ast::Action::Allow => return,
            ast::Action::Mark(_) => {
                self.unsupported(Loc::new(env.id, rule.action.span), "`mark`");
                let _ = self.clauses(rule, env);
                return;
            }
            ast::Action::Verdict(verdict) => action(*verdict),
        };
        let (when, unless) = self.clauses(rule, env);
        let with = self.with(rule.with.as_ref(), action, env);
        let label = Loc::new(env.id, rule.label.span);
        for (event, _) in self.verdict_events(&rule.events, action, env) {
            self.check_clauses(when.as_ref(), unless.as_ref(), event, label, rule, env);
            let own = policy.properties.scope.iter().chain(&when).chain(&unless).map(weight).sum();
            if !self.spend(Cost::Tests, own, label) {
                return;
            }
            let mut not: Vec<Cond> = unless.iter().cloned().collect();
            self.add_exceptions(&mut not, policy.exceptions.for_rule(policy.def, &rule.label.node), event, label);
            let cond = fold(policy.properties.scope.as_ref(), when.clone(), not, policy.identity);
            let because = rule.because.as_ref();
            rules.push(self.made(Some(&rule.label.node), event, action, cond, because, &with, policy.properties, label));
        }
    }

    /// Fields that the event lacks.
    fn check_clauses(&mut self, when: Option<&Cond>, unless: Option<&Cond>, event: EventId, label: Loc, rule: &ast::Rule, env: &Env<'_>) {
        let end = rule.unless.as_ref().or(rule.when.as_ref()).map_or(label.span.end, |c| c.span.end);
        let place = Loc::new(env.id, Span { start: label.span.start, end });
        for cond in [when, unless].into_iter().flatten() {
            self.require(cond, atoms::mask(cond), event, place);
        }
    }

    fn add_exceptions<'e>(&mut self, not: &mut Vec<Cond>, all: impl Iterator<Item = &'e (Cond, u128)>, event: EventId, place: Loc) {
        for (cond, mask) in all {
            if self.is_spent(Cost::Tests) || !self.spend(Cost::Tests, weight(cond), place) {
                return;
            }
            self.require(cond, *mask, event, place);
            not.push(cond.clone());
        }
    }

    #[expect(clippy::type_complexity, reason = "the parts of one member of the tree")]
    fn default(
        &mut self,
        rules: &mut Vec<Rule>,
        policy: &Policy<'_, 'a>,
        (verdict, events, because, with): (&ast::Spanned<Verdict>, &[ast::Name], Option<&ast::Spanned<String>>, Option<&ast::Record>),
        env: &Env<'_>,
    ) {
        let action = action(verdict.node);
        let loc = self.default_loc(verdict.span, env);
        let with = self.with(with, action, env);
        for (event, event_loc) in self.verdict_events(events, action, env) {
            if policy.defaults.get(&event) != Some(&event_loc) {
                continue; // a second default, reported before
            }
            let own = policy.properties.scope.iter().chain(policy.allows.get(&event).into_iter().flatten()).map(weight).sum();
            if !self.spend(Cost::Tests, own, event_loc) {
                return;
            }
            let mut not = Vec::new();
            if let Some(allows) = policy.allows.get(&event) {
                not.push(match allows.as_slice() {
                    [one] => one.clone(),
                    several => Cond::Or(several.to_vec()),
                });
            }
            self.add_exceptions(&mut not, policy.exceptions.for_default(policy.def, event), event, event_loc);
            let cond = fold(policy.properties.scope.as_ref(), None, not, policy.identity);
            rules.push(self.made(None, event, action, cond, because, &with, policy.properties, loc));
        }
    }

    /// The keyword `default`, which the tree does not keep.
    fn default_loc(&self, verdict: Span, env: &Env<'_>) -> Loc {
        let before = self.sources.slice(Loc::new(env.id, Span { start: 0, end: verdict.start })).trim_end();
        let end = before.len() as u32;
        let span = if before.ends_with("default") { Span { start: end - 7, end } } else { verdict };
        Loc::new(env.id, span)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a rule")]
    fn made(
        &self,
        label: Option<&str>,
        event: EventId,
        action: Action,
        cond: Cond,
        because: Option<&ast::Spanned<String>>,
        with: &With,
        properties: &Properties,
        loc: Loc,
    ) -> Rule {
        Rule {
            label: label.map(str::to_owned),
            event,
            action,
            cond,
            errno: with.errno.unwrap_or(1),
            because: because.map(|b| b.node.clone()).unwrap_or_default(),
            severity: with.severity.or(properties.severity).unwrap_or(Severity::Medium),
            attack: with.attack.as_ref().unwrap_or(&properties.attack).clone(),
            loc,
        }
    }

    fn verdict_events(&mut self, names: &[ast::Name], action: Action, env: &Env<'_>) -> Vec<(EventId, Loc)> {
        if action == Action::Deny
            && let Some(name) = names.iter().find(|n| n.node == AFTER_EXEC)
        {
            let message = format!("`{AFTER_EXEC}` comes after the exec: there is nothing left to deny");
            let loc = Loc::new(env.id, name.span);
            let built = self.index.event(AFTER_EXEC).is_some();
            let help = if built { "use `kill exec.done`, or `deny exec`" } else { "use `deny exec`" };
            self.push(Finding::error(codes::DENY_AFTER_EXEC, loc, message).help(help));
            let rest: Vec<ast::Name> = names.iter().filter(|n| n.node != AFTER_EXEC).cloned().collect();
            return self.events(&rest, env);
        }
        self.events(names, env)
    }

    /// The events of a list; unknown ones are reported and left out.
    pub(super) fn events(&mut self, names: &[ast::Name], env: &Env<'_>) -> Vec<(EventId, Loc)> {
        let mut events: Vec<(EventId, Loc)> = Vec::with_capacity(names.len());
        for name in names {
            let loc = Loc::new(env.id, name.span);
            let Some(event) = self.event(&name.node, loc) else { continue };
            if let Some((_, first)) = events.iter().find(|(e, _)| *e == event) {
                let message = format!("`{}` stands here twice", name.node);
                let first = *first;
                self.push(Finding::error(codes::DUPLICATE_KEY, loc, message).related(first, "first here"));
            } else {
                self.on_all_kernels(event, loc);
                events.push((event, loc));
            }
        }
        events
    }

    /// A rule about a hook alone does nothing on a kernel that lacks it. Intents are closed on each kernel by what it has.
    fn on_all_kernels(&mut self, event: EventId, loc: Loc) {
        let catalog = self.index.catalog;
        if !catalog[event].is_hook {
            return;
        }
        let (major, minor) = catalog[catalog[event].usual].first_kernel;
        let older = self.kernels.iter().filter(|(_, a, b)| (*a, *b) < (major, minor));
        let older: Vec<&str> = older.map(|(name, _, _)| name.as_str()).collect();
        if older.is_empty() {
            return;
        }
        let name = &catalog[event].name;
        let message = format!("`{name}` begins with kernel {major}.{minor}, and the package is for {} too", crate::diag::list(&older));
        let intents: Vec<&str> = catalog[catalog[event].usual]
            .raises
            .iter()
            .filter(|r| !catalog[r.event].is_hook)
            .map(|r| catalog[r.event].name.as_str())
            .collect();
        let mut diagnostic = Finding::error(codes::HOOK_UNAVAILABLE, loc, message);
        if !intents.is_empty() {
            diagnostic = diagnostic.help(format!("{} is closed on every kernel", crate::diag::list(&intents)));
        }
        self.push(diagnostic.help("or name only later kernels in `kernels` of ebsec.toml"));
    }

    /// An event by its name.
    pub(super) fn event(&mut self, name: &str, loc: Loc) -> Option<EventId> {
        let event = self.index.event(name);
        if event.is_none() {
            if self.index.is_planned_event(name) {
                self.unsupported(loc, &format!("the event `{name}`"));
            } else {
                self.unknown_event(name, loc);
            }
        }
        event
    }

    fn with(&mut self, record: Option<&ast::Record>, action: Action, env: &Env<'_>) -> With {
        let mut with = With::default();
        let Some(record) = record else { return with };
        self.keys_once(record, env);
        for (key, value) in &record.pairs {
            let loc = Loc::new(env.id, key.span);
            match (key.node.as_str(), value) {
                ("after" | "limit", _) => self.unsupported(loc, &format!("`{}`", key.node)),
                ("severity", PairValue::Value(value)) => with.severity = self.choice(value, "severity", SEVERITIES, env),
                ("attack", PairValue::Value(value)) => with.attack = Some(self.attack(value, env)),
                ("errno", PairValue::Value(_)) if action == Action::Audit => {
                    self.error(codes::NO_EFFECT, loc, "an `audit` refuses nothing, so it has no errno");
                }
                ("errno", PairValue::Value(value)) => with.errno = self.errno(value, env),
                ("severity" | "attack" | "errno", _) => self.not_a_constant(value, env),
                (other, _) => {
                    let message = format!("`with` of a rule has no `{other}`");
                    let known = ["severity", "attack", "errno", "after", "limit"];
                    self.push(Finding::error(codes::UNKNOWN_KEY, loc, message).near(other, loc, known));
                }
            }
        }
        with
    }

    fn errno(&mut self, value: &ast::Value, env: &Env<'_>) -> Option<u16> {
        let loc = Loc::new(env.id, value.span);
        if let ValueKind::Literal(ast::Literal::Number(text)) = &value.kind {
            let number = text.parse::<u16>().ok().filter(|n| (1..=4095).contains(n));
            if number.is_none() {
                self.error(codes::OUT_OF_RANGE, loc, format!("`{text}` is no errno: they go from 1 to 4095"));
            }
            return number;
        }
        self.choice(value, "errno", ERRNOS, env)
    }

    /// A rate or an address with a port where a constant is wanted.
    pub(super) fn not_a_constant(&mut self, value: &PairValue, env: &Env<'_>) {
        let span = match value {
            PairValue::Value(value) => value.span,
            PairValue::Endpoint(text) => text.span,
            PairValue::Rate { span, .. } => *span,
        };
        let loc = Loc::new(env.id, span);
        let message = format!("`{}` is no constant that may stand here", self.sources.slice(loc).trim_end());
        self.error(codes::TYPE_MISMATCH, loc, message);
    }

    /// Reports keys that are given twice.
    pub(super) fn keys_once(&mut self, record: &ast::Record, env: &Env<'_>) {
        let mut seen: FxHashMap<&str, Span> = FxHashMap::default();
        for (key, _) in &record.pairs {
            let first = *seen.entry(key.node.as_str()).or_insert(key.span);
            if first != key.span {
                let message = format!("`{}` is given twice", key.node);
                let first = Loc::new(env.id, first);
                self.push(Finding::error(codes::DUPLICATE_KEY, Loc::new(env.id, key.span), message).related(first, "first here"));
            }
        }
    }
}

/// The action of a verdict.
pub(super) fn action(verdict: Verdict) -> Action {
    match verdict {
        Verdict::Deny => Action::Deny,
        Verdict::Kill => Action::Kill,
        Verdict::Audit => Action::Audit,
    }
}
