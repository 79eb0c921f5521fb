//! Walks a plan as the event path does, in plain Rust: for tests and for the interpreter of plans.

use super::{DEAD, Flag, Layer, Plan, START, Source};
use crate::classes::numbers::ABSENT;
use crate::classes::paths::{FAIL, NONE, PathTables};
use crate::classes::prefixes;
use crate::hir::{PathValue, Program};
use ebsec_templates::{EventId, FieldId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Values of one elementary event, classified. What is missing is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Classes of paths, programs and task names.
    pub classes: BTreeMap<FieldId, u32>,
    /// Programs that are trusted.
    pub trusted: BTreeSet<FieldId>,
    /// Lineage bits.
    pub line: [u64; 4],
    /// Flags that are set.
    pub flags: BTreeSet<Flag>,
    /// Numbers, `file.mode` among them.
    pub numbers: BTreeMap<FieldId, u64>,
    /// Addresses.
    pub addresses: BTreeMap<FieldId, Address>,
}

/// An address as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// It cannot be told.
    Failed,
    /// This one.
    Known(IpAddr),
}

impl PathTables {
    /// Class of a path as a value.
    pub fn class_of_value(&self, path: &PathValue) -> u32 {
        match path {
            PathValue::Absent => NONE,
            PathValue::Failed => FAIL,
            PathValue::Known(path) => self.class_of(path),
        }
    }
}

impl Plan {
    /// The number that a source gives for these values.
    pub fn source(&self, source: &Source, values: &Values) -> u32 {
        let class = |field: &FieldId| values.classes.get(field).copied().unwrap_or(NONE);
        match source {
            Source::ObjectClass(field) | Source::NameClass(field) => class(field),
            Source::SubjectClass(field) => class(field) << 1 | u32::from(values.trusted.contains(field)),
            Source::Line { window } => {
                let word = values.line.get(usize::from(window / 16)).copied().unwrap_or(0);
                (word >> (4 * (window % 16)) & 15) as u32
            }
            Source::Flags(flags) => {
                flags.iter().enumerate().map(|(bit, flag)| u32::from(values.flags.contains(flag)) << bit).fold(0, |a, b| a | b)
            }
            Source::Number(field, intervals) => intervals.index(values.numbers.get(field).copied().unwrap_or(ABSENT)),
            Source::Mode(field) => values.numbers.get(field).map_or(4096, |mode| (*mode & 0o7777) as u32),
            Source::Prefix(field) => values.addresses.get(field).map_or(0, |address| match address {
                Address::Failed => prefixes::FAIL,
                Address::Known(address) => self.prefixes.class_of(*address),
            }),
        }
    }

    fn next(&self, layer: &Layer, state: u32, values: &Values) -> u32 {
        let value = self.source(&layer.source, values);
        let column = match &layer.columns {
            Some(columns) => columns.get(value as usize).copied().unwrap_or(0),
            None => value,
        };
        layer.table.get((state * layer.ncols + column) as usize).copied().unwrap_or(DEAD)
    }

    /// Outcomes of an event's chains, one each, in their order. Empty for an event without rules.
    pub fn decide(&self, event: EventId, values: &Values) -> Vec<u32> {
        let chains = self.chains.iter().filter(|chain| chain.event == event);
        let walk = |layers: &[Layer]| layers.iter().fold(START, |state, layer| self.next(layer, state, values));
        chains.map(|chain| chain.finals.get(walk(&chain.layers) as usize).copied().unwrap_or(0)).collect()
    }

    /// Class of a program, and whether it is trusted.
    pub fn program(&self, program: &Program) -> (u32, bool) {
        let single = self.paths.class_of_value(&program.path);
        let further = program.other_paths.iter().map(|path| self.paths.class_of_value(path));
        let classes: Vec<u32> = [single].into_iter().chain(further).collect();
        match classes.as_slice() {
            [single] => (*single, program.trusted),
            several => {
                self.subject.joins.program(several).map_or((FAIL, program.trusted), |(class, trusted)| (class, trusted && program.trusted))
            }
        }
    }

    /// Lineage bits of the programs of a line.
    pub fn line_of(&self, programs: &[Program]) -> [u64; 4] {
        let mut line = [0; 4];
        for program in programs {
            let (class, trusted) = self.program(program);
            let trusted = self.subject.line_trusted.get(class as usize).filter(|_| trusted);
            for bits in self.subject.line_any.get(class as usize).into_iter().chain(trusted) {
                line.iter_mut().zip(bits).for_each(|(word, bits)| *word |= bits);
            }
        }
        line
    }

    /// Slots of the events that are possible for a subject: see [`super::SubjectTables`].
    pub fn possible(&self, exe: &Program, parent: &Program, line: &[Program]) -> u64 {
        let index = |p: &Program| {
            let (class, trusted) = self.program(p);
            (class << 1 | u32::from(trusted)) as usize
        };
        let entry = |table: &[u64], p: &Program| table.get(index(p)).copied().unwrap_or(u64::MAX);
        let events = line.iter().fold(self.subject.always, |events, p| events | entry(&self.subject.line_events, p));
        events & entry(&self.subject.exe_mask, exe) & entry(&self.subject.parent_mask, parent)
    }
}
