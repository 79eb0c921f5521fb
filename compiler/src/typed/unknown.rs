//! Names that mean nothing: says so, and what may have been meant.

use super::Typer;
use crate::diag::{Finding, codes};
use crate::resolve::{DefKind, Found, ModuleId, ROOT};
use crate::source::{Loc, Span};

impl<'a> Typer<'a> {
    /// Says that a name was not found, with what it may have been.
    pub(crate) fn not_found<T>(&mut self, code: &'static str, what: &str, name: &str, loc: Loc, found: Found<T>, known: &[&str]) {
        let last = name.rsplit('.').next().unwrap_or(name);
        if matches!(found, Found::Failed) || self.uncounted() {
            return;
        }
        if let (Found::NotImported, Some(alias)) = (&found, self.alias_of(name, loc)) {
            let message = format!("the module of `{name}` is imported under another name");
            let fixed = format!("{alias}.{last}");
            let diagnostic = Finding::error(codes::UNKNOWN_MODULE, loc, message).help(format!("write `{fixed}`"));
            return self.push(diagnostic.fix("use the name of the import", loc, fixed));
        }
        let diagnostic = match found {
            Found::NotImported => {
                let module = name.rsplit_once('.').map_or("", |(before, _)| before);
                Finding::error(codes::UNKNOWN_MODULE, loc, format!("`{module}` is not imported in this file"))
                    .help(format!("write `import {module}` at the top of the file"))
            }
            Found::NotIn(module) if module != ROOT => {
                let module = self.names.modules.get(module.0 as usize).map_or("", |m| m.name.as_str());
                Finding::error(code, loc, format!("the module `{module}` has no {what} `{last}`")).near(
                    last,
                    tail(loc, last),
                    known.iter().copied(),
                )
            }
            _ => {
                // A rule may follow the name of its policy.
                let end = loc.span.start + name.len() as u32;
                let loc = if self.sources.slice(loc).starts_with(name) { Loc::new(loc.part, Span { end, ..loc.span }) } else { loc };
                let diagnostic = Finding::error(code, loc, format!("there is no {what} `{name}`"));
                match self.imported(name, loc) {
                    Some(full) => diagnostic.help(format!("did you mean `{full}`?")).guess(format!("replace by `{full}`"), loc, full),
                    None => diagnostic.near(name, loc, known.iter().copied()),
                }
            }
        };
        self.push(diagnostic);
    }

    /// The full name of what an imported module has under this name, if only its beginning is missing.
    fn imported(&self, name: &str, loc: Loc) -> Option<String> {
        let (before, last) = name.rsplit_once('.').unwrap_or(("", name));
        let (names, file) = (self.names, self.sources.place(loc).file);
        let scope = names.files.iter().find(|f| f.id == file)?;
        let has =
            |id: &ModuleId| names.modules.get(id.0 as usize).is_some_and(|m| m.defs.contains_key(last) || m.policies.contains_key(last));
        let ends = |alias: &str| before.is_empty() || alias.rsplit('.').next() == Some(before);
        let mut aliases = scope.imports.iter().filter(|(alias, id)| ends(alias) && has(id)).map(|(alias, _)| alias.as_str());
        let alias = aliases.next()?;
        // Of several modules none is the right one.
        aliases.next().is_none().then(|| format!("{alias}.{last}"))
    }

    /// The name by which a file imports the module before the last dot, if it is not the module's own.
    pub(crate) fn alias_of(&self, name: &str, loc: Loc) -> Option<&'a str> {
        let (module, _) = name.rsplit_once('.')?;
        let (names, file) = (self.names, self.sources.place(loc).file);
        let scope = names.files.iter().find(|f| f.id == file)?;
        let is_it = |id: &ModuleId| names.modules.get(id.0 as usize).is_some_and(|m| m.name == module);
        let imports = self.candidates(names.files.len() + scope.imports.len(), scope.imports.keys().map(String::as_str));
        imports.into_iter().find(|alias| scope.imports.get(*alias).is_some_and(is_it))
    }

    /// Names of a module's definitions that a message may propose.
    pub(crate) fn known(&self, module: ModuleId, keep: impl Fn(&DefKind<'a>) -> bool) -> Vec<&'a str> {
        let names = self.names;
        let Some(module) = names.modules.get(module.0 as usize) else { return Vec::new() };
        let all = module.defs.iter().filter(|(_, id)| names.def(**id).is_some_and(|d| keep(&d.kind)));
        self.candidates(module.defs.len(), all.map(|(name, _)| *name))
    }

    pub(crate) fn module_of<T>(&self, file: usize, found: &Found<T>) -> ModuleId {
        match found {
            Found::NotIn(module) => *module,
            _ => self.names.files.get(file).map_or(ROOT, |f| f.module),
        }
    }
}

/// The end of a dotted name.
pub(crate) fn tail(loc: Loc, last: &str) -> Loc {
    let start = loc.span.end.saturating_sub(last.len() as u32).max(loc.span.start);
    Loc::new(loc.part, Span { start, end: loc.span.end })
}
