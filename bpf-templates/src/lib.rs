//! The hook contracts, events and fields of the policy language as typed data, read once from the embedded files.
//! Gives no behaviour: what is raised and asked is decided by the data; never does input or output.
#![forbid(unsafe_code)]

mod embedded;
mod load;
mod schema;
mod types;

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub use schema::{Schema, SchemaField, SchemaStruct, SchemaType, schema};
pub use types::{KernelMember, KernelStruct, KernelType, KernelTypes, Resolved, kernel_types};

/// Index into [`Catalog::fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub u16);

/// Index into [`Catalog::events`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u16);

/// Index into [`Catalog::hooks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HookId(pub u16);

/// Type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A path, tested by sets of patterns.
    Path,
    /// A task's name, 15 bytes.
    Comm,
    /// A name of the kernel's own, 31 bytes.
    Name,
    /// True or false.
    Bool,
    /// An address, IPv4 or IPv6.
    Ip,
    /// 0 to 65535.
    Port,
    /// User id.
    Uid,
    /// Group id.
    Gid,
    /// Permission bits.
    Mode,
    /// One of the values of [`Catalog::enums`].
    Enum(String),
}

/// What a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldOf {
    /// The process; every event has it.
    Subject,
    /// The object of the elementary event.
    Object,
    /// The hook call.
    Operation,
}

/// A field of the language.
#[derive(Clone, Debug)]
pub struct Field {
    /// Full name, for example `process.exe`.
    pub name: String,
    /// Type.
    pub ty: FieldType,
    /// What it belongs to.
    pub of: FieldOf,
    /// Many values: `!=` is an error, `==` means "one of them".
    pub many: bool,
    /// Rule 18 applies where its being true loosens a verdict: what is not trusted is unknown there, or false for a boolean.
    pub identity: bool,
    /// Of a path: the one by which the host shows the object, not the subject.
    pub host: bool,
    /// The value of a number or an address can be one that cannot be told; a path always can.
    pub may_fail: bool,
    /// Measured guest instructions; layers are ordered by it.
    pub cost: u32,
    /// One sentence.
    pub doc: String,
    /// `name`, `dir`, `ext`, `unresolved`, `deleted`: which parts exist (paths only).
    pub parts: Vec<String>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A file by path.
    Path,
    /// The other side of a socket.
    Net,
    /// Nothing: the operation has no object.
    Nothing,
}

/// An intent or a hook's own event.
#[derive(Clone, Debug)]
pub struct Event {
    /// `file.read` or `hook.file_open`.
    pub name: String,
    /// What it is about.
    pub object: ObjectKind,
    /// The hook whose own event this is, or for an intent the hook that a test line stands for.
    pub usual: HookId,
    /// True for `hook.*`.
    pub is_hook: bool,
    /// Fields that a condition may ask, subject fields included.
    pub fields: Vec<FieldId>,
    /// One sentence.
    pub doc: String,
}

/// How a hook's walks of paths are made fast. Both cost verifiers time in each program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FastWalk {
    /// All in one piece: for what is called all the time.
    Inline,
    /// A function for each name: a few hundred instructions more, a fifth to verify.
    Called,
}

/// An object of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookObject {
    /// Its name within the contract.
    pub name: String,
    /// False for a new name: attributes of a file are absent.
    pub exists: bool,
    /// The hook gives no mount: each path through a mount of the caller's namespace is an object.
    pub each_mount: bool,
    /// False: the hook tells that there is an address, not which: neither it nor its port can be told.
    pub shown: bool,
    /// Index of the object whose path this one has (its own, or an earlier one's).
    pub path_of: usize,
    /// The fact without which it has no path and no attributes.
    pub path_when: Option<String>,
    /// The fact with which the host has no path for it, whatever its path is.
    pub host_unless: Option<String>,
    /// Its path is the one in the namespace of the mount that the hook shows, whatever the subject's namespace calls it.
    pub by_its_mount: bool,
}

/// One elementary event that a hook raises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raise {
    /// Which event.
    pub event: EventId,
    /// Index into [`Hook::objects`]; 0 where the hook has none.
    pub object: usize,
    /// Facts that must hold (`!` in the data is `false` here).
    pub when: Vec<(String, bool)>,
}

/// When a call of a hook goes on with an operation that another call began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follows {
    /// The hooks that were its steps before, a bit for each by its index in [`Catalog::hooks`].
    pub hooks: u64,
    /// Facts that must hold; they need not be among [`Hook::facts`], which decide what is raised.
    pub when: Vec<(String, bool)>,
    /// Only for the object of the step before.
    pub same_object: bool,
}

