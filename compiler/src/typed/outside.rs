//! What comes from outside of the parts: values for parameters, and the modules that files import; and the round over all
//! definitions.

use super::tree::Typed;
use super::{Date, Typer};
use crate::diag::{Finding, codes};
use crate::hir;
use crate::resolve::{DefId, DefKind, ROOT, Target};
use crate::source::Loc;
use ebsec_grammar::ast;
use rustc_hash::FxHashSet;

/// A value for a parameter from outside of the source.
#[derive(Clone, Debug)]
pub struct Given {
    /// Name of the parameter.
    pub name: String,
    /// The place of the name.
    pub loc: Loc,
    /// The value, with places in the same part.
    pub value: ast::Value,
    /// Texts are taken as they are (TOML, command line): `"/a"` need not be quoted twice.
    pub from_text: bool,
    /// The file whose names the value sees, if it is in one.
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

impl<'a> Typer<'a> {
    /// Takes the given values of parameters, types marks and imports.
    pub(crate) fn outside(&mut self, given: &'a [Given]) -> Vec<Typed<()>> {
        let mut all: Vec<Typed<()>> = given.iter().map(|one| self.part(one.loc.part, |typer| typer.parameter(one))).collect();
        let names = self.names;
        for import in &names.imports {
            all.push(self.part(import.loc.part, |typer| typer.note(import.loc, Target::Module(import.module))));
        }
        for other in &names.others {
            if let ast::ItemKind::Mark { name, .. } = &other.item.kind {
                let loc = Loc::new(other.part, name.span);
                all.push(self.part(other.part, |typer| typer.unsupported(loc, "`mark`")));
            }
        }
        all
    }

    fn parameter(&mut self, one: &'a Given) {
        let names = self.names;
        let def = names.modules.first().and_then(|m| m.defs.get(one.name.as_str())).copied();
        let is_param = def.and_then(|id| names.def(id)).is_some_and(|d| matches!(d.kind, DefKind::Param(..)));
        match def {
            // A later value wins: the command line comes after the file.
            Some(id) if is_param => {
                self.note(one.loc, Target::Parameter(id));
                self.given.insert(id, one);
            }
            Some(id) if self.is_broken(id) => {}
            _ => self.no_parameter(one),
        }
    }

    fn no_parameter(&mut self, one: &Given) {
        let all = || self.names.defs.iter().filter(|d| matches!(d.kind, DefKind::Param(..)));
        let own: Vec<&str> = all().filter(|d| d.module == ROOT).map(|d| d.name.node.as_str()).collect();
        let elsewhere: FxHashSet<&str> = all().filter(|d| d.module != ROOT).map(|d| d.name.node.as_str()).collect();
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

    /// Evaluates every constant of the package and checks every function, whether it is used or not.
    pub(crate) fn definitions(&mut self) {
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
    }
}
