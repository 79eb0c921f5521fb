//! Uses of names: the place of each and what it means. Data alone: what a name means is found when the part that holds it is
//! typed.

use super::{DefId, ModuleId, Part, PolicyId};
use crate::source::Loc;
use ebsec_templates::{Catalog, EventId, FieldId};

/// A name that is used, and what it means there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The name alone.
    pub loc: Loc,
    /// What it means.
    pub target: Target,
}

/// What a word belongs to that has a meaning at its place only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordOf {
    /// Truth values.
    Truth,
    /// Bits of a file's mode.
    ModeBits,
    /// An enum of the catalog, by its place among them.
    Enum(u16),
    /// Severities.
    Severity,
    /// Modes of policies.
    Mode,
    /// Error numbers.
    Errno,
}

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A constant, parameter, function or mark, of the package or of a module.
    Def(DefId),
    /// A parameter where it is given a value.
    Parameter(DefId),
    /// An argument of the function that is being defined, by its index.
    Argument(u32),
    /// A policy, of the package or of a module.
    Policy(PolicyId),
    /// A rule: its policy, and its index among the members.
    Rule(PolicyId, u32),
    /// The default of a policy for an event; `None` where only the policy is named.
    Default(PolicyId, Option<EventId>),
    /// A field, or a part of it.
    Field(FieldId, Option<Part>),
    /// An event.
    Event(EventId),
    /// A word that is not a name elsewhere.
    Word(WordOf),
    /// A key: a property of a policy, or a key of a record.
    Key,
    /// The name of a type.
    Type,
    /// A module of the standard library.
    Module(ModuleId),
    /// A process of the test, by the index of its line.
    Process(u32),
}

impl WordOf {
    /// An enum of the catalog.
    pub(crate) fn of_enum(catalog: &Catalog, name: &str) -> Option<Self> {
        let place = catalog.enums.keys().position(|known| known == name)?;
        u16::try_from(place).ok().map(Self::Enum)
    }

    /// What the words are, as messages say it.
    #[must_use]
    pub fn name(self, catalog: &Catalog) -> &str {
        match self {
            Self::Truth => "truth",
            Self::ModeBits => "permission bit",
            Self::Enum(place) => catalog.enums.keys().nth(usize::from(place)).map_or("", String::as_str),
            Self::Severity => "severity",
            Self::Mode => "mode",
            Self::Errno => "errno",
        }
    }
}
