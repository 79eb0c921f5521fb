//! Functions: a call is replaced by the body with the arguments in their places. Recursion was refused when the names
//! were entered.

use super::cond::WRONG;
use super::cost::Cost;
use super::{Bound, Checker, Elem, Env, FieldName, MAX_ATOMS};
use crate::diag::{Finding, codes};
use crate::hir::Cond;
use crate::resolve::{DefId, DefKind, Found};
use crate::source::{Loc, PartId};
use crate::typed::Constant;
use ebsec_grammar::ast::{self, ValueKind};
use std::rc::Rc;

/// Most arguments of a function.
const MAX_ARGUMENTS: usize = 64;

impl Checker<'_> {
    pub(super) fn call(&mut self, name: &ast::Name, args: &[ast::Arg], loc: Loc, env: &Env<'_>) -> Cond {
        let name_loc = Loc::new(env.id, name.span);
        if name.node == "marked" {
            self.unsupported(loc, "`marked`");
            return WRONG;
        }
        let found = self.names.find(env.file, &name.node);
        let Found::Here(id) = found else {
            let module = self.module_of(env.file, &found);
            let known = self.known(module, |kind| matches!(kind, DefKind::Fn(..)));
            self.not_found(codes::UNKNOWN_FUNCTION, "function", &name.node, name_loc, found, &known);
            return WRONG;
        };
        let Some(def) = self.names.def(id).copied() else { return WRONG };
        let DefKind::Fn(params, body) = def.kind else {
            if matches!(def.kind, DefKind::Broken) {
                return WRONG;
            }
            self.error(codes::UNKNOWN_FUNCTION, name_loc, format!("`{}` is not a function", name.node));
            return WRONG;
        };
        if params.len() != args.len() {
            let message = format!("`{}` takes {}, this call has {}", name.node, arguments(params.len()), args.len());
            self.push(Finding::error(codes::WRONG_ARGUMENTS, loc, message).related(self.names.def_loc(id), "defined here"));
            return WRONG;
        }
        // A call costs like a test: functions that call others twice have bodies without end, even of no tests.
        if self.atoms > MAX_ATOMS || params.len() > MAX_ARGUMENTS || !self.spend(Cost::Tests, 1, loc) || !self.count_call(loc) {
            return WRONG;
        }
        let key = (self.instance, id, self.sets.dry);
        if params.is_empty()
            && let Some((cond, size)) = self.bodies.get(&key).cloned()
        {
            return if self.count(size, loc) && self.spend(Cost::Tests, size, loc) { cond } else { WRONG };
        }
        let bound: Vec<(&str, Bound)> =
            params.iter().zip(args).map(|((param, ty), arg)| (param.node.as_str(), self.bind(ty, arg, def.part, env))).collect();
        if !self.enter(id) {
            return WRONG;
        }
        let before = self.atoms;
        let cond = self.cond(body, &Env { args: &bound, ..Env::of(def.file, def.part) });
        self.open.pop();
        if params.is_empty() {
            self.bodies.insert(key, (cond.clone(), self.atoms - before));
        }
        cond
    }

    /// Counts a call in the condition at hand.
    fn count_call(&mut self, loc: Loc) -> bool {
        self.calls += 1;
        if self.calls == MAX_ATOMS + 1 {
            self.error(codes::TOO_COMPLEX, loc, format!("this condition has more than {MAX_ATOMS} calls of functions"));
        }
        self.calls <= MAX_ATOMS
    }

    fn bind(&mut self, ty: &ast::Type, arg: &ast::Arg, def_part: PartId, env: &Env<'_>) -> Bound {
        let Some(ty) = self.ty(ty, def_part) else { return Bound::Wrong };
        match arg {
            ast::Arg::Cond(cond) if ty.elem == Elem::Bool => Bound::Cond(self.cond(cond, env)),
            ast::Arg::Cond(cond) => {
                let loc = Loc::new(env.id, cond.span);
                self.error(codes::TYPE_MISMATCH, loc, format!("a condition stands here, and `{ty}` is wanted"));
                Bound::Wrong
            }
            ast::Arg::Value(value) => {
                if let (Elem::Bool, ValueKind::Name(name)) = (ty.elem, &value.kind)
                    && let FieldName::Field(id, part) = self.index.field(name)
                {
                    return Bound::Cond(self.bare_field(id, part, name, Loc::new(env.id, value.span)));
                }
                let constant = self.value(value, ty.elem, env);
                let constant = constant.and_then(|c| self.shaped(&c, ty, Loc::new(env.id, value.span)));
                constant.map_or(Bound::Wrong, Bound::Constant)
            }
        }
    }

    /// Checks a function by itself, with examples for its arguments.
    pub(super) fn function(&mut self, id: DefId, params: &[(ast::Name, ast::Type)], body: &ast::Cond) {
        let Some(def) = self.names.def(id).copied() else { return };
        let env = Env::of(def.file, def.part);
        if params.len() > MAX_ARGUMENTS {
            let message = format!("`{}` has more than {MAX_ARGUMENTS} arguments", def.name.node);
            return self.error(codes::TOO_COMPLEX, self.names.def_loc(id), message);
        }
        let mut bound: Vec<(&str, Bound)> = Vec::new();
        for (name, ty) in params {
            let loc = Loc::new(env.id, name.span);
            if bound.iter().any(|(n, _)| *n == name.node) {
                self.error(codes::DUPLICATE, loc, format!("two arguments are named `{}`", name.node));
            }
            let example = self.ty(ty, env.id).map_or(Bound::Wrong, |ty| Bound::Constant(Rc::new(Constant::example(ty))));
            bound.push((name.node.as_str(), example));
        }
        (self.atoms, self.calls) = (0, 0);
        self.sets.dry = true;
        if self.enter(id) {
            let _ = self.cond(body, &Env { args: &bound, ..env });
            self.open.pop();
        }
        self.sets.dry = false;
    }
}

fn arguments(count: usize) -> String {
    match count {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        n => format!("{n} arguments"),
    }
}
