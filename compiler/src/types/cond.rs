//! Conditions: trees in, typed conditions out. Functions are replaced by their bodies. A wrong test becomes `false`,
//! which is never used, since there is an error then.

use super::atoms::size;
use super::constant::{Constant, Data, Shape};
use super::cost::{Cost, test_weight, weight};
use super::{Bound, Checker, Elem, Env, FieldName, MAX_ATOMS, PARTS, Part, interval, lang, op_text, operators};
use crate::diag::{Finding, codes};
use crate::hir::{Atom, Cond, PathLang, Space, Test};
use crate::resolve::{DefId, DefKind, Found};
use crate::source::Loc;
use ebsec_grammar::ast::{self, CondKind, Op, Operand, ValueKind};
use ebsec_templates::{FieldId, FieldType};
use std::rc::Rc;

/// Which test a named constant was used for.
pub(super) type TestKey = (u32, DefId, FieldId, Option<Part>, u8);

pub(super) const WRONG: Cond = Cond::Const(false);

impl Checker<'_> {
    /// A whole condition: its tests are counted from nothing.
    pub(super) fn condition(&mut self, tree: &ast::Cond, env: &Env<'_>) -> Cond {
        (self.atoms, self.calls) = (0, 0);
        self.cond(tree, env)
    }

    pub(super) fn cond(&mut self, tree: &ast::Cond, env: &Env<'_>) -> Cond {
        match &tree.kind {
            CondKind::And(all) => Cond::And(all.iter().map(|c| self.cond(c, env)).collect()),
            CondKind::Or(all) => Cond::Or(all.iter().map(|c| self.cond(c, env)).collect()),
            CondKind::Not(inner) => Cond::Not(Box::new(self.cond(inner, env))),
            CondKind::Bare(operand) => self.bare(operand, Loc::new(env.id, tree.span), env),
            CondKind::Compare { operand, op, value } => {
                let loc = Loc::new(env.id, tree.span);
                self.compare(operand, op, value, loc, env)
            }
        }
    }

    pub(super) fn count(&mut self, more: usize, loc: Loc) -> bool {
        let before = self.atoms;
        self.atoms = before.saturating_add(more);
        if before <= MAX_ATOMS && self.atoms > MAX_ATOMS {
            let message = format!("this condition has more than {MAX_ATOMS} tests");
            self.push(Finding::error(codes::TOO_COMPLEX, loc, message).help("put values into a set instead of joining tests with `or`"));
        }
        self.atoms <= MAX_ATOMS
    }

    fn atom(&mut self, field: FieldId, test: Test, loc: Loc) -> Cond {
        if self.count(1, loc) && self.spend(Cost::Tests, test_weight(&test), loc) {
            Cond::Atom(Atom { field, test, identity: false, loc })
        } else {
            WRONG
        }
    }

    fn bare(&mut self, operand: &Operand, loc: Loc, env: &Env<'_>) -> Cond {
        let name = match operand {
            Operand::Call { name, args, .. } => return self.call(name, args, loc, env),
            Operand::Index { name, .. } => return self.index(name, env),
            Operand::Name(name) => name,
        };
        if let Some((_, bound)) = env.args.iter().find(|(arg, _)| *arg == name.node) {
            return self.bare_argument(&bound.clone(), &name.node, loc);
        }
        match self.index.field(&name.node) {
            FieldName::Field(id, part) => self.bare_field(id, part, &name.node, loc),
            FieldName::Unknown => self.bare_name(&name.node, loc, env),
            other => {
                self.not_a_field(&name.node, loc, other);
                WRONG
            }
        }
    }

    fn bare_argument(&mut self, bound: &Bound, name: &str, loc: Loc) -> Cond {
        match bound {
            Bound::Cond(cond) => {
                let cond = cond.clone();
                if self.count(size(&cond), loc) && self.spend(Cost::Tests, weight(&cond), loc) { cond } else { WRONG }
            }
            Bound::Constant(constant) => self.bare_constant(&constant.clone(), name, loc),
            Bound::Wrong => WRONG,
        }
    }

    fn bare_constant(&mut self, constant: &Constant, name: &str, loc: Loc) -> Cond {
        if let Data::Bool(yes) = constant.data {
            return Cond::Const(yes);
        }
        let message = format!("`{name}` is of type `{}`, which is not a condition by itself", constant.ty());
        self.error(codes::NOT_A_VALUE, loc, message);
        WRONG
    }

    pub(super) fn bare_field(&mut self, id: FieldId, part: Option<Part>, name: &str, loc: Loc) -> Cond {
        let ty = &self.index.catalog[id].ty;
        match part {
            Some(Part::Unresolved) => return self.atom(id, Test::Unresolved, loc),
            Some(Part::Deleted) => return self.atom(id, Test::Deleted, loc),
            None if *ty == FieldType::Bool => return self.atom(id, Test::True, loc),
            _ => {}
        }
        let message = format!("`{name}` is {}, which is not a condition by itself", Elem::of_field(ty).phrase());
        self.push(Finding::error(codes::NOT_BOOL, loc, message).help(format!("compare it with a value: `{name} == …`, `{name} in […]`")));
        WRONG
    }

    fn bare_name(&mut self, name: &str, loc: Loc, env: &Env<'_>) -> Cond {
        if name == "true" || name == "false" {
            return Cond::Const(name == "true");
        }
        match self.names.find(env.file, name) {
            Found::Here(id) => match self.names.def(id).map(|d| d.kind) {
                Some(DefKind::Fn(..)) => {
                    self.push(
                        Finding::error(codes::NOT_A_VALUE, loc, format!("`{name}` is a function")).help(format!("call it: `{name}()`")),
                    );
                    WRONG
                }
                Some(DefKind::Mark) => {
                    self.unsupported(loc, "`mark`");
                    WRONG
                }
                _ => match self.constant(id) {
                    Some(constant) => self.bare_constant(&constant, name, loc),
                    None => WRONG,
                },
            },
            found if name.contains('.') && !matches!(found, Found::Nothing) => {
                let module = self.module_of(env.file, &found);
                let known = self.known(module, |_| true);
                self.not_found(codes::UNKNOWN_NAME, "name", name, loc, found, &known);
                WRONG
            }
            _ => {
                self.not_a_field(name, loc, FieldName::Unknown);
                WRONG
            }
        }
    }

    /// Says why a name is no field.
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
                self.push(Finding::error(codes::UNKNOWN_PART, loc, message).near(last, super::tail(loc, last), parts));
            }
            _ => self.unknown_field(name, loc),
        }
    }

    fn index(&mut self, name: &ast::Name, env: &Env<'_>) -> Cond {
        let loc = Loc::new(env.id, name.span);
        match self.index.field(&name.node) {
            FieldName::Field(..) => self.error(codes::WRONG_OPERATOR, loc, format!("`{}` cannot be indexed with `[…]`", name.node)),
            other => self.not_a_field(&name.node, loc, other),
        }
        WRONG
    }

    fn compare(&mut self, operand: &Operand, op: &ast::Spanned<Op>, value: &ast::Value, loc: Loc, env: &Env<'_>) -> Cond {
        let name = match operand {
            Operand::Name(name) => name,
            Operand::Index { name, .. } => return self.index(name, env),
            Operand::Call { name, span, .. } => {
                let message = format!("the result of `{}` is true or false and cannot be compared", name.node);
                self.push(
                    Finding::error(codes::BOOL_COMPARED, Loc::new(env.id, *span), message).help("use the call by itself, or after `not`"),
                );
                return WRONG;
            }
        };
        let name_loc = Loc::new(env.id, name.span);
        let (field, part) = match self.index.field(&name.node) {
            FieldName::Field(field, part) => (field, part),
            FieldName::Unknown => {
                self.no_left_side(name, name_loc, env);
                return WRONG;
            }
            other => {
                self.not_a_field(&name.node, name_loc, other);
                return WRONG;
            }
        };
        if self.is_spent(Cost::Tests) || self.is_spent(Cost::Patterns) {
            return WRONG;
        }
        let left = Left { field, part, name: &name.node };
        if !self.operator(&left, op, value, loc, env.id) {
            return WRONG;
        }
        let (op_kind, negated) = if op.node == Op::Ne { (Op::Eq, true) } else { (op.node, false) };
        let key = self.test_key(&left, op_kind, value, env);
        if let Some(test) = key.and_then(|k| self.tests.get(&k)).cloned() {
            let atom = self.atom(field, test, loc);
            return if negated { Cond::Not(Box::new(atom)) } else { atom };
        }
        let Some(tests) = self.tests_for(&left, op_kind, value, env) else { return WRONG };
        if let (Some(key), [test]) = (key, tests.as_slice()) {
            self.tests.insert(key, test.clone());
        }
        let mut atoms: Vec<Cond> = tests.into_iter().map(|test| self.atom(field, test, loc)).collect();
        let cond = if atoms.len() == 1 { atoms.pop().unwrap_or(WRONG) } else { Cond::Or(atoms) };
        if negated { Cond::Not(Box::new(cond)) } else { cond }
    }

    /// The left side is no field: perhaps a constant, with the sides turned round.
    fn no_left_side(&mut self, name: &ast::Name, loc: Loc, env: &Env<'_>) {
        let found = self.names.find(env.file, &name.node);
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

    /// Whether the operator suits the field; else says which do.
    fn operator(&mut self, left: &Left<'_>, op: &ast::Spanned<Op>, value: &ast::Value, loc: Loc, part: crate::source::PartId) -> bool {
        let field = &self.index.catalog[left.field];
        if operators(&field.ty, left.part).is_empty() {
            let no = matches!(&value.kind, ValueKind::Name(n) if n == "false") != (op.node == Op::Ne);
            let fixed = if no { format!("not {}", left.name) } else { left.name.to_owned() };
            let message = format!("`{}` is true or false and is a condition by itself", left.name);
            self.push(Finding::error(codes::BOOL_COMPARED, loc, message).help(format!("write `{fixed}`")).fix(
                "use it by itself",
                loc,
                fixed,
            ));
            return false;
        }
        let allowed = operators(&field.ty, left.part);
        let op_loc = Loc::new(part, op.span);
        if !allowed.contains(&op.node) {
            let words: Vec<&str> = allowed.iter().map(|o| op_text(*o)).collect();
            let message = format!("`{}` does not work on `{}`", op_text(op.node), left.name);
            let mut diagnostic =
                Finding::error(codes::WRONG_OPERATOR, op_loc, message).help(format!("it has {}", crate::diag::list(&words)));
            if op.node == Op::Has && field.ty == FieldType::Path {
                diagnostic = diagnostic.help("`matches` compares with a pattern");
            }
            self.push(diagnostic);
            return false;
        }
        if op.node == Op::Ne && field.many {
            let text = self.sources.slice(Loc::new(part, value.span));
            let fixed = format!("not ({} == {text})", left.name);
            let message = format!("`!=` on `{}` could mean that one differs or that all do", left.name);
            self.push(Finding::error(codes::NEGATED_MANY, op_loc, message).help(format!("that none is: `{fixed}`")).guess(
                "none of them is",
                loc,
                fixed.clone(),
            ));
            return false;
        }
        true
    }

    fn test_key(&self, left: &Left<'_>, op: Op, value: &ast::Value, env: &Env<'_>) -> Option<TestKey> {
        let ValueKind::Name(name) = &value.kind else { return None };
        if self.sets.dry || env.args.iter().any(|(arg, _)| arg == name) {
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

    /// The tests, one of which must hold.
    fn tests_for(&mut self, left: &Left<'_>, op: Op, value: &ast::Value, env: &Env<'_>) -> Option<Vec<Test>> {
        let field = &self.index.catalog[left.field];
        let want = match (&field.ty, left.part, op) {
            (FieldType::Path, Some(Part::Name | Part::Ext), _) => Elem::Name,
            (FieldType::Mode, _, Op::Has) => Elem::ModeBits,
            (ty, _, _) => Elem::of_field(ty),
        };
        let constant = self.value(value, want, env)?;
        let loc = Loc::new(env.id, value.span);
        self.shape(&constant, op, left, loc)?;
        match &constant.data {
            Data::Lang(language) => {
                if matches!(op, Op::Eq) && self.is_pattern(language, left, loc) {
                    return None;
                }
                let plain = left.part.is_none() && op != Op::Under;
                let cost = if plain { lang::size(language) } else { lang::length(language) };
                if !self.spend(Cost::Patterns, cost, loc) {
                    return None;
                }
                let language = self.language(language, left.part, op, loc)?;
                let space = if matches!(field.ty, FieldType::Comm | FieldType::Name) { Space::Comm } else { Space::Path };
                Some(vec![Test::InPaths(self.sets.intern(space, language))])
            }
            Data::Numbers(numbers) if field.ty == FieldType::Ip => Some(vec![Test::InPrefixes(interval::prefixes(numbers))]),
            Data::Numbers(numbers) => self.number_tests(numbers, op, want, loc),
            Data::Bool(_) | Data::Texts(_) => None,
        }
    }

    /// Checks one value against a set, by the operator.
    fn shape(&mut self, constant: &Rc<Constant>, op: Op, left: &Left<'_>, loc: Loc) -> Option<()> {
        let text = self.sources.slice(loc).to_owned();
        let wanted_one = matches!(op, Op::Eq | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Matches);
        let diagnostic = match (constant.shape, op) {
            (Shape::One, Op::In) => {
                let message = format!("`in` needs a set, and `{text}` is one value");
                let op = if constant.is_pattern() { "matches" } else { "==" };
                let diagnostic = Finding::error(codes::ONE_WANTED, loc, message);
                let diagnostic = diagnostic.help(format!("write `{} {op} {text}`, or `[{text}]`", left.name));
                diagnostic.fix("put it into a set", loc, format!("[{text}]"))
            }
            (Shape::Set | Shape::Range, _) if wanted_one => {
                let what = if constant.shape == Shape::Set { "a set" } else { "more than one value" };
                let message = format!("`{}` compares with one value, and this is {what}", op_text(op));
                let diagnostic = Finding::error(codes::ONE_WANTED, loc, message);
                match op {
                    Op::Eq | Op::Matches => diagnostic.help(format!("write `{} in {text}`", left.name)),
                    _ => diagnostic,
                }
            }
            _ => return Some(()),
        };
        self.push(diagnostic);
        None
    }

    fn is_pattern(&mut self, language: &PathLang, left: &Left<'_>, loc: Loc) -> bool {
        let Some(pattern) = lang::first_wild(language) else { return false };
        let text = self.sources.slice(loc);
        let diagnostic = Finding::error(
            codes::PATTERN_COMPARED,
            loc,
            format!("`{}` is a pattern, and `==` compares with one exact value", pattern.text),
        )
        .help(format!(
            "write `{} matches {text}`; to match a literal `{}`, put `\\\\` before it",
            left.name,
            wildcard(&pattern.text)
        ));
        self.push(diagnostic);
        true
    }

    /// The set of paths that a part of the path and an operator ask for.
    fn language(&mut self, language: &PathLang, part: Option<Part>, op: Op, loc: Loc) -> Option<PathLang> {
        let below = match (part, op) {
            (None, Op::Under) => lang::under(language, false),
            (Some(Part::Dir), Op::Under) => lang::under(language, true),
            (None, _) => return Some(language.clone()),
            (Some(Part::Name), _) => return Some(lang::by_name(language)),
            (Some(Part::Dir), _) => return Some(lang::by_dir(language)),
            (Some(Part::Ext), _) => {
                return match lang::by_ext(language) {
                    Ok(language) => Some(language),
                    Err(text) => {
                        let message = format!("`{text}` cannot be an extension: an extension is what follows the last dot");
                        let help = "compare `.name` with a pattern such as `\"*.tar.gz\"`";
                        self.push(Finding::error(codes::BAD_PATTERN, loc, message).help(help));
                        None
                    }
                };
            }
            (Some(Part::Unresolved | Part::Deleted), _) => return None,
        };
        if below.is_none() {
            self.push(
                Finding::error(codes::WRONG_OPERATOR, loc, "what is under a difference of patterns is unclear")
                    .help("write two tests: `x under a and not x under b`"),
            );
        }
        below
    }

    fn number_tests(&mut self, numbers: &[(u128, u128)], op: Op, want: Elem, loc: Loc) -> Option<Vec<Test>> {
        let max = want.max();
        let first = numbers.first().map_or(0, |n| n.0 as u64);
        if op == Op::Has {
            let zero = numbers.iter().any(|(low, _)| *low == 0);
            if zero {
                self.error(codes::NO_EFFECT, loc, "no bit is asked for: this test would always be true");
                return None;
            }
            // Of several, one is enough: the values were given apart, the intervals may have joined them.
            return Some(numbers.iter().flat_map(|(low, high)| *low..=*high).map(|bits| Test::HasBits(bits as u64)).collect());
        }
        let range = match op {
            Op::Lt => first.checked_sub(1).map(|high| (0, high)),
            Op::Le => Some((0, first)),
            Op::Gt => (first < max).then(|| (first + 1, max)),
            Op::Ge => Some((first, max)),
            _ => return Some(vec![Test::InRanges(numbers.iter().map(|(low, high)| (*low as u64, *high as u64)).collect())]),
        };
        if range.is_none() {
            self.error(
                codes::OUT_OF_RANGE,
                loc,
                format!("no number is {} than this: the test would always be false", if op == Op::Lt { "less" } else { "more" }),
            );
        }
        range.map(|range| vec![Test::InRanges(vec![range])])
    }
}

/// Left side of a comparison.
struct Left<'n> {
    field: FieldId,
    part: Option<Part>,
    name: &'n str,
}

fn wildcard(text: &str) -> char {
    text.chars().find(|c| "*?[{".contains(*c)).unwrap_or('*')
}

impl Part {
    /// As written.
    #[must_use]
    pub fn name(self) -> &'static str {
        PARTS.iter().find(|(_, p)| *p == self).map_or("", |(n, _)| n)
    }
}
