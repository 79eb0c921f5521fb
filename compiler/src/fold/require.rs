//! Which fields a folded condition may ask: those of its event, or those of the process alone.

use super::Folder;
use super::atoms::atoms;
use crate::diag::{Finding, codes};
use crate::hir::Cond;
use crate::resolve::catalog;
use crate::source::Loc;
use ebsec_templates::EventId;

impl Folder<'_> {
    /// Reports the fields that an event does not have. `place` is the rule, where the test itself stands elsewhere.
    pub(crate) fn require(&mut self, cond: &Cond, mask: u128, event: EventId, place: Loc) {
        if mask & !self.index.mask(event) == 0 {
            return;
        }
        let catalog = self.index.catalog;
        let event_name = &catalog[event].name;
        let allowed = self.index.mask(event);
        let mut missing = Vec::new();
        atoms(cond, &mut |atom| {
            if catalog::bit(atom.field) & allowed == 0 {
                missing.push((atom.field, atom.loc));
            }
        });
        for (field, loc) in missing {
            let name = &catalog[field].name;
            let mut diagnostic = Finding::error(codes::FIELD_UNAVAILABLE, loc, format!("`{event_name}` has no `{name}`"));
            if loc.part != place.part || loc.span.start < place.span.start || loc.span.end > place.span.end {
                diagnostic = diagnostic.related(place, "required by this event");
            }
            let hooks: Vec<&str> =
                catalog.events.iter().filter(|e| e.is_hook && e.fields.contains(&field)).map(|e| e.name.as_str()).collect();
            let raisers =
                catalog.hooks.iter().filter(|h| h.raises.iter().any(|r| r.event == event) && !catalog[h.event].fields.contains(&field));
            if !catalog[event].is_hook
                && let Some(hook) = raisers.map(|h| h.name.as_str()).next()
            {
                diagnostic = diagnostic.note(format!("`hook.{hook}` raises `{event_name}` and does not know this field"));
            }
            self.push(match hooks.len() {
                0 => diagnostic,
                1..=4 => diagnostic.help(format!("events that have it: {}", crate::diag::list(&hooks))),
                _ => diagnostic.help(format!("events that have it: {}, …", crate::diag::list(hooks.get(..4).unwrap_or_default()))),
            });
        }
    }

    /// Reports the fields that are not about the process.
    pub(crate) fn require_subject(&mut self, cond: &Cond, what: &str) {
        let catalog = self.index.catalog;
        let allowed = self.index.subject;
        let mut wrong = Vec::new();
        atoms(cond, &mut |atom| {
            if catalog::bit(atom.field) & allowed == 0 {
                wrong.push((atom.field, atom.loc));
            }
        });
        for (field, loc) in wrong {
            let message = format!("`{}` is not about the process, and {what} only selects processes", catalog[field].name);
            self.push(Finding::error(codes::NOT_SUBJECT, loc, message).help("move this test into the rules, after `when`"));
        }
    }
}
