//! What a whole condition asks: its fields, their number, whether an event has them all, and which tests are about
//! identity. Changes nothing else in it.

use super::{Checker, catalog};
use crate::diag::{Finding, codes};
use crate::hir::{Atom, Cond, Test};
use crate::source::Loc;
use ebsec_templates::EventId;

impl Checker<'_> {
    /// Reports the fields that an event does not have. `place` is the rule, where the test itself stands elsewhere.
    pub(super) fn require(&mut self, cond: &Cond, mask: u128, event: EventId, place: Loc) {
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
    pub(super) fn require_subject(&mut self, cond: &Cond, what: &str) {
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

/// Calls `see` for each test.
pub(super) fn atoms(cond: &Cond, see: &mut impl FnMut(&Atom)) {
    match cond {
        Cond::Const(_) => {}
        Cond::Atom(atom) => see(atom),
        Cond::Not(inner) => atoms(inner, see),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| atoms(c, see)),
    }
}

/// Number of tests.
pub(super) fn size(cond: &Cond) -> usize {
    let mut count = 0;
    atoms(cond, &mut |_| count += 1);
    count
}

/// The fields of a condition as bits.
pub(super) fn mask(cond: &Cond) -> u128 {
    let mut mask = 0;
    atoms(cond, &mut |atom| mask |= catalog::bit(atom.field));
    mask
}

/// Marks the tests of identity fields whose being true loosens the verdict: those under an odd number of negations of
/// a folded condition (rule 18).
pub(super) fn mark_identity(cond: &mut Cond, negated: bool, identity: u128) {
    match cond {
        Cond::Const(_) => {}
        Cond::Atom(atom) => {
            atom.identity = negated && catalog::bit(atom.field) & identity != 0 && matches!(atom.test, Test::InPaths(_) | Test::True);
        }
        Cond::Not(inner) => mark_identity(inner, !negated, identity),
        Cond::And(all) | Cond::Or(all) => all.iter_mut().for_each(|c| mark_identity(c, negated, identity)),
    }
}
