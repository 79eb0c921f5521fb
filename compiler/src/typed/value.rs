//! Constant expressions: sets, unions, differences, names. Wrong ones have no constant and are reported once.

use super::constant::{Constant, Data, Shape, space};
use super::cost::Cost;
use super::tree::{Value, ValueKind};
use super::{Bound, Elem, Env, Ty, Typer, interval, lang};
use crate::diag::{Finding, codes};
use crate::hir::PathLang;
use crate::resolve::{DefId, DefKind, Found, Target, WordOf};
use crate::source::Loc;
use ebsec_grammar::ast::{self, ValueKind as Written};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// What the elements of a set are, gathered.
#[derive(Default)]
struct Elements {
    patterns: Vec<crate::hir::glob::Pattern>,
    langs: Vec<PathLang>,
    numbers: interval::Intervals,
    texts: Vec<String>,
    elem: Option<Elem>,
    wrong: bool,
}

impl Typer<'_> {
    /// An expression where `want` is wanted.
    pub(crate) fn value(&mut self, value: &ast::Value, want: Elem, env: &Env<'_>) -> Value {
        let loc = Loc::new(env.id, value.span);
        let (kind, constant) = match &value.kind {
            Written::Literal(literal) => (ValueKind::Literal, self.literal(literal, loc, want).map(Arc::new)),
            Written::Range { low, high } => (ValueKind::Range, self.range(low, high, loc, want, env.id).map(Arc::new)),
            Written::Set(items) => self.set(items, loc, want, env),
            Written::Name(name) => self.named(name, loc, want, env),
            Written::Union(a, b) => {
                let (sides, constant) = self.join(a, b, loc, want, env, true);
                (ValueKind::Union(sides), constant)
            }
            Written::Difference(a, b) => {
                let (sides, constant) = self.join(a, b, loc, want, env, false);
                (ValueKind::Difference(sides), constant)
            }
        };
        Value { loc, kind, constant }
    }

    fn set(&mut self, items: &[ast::Value], loc: Loc, want: Elem, env: &Env<'_>) -> (ValueKind, Option<Arc<Constant>>) {
        if items.is_empty() {
            self.push(
                Finding::error(codes::EMPTY_SET, loc, "this set is empty")
                    .help("nothing is in an empty set: remove the test or add an element"),
            );
        }
        let mut found = Elements { wrong: items.is_empty(), ..Elements::default() };
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let mut value = self.value(item, want, env);
            // What only this element says is kept in the set alone.
            let own = matches!(value.kind, ValueKind::Literal | ValueKind::Range);
            let one = if own { value.constant.take() } else { value.constant.clone() };
            self.element(&mut found, one, value.loc, want);
            values.push(value);
        }
        let kind = ValueKind::Set(values.into());
        if found.wrong || !self.spend(Cost::Elements, items.len(), loc) {
            return (kind, None);
        }
        let Elements { patterns, mut langs, numbers, texts, elem, .. } = found;
        let data = if !patterns.is_empty() || !langs.is_empty() {
            langs.insert(0, PathLang::Patterns(patterns));
            Data::Lang(if langs.len() == 1 { langs.remove(0) } else { lang::normal(PathLang::Union(langs)) })
        } else if !numbers.is_empty() {
            Data::Numbers(interval::normal(numbers))
        } else {
            Data::Texts(texts)
        };
        (kind, Some(Arc::new(Constant { elem: elem.unwrap_or(want), shape: Shape::Set, data })))
    }

    /// Adds an element to those of its set.
    fn element(&mut self, found: &mut Elements, one: Option<Arc<Constant>>, loc: Loc, want: Elem) {
        let Some(one) = one else {
            found.wrong = true;
            return;
        };
        if one.shape == Shape::Set {
            let text = "a set cannot be an element of a set";
            self.push(Finding::error(codes::ONE_WANTED, loc, text).help("join two sets with `+`"));
            found.wrong = true;
            return;
        }
        found.elem = Some(match found.elem {
            None => one.elem,
            Some(before) if before == one.elem => before,
            Some(_) => want,
        });
        match Arc::unwrap_or_clone(one).data {
            Data::Lang(PathLang::Patterns(all)) => found.patterns.extend(all),
            Data::Lang(other) => found.langs.push(other),
            Data::Numbers(all) => found.numbers.extend(all),
            Data::Texts(all) => found.texts.extend(all),
            Data::Bool(_) => {
                self.error(codes::TYPE_MISMATCH, loc, "a set cannot hold truth values");
                found.wrong = true;
            }
        }
    }

    fn join(
        &mut self,
        a: &ast::Value,
        b: &ast::Value,
        loc: Loc,
        want: Elem,
        env: &Env<'_>,
        union: bool,
    ) -> (Box<[Value; 2]>, Option<Arc<Constant>>) {
        let sides = Box::new([self.value(a, want, env), self.value(b, want, env)]);
        let constant = self.joined(&sides, loc, want, union);
        (sides, constant.map(Arc::new))
    }

    fn joined(&mut self, sides: &[Value; 2], loc: Loc, want: Elem, union: bool) -> Option<Constant> {
        let sign = if union { '+' } else { '-' };
        for side in sides {
            if side.constant.as_ref().is_some_and(|c| c.shape != Shape::Set) {
                let text = self.sources.slice(side.loc).to_owned();
                let message = format!("`{sign}` works on sets, and `{text}` is one value");
                let diagnostic = Finding::error(codes::ONE_WANTED, side.loc, message).help(format!("write `[{text}]`"));
                self.push(diagnostic.fix("put it into a set", side.loc, format!("[{text}]")));
                return None;
            }
        }
        let [left, right] = sides;
        let (left, right) = (left.constant.as_ref()?, right.constant.as_ref()?);
        if !self.spend(Cost::Elements, left.size() + right.size(), loc) {
            return None;
        }
        let elem = if left.elem == right.elem { left.elem } else { want };
        let data = self.combined(&left.data, &right.data, loc, elem, union)?;
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
        Some(Constant { elem, shape: Shape::Set, data })
    }

    fn combined(&mut self, left: &Data, right: &Data, loc: Loc, elem: Elem, union: bool) -> Option<Data> {
        Some(match (left, right) {
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
        })
    }

    fn named(&mut self, name: &str, loc: Loc, want: Elem, env: &Env<'_>) -> (ValueKind, Option<Arc<Constant>>) {
        if let Some((index, (_, bound))) = env.args.iter().enumerate().find(|(_, (arg, _))| *arg == name) {
            self.note(loc, Target::Argument(index as u32));
            let constant = match bound {
                Bound::Constant(constant) => self.suited(constant.clone(), want, name, loc, None),
                Bound::Cond(..) => {
                    self.error(codes::NOT_A_VALUE, loc, format!("expected {}, found the condition `{name}`", want.phrase()));
                    None
                }
                Bound::Wrong => None,
            };
            return (ValueKind::Name, constant);
        }
        if let Some(number) = self.word(name, want) {
            if let Some(of) = self.words_of(want) {
                self.note(loc, Target::Word(of));
            }
            let data = if want == Elem::Bool { Data::Bool(number == 1) } else { Data::Numbers(vec![(number, number)]) };
            return (ValueKind::Name, Some(Arc::new(Constant { elem: want, shape: Shape::One, data })));
        }
        match self.names.find(env.file, name) {
            Found::Here(id) => (ValueKind::Def(id), self.named_constant(id, name, loc, want)),
            other => {
                self.unknown_name(name, loc, want, env, other);
                (ValueKind::Name, None)
            }
        }
    }

    fn named_constant(&mut self, id: DefId, name: &str, loc: Loc, want: Elem) -> Option<Arc<Constant>> {
        self.note(loc, Target::Def(id));
        let Some(what) = self.without_value(id) else {
            let constant = self.constant(id)?;
            return self.suited(constant, want, name, loc, Some(id));
        };
        self.error(codes::NOT_A_VALUE, loc, format!("expected {}, found the {what} `{name}`", want.phrase()));
        None
    }

    /// What a definition is, if it is no constant.
    pub(crate) fn without_value(&self, id: DefId) -> Option<&'static str> {
        match self.names.def(id)?.kind {
            DefKind::Fn(..) => Some("function"),
            DefKind::Mark => Some("mark"),
            DefKind::Let(..) | DefKind::Param(..) | DefKind::Broken => None,
        }
    }

    /// What the words of a type are.
    fn words_of(&self, want: Elem) -> Option<WordOf> {
        match want {
            Elem::Bool => Some(WordOf::Truth),
            Elem::ModeBits => Some(WordOf::ModeBits),
            Elem::Enum(kind) => WordOf::of_enum(self.index.catalog, kind),
            _ => None,
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

    /// A named constant, if it is of the type that is wanted.
    fn suited(&mut self, constant: Arc<Constant>, want: Elem, name: &str, loc: Loc, def: Option<DefId>) -> Option<Arc<Constant>> {
        if want.takes(constant.elem) {
            return Some(constant);
        }
        let message = format!("expected {}, found `{name}` of type `{}`", want.phrase(), constant.ty());
        let mut diagnostic = Finding::error(codes::TYPE_MISMATCH, loc, message);
        if let Some(id) = def {
            diagnostic = diagnostic.related(self.names.def_loc(id), "defined here");
            let number = matches!(constant.elem, Elem::Int) && matches!(want, Elem::Port | Elem::Uid | Elem::Gid);
            let text = (constant.elem, want) == (Elem::Name, Elem::Comm);
            if number || text {
                let ty = Ty { elem: want, set: constant.shape == Shape::Set };
                diagnostic = diagnostic.help(format!("declare it as `{name}: {ty}`"));
            }
            diagnostic = match (constant.elem, want) {
                (Elem::Name, Elem::Path) => {
                    diagnostic.help(format!("compare the name alone: write `.name` after the field, as in `file.path.name in {name}`"))
                }
                (Elem::Path, Elem::Name) => {
                    diagnostic.help(format!("compare the whole path: write the field without `.name`, as in `file.path in {name}`"))
                }
                _ => diagnostic,
            };
        }
        self.push(diagnostic);
        None
    }
}
