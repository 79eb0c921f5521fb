//! What a folded condition asks: its fields, their number, its cost, and which tests are about identity. Changes nothing
//! else in it.

use crate::hir::{Atom, Cond, Test};
use crate::resolve::catalog;
use crate::typed::cost::test_weight;

/// Calls `see` for each test.
pub(crate) fn atoms(cond: &Cond, see: &mut impl FnMut(&Atom)) {
    match cond {
        Cond::Const(_) => {}
        Cond::Atom(atom) => see(atom),
        Cond::Not(inner) => atoms(inner, see),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| atoms(c, see)),
    }
}

/// The fields of a condition as bits.
pub(crate) fn mask(cond: &Cond) -> u128 {
    let mut mask = 0;
    atoms(cond, &mut |atom| mask |= catalog::bit(atom.field));
    mask
}

/// Marks the tests of identity fields whose being true loosens the verdict: those under an odd number of negations of
/// a folded condition (rule 18).
pub(crate) fn mark_identity(cond: &mut Cond, negated: bool, identity: u128) {
    match cond {
        Cond::Const(_) => {}
        Cond::Atom(atom) => {
            atom.identity = negated && catalog::bit(atom.field) & identity != 0 && matches!(atom.test, Test::InPaths(_) | Test::True);
        }
        Cond::Not(inner) => mark_identity(inner, !negated, identity),
        Cond::And(all) | Cond::Or(all) => all.iter_mut().for_each(|c| mark_identity(c, negated, identity)),
    }
}

/// What a copy of a condition costs: its tests and what they hold, and one for itself.
pub(crate) fn weight(cond: &Cond) -> usize {
    let mut sum = 1;
    atoms(cond, &mut |atom| sum += test_weight(&atom.test));
    sum
}
