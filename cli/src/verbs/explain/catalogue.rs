//! Events and fields for `ebsec explain`: a name in, what the catalogue says of it out, as text or JSON. Knows none by name.

use ebsec_compiler::types::Elem;
use ebsec_templates::{Catalog, Event, Field, catalog};
use serde_json::{Value, json};

/// What a name is.
pub enum Entry {
    /// An event.
    Event(&'static Event),
    /// A field.
    Field(&'static Field),
}

/// Finds an event or a field.
pub fn find(name: &str) -> Option<Entry> {
    let catalog: &'static Catalog = catalog();
    let event = catalog.event(name).map(|id| Entry::Event(&catalog[id]));
    event.or_else(|| catalog.field(name).map(|id| Entry::Field(&catalog[id])))
}

/// The names of all events and fields.
pub fn names() -> impl Iterator<Item = &'static str> {
    let catalog = catalog();
    catalog.events.iter().map(|e| e.name.as_str()).chain(catalog.fields.iter().map(|f| f.name.as_str()))
}

impl Entry {
    /// The entry for people.
    pub fn shown(&self) -> String {
        match self {
            Self::Event(event) => {
                let fields: Vec<&Field> = event.fields.iter().map(|id| &catalog()[*id]).collect();
                let width = fields.iter().map(|f| f.name.len()).max().unwrap_or_default();
                let lines = fields.iter().map(|f| format!("  {:width$}  {:8}  {}\n", f.name, ty(f), f.doc));
                format!("{}: {}\n\nFields:\n{}", event.name, event.doc, lines.collect::<String>())
            }
            Self::Field(field) => {
                let parts: Vec<String> = field.parts.iter().map(|part| format!("  {}.{part}\n", field.name)).collect();
                let parts = if parts.is_empty() { String::new() } else { format!("\nParts:\n{}", parts.concat()) };
                let events: String = events(field).map(|name| format!("  {name}\n")).collect();
                format!("{}: {}\n\nType: {}\n{parts}\nEvents:\n{events}", field.name, field.doc, ty(field))
            }
        }
    }

    /// The entry for programs.
    pub fn json(&self) -> Value {
        match self {
            Self::Event(event) => {
                let fields: Vec<&str> = event.fields.iter().map(|id| catalog()[*id].name.as_str()).collect();
                json!({ "event": event.name, "doc": event.doc, "fields": fields })
            }
            Self::Field(field) => {
                json!({
                    "field": field.name, "doc": field.doc, "type": ty(field), "parts": field.parts,
                    "events": events(field).collect::<Vec<_>>()
                })
            }
        }
    }
}

fn ty(field: &'static Field) -> &'static str {
    Elem::of_field(&field.ty).name()
}

/// The events that have a field.
fn events(field: &'static Field) -> impl Iterator<Item = &'static str> {
    let catalog = catalog();
    let id = catalog.field(&field.name);
    catalog.events.iter().filter(move |e| id.is_some_and(|id| e.fields.contains(&id))).map(|e| e.name.as_str())
}
