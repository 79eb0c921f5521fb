//! Operators: which suit a field, and what they ask of it with a value.

use super::constant::{Constant, Data, Shape};
use super::cost::{Cost, test_weight};
use super::tree::Asked;
use super::{Elem, Typer, interval, lang, op_text, operators};
use crate::diag::{Finding, codes};
use crate::hir::{PathLang, Space, Test};
use crate::resolve::Part;
use crate::source::{Loc, PartId};
use ebsec_grammar::ast::{self, Op, ValueKind};
use ebsec_templates::{FieldId, FieldType};

/// Left side of a comparison.
pub(crate) struct Left<'n> {
    pub field: FieldId,
    pub part: Option<Part>,
    pub name: &'n str,
}

impl Asked {
    /// What each of its tests costs.
    pub(crate) fn weights(&self) -> Vec<usize> {
        match self {
            Self::Value(_) | Self::Paths(..) => vec![1],
            Self::Tests(all) => all.iter().map(test_weight).collect(),
        }
    }
}

impl Typer<'_> {
    /// Whether the operator suits the field; else says which do.
    pub(crate) fn operator(&mut self, left: &Left<'_>, op: &ast::Spanned<Op>, value: &ast::Value, loc: Loc, part: PartId) -> bool {
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

    /// The type of value that a comparison wants.
    pub(crate) fn wanted(&self, left: &Left<'_>, op: Op) -> Elem {
        match (&self.index.catalog[left.field].ty, left.part, op) {
            (FieldType::Path, Some(Part::Name | Part::Ext), _) => Elem::Name,
            (FieldType::Mode, _, Op::Has) => Elem::ModeBits,
            (ty, _, _) => Elem::of_field(ty),
        }
    }

    /// What is asked: tests, one of which must hold.
    pub(crate) fn asked(&mut self, left: &Left<'_>, op: Op, constant: &Constant, want: Elem, loc: Loc) -> Option<Asked> {
        let field = &self.index.catalog[left.field];
        self.shape(constant, op, left, loc)?;
        let tests = match &constant.data {
            Data::Lang(language) => {
                if matches!(op, Op::Eq | Op::Ne) && self.is_pattern(language, left, op, loc) {
                    return None;
                }
                let plain = left.part.is_none() && op != Op::Under;
                let cost = if plain { lang::size(language) } else { lang::length(language) };
                if !self.spend(Cost::Patterns, cost, loc) {
                    return None;
                }
                let space = if matches!(field.ty, FieldType::Comm | FieldType::Name) { Space::Comm } else { Space::Path };
                if plain {
                    return Some(Asked::Value(space));
                }
                return self.language(language, left.part, op, loc).map(|language| Asked::Paths(space, language.into()));
            }
            Data::Numbers(numbers) if field.ty == FieldType::Ip => vec![Test::InPrefixes(interval::prefixes(numbers))],
            Data::Numbers(numbers) => self.number_tests(numbers, op, want, loc)?,
            Data::Bool(_) | Data::Texts(_) => return None,
        };
        Some(Asked::Tests(tests.into()))
    }

    /// Checks one value against a set, by the operator.
    fn shape(&mut self, constant: &Constant, op: Op, left: &Left<'_>, loc: Loc) -> Option<()> {
        let text = self.sources.slice(loc).to_owned();
        let wanted_one = matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Matches);
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
                    Op::Ne => diagnostic.help(format!("write `not ({} in {text})`", left.name)),
                    _ => diagnostic,
                }
            }
            _ => return Some(()),
        };
        self.push(diagnostic);
        None
    }

    /// Whether `==` or `!=` compares with a pattern, which is an error.
    fn is_pattern(&mut self, language: &PathLang, left: &Left<'_>, op: Op, loc: Loc) -> bool {
        let Some(pattern) = lang::first_wild(language) else { return false };
        let text = self.sources.slice(loc);
        let matches = format!("{} matches {text}", left.name);
        let write = if op == Op::Ne { format!("not ({matches})") } else { matches };
        let message = format!("`{}` is a pattern, and `{}` compares with one exact value", pattern.text, op_text(op));
        let help = format!("write `{write}`; to match a literal `{}`, put `\\\\` before it", wildcard(&pattern.text));
        let diagnostic = Finding::error(codes::PATTERN_COMPARED, loc, message).help(help);
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
                        self.push(Finding::error(codes::BAD_PATTERN, loc, message).help(super::advice::extension_help(&text)));
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

fn wildcard(text: &str) -> char {
    text.chars().find(|c| "*?[{".contains(*c)).unwrap_or('*')
}
