//! Conditions to formulas: atoms become probes, each of which one layer answers; questions about the line become
//! formulas over lineage bits, with "unresolved" (bit 0) in the place of unknown.

use super::formula::{FALSE, Formula, Formulas, TRUE, UNKNOWN};
use super::{Flag, LineBits};
use crate::hir::{Atom, Cond, Package, PathSetId, Prefix, Rule, Test};
use ebsec_templates::{Catalog, FieldId, FieldOf, FieldType};
use rustc_hash::FxHashMap;

/// The part of a source that is known before its values are: which layer answers a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Asked {
    ObjectClass(FieldId),
    SubjectClass(FieldId),
    NameClass(FieldId),
    Window(u8),
    Flag(Flag),
    Number(FieldId),
    Mode(FieldId),
    Prefix(FieldId),
}

/// What a probe asks of its source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// Class: in the set; the flag: only a trusted program counts.
    In(PathSetId, bool),
    /// Class: failed.
    Failed,
    /// Window: this bit, 0 to 3.
    Bit(u8),
    /// Flag: set.
    Set,
    /// Number, mode: in one of the closed ranges.
    Ranges(Vec<(u64, u64)>),
    /// Mode: all of these bits.
    HasBits(u64),
    /// Prefix: in the set of this index.
    Within(u32),
}

/// A probe: a source and a question.
pub(super) type Probe = (Asked, Question);

/// Lowers conditions; keeps the probes of one event.
pub(super) struct Lowering<'a> {
    catalog: &'a Catalog,
    line: &'a LineBits,
    prefix_sets: &'a [Vec<Prefix>],
    formulas: Formulas,
    probes: Vec<Probe>,
    known: FxHashMap<Probe, u32>,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(catalog: &'a Catalog, line: &'a LineBits, prefix_sets: &'a [Vec<Prefix>]) -> Self {
        Lowering { catalog, line, prefix_sets, formulas: Formulas::new(), probes: Vec::new(), known: FxHashMap::default() }
    }

    /// The formulas and the probes that they ask.
    pub(super) fn finish(self) -> (Formulas, Vec<Probe>) {
        (self.formulas, self.probes)
    }

    /// The formula of a condition, or of its negation.
    pub(super) fn lower(&mut self, cond: &Cond, negated: bool) -> Formula {
        match cond {
            Cond::Const(value) => Formula::from(*value != negated),
            Cond::Not(inner) => self.lower(inner, !negated),
            Cond::And(parts) | Cond::Or(parts) => {
                let parts: Vec<Formula> = parts.iter().map(|part| self.lower(part, negated)).collect();
                self.formulas.nary(matches!(cond, Cond::And(_)) != negated, parts)
            }
            Cond::Atom(atom) => self.atom(atom, negated),
        }
    }

    fn probe(&mut self, asked: Asked, question: Question, negated: bool) -> Formula {
        let probe = (asked, question);
        let index = self.known.get(&probe).copied().unwrap_or_else(|| {
            let index = self.probes.len() as u32;
            self.probes.push(probe.clone());
            self.known.insert(probe, index);
            index
        });
        self.formulas.probe(index, negated)
    }

    fn atom(&mut self, atom: &Atom, negated: bool) -> Formula {
        let field = &self.catalog[atom.field];
        if field.many {
            return self.of_line(atom, negated);
        }
        let (asked, question) = match (&atom.test, &field.ty) {
            (Test::InPaths(set), FieldType::Comm | FieldType::Name) => (Asked::NameClass(atom.field), Question::In(*set, false)),
            (Test::InPaths(set), _) => (self.class_of(atom.field), Question::In(*set, atom.identity)),
            (Test::Unresolved, _) => (self.class_of(atom.field), Question::Failed),
            (Test::Deleted, _) => (Asked::Flag(Flag::Deleted(atom.field)), Question::Set),
            (Test::True, _) if atom.identity => (Asked::Flag(Flag::Trusted(atom.field)), Question::Set),
            (Test::True, _) => (Asked::Flag(Flag::Field(atom.field)), Question::Set),
            (Test::InRanges(ranges), FieldType::Mode) => (Asked::Mode(atom.field), Question::Ranges(ranges.clone())),
            (Test::InRanges(ranges), _) => (Asked::Number(atom.field), Question::Ranges(ranges.clone())),
            (Test::HasBits(bits), _) => (Asked::Mode(atom.field), Question::HasBits(*bits)),
            (Test::InPrefixes(prefixes), _) => match self.prefix_sets.binary_search(prefixes) {
                Ok(index) => (Asked::Prefix(atom.field), Question::Within(index as u32)),
                Err(_) => return Formula::from(negated),
            },
        };
        self.probe(asked, question, negated)
    }

    fn class_of(&self, field: FieldId) -> Asked {
        match self.catalog[field].of {
            FieldOf::Subject => Asked::SubjectClass(field),
            FieldOf::Object | FieldOf::Operation => Asked::ObjectClass(field),
        }
    }

    /// "One of the line": true by its bit; unknown if only an untrusted program matches where trust is asked, or if
    /// some program could not be resolved.
    fn of_line(&mut self, atom: &Atom, negated: bool) -> Formula {
        let (sure, maybe) = match &atom.test {
            Test::InPaths(set) if atom.identity => (self.line.trusted.get(set), self.line.any.get(set)),
            Test::InPaths(set) => (self.line.any.get(set), None),
            Test::Unresolved => (Some(&0), None),
            _ => (None, None),
        };
        let maybes = maybe.into_iter().chain((sure != Some(&0)).then_some(&0));
        let mut parts: Vec<Formula> = Vec::new();
        for bit in maybes {
            let bit = self.bit(*bit, negated);
            parts.push(self.formulas.nary(!negated, [bit, UNKNOWN]));
        }
        if let Some(bit) = sure {
            parts.push(self.bit(*bit, negated));
        }
        self.formulas.nary(negated, parts)
    }

    fn bit(&mut self, bit: u16, negated: bool) -> Formula {
        self.probe(Asked::Window((bit / 4) as u8), Question::Bit((bit % 4) as u8), negated)
    }
}

/// Visits the atoms of a rule.
pub(super) fn atoms<'a>(cond: &'a Cond, visit: &mut impl FnMut(&'a Atom)) {
    match cond {
        Cond::Const(_) => {}
        Cond::Atom(atom) => visit(atom),
        Cond::Not(inner) => atoms(inner, visit),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|part| atoms(part, visit)),
    }
}

/// All rules of a package with their places.
pub(super) fn rules(package: &Package) -> impl Iterator<Item = (u32, u32, &Rule)> {
    let policies = package.policies.iter().enumerate();
    policies.flat_map(|(p, policy)| policy.rules.iter().enumerate().map(move |(r, rule)| (p as u32, r as u32, rule)))
}

/// A constant's formula is its value.
const _: () = assert!(FALSE == 0 && TRUE == 1);
