//! Parsed files in, tables of names out: modules, imports, constants, functions, policies and their labels; the names of the
//! catalog; and what a use of a name can mean. Looks at no types and evaluates nothing.

pub mod catalog;
pub(crate) mod habits;
mod library;
mod load;
mod uses;

pub use catalog::{FieldName, Index, PARTS, Part};
pub use library::{MODULES, module_names};
pub use load::{Loaded, ParsedFile, load};
pub use uses::{Target, Use, WordOf};

use crate::diag::{Finding, Findings, codes};
use crate::source::{FileId, Loc, PartId};
use ebsec_grammar::{Entry as Written, PartKind, ast};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;

/// Index into [`Names::modules`]; 0 is the package that is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub u32);

/// The package that is built.
pub const ROOT: ModuleId = ModuleId(0);

/// Index into [`Names::defs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefId(pub u32);

/// Index into [`Names::policies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyId(pub u32);

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub enum DefKind<'a> {
    /// `let`
    Let(Option<&'a ast::Type>, &'a ast::Value),
    /// `param`
    Param(&'a ast::Type, Option<&'a ast::Value>),
    /// `fn`
    Fn(&'a [(ast::Name, ast::Type)], &'a ast::Cond),
    /// `mark`
    Mark,
    /// Any of them that could not be read. That has been said, and uses of it say nothing more.
    Broken,
}

/// A constant, parameter, function or mark.
#[derive(Clone, Copy, Debug)]
pub struct Def<'a> {
    /// Its name.
    pub name: &'a ast::Name,
    /// Where it is defined.
    pub module: ModuleId,
    /// Index into [`Names::files`].
    pub file: usize,
    /// The part that holds it.
    pub part: PartId,
    /// What it is.
    pub kind: DefKind<'a>,
}

/// A policy as written.
#[derive(Debug)]
pub struct PolicyDef<'a> {
    /// Its name as written.
    pub written: &'a ast::Name,
    /// Its members, each with its part.
    pub members: Vec<(PartId, &'a ast::Member)>,
    /// It could not be read: nothing is known of its members.
    pub broken: bool,
    /// Module.
    pub module: ModuleId,
    /// Index into [`Names::files`].
    pub file: usize,
    /// The part of its head.
    pub part: PartId,
    /// `nginx`, `std.credentials.shadow`.
    pub name: String,
    /// Labels of its rules -> index of the member.
    pub labels: FxHashMap<&'a str, usize>,
    /// Events that have a default.
    pub defaults: FxHashSet<&'a str>,
    /// A default could not be read, or nothing of the policy: there may be one of any event.
    pub broken_default: bool,
}

/// A module's names.
#[derive(Debug, Default)]
pub struct Module<'a> {
    /// Empty for the package that is built.
    pub name: String,
    /// Constants, parameters, functions, marks.
    pub defs: FxHashMap<&'a str, DefId>,
    /// Policies.
    pub policies: FxHashMap<&'a str, PolicyId>,
}

/// A file's place in the package and what it imports.
#[derive(Debug)]
pub struct FileScope {
    /// Id in the sources.
    pub id: FileId,
    /// Module.
    pub module: ModuleId,
    /// Name before the dot -> module.
    pub imports: FxHashMap<String, ModuleId>,
    /// Names before the dot whose modules do not exist.
    pub failed: FxHashSet<String>,
}

/// All names of a compilation.
#[derive(Debug, Default)]
pub struct Names<'a> {
    /// Files, in the order of loading.
    pub files: Vec<FileScope>,
    /// Modules.
    pub modules: Vec<Module<'a>>,
    /// Definitions in source order.
    pub defs: Vec<Def<'a>>,
    /// Policies in source order.
    pub policies: Vec<PolicyDef<'a>>,
    /// Items that are neither.
    pub others: Vec<Other<'a>>,
    /// Imports: where each names its module.
    pub imports: Vec<Import>,
    /// Policies that an `apply` is about which could not be read.
    pub half_applied: FxHashSet<PolicyId>,
}

/// An import that leads to a module.
#[derive(Clone, Copy, Debug)]
pub struct Import {
    /// The name of the module.
    pub loc: Loc,
    /// The module.
    pub module: ModuleId,
}

/// An item that defines no name, or a mark.
#[derive(Debug)]
pub struct Other<'a> {
    /// Index into [`Names::files`].
    pub file: usize,
    /// The part that holds it, or its head.
    pub part: PartId,
    /// The tree.
    pub item: &'a ast::Item,
    /// The lines of a test, each with its part.
    pub lines: Vec<(PartId, &'a ast::TestLine)>,
}

/// What a dotted name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// It.
    Here(T),
    /// The module is known, the name in it is not.
    NotIn(ModuleId),
    /// What stands before the dot is a module that the file does not import.
    NotImported,
    /// What stands before the dot should be a module whose import failed; that has been said.
    Failed,
    /// Nothing of the kind.
    Nothing,
}

