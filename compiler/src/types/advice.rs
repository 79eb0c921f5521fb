//! What was probably meant where no name is near.

use super::Checker;
use crate::diag::{Finding, codes, list};
use crate::source::Loc;
use crate::typed::advice::events_of;

impl Checker<'_> {
    /// Says that there is no such field, and what may be meant.
    pub(super) fn unknown_field(&mut self, name: &str, loc: Loc) {
        if self.uncounted() {
            return;
        }
        let dotted = name.contains('.');
        if dotted && let Some(family) = self.index.planned_family(name) {
            return self.unsupported_family("fields", family, loc);
        }
        let diagnostic = Finding::error(codes::UNKNOWN_FIELD, loc, format!("there is no field `{name}`"));
        let diagnostic = if let Some(found) = self.index.address_of(name) {
            let found = found.to_owned();
            let diagnostic = diagnostic.help(format!("did you mean `{found}`?"));
            diagnostic.note("names of hosts are not known in the kernel, only addresses")
        } else if let Some(found) = self.index.completed(name) {
            let found = found.to_owned();
            diagnostic.help(format!("did you mean `{found}`?")).guess(format!("replace by `{found}`"), loc, found)
        } else if let Some(family) = self.index.planned_family(name) {
            return self.unsupported_family("fields", family, loc);
        } else {
            diagnostic.near(name, loc, self.index.field_names())
        };
        self.push(diagnostic);
    }

    /// Says that there is no such event, and what may be meant.
    pub(super) fn unknown_event(&mut self, name: &str, loc: Loc) {
        if self.uncounted() {
            return;
        }
        if name.contains('.')
            && let Some(family) = self.index.planned_family(name)
        {
            return self.unsupported_family("events", family, loc);
        }
        let diagnostic = Finding::error(codes::UNKNOWN_EVENT, loc, format!("there is no event `{name}`"));
        let known = self.index.event_names();
        let meant: Vec<&str> = events_of(name).iter().copied().filter(|e| known.contains(e)).collect();
        let diagnostic = if !meant.is_empty() {
            let meant: Vec<String> = meant.iter().map(|e| format!("`{e}`")).collect();
            diagnostic.help(format!("did you mean {}?", meant.join(" or ")))
        } else if crate::diag::nearest(name, &known).is_some() {
            diagnostic.near(name, loc, known)
        } else {
            diagnostic.help(self.events_help())
        };
        self.push(diagnostic);
    }

    /// The events that there are: intents by name, of the hooks one.
    fn events_help(&self) -> String {
        let events = &self.index.catalog.events;
        let intents: Vec<&str> = events.iter().filter(|e| !e.is_hook).map(|e| e.name.as_str()).collect();
        let hook = events.iter().filter(|e| e.is_hook).max_by_key(|e| (e.fields.len(), std::cmp::Reverse(&e.name)));
        let hook = hook.map_or(String::new(), |e| format!(", and hooks of the kernel such as `{}`", e.name));
        format!("the events are {}{hook}", list(&intents))
    }

    fn unsupported_family(&mut self, what: &str, family: &str, loc: Loc) {
        self.unsupported_many(loc, &format!("the {what} `{family}.…`"));
    }
}
