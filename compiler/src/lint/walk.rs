//! One walk over what is written and one over what is folded, in which each lint is called for what it looks at.

use super::context::{Constant, Context, Folded, Role, Test, Written};
use super::report::Report;
use super::{Active, is_own};
use crate::hir::{Atom, Cond};
use crate::source::{PartId, Span};
use ebsec_grammar::ast::{self, ItemKind, MemberKind, PairValue, Target, TestLineKind, ValueKind};

/// A walk, and what it hands on.
struct Walk<'w, 'a> {
    context: &'w Context<'a>,
    report: &'w mut Report<'a>,
    lints: &'w Active,
    /// The literals of the constant at hand.
    literals: Vec<(Span, &'a ast::Literal)>,
}

/// Calls each lint.
pub(super) fn run<'a>(context: &Context<'a>, lints: &Active, report: &mut Report<'a>) {
    let mut walk = Walk { context, report, lints, literals: Vec::new() };
    walk.definitions();
    walk.policies();
    walk.others();
    walk.folded();
    for (head, check) in &lints.package {
        walk.report.begin(*head);
        check(context, walk.report);
    }
}

impl<'a> Walk<'_, 'a> {
    fn definitions(&mut self) {
        use crate::resolve::DefKind;
        let names = self.context.names;
        for def in names.defs.iter().filter(|d| is_own(names, d.file)) {
            match def.kind {
                DefKind::Let(_, value) | DefKind::Param(_, Some(value)) => self.constant(def.part, Role::Defined, value),
                DefKind::Fn(_, body) => self.condition(def.part, body),
                DefKind::Param(_, None) | DefKind::Mark | DefKind::Broken => {}
            }
        }
    }

    fn policies(&mut self) {
        let names = self.context.names;
        for policy in names.policies.iter().filter(|p| is_own(names, p.file)) {
            for (part, member) in &policy.members {
                let part = *part;
                match &member.kind {
                    MemberKind::Prop { value, .. } => self.constant(part, Role::Other, value),
                    MemberKind::Scope(cond) => self.condition(part, cond),
                    MemberKind::Rule(rule) => {
                        rule.when.iter().chain(rule.unless.as_deref()).for_each(|cond| self.condition(part, cond));
                    }
                    MemberKind::Default { .. } | MemberKind::Broken { .. } => {}
                }
                for (head, check) in &self.lints.written {
                    self.report.begin(*head);
                    check(self.context, &Written { part, member }, self.report);
                }
            }
        }
    }

    fn others(&mut self) {
        let names = self.context.names;
        for other in names.others.iter().filter(|o| is_own(names, o.file)) {
            match &other.item.kind {
                ItemKind::Apply { filter, with, .. } => {
                    filter.iter().for_each(|cond| self.condition(other.part, cond));
                    with.iter().for_each(|record| self.record(other.part, record, |_| Role::Other));
                }
                ItemKind::Except { when, .. } => self.condition(other.part, when),
                ItemKind::Test { with, .. } => {
                    with.iter().for_each(|record| self.record(other.part, record, |_| Role::Other));
                    other.lines.iter().for_each(|(part, line)| self.line(*part, line));
                }
                _ => {}
            }
        }
    }

    fn line(&mut self, part: PartId, line: &'a ast::TestLine) {
        match &line.kind {
            TestLineKind::Process { record, .. } => {
                let container = is_inside(record);
                self.record(part, record, |key| Role::Process { key, container });
            }
            TestLineKind::Step { target, record, .. } => {
                if let Some(Target::Literal(literal)) = target {
                    self.literals.clear();
                    self.literals.push((literal.span, &literal.node));
                    self.call(part, Role::Object, literal.span, true);
                }
                record.iter().for_each(|record| self.record(part, record, |_| Role::Object));
            }
            TestLineKind::Broken { .. } => {}
        }
    }

    fn record(&mut self, part: PartId, record: &'a ast::Record, role: impl Fn(&'a str) -> Role<'a>) {
        for (key, value) in &record.pairs {
            if let PairValue::Value(value) = value {
                self.constant(part, role(&key.node), value);
            }
        }
    }

    fn condition(&mut self, part: PartId, cond: &'a ast::Cond) {
        use ast::{Arg, CondKind, Operand};
        for (head, check) in &self.lints.condition {
            self.report.begin(*head);
            check(self.context, &Test { part, cond }, self.report);
        }
        match &cond.kind {
            CondKind::And(all) | CondKind::Or(all) => all.iter().for_each(|c| self.condition(part, c)),
            CondKind::Not(inner) => self.condition(part, inner),
            CondKind::Compare { operand, op, value } => self.constant(part, Role::Compared(operand, op), value),
            CondKind::Bare(Operand::Call { args, .. }) => {
                for arg in args {
                    match arg {
                        Arg::Cond(cond) => self.condition(part, cond),
                        Arg::Value(value) => self.constant(part, Role::Other, value),
                    }
                }
            }
            CondKind::Bare(_) => {}
        }
    }

    fn constant(&mut self, part: PartId, role: Role<'a>, value: &'a ast::Value) {
        self.literals.clear();
        collect(value, &mut self.literals);
        let alone = matches!(value.kind, ValueKind::Literal(_));
        if !self.literals.is_empty() {
            self.call(part, role, value.span, alone);
        }
    }

    fn call(&mut self, part: PartId, role: Role<'a>, span: Span, alone: bool) {
        let constant = Constant { part, role, span, alone, literals: &self.literals };
        for (head, check) in &self.lints.constant {
            self.report.begin(*head);
            check(self.context, &constant, self.report);
        }
    }

    fn folded(&mut self) {
        let context = self.context;
        for folded in context.rules() {
            for (head, check) in &self.lints.folded {
                self.report.begin(*head);
                check(context, &folded, self.report);
            }
            // A library's tests of fields are the library's.
            if !folded.origin.applied {
                self.atoms(&folded);
            }
        }
    }

    fn atoms(&mut self, folded: &Folded<'a>) {
        let (context, lints) = (self.context, self.lints);
        let report = &mut *self.report;
        each_atom(&folded.rule.cond, false, &mut |atom, negated| {
            for (head, check) in &lints.atom {
                report.begin(*head);
                check(context, folded, atom, negated, report);
            }
        });
    }
}

/// Whether a test puts a process into a container.
fn is_inside(record: &ast::Record) -> bool {
    let yes =
        |value: &PairValue| matches!(value, PairValue::Value(value) if matches!(&value.kind, ValueKind::Name(name) if name == "true"));
    record.pairs.iter().any(|(key, value)| key.node == "container" && yes(value))
}

/// Calls for each atom, with whether it is negated.
fn each_atom<'c>(cond: &'c Cond, negated: bool, call: &mut impl FnMut(&'c Atom, bool)) {
    match cond {
        Cond::Const(_) => {}
        Cond::Atom(atom) => call(atom, negated),
        Cond::Not(inner) => each_atom(inner, !negated, call),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| each_atom(c, negated, call)),
    }
}

/// The literals of a constant in their order.
fn collect<'a>(value: &'a ast::Value, out: &mut Vec<(Span, &'a ast::Literal)>) {
    match &value.kind {
        ValueKind::Set(all) => all.iter().for_each(|v| collect(v, out)),
        ValueKind::Literal(literal) => out.push((value.span, literal)),
        ValueKind::Union(a, b) => {
            collect(a, out);
            collect(b, out);
        }
        // What is left out of a set is no second element of it.
        ValueKind::Difference(a, _) => collect(a, out),
        ValueKind::Range { .. } | ValueKind::Name(_) => {}
    }
}
