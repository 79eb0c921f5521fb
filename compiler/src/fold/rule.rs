//! Rules and defaults of a policy, one for each event, with scope, `unless`, `allow` and exceptions folded in.

use super::atoms::{self, weight};
use super::join::{Joined, Origin, fold};
use super::policy::Properties;
use super::{Folder, WithOrigins};
use crate::diag::{Finding, codes};
use crate::hir::{Action, Cond, Rule, Severity};
use crate::resolve::PolicyId;
use crate::source::{Loc, Span};
use crate::typed::cost::Cost;
use crate::typed::tree::{self, DefaultRule, Does, Event, Excepted, Member, Members, Name, Typed, With};
use ebsec_templates::EventId;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What the members of a policy share.
struct Shared<'p> {
    id: PolicyId,
    properties: &'p Properties,
    /// A default could not be read: there may be one of any event.
    broken_default: bool,
    /// First default of each event.
    defaults: FxHashMap<EventId, Loc>,
    /// `allow` conditions of each event.
    allows: FxHashMap<EventId, Vec<Cond>>,
}

/// What a rule or default is made of besides its condition.
struct Frame<'r> {
    label: Option<&'r str>,
    action: Action,
    because: Option<&'r Name>,
    with: Option<&'r With>,
    loc: Loc,
}

