//! Names and trees in, the typed policy out: constants are evaluated, conditions checked and folded. Every error of every
//! item is reported in one run; with errors the result is not to be used.

mod advice;
mod apply;
mod atoms;
mod call;
mod catalog;
mod cond;
mod constant;
mod cost;
mod date;
mod habits;
mod interval;
mod lang;
mod literal;
mod member;
mod policy;
mod sets;
mod ty;
mod values;

pub use catalog::{FieldName, Index, PARTS, Part};
pub use date::Date;
pub use ty::{Elem, Ty, op_text, operators};
pub use values::{At, Values};

use crate::diag::{Finding, Findings, codes};
use crate::hir;
use crate::resolve::{DefId, DefKind, Found, ModuleId, Names, ROOT};
use crate::source::{Loc, PartId, Sources, Span};
use constant::Constant;
use ebsec_grammar::ast;
use ebsec_templates::Catalog;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::Cell;
use std::rc::Rc;

/// A value for a parameter from outside of the source.
#[derive(Clone, Debug)]
pub struct Given {
    /// Name of the parameter.
    pub name: String,
    /// Where the name stands.
    pub loc: Loc,
    /// The value, with places in the same part.
    pub value: ast::Value,
    /// Texts stand for themselves (TOML, command line): `"/a"` need not be quoted twice.
    pub from_text: bool,
    /// The file whose names the value sees, if it stands in one.
    pub file: Option<usize>,
}

/// What the type stage needs to know besides the source.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// Name, version and kernels of the package.
    pub package: hir::Package,
    /// Values of parameters.
    pub given: &'a [Given],
    /// Today, for exceptions that expire.
    pub today: Date,
}

/// Most definitions within each other.
const MAX_NESTING: usize = 128;
/// Most tests in one condition.
const MAX_ATOMS: usize = 65_536;

/// The names that a tree sees.
#[derive(Clone, Copy)]
struct Env<'e> {
    /// Index into [`Names::files`]; past its end no name is seen.
    file: usize,
    /// The part that holds the tree, for places.
    id: PartId,
    /// Arguments of the function at hand.
    args: &'e [(&'e str, Bound)],
}

/// What an argument of a function stands for.
#[derive(Clone, Debug)]
enum Bound {
    Constant(Rc<Constant>),
    Cond(hir::Cond),
    /// Its value was wrong; that has been said.
    Wrong,
}

/// Everything that is known while a package is checked.
struct Checker<'a> {
    names: &'a Names<'a>,
    sources: &'a Sources,
    index: Index,
    today: Date,
    /// Target kernels: (series as written, major, minor).
    kernels: Vec<(String, u16, u16)>,
    diagnostics: Findings,
    sets: sets::Sets,
    /// Values of constants by instance (see `apply`).
    values: FxHashMap<(u32, DefId), Option<Rc<Constant>>>,
    /// Bodies of functions without arguments, with their number of tests; apart for functions checked by themselves.
    bodies: FxHashMap<(u32, DefId, bool), (hir::Cond, usize)>,
    /// Tests of a field by a named constant.
    tests: FxHashMap<cond::TestKey, hir::Test>,
    /// Definitions that are being evaluated, outermost first.
    open: Vec<DefId>,
    /// Definitions of a cycle that has been reported.
    cyclic: FxHashSet<DefId>,
    /// 0, or the number of the `apply` whose parameters hold.
    instance: u32,
    overrides: FxHashMap<DefId, Option<Rc<Constant>>>,
    given: FxHashMap<DefId, &'a Given>,
    /// Tests in the condition at hand.
    atoms: usize,
    /// Calls of functions in it.
    calls: usize,
    spent: cost::Spent,
    /// How many names may still be compared with misspelt ones.
    searched: Cell<usize>,
}

/// Checks a package and gives its typed policy, and its constants for those who ask further. What is found is added to
/// `findings`; [`Values::findings`] gives all of it.
pub fn check<'a>(
    names: &'a Names<'a>,
    sources: &'a Sources,
    catalog: &'static Catalog,
    settings: Settings<'a>,
    findings: Findings,
) -> (hir::Package, Values<'a>) {
    let mut checker = Checker {
        names,
        sources,
        index: Index::new(catalog),
        today: settings.today,
        kernels: settings.package.kernels.iter().map(|k| series(k)).collect(),
        diagnostics: findings,
        sets: sets::Sets::default(),
        values: FxHashMap::default(),
        bodies: FxHashMap::default(),
        tests: FxHashMap::default(),
        open: Vec::new(),
        cyclic: FxHashSet::default(),
        instance: 0,
        overrides: FxHashMap::default(),
        given: FxHashMap::default(),
        atoms: 0,
        calls: 0,
        spent: cost::Spent::default(),
        searched: Cell::new(cost::MAX_SEARCHED),
    };
    checker.parameters(settings.given);
    checker.definitions();
    let mut package = settings.package;
    checker.policies(&mut package);
    package.path_sets = checker.sets.take();
    (package, Values(checker))
}

impl Env<'_> {
    /// The names that a part of a file sees.
    fn of(file: usize, part: PartId) -> Env<'static> {
        Env { file, id: part, args: &[] }
    }

    /// The same names for a tree in another part.
    fn at(self, part: PartId) -> Self {
        Self { id: part, ..self }
    }
}

