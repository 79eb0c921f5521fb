//! Parsed files in, tables of names out: modules, imports, constants, functions, policies and their labels. Looks at no
//! types and evaluates nothing.

mod library;
mod load;

pub use library::{MODULES, module_names};
pub use load::{Loaded, ParsedFile, load};

use crate::diag::{Finding, Findings, codes};
use crate::source::{FileId, Loc, Span};
use ebsec_grammar::ast;
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
    /// What it is.
    pub kind: DefKind<'a>,
}

/// A policy as written.
#[derive(Debug)]
pub struct PolicyDef<'a> {
    /// The tree.
    pub tree: &'a ast::Policy,
    /// Module.
    pub module: ModuleId,
    /// Index into [`Names::files`].
    pub file: usize,
    /// `nginx`, `std.credentials.shadow`.
    pub name: String,
    /// Labels of its rules -> index of the member.
    pub labels: FxHashMap<&'a str, usize>,
    /// Events that have a default.
    pub defaults: FxHashSet<&'a str>,
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
    /// Items that are neither: (index of the file, item).
    pub others: Vec<(usize, &'a ast::Item)>,
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

    /// The place of a span in a file of [`Self::files`].
    #[must_use]
    pub fn loc(&self, file: usize, span: Span) -> Loc {
        Loc::new(self.files.get(file).map_or(FileId::default(), |f| f.id), span)
    }

    /// Where a definition's name stands.
    #[must_use]
    pub fn def_loc(&self, id: DefId) -> Loc {
        self.def(id).map_or(Loc::default(), |d| self.loc(d.file, d.name.span))
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
        names.files.push(FileScope { id: file.id, module: file.module, imports: file.imports.clone(), failed: file.failed.clone() });
    }
    for (index, file) in loaded.files.iter().enumerate() {
        for item in &file.tree.items {
            names.item(index, file.module, item, diagnostics);
        }
    }
    names
}

impl<'a> Names<'a> {
    fn item(&mut self, file: usize, module: ModuleId, item: &'a ast::Item, diagnostics: &mut Findings) {
        let (name, kind) = match &item.kind {
            ast::ItemKind::Let { name, ty, value } => (name, DefKind::Let(ty.as_ref(), value)),
            ast::ItemKind::Param { name, ty, default } => (name, DefKind::Param(ty, default.as_ref())),
            ast::ItemKind::Fn { name, args, body } => (name, DefKind::Fn(args, body)),
            ast::ItemKind::Mark { name, .. } => (name, DefKind::Mark),
            ast::ItemKind::Policy(policy) => return self.policy_item(file, module, policy, diagnostics),
            _ => return self.others.push((file, item)),
        };
        if matches!(kind, DefKind::Mark) {
            self.others.push((file, item));
        }
        let id = DefId(self.defs.len() as u32);
        self.defs.push(Def { name, module, file, kind });
        let loc = self.loc(file, name.span);
        let Some(module) = self.modules.get_mut(module.0 as usize) else { return };
        match module.defs.entry(&name.node) {
            Entry::Vacant(slot) => drop(slot.insert(id)),
            Entry::Occupied(slot) => {
                let first = *slot.get();
                diagnostics.push(twice(loc, &name.node, self.def_loc(first)));
            }
        }
    }

    fn policy_item(&mut self, file: usize, module: ModuleId, tree: &'a ast::Policy, diagnostics: &mut Findings) {
        let loc = self.loc(file, tree.name.span);
        let (mut labels, mut defaults) = (FxHashMap::default(), FxHashSet::default());
        for (index, member) in tree.members.iter().enumerate() {
            if let ast::MemberKind::Default { events, .. } = &member.kind {
                defaults.extend(events.iter().map(|e| e.node.as_str()));
            }
            let ast::MemberKind::Rule(rule) = &member.kind else { continue };
            if let Some(first) = labels.insert(rule.label.node.as_str(), index) {
                let place = match tree.members.get(first).map(|m| &m.kind) {
                    Some(ast::MemberKind::Rule(other)) => self.loc(file, other.label.span),
                    _ => loc,
                };
                let name = &rule.label.node;
                diagnostics.push(
                    twice(self.loc(file, rule.label.span), name, place).note("reports, tests and exceptions name rules by their label"),
                );
                labels.insert(name.as_str(), first);
            }
        }
        let id = PolicyId(self.policies.len() as u32);
        let Some(owner) = self.modules.get_mut(module.0 as usize) else { return };
        let name = if owner.name.is_empty() { tree.name.node.clone() } else { format!("{}.{}", owner.name, tree.name.node) };
        let first = match owner.policies.entry(&tree.name.node) {
            Entry::Vacant(slot) => {
                slot.insert(id);
                None
            }
            Entry::Occupied(slot) => Some(*slot.get()),
        };
        if let Some(first) = first.and_then(|id| self.policy(id)) {
            diagnostics.push(twice(loc, &tree.name.node, self.loc(first.file, first.tree.name.span)));
        }
        self.policies.push(PolicyDef { tree, module, file, name, labels, defaults });
    }
}

fn twice(loc: Loc, name: &str, first: Loc) -> Finding {
    Finding::error(codes::DUPLICATE, loc, format!("`{name}` is defined twice")).label("again here").related(first, "first here")
}
