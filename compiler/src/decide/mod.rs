//! From rules to tables: for each event the rules' conditions as chains of layers, cheapest field first, that end in
//! an outcome (ARCHITECTURE.md, "Plan" and "Three values"). Takes the typed policy, gives a [`Plan`].

mod build;
mod chain;
mod columns;
pub mod dump;
mod errors;
mod formula;
mod joins;
mod lists;
mod outcomes;
mod probes;
mod reduce;
mod states;
mod subject;
#[cfg(test)]
mod tests;
mod values;
mod walk;

use crate::classes::numbers::Intervals;
use crate::classes::paths::PathTables;
use crate::classes::prefixes::PrefixTable;
pub use build::plan;
use ebsec_templates::{EventId, FieldId};
pub use errors::{PlanError, RuleRef};
pub use joins::{Joined, Joins};
pub use outcomes::combine;
use subject::LineBits;
pub use walk::Values;

/// The state of a layer from which nothing can match any more; absorbing.
pub const DEAD: u32 = 0;
/// The state of the canary's child; absorbing, its outcome is [`CANARY`].
pub const CANARY_STATE: u32 = 1;
/// The state in which a chain starts.
pub const START: u32 = 2;
/// The outcome of no rule.
pub const NOTHING: u32 = 0;
/// The reserved outcome of the canary.
pub const CANARY: u32 = 1;

/// Everything that the event path looks up.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The automaton of all paths and task names.
    pub paths: PathTables,
    /// The trie of all addresses.
    pub prefixes: PrefixTable,
    /// Events that have rules, sorted; a slot is an index into this and a bit of the masks. At most 64.
    pub slots: Vec<EventId>,
    /// Chains, sorted by event; an event has one or more, and every one of them is to be walked.
    pub chains: Vec<Chain>,
    /// By outcome number; [`NOTHING`] and [`CANARY`] stand in front, without items.
    pub outcomes: Vec<Outcome>,
    /// What a process is remembered by.
    pub subject: SubjectTables,
    /// Events that needed more than one chain, with the reason, for `budget`.
    pub splits: Vec<Split>,
}

/// The decision of some policies about one event.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Which event.
    pub event: EventId,
    /// Its index into [`Plan::slots`].
    pub slot: u32,
    /// In the order of the walk; may be empty.
    pub layers: Vec<Layer>,
    /// Outcome of each state after the last layer (states of a chain without layers: 0, 1, 2).
    pub finals: Vec<u32>,
}

/// One table of a chain: `next = table[state * ncols + columns[v]]`.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Where the small number v comes from.
    pub source: Source,
    /// v to column, one entry for each value that the source can give; `None`: the column is v itself.
    pub columns: Option<Vec<u32>>,
    /// Columns of the table, at least 1.
    pub ncols: u32,
    /// States before this layer x `ncols`.
    pub table: Vec<u32>,
    /// States before this layer, at least 3.
    pub states: u32,
}

/// Where a layer's number comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Class of the object's path: v = class.
    ObjectClass(FieldId),
    /// Class of a program in the subject's record, those with several names included: v = class << 1 | trusted.
    SubjectClass(FieldId),
    /// Class of the task's name, or of a name of the operation: v = class.
    NameClass(FieldId),
    /// Lineage bits 4 x window to 4 x window + 3: v = those four bits.
    Line {
        /// 0 to 63.
        window: u8,
    },
    /// Flag i is bit i of v. 1 to 6 flags.
    Flags(Vec<Flag>),
    /// v = index of the interval of the number; an absent number is [`crate::classes::numbers::ABSENT`].
    Number(FieldId, Intervals),
    /// v = permission bits 0 to 4095; 4096: absent.
    Mode(FieldId),
    /// v = class of the address by the longest prefix, 0 where it is absent.
    Prefix(FieldId),
}

/// A truth value of the object or the operation. An absent boolean is false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flag {
    /// A boolean field.
    Field(FieldId),
    /// The same where it counts as identity only.
    Trusted(FieldId),
    /// `.deleted` of a path field.
    Deleted(FieldId),
}

/// What happens, and why: an interned set of rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// Which event.
    pub event: EventId,
    /// The rules that are true or failed, in the order of the package.
    pub items: Vec<Item>,
    /// The operation is refused with this errno (positive).
    pub errno: Option<u16>,
    /// The process is killed too.
    pub kill: bool,
}

/// A rule in an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item {
    /// Index into [`crate::hir::Package::policies`].
    pub policy: u32,
    /// Index into [`crate::hir::Policy::rules`].
    pub rule: u32,
    /// False: its condition is true. True: it could not be decided (a path failed, a program is not trusted).
    pub failed: bool,
}

/// Tables by class of a program that the exec hooks copy into a process's record: the classes of paths, and after them those of
/// programs with several names ([`Joins::joined`]). An event's bit is 1 << slot.
/// `possible = (always | line_events of the line) & exe_mask & parent_mask`: an event whose bit is 0 has no rule
/// that could be true or unknown for this subject.
#[derive(Clone, Debug, Default)]
pub struct SubjectTables {
    /// By class: lineage bits that a program of this class sets.
    pub line_any: Vec<[u64; 4]>,
    /// By class: lineage bits that it sets in addition where it is trusted.
    pub line_trusted: Vec<[u64; 4]>,
    /// By class << 1 | trusted: events that are possible for a process that runs this program.
    pub exe_mask: Vec<u64>,
    /// By class << 1 | trusted: the same for the program that forked it.
    pub parent_mask: Vec<u64>,
    /// By class << 1 | trusted: events that a program of this class in the line makes possible.
    pub line_events: Vec<u64>,
    /// What a program with paths of several classes is.
    pub joins: Joins,
    /// Events that are possible whatever the line.
    pub always: u64,
    /// Lineage bits in use (bit 0, "unresolved", counts where any is asked).
    pub line_bits: u32,
}

/// An event that needed several chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Which event.
    pub event: EventId,
    /// How many chains.
    pub chains: u32,
}
