//! Trees of conditions and constants in, their text in canonical form out, on one line: names are written in full, blanks are
//! the formatter's, comments and parentheses that say nothing are gone. Remembers which definitions were named.

use crate::resolve::{DefId, Found, Names};
use crate::typed::op_text;
use ebsec_grammar::ast::{Arg, Cond, CondKind, Literal, Operand, Value, ValueKind};
use rustc_hash::{FxHashMap, FxHashSet};

pub(super) struct Printer<'n, 'a> {
    names: &'n Names<'a>,
    /// Index into [`Names::files`] of the tree at hand.
    file: usize,
    /// Arguments of the function at hand, which hide what is defined.
    args: Vec<String>,
    out: String,
    /// What a file's names stand for, where they stand for a definition.
    known: FxHashMap<(usize, String), Option<DefId>>,
    seen: FxHashSet<DefId>,
    /// Named and not yet asked for.
    open: Vec<DefId>,
}

impl<'n, 'a> Printer<'n, 'a> {
    pub(super) fn new(names: &'n Names<'a>) -> Self {
        let (known, seen) = (FxHashMap::default(), FxHashSet::default());
        Self { names, file: 0, args: Vec::new(), out: String::new(), known, seen, open: Vec::new() }
    }

    /// A condition that a file has.
    pub(super) fn cond(&mut self, file: usize, cond: &Cond) -> String {
        self.file = file;
        self.put(cond);
        std::mem::take(&mut self.out)
    }

    /// The same, or nothing.
    pub(super) fn optional(&mut self, file: usize, cond: Option<&Cond>) -> String {
        cond.map(|cond| self.cond(file, cond)).unwrap_or_default()
    }

    /// Conditions of which all have to hold.
    pub(super) fn all(&mut self, conds: &[(usize, &Cond)]) -> String {
        for (i, (file, cond)) in conds.iter().enumerate() {
            self.out.push_str(if i == 0 { "" } else { " and " });
            self.file = *file;
            self.grouped(cond, conds.len() > 1 && matches!(cond.kind, CondKind::Or(_)));
        }
        std::mem::take(&mut self.out)
    }

    /// A function's body.
    pub(super) fn body(&mut self, file: usize, args: &[&str], body: &Cond) -> String {
        self.args = args.iter().map(|&name| name.to_owned()).collect();
        let text = self.cond(file, body);
        self.args.clear();
        text
    }

    /// A constant that a file has.
    pub(super) fn value(&mut self, file: usize, value: &Value) -> String {
        self.file = file;
        self.constant(value);
        std::mem::take(&mut self.out)
    }

    /// A definition that was named and not yet given.
    pub(super) fn named(&mut self) -> Option<DefId> {
        self.open.pop()
    }

    /// The name of a definition with its module.
    pub(super) fn full_name(&self, id: DefId) -> String {
        let Some(def) = self.names.def(id) else { return String::new() };
        match self.names.modules.get(def.module.0 as usize).filter(|module| !module.name.is_empty()) {
            Some(module) => format!("{}.{}", module.name, def.name.node),
            None => def.name.node.clone(),
        }
    }

    fn put(&mut self, cond: &Cond) {
        match &cond.kind {
            CondKind::And(all) => self.several(all, " and ", |kind| matches!(kind, CondKind::Or(_))),
            CondKind::Or(all) => self.several(all, " or ", |kind| matches!(kind, CondKind::And(_))),
            CondKind::Not(inner) => {
                self.out.push_str("not ");
                self.grouped(inner, matches!(inner.kind, CondKind::And(_) | CondKind::Or(_)));
            }
            CondKind::Bare(operand) => self.operand(operand),
            CondKind::Compare { operand, op, value } => {
                self.operand(operand);
                self.out.push(' ');
                self.out.push_str(op_text(op.node));
                self.out.push(' ');
                self.constant(value);
            }
        }
    }

    /// `and` within `or` has parentheses too: nobody has to know which of them binds.
    fn several(&mut self, all: &[Cond], between: &str, grouped: impl Fn(&CondKind) -> bool) {
        for (i, cond) in all.iter().enumerate() {
            self.out.push_str(if i == 0 { "" } else { between });
            self.grouped(cond, grouped(&cond.kind));
        }
    }

    fn grouped(&mut self, cond: &Cond, grouped: bool) {
        self.out.push_str(if grouped { "(" } else { "" });
        self.put(cond);
        self.out.push_str(if grouped { ")" } else { "" });
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Name(name) => self.name(&name.node),
            Operand::Index { name, key, .. } => {
                self.name(&name.node);
                self.out.push('[');
                self.text(&key.node);
                self.out.push(']');
            }
            Operand::Call { name, args, .. } => {
                self.name(&name.node);
                self.out.push('(');
                for (i, arg) in args.iter().enumerate() {
                    self.out.push_str(if i == 0 { "" } else { ", " });
                    match arg {
                        Arg::Cond(cond) => self.put(cond),
                        Arg::Value(value) => self.constant(value),
                    }
                }
                self.out.push(')');
            }
        }
    }

    fn constant(&mut self, value: &Value) {
        match &value.kind {
            ValueKind::Set(all) => {
                self.out.push('[');
                for (i, one) in all.iter().enumerate() {
                    self.out.push_str(if i == 0 { "" } else { ", " });
                    self.constant(one);
                }
                self.out.push(']');
            }
            ValueKind::Range { low, high } => {
                self.out.push_str(&low.node);
                self.out.push_str("..");
                self.out.push_str(&high.node);
            }
            ValueKind::Literal(Literal::Str(text)) => self.text(text),
            ValueKind::Literal(
                Literal::Date(text)
                | Literal::Attack(text)
                | Literal::Cidr(text)
                | Literal::Ip(text)
                | Literal::Duration(text)
                | Literal::Number(text),
            ) => self.out.push_str(text),
            ValueKind::Name(name) => self.name(name),
            // The right side is never one of the two: they are read from left to right.
            ValueKind::Union(left, right) => self.pair(left, " + ", right),
            ValueKind::Difference(left, right) => self.pair(left, " - ", right),
        }
    }

    fn pair(&mut self, left: &Value, between: &str, right: &Value) {
        self.constant(left);
        self.out.push_str(between);
        self.constant(right);
    }

    /// A text as it is written.
    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\t' => self.out.push_str("\\t"),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    /// A field, an argument, a word of a field's type, or a definition.
    fn name(&mut self, name: &str) {
        match self.find(name) {
            Some(id) => {
                self.out.push_str(&self.full_name(id));
                if self.seen.insert(id) {
                    self.open.push(id);
                }
            }
            None => self.out.push_str(name),
        }
    }

    fn find(&mut self, name: &str) -> Option<DefId> {
        if self.args.iter().any(|arg| arg == name) {
            return None;
        }
        let (names, file) = (self.names, self.file);
        let find = || match names.find(file, name) {
            Found::Here(id) => Some(id),
            _ => None,
        };
        *self.known.entry((file, name.to_owned())).or_insert_with(find)
    }
}
