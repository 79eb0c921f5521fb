//! Which definitions and imports a package's own files use. Takes a context, gives the sets.

use super::context::Context;
use super::is_own;
use crate::resolve::{DefId, Target};
use crate::source::FileId;
use rustc_hash::{FxHashMap, FxHashSet};

/// What is used.
#[derive(Default)]
pub(super) struct Uses<'a> {
    pub defs: FxHashSet<DefId>,
    /// By file, the names before the dot.
    pub imports: FxHashSet<(usize, &'a str)>,
}

/// Everything that the package's own files use.
pub(super) fn of<'a>(cx: &Context<'a>) -> Uses<'a> {
    let (names, mut uses) = (cx.names, Uses::default());
    let files = names.files.iter().enumerate().filter(|(index, _)| is_own(names, *index));
    let files: FxHashMap<FileId, usize> = files.map(|(index, file)| (file.id, index)).collect();
    for one in cx.typed.uses() {
        let Some(&file) = files.get(&cx.sources.place(one.loc).file) else { continue };
        match one.target {
            Target::Def(id) => {
                uses.defs.insert(id);
            }
            Target::Policy(_) | Target::Rule(..) | Target::Default(..) => {}
            _ => continue,
        }
        // A policy's name may be followed by a rule's: each dot may end the import.
        let (name, imports) = (cx.sources.slice(one.loc), names.files.get(file).map(|f| &f.imports));
        let dots = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
        uses.imports.extend(dots.filter(|before| imports.is_some_and(|all| all.contains_key(*before))).map(|before| (file, before)));
    }
    uses
}
