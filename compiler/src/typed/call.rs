//! Functions: a call has the body with the arguments in their places; calls without any share it.

use super::constant::Constant;
use super::cost::Cost;
use super::tree::{Arg, Call, Cond, CondKind, Def};
use super::{At, Bound, Elem, Env, MAX_ATOMS, Ty, Typer};
use crate::diag::{Finding, codes};
use crate::resolve::{DefId, DefKind, FieldName, Found, Target};
use crate::source::{Loc, PartId};
use ebsec_grammar::ast::{self, ValueKind};
use std::sync::Arc;

/// Most arguments of a function.
const MAX_ARGUMENTS: usize = 64;

/// Arguments of a function as they are declared.
type Params<'p> = &'p [(ast::Name, ast::Type)];

impl Typer<'_> {
    pub(crate) fn call(&mut self, name: &ast::Name, args: &[ast::Arg], loc: Loc, env: &Env<'_>) -> CondKind {
        let name_loc = Loc::new(env.id, name.span);
        if name.node == "marked" {
            self.unsupported(loc, "`marked`");
            return CondKind::Wrong;
        }
        let found = self.names.find(env.file, &name.node);
        let Found::Here(id) = found else {
            let module = self.module_of(env.file, &found);
            let known = self.known(module, |kind| matches!(kind, DefKind::Fn(..)));
            self.not_found(codes::UNKNOWN_FUNCTION, "function", &name.node, name_loc, found, &known);
            return CondKind::Wrong;
        };
        self.note(name_loc, Target::Def(id));
        let Some(def) = self.names.def(id).copied() else { return CondKind::Wrong };
        let DefKind::Fn(params, body) = def.kind else {
            if !matches!(def.kind, DefKind::Broken) {
                self.error(codes::UNKNOWN_FUNCTION, name_loc, format!("`{}` is not a function", name.node));
            }
            return CondKind::Wrong;
        };
        if params.len() != args.len() {
            let message = format!("`{}` takes {}, this call has {}", name.node, arguments(params.len()), args.len());
            self.push(Finding::error(codes::WRONG_ARGUMENTS, loc, message).related(self.names.def_loc(id), "defined here"));
            return CondKind::Wrong;
        }
        // A call costs like a test: functions that call others twice have bodies without end, even of no tests.
        if self.atoms > MAX_ATOMS || params.len() > MAX_ARGUMENTS || !self.spend(Cost::Tests, 1, loc) || !self.count_call(loc) {
            return CondKind::Wrong;
        }
        let def = At { node: id, loc: name_loc };
        if params.is_empty() {
            return CondKind::Call(Box::new(Call { def, args: Vec::new(), body: self.shared(id, body, loc) }));
        }
        let (args, body) = self.applied_to(id, params, body, args, env);
        CondKind::Call(Box::new(Call { def, args, body }))
    }

    /// The body of a function without arguments, which every call has.
    fn shared(&mut self, id: DefId, body: &ast::Cond, loc: Loc) -> Option<Arc<Cond>> {
        let key = (self.instance, id);
        if !self.bodies.contains_key(&key) {
            let outer = (self.atoms, self.calls);
            self.function(id, &[], body);
            (self.atoms, self.calls) = outer;
        }
        let (cond, size) = self.bodies.get(&key)?.clone();
        if size > MAX_ATOMS {
            self.atoms = self.atoms.saturating_add(size);
            return None; // reported in the function
        }
        (self.count(size, loc) && self.spend(Cost::Tests, size, loc)).then_some(cond)
    }

    /// The body of a function with what a call gives for its arguments.
    fn applied_to(
        &mut self,
        id: DefId,
        params: Params<'_>,
        body: &ast::Cond,
        args: &[ast::Arg],
        env: &Env<'_>,
    ) -> (Vec<Arg>, Option<Arc<Cond>>) {
        let Some(def) = self.names.def(id).copied() else { return (Vec::new(), None) };
        let (mut given, mut bound) = (Vec::with_capacity(args.len()), Vec::with_capacity(args.len()));
        for ((name, ty), arg) in params.iter().zip(args) {
            let (arg, meaning) = self.bind(ty, arg, def.part, env);
            given.push(arg);
            bound.push((name.node.as_str(), meaning));
        }
        if !self.enter(id) {
            return (given, None);
        }
        let cond = self.cond(body, &Env { args: &bound, ..Env::of(def.file, def.part) });
        self.open.pop();
        (given, Some(Arc::new(cond)))
    }

    /// Counts a call in the condition at hand.
    fn count_call(&mut self, loc: Loc) -> bool {
        self.calls += 1;
        if self.calls == MAX_ATOMS + 1 {
            self.error(codes::TOO_COMPLEX, loc, format!("this condition has more than {MAX_ATOMS} calls of functions"));
        }
        self.calls <= MAX_ATOMS
    }

    fn bind(&mut self, ty: &ast::Type, arg: &ast::Arg, def_part: PartId, env: &Env<'_>) -> (Arg, Bound) {
        let loc = Loc::new(
            env.id,
            match arg {
                ast::Arg::Cond(cond) => cond.span,
                ast::Arg::Value(value) => value.span,
            },
        );
        let Some(ty) = self.ty(ty, def_part) else { return (Arg::Wrong(loc), Bound::Wrong) };
        match arg {
            ast::Arg::Cond(cond) if ty.elem == Elem::Bool => self.bind_cond(|typer| typer.cond(cond, env)),
            ast::Arg::Cond(_) => {
                self.error(codes::TYPE_MISMATCH, loc, format!("expected a value of type `{ty}`, found a condition"));
                (Arg::Wrong(loc), Bound::Wrong)
            }
            ast::Arg::Value(value) => self.bind_value(ty, value, loc, env),
        }
    }

    fn bind_cond(&mut self, make: impl FnOnce(&mut Self) -> Cond) -> (Arg, Bound) {
        let cond = Arc::new(make(self));
        let size = cond.size();
        (Arg::Cond(cond.clone()), Bound::Cond(cond, size))
    }

    fn bind_value(&mut self, ty: Ty, value: &ast::Value, loc: Loc, env: &Env<'_>) -> (Arg, Bound) {
        if let (Elem::Bool, ValueKind::Name(name)) = (ty.elem, &value.kind)
            && let FieldName::Field(id, part) = self.index.field(name)
        {
            self.note(loc, Target::Field(id, part));
            return self.bind_cond(|typer| Cond { loc, kind: typer.bare_field(id, part, name, loc) });
        }
        let value = self.value(value, ty.elem, env);
        let constant = value.constant.as_ref().and_then(|c| self.shaped(c, ty, loc));
        (Arg::Value(value), constant.map_or(Bound::Wrong, Bound::Constant))
    }

    /// A function by itself, with examples for its arguments.
    pub(crate) fn function(&mut self, id: DefId, params: Params<'_>, body: &ast::Cond) {
        let key = (self.instance, id);
        if self.defs.contains_key(&key) {
            return;
        }
        // A cycle is reported where it closes, in the part that is being typed.
        if !self.enter(id) {
            return;
        }
        let part = self.names.def_loc(id).part;
        let typed = self.part(part, |typer| typer.function_body(id, params, body));
        self.open.pop();
        self.defs.insert(key, Arc::new(typed));
    }

    fn function_body(&mut self, id: DefId, params: Params<'_>, body: &ast::Cond) -> Def {
        let Some(def) = self.names.def(id).copied() else { return Def::Function(None) };
        let env = Env::of(def.file, def.part);
        if params.len() > MAX_ARGUMENTS {
            let message = format!("`{}` has more than {MAX_ARGUMENTS} arguments", def.name.node);
            self.error(codes::TOO_COMPLEX, self.names.def_loc(id), message);
            return Def::Function(None);
        }
        let mut bound: Vec<(&str, Bound)> = Vec::new();
        for (name, ty) in params {
            let loc = Loc::new(env.id, name.span);
            if bound.iter().any(|(n, _)| *n == name.node) {
                self.error(codes::DUPLICATE, loc, format!("two arguments are named `{}`", name.node));
            }
            let example = self.ty(ty, env.id).map_or(Bound::Wrong, |ty| Bound::Constant(Arc::new(Constant::example(ty))));
            bound.push((name.node.as_str(), example));
        }
        (self.atoms, self.calls) = (0, 0);
        let cond = Arc::new(self.cond(body, &Env { args: &bound, ..env }));
        if params.is_empty() {
            self.bodies.insert((self.instance, id), (cond.clone(), self.atoms));
        }
        Def::Function(Some(cond))
    }
}

impl Cond {
    /// Number of its tests, those in bodies of functions included.
    pub(crate) fn size(&self) -> usize {
        self.sum(&|_| 1)
    }

    /// What a copy of it costs: its tests and what they hold, and one for itself.
    pub(crate) fn weight(&self) -> usize {
        1 + self.sum(&|weight| weight)
    }

    fn sum(&self, of: &impl Fn(usize) -> usize) -> usize {
        match &self.kind {
            CondKind::And(all) | CondKind::Or(all) => all.iter().map(|c| c.sum(of)).sum(),
            CondKind::Not(inner) => inner.sum(of),
            CondKind::Const(_) | CondKind::Wrong => 0,
            CondKind::Field { .. } => of(1),
            CondKind::Compare(compare) => compare.asked.iter().flat_map(super::tree::Asked::weights).map(of).sum(),
            CondKind::Call(call) => call.body.as_ref().map_or(0, |body| body.sum(of)),
            CondKind::Argument(cond) => cond.sum(of),
        }
    }
}

fn arguments(count: usize) -> String {
    match count {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        n => format!("{n} arguments"),
    }
}
