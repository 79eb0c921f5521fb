//! The columns of a layer before any rule is looked at: which answers each value of a source gives to the probes.
//! Values with equal answers share a column. Column 0 has no answer but "false".
#![expect(clippy::indexing_slicing, reason = "classes and columns are numbered by the tables' makers alone")]

use super::formula::{FALSE, Formula, Index, TRUE, UNKNOWN, hash_of};
use super::lists::Lists;
use super::probes::{Asked, Probe, Question};
use super::{Flag, Joined, Source};
use crate::classes::numbers::Intervals;
use crate::classes::paths::{FAIL, PathTables};
use crate::classes::prefixes::{self, PrefixTable};
use crate::hir::PathSetId;
use ebsec_templates::{Catalog, FieldId};

/// Answers of a column to the layer's probes: those that are not false, sorted by probe.
pub(super) type Answers = Vec<(u32, Formula)>;

/// A layer's source with its columns.
pub(super) struct Columns {
    pub(super) source: Source,
    /// By value of the source.
    pub(super) of_value: Vec<u32>,
    /// By column.
    pub(super) answers: Vec<Answers>,
}

/// Most answers of a layer; beyond, its ranges or sets multiply.
const MAX_ANSWERS: usize = 1 << 24;

/// What columns are made from.
pub(super) struct Maker<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) paths: &'a PathTables,
    /// The classes of programs with several names, after those of paths.
    pub(super) joined: &'a [Joined],
    pub(super) prefixes: &'a PrefixTable,
    /// All probes of the event.
    pub(super) probes: &'a [Probe],
}

/// Collects the columns of one source.
struct Collector {
    of_value: Vec<u32>,
    answers: Vec<Answers>,
    index: Index,
    weight: usize,
}

impl Collector {
    fn new() -> Self {
        let mut index = Index::default();
        index.add(hash_of(Answers::new()));
        Collector { of_value: Vec::new(), answers: vec![Vec::new()], index, weight: 0 }
    }

    fn push(&mut self, mut answers: Answers) -> Option<()> {
        answers.sort_unstable();
        let hash = hash_of(&answers);
        let known = self.index.find(hash, |column| self.answers[column as usize] == answers);
        let column = known.unwrap_or_else(|| {
            self.weight += answers.len();
            self.answers.push(answers);
            self.index.add(hash)
        });
        self.of_value.push(column);
        (self.weight <= MAX_ANSWERS).then_some(())
    }

    fn finish(self, source: Source) -> Columns {
        Columns { source, of_value: self.of_value, answers: self.answers }
    }
}

