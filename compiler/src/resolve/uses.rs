//! Uses of names: where each stands and what it means. Data alone: what a name means where it stands is found when the part
//! that holds it is typed.

use super::{DefId, ModuleId, Part, PolicyId};
use crate::source::Loc;
use ebsec_templates::{EventId, FieldId};

/// A name that is used, and what it means there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The name, without what stands around it.
    pub loc: Loc,
    /// What it means.
    pub target: Target,
}

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A constant, parameter, function or mark, of the package or of a module.
    Def(DefId),
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
    /// A word that has a meaning where it stands only: of an enum, a severity, a mode, an errno, a permission bit.
    Word(&'static str),
    /// A key: a property of a policy, or a key of a record.
    Key,
    /// The name of a type.
    Type,
    /// A module of the standard library.
    Module(ModuleId),
    /// A process of the test, by the index of its line.
    Process(u32),
}
