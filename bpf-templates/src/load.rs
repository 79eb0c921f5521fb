//! Embedded data in, [`Catalog`] out; an inconsistency of the data is an error text.

use crate::{Catalog, Event, FastWalk, Field, FieldId, FieldOf, FieldType, Follows, Hook, HookId, HookObject, ObjectKind, Raise, embedded};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldsFile {
    field: Vec<FieldRow>,
    #[serde(rename = "enum")]
    enums: BTreeMap<String, BTreeMap<String, u64>>,
    planned: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldRow {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    of: String,
    #[serde(default)]
    many: bool,
    #[serde(default)]
    identity: bool,
    #[serde(default)]
    host: bool,
    #[serde(default)]
    may_fail: bool,
    cost: u32,
    doc: String,
    #[serde(default)]
    parts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsFile {
    event: Vec<EventRow>,
    planned: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventRow {
    name: String,
    object: String,
    usual: String,
    doc: String,
    fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HookRow {
    #[serde(default)]
    fast: Option<FastWalk>,
    #[serde(default)]
    executes: bool,
    #[serde(default)]
    maps: bool,
    doc: String,
    first_kernel: String,
    object: String,
    fields: Vec<String>,
    facts: Vec<String>,
    #[serde(default)]
    silent_when: Vec<String>,
    #[serde(default)]
    objects: Vec<ObjectRow>,
    pair: Option<[String; 2]>,
    #[serde(default)]
    follows: Vec<FollowsRow>,
    raise: Vec<RaiseRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FollowsRow {
    hooks: Vec<String>,
    #[serde(default)]
    when: Vec<String>,
    #[serde(default)]
    same_object: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectRow {
    name: String,
    exists: bool,
    #[serde(default)]
    each_mount: bool,
    #[serde(default = "yes")]
    shown: bool,
    path_of: Option<String>,
    path_when: Option<String>,
    host_unless: Option<String>,
    #[serde(default)]
    by_its_mount: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RaiseRow {
    event: String,
    object: Option<String>,
    #[serde(default)]
    when: Vec<String>,
}

fn yes() -> bool {
    true
}

/// Reads all embedded data.
pub(crate) fn load() -> Result<Catalog, String> {
    let fields: FieldsFile = serde_json::from_str(embedded::FIELDS).map_err(|e| format!("fields.toml: {e}"))?;
    let events: EventsFile = serde_json::from_str(embedded::EVENTS).map_err(|e| format!("events.toml: {e}"))?;
    let mut catalog =
        Catalog { enums: fields.enums, planned_fields: fields.planned.names, planned_events: events.planned.names, ..Catalog::default() };
    for row in fields.field {
        catalog.fields.push(field(row)?);
    }
    let mut rows = Vec::new();
    for (name, text) in embedded::HOOKS {
        let row: HookRow = serde_json::from_str(text).map_err(|e| format!("hooks/{name}/hook.toml: {e}"))?;
        rows.push((*name, row));
    }
    rows.sort_by_key(|(name, _)| *name);
    let subject: Vec<FieldId> = ids(&catalog, |f| f.of == FieldOf::Subject);
    let hook_id = |name: &str| rows.iter().position(|(n, _)| *n == name).map(|i| HookId(i as u16)).ok_or(format!("unknown hook {name}"));
    let mut all = Vec::new();
    for row in events.event {
        let mut list = subject.clone();
        for name in &row.fields {
            list.push(catalog.field(name).ok_or(format!("unknown field {name}"))?);
        }
        all.push(Event {
            object: object_kind(&row.object)?,
            usual: hook_id(&row.usual)?,
            is_hook: false,
            fields: list,
            name: row.name,
            doc: row.doc,
        });
    }
    for (i, (name, row)) in rows.iter().enumerate() {
        let object = object_kind(&row.object)?;
        let mut list = subject.clone();
        if object == ObjectKind::Path {
            list.extend(ids(&catalog, |f| f.of == FieldOf::Object && f.name.starts_with("file.")));
        }
        for field in &row.fields {
            list.push(catalog.field(field).ok_or(format!("unknown field {field}"))?);
        }
        all.push(Event {
            name: format!("hook.{name}"),
            object,
            usual: HookId(i as u16),
            is_hook: true,
            fields: list,
            doc: row.doc.clone(),
        });
    }
    catalog.events = all;
    let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
    for (name, row) in rows {
        let hook = hook(&catalog, &names, name, row)?;
        catalog.hooks.push(hook);
    }
    Ok(catalog)
}

fn ids(catalog: &Catalog, keep: impl Fn(&Field) -> bool) -> Vec<FieldId> {
    catalog.fields.iter().enumerate().filter(|(_, f)| keep(f)).map(|(i, _)| FieldId(i as u16)).collect()
}

fn object_kind(text: &str) -> Result<ObjectKind, String> {
    match text {
        "path" => Ok(ObjectKind::Path),
        "net" => Ok(ObjectKind::Net),
        "nothing" => Ok(ObjectKind::Nothing),
        other => Err(format!("unknown object kind {other}")),
    }
}

fn field(row: FieldRow) -> Result<Field, String> {
    let ty = match row.ty.as_str() {
        "path" => FieldType::Path,
        "comm" => FieldType::Comm,
        "name" => FieldType::Name,
        "bool" => FieldType::Bool,
        "ip" => FieldType::Ip,
        "port" => FieldType::Port,
        "uid" => FieldType::Uid,
        "gid" => FieldType::Gid,
        "mode" => FieldType::Mode,
        other => FieldType::Enum(other.strip_prefix("enum ").ok_or(format!("unknown type {other}"))?.to_owned()),
    };
    let of = match row.of.as_str() {
        "subject" => FieldOf::Subject,
        "object" => FieldOf::Object,
        "operation" => FieldOf::Operation,
        other => return Err(format!("unknown owner {other}")),
    };
    let FieldRow { name, many, identity, host, may_fail, cost, doc, parts, .. } = row;
    Ok(Field { name, ty, of, many, identity, host, may_fail, cost, doc, parts })
}

fn fact(name: &str) -> (String, bool) {
    match name.strip_prefix('!') {
        Some(rest) => (rest.to_owned(), false),
        None => (name.to_owned(), true),
    }
}

/// The hooks whose operation a call goes on with; `*` is all of them.
fn follows(names: &[&str], name: &str, row: &FollowsRow) -> Result<Follows, String> {
    let mut hooks = 0;
    for wanted in &row.hooks {
        let bits = match names.iter().position(|n| n == wanted) {
            Some(index) => 1u64 << index,
            None if wanted == "*" => u64::MAX,
            None => return Err(format!("{name}: unknown hook {wanted}")),
        };
        hooks |= bits;
    }
    Ok(Follows { hooks, when: row.when.iter().map(|f| fact(f)).collect(), same_object: row.same_object })
}

fn hook(catalog: &Catalog, names: &[&str], name: &str, row: HookRow) -> Result<Hook, String> {
    let event = |event: &str| catalog.event(event).ok_or(format!("{name}: unknown event {event}"));
    let mut raises = Vec::new();
    for raise in &row.raise {
        let object = match &raise.object {
            Some(wanted) => row.objects.iter().position(|o| o.name == *wanted).ok_or(format!("{name}: unknown object {wanted}"))?,
            None if row.objects.is_empty() => 0,
            None => return Err(format!("{name}: a raise names no object")),
        };
        raises.push(Raise { event: event(&raise.event)?, object, when: raise.when.iter().map(|f| fact(f)).collect() });
    }
    let silent_when: Vec<_> = row.silent_when.iter().map(|f| fact(f)).collect();
    let follows = row.follows.iter().map(|f| follows(names, name, f)).collect::<Result<Vec<_>, _>>()?;
    for (used, _) in follows.iter().flat_map(|f| &f.when) {
        let own = format!(".macro {name}__fact_{}\n", used.replace('.', "_"));
        if !crate::hook_assembly(name).is_some_and(|(_, text)| text.contains(&own)) {
            return Err(format!("{name}: unknown fact {used}"));
        }
    }
    for (used, _) in raises.iter().flat_map(|r| &r.when).chain(&silent_when) {
        if !row.facts.contains(used) {
            return Err(format!("{name}: unknown fact {used}"));
        }
    }
    if row.objects.is_empty() != (row.object == "nothing") {
        return Err(format!("{name}: objects of no kind, or of a kind that has none"));
    }
    let mut objects = Vec::new();
    for (i, object) in row.objects.iter().enumerate() {
        let path_of = match &object.path_of {
            None => i,
            Some(other) => row.objects.iter().position(|o| o.name == *other).ok_or(format!("{name}: unknown object {other}"))?,
        };
        let used = object.path_when.iter().chain(&object.host_unless);
        if let Some(fact) = used.into_iter().find(|fact| !row.facts.contains(fact)) {
            return Err(format!("{name}: unknown fact {fact}"));
        }
        objects.push(HookObject {
            name: object.name.clone(),
            exists: object.exists,
            each_mount: object.each_mount,
            shown: object.shown,
            path_of,
            path_when: object.path_when.clone(),
            host_unless: object.host_unless.clone(),
            by_its_mount: object.by_its_mount,
        });
    }
    let pair = match &row.pair {
        Some([first, second]) => {
            let index = |wanted: &str| row.objects.iter().position(|o| o.name == wanted).ok_or(format!("{name}: unknown object {wanted}"));
            Some((index(first)?, index(second)?))
        }
        None => None,
    };
    let (major, minor) = row.first_kernel.split_once('.').ok_or(format!("{name}: bad kernel"))?;
    let number = |text: &str| text.parse::<u16>().map_err(|_| format!("{name}: bad kernel"));
    Ok(Hook {
        name: name.to_owned(),
        doc: row.doc,
        first_kernel: (number(major)?, number(minor)?),
        object: object_kind(&row.object)?,
        fast: row.fast,
        executes: row.executes,
        maps: row.maps,
        objects,
        facts: row.facts,
        silent_when,
        pair,
        follows,
        raises,
        event: event(&format!("hook.{name}"))?,
    })
}
