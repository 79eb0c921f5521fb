//! Rules and defaults as they are written.

use super::policy::{SEVERITIES, name};
use super::tree::{DefaultRule, Does, Event, Rule, With};
use super::{At, Env, Typer};
use crate::diag::{Finding, codes};
use crate::hir::Action;
use crate::resolve::{Target, WordOf};
use crate::source::{Loc, Span};
use ebsec_grammar::ast::{self, PairValue, ValueKind, Verdict};
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

impl Typer<'_> {
    pub(crate) fn rule(&mut self, rule: &ast::Rule, loc: Loc, env: &Env<'_>) -> Rule {
        let does = match &rule.action.node {
            ast::Action::Allow => Does::Allow,
            ast::Action::Mark(_) => Does::Mark,
            ast::Action::Verdict(verdict) => Does::Act(action(*verdict)),
        };
        let action_loc = Loc::new(env.id, rule.action.span);
        if does == Does::Mark {
            self.unsupported(action_loc, "`mark`");
        }
        let when = rule.when.as_ref().map(|c| self.condition(c, env));
        let unless = rule.unless.as_ref().map(|c| self.condition(c, env));
        let with = rule.with.as_ref().and_then(|with| self.rule_with(with, does, env)).map(Box::new);
        Rule {
            loc,
            label: name(&rule.label, env),
            does: At { node: does, loc: action_loc },
            events: self.rule_events(&rule.events, does, env),
            when,
            unless,
            because: rule.because.as_ref().map(|because| name(because, env)),
            with,
        }
    }

    pub(crate) fn default_rule(
        &mut self,
        verdict: &ast::Spanned<Verdict>,
        events: &[ast::Name],
        because: Option<&ast::Name>,
        with: Option<&ast::Record>,
        env: &Env<'_>,
    ) -> DefaultRule {
        let does = action(verdict.node);
        let with = with.map(|with| Box::new(self.with(with, does, env)));
        DefaultRule {
            loc: self.default_loc(verdict.span, env),
            action: At { node: does, loc: Loc::new(env.id, verdict.span) },
            events: self.rule_events(events, Does::Act(does), env),
            because: because.map(|because| name(because, env)),
            with,
        }
    }

    /// The keyword `default`, which the tree does not keep.
    fn default_loc(&self, verdict: Span, env: &Env<'_>) -> Loc {
        let before = self.sources.slice(Loc::new(env.id, Span { start: 0, end: verdict.start })).trim_end();
        let end = before.len() as u32;
        let span = if before.ends_with("default") { Span { start: end - 7, end } } else { verdict };
        Loc::new(env.id, span)
    }

    /// The events of a rule or default.
    fn rule_events(&mut self, names: &[ast::Name], does: Does, env: &Env<'_>) -> Box<[Event]> {
        let denies = does == Does::Act(Action::Deny);
        let mut events: Vec<Event> = Vec::with_capacity(names.len());
        let mut said = does == Does::Mark;
        for name in names {
            let loc = Loc::new(env.id, name.span);
            if does == Does::Mark || (denies && name.node == AFTER_EXEC) {
                let id = self.index.event(&name.node);
                if !std::mem::replace(&mut said, true) {
                    self.denied_after(loc);
                }
                id.into_iter().for_each(|id| self.note(loc, Target::Event(id)));
                events.push(Event { id, loc, counts: false });
                continue;
            }
            let id = self.event(&name.node, loc);
            let counts = id.is_some_and(|id| self.first_of(id, &name.node, loc, &events));
            events.push(Event { id, loc, counts });
        }
        events.into()
    }

    /// Whether an event is not among those before it; reported if it is.
    fn first_of(&mut self, event: EventId, name: &str, loc: Loc, before: &[Event]) -> bool {
        let Some(first) = before.iter().find(|e| e.counts && e.id == Some(event)) else {
            self.on_all_kernels(event, loc);
            return true;
        };
        let message = format!("`{name}` is listed twice");
        self.push(Finding::error(codes::DUPLICATE_KEY, loc, message).related(first.loc, "first here"));
        false
    }

    fn denied_after(&mut self, loc: Loc) {
        let message = format!("`{AFTER_EXEC}` comes after the exec: nothing is left to deny");
        let built = self.index.event(AFTER_EXEC).is_some();
        let help = if built { "use `kill exec.done`, or `deny exec`" } else { "use `deny exec`" };
        self.push(Finding::error(codes::DENY_AFTER_EXEC, loc, message).help(help));
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
        let message =
            format!("`{name}` exists only from kernel {major}.{minor} on, and the package also targets {}", crate::diag::list(&older));
        let intents: Vec<&str> = catalog[catalog[event].usual]
            .raises
            .iter()
            .filter(|r| !catalog[r.event].is_hook)
            .map(|r| catalog[r.event].name.as_str())
            .collect();
        let mut diagnostic = Finding::error(codes::HOOK_UNAVAILABLE, loc, message);
        if !intents.is_empty() {
            diagnostic = diagnostic.help(format!("{} covers it on every kernel", crate::diag::list(&intents)));
        }
        self.push(diagnostic.help("or list only later kernels in `kernels` of ebsec.toml"));
    }

    /// An event by its name.
    pub(crate) fn event(&mut self, name: &str, loc: Loc) -> Option<EventId> {
        let event = self.index.event(name);
        if let Some(id) = event {
            self.note(loc, Target::Event(id));
        } else {
            if self.index.is_planned_event(name) {
                self.unsupported(loc, &format!("the event `{name}`"));
            } else {
                self.unknown_event(name, loc);
            }
        }
        event
    }

    /// `with` of a rule; that of an `allow` says nothing.
    fn rule_with(&mut self, record: &ast::Record, does: Does, env: &Env<'_>) -> Option<With> {
        match does {
            Does::Act(action) => Some(self.with(record, action, env)),
            Does::Allow => {
                let message = "an `allow` is not reported and refuses nothing, so `with` has no effect";
                self.error(codes::NO_EFFECT, Loc::new(env.id, record.span), message);
                None
            }
            Does::Mark => None,
        }
    }

    fn with(&mut self, record: &ast::Record, action: Action, env: &Env<'_>) -> With {
        let mut with = With { loc: Loc::new(env.id, record.span), severity: None, attack: None, errno: None };
        self.keys_once(record, env);
        for (key, value) in &record.pairs {
            let loc = Loc::new(env.id, key.span);
            self.note(loc, Target::Key);
            match (key.node.as_str(), value) {
                ("after" | "limit", _) => self.unsupported(loc, &format!("`{}`", key.node)),
                ("severity", PairValue::Value(value)) => with.severity = self.choice(value, WordOf::Severity, SEVERITIES, env),
                ("attack", PairValue::Value(value)) => with.attack = Some(self.attack(value, env)),
                ("errno", PairValue::Value(_)) if action == Action::Audit => {
                    self.error(codes::NO_EFFECT, loc, "an `audit` refuses nothing, so it has no errno");
                }
                ("errno", PairValue::Value(value)) => with.errno = self.errno(value, env),
                ("severity" | "attack" | "errno", _) => self.not_a_constant(value, env),
                (other, _) => {
                    let message = format!("`with` of a rule has no key `{other}`");
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
                self.error(codes::OUT_OF_RANGE, loc, format!("`{text}` is not an errno: the numbers are 1 to 4095"));
            }
            return number;
        }
        self.choice(value, WordOf::Errno, ERRNOS, env)
    }

    /// A rate or an address with a port where a constant is wanted.
    pub(crate) fn not_a_constant(&mut self, value: &PairValue, env: &Env<'_>) {
        let span = match value {
            PairValue::Value(value) => value.span,
            PairValue::Endpoint(text) => text.span,
            PairValue::Rate { span, .. } => *span,
        };
        let loc = Loc::new(env.id, span);
        let message = format!("expected a constant, found `{}`", self.sources.slice(loc).trim_end());
        self.error(codes::TYPE_MISMATCH, loc, message);
    }

    /// Reports keys that are given twice.
    pub(crate) fn keys_once(&mut self, record: &ast::Record, env: &Env<'_>) {
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
pub(crate) fn action(verdict: Verdict) -> Action {
    match verdict {
        Verdict::Deny => Action::Deny,
        Verdict::Kill => Action::Kill,
        Verdict::Audit => Action::Audit,
    }
}