impl Maker<'_> {
    /// The columns that tell the given probes apart; they are all of one source (or flags, in this order).
    /// `None` where they are too many.
    pub(super) fn columns(&self, asked: &[Asked], probes: &[u32]) -> Option<Columns> {
        let mut collector = Collector::new();
        let source = match *asked.first()? {
            Asked::ObjectClass(field) => {
                let sets = self.by_set(probes);
                (0..self.paths.class_sets.len()).try_for_each(|c| collector.push(self.of_class(&sets, probes, c as u32)))?;
                Source::ObjectClass(field)
            }
            Asked::SubjectClass(field) => {
                let sets = self.by_set(probes);
                let values = 0..2 * (self.paths.class_sets.len() + self.joined.len()) as u32;
                values.into_iter().try_for_each(|v| collector.push(self.of_program(&sets, probes, v >> 1, v & 1 == 1)))?;
                Source::SubjectClass(field)
            }
            Asked::NameClass(field) => {
                let sets = self.by_set(probes);
                (0..self.paths.class_sets.len()).try_for_each(|c| collector.push(self.of_class(&sets, &[], c as u32)))?;
                Source::NameClass(field)
            }
            Asked::Window(window) => {
                (0..16).try_for_each(|v| collector.push(self.of_bits(probes, v)))?;
                Source::Line { window }
            }
            Asked::Flag(_) => self.flags(&mut collector, asked, probes)?,
            Asked::Number(field) => self.numbers(&mut collector, field, probes)?,
            Asked::Mode(field) => {
                (0..4096).try_for_each(|mode| collector.push(self.of_mode(probes, mode)))?;
                collector.push(Vec::new())?;
                Source::Mode(field)
            }
            Asked::Prefix(field) => {
                for (class, sets) in self.prefixes.class_sets.iter().enumerate() {
                    if class == prefixes::FAIL as usize {
                        collector.push(probes.iter().map(|p| (*p, UNKNOWN)).collect())?;
                        continue;
                    }
                    let holds = |p: &&u32| matches!(self.question(**p), Question::Within(set) if sets.binary_search(set).is_ok());
                    collector.push(probes.iter().filter(holds).map(|p| (*p, TRUE)).collect())?;
                }
                Source::Prefix(field)
            }
        };
        Some(collector.finish(source))
    }

    fn question(&self, probe: u32) -> &Question {
        &self.probes[probe as usize].1
    }

    /// By set the probes that ask for it, and whether with identity.
    fn by_set(&self, probes: &[u32]) -> Lists<(u32, bool)> {
        let asks = |&probe: &u32| match self.question(probe) {
            Question::In(set, identity) => Some((set.0, (probe, *identity))),
            _ => None,
        };
        Lists::of(probes.iter().filter_map(asks).collect())
    }

    fn of_class(&self, by_set: &Lists<(u32, bool)>, probes: &[u32], class: u32) -> Answers {
        self.of_program(by_set, probes, class, false)
    }

    /// Sets of a class are few; all probes are looked at for the failed class alone. Where its being in a set loosens, a
    /// program counts if it is trusted (rule 18) with all its names (rule 3).
    fn of_program(&self, by_set: &Lists<(u32, bool)>, probes: &[u32], class: u32, trusted: bool) -> Answers {
        let joined = (class as usize).checked_sub(self.paths.class_sets.len()).and_then(|joined| self.joined.get(joined));
        let holds_all = |set: &PathSetId| joined.is_none_or(|joined| joined.all.binary_search(set).is_ok());
        let sure = |identity: bool, set: &PathSetId| if identity && !(trusted && holds_all(set)) { UNKNOWN } else { TRUE };
        if class == FAIL {
            let failed = |p: &u32| match self.question(*p) {
                Question::Failed => (*p, TRUE),
                _ => (*p, UNKNOWN),
            };
            return probes.iter().map(failed).collect();
        }
        let sets = joined.map_or_else(|| self.paths.sets_of(class), |joined| &joined.any);
        let asked = sets.iter().flat_map(|set| by_set.get(set.0).iter().map(move |asks| (set, asks)));
        asked.map(|(set, &(_, (probe, identity)))| (probe, sure(identity, set))).collect()
    }

    fn of_bits(&self, probes: &[u32], value: u32) -> Answers {
        let set = |p: &&u32| matches!(self.question(**p), Question::Bit(bit) if value >> bit & 1 == 1);
        probes.iter().filter(set).map(|p| (*p, TRUE)).collect()
    }

    fn flags(&self, collector: &mut Collector, asked: &[Asked], probes: &[u32]) -> Option<Source> {
        for value in 0..1usize << asked.len() {
            let set = |p: &&u32| asked.iter().position(|a| *a == self.probes[**p as usize].0).is_some_and(|bit| value >> bit & 1 == 1);
            collector.push(probes.iter().filter(set).map(|p| (*p, TRUE)).collect())?;
        }
        let flags: Vec<Flag> = asked.iter().filter_map(|a| if let Asked::Flag(flag) = a { Some(*flag) } else { None }).collect();
        Some(Source::Flags(flags))
    }

    fn numbers(&self, collector: &mut Collector, field: FieldId, probes: &[u32]) -> Option<Source> {
        let ranges = |p: u32| if let Question::Ranges(ranges) = self.question(p) { ranges.as_slice() } else { &[] };
        let may_fail = self.catalog[field].may_fail;
        let intervals = Intervals::of(probes.iter().flat_map(|p| ranges(*p)), may_fail);
        let mut answers: Vec<Answers> = vec![Vec::new(); intervals.count as usize];
        let mut weight = 0;
        for &probe in probes {
            for &(low, high) in ranges(probe) {
                // No number is above 32 bits; the last interval is the absent value's.
                let last = intervals.index(high.min(u64::from(u32::MAX))) as usize;
                let within = answers.get_mut(intervals.index(low) as usize..=last);
                for list in within.into_iter().flatten() {
                    list.push((probe, TRUE));
                    weight += 1;
                }
                if weight > MAX_ANSWERS {
                    return None;
                }
            }
        }
        answers.iter_mut().for_each(|a| a.dedup());
        if let Some(failed) = answers.last_mut().filter(|_| may_fail) {
            *failed = probes.iter().map(|p| (*p, UNKNOWN)).collect();
        }
        answers.into_iter().try_for_each(|a| collector.push(a))?;
        Some(Source::Number(field, intervals))
    }

    fn of_mode(&self, probes: &[u32], mode: u64) -> Answers {
        let holds = |p: &&u32| match self.question(**p) {
            Question::Ranges(ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&mode)),
            Question::HasBits(bits) => mode & bits == *bits,
            _ => false,
        };
        probes.iter().filter(holds).map(|p| (*p, TRUE)).collect()
    }
}

/// No answer is false: those are left out.
const _: () = assert!(FALSE != TRUE && FALSE != UNKNOWN);
