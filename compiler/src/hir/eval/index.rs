//! Which rules may match an operation: a package in, for each event the rules by the paths and programs that their
//! conditions require. Leaves out only rules whose condition is false for certain; never evaluates one.

use crate::hir::glob::{Part, Pattern};
use crate::hir::{Atom, Cond, Object, Operation, Package, PathLang, PathSetId, PathValue, Space, Test};
use ebsec_templates::{EventId, FieldId, catalog};
use rustc_hash::{FxHashMap, FxHashSet};

/// A policy and a rule of it, by their indices.
type At = (usize, usize);

/// The rules of a package by event, and by what they require of the file or the program.
#[derive(Clone, Debug, Default)]
pub struct Index {
    events: FxHashMap<EventId, Rules>,
    /// Sets that have exactly this path.
    exact: FxHashMap<Box<[u8]>, Vec<PathSetId>>,
    /// Sets that have paths beginning with this folder, whose `/` is its last byte.
    folders: FxHashMap<Box<[u8]>, Vec<PathSetId>>,
}

/// The rules of an event.
#[derive(Clone, Debug, Default)]
struct Rules {
    /// Rules that can match any operation.
    any: Vec<At>,
    /// Rules that require the file's path to be in a set.
    by_file: FxHashMap<PathSetId, Vec<At>>,
    /// Rules that require the program's path to be in a set.
    by_program: FxHashMap<PathSetId, Vec<At>>,
}

impl Index {
    /// The index of a package.
    #[must_use]
    pub fn new(package: &Package) -> Self {
        let mut index = Self::default();
        let mut finder = Finder { package, kept: FxHashMap::default() };
        let (file, program) = (catalog().field("file.path"), catalog().field("process.exe"));
        for (p, policy) in package.policies.iter().enumerate() {
            for (r, rule) in policy.rules.iter().enumerate() {
                let rules = index.events.entry(rule.event).or_default();
                if let Some(sets) = finder.required(&rule.cond, file) {
                    sets.into_iter().for_each(|set| rules.by_file.entry(set).or_default().push((p, r)));
                } else if let Some(sets) = finder.required(&rule.cond, program) {
                    sets.into_iter().for_each(|set| rules.by_program.entry(set).or_default().push((p, r)));
                } else {
                    rules.any.push((p, r));
                }
            }
        }
        for (set, keys) in finder.kept {
            for (is_folder, path) in keys.into_iter().flatten() {
                let table = if is_folder { &mut index.folders } else { &mut index.exact };
                table.entry(path).or_default().push(set);
            }
        }
        index
    }

    /// The rules of an event that may match, in any order and each once.
    pub(super) fn rules(&self, event: EventId, operation: &Operation, object: &Object) -> Vec<At> {
        let Some(rules) = self.events.get(&event) else { return Vec::new() };
        let mut all = rules.any.clone();
        let exe = &operation.subject.exe;
        let programs: Vec<&PathValue> = std::iter::once(&exe.path).chain(&exe.other_paths).collect();
        self.add(&rules.by_file, &[&object.path], &mut all);
        self.add(&rules.by_program, &programs, &mut all);
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Adds the rules whose sets may have one of the paths; all of them if one could not be computed.
    fn add(&self, rules: &FxHashMap<PathSetId, Vec<At>>, paths: &[&PathValue], all: &mut Vec<At>) {
        if rules.is_empty() {
            return;
        }
        if paths.iter().any(|path| **path == PathValue::Failed) {
            all.extend(rules.values().flatten());
            return;
        }
        let known = paths.iter().filter_map(|path| if let PathValue::Known(bytes) = path { Some(bytes) } else { None });
        let sets: FxHashSet<PathSetId> = known.flat_map(|path| self.sets(path)).collect();
        all.extend(sets.iter().filter_map(|set| rules.get(set)).flatten());
    }

    /// The sets that may have a path.
    fn sets(&self, path: &[u8]) -> impl Iterator<Item = PathSetId> {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let folders = slashes.filter_map(|(at, _)| self.folders.get(path.get(..=at)?)).flatten();
        self.exact.get(path).into_iter().flatten().chain(folders).copied()
    }
}

/// The paths that a set may have: whether it is a folder, and its bytes.
type Keys = Vec<(bool, Box<[u8]>)>;

/// What conditions require.
struct Finder<'p> {
    package: &'p Package,
    /// The keys of each set that was asked for; none if it may have paths anywhere.
    kept: FxHashMap<PathSetId, Option<Keys>>,
}

impl Finder<'_> {
    /// Sets of which one must have the value of the field, or the condition is false or failed.
    fn required(&mut self, cond: &Cond, field: Option<FieldId>) -> Option<Vec<PathSetId>> {
        match cond {
            Cond::Atom(Atom { field: of, test: Test::InPaths(set), .. }) if Some(*of) == field => self.is_narrow(*set).then(|| vec![*set]),
            Cond::Const(false) => Some(Vec::new()),
            Cond::And(all) => all.iter().find_map(|c| self.required(c, field)),
            Cond::Or(all) => {
                let mut sets = all.iter().map(|c| self.required(c, field)).collect::<Option<Vec<_>>>()?.concat();
                sets.sort_unstable();
                sets.dedup();
                Some(sets)
            }
            Cond::Const(true) | Cond::Atom(_) | Cond::Not(_) => None,
        }
    }

    /// Whether the paths of a set are below some folders.
    fn is_narrow(&mut self, id: PathSetId) -> bool {
        let package = self.package;
        let keys = self.kept.entry(id).or_insert_with(|| {
            let set = package.path_sets.get(id.0 as usize).filter(|set| set.space == Space::Path)?;
            let mut keys = Vec::new();
            collect(&set.lang, &mut keys);
            keys.sort_unstable();
            keys.dedup();
            (!keys.iter().any(|(is_folder, path)| *is_folder && path.len() < 2)).then_some(keys)
        });
        keys.is_some()
    }
}

fn collect(lang: &PathLang, keys: &mut Keys) {
    match lang {
        PathLang::Patterns(all) => keys.extend(all.iter().map(key)),
        PathLang::Union(all) => all.iter().for_each(|lang| collect(lang, keys)),
        PathLang::Minus(from, _) => collect(from, keys),
    }
}

/// The path of a pattern, or the folder that all its paths are below.
fn key(pattern: &Pattern) -> (bool, Box<[u8]>) {
    let bytes = pattern.parts.iter().map_while(|part| if let Part::Byte(byte) = part { Some(*byte) } else { None });
    let mut bytes: Vec<u8> = bytes.collect();
    if bytes.len() == pattern.parts.len() {
        return (false, bytes.into());
    }
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1));
    (true, bytes.into())
}
