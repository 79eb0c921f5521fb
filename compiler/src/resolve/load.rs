//! Parses the package's files and every module of the standard library that they import, directly or through others.
//! Syntax errors become diagnostics. Reads no file: the library is embedded.

use super::{ModuleId, ROOT, library};
use crate::diag::{Finding, Findings, codes};
use crate::source::{FileId, Loc, PartId, Sources};
use ebsec_grammar::{PartKind, Tree, ast};
use rustc_hash::{FxHashMap, FxHashSet};

/// A file and what it is part of.
#[derive(Debug)]
pub struct ParsedFile {
    /// Id in the sources.
    pub id: FileId,
    /// Module.
    pub module: ModuleId,
    /// Its parts.
    pub tree: Tree,
    /// Id of the first of them.
    pub first: PartId,
    /// Name before the dot -> module.
    pub imports: FxHashMap<String, ModuleId>,
    /// Names before the dot whose modules do not exist; that has been said.
    pub failed: FxHashSet<String>,
    /// Where each import that leads to a module names it.
    pub named: Vec<(Loc, ModuleId)>,
}

/// All files of a compilation.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The package's files first.
    pub files: Vec<ParsedFile>,
    /// Names of the modules; the first is the package itself, empty.
    pub modules: Vec<String>,
}

/// Parses the files `roots` of `sources` and what they import; library files are added to `sources`.
#[must_use]
pub fn load(sources: &mut Sources, roots: &[FileId], diagnostics: &mut Findings) -> Loaded {
    let mut loaded = Loaded { files: Vec::new(), modules: vec![String::new()] };
    for root in roots {
        loaded.parse(sources, *root, ROOT, diagnostics);
    }
    let mut next = 0;
    while next < loaded.files.len() {
        loaded.imports(sources, next, diagnostics);
        next += 1;
    }
    loaded
}

impl Loaded {
    fn parse(&mut self, sources: &mut Sources, id: FileId, module: ModuleId, diagnostics: &mut Findings) {
        let Some(file) = sources.get(id) else { return };
        let tree = ebsec_grammar::parse(&file.text);
        let first = sources.add_parts(id, tree.parts().iter().map(|part| part.piece.span.start));
        for found in tree.errors() {
            diagnostics.push(Finding::syntax(first.nth(found.part), found.error));
        }
        self.files.push(ParsedFile {
            id,
            module,
            tree,
            first,
            imports: FxHashMap::default(),
            failed: FxHashSet::default(),
            named: Vec::new(),
        });
    }

    fn imports(&mut self, sources: &mut Sources, index: usize, diagnostics: &mut Findings) {
        let Some(file) = self.files.get(index) else { return };
        let (mut wanted, mut broken) = (Vec::new(), Vec::new());
        for entry in file.tree.items() {
            match &entry.item.kind {
                ast::ItemKind::Import { path, alias } => wanted.push((file.first.nth(entry.part), path.clone(), alias.clone())),
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
            let Some(module) = self.module(sources, &path.node, diagnostics) else {
                let message = format!("there is no module `{}`", path.node);
                diagnostics.push(Finding::error(codes::UNKNOWN_MODULE, loc, message).near(&path.node, loc, library::module_names()));
                if let Some(file) = self.files.get_mut(index) {
                    file.failed.insert(key.node.clone());
                }
                continue;
            };
            let Some(file) = self.files.get_mut(index) else { return };
            file.named.push((loc, module));
            let before = file.imports.insert(key.node.clone(), module);
            if before.is_some_and(|before| before != module) {
                let message = format!("`{}` names two modules in this file", key.node);
                diagnostics.push(Finding::error(codes::DUPLICATE, Loc::new(part, key.span), message));
            }
        }
    }

    /// The module of a name, parsed at the first time.
    fn module(&mut self, sources: &mut Sources, name: &str, diagnostics: &mut Findings) -> Option<ModuleId> {
        if let Some(index) = self.modules.iter().skip(1).position(|m| m == name) {
            return Some(ModuleId(index as u32 + 1));
        }
        let (path, text) = library::text(name)?;
        let module = ModuleId(self.modules.len() as u32);
        self.modules.push(name.to_owned());
        let file = sources.add(path, text);
        self.parse(sources, file, module, diagnostics);
        Some(module)
    }
}