impl<'a> Names<'a> {
    /// The definition of an id.
    #[must_use]
    pub fn def(&self, id: DefId) -> Option<&Def<'a>> {
        self.defs.get(id.0 as usize)
    }

    /// The policy of an id.
    #[must_use]
    pub fn policy(&self, id: PolicyId) -> Option<&PolicyDef<'a>> {
        self.policies.get(id.0 as usize)
    }

    /// Finds a constant, parameter, function or mark as a file sees it.
    #[must_use]
    pub fn find(&self, file: usize, name: &str) -> Found<DefId> {
        self.find_with(file, name, |module, name| module.defs.get(name).copied())
    }

    /// Finds a policy as a file sees it.
    #[must_use]
    pub fn find_policy(&self, file: usize, name: &str) -> Found<PolicyId> {
        self.find_with(file, name, |module, name| module.policies.get(name).copied())
    }

    fn find_with<T>(&self, file: usize, name: &str, get: impl Fn(&Module<'a>, &str) -> Option<T>) -> Found<T> {
        let Some(scope) = self.files.get(file) else { return Found::Nothing };
        let (module, last) = match name.rsplit_once('.') {
            None => (Some(scope.module), name),
            Some((before, last)) => match scope.imports.get(before) {
                Some(module) => (Some(*module), last),
                None if scope.failed.contains(before) => return Found::Failed,
                None if library::text(before).is_some() => return Found::NotImported,
                None => (None, last),
            },
        };
        let Some(module) = module else { return Found::Nothing };
        match self.modules.get(module.0 as usize).and_then(|m| get(m, last)) {
            Some(found) => Found::Here(found),
            None => Found::NotIn(module),
        }
    }

    /// Where a definition's name stands.
    #[must_use]
    pub fn def_loc(&self, id: DefId) -> Loc {
        self.def(id).map_or(Loc::default(), |d| Loc::new(d.part, d.name.span))
    }
}

/// Collects the names of all files. Duplicates are reported at the later place.
#[must_use]
pub fn resolve<'a>(loaded: &'a Loaded, diagnostics: &mut Findings) -> Names<'a> {
    let mut names = Names::default();
    for name in &loaded.modules {
        names.modules.push(Module { name: name.clone(), ..Module::default() });
    }
    for file in &loaded.files {
        names.imports.extend(file.named.iter().map(|(loc, module)| Import { loc: *loc, module: *module }));
        names.files.push(FileScope { id: file.id, module: file.module, imports: file.imports.clone(), failed: file.failed.clone() });
    }
    let mut half_applied = Vec::new();
    for (index, file) in loaded.files.iter().enumerate() {
        for written in file.tree.items() {
            if let ast::ItemKind::Broken { kind: PartKind::Apply, name: Some(name) } = &written.item.kind {
                half_applied.push((index, name));
            } else {
                names.item(index, file, written, diagnostics);
            }
        }
    }
    for (file, name) in half_applied {
        if let Found::Here(policy) = names.find_policy(file, &name.node) {
            names.half_applied.insert(policy);
        }
    }
    names
}

impl<'a> Names<'a> {
    fn item(&mut self, index: usize, file: &'a ParsedFile, written: Written<'a>, diagnostics: &mut Findings) {
        let (part, item) = (file.part(written.part), written.item);
        let (name, kind) = match &item.kind {
            ast::ItemKind::Let { name, ty, value } => (name, DefKind::Let(ty.as_ref(), value)),
            ast::ItemKind::Param { name, ty, default } => (name, DefKind::Param(ty, default.as_ref())),
            ast::ItemKind::Fn { name, args, body } => (name, DefKind::Fn(args, body)),
            ast::ItemKind::Mark { name, .. } => (name, DefKind::Mark),
            ast::ItemKind::Policy(policy) => {
                let members = written.members.into_iter().map(|(at, member)| (file.part(at), member)).collect();
                return self.policy_item(index, file.module, part, &policy.name, Some(members), diagnostics);
            }
            ast::ItemKind::Broken { kind: PartKind::Policy, name: Some(name) } => {
                return self.policy_item(index, file.module, part, name, None, diagnostics);
            }
            ast::ItemKind::Broken { kind: PartKind::Let | PartKind::Param | PartKind::Fn | PartKind::Mark, name: Some(name) } => {
                (name, DefKind::Broken)
            }
            _ => {
                let lines = written.lines.into_iter().map(|(at, line)| (file.part(at), line)).collect();
                return self.others.push(Other { file: index, part, item, lines });
            }
        };
        if matches!(kind, DefKind::Mark) {
            self.others.push(Other { file: index, part, item, lines: Vec::new() });
        }
        self.define(Def { name, module: file.module, file: index, part, kind }, diagnostics);
    }

