//! What is left of a typed package after an edit: the parts that say the same, and whose names mean the same. Takes the last
//! package and the names as they are now, gives what need not be typed again. Types nothing.

use super::cost::{Cost, Spent};
use super::tree::{Apply, Asked, Cond, Def, Defs, Member, Package, Typed};
use super::{Constant, Given, TestKey, Typer};
use crate::resolve::{DefId, DefKind, Names, Target, Use};
use crate::source::{Loc, PartId};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use std::fmt::Write;
use std::sync::Arc;

/// What typing a package leaves for the next time, besides the package. Values of parameters, the day and the target kernels
/// are the same both times.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The definitions as [`table`] shows them.
    table: String,
    /// The places of the values that parameters are given.
    given: Vec<Loc>,
    bodies: Bodies,
    tests: Tests,
    /// What everything cost so far. It only grows: no less is spent than typing all at once spends, and where that is too
    /// much, all is typed at once.
    spent: Spent,
    searched: usize,
}

/// Bodies of functions without arguments, with their number of tests.
pub(super) type Bodies = FxHashMap<(u32, DefId), (Arc<Cond>, usize)>;
/// Comparisons of a field with a named constant.
pub(super) type Tests = FxHashMap<TestKey, (Arc<Constant>, Asked)>;
/// Where a member is: the values of parameters, its part, and which of the members in it.
type MemberKey = (u32, PartId, u32);

/// What is still true of the last package.
#[derive(Debug, Default)]
pub struct Reuse<'a> {
    members: FxHashMap<MemberKey, &'a Arc<Typed<Member>>>,
    /// Each `apply` that says the same as before, with the number of its values.
    applies: FxHashMap<PartId, u32>,
}

impl Kept {
    /// What still holds of a package, by the names as they are now: nothing if there are others. The rest is taken by the typer.
    fn after<'a>(&self, package: &'a Package, typer: &mut Typer<'a>, given: &[Given]) -> Reuse<'a> {
        let names = typer.names;
        if self.table != table(names) {
            return Reuse::default();
        }
        let changed = changed(&package.defs, names, given, &self.given);
        let holds = |id: DefId| !changed.contains(&id);
        let defs = package.defs.iter().filter(|((_, id), _)| holds(*id));
        typer.defs = defs.map(|(key, def)| (*key, Arc::clone(def))).collect();
        let bodies = self.bodies.iter().filter(|((_, id), _)| holds(*id));
        typer.bodies = bodies.map(|(key, body)| (*key, body.clone())).collect();
        let tests = self.tests.iter().filter(|((_, id, ..), _)| holds(*id));
        typer.tests = tests.map(|(key, test)| (*key, test.clone())).collect();
        typer.spent = self.spent.clone();
        typer.searched.set(self.searched);
        let is_same = |uses: &[Use]| changed.is_empty() || uses.iter().filter_map(meant).all(holds);
        let applies = package.applies.iter().filter(|one| one.tree.instance > 0 && is_same(&one.uses));
        let count = package.policies.iter().map(|policy| policy.members.len()).sum();
        let mut reuse = Reuse {
            applies: applies.map(|one| (one.part, one.tree.instance)).collect(),
            members: FxHashMap::with_capacity_and_hasher(count, FxBuildHasher),
        };
        for policy in &package.policies {
            let instance = policy.apply.and_then(|at| package.applies.get(at)).map_or(0, |one| one.tree.instance);
            let parts = numbered(policy.members.iter().map(|member| member.part));
            let same = policy.members.iter().zip(parts).filter(|(member, _)| is_same(&member.uses));
            reuse.members.extend(same.map(|(member, (part, nth))| ((instance, part, nth), member)));
        }
        reuse
    }
}

impl<'a> Reuse<'a> {
    /// A member that says the same as before.
    pub(super) fn member(&self, instance: u32, (part, nth): (PartId, u32)) -> Option<Arc<Typed<Member>>> {
        self.members.get(&(instance, part, nth)).map(|member| Arc::clone(member))
    }
}

impl<'a> Typer<'a> {
    /// Takes what still holds of a package that was typed before.
    pub fn reuse(&mut self, package: &'a Package, kept: &Kept, given: &[Given]) {
        self.reuse = kept.after(package, self, given);
    }

