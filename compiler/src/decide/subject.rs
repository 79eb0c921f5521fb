//! What a process is remembered by: lineage bits, and masks of the events that are possible for a program.

use super::chain::{alive, probes_of};
use super::columns::Maker;
use super::formula::Formulas;
use super::probes::{Asked, Probe, Question, atoms, rules};
use super::states::{State, without};
use super::{Joins, PlanError, RuleRef, Source, SubjectTables};
use crate::classes::paths::{FAIL, PathTables};
use crate::hir::{Package, PathSetId, Test};
use ebsec_templates::{Catalog, EventId, FieldId, FieldOf};
use std::collections::{BTreeMap, BTreeSet};

/// Most lineage bits.
const MAX_BITS: usize = 256;

/// Which lineage bit means what.
#[derive(Clone, Debug, Default)]
pub(super) struct LineBits {
    /// Some program of the line is in the set.
    pub(super) any: BTreeMap<PathSetId, u16>,
    /// Some trusted program of the line is in the set.
    pub(super) trusted: BTreeMap<PathSetId, u16>,
    /// Bits in use; bit 0 is "some program could not be resolved".
    pub(super) count: u16,
}

/// How a set is asked: the first event that does, with identity or not, and the first rule.
type Asking = BTreeMap<(EventId, PathSetId), (bool, RuleRef)>;

impl LineBits {
    /// Gives bits to what the rules ask about the line; sets that one event asks stand together.
    pub(super) fn of(package: &Package, catalog: &Catalog) -> Result<LineBits, PlanError> {
        let mut asking: Asking = BTreeMap::new();
        let mut unresolved = false;
        for (policy, index, rule) in rules(package) {
            atoms(&rule.cond, &mut |atom| match atom.test {
                _ if !catalog[atom.field].many => {}
                Test::InPaths(set) => {
                    let entry = asking.entry((rule.event, set)).or_insert((false, RuleRef { policy, rule: index }));
                    entry.0 |= atom.identity;
                }
                _ => unresolved = true,
            });
        }
        let mut bits = LineBits::default();
        if asking.is_empty() && !unresolved {
            return Ok(bits);
        }
        bits.count = 1;
        bits.give(&asking)
    }

    fn next(&mut self) -> u16 {
        self.count += 1;
        self.count - 1
    }

    fn give(mut self, asking: &Asking) -> Result<LineBits, PlanError> {
        let mut identity: BTreeMap<PathSetId, bool> = BTreeMap::new();
        for (&(_, set), &(trusted, _)) in asking {
            *identity.entry(set).or_default() |= trusted;
        }
        let mut beyond = Vec::new();
        let mut needed = usize::from(self.count);
        for (&(_, set), &(_, rule)) in asking {
            if self.any.contains_key(&set) {
                continue;
            }
            let trusted = identity.get(&set) == Some(&true);
            needed += 1 + usize::from(trusted);
            if needed > MAX_BITS {
                beyond.push(rule);
                continue;
            }
            let bit = self.next();
            self.any.insert(set, bit);
            if trusted {
                let bit = self.next();
                self.trusted.insert(set, bit);
            }
        }
        if beyond.is_empty() {
            return Ok(self);
        }
        beyond.sort_unstable();
        beyond.dedup();
        Err(PlanError::LineBits { needed, rules: beyond })
    }
}

/// Fields of the subject's record.
struct Record {
    exe: Option<FieldId>,
    parent: Option<FieldId>,
}

impl Record {
    fn of(catalog: &Catalog) -> Record {
        Record { exe: catalog.field("process.exe"), parent: catalog.field("process.parent.exe") }
    }
}

/// The sets that rules ask of programs.
pub(super) fn program_sets(package: &Package, catalog: &Catalog) -> BTreeSet<PathSetId> {
    let mut sets = BTreeSet::new();
    for (_, _, rule) in rules(package) {
        atoms(&rule.cond, &mut |atom| match atom.test {
            Test::InPaths(set) if catalog[atom.field].of == FieldOf::Subject => drop(sets.insert(set)),
            _ => {}
        });
    }
    sets
}

