//! The catalog's fields and events by name, with the parts of paths, for quick lookups. Adds nothing to the data.

use ebsec_templates::{Catalog, EventId, FieldId, FieldOf, FieldType};
use rustc_hash::{FxHashMap, FxHashSet};

/// Part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Part {
    Name,
    Dir,
    Ext,
    Unresolved,
    Deleted,
}

/// Parts by name.
pub const PARTS: &[(&str, Part)] =
    &[("name", Part::Name), ("dir", Part::Dir), ("ext", Part::Ext), ("unresolved", Part::Unresolved), ("deleted", Part::Deleted)];

/// What a dotted name in a condition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldName {
    /// A field, or a part of it.
    Field(FieldId, Option<Part>),
    /// Known, not built yet.
    Planned,
    /// A path with something after it that is no part.
    BadPart(FieldId),
    /// Not a field.
    Unknown,
}

/// The tables.
pub struct Index {
    /// The data.
    pub catalog: &'static Catalog,
    fields: FxHashMap<String, (FieldId, Option<Part>)>,
    events: FxHashMap<&'static str, EventId>,
    planned_fields: FxHashSet<&'static str>,
    planned_events: FxHashSet<&'static str>,
    masks: Vec<u128>,
    /// Fields of the process.
    pub subject: u128,
}

/// The bit of a field in a mask.
#[must_use]
pub fn bit(field: FieldId) -> u128 {
    1u128.checked_shl(field.0.into()).unwrap_or(0)
}

impl Index {
    /// Builds the tables.
    #[must_use]
    pub fn new(catalog: &'static Catalog) -> Self {
        let mut fields = FxHashMap::default();
        let mut subject = 0;
        for (i, field) in catalog.fields.iter().enumerate() {
            let id = FieldId(i as u16);
            if field.of == FieldOf::Subject {
                subject |= bit(id);
            }
            fields.insert(field.name.clone(), (id, None));
            for (name, part) in PARTS.iter().filter(|(name, _)| field.parts.iter().any(|p| p == name)) {
                fields.insert(format!("{}.{name}", field.name), (id, Some(*part)));
            }
        }
        Self {
            catalog,
            fields,
            events: catalog.events.iter().enumerate().map(|(i, e)| (e.name.as_str(), EventId(i as u16))).collect(),
            planned_fields: catalog.planned_fields.iter().map(String::as_str).collect(),
            planned_events: catalog.planned_events.iter().map(String::as_str).collect(),
            masks: catalog.events.iter().map(|e| e.fields.iter().fold(0, |mask, f| mask | bit(*f))).collect(),
            subject,
        }
    }

    /// Looks a name up.
    #[must_use]
    pub fn field(&self, name: &str) -> FieldName {
        if let Some((id, part)) = self.fields.get(name) {
            return FieldName::Field(*id, *part);
        }
        if self.is_planned(name) {
            return FieldName::Planned;
        }
        let Some((before, last)) = name.rsplit_once('.') else { return FieldName::Unknown };
        match self.fields.get(before) {
            Some((id, None)) if self.catalog[*id].ty == FieldType::Path => {
                if last == "absent" {
                    FieldName::Planned
                } else {
                    FieldName::BadPart(*id)
                }
            }
            _ if self.is_planned(before) => FieldName::Planned,
            _ => FieldName::Unknown,
        }
    }

    fn is_planned(&self, name: &str) -> bool {
        self.planned_fields.contains(name)
    }

    /// Names of the fields that are built, with their parts.
    pub(crate) fn built_fields(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Names of the fields and events that are not.
    pub(crate) fn planned_names(&self) -> impl Iterator<Item = &str> {
        self.planned_fields.iter().chain(&self.planned_events).copied()
    }

    /// Whether the name is that of a whole path.
    pub(crate) fn is_path(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|(id, part)| part.is_none() && self.catalog[*id].ty == FieldType::Path)
    }

    /// Names of all fields with their parts, and of the planned ones.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str).chain(self.planned_fields.iter().copied())
    }

    /// An event by name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<EventId> {
        self.events.get(name).copied()
    }

    /// Whether an event of the language is not built yet. A hook of the kernel without a contract is one.
    #[must_use]
    pub fn is_planned_event(&self, name: &str) -> bool {
        let is_hook = name.strip_prefix("hook.").is_some_and(super::habits::is_kernel_hook);
        self.planned_events.contains(name) || is_hook && self.event(name).is_none()
    }

    /// Names of all events that are built.
    #[must_use]
    pub fn event_names(&self) -> Vec<&'static str> {
        self.catalog.events.iter().map(|e| e.name.as_str()).collect()
    }

    /// The fields that an event has.
    #[must_use]
    pub fn mask(&self, event: EventId) -> u128 {
        self.masks.get(usize::from(event.0)).copied().unwrap_or(0)
    }
}

impl Part {
    /// As written.
    #[must_use]
    pub fn name(self) -> &'static str {
        PARTS.iter().find(|(_, p)| *p == self).map_or("", |(n, _)| n)
    }
}