/// A hook's contract.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The kernel's name, without `lsm/`.
    pub name: String,
    /// One sentence.
    pub doc: String,
    /// First kernel that has it, (major, minor).
    pub first_kernel: (u16, u16),
    /// What its objects are.
    pub object: ObjectKind,
    /// Its object is what the task runs next: its path is asked as a program's too.
    pub executes: bool,
    /// Its object is being mapped.
    pub maps: bool,
    /// How its walks of paths are made fast; `None` for hooks that are called rarely.
    pub fast: Option<FastWalk>,
    /// Objects in order.
    pub objects: Vec<HookObject>,
    /// Names of the facts.
    pub facts: Vec<String>,
    /// The hook raises nothing when one of these facts holds as given.
    pub silent_when: Vec<(String, bool)>,
    /// The two objects that are the old and the new name of one file: a report has both.
    pub pair: Option<(usize, usize)>,
    /// Which calls are one operation with a call before.
    pub follows: Vec<Follows>,
    /// What it raises otherwise.
    pub raises: Vec<Raise>,
    /// The hook's own event.
    pub event: EventId,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Fields, in the order of the data.
    pub fields: Vec<Field>,
    /// Intents in the order of the data, then hook events by name.
    pub events: Vec<Event>,
    /// Hooks by name.
    pub hooks: Vec<Hook>,
    /// Values of enum types: type name -> value name -> number.
    pub enums: BTreeMap<String, BTreeMap<String, u64>>,
    /// Fields of the language that are not built yet.
    pub planned_fields: Vec<String>,
    /// Events of the language that are not built yet.
    pub planned_events: Vec<String>,
}

impl Catalog {
    /// Finds a field by its full name.
    pub fn field(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|f| f.name == name).map(|i| FieldId(i as u16))
    }
    /// Finds an event by its name.
    pub fn event(&self, name: &str) -> Option<EventId> {
        self.events.iter().position(|e| e.name == name).map(|i| EventId(i as u16))
    }
    /// Finds a hook by the kernel's name.
    pub fn hook(&self, name: &str) -> Option<HookId> {
        self.hooks.iter().position(|h| h.name == name).map(|i| HookId(i as u16))
    }
}

impl std::ops::Index<FieldId> for Catalog {
    type Output = Field;
    #[expect(clippy::indexing_slicing, reason = "ids are made by the catalog alone")]
    fn index(&self, id: FieldId) -> &Field {
        &self.fields[usize::from(id.0)]
    }
}
impl std::ops::Index<EventId> for Catalog {
    type Output = Event;
    #[expect(clippy::indexing_slicing, reason = "ids are made by the catalog alone")]
    fn index(&self, id: EventId) -> &Event {
        &self.events[usize::from(id.0)]
    }
}
impl std::ops::Index<HookId> for Catalog {
    type Output = Hook;
    #[expect(clippy::indexing_slicing, reason = "ids are made by the catalog alone")]
    fn index(&self, id: HookId) -> &Hook {
        &self.hooks[usize::from(id.0)]
    }
}

/// The catalog of this build.
#[expect(clippy::expect_used, reason = "the data is embedded; a test parses it")]
pub fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| load::load().expect("embedded catalog is well formed"))
}

/// All assembly of this build, what hooks share first, then the hooks' own by name: (file name, text), see `asm/` and `hooks/`.
pub fn assembly() -> impl Iterator<Item = (&'static str, &'static str)> {
    embedded::ASSEMBLY.iter().copied().chain(embedded::HOOK_ASSEMBLY.iter().map(|(_, file, text)| (*file, *text)))
}

/// Assembly text of a hook: (file name, text), or nothing for an unknown hook.
pub fn hook_assembly(name: &str) -> Option<(&'static str, &'static str)> {
    embedded::HOOK_ASSEMBLY.iter().find(|(n, _, _)| *n == name).map(|(_, f, t)| (*f, *t))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The data as it is embedded.
    pub(crate) fn json(toml: &str) -> String {
        serde_json::to_string(&toml::from_str::<toml::Table>(toml).unwrap()).unwrap()
    }

    #[test]
    fn every_hook_of_an_intent_has_the_fields_of_the_intent() {
        let catalog = catalog();
        for hook in &catalog.hooks {
            for raise in &hook.raises {
                for field in &catalog[raise.event].fields {
                    assert!(
                        catalog[hook.event].fields.contains(field),
                        "{} raises {} but lacks {}",
                        hook.name,
                        catalog[raise.event].name,
                        catalog[*field].name
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_planned_is_not_built() {
        let catalog = catalog();
        let built = |name: &String| catalog.fields.iter().any(|f| f.name == *name) || catalog.events.iter().any(|e| e.name == *name);
        let both: Vec<&String> = catalog.planned_fields.iter().chain(&catalog.planned_events).filter(|name| built(name)).collect();
        assert!(both.is_empty(), "remove from `[planned]`: {both:?}");
    }

    /// A program's mask of hooks is one word (`codegen::program`).
    #[test]
    fn hooks_fit_into_a_word() {
        assert!(catalog().hooks.len() <= 64);
    }
}
