//! Parses the package's files and every module of the standard library that they import, directly or through others; and one
//! of the files again after an edit. Syntax errors become diagnostics. Reads no file: the library is embedded.

use super::{ModuleId, ROOT, library};
use crate::diag::{Finding, Findings, codes};
use crate::source::{FileId, Loc, PartId, Sources};
use ebsec_grammar::{PartKind, Reread, Tree, ast};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// A file and what it is part of.
#[derive(Clone, Debug)]
pub struct ParsedFile {
    /// Id in the sources.
    pub id: FileId,
    /// Module.
    pub module: ModuleId,
    /// Its parts.
    pub tree: Arc<Tree>,
    /// Their ids.
    parts: Arc<[PartId]>,
    /// Name before the dot -> module.
    pub imports: FxHashMap<String, ModuleId>,
    /// Names before the dot whose modules do not exist; that has been said.
    pub failed: FxHashSet<String>,
    /// Where each import that leads to a module names it.
    pub named: Vec<(Loc, ModuleId)>,
    /// What is wrong with the imports.
    findings: Vec<Finding>,
}

/// All files of a compilation.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The package's files first.
    pub files: Vec<ParsedFile>,
    /// Names of the modules; the first is the package itself, empty.
    pub modules: Vec<String>,
}

/// Parses the files `roots` of `sources` and what they import; library files are added to `sources`.
#[must_use]
pub fn load(sources: &mut Sources, roots: &[FileId]) -> Loaded {
    let mut loaded = Loaded { files: Vec::new(), modules: vec![String::new()] };
    for root in roots {
        loaded.parse(sources, *root, ROOT);
    }
    let mut next = 0;
    while next < loaded.files.len() {
        loaded.imports(sources, next);
        next += 1;
    }
    loaded
}

impl ParsedFile {
    /// The id of a part, by its index in the tree.
    #[must_use]
    pub fn part(&self, index: usize) -> PartId {
        self.parts.get(index).copied().unwrap_or(self.id.into())
    }
}

impl Loaded {
    /// Says what is wrong with the syntax and the imports of all files.
    pub fn report(&self, diagnostics: &mut Findings) {
        for file in &self.files {
            let errors = file.tree.errors().into_iter();
            diagnostics.extend(errors.map(|found| Finding::syntax(file.part(found.part), found.error)));
        }
        diagnostics.extend(self.files.iter().flat_map(|file| file.findings.iter().cloned()));
    }

    /// The same files with another text of one of them, which `sources` gets too. Parts whose text was there before keep their
    /// ids. `None` if the file is none of these, or if what it imports may be something else.
    #[must_use]
    pub fn edited(&self, sources: &mut Sources, id: FileId, text: &Arc<str>) -> Option<Self> {
        let index = self.files.iter().position(|file| file.id == id)?;
        let old = self.files.get(index)?;
        let Reread { tree, before } = ebsec_grammar::reparse(&old.tree, Arc::clone(text));
        let imports_before = (0..).zip(old.tree.parts()).filter(|(_, part)| imports(part)).map(|(at, _)| Some(at));
        if !before.iter().zip(tree.parts()).filter(|(_, part)| imports(part)).map(|(before, _)| *before).eq(imports_before) {
            return None;
        }
        sources.set_text(id, Arc::clone(text));
        let kept = |before: Option<usize>| before.and_then(|at| old.parts.get(at)).copied();
        let starts = tree.parts().iter().map(|part| part.piece.span.start);
        let parts = starts.zip(before).map(|(start, before)| match kept(before) {
            Some(part) => {
                sources.move_part(part, start);
                part
            }
            None => sources.add_part(id, start),
        });
        let parts = parts.collect();
        let mut files = self.files.clone();
        if let Some(file) = files.get_mut(index) {
            (file.tree, file.parts) = (Arc::new(tree), parts);
        }
        Some(Self { files, modules: self.modules.clone() })
    }

    fn parse(&mut self, sources: &mut Sources, id: FileId, module: ModuleId) {
        let Some(file) = sources.get(id) else { return };
        let tree = ebsec_grammar::parse_shared(Arc::clone(&file.text));
        let parts = tree.parts().iter().map(|part| sources.add_part(id, part.piece.span.start)).collect();
        self.files.push(ParsedFile {
            id,
            module,
            tree: Arc::new(tree),
            parts,
            imports: FxHashMap::default(),
            failed: FxHashSet::default(),
            named: Vec::new(),
            findings: Vec::new(),
        });
    }

    fn imports(&mut self, sources: &mut Sources, index: usize) {
        let Some(file) = self.files.get(index) else { return };
        let (mut wanted, mut broken) = (Vec::new(), Vec::new());
        for entry in file.tree.items() {
            match &entry.item.kind {
                ast::ItemKind::Import { path, alias } => wanted.push((file.part(entry.part), path.clone(), alias.clone())),
                ast::ItemKind::Broken { kind: PartKind::Import, name: Some(name) } => broken.push(name.node.clone()),
                _ => {}
            }
        }
        if let Some(file) = self.files.get_mut(index) {
            file.failed.extend(broken);
        }
        for (part, path, alias) in wanted {
            let loc = Loc::new(part, path.span);
            let key = alias.as_ref().unwrap_or(&path);
            let module = self.module(sources, &path.node);
            let Some(file) = self.files.get_mut(index) else { return };
            let Some(module) = module else {
                let message = format!("there is no module `{}`", path.node);
                let unknown = Finding::error(codes::UNKNOWN_MODULE, loc, message);
                file.findings.push(unknown.near(&path.node, loc, library::module_names()));
                file.failed.insert(key.node.clone());
                continue;
            };
            file.named.push((loc, module));
            let before = file.imports.insert(key.node.clone(), module);
            if before.is_some_and(|before| before != module) {
                let message = format!("`{}` names two modules in this file", key.node);
                file.findings.push(Finding::error(codes::DUPLICATE, Loc::new(part, key.span), message));
            }
        }
    }

    /// The module of a name, parsed at the first time.
    fn module(&mut self, sources: &mut Sources, name: &str) -> Option<ModuleId> {
        if let Some(index) = self.modules.iter().skip(1).position(|m| m == name) {
            return Some(ModuleId(index as u32 + 1));
        }
        let (path, text) = library::text(name)?;
        let module = ModuleId(self.modules.len() as u32);
        self.modules.push(name.to_owned());
        let file = sources.add(path, text);
        self.parse(sources, file, module);
        Some(module)
    }
}

/// Whether an import is in a part, or what could not be read as one.
fn imports(part: &ebsec_grammar::Part) -> bool {
    let of_item =
        |item: &ast::Item| matches!(item.kind, ast::ItemKind::Import { .. } | ast::ItemKind::Broken { kind: PartKind::Import, .. });
    part.content.items.iter().any(of_item)
}