impl<'a> Checker<'a> {
    fn error(&mut self, code: &'static str, loc: Loc, message: impl Into<String>) {
        self.diagnostics.push(Finding::error(code, loc, message));
    }

    fn push(&mut self, diagnostic: Finding) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether there is no room for a further finding; it is counted then, and its words are spared.
    fn uncounted(&mut self) -> bool {
        let full = self.diagnostics.is_full();
        if full {
            self.diagnostics.count();
        }
        full
    }

    fn unsupported(&mut self, loc: Loc, what: &str) {
        self.error(codes::UNSUPPORTED, loc, format!("{what} is not supported yet"));
    }

    fn unsupported_many(&mut self, loc: Loc, what: &str) {
        self.error(codes::UNSUPPORTED, loc, format!("{what} are not supported yet"));
    }

    /// The definition of an id, unless it could not be read.
    fn is_broken(&self, id: DefId) -> bool {
        self.names.def(id).is_some_and(|d| matches!(d.kind, DefKind::Broken))
    }

    fn parameters(&mut self, given: &'a [Given]) {
        let names = self.names;
        let all = || names.defs.iter().filter(|d| matches!(d.kind, DefKind::Param(..)));
        let own: Vec<&str> = all().filter(|d| d.module == ROOT).map(|d| d.name.node.as_str()).collect();
        let elsewhere: FxHashSet<&str> = all().filter(|d| d.module != ROOT).map(|d| d.name.node.as_str()).collect();
        for one in given {
            let module = self.names.modules.first();
            let def = module.and_then(|m| m.defs.get(one.name.as_str())).copied();
            let is_param = def.and_then(|id| self.names.def(id)).is_some_and(|d| matches!(d.kind, DefKind::Param(..)));
            match def {
                // A later value wins: the command line comes after the file.
                Some(id) if is_param => drop(self.given.insert(id, one)),
                Some(id) if self.is_broken(id) => {}
                _ => {
                    let message = format!("the package has no parameter `{}`", one.name);
                    let known = self.candidates(own.len(), own.iter().copied());
                    let unknown = Finding::error(codes::UNKNOWN_PARAMETER, one.loc, message);
                    let last = one.name.rsplit('.').next().unwrap_or_default();
                    self.push(if elsewhere.contains(last) {
                        unknown.help(format!("it belongs to a module: set it where the policy is applied, `apply … with {{ {last} = … }}`"))
                    } else {
                        unknown.near(&one.name, one.loc, known)
                    });
                }
            }
        }
    }

    /// Evaluates every constant of the package and checks every function, whether it is used or not.
    fn definitions(&mut self) {
        for (i, def) in self.names.defs.iter().enumerate() {
            if def.module != ROOT {
                continue;
            }
            let id = DefId(i as u32);
            match def.kind {
                DefKind::Let(..) | DefKind::Param(..) => drop(self.constant(id)),
                DefKind::Fn(args, body) => self.function(id, args, body),
                DefKind::Mark | DefKind::Broken => {}
            }
        }
        for other in &self.names.others {
            if let ast::ItemKind::Mark { name, .. } = &other.item.kind {
                self.unsupported(Loc::new(other.part, name.span), "`mark`");
            }
        }
    }

    /// Says that a name was not found, with what it may have been.
    fn not_found<T>(&mut self, code: &'static str, what: &str, name: &str, loc: Loc, found: Found<T>, known: &[&str]) {
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
            _ => Finding::error(code, loc, format!("there is no {what} `{name}`")).near(name, loc, known.iter().copied()),
        };
        self.push(diagnostic);
    }

    /// The name by which a file imports the module before the last dot, if it is not the module's own.
    fn alias_of(&self, name: &str, loc: Loc) -> Option<&'a str> {
        let (module, _) = name.rsplit_once('.')?;
        let (names, file) = (self.names, self.sources.place(loc).file);
        let scope = names.files.iter().find(|f| f.id == file)?;
        let is_it = |id: &ModuleId| names.modules.get(id.0 as usize).is_some_and(|m| m.name == module);
        let imports = self.candidates(names.files.len() + scope.imports.len(), scope.imports.keys().map(String::as_str));
        imports.into_iter().find(|alias| scope.imports.get(*alias).is_some_and(is_it))
    }

    /// Names of a module's definitions that a message may propose.
    fn known(&self, module: ModuleId, keep: impl Fn(&DefKind<'a>) -> bool) -> Vec<&'a str> {
        let names = self.names;
        let Some(module) = names.modules.get(module.0 as usize) else { return Vec::new() };
        let all = module.defs.iter().filter(|(_, id)| names.def(**id).is_some_and(|d| keep(&d.kind)));
        self.candidates(module.defs.len(), all.map(|(name, _)| *name))
    }

    fn module_of<T>(&self, file: usize, found: &Found<T>) -> ModuleId {
        match found {
            Found::NotIn(module) => *module,
            _ => self.names.files.get(file).map_or(ROOT, |f| f.module),
        }
    }
}

/// `6.1` as numbers; a bare `7` is its first release.
fn series(text: &str) -> (String, u16, u16) {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    (text.to_owned(), major.parse().unwrap_or(0), minor.parse().unwrap_or(0))
}

/// The end of a dotted name.
pub(crate) fn tail(loc: Loc, last: &str) -> Loc {
    let start = loc.span.end.saturating_sub(last.len() as u32).max(loc.span.start);
    Loc::new(loc.part, Span { start, end: loc.span.end })
}