impl SubjectTables {
    /// Tables in which no event is possible yet.
    pub(super) fn new(paths: &PathTables, line: &LineBits, joins: Joins) -> SubjectTables {
        let classes = paths.class_sets.len() + joins.joined.len();
        let mut tables = SubjectTables {
            line_any: vec![[0; 4]; classes],
            line_trusted: vec![[0; 4]; classes],
            exe_mask: vec![0; 2 * classes],
            parent_mask: vec![0; 2 * classes],
            joins,
            line_events: vec![0; 2 * classes],
            always: 0,
            line_bits: u32::from(line.count),
        };
        if line.count == 0 {
            return tables;
        }
        let single = paths.class_sets.iter().map(|sets| (sets, sets));
        let all = single.chain(tables.joins.joined.iter().map(|joined| (&joined.any, &joined.all)));
        for (class, (any, all)) in all.enumerate() {
            let bits =
                |of: &BTreeMap<PathSetId, u16>, sets: &[PathSetId]| sets.iter().filter_map(|set| of.get(set).copied()).collect::<Vec<_>>();
            set_bits(tables.line_any.get_mut(class), &bits(&line.any, any));
            set_bits(tables.line_trusted.get_mut(class), &bits(&line.trusted, all));
        }
        set_bits(tables.line_any.get_mut(FAIL as usize), &[0]);
        tables
    }

    /// Notes for which subjects something can be left of the start state. `None`: over budget.
    /// `first` are the chain's first source, the column of each of its values, and the columns in which something is left.
    pub(super) fn note(
        &mut self,
        slot: u32,
        formulas: &mut Formulas,
        maker: &Maker<'_>,
        start: &State,
        first: Option<&First>,
    ) -> Option<()> {
        let bit = 1u64 << slot;
        let asked = probes_of(formulas, maker.probes, start);
        let record = Record::of(maker.catalog);
        for (field, mask) in [(record.exe, &mut self.exe_mask), (record.parent, &mut self.parent_mask)] {
            let source = field.map(Asked::SubjectClass);
            let Some((source, probes)) = source.and_then(|s| asked.get(&s).map(|probes| (s, probes))) else {
                mask.iter_mut().for_each(|entry| *entry |= bit);
                continue;
            };
            let known = first.filter(|first| Some(&first.source) == field.map(Source::SubjectClass).as_ref());
            if let Some(first) = known {
                first.mark(mask, bit);
                continue;
            }
            let columns = maker.columns(&[source], probes)?;
            let alive = alive(formulas, start, probes, &columns)?;
            First { source: columns.source, of_value: columns.of_value, alive }.mark(mask, bit);
        }
        let line: Vec<u32> = asked.iter().filter(|(a, _)| matches!(a, Asked::Window(_))).flat_map(|(_, p)| p.clone()).collect();
        if line.is_empty() || !without(formulas, start, &|probe| line.contains(&probe)).is_empty() {
            self.always |= bit;
            return Some(());
        }
        self.note_line(bit, &bits_of(maker.probes, &line));
        Some(())
    }

    /// The event needs one of these bits of the line: programs that set one make it possible.
    fn note_line(&mut self, bit: u64, asked: &[u64; 4]) {
        let meets = |bits: &[u64; 4]| bits.iter().zip(asked).any(|(a, b)| a & b != 0);
        for (events, (any, trusted)) in self.line_events.chunks_mut(2).zip(self.line_any.iter().zip(&self.line_trusted)) {
            for (index, entry) in events.iter_mut().enumerate() {
                if meets(any) || (index == 1 && meets(trusted)) {
                    *entry |= bit;
                }
            }
        }
    }
}

/// What a layer at the start of a chain leaves.
#[derive(Clone, Debug)]
pub(super) struct First {
    pub(super) source: Source,
    /// Column of each value.
    pub(super) of_value: Vec<u32>,
    /// By column.
    pub(super) alive: Vec<bool>,
}

impl First {
    fn mark(&self, mask: &mut [u64], bit: u64) {
        for (entry, &column) in mask.iter_mut().zip(&self.of_value) {
            if self.alive.get(column as usize) == Some(&true) {
                *entry |= bit;
            }
        }
    }
}

fn set_bits(words: Option<&mut [u64; 4]>, bits: &[u16]) {
    let Some(words) = words else { return };
    for bit in bits {
        if let Some(word) = words.get_mut(usize::from(bit / 64)) {
            *word |= 1 << (bit % 64);
        }
    }
}

/// The lineage bits that probes ask.
fn bits_of(all: &[Probe], probes: &[u32]) -> [u64; 4] {
    let mut words = [0; 4];
    for probe in probes {
        if let Some((Asked::Window(window), Question::Bit(bit))) = all.get(*probe as usize) {
            set_bits(Some(&mut words), &[u16::from(*window) * 4 + u16::from(*bit)]);
        }
    }
    words
}