impl Folder<'_> {
    pub(super) fn members(&mut self, id: PolicyId, members: &mut Members, properties: &Properties) -> WithOrigins {
        let broken_default = self.names.policy(id).is_some_and(|def| def.broken_default);
        let mut shared = Shared { id, properties, broken_default, defaults: FxHashMap::default(), allows: FxHashMap::default() };
        self.collect_defaults(&mut shared, members);
        self.collect_allows(&mut shared, members);
        let mut rules = WithOrigins::default();
        for index in 0..members.len() {
            match members.get(index).map(|member| &member.tree) {
                Some(Member::Rule(rule)) => self.rule(&mut rules, &shared, rule),
                Some(Member::Default(default)) => self.default_rule(&mut rules, &shared, default),
                _ => continue,
            }
            if self.keep {
                continue;
            }
            // Members that another `apply` puts in force too are needed once more.
            if let Some(member) = Arc::get_mut(members).and_then(|all| Arc::get_mut(all.get_mut(index)?)) {
                member.tree = Member::Folded;
            }
        }
        rules
    }

    fn collect_defaults(&mut self, shared: &mut Shared<'_>, members: &[Arc<Typed<Member>>]) {
        for member in members {
            let Member::Default(default) = &member.tree else { continue };
            for Event { id, loc, .. } in &default.events {
                // Unknown events are reported where the default is typed.
                let Some(event) = id else { continue };
                if let Some(first) = shared.defaults.get(event) {
                    let message = format!("`{}` has two defaults in this policy", self.index.catalog[*event].name);
                    self.push(Finding::error(codes::TWO_DEFAULTS, *loc, message).related(*first, "first here"));
                } else {
                    shared.defaults.insert(*event, *loc);
                }
            }
        }
    }

    fn collect_allows(&mut self, shared: &mut Shared<'_>, members: &[Arc<Typed<Member>>]) {
        for member in members {
            let Member::Rule(rule) = &member.tree else { continue };
            if rule.does.node != Does::Allow {
                continue;
            }
            let when = rule.when.as_ref().map(|c| Joined::new(self.lower(c), Origin::When));
            let unless = rule.unless.as_ref().map(|c| Joined::not(self.lower(c), Origin::Unless));
            let cond = fold(when.into_iter().chain(unless).collect(), 0).cond;
            let mask = atoms::mask(&cond);
            for (event, loc) in counted(&rule.events) {
                self.require(&cond, mask, event, rule.loc);
                if !self.spend(Cost::Tests, weight(&cond), loc) {
                    return;
                }
                if shared.defaults.contains_key(&event) {
                    shared.allows.entry(event).or_default().push(cond.clone());
                } else if !shared.broken_default {
                    self.allow_without_default(shared, members, event, loc);
                }
            }
        }
    }

    fn allow_without_default(&mut self, shared: &Shared<'_>, members: &[Arc<Typed<Member>>], event: EventId, loc: Loc) {
        let catalog = self.index.catalog;
        let name = &catalog[event].name;
        let message = format!("`allow {name}` has no effect: this policy has no default for `{name}`");
        let mut diagnostic = Finding::error(codes::ALLOW_WITHOUT_DEFAULT, loc, message);
        // A default of the other level does not count: say so at its place.
        let related = shared.defaults.iter().filter(|(other, _)| {
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
        let refuses = members.iter().find_map(|member| match &member.tree {
            Member::Rule(rule) if matches!(rule.does.node, Does::Act(_)) && rule.events.iter().any(|e| e.id == Some(event)) => Some(rule),
            _ => None,
        });
        self.push(match refuses {
            Some(rule) => {
                let (label, policy) = (&rule.label.node, self.names.policy(shared.id).map_or("", |def| def.name.as_str()));
                let help = format!("an `allow` does not soften a `deny`: move its condition after `unless` of `{label}`");
                diagnostic.help(help).help(format!("or write `except {policy}.{label} when …` outside of the policy"))
            }
            None => {
                let help = format!("remove the rule: what no rule refuses is allowed; `default deny {name}` would refuse everything else");
                diagnostic.help(help)
            }
        });
    }

    fn rule(&mut self, rules: &mut WithOrigins, shared: &Shared<'_>, rule: &tree::Rule) {
        let Does::Act(action) = rule.does.node else {
            if rule.does.node == Does::Mark {
                rule.when.iter().chain(&rule.unless).for_each(|c| drop(self.lower(c)));
            }
            return;
        };
        let when = rule.when.as_ref().map(|c| self.lower(c));
        let unless = rule.unless.as_ref().map(|c| self.lower(c));
        let scope = shared.properties.scope.as_ref();
        let label = rule.label.loc;
        for (event, _) in counted(&rule.events) {
            self.check_clauses(when.as_ref(), unless.as_ref(), event, rule);
            let own = scope.map(|s| &s.cond).into_iter().chain(&when).chain(&unless).map(weight).sum();
            if !self.spend(Cost::Tests, own, label) {
                return;
            }
            let mut parts: Vec<Joined> = scope.cloned().into_iter().collect();
            parts.extend(when.clone().map(|c| Joined::new(c, Origin::When)));
            parts.extend(unless.clone().map(|c| Joined::not(c, Origin::Unless)));
            self.add_exceptions(&mut parts, shared.id, Excepted::Rule(rule.label.node.clone()), event, label);
            let because = rule.because.as_ref();
            let frame = Frame { label: Some(&rule.label.node), action, because, with: rule.with.as_deref(), loc: label };
            rules.push(&frame, event, fold(parts, self.identity), shared.properties);
        }
    }

    /// Fields that the event lacks.
    fn check_clauses(&mut self, when: Option<&Cond>, unless: Option<&Cond>, event: EventId, rule: &tree::Rule) {
        let label = rule.label.loc;
        let end = rule.unless.as_ref().or(rule.when.as_ref()).map_or(label.span.end, |c| c.loc.span.end);
        let place = Loc::new(label.part, Span { start: label.span.start, end });
        for cond in [when, unless].into_iter().flatten() {
            self.require(cond, atoms::mask(cond), event, place);
        }
    }

    /// Exceptions, those for the whole policy first.
    fn add_exceptions(&mut self, parts: &mut Vec<Joined>, policy: PolicyId, target: Excepted, event: EventId, place: Loc) {
        if self.exceptions.is_empty() {
            return;
        }
        for key in [(policy, Excepted::All), (policy, target)] {
            let Some(all) = self.exceptions.remove(&key) else { continue };
            for exception in &all {
                if self.spent.is_spent(Cost::Tests) || !self.spend(Cost::Tests, weight(&exception.cond), place) {
                    break;
                }
                self.require(&exception.cond, exception.mask, event, place);
                parts.push(Joined::not(exception.cond.clone(), Origin::Exception(exception.index)));
            }
            self.exceptions.insert(key, all);
        }
    }

    fn default_rule(&mut self, rules: &mut WithOrigins, shared: &Shared<'_>, default: &DefaultRule) {
        let scope = shared.properties.scope.as_ref();
        for (event, event_loc) in counted(&default.events) {
            if shared.defaults.get(&event) != Some(&event_loc) {
                continue; // a second default, reported before
            }
            let allows = shared.allows.get(&event);
            let own = scope.map(|s| &s.cond).into_iter().chain(allows.into_iter().flatten()).map(weight).sum();
            if !self.spend(Cost::Tests, own, event_loc) {
                return;
            }
            let mut parts: Vec<Joined> = scope.cloned().into_iter().collect();
            parts.extend(allows.map(|allows| Joined::not(any_of(allows), Origin::Allows)));
            self.add_exceptions(&mut parts, shared.id, Excepted::Default(event), event, event_loc);
            let (action, because) = (default.action.node, default.because.as_ref());
            let frame = Frame { label: None, action, because, with: default.with.as_deref(), loc: default.loc };
            rules.push(&frame, event, fold(parts, self.identity), shared.properties);
        }
    }
}

impl WithOrigins {
    fn push(&mut self, frame: &Frame<'_>, event: EventId, folded: Joined, properties: &Properties) {
        let with = frame.with;
        let rule = Rule {
            label: frame.label.map(str::to_owned),
            event,
            action: frame.action,
            cond: folded.cond,
            errno: with.and_then(|w| w.errno).unwrap_or(1),
            because: frame.because.map(|b| b.node.to_string()).unwrap_or_default(),
            severity: with.and_then(|w| w.severity).or(properties.severity).unwrap_or(Severity::Medium),
            attack: with.and_then(|w| w.attack.as_ref()).unwrap_or(&properties.attack).clone(),
            loc: frame.loc,
        };
        self.rules.push(rule);
        self.origins.push(folded.origins.into());
    }
}

/// One condition for itself, several as `Or`.
fn any_of(all: &[Cond]) -> Cond {
    match all {
        [one] => one.clone(),
        several => Cond::Or(several.to_vec()),
    }
}

/// The events that count.
fn counted(events: &[Event]) -> impl Iterator<Item = (EventId, Loc)> {
    events.iter().filter(|e| e.counts).filter_map(|e| e.id.map(|id| (id, e.loc)))
}
