//! Constant expressions: sets, unions, differences, names. Wrong ones give nothing and are reported once.

use super::cost::Cost;
use super::{Bound, Checker, Elem, Env, MAX_NESTING, Ty};
use crate::diag::{Finding, codes};
use crate::hir::PathLang;
use crate::resolve::{DefId, DefKind, Found};
use crate::source::Loc;
use crate::typed::{Constant, Data, Shape, advice, interval, lang, space};
use ebsec_grammar::ast::{self, Literal, ValueKind};
use rustc_hash::FxHashSet;
use std::rc::Rc;

impl Checker<'_> {
    /// The value of an expression where `want` is wanted.
    pub(super) fn value(&mut self, value: &ast::Value, want: Elem, env: &Env<'_>) -> Option<Rc<Constant>> {
        let loc = Loc::new(env.id, value.span);
        match &value.kind {
            ValueKind::Literal(literal) => self.literal(literal, loc, want).map(Rc::new),
            ValueKind::Range { low, high } => self.range(low, high, loc, want, env.id).map(Rc::new),
            ValueKind::Set(items) => self.set(items, loc, want, env).map(Rc::new),
            ValueKind::Name(name) => self.named(name, loc, want, env),
            ValueKind::Union(a, b) => self.join(a, b, loc, want, env, true),
            ValueKind::Difference(a, b) => self.join(a, b, loc, want, env, false),
        }
    }

    fn set(&mut self, items: &[ast::Value], loc: Loc, want: Elem, env: &Env<'_>) -> Option<Constant> {
        if items.is_empty() {
            self.push(
                Finding::error(codes::EMPTY_SET, loc, "this set is empty")
                    .help("nothing is ever in it: leave the test out, or name an element"),
            );
            return None;
        }
        let mut patterns = Vec::new();
        let mut langs = Vec::new();
        let mut numbers = Vec::new();
        let mut texts = Vec::new();
        let mut elem = None;
        let mut wrong = false;
        for item in items {
            let item_loc = Loc::new(env.id, item.span);
            let Some(one) = self.value(item, want, env) else {
                wrong = true;
                continue;
            };
            if one.shape == Shape::Set {
                let text = "a set cannot be an element of a set";
                self.push(Finding::error(codes::ONE_WANTED, item_loc, text).help("join two sets with `+`"));
                wrong = true;
                continue;
            }
            elem = Some(match elem {
                None => one.elem,
                Some(before) if before == one.elem => before,
                Some(_) => want,
            });
            match &one.data {
                Data::Lang(PathLang::Patterns(all)) => patterns.extend(all.iter().cloned()),
                Data::Lang(other) => langs.push(other.clone()),
                Data::Numbers(all) => numbers.extend_from_slice(all),
                Data::Texts(all) => texts.extend(all.iter().cloned()),
                Data::Bool(_) => {
                    self.error(codes::TYPE_MISMATCH, item_loc, "there are no sets of truth values");
                    wrong = true;
                }
            }
        }
        if wrong || !self.spend(Cost::Elements, items.len(), loc) {
            return None;
        }
        let data = if !patterns.is_empty() || !langs.is_empty() {
            langs.insert(0, PathLang::Patterns(patterns));
            Data::Lang(if langs.len() == 1 { langs.remove(0) } else { lang::normal(PathLang::Union(langs)) })
        } else if !numbers.is_empty() {
            Data::Numbers(interval::normal(numbers))
        } else {
            Data::Texts(texts)
        };
        Some(Constant { elem: elem.unwrap_or(want), shape: Shape::Set, data })
    }

    fn join(&mut self, a: &ast::Value, b: &ast::Value, loc: Loc, want: Elem, env: &Env<'_>, union: bool) -> Option<Rc<Constant>> {
        let left = self.value(a, want, env);
        let right = self.value(b, want, env);
        let sign = if union { '+' } else { '-' };
        for (side, tree) in [(&left, a), (&right, b)] {
            if side.as_ref().is_some_and(|c| c.shape != Shape::Set) {
                let loc = Loc::new(env.id, tree.span);
                let text = self.sources.slice(loc).to_owned();
                let message = format!("`{sign}` works on sets, and `{text}` is one value");
                let diagnostic = Finding::error(codes::ONE_WANTED, loc, message).help(format!("write `[{text}]`"));
                self.push(diagnostic.fix("put it into a set", loc, format!("[{text}]")));
                return None;
            }
        }
        let (left, right) = (left?, right?);
        if !self.spend(Cost::Elements, left.size() + right.size(), loc) {
            return None;
        }
        let elem = if left.elem == right.elem { left.elem } else { want };
        let data = match (&left.data, &right.data) {
            (Data::Lang(x), Data::Lang(y)) => {
                if lang::size(x) + lang::size(y) > lang::MAX_PATTERNS {
                    self.error(codes::TOO_COMPLEX, loc, format!("this set has more than {} elements", lang::MAX_PATTERNS));
                    return None;
                }
                Data::Lang(if union {
                    lang::normal(PathLang::Union(vec![x.clone(), y.clone()]))
                } else {
                    lang::minus(x.clone(), y.clone(), space(elem))
                })
            }
            (Data::Numbers(x), Data::Numbers(y)) if union => Data::Numbers(interval::normal([x.as_slice(), y].concat())),
            (Data::Numbers(x), Data::Numbers(y)) => Data::Numbers(interval::minus(x, y)),
            (Data::Texts(x), Data::Texts(y)) if union => Data::Texts([x.as_slice(), y].concat()),
            (Data::Texts(x), Data::Texts(y)) => {
                let gone: FxHashSet<&String> = y.iter().collect();
                Data::Texts(x.iter().filter(|t| !gone.contains(t)).cloned().collect())
            }
            _ => return None,
        };
        if matches!(&data, Data::Lang(language) if lang::depth(language) > lang::MAX_DEPTH) {
            let message = format!("differences of patterns are nested deeper than {}", lang::MAX_DEPTH);
            self.error(codes::TOO_COMPLEX, loc, message);
            return None;
        }
        let empty = match &data {
            Data::Lang(PathLang::Patterns(all)) => all.is_empty(),
            Data::Numbers(all) => all.is_empty(),
            Data::Texts(all) => all.is_empty(),
            _ => false,
        };
        if empty {
            self.error(codes::EMPTY_SET, loc, "nothing is left in this set");
            return None;
        }
        Some(Rc::new(Constant { elem, shape: Shape::Set, data }))
    }

    fn named(&mut self, name: &str, loc: Loc, want: Elem, env: &Env<'_>) -> Option<Rc<Constant>> {
        if let Some((_, bound)) = env.args.iter().find(|(arg, _)| *arg == name) {
            return match bound {
                Bound::Constant(constant) => self.typed(constant.clone(), want, name, loc, None),
                Bound::Cond(_) => {
                    self.error(codes::NOT_A_VALUE, loc, format!("`{name}` is a condition, and {} is wanted here", want.phrase()));
                    None
                }
                Bound::Wrong => None,
            };
        }
        if let Some(number) = self.word(name, want) {
            let data = if want == Elem::Bool { Data::Bool(number == 1) } else { Data::Numbers(vec![(number, number)]) };
            return Some(Rc::new(Constant { elem: want, shape: Shape::One, data }));
        }
        match self.names.find(env.file, name) {
            Found::Here(id) => {
                match self.names.def(id).map(|d| d.kind) {
                    Some(DefKind::Fn(..)) => {
                        self.error(codes::NOT_A_VALUE, loc, format!("`{name}` is a function, and {} is wanted here", want.phrase()));
                        return None;
                    }
                    Some(DefKind::Mark) => {
                        self.error(codes::NOT_A_VALUE, loc, format!("`{name}` is a mark, and {} is wanted here", want.phrase()));
                        return None;
                    }
                    _ => {}
                }
                let constant = self.constant(id)?;
                self.typed(constant, want, name, loc, Some(id))
            }
            other => {
                self.unknown_name(name, loc, want, env, other);
                None
            }
        }
    }

    /// Words that mean something only for a type: `true`, `inet`, `setuid`.
    fn word(&self, name: &str, want: Elem) -> Option<u128> {
        match (want, name) {
            (Elem::Bool, "true") => Some(1),
            (Elem::Bool, "false") => Some(0),
            (Elem::ModeBits, "setuid") => Some(0o4000),
            (Elem::ModeBits, "setgid") => Some(0o2000),
            (Elem::ModeBits, "sticky") => Some(0o1000),
            (Elem::Enum(kind), _) => self.index.catalog.enums.get(kind)?.get(name).map(|n| u128::from(*n)),
            _ => None,
        }
    }

    fn typed(&mut self, constant: Rc<Constant>, want: Elem, name: &str, loc: Loc, def: Option<DefId>) -> Option<Rc<Constant>> {
        if want.takes(constant.elem) {
            return Some(constant);
        }
        let message = format!("`{name}` is of type `{}`, and {} is wanted here", constant.ty(), want.phrase());
        let mut diagnostic = Finding::error(codes::TYPE_MISMATCH, loc, message);
        if let Some(id) = def {
            diagnostic = diagnostic.related(self.names.def_loc(id), "defined here");
            let number = matches!(constant.elem, Elem::Int) && matches!(want, Elem::Port | Elem::Uid | Elem::Gid);
            let text = (constant.elem, want) == (Elem::Name, Elem::Comm);
            if number || text {
                let ty = Ty { elem: want, set: constant.shape == Shape::Set };
                diagnostic = diagnostic.help(format!("declare it as `{name}: {ty}`"));
            }
        }
        self.push(diagnostic);
        None
    }

    fn unknown_name(&mut self, name: &str, loc: Loc, want: Elem, env: &Env<'_>, found: Found<DefId>) {
        use super::FieldName;
        if matches!(found, Found::Failed) || self.uncounted() {
            return;
        }
        if let Elem::Enum(kind) = want {
            let names = self.index.catalog.enums.get(kind).into_iter().flat_map(|e| e.keys().map(String::as_str));
            let message = format!("`{name}` is no `{kind}`");
            return self.push(Finding::error(codes::UNKNOWN_VALUE, loc, message).near(name, loc, names));
        }
        if !matches!(self.index.field(name), FieldName::Unknown | FieldName::BadPart(_)) {
            let text = format!("`{name}` is a field, and fields are compared with constants only");
            let joins = "what such comparisons are needed for has fields of its own, for example `file.owned`";
            return self.push(Finding::error(codes::FIELD_COMPARED, loc, text).note(joins));
        }
        if want == Elem::ModeBits {
            let message = format!("`{name}` is no permission bit");
            let known = ["setuid", "setgid", "sticky"];
            return self.push(Finding::error(codes::UNKNOWN_VALUE, loc, message).near(name, loc, known));
        }
        if want == Elem::Attack && name.starts_with('T') && name.len() > 1 {
            return self.bad_attack(name, loc);
        }
        if want == Elem::Bool {
            let text = format!("`{name}` is not `true` or `false`");
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

    /// The value of a `let` or `param`, evaluated once for each instance.
    pub(super) fn constant(&mut self, id: DefId) -> Option<Rc<Constant>> {
        if let Some(known) = self.overrides.get(&id) {
            return known.clone();
        }
        let key = (self.instance, id);
        if let Some(known) = self.values.get(&key) {
            return known.clone();
        }
        if !self.enter(id) {
            return None;
        }
        let result = self.evaluate(id);
        self.open.pop();
        self.values.insert(key, result.clone());
        result
    }

    /// Begins a definition, unless it is begun already or too deep.
    pub(super) fn enter(&mut self, id: DefId) -> bool {
        let loc = self.names.def_loc(id);
        if let Some(start) = self.open.iter().position(|open| *open == id) {
            if !self.cyclic.insert(id) {
                return false;
            }
            self.cyclic.extend(self.open.iter().skip(start).copied());
            let way: Vec<String> = self.open.iter().skip(start).chain([&id]).map(|d| format!("`{}`", self.def_name(*d))).collect();
            let message = format!("`{}` is defined by itself: {}", self.def_name(id), way.join(" -> "));
            let mut diagnostic = Finding::error(codes::CYCLE, loc, message);
            for other in self.open.iter().skip(start + 1) {
                diagnostic = diagnostic.related(self.names.def_loc(*other), "through this");
            }
            self.push(diagnostic);
            return false;
        }
        if self.open.len() >= MAX_NESTING {
            self.error(codes::TOO_COMPLEX, loc, format!("definitions are nested deeper than {MAX_NESTING}"));
            return false;
        }
        self.open.push(id);
        true
    }

    fn def_name(&self, id: DefId) -> &str {
        self.names.def(id).map_or("", |d| d.name.node.as_str())
    }

    fn evaluate(&mut self, id: DefId) -> Option<Rc<Constant>> {
        let def = *self.names.def(id)?;
        let env = Env::of(def.file, def.part);
        let (ty, value) = match def.kind {
            DefKind::Let(Some(ty), value) => (self.ty(ty, env.id)?, value),
            DefKind::Let(None, value) => {
                let ty = self.infer(value, &env)?;
                return self.value(value, ty.elem, &env);
            }
            DefKind::Param(ty, default) => {
                let ty = self.ty(ty, env.id)?;
                if let Some(given) = self.given.get(&id).copied() {
                    return self.given(given, ty);
                }
                let Some(value) = default else {
                    let message = format!("the parameter `{}` has no value", def.name.node);
                    let help = format!("give it one in `[params]` of ebsec.toml, or by `--param {}=VALUE`", def.name.node);
                    self.push(Finding::error(codes::NO_PARAMETER, self.names.def_loc(id), message).help(help));
                    return None;
                };
                (ty, value)
            }
            DefKind::Fn(..) | DefKind::Mark | DefKind::Broken => return None,
        };
        let constant = self.value(value, ty.elem, &env)?;
        self.shaped(&constant, ty, Loc::new(env.id, value.span))
    }

    /// Checks that a value is one or a set, as its declaration says.
    pub(super) fn shaped(&mut self, constant: &Rc<Constant>, ty: Ty, loc: Loc) -> Option<Rc<Constant>> {
        let is_set = constant.shape == Shape::Set;
        let one = constant.shape == Shape::One || ty.elem == Elem::Cidr;
        if ty.set == is_set && (is_set || one) {
            if constant.elem == ty.elem {
                return Some(Rc::clone(constant));
            }
            let copy = self.spend(Cost::Elements, constant.size(), loc).then(|| constant.as_ref().clone());
            return copy.map(|copy| Rc::new(Constant { elem: ty.elem, ..copy }));
        }
        let text = self.sources.slice(loc).to_owned();
        let diagnostic = if ty.set {
            let message = format!("`{text}` is not a set, and `{ty}` is declared");
            Finding::error(codes::ONE_WANTED, loc, message)
                .fix("put it into a set", loc, format!("[{text}]"))
                .help(format!("write `[{text}]`"))
        } else {
            let message = format!("more than one value, and `{ty}` is declared");
            Finding::error(codes::ONE_WANTED, loc, message).help(format!("declare the type `set<{ty}>`"))
        };
        self.push(diagnostic);
        None
    }

    /// The type that a declaration names.
    pub(super) fn ty(&mut self, ty: &ast::Type, part: crate::source::PartId) -> Option<Ty> {
        let catalog = self.index.catalog;
        let (name, set) = match (&ty.arg, ty.name.node.as_str()) {
            (Some(arg), "set") => (arg, true),
            (Some(_), "flags" | "enum") => {
                self.unsupported(Loc::new(part, ty.span), "this type");
                return None;
            }
            (Some(_), other) => {
                self.error(codes::UNKNOWN_TYPE, Loc::new(part, ty.span), format!("only `set` has a type in `<>`, `{other}` has none"));
                return None;
            }
            (None, "set") => {
                self.push(Finding::error(codes::UNKNOWN_TYPE, Loc::new(part, ty.span), "a set of what?").help("write `set<path>`"));
                return None;
            }
            (None, _) => (&ty.name, false),
        };
        if let Some(elem) = Elem::named(&name.node, catalog) {
            if set && elem == Elem::Bool {
                self.error(codes::UNKNOWN_TYPE, Loc::new(part, ty.span), "there are no sets of truth values");
                return None;
            }
            return Some(Ty { elem, set });
        }
        let loc = Loc::new(part, name.span);
        let message = format!("there is no type `{}`", name.node);
        self.push(Finding::error(codes::UNKNOWN_TYPE, loc, message).near(&name.node, loc, Elem::names(catalog)));
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
                Found::Here(id) => self.constant(id).map(|c| c.ty()),
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
