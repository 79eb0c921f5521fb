//! Events and fields, from the catalogue: hooks and what they raise, parts, operators. Knows none by name.

use super::{Kind, Section, Topic};
use crate::resolve::{PARTS, Part};
use crate::typed::{Elem, op_text, operators};
use ebsec_templates::{Catalog, Event, EventId, Field, FieldOf, FieldType, Hook, Raise, catalog};

/// What the parts of a path are.
fn part_doc(part: Part) -> &'static str {
    match part {
        Part::Name => "the last part",
        Part::Dir => "the folder that it is in",
        Part::Ext => "what follows the last dot of the last part",
        Part::Unresolved => "true if the path could not be determined",
        Part::Deleted => "true if the file has no name any more; its path is the last one",
    }
}

pub(super) fn topics() -> Vec<Topic> {
    let catalog = catalog();
    let events = catalog.events.iter().enumerate().map(|(at, event)| self::event(catalog, EventId(at as u16), event));
    events.chain(catalog.fields.iter().map(|field| self::field(catalog, field))).collect()
}

fn event(catalog: &'static Catalog, id: EventId, event: &'static Event) -> Topic {
    let mut sections = Vec::new();
    if event.is_hook {
        let hook = &catalog[event.usual];
        let (major, minor) = hook.first_kernel;
        sections.push(Section::Line("First kernel", format!("{major}.{minor}")));
        if let Some((old, new)) = hook.pair {
            sections.push(Section::Text(objects(hook, old, new)));
        }
        let raises: Vec<[String; 2]> = hook.raises.iter().filter(|r| r.event != id).map(|r| raise(catalog, hook, r)).collect();
        if !raises.is_empty() {
            sections.push(Section::Rows("Raises", raises));
        }
    } else {
        let raised = |hook: &&Hook| hook.raises.iter().any(|raise| raise.event == id);
        let hooks = catalog.hooks.iter().filter(raised).map(|hook| catalog[hook.event].name.clone()).collect();
        sections.push(Section::Topics("Raised by", Kind::Event, hooks));
        sections.push(Section::Line("In a test", format!("it stands for `{}`", catalog[catalog[event.usual].event].name)));
    }
    let fields = event.fields.iter().map(|id| catalog[*id].name.clone()).collect();
    sections.push(Section::Topics("Fields", Kind::Field, fields));
    let label = if event.is_hook { "hook" } else { "intent" };
    Topic { kind: Kind::Event, name: event.name.clone(), label: label.to_owned(), summary: event.doc.clone(), sections }
}

/// What the objects of a hook with two names are, and which of them its own event has.
fn objects(hook: &Hook, old: usize, new: usize) -> String {
    let what = |(at, object): (usize, &ebsec_templates::HookObject)| match (object.name.as_str(), at) {
        (name, at) if at == old => format!("`{name}` is the name that there was"),
        (name, at) if at == new => format!("`{name}` the new name, which a test gives as `target`"),
        ("replaced", _) => "`replaced` the file that had the new name before".to_owned(),
        ("back", _) => "`back` the old name as the new one of the other file, if two are exchanged".to_owned(),
        (name, _) => format!("`{name}` another file"),
    };
    let all: Vec<String> = hook.objects.iter().enumerate().map(what).collect();
    let own = hook.raises.iter().find(|raise| raise.event == hook.event).and_then(|raise| hook.objects.get(raise.object));
    let own = own.map_or(String::new(), |object| format!(" A rule for this hook sees `{}` alone, as `file.path`;", object.name));
    format!("Its objects: {}.{own} a rule for `file.write` sees each of them.", all.join(", "))
}

/// An intent that a hook raises, for which of its objects and when.
fn raise(catalog: &Catalog, hook: &Hook, raise: &Raise) -> [String; 2] {
    let fact = |(fact, wanted): &(String, bool)| if *wanted { format!("`{fact}`") } else { format!("not `{fact}`") };
    let when: Vec<String> = raise.when.iter().map(fact).collect();
    let object = hook.objects.get(raise.object).map_or(String::new(), |object| format!("for `{}`", object.name));
    let when = if when.is_empty() { String::new() } else { format!(", if {}", when.join(" and ")) };
    [catalog[raise.event].name.clone(), format!("{object}{when}")]
}

fn field(catalog: &'static Catalog, field: &'static Field) -> Topic {
    let elem = Elem::of_field(&field.ty);
    let of = match field.of {
        FieldOf::Subject => "the process",
        FieldOf::Object => "each object of the operation",
        FieldOf::Operation => "the operation",
    };
    let mut sections = vec![Section::Topic("Type", Kind::Type, elem.name().to_owned()), Section::Line("Of", of.to_owned())];
    let ops: Vec<String> =
        operators(&field.ty, None).iter().filter(|op| !field.many || op_text(**op) != "!=").map(|op| op_text(*op).to_owned()).collect();
    match ops.is_empty() {
        true => sections.push(Section::Line("Use", "a condition by itself".to_owned())),
        false => sections.push(Section::Topics("Operators", Kind::Operator, ops)),
    }
    let notes = [
        (field.many, "It has several values; a comparison holds if one of them does."),
        (
            field.identity,
            "Where it allows something (`unless`, `allow`, `except`, after `not`), it counts only if the namespaces that it depends on belong to the host.",
        ),
        (
            field.may_fail || field.ty == FieldType::Path,
            "It may be impossible to determine. If the verdict depends on it then, an enforcing policy refuses.",
        ),
    ];
    sections.extend(notes.iter().filter(|(holds, _)| *holds).map(|(_, text)| Section::Text((*text).to_owned())));
    let parts = PARTS.iter().filter(|(name, _)| field.parts.iter().any(|part| part == name));
    let parts: Vec<[String; 2]> = parts.map(|(name, part)| [format!("{}.{name}", field.name), part_doc(*part).to_owned()]).collect();
    if !parts.is_empty() {
        sections.push(Section::Rows("Parts", parts));
    }
    sections.push(Section::Topics("Events", Kind::Event, events(catalog, field)));
    Topic { kind: Kind::Field, name: field.name.clone(), label: elem.name().to_owned(), summary: field.doc.clone(), sections }
}

/// The events that have a field.
fn events(catalog: &Catalog, field: &Field) -> Vec<String> {
    let id = catalog.field(&field.name);
    catalog.events.iter().filter(|event| id.is_some_and(|id| event.fields.contains(&id))).map(|event| event.name.clone()).collect()
}
