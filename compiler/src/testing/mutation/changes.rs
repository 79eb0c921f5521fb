//! The small changes of one rule, in an order that its condition's shape alone decides: a rule in, changed conditions and
//! actions out. Adds the sets that it widens to the package's.

use crate::hir::glob::{Part, Pattern};
use crate::hir::{Action, Atom, Cond, PathLang, PathSet, PathSetId, Rule, Space, Test};
use crate::source::Loc;

/// A change of a rule.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub what: &'static str,
    pub loc: Loc,
    /// The condition instead of the rule's.
    pub cond: Option<Cond>,
    /// The action instead of the rule's.
    pub action: Option<Action>,
}

/// What is done to one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Drop,
    Negate,
    /// To the folders of its paths.
    Widen,
}

const EACH: &[(How, &str)] =
    &[(How::Drop, "without this condition"), (How::Negate, "with this condition negated"), (How::Widen, "widened to the whole folder")];

/// The changes of a rule; the first one takes it away. What changes nothing keeps its number, so that numbers are the same
/// whatever the values of parameters are.
pub(super) fn changes(rule: &Rule, sets: &mut Vec<PathSet>) -> Vec<Option<Change>> {
    let swapped = match rule.action {
        Action::Audit => ("with `deny` instead of `audit`", Action::Deny),
        Action::Deny => ("with `audit` instead of `deny`", Action::Audit),
        Action::Kill => ("with `audit` instead of `kill`", Action::Audit),
    };
    let mut all = vec![
        Some(Change { what: "without this rule", loc: rule.loc, cond: Some(Cond::Const(false)), action: None }),
        Some(Change { what: swapped.0, loc: rule.loc, cond: None, action: Some(swapped.1) }),
    ];
    let mut atoms = Vec::new();
    list(&rule.cond, &mut atoms);
    for (at, loc) in atoms.iter().enumerate() {
        for (how, what) in EACH {
            let cond = Changer { target: at, next: 0, how: *how, sets: &mut *sets }.cond(&rule.cond);
            let cond = cond.unwrap_or(Cond::Const(true));
            let changed = cond != rule.cond;
            all.push(changed.then_some(Change { what, loc: *loc, cond: Some(cond), action: None }));
        }
    }
    all.extend(without_unless(&rule.cond).into_iter().map(Some));
    all
}

/// The rule without each `unless`, exception or `allow` of several conditions.
fn without_unless(cond: &Cond) -> Vec<Change> {
    let Cond::And(all) = cond else { return Vec::new() };
    let mut changes = Vec::new();
    for (at, part) in all.iter().enumerate() {
        let mut inner = Vec::new();
        list(part, &mut inner);
        if let (Cond::Not(_), [first, _, ..]) = (part, inner.as_slice()) {
            let rest = all.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| c.clone()).collect();
            changes.push(Change {
                what: "without this `unless`, `allow` or exception",
                loc: *first,
                cond: Some(Cond::And(rest)),
                action: None,
            });
        }
    }
    changes
}

fn list(cond: &Cond, atoms: &mut Vec<Loc>) {
    match cond {
        Cond::Const(_) => {}
        Cond::Atom(atom) => atoms.push(atom.loc),
        Cond::Not(inner) => list(inner, atoms),
        Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| list(c, atoms)),
    }
}

/// Copies a condition and changes one of its atoms.
struct Changer<'s> {
    /// The number of the atom.
    target: usize,
    next: usize,
    how: How,
    sets: &'s mut Vec<PathSet>,
}

impl Changer<'_> {
    /// The changed copy; none where nothing is left.
    fn cond(&mut self, cond: &Cond) -> Option<Cond> {
        match cond {
            Cond::Const(yes) => Some(Cond::Const(*yes)),
            Cond::Atom(atom) => self.atom(atom),
            Cond::Not(inner) => self.cond(inner).map(|c| Cond::Not(Box::new(c))),
            Cond::And(all) => some(all.iter().filter_map(|c| self.cond(c)).collect()).map(Cond::And),
            Cond::Or(all) => some(all.iter().filter_map(|c| self.cond(c)).collect()).map(Cond::Or),
        }
    }

    fn atom(&mut self, atom: &Atom) -> Option<Cond> {
        let number = self.next;
        self.next += 1;
        if number != self.target {
            return Some(Cond::Atom(atom.clone()));
        }
        match self.how {
            How::Drop => None,
            How::Negate => Some(Cond::Not(Box::new(Cond::Atom(atom.clone())))),
            How::Widen => Some(Cond::Atom(self.widened(atom).unwrap_or_else(|| atom.clone()))),
        }
    }

    fn widened(&mut self, atom: &Atom) -> Option<Atom> {
        let Test::InPaths(id) = &atom.test else { return None };
        let set = self.sets.get(id.0 as usize).filter(|set| set.space == Space::Path)?;
        let PathLang::Patterns(all) = &set.lang else { return None };
        let lang = PathLang::Patterns(all.iter().map(folder).collect());
        let new = PathSetId(self.sets.len() as u32);
        self.sets.push(PathSet { space: Space::Path, lang });
        Some(Atom { test: Test::InPaths(new), ..atom.clone() })
    }
}

fn some(all: Vec<Cond>) -> Option<Vec<Cond>> {
    if all.is_empty() { None } else { Some(all) }
}

/// All that is in the folder of a pattern, and below it.
fn folder(pattern: &Pattern) -> Pattern {
    let Some(slash) = pattern.parts.iter().rposition(|part| *part == Part::Byte(b'/')) else { return pattern.clone() };
    let mut parts: Vec<Part> = pattern.parts.iter().take(slash + 1).cloned().collect();
    parts.push(Part::Segments);
    Pattern { text: format!("folder of {}", pattern.text).into(), parts: parts.into() }
}
