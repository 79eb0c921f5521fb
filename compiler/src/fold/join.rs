//! Joins the parts of a rule to one condition, and says of each part where it came from.

use super::atoms;
use crate::hir::Cond;

/// Where a part of a folded condition came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// `scope` of the policy.
    Scope,
    /// `where` of the `apply` that puts the policy in force.
    Where,
    /// `when` of the rule.
    When,
    /// `unless` of the rule.
    Unless,
    /// The `allow` rules that answer a default: one, or one after the other, in the order of the source.
    Allows,
    /// An exception, by its index in the typed package.
    Exception(u32),
}

/// A condition, with the origin of each part of its outermost `And`, or one for all of it.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    pub cond: Cond,
    pub origins: Vec<Origin>,
}

impl Joined {
    /// A condition of one origin.
    pub(super) fn new(cond: Cond, origin: Origin) -> Self {
        Self { cond, origins: vec![origin] }
    }

    /// What must not hold.
    pub(super) fn not(cond: Cond, origin: Origin) -> Self {
        let cond = match cond {
            Cond::Const(no) => Cond::Const(!no),
            cond => Cond::Not(Box::new(cond)),
        };
        Self::new(cond, origin)
    }
}

/// All of them; one alone is not wrapped, none is true.
pub(super) fn all_of(parts: Vec<Joined>) -> Joined {
    let mut flat = Vec::with_capacity(parts.len());
    let mut origins = Vec::with_capacity(parts.len());
    for Joined { cond, origins: own } in parts {
        match cond {
            Cond::And(more) => {
                let each = own.len() == more.len();
                for (i, cond) in more.into_iter().enumerate().filter(|(_, c)| *c != Cond::Const(true)) {
                    flat.push(cond);
                    origins.extend(own.get(if each { i } else { 0 }));
                }
            }
            Cond::Const(true) => {}
            other => {
                flat.push(other);
                origins.extend(own.first());
            }
        }
    }
    let cond = match <[Cond; 1]>::try_from(flat) {
        Ok([one]) => one,
        Err(all) => Cond::And(all),
    };
    Joined { cond, origins }
}

/// The condition of a rule or default from its parts, with identity marked (rules 6, 7 and 18).
pub(super) fn fold(parts: Vec<Joined>, identity: u128) -> Joined {
    let mut folded = all_of(parts);
    atoms::mark_identity(&mut folded.cond, false, identity);
    folded
}
