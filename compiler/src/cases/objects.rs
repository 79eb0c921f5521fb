//! What an operation has that its line does not say: usual facts, other objects, and by which paths the host shows them.

use super::Draft;
use crate::hir::{FileAttributes, Object, PathValue};
use ebsec_templates::{Catalog, EventId, FieldId, FieldOf, Hook, ObjectKind};

/// What a file has if the test does not say.
pub(super) const USUAL_FILE: FileAttributes = FileAttributes { mode: 0o644, owner: 0, memfd: false };

pub(super) fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Fields of the operation that a hook has, with the last word of their names.
pub(super) fn operation_fields<'c>(catalog: &'c Catalog, hook: &Hook) -> impl Iterator<Item = (FieldId, &'c str)> {
    let fields = catalog[hook.event].fields.iter();
    fields.filter(|f| catalog[**f].of == FieldOf::Operation).map(|f| (*f, last(&catalog[*f].name)))
}

/// The facts without which the hook would not raise the event; for the hook's own event those of the intent that it
/// serves, if it is one: `hook.mmap_file` in a test maps what can be run.
pub(super) fn usual_facts(hook: &Hook, event: EventId) -> Vec<String> {
    let mut intents = hook.raises.iter().map(|r| r.event).filter(|e| *e != hook.event);
    let own = event == hook.event && hook.object == ObjectKind::Path;
    let only = intents.next().filter(|first| own && intents.all(|e| e == *first));
    let raise = hook.raises.iter().filter(|r| r.event == only.unwrap_or(event)).min_by_key(|r| r.when.len());
    let needed = raise.into_iter().flat_map(|r| &r.when).filter(|(_, wanted)| *wanted);
    let loud = hook.silent_when.iter().filter(|(_, silent)| !*silent);
    needed.chain(loud).map(|(fact, _)| fact.clone()).collect()
}

/// The paths by which the host shows an object: those that the test gives; else the host's processes see what it sees, and
/// a container has files of its own. In a container that a user made they count beside the path that it has there, and
/// having none does.
pub(super) fn outside(object: &mut Object, draft: &Draft<'_>, on_the_host: bool, of_a_user: bool) {
    let own = || if on_the_host { vec![object.path.clone()] } else { Vec::new() };
    let given = draft.host_paths.clone().filter(|_| object.path == draft.object.path);
    let known = matches!(object.path, PathValue::Known(_));
    object.host_paths = given.unwrap_or_else(|| if known { own() } else { Vec::new() });
    if known && of_a_user {
        let names = if object.host_paths.is_empty() { vec![PathValue::Absent] } else { object.host_paths.clone() };
        object.other_paths = names.into_iter().filter(|name| *name != object.path).collect();
    }
}

/// The objects of an operation: the one that the step names, the new name, and what the facts bring with them.
pub(super) fn objects(draft: &Draft<'_>) -> Vec<Option<Object>> {
    let new_name = draft.target.clone().map(|path| Object { path, ..Object::default() });
    let holds = |(fact, wanted): &(String, bool)| draft.facts.contains(fact) == *wanted;
    let mut all = Vec::new();
    for (i, object) in draft.hook.objects.iter().enumerate() {
        all.push(match i {
            0 => Some(draft.object.clone()),
            1 => new_name.clone().map(|new| Object { file: object.exists.then_some(USUAL_FILE), ..new }),
            _ => {
                let takes_part = draft.hook.raises.iter().any(|r| r.object == i && r.when.iter().all(holds));
                // What stood at the new name exists; what goes back to the old name is a name only.
                let path = if object.exists { draft.target.clone() } else { Some(draft.object.path.clone()) };
                takes_part.then(|| Object {
                    path: path.unwrap_or_default(),
                    file: object.exists.then_some(USUAL_FILE),
                    ..Object::default()
                })
            }
        });
    }
    all
}
