//! Definitions: their types and values, each found out once for each set of parameters. Cycles are reported once.

use super::constant::{Constant, Shape};
use super::cost::Cost;
use super::tree::{Def, Typed};
use super::{Elem, Env, MAX_NESTING, Ty, Typer, advice};
use crate::diag::{Finding, codes};
use crate::resolve::habits;
use crate::resolve::{DefId, DefKind, FieldName, Found, Target};
use crate::source::{Loc, PartId};
use ebsec_grammar::ast::{self, Literal, ValueKind};
use std::sync::Arc;

impl Typer<'_> {
    pub(crate) fn unknown_name(&mut self, name: &str, loc: Loc, want: Elem, env: &Env<'_>, found: Found<DefId>) {
        if matches!(found, Found::Failed) || self.uncounted() {
            return;
        }
        if let Elem::Enum(kind) = want {
            let names = self.index.catalog.enums.get(kind).into_iter().flat_map(|e| e.keys().map(String::as_str));
            let message = format!("`{name}` is not a `{kind}`");
            return self.push(Finding::error(codes::UNKNOWN_VALUE, loc, message).near(name, loc, names));
        }
        if !matches!(self.index.field(name), FieldName::Unknown | FieldName::BadPart(_)) {
            let text = format!("`{name}` is a field, and fields are only compared with constants");
            let joins = "the usual comparisons of this kind are fields of their own, such as `file.owned`";
            return self.push(Finding::error(codes::FIELD_COMPARED, loc, text).note(joins));
        }
        if want == Elem::ModeBits {
            let message = format!("`{name}` is not a permission bit");
            let known = ["setuid", "setgid", "sticky"];
            return self.push(Finding::error(codes::UNKNOWN_VALUE, loc, message).near(name, loc, known));
        }
        if want == Elem::Attack && name.starts_with('T') && name.len() > 1 {
            return self.bad_attack(name, loc);
        }
        if want == Elem::Bool {
            let text = format!("expected `true` or `false`, found `{name}`");
            return self.error(codes::TYPE_MISMATCH, loc, text);
        }
        let module = self.module_of(env.file, &found);
        let mut known = self.known(module, |kind| matches!(kind, DefKind::Let(..) | DefKind::Param(..)));
        known.extend(self.candidates(env.args.len(), env.args.iter().map(|(arg, _)| *arg)));
        let help = advice::name_help(name, want, env.file != usize::MAX);
        if let Some(help) = help.filter(|_| crate::diag::nearest(name, &known).is_none()) {
            let message = format!("there is no constant `{name}`");
            return self.push(Finding::error(codes::UNKNOWN_NAME, loc, message).help(help));
        }
        self.not_found(codes::UNKNOWN_NAME, "constant", name, loc, found, &known);
    }

    /// The value of a `let` or `param`, found out once for each set of parameters.
    pub(crate) fn constant(&mut self, id: DefId) -> Option<Arc<Constant>> {
        if let Some(known) = self.overrides.get(&id) {
            return known.clone();
        }
        let key = (self.instance, id);
        if let Some(known) = self.defs.get(&key) {
            return known.constant();
        }
        if !self.enter(id) {
            return None;
        }
        let part = self.names.def_loc(id).part;
        let typed = self.part(part, |typer| typer.evaluate(id));
        self.open.pop();
        let constant = typed.constant();
        self.defs.insert(key, Arc::new(typed));
        constant
    }

    /// Begins a definition, unless it is begun already or too deep.
    pub(crate) fn enter(&mut self, id: DefId) -> bool {
        let loc = self.names.def_loc(id);
        if let Some(start) = self.open.iter().position(|open| *open == id) {
            if !self.cyclic.insert(id) {
                return false;
            }
            self.is_ordered.set(true);
            self.cyclic.extend(self.open.iter().skip(start).copied());
            let way: Vec<String> = self.open.iter().skip(start).chain([&id]).map(|d| format!("`{}`", self.def_name(*d))).collect();
            let message = format!("`{}` is defined in terms of itself: {}", self.def_name(id), way.join(" -> "));
            let mut diagnostic = Finding::error(codes::CYCLE, loc, message);
            for other in self.open.iter().skip(start + 1) {
                diagnostic = diagnostic.related(self.names.def_loc(*other), "through this");
            }
            self.push(diagnostic);
            return false;
        }
        if self.open.len() >= MAX_NESTING {
            self.is_ordered.set(true);
            self.error(codes::TOO_COMPLEX, loc, format!("definitions are nested deeper than {MAX_NESTING}"));
            return false;
        }
        self.open.push(id);
        true
    }

    fn def_name(&self, id: DefId) -> &str {
        self.names.def(id).map_or("", |d| d.name.node.as_str())
    }

    fn evaluate(&mut self, id: DefId) -> Def {
        let none = Def::Constant { ty: None, value: None, constant: None };
        let Some(def) = self.names.def(id).copied() else { return none };
        let env = Env::of(def.file, def.part);
        match def.kind {
            DefKind::Let(ty, value) => self.assigned(ty, value, &env),
            DefKind::Param(ty, default) => {
                let declared = self.ty(ty, env.id);
                let given = self.given.get(&id).copied();
                match (declared, given, default) {
                    (Some(ty), Some(given), default) => {
                        default.into_iter().for_each(|value| self.note_names(value, &env));
                        Def::Constant { ty: declared, value: None, constant: self.given(given, ty) }
                    }
                    (Some(_), None, None) => {
                        let message = format!("the parameter `{}` has no value", def.name.node);
                        let help = format!("set it in `[params]` of ebsec.toml, or with `--param {}=VALUE`", def.name.node);
                        self.push(Finding::error(codes::NO_PARAMETER, self.names.def_loc(id), message).help(help));
                        Def::Constant { ty: declared, value: None, constant: None }
                    }
                    (Some(ty), None, Some(value)) => self.right_side(ty, value, &env),
                    (None, ..) => none,
                }
            }
            DefKind::Fn(..) | DefKind::Mark | DefKind::Broken => none,
        }
    }

    /// Notes the constants of an expression that is not evaluated.
    pub(crate) fn note_names(&mut self, value: &ast::Value, env: &Env<'_>) {
        match &value.kind {
            ValueKind::Set(all) => all.iter().for_each(|one| self.note_names(one, env)),
            ValueKind::Union(a, b) | ValueKind::Difference(a, b) => [a, b].into_iter().for_each(|one| self.note_names(one, env)),
            ValueKind::Name(name) => {
                if let Found::Here(id) = self.names.find(env.file, name) {
                    self.note(Loc::new(env.id, value.span), Target::Def(id));
                }
            }
            ValueKind::Literal(_) | ValueKind::Range { .. } => {}
        }
    }

    /// `let name: type = value`, where the type may be missing.
    fn assigned(&mut self, ty: Option<&ast::Type>, value: &ast::Value, env: &Env<'_>) -> Def {
        if let Some(ty) = ty {
            return match self.ty(ty, env.id) {
                Some(ty) => self.right_side(ty, value, env),
                None => Def::Constant { ty: None, value: None, constant: None },
            };
        }
        let Some(ty) = self.infer(value, env) else { return Def::Constant { ty: None, value: None, constant: None } };
        let value = self.value(value, ty.elem, env);
        Def::Constant { ty: None, constant: value.constant.clone(), value: Some(value) }
    }

    fn right_side(&mut self, ty: Ty, value: &ast::Value, env: &Env<'_>) -> Def {
        let value = self.value(value, ty.elem, env);
        let constant = value.constant.as_ref().and_then(|c| self.shaped(c, ty, value.loc));
        Def::Constant { ty: Some(ty), value: Some(value), constant }
    }

    /// Checks that a value is one or a set, as its declaration says.
    pub(crate) fn shaped(&mut self, constant: &Arc<Constant>, ty: Ty, loc: Loc) -> Option<Arc<Constant>> {
        let is_set = constant.shape == Shape::Set;
        let one = constant.shape == Shape::One || ty.elem == Elem::Cidr;
        if ty.set == is_set && (is_set || one) {
            if constant.elem == ty.elem {
                return Some(Arc::clone(constant));
            }
            let copy = self.spend(Cost::Elements, constant.size(), loc).then(|| constant.as_ref().clone());
            return copy.map(|copy| Arc::new(Constant { elem: ty.elem, ..copy }));
        }
        let text = self.sources.slice(loc).to_owned();
        let diagnostic = if ty.set {
            let message = format!("expected `{ty}`, found the single value `{text}`");
            Finding::error(codes::ONE_WANTED, loc, message)
                .fix("put it into a set", loc, format!("[{text}]"))
                .help(format!("write `[{text}]`"))
        } else {
            let found = if is_set { "a set" } else { "several" };
            let message = format!("expected one value of type `{ty}`, found {found}");
            let only = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(|inner| inner.trim().trim_end_matches(','));
            let only = only.filter(|inner| is_set && !inner.is_empty() && !inner.contains([',', '[', '\n']));
            let declare = format!("declare the type `set<{ty}>`");
            match only {
                Some(one) => Finding::error(codes::ONE_WANTED, loc, message).help(format!("write `{one}`, or {declare}")),
                None => Finding::error(codes::ONE_WANTED, loc, message).help(declare),
            }
        };
        self.push(diagnostic);
        None
    }

    /// The type that a declaration names.
    pub(crate) fn ty(&mut self, ty: &ast::Type, part: PartId) -> Option<Ty> {
        let catalog = self.index.catalog;
        let (name, set) = match (&ty.arg, ty.name.node.as_str()) {
            (Some(arg), "set") => (arg, true),
            (Some(_), "flags" | "enum") => {
                self.unsupported(Loc::new(part, ty.span), "this type");
                return None;
            }
            (Some(_), other) => {
                let message = format!("only `set` takes a type in `<>`, `{other}` does not");
                let help = format!("write `set<{}>`", ty.arg.as_ref().map_or("path", |arg| arg.node.as_str()));
                self.push(Finding::error(codes::UNKNOWN_TYPE, Loc::new(part, ty.span), message).help(help));
                return None;
            }
            (None, "set") => {
                let message = "`set` needs the type of its elements";
                self.push(Finding::error(codes::UNKNOWN_TYPE, Loc::new(part, ty.span), message).help("write `set<path>`"));
                return None;
            }
            (None, _) => (&ty.name, false),
        };
        let loc = Loc::new(part, name.span);
        if let Some(elem) = Elem::named(&name.node, catalog) {
            if set && elem == Elem::Bool {
                self.error(codes::UNKNOWN_TYPE, Loc::new(part, ty.span), "a set cannot hold truth values");
                return None;
            }
            self.note(loc, Target::Type);
            return Some(Ty { elem, set });
        }
        let message = format!("there is no type `{}`", name.node);
        let unknown = Finding::error(codes::UNKNOWN_TYPE, loc, message);
        self.push(match habits::type_help(&name.node) {
            Some(help) => unknown.help(help),
            None => unknown.near(&name.node, loc, Elem::names(catalog)),
        });
        None
    }

    /// The type of a constant without a declared one, from its first literal.
    fn infer(&mut self, value: &ast::Value, env: &Env<'_>) -> Option<Ty> {
        let one = |elem| Some(Ty { elem, set: false });
        match &value.kind {
            ValueKind::Set(items) => match items.first() {
                Some(first) => Some(Ty { set: true, ..self.infer(first, env)? }),
                None => {
                    self.error(codes::EMPTY_SET, Loc::new(env.id, value.span), "this set is empty");
                    None
                }
            },
            ValueKind::Union(a, _) | ValueKind::Difference(a, _) => Some(Ty { set: true, ..self.infer(a, env)? }),
            ValueKind::Range { low, .. } if low.node.contains(['.', ':']) => one(Elem::Ip),
            ValueKind::Range { .. } => one(Elem::Int),
            ValueKind::Literal(literal) => one(match literal {
                Literal::Str(text) if text.starts_with('/') => Elem::Path,
                Literal::Str(_) => Elem::Name,
                Literal::Date(_) => Elem::Date,
                Literal::Attack(_) => Elem::Attack,
                Literal::Cidr(_) => Elem::Cidr,
                Literal::Ip(_) => Elem::Ip,
                Literal::Duration(_) => Elem::Duration,
                Literal::Number(_) => Elem::Int,
            }),
            ValueKind::Name(name) if name == "true" || name == "false" => one(Elem::Bool),
            ValueKind::Name(name) => match self.names.find(env.file, name) {
                Found::Here(id) => match self.without_value(id) {
                    None => self.constant(id).map(|c| c.ty()),
                    Some(what) => {
                        let loc = Loc::new(env.id, value.span);
                        self.note(loc, Target::Def(id));
                        let finding = Finding::error(codes::NOT_A_VALUE, loc, format!("expected a constant, found the {what} `{name}`"));
                        self.push(finding.help("`fn` gives a name to a condition, `let` to a constant"));
                        None
                    }
                },
                found => {
                    let loc = Loc::new(env.id, value.span);
                    let module = self.module_of(env.file, &found);
                    let known = self.known(module, |kind| matches!(kind, DefKind::Let(..) | DefKind::Param(..)));
                    self.not_found(codes::UNKNOWN_NAME, "constant", name, loc, found, &known);
                    None
                }
            },
        }
    }
}

impl Def {
    /// Its value, if it is a constant without mistakes.
    #[must_use]
    pub fn constant(&self) -> Option<Arc<Constant>> {
        match self {
            Self::Constant { constant, .. } => constant.clone(),
            Self::Function(_) => None,
        }
    }
}

impl Typed<Def> {
    fn constant(&self) -> Option<Arc<Constant>> {
        self.tree.constant()
    }
}
