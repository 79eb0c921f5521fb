//! One walk over what is written and one over what is folded, in which each lint is called for what it looks at.

use super::context::{Constant, Context, Folded, Role, Test, Written};
use super::kept::Kept;
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
    /// What was found, for the next time if there is one.
    kept: Option<&'w mut Kept>,
}

/// Calls each lint.
pub(super) fn run<'a>(context: &Context<'a>, lints: &Active, report: &mut Report<'a>, kept: Option<&mut Kept>) {
    let mut walk = Walk { context, report, lints, literals: Vec::new(), kept };
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
    /// Looks at a part, or says again what was found in it.
    fn part(&mut self, part: PartId, look: impl FnOnce(&mut Self)) {
        let from = self.report.count();
        match self.context.before.and_then(|before| before.part(part)) {
            // All of it was said when another thing in the part came by.
            Some(_) if self.kept.as_ref().is_some_and(|kept| kept.parts.contains_key(&part)) => {}
            Some(found) => found.iter().for_each(|finding| self.report.push(finding.clone())),
            None => look(self),
        }
        if let (Some(kept), found @ [_, ..]) = (&mut self.kept, self.report.since(from)) {
            kept.parts.entry(part).or_default().extend_from_slice(found);
        }
    }

    fn definitions(&mut self) {
        use crate::resolve::DefKind;
        let names = self.context.names;
        for def in names.defs.iter().filter(|d| is_own(names, d.file)) {
            self.part(def.part, |walk| match def.kind {
                DefKind::Let(_, value) | DefKind::Param(_, Some(value)) => walk.constant(def.part, Role::Defined, value),
                DefKind::Fn(_, body) => walk.condition(def.part, body),
                DefKind::Param(_, None) | DefKind::Mark | DefKind::Broken => {}
            });
        }
    }

    fn policies(&mut self) {
        let names = self.context.names;
        for policy in names.policies.iter().filter(|p| is_own(names, p.file)) {
            for (part, member) in &policy.members {
                self.part(*part, |walk| walk.member(*part, member));
            }
        }
    }

    fn member(&mut self, part: PartId, member: &'a ast::Member) {
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

    fn others(&mut self) {
        let names = self.context.names;
        for other in names.others.iter().filter(|o| is_own(names, o.file)) {
            self.part(other.part, |walk| match &other.item.kind {
                ItemKind::Apply { filter, with, .. } => {
                    filter.iter().for_each(|cond| walk.condition(other.part, cond));
                    with.iter().for_each(|record| walk.record(other.part, record, |_| Role::Other));
                }
                ItemKind::Except { when, .. } => walk.condition(other.part, when),
                ItemKind::Test { with, .. } => with.iter().for_each(|record| walk.record(other.part, record, |_| Role::Other)),
                _ => {}
            });
            other.lines.iter().for_each(|(part, line)| self.part(*part, |walk| walk.line(*part, line)));
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
                    self.call(part, Role::Object, literal.span, (true, false));
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
            self.call(part, role, value.span, (alone, adds_again(value)));
        }
    }

    fn call(&mut self, part: PartId, role: Role<'a>, span: Span, (alone, adds_again): (bool, bool)) {
        let constant = Constant { part, role, span, alone, adds_again, literals: &self.literals };
        for (head, check) in &self.lints.constant {
            self.report.begin(*head);
            check(self.context, &constant, self.report);
        }
    }

    fn folded(&mut self) {
        let context = self.context;
        for (at, origin) in context.origins.iter().enumerate() {
            for (index, folded) in context.rules_of(at).enumerate() {
                let from = self.report.count();
                // A default has to do with the other rules of its policy.
                let again = !origin.applied && folded.rule.label.is_some();
                match context.before.filter(|_| again).zip(context.same.rule(at, index)) {
                    Some((before, old)) => before.rule(at, old).iter().for_each(|finding| self.report.push(finding.clone())),
                    None => self.rule(&folded),
                }
                if let (Some(kept), found @ [_, ..]) = (&mut self.kept, self.report.since(from)) {
                    kept.rules.insert((at, index), found.to_vec());
                }
            }
        }
    }

    fn rule(&mut self, folded: &Folded<'a>) {
        for (head, check) in &self.lints.folded {
            self.report.begin(*head);
            check(self.context, folded, self.report);
        }
        // A library's tests of fields are the library's.
        if !folded.origin.applied {
            self.atoms(folded);
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

/// Whether something is added to a difference: it may be what was left out before.
fn adds_again(value: &ast::Value) -> bool {
    match &value.kind {
        ValueKind::Union(a, b) => has_difference(a) || has_difference(b),
        ValueKind::Difference(a, _) => adds_again(a),
        _ => false,
    }
}

fn has_difference(value: &ast::Value) -> bool {
    match &value.kind {
        ValueKind::Difference(..) => true,
        ValueKind::Union(a, b) => has_difference(a) || has_difference(b),
        _ => false,
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
