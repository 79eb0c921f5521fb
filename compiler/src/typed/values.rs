//! What later stages ask of constants: trees in, exact values out, once a package is typed. Wrong ones are reported here and
//! give nothing. Shows nothing of how they are evaluated, and makes no conditions.

use super::constant::{Constant, Data, Shape};
use super::cost::Cost;
use super::tree::Typed;
use super::{Elem, Env, Frame, Typer};
use crate::diag::{Finding, codes};
use crate::hir::PathLang;
use crate::resolve::{Found, Names, PolicyDef, PolicyId, Target};
use crate::source::{Loc, PartId};
use ebsec_grammar::ast;
use ebsec_templates::{Catalog, EventId};
use std::sync::Arc;

/// Where a tree stands: in which file, by index into [`Names::files`], and in which part.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The file whose names the tree sees.
    pub file: usize,
    /// The part that holds it.
    pub part: PartId,
}

/// The constants of a typed package.
#[expect(missing_debug_implementations, reason = "it is a typer in the middle of its work")]
pub struct Values<'v, 'a>(pub &'v mut Typer<'a>);

impl<'a> Values<'_, 'a> {
    /// All names of the compilation.
    #[must_use]
    pub fn names(&self) -> &'a Names<'a> {
        self.0.names
    }

    /// The hooks, events and fields.
    #[must_use]
    pub fn catalog(&self) -> &'static Catalog {
        self.0.index.catalog
    }

    /// Begins a part: what is found from here on belongs to it. Gives what [`Self::end`] takes.
    #[must_use]
    pub fn begin(&mut self, part: PartId) -> Frame {
        self.0.begin(part)
    }

    /// Ends a part.
    pub fn end(&mut self, outer: Frame) -> Typed<()> {
        self.0.end(outer, ())
    }

    /// Notes what a name means.
    pub fn note(&mut self, loc: Loc, target: Target) {
        self.0.note(loc, target);
    }

    /// Notes the name of a parameter of the package that is given a value, and the names in the value.
    pub fn note_parameter(&mut self, name: &ast::Name, value: &ast::Value, at: Site) {
        if let Some(id) = self.0.names.modules.first().and_then(|m| m.defs.get(name.node.as_str())) {
            self.0.note(Loc::new(at.part, name.span), Target::Parameter(*id));
        }
        self.0.note_names(value, &at.env());
    }

    /// Reports a finding.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// An event by its name; an unknown one is reported.
    pub fn event(&mut self, name: &str, loc: Loc) -> Option<EventId> {
        self.0.event(name, loc)
    }

    /// The policy of a name, if there is one.
    #[must_use]
    pub fn find_policy(&self, file: usize, name: &str) -> Option<(PolicyId, &'a PolicyDef<'a>)> {
        match self.0.names.find_policy(file, name) {
            Found::Here(id) => Some((id, self.0.names.policy(id)?)),
            _ => None,
        }
    }

    /// Reports an unknown policy.
    pub fn no_policy(&mut self, file: usize, name: &str, loc: Loc) {
        let found = self.0.names.find_policy(file, name);
        self.0.no_policy(file, name, loc, found);
    }

    /// Whether a policy is applied by an `apply` that could not be read.
    #[must_use]
    pub fn may_be_applied(&self, policy: &PolicyDef<'a>) -> bool {
        let is_it = |id: &PolicyId| self.0.names.policy(*id).is_some_and(|p| p.name == policy.name);
        self.0.names.half_applied.iter().any(is_it)
    }

    /// Names to compare a misspelt one with; see [`Finding::near`].
    #[must_use]
    pub fn candidates<'c>(&self, count: usize, all: impl IntoIterator<Item = &'c str>) -> Vec<&'c str> {
        self.0.candidates(count, all)
    }

    /// Names of the constants that a file of the package sees.
    #[must_use]
    pub fn constants(&self) -> Vec<&'a str> {
        use crate::resolve::{DefKind, ROOT};
        self.0.known(ROOT, |kind| matches!(kind, DefKind::Let(..) | DefKind::Param(..)))
    }

    /// Spends programs in the lines of processes; false, after an error at the first time, if there are too many.
    pub fn spend_programs(&mut self, count: usize, loc: Loc) -> bool {
        self.0.spend(Cost::Programs, count, loc)
    }

    /// Reports keys that a record gives twice, and what is not a constant in it; gives the others.
    pub fn pairs<'r>(&mut self, record: &'r ast::Record, at: Site) -> Vec<(&'r ast::Name, &'r ast::Value)> {
        let env = at.env();
        self.0.keys_once(record, &env);
        let mut all = Vec::with_capacity(record.pairs.len());
        for (key, value) in &record.pairs {
            match value {
                ast::PairValue::Value(value) => all.push((key, value)),
                other => self.0.not_a_constant(other, &env),
            }
        }
        all
    }

    /// One exact path or name.
    pub fn exact(&mut self, value: &ast::Value, want: Elem, at: Site) -> Option<Vec<u8>> {
        let constant = self.one(value, want, at)?;
        self.literal_of(&constant, Loc::new(at.part, value.span))
    }

    /// The exact path or name of a literal.
    pub fn exact_literal(&mut self, literal: &ast::Literal, want: Elem, loc: Loc) -> Option<Vec<u8>> {
        let constant = self.0.literal(literal, loc, want)?;
        self.literal_of(&constant, loc)
    }

    /// One exact path, or a set of them.
    pub fn paths(&mut self, value: &ast::Value, at: Site) -> Vec<Vec<u8>> {
        let Some(constant) = self.0.value(value, Elem::Path, &at.env()).constant else { return Vec::new() };
        let Data::Lang(PathLang::Patterns(all)) = &constant.data else { return Vec::new() };
        let mut out = Vec::with_capacity(all.len());
        for pattern in all {
            match pattern.literal() {
                Some(bytes) => out.push(bytes),
                None => self.inexact(&pattern.text, Loc::new(at.part, value.span)),
            }
        }
        out
    }

    /// One number, or a truth value as 0 or 1.
    pub fn number(&mut self, value: &ast::Value, want: Elem, at: Site) -> Option<u64> {
        match self.one(value, want, at).as_deref() {
            Some(Constant { data: Data::Numbers(all), .. }) => all.first().map(|(low, _)| *low as u64),
            Some(Constant { data: Data::Bool(yes), .. }) => Some(u64::from(*yes)),
            _ => None,
        }
    }

    fn one(&mut self, value: &ast::Value, want: Elem, at: Site) -> Option<Arc<Constant>> {
        let constant = self.0.value(value, want, &at.env()).constant?;
        if constant.shape != Shape::One {
            self.0.error(codes::ONE_WANTED, Loc::new(at.part, value.span), "expected one value, found several");
            return None;
        }
        Some(constant)
    }

    fn literal_of(&mut self, constant: &Constant, loc: Loc) -> Option<Vec<u8>> {
        let Data::Lang(PathLang::Patterns(all)) = &constant.data else { return None };
        let pattern = all.first()?;
        let literal = pattern.literal();
        if literal.is_none() {
            self.inexact(&pattern.text, loc);
        }
        literal
    }

    fn inexact(&mut self, text: &str, loc: Loc) {
        self.0.error(codes::PATTERN_COMPARED, loc, format!("`{text}` is a pattern, and a test needs exact values"));
    }
}

impl Site {
    fn env(self) -> Env<'static> {
        Env::of(self.file, self.part)
    }
}
