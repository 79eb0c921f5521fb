//! Which definitions and imports of a package are used, by whatever is written in it. Takes a context, gives the sets.

use super::context::Context;
use super::is_own;
use crate::resolve::{DefId, DefKind, Found};
use ebsec_grammar::ast::{Arg, Cond, CondKind, Expect, ItemKind, MemberKind, Operand, PairValue, Record, TestLineKind, Value, ValueKind};
use rustc_hash::FxHashSet;

/// What is used.
#[derive(Default)]
pub(super) struct Uses<'a> {
    pub defs: FxHashSet<DefId>,
    /// By file, the names before the dot.
    pub imports: FxHashSet<(usize, &'a str)>,
    seen: FxHashSet<(usize, &'a str)>,
}

/// Everything that the package's own files use.
pub(super) fn of<'a>(cx: &Context<'a>) -> Uses<'a> {
    let (names, mut uses) = (cx.names, Uses::default());
    for def in names.defs.iter().filter(|d| is_own(names, d.file)) {
        match def.kind {
            DefKind::Let(_, value) | DefKind::Param(_, Some(value)) => uses.value(cx, def.file, value),
            DefKind::Fn(_, body) => uses.cond(cx, def.file, body),
            _ => {}
        }
    }
    for policy in names.policies.iter().filter(|p| is_own(names, p.file)) {
        for (_, member) in &policy.members {
            match &member.kind {
                MemberKind::Prop { value, .. } => uses.value(cx, policy.file, value),
                MemberKind::Scope(cond) => uses.cond(cx, policy.file, cond),
                MemberKind::Rule(rule) => rule.when.iter().chain(&rule.unless).for_each(|c| uses.cond(cx, policy.file, c)),
                _ => {}
            }
        }
    }
    for other in names.others.iter().filter(|o| is_own(names, o.file)) {
        match &other.item.kind {
            ItemKind::Apply { target, filter, with } => {
                uses.name(cx, other.file, &target.node);
                filter.iter().for_each(|c| uses.cond(cx, other.file, c));
                with.iter().for_each(|r| uses.record(cx, other.file, r));
            }
            ItemKind::Except { target, when, .. } => {
                uses.name(cx, other.file, &target.node);
                uses.cond(cx, other.file, when);
            }
            ItemKind::Test { with, .. } => {
                with.iter().for_each(|r| uses.record(cx, other.file, r));
                other.lines.iter().for_each(|(_, line)| uses.line(cx, other.file, &line.kind));
            }
            _ => {}
        }
    }
    uses
}

impl<'a> Uses<'a> {
    fn line(&mut self, cx: &Context<'a>, file: usize, line: &'a TestLineKind) {
        match line {
            TestLineKind::Process { record, .. } => self.record(cx, file, record),
            TestLineKind::Step { record, expect, .. } => {
                record.iter().for_each(|r| self.record(cx, file, r));
                if let Expect::By { rule, .. } = expect {
                    self.name(cx, file, &rule.node);
                }
            }
            TestLineKind::Broken { .. } => {}
        }
    }

    fn record(&mut self, cx: &Context<'a>, file: usize, record: &'a Record) {
        for (_, value) in &record.pairs {
            if let PairValue::Value(value) = value {
                self.value(cx, file, value);
            }
        }
    }

    fn cond(&mut self, cx: &Context<'a>, file: usize, cond: &'a Cond) {
        match &cond.kind {
            CondKind::And(all) | CondKind::Or(all) => all.iter().for_each(|c| self.cond(cx, file, c)),
            CondKind::Not(inner) => self.cond(cx, file, inner),
            CondKind::Bare(operand) => self.operand(cx, file, operand),
            CondKind::Compare { operand, value, .. } => {
                self.operand(cx, file, operand);
                self.value(cx, file, value);
            }
        }
    }

    fn operand(&mut self, cx: &Context<'a>, file: usize, operand: &'a Operand) {
        match operand {
            Operand::Name(name) | Operand::Index { name, .. } => self.name(cx, file, &name.node),
            Operand::Call { name, args, .. } => {
                self.name(cx, file, &name.node);
                for arg in args {
                    match arg {
                        Arg::Cond(cond) => self.cond(cx, file, cond),
                        Arg::Value(value) => self.value(cx, file, value),
                    }
                }
            }
        }
    }

    fn value(&mut self, cx: &Context<'a>, file: usize, value: &'a Value) {
        match &value.kind {
            ValueKind::Set(all) => all.iter().for_each(|v| self.value(cx, file, v)),
            ValueKind::Name(name) => self.name(cx, file, name),
            ValueKind::Union(a, b) | ValueKind::Difference(a, b) => {
                self.value(cx, file, a);
                self.value(cx, file, b);
            }
            ValueKind::Range { .. } | ValueKind::Literal(_) => {}
        }
    }

    fn name(&mut self, cx: &Context<'a>, file: usize, name: &'a str) {
        if !self.seen.insert((file, name)) {
            return;
        }
        if let Found::Here(id) = cx.names.find(file, name) {
            self.defs.insert(id);
        }
        // A policy's name may be followed by a rule's: each dot may end the import.
        let imports = cx.names.files.get(file).map(|f| &f.imports);
        let dots = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
        self.imports.extend(dots.filter(|before| imports.is_some_and(|all| all.contains_key(*before))).map(|before| (file, before)));
    }
}