    /// Leaves out what was typed with values of an `apply` that may be others now.
    pub(super) fn keep_applied(&mut self, applies: &[Typed<Apply>]) {
        let same = |one: &&Typed<Apply>| self.reuse.applies.get(&one.part) == Some(&one.tree.instance);
        let mut same: FxHashSet<u32> = applies.iter().filter(same).map(|one| one.tree.instance).collect();
        same.insert(0);
        self.reuse.members.retain(|(instance, ..), _| same.contains(instance));
        self.defs.retain(|(instance, _), _| same.contains(instance));
        self.bodies.retain(|(instance, _), _| same.contains(instance));
        self.tests.retain(|(instance, ..), _| same.contains(instance));
    }

    /// What the next time needs besides the package. `None` if something depends on the order in which the parts were typed:
    /// in which of them a bound was passed, or where a cycle was entered.
    pub fn kept(&mut self, given: &[Given]) -> Option<Kept> {
        if self.is_ordered() {
            return None;
        }
        let mut spent = self.spent.clone();
        // The lines of tests are typed each time.
        spent.clear(Cost::Programs);
        Some(Kept {
            table: table(self.names),
            given: given.iter().map(|one| one.loc).collect(),
            bodies: std::mem::take(&mut self.bodies),
            tests: std::mem::take(&mut self.tests),
            spent,
            searched: self.searched.get(),
        })
    }

    fn is_ordered(&self) -> bool {
        self.is_ordered.get() || self.room == 0 || self.left_out > 0 || self.spent.is_any_spent()
    }
}

/// Parts one after the other, each with how often it came directly before.
pub(super) fn numbered(parts: impl Iterator<Item = PartId>) -> impl Iterator<Item = (PartId, u32)> {
    let mut last: Option<(PartId, u32)> = None;
    parts.map(move |part| {
        let nth = last.filter(|(before, _)| *before == part).map_or(0, |(_, nth)| nth + 1);
        last = Some((part, nth));
        (part, nth)
    })
}

/// The definition that a name stands for.
fn meant(one: &Use) -> Option<DefId> {
    match one.target {
        Target::Def(id) | Target::Parameter(id) => Some(id),
        _ => None,
    }
}

/// The definitions that are written in another way now, and those that use them.
fn changed(defs: &Defs, names: &Names<'_>, given: &[Given], before: &[Loc]) -> FxHashSet<DefId> {
    let is_new = |id: DefId, def: &Typed<Def>| names.def(id).is_none_or(|now| now.part != def.part);
    let mut open: Vec<DefId> = defs.iter().filter(|((_, id), def)| is_new(*id, def)).map(|((_, id), _)| *id).collect();
    // The values that a test gives may have names in them, whose uses are the test's.
    let moved = || !given.iter().map(|one| one.loc).eq(before.iter().copied());
    if given.iter().any(|one| one.file.is_some()) && (!open.is_empty() || moved()) {
        let own = names.modules.first();
        open.extend(given.iter().filter_map(|one| own?.defs.get(one.name.as_str())));
    }
    if open.is_empty() {
        return FxHashSet::default();
    }
    let mut users: FxHashMap<DefId, Vec<DefId>> = FxHashMap::default();
    for ((_, user), def) in defs {
        def.uses.iter().filter_map(meant).for_each(|used| users.entry(used).or_default().push(*user));
    }
    let mut all: FxHashSet<DefId> = open.iter().copied().collect();
    while let Some(id) = open.pop() {
        let new = users.get(&id).into_iter().flatten().filter(|user| all.insert(**user));
        open.extend(new);
    }
    all
}

/// All that the meaning of names depends on besides the parts that they lead to: which definitions there are, of what kind and
/// in which order. What files import is the same as long as their imports are.
fn table(names: &Names<'_>) -> String {
    let mut out = String::new();
    for def in &names.defs {
        let kind = match def.kind {
            DefKind::Let(..) => "let",
            DefKind::Param(..) => "param",
            DefKind::Fn(..) => "fn",
            DefKind::Mark => "mark",
            DefKind::Broken => "broken",
        };
        let _ = writeln!(out, "{} {kind} {:?}", def.file, def.name.node);
    }
    out
}