    fn define(&mut self, def: Def<'a>, diagnostics: &mut Findings) {
        let id = DefId(self.defs.len() as u32);
        self.defs.push(def);
        let Some(module) = self.modules.get_mut(def.module.0 as usize) else { return };
        match module.defs.entry(&def.name.node) {
            Entry::Vacant(slot) => drop(slot.insert(id)),
            Entry::Occupied(mut slot) => {
                let first = *slot.get();
                let is_broken = |id: DefId| self.defs.get(id.0 as usize).is_some_and(|d| matches!(d.kind, DefKind::Broken));
                if is_broken(first) {
                    slot.insert(id);
                } else if !is_broken(id) {
                    diagnostics.push(twice(self.def_loc(id), &def.name.node, self.def_loc(first)));
                }
            }
        }
    }

    /// A policy with its members, or one that could not be read.
    fn policy_item(
        &mut self,
        file: usize,
        module: ModuleId,
        part: PartId,
        written: &'a ast::Name,
        members: Option<Vec<(PartId, &'a ast::Member)>>,
        diagnostics: &mut Findings,
    ) {
        let broken = members.is_none();
        let members = members.unwrap_or_default();
        let (labels, defaults) = (labels(&members, diagnostics), defaults(&members));
        let broken_default =
            broken || members.iter().any(|(_, m)| matches!(m.kind, ast::MemberKind::Broken { kind: PartKind::Default, .. }));
        let id = PolicyId(self.policies.len() as u32);
        let Some(owner) = self.modules.get_mut(module.0 as usize) else { return };
        let name = if owner.name.is_empty() { written.node.clone() } else { format!("{}.{}", owner.name, written.node) };
        let first = match owner.policies.entry(&written.node) {
            Entry::Vacant(slot) => {
                slot.insert(id);
                None
            }
            Entry::Occupied(slot) => Some(*slot.get()),
        };
        if let Some(first) = first.and_then(|id| self.policy(id)).filter(|first| !broken && !first.broken) {
            let place = Loc::new(first.part, first.written.span);
            diagnostics.push(twice(Loc::new(part, written.span), &written.node, place));
        }
        self.policies.push(PolicyDef { written, members, broken, module, file, part, name, labels, defaults, broken_default });
    }
}

impl PolicyDef<'_> {
    /// Whether the policy has a rule of this label, as far as is known.
    #[must_use]
    pub fn may_have(&self, label: &str) -> bool {
        self.broken || self.labels.contains_key(label)
    }

    /// Whether it has a default of this event, as far as is known.
    #[must_use]
    pub fn may_default(&self, event: &str) -> bool {
        self.broken_default || self.defaults.contains(event)
    }

    /// Whether it has any default, as far as is known.
    #[must_use]
    pub fn may_have_defaults(&self) -> bool {
        self.broken_default || !self.defaults.is_empty()
    }
}

/// Events that have a default.
fn defaults<'a>(members: &[(PartId, &'a ast::Member)]) -> FxHashSet<&'a str> {
    let events = members.iter().filter_map(|(_, member)| match &member.kind {
        ast::MemberKind::Default { events, .. } => Some(events),
        _ => None,
    });
    events.flatten().map(|event| event.node.as_str()).collect()
}

/// Labels of rules with the index of the member. Duplicates are reported at the later place.
fn labels<'a>(members: &[(PartId, &'a ast::Member)], diagnostics: &mut Findings) -> FxHashMap<&'a str, usize> {
    let mut labels: FxHashMap<&str, usize> = FxHashMap::default();
    let good = |index: usize| match members.get(index).map(|(part, member)| (part, &member.kind)) {
        Some((part, ast::MemberKind::Rule(rule))) => Some(Loc::new(*part, rule.label.span)),
        _ => None,
    };
    for (index, (part, member)) in members.iter().enumerate() {
        let name = match &member.kind {
            ast::MemberKind::Rule(rule) => &rule.label,
            ast::MemberKind::Broken { kind: PartKind::Rule, name: Some(name) } => name,
            _ => continue,
        };
        match labels.entry(&name.node) {
            Entry::Vacant(slot) => drop(slot.insert(index)),
            Entry::Occupied(mut slot) => match (good(*slot.get()), good(index)) {
                (Some(first), Some(_)) => {
                    let again = twice(Loc::new(*part, name.span), &name.node, first);
                    diagnostics.push(again.note("reports, tests and exceptions name rules by their label"));
                }
                (None, _) => drop(slot.insert(index)),
                _ => {}
            },
        }
    }
    labels
}

fn twice(loc: Loc, name: &str, first: Loc) -> Finding {
    Finding::error(codes::DUPLICATE, loc, format!("`{name}` is defined twice")).label("again here").related(first, "first here")
}
