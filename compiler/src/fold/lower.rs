//! Typed conditions to folded ones: calls become bodies, `!=` a negation, sets of paths their numbers. What is wrong becomes
//! `false`, which is never used, since there is a finding then.

use super::Folder;
use crate::hir::{Atom, Cond, PathSetId, Space, Test};
use crate::resolve::Part;
use crate::source::Loc;
use crate::typed::tree::{self, Asked, Compare, CondKind, ValueKind};
use crate::typed::{Constant, Data};
use ebsec_grammar::ast::Op;
use ebsec_templates::FieldId;
use std::sync::Arc;

pub(super) const WRONG: Cond = Cond::Const(false);

impl Folder<'_> {
    pub(super) fn lower(&mut self, typed: &tree::Cond) -> Cond {
        match &typed.kind {
            CondKind::And(all) => Cond::And(all.iter().map(|c| self.lower(c)).collect()),
            CondKind::Or(all) => Cond::Or(all.iter().map(|c| self.lower(c)).collect()),
            CondKind::Not(inner) => Cond::Not(Box::new(self.lower(inner))),
            CondKind::Const(yes) => Cond::Const(*yes),
            CondKind::Field { field, part } => {
                let test = match part {
                    Some(Part::Unresolved) => Test::Unresolved,
                    Some(Part::Deleted) => Test::Deleted,
                    _ => Test::True,
                };
                atom(*field, test, typed.loc)
            }
            CondKind::Compare(compare) => self.compare(compare, typed.loc),
            CondKind::Call(call) => call.body.as_ref().map_or(WRONG, |body| self.lower(body)),
            CondKind::Argument(cond) => self.lower(cond),
            CondKind::Wrong => WRONG,
        }
    }

    fn compare(&mut self, compare: &Compare, loc: Loc) -> Cond {
        let field = compare.field.node;
        let cond = match &compare.asked {
            None => return WRONG,
            Some(Asked::Value(space)) => match &compare.value.constant {
                Some(constant) => atom(field, Test::InPaths(self.set_of(constant, &compare.value.kind, *space)), loc),
                None => return WRONG,
            },
            Some(Asked::Paths(space, language)) => {
                let key = (Arc::as_ptr(language) as usize, *space);
                let named = matches!(compare.value.kind, ValueKind::Def(_));
                let id = self.interned(key, named, || language.as_ref().clone());
                atom(field, Test::InPaths(id), loc)
            }
            Some(Asked::Tests(tests)) => match tests.as_ref() {
                [one] => atom(field, one.clone(), loc),
                several => Cond::Or(several.iter().map(|test| atom(field, test.clone(), loc)).collect()),
            },
        };
        if compare.op.node == Op::Ne { Cond::Not(Box::new(cond)) } else { cond }
    }

    fn set_of(&mut self, constant: &Arc<Constant>, kind: &ValueKind, space: Space) -> PathSetId {
        let named = matches!(kind, ValueKind::Def(_));
        let language = || match &constant.data {
            Data::Lang(language) => language.clone(),
            _ => crate::hir::PathLang::Patterns(Vec::new()),
        };
        self.interned((Arc::as_ptr(constant) as usize, space), named, language)
    }

    /// The number of a set; that of a named constant is remembered, since it is likely to be asked for again.
    fn interned(&mut self, key: (usize, Space), named: bool, language: impl FnOnce() -> crate::hir::PathLang) -> PathSetId {
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = self.sets.intern(key.1, language());
        if named {
            self.known.insert(key, id);
        }
        id
    }
}

fn atom(field: FieldId, test: Test, loc: Loc) -> Cond {
    Cond::Atom(Atom { field, test, identity: false, loc })
}
