//! Conditions: what they ask, as they are written. What is wrong becomes `Wrong`, which is never used, since there is a
//! finding then.

use super::constant::{Constant, Data};
use super::cost::Cost;
use super::operator::Left;
use super::tree::{Asked, Compare, Cond, CondKind, Value, ValueKind};
use super::{At, Bound, Elem, Env, MAX_ATOMS, TestKey, Typer};
use crate::diag::{Finding, codes};
use crate::resolve::{DefId, DefKind, FieldName, Found, Part, Target};
use crate::source::Loc;
use ebsec_grammar::ast::{self, CondKind as Written, Op, Operand, ValueKind as WrittenValue};
use ebsec_templates::{FieldId, FieldType};

impl Typer<'_> {
    /// A whole condition: its tests are counted from nothing.
    pub(crate) fn condition(&mut self, tree: &ast::Cond, env: &Env<'_>) -> Cond {
        (self.atoms, self.calls) = (0, 0);
        self.cond(tree, env)
    }

    pub(crate) fn cond(&mut self, tree: &ast::Cond, env: &Env<'_>) -> Cond {
        let loc = Loc::new(env.id, tree.span);
        let kind = match &tree.kind {
            Written::And(all) => CondKind::And(all.iter().map(|c| self.cond(c, env)).collect()),
            Written::Or(all) => CondKind::Or(all.iter().map(|c| self.cond(c, env)).collect()),
            Written::Not(inner) => CondKind::Not(Box::new(self.cond(inner, env))),
            Written::Bare(operand) => self.bare(operand, loc, env),
            Written::Compare { operand, op, value } => self.compare(operand, op, value, loc, env),
        };
        Cond { loc, kind }
    }

    pub(crate) fn count(&mut self, more: usize, loc: Loc) -> bool {
        let before = self.atoms;
        self.atoms = before.saturating_add(more);
        if before <= MAX_ATOMS && self.atoms > MAX_ATOMS {
            let message = format!("this condition has more than {MAX_ATOMS} tests");
            self.push(Finding::error(codes::TOO_COMPLEX, loc, message).help("put values into a set instead of joining tests with `or`"));
        }
        self.atoms <= MAX_ATOMS
    }

    /// Counts a test, if there is room for it.
    fn test(&mut self, weight: usize, loc: Loc) -> bool {
        self.count(1, loc) && self.spend(Cost::Tests, weight, loc)
    }

    fn bare(&mut self, operand: &Operand, loc: Loc, env: &Env<'_>) -> CondKind {
        let name = match operand {
            Operand::Call { name, args, .. } => return self.call(name, args, loc, env),
            Operand::Index { name, .. } => return self.index(name, env),
            Operand::Name(name) => name,
        };
        let name_loc = Loc::new(env.id, name.span);
        if let Some((index, (_, bound))) = env.args.iter().enumerate().find(|(_, (arg, _))| *arg == name.node) {
            self.note(name_loc, Target::Argument(index as u32));
            return self.bare_argument(&bound.clone(), &name.node, loc);
        }
        match self.index.field(&name.node) {
            FieldName::Field(id, part) => {
                self.note(name_loc, Target::Field(id, part));
                self.bare_field(id, part, &name.node, loc)
            }
            FieldName::Unknown => self.bare_name(&name.node, loc, env),
            other => {
                self.not_a_field(&name.node, loc, other);
                CondKind::Wrong
            }
        }
    }

    fn bare_argument(&mut self, bound: &Bound, name: &str, loc: Loc) -> CondKind {
        match bound {
            Bound::Cond(cond, size) => {
                let fits = self.count(*size, loc) && self.spend(Cost::Tests, cond.weight(), loc);
                if fits { CondKind::Argument(cond.clone()) } else { CondKind::Wrong }
            }
            Bound::Constant(constant) => self.bare_constant(&constant.clone(), name, loc),
            Bound::Wrong => CondKind::Wrong,
        }
    }

    fn bare_constant(&mut self, constant: &Constant, name: &str, loc: Loc) -> CondKind {
        if let Data::Bool(yes) = constant.data {
            return CondKind::Const(yes);
        }
        let message = format!("`{name}` is of type `{}`, which is not a condition by itself", constant.ty());
        self.error(codes::NOT_A_VALUE, loc, message);
        CondKind::Wrong
    }

    pub(crate) fn bare_field(&mut self, field: FieldId, part: Option<Part>, name: &str, loc: Loc) -> CondKind {
        let ty = &self.index.catalog[field].ty;
        if matches!(part, Some(Part::Unresolved | Part::Deleted)) || (part.is_none() && *ty == FieldType::Bool) {
            return if self.test(1, loc) { CondKind::Field { field, part } } else { CondKind::Wrong };
        }
        let message = format!("`{name}` is {}, which is not a condition by itself", Elem::of_field(ty).phrase());
        self.push(Finding::error(codes::NOT_BOOL, loc, message).help(format!("compare it with a value: `{name} == …`, `{name} in […]`")));
        CondKind::Wrong
    }

    fn bare_name(&mut self, name: &str, loc: Loc, env: &Env<'_>) -> CondKind {
        if name == "true" || name == "false" {
            return CondKind::Const(name == "true");
        }
        match self.names.find(env.file, name) {
            Found::Here(id) => {
                self.note(loc, Target::Def(id));
                self.bare_def(id, name, loc)
            }
            found if name.contains('.') && !matches!(found, Found::Nothing) => {
                let module = self.module_of(env.file, &found);
                let known = self.known(module, |_| true);
                self.not_found(codes::UNKNOWN_NAME, "name", name, loc, found, &known);
                CondKind::Wrong
            }
            _ => {
                self.not_a_field(name, loc, FieldName::Unknown);
                CondKind::Wrong
            }
        }
    }

    fn bare_def(&mut self, id: DefId, name: &str, loc: Loc) -> CondKind {
        match self.names.def(id).map(|d| d.kind) {
            Some(DefKind::Fn(..)) => {
                let message = format!("`{name}` is a function");
                self.push(Finding::error(codes::NOT_A_VALUE, loc, message).help(format!("call it: `{name}()`")));
                CondKind::Wrong
            }
            Some(DefKind::Mark) => {
                self.unsupported(loc, "`mark`");
                CondKind::Wrong
            }
            _ => match self.constant(id) {
                Some(constant) => self.bare_constant(&constant, name, loc),
                None => CondKind::Wrong,
            },
        }
    }

    /// Says why a name is not a field.
    fn not_a_field(&mut self, name: &str, loc: Loc, found: FieldName) {
        match found {
            FieldName::Planned => {
                let mut diagnostic = Finding::error(codes::UNSUPPORTED, loc, format!("the field `{name}` is not supported yet"));
                if let Some(path) = name.strip_suffix(".absent") {
                    diagnostic = diagnostic.help(format!("`not ({path} under \"/\")` is true of files without a path, such as pipes"));
                }
                self.push(diagnostic);
            }
            FieldName::BadPart(id) => {
                let (last, path) = (name.rsplit('.').next().unwrap_or(name), &self.index.catalog[id].name);
                let message = format!("`{path}` has no part `{last}`");
                let parts = self.index.catalog[id].parts.iter().map(String::as_str);
                self.push(Finding::error(codes::UNKNOWN_PART, loc, message).near(last, super::unknown::tail(loc, last), parts));
            }
            _ => self.unknown_field(name, loc),
        }
    }

    fn index(&mut self, name: &ast::Name, env: &Env<'_>) -> CondKind {
        let loc = Loc::new(env.id, name.span);
        match self.index.field(&name.node) {
            FieldName::Field(id, part) => {
                self.note(loc, Target::Field(id, part));
                self.error(codes::WRONG_OPERATOR, loc, format!("`{}` cannot be indexed with `[…]`", name.node));
            }
            other => self.not_a_field(&name.node, loc, other),
        }
        CondKind::Wrong
    }

    fn compare(&mut self, operand: &Operand, op: &ast::Spanned<Op>, value: &ast::Value, loc: Loc, env: &Env<'_>) -> CondKind {
        let name = match operand {
            Operand::Name(name) => name,
            Operand::Index { name, .. } => return self.index(name, env),
            Operand::Call { name, span, .. } => {
                let message = format!("the result of `{}` is true or false and cannot be compared", name.node);
                let place = Loc::new(env.id, *span);
                self.push(Finding::error(codes::BOOL_COMPARED, place, message).help("use the call by itself, or after `not`"));
                return CondKind::Wrong;
            }
        };
        let name_loc = Loc::new(env.id, name.span);
        let (field, part) = match self.index.field(&name.node) {
            FieldName::Field(field, part) => (field, part),
            FieldName::Unknown => {
                self.no_left_side(name, name_loc, env);
                return CondKind::Wrong;
            }
            other => {
                self.not_a_field(&name.node, name_loc, other);
                return CondKind::Wrong;
            }
        };
        self.note(name_loc, Target::Field(field, part));
        if self.is_spent(Cost::Tests) || self.is_spent(Cost::Patterns) {
            return CondKind::Wrong;
        }
        let left = Left { field, part, name: &name.node };
        if !self.operator(&left, op, value, loc, env.id) {
            return CondKind::Wrong;
        }
        let op = At { node: op.node, loc: Loc::new(env.id, op.span) };
        let (value, asked) = self.right_of(&left, op.node, value, env);
        let asked = asked.filter(|asked| asked.weights().iter().all(|weight| self.test(*weight, loc)));
        CondKind::Compare(Box::new(Compare { field: At { node: field, loc: name_loc }, part, op, value, asked }))
    }

    /// The right side of a comparison, and what is asked with it.
    fn right_of(&mut self, left: &Left<'_>, op: Op, value: &ast::Value, env: &Env<'_>) -> (Value, Option<Asked>) {
        let want = self.wanted(left, op);
        let key = self.test_key(left, op, value, env);
        if let Some(((_, def, ..), (constant, asked))) = key.and_then(|key| Some((key, self.tests.get(&key)?.clone()))) {
            let loc = Loc::new(env.id, value.span);
            self.note(loc, Target::Def(def));
            return (Value { loc, kind: ValueKind::Def(def), constant: Some(constant) }, Some(asked));
        }
        let value = self.value(value, want, env);
        let asked = value.constant.as_ref().and_then(|constant| self.asked(left, op, constant, want, value.loc));
        if let (Some(key), Some(constant), Some(asked)) = (key, &value.constant, &asked) {
            self.tests.insert(key, (constant.clone(), asked.clone()));
        }
        (value, asked)
    }

    fn test_key(&self, left: &Left<'_>, op: Op, value: &ast::Value, env: &Env<'_>) -> Option<TestKey> {
        let WrittenValue::Name(name) = &value.kind else { return None };
        if env.args.iter().any(|(arg, _)| arg == name) {
            return None;
        }
        // A word of an enum is not the constant of that name.
        if matches!(self.index.catalog[left.field].ty, FieldType::Enum(_) | FieldType::Mode) {
            return None;
        }
        match self.names.find(env.file, name) {
            Found::Here(id) => Some((self.instance, id, left.field, left.part, op as u8)),
            _ => None,
        }
    }

    /// The left side is not a field: perhaps a constant, with the sides swapped.
    fn no_left_side(&mut self, name: &ast::Name, loc: Loc, env: &Env<'_>) {
        let found = self.names.find(env.file, &name.node);
        if let Found::Here(id) = found {
            self.note(loc, Target::Def(id));
        }
        if matches!(found, Found::Failed) || matches!(found, Found::Here(id) if self.is_broken(id)) {
            return;
        }
        let is_constant = env.args.iter().any(|(arg, _)| *arg == name.node) || matches!(found, Found::Here(_));
        if is_constant {
            let message = format!("`{}` is a constant; a comparison has a field on its left side", name.node);
            return self.error(codes::NOT_A_VALUE, loc, message);
        }
        self.not_a_field(&name.node, loc, FieldName::Unknown);
    }
}
