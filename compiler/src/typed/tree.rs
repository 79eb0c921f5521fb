//! The typed tree: what a package says, as it says it. Nothing is folded, nothing is filled in: what is absent in the source
//! is absent here. Names are resolved and constants evaluated. Each node, element and operator knows its place.

use super::{Constant, Ty};
use crate::diag::Finding;
use crate::hir::{Action, Mode, PathLang, Severity, Space, Test};
use crate::resolve::{DefId, Part, PolicyId, Use};
use crate::source::{Loc, PartId};
use ebsec_grammar::ast::Op;
use ebsec_templates::{EventId, FieldId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What typing one part of a file gives.
#[derive(Clone, Debug)]
pub struct Typed<T> {
    /// The part.
    pub part: PartId,
    /// What it says.
    pub tree: T,
    /// The names in it, in the order of the source.
    pub uses: Box<[Use]>,
    /// What is wrong with it, in the order in which it was found.
    pub findings: Box<[Finding]>,
}

/// Something and its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At<T> {
    /// It.
    pub node: T,
    /// Its place.
    pub loc: Loc,
}

/// A condition.
#[derive(Clone, Debug)]
pub struct Cond {
    /// All of it.
    pub loc: Loc,
    /// What it is.
    pub kind: CondKind,
}

/// The kinds of conditions.
#[derive(Clone, Debug)]
pub enum CondKind {
    /// All true.
    And(Box<[Cond]>),
    /// One true.
    Or(Box<[Cond]>),
    /// Not.
    Not(Box<Cond>),
    /// `true`, `false`, or a constant that is one of them.
    Const(bool),
    /// A field that is a condition by itself, or such a part of a path.
    Field {
        /// The field.
        field: FieldId,
        /// Its part.
        part: Option<Part>,
    },
    /// A field compared with a value.
    Compare(Box<Compare>),
    /// A call of a function.
    Call(Box<Call>),
    /// A condition that was given for an argument, in the body of a call.
    Argument(Arc<Cond>),
    /// What cannot be typed; the findings say why.
    Wrong,
}

/// A comparison.
#[derive(Clone, Debug)]
pub struct Compare {
    /// The field.
    pub field: At<FieldId>,
    /// Its part.
    pub part: Option<Part>,
    /// The operator.
    pub op: At<Op>,
    /// The right side.
    pub value: Value,
    /// What is asked of the field, `!=` as `==`; `None` if the comparison is wrong.
    pub asked: Option<Asked>,
}

/// What a comparison asks of its field.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Whether it is in the set of paths or names that is the value.
    Value(Space),
    /// Whether it is in this set, which the part of the field and the operator make of the value.
    Paths(Space, Arc<PathLang>),
    /// Whether one of these tests holds.
    Tests(Arc<[Test]>),
}

/// A call of a function.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function, at its name.
    pub def: At<DefId>,
    /// What is given for its arguments.
    pub args: Vec<Arg>,
    /// The body with the arguments in their places, shared by calls without any; `None` if the call is wrong.
    pub body: Option<Arc<Cond>>,
}

/// What is given for an argument.
#[derive(Clone, Debug)]
pub enum Arg {
    /// A condition.
    Cond(Arc<Cond>),
    /// A constant.
    Value(Value),
    /// Neither, or not what the function wants.
    Wrong(Loc),
}

/// A constant expression.
#[derive(Clone, Debug)]
pub struct Value {
    /// All of it.
    pub loc: Loc,
    /// How it is written.
    pub kind: ValueKind,
    /// What it is; `None` if it is wrong. Literals and ranges within a set have it in the set only.
    pub constant: Option<Arc<Constant>>,
}

/// How a constant expression is written.
#[derive(Clone, Debug)]
pub enum ValueKind {
    /// A literal.
    Literal,
    /// `1..5`
    Range,
    /// `[a, b]`
    Set(Box<[Value]>),
    /// `a + b`
    Union(Box<[Value; 2]>),
    /// `a - b`
    Difference(Box<[Value; 2]>),
    /// The name of a constant or parameter.
    Def(DefId),
    /// Another name: an argument, a word of an enum, or nothing that is known.
    Name,
}

/// A definition.
#[derive(Clone, Debug)]
pub enum Def {
    /// A constant, or a parameter with a value: from outside of the source, if it has one from there.
    Constant {
        /// The type, where one is written that exists.
        ty: Option<Ty>,
        /// The right side, where that is what counts.
        value: Option<Value>,
        /// Its value.
        constant: Option<Arc<Constant>>,
    },
    /// A function: its body, with examples for its arguments.
    Function(Option<Arc<Cond>>),
}

/// A name with its place.
pub type Name = At<Box<str>>;

/// A member of a policy.
#[derive(Clone, Debug)]
pub enum Member {
    /// `key = value`
    Property(Property),
    /// `scope = cond`
    Scope(Cond),
    /// `default …`
    Default(Box<DefaultRule>),
    /// `label: …`
    Rule(Box<Rule>),
    /// What could not be read.
    Broken,
    /// A rule or default that is folded, of a package that will not be edited: its tree has been let go, what its names mean has
    /// not.
    Folded,
}

/// A property of a policy.
#[derive(Clone, Debug)]
pub struct Property {
    /// Its name.
    pub key: Name,
    /// Its value.
    pub value: PropertyValue,
}

/// The value of a property; `None`, or empty, where it is wrong.
#[derive(Clone, Debug)]
pub enum PropertyValue {
    /// `description`
    Description(Option<String>),
    /// `severity`
    Severity(Option<Severity>),
    /// `mode`
    Mode(Option<Mode>),
    /// `attack`
    Attack(Vec<String>),
    /// `tags`
    Tags(Vec<String>),
    /// An unknown property.
    Unknown,
}

/// An event that a rule or default names.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Which; `None` if there is none of the name.
    pub id: Option<EventId>,
    /// The name.
    pub loc: Loc,
    /// It counts: it is not listed a second time, and the action is possible at it.
    pub counts: bool,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Refuses or reports.
    Act(Action),
    /// Answers a default.
    Allow,
    /// Marks something.
    Mark,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// All of the member, documentation included.
    pub loc: Loc,
    /// Its label.
    pub label: Name,
    /// What it does.
    pub does: At<Does>,
    /// At which events.
    pub events: Box<[Event]>,
    /// `when`
    pub when: Option<Cond>,
    /// `unless`
    pub unless: Option<Cond>,
    /// `because`
    pub because: Option<Name>,
    /// `with`
    pub with: Option<Box<With>>,
}

/// A default of a policy.
#[derive(Clone, Debug)]
pub struct DefaultRule {
    /// The keyword `default`.
    pub loc: Loc,
    /// What it does.
    pub action: At<Action>,
    /// At which events.
    pub events: Box<[Event]>,
    /// `because`
    pub because: Option<Name>,
    /// `with`
    pub with: Option<Box<With>>,
}

/// `with` of a rule or default.
#[derive(Clone, Debug)]
pub struct With {
    /// All of it.
    pub loc: Loc,
    /// `severity`
    pub severity: Option<Severity>,
    /// `attack`
    pub attack: Option<Vec<String>>,
    /// `errno`
    pub errno: Option<u16>,
}

/// The members of a policy, in the order of the source.
pub type Members = Arc<[Arc<Typed<Member>>]>;

/// A policy in force: one of the package, or one of a module that is applied.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Which.
    pub id: PolicyId,
    /// Index into [`Package::applies`], where one puts it in force.
    pub apply: Option<usize>,
    /// Its members, in the order of the source.
    pub members: Members,
}

/// `apply P where C with { … }`
#[derive(Clone, Debug)]
pub struct Apply {
    /// The policy, at its name; `None` if it cannot be applied.
    pub policy: Option<PolicyId>,
    /// The place of its name.
    pub loc: Loc,
    /// Index into the files of the names.
    pub file: usize,
    /// `where`
    pub filter: Option<Cond>,
    /// `mode`
    pub mode: Option<Mode>,
    /// `severity`
    pub severity: Option<Severity>,
    /// Values of parameters; `None` for those that are wrong.
    pub params: FxHashMap<DefId, Option<Arc<Constant>>>,
    /// Which values of parameters the policy has: 0 for those of the package.
    pub instance: u32,
}

/// What an exception is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Excepted {
    /// Every rule and default of the policy.
    All,
    /// The rule of this label.
    Rule(Box<str>),
    /// The default of this event.
    Default(EventId),
}

/// `except P.rule when C …`
#[derive(Clone, Debug)]
pub struct Except {
    /// The place of the name.
    pub loc: Loc,
    /// What it is about; `None` if that is wrong.
    pub target: Option<(PolicyId, Excepted)>,
    /// When the rule does not hold; `None` where exceptions have no place.
    pub when: Option<Cond>,
    /// The reason.
    pub because: Name,
}

/// The definitions of a package: the instance of its parameters, and the id.
pub type Defs = FxHashMap<(u32, DefId), Arc<Typed<Def>>>;

/// A package as written.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// Definitions of the package, and those of modules that are used.
    pub defs: Defs,
    /// Values that are given for parameters, and imports.
    pub outside: Vec<Typed<()>>,
    /// Each `apply`, in the order of the source.
    pub applies: Vec<Typed<Apply>>,
    /// Each `except`, in the order of the source.
    pub excepts: Vec<Typed<Except>>,
    /// Policies in force, in the order of the source.
    pub policies: Vec<Policy>,
    /// Lines of tests, and the values that tests pin.
    pub lines: Vec<Typed<()>>,
}

impl Package {
    /// Every use of a name, part by part.
    pub fn uses(&self) -> impl Iterator<Item = &Use> {
        let defs = self.defs.values().map(|part| &part.uses);
        let rest = self.outside.iter().chain(&self.lines).map(|part| &part.uses);
        let heads = self.applies.iter().map(|part| &part.uses).chain(self.excepts.iter().map(|part| &part.uses));
        let members = self.policies.iter().flat_map(|policy| policy.members.iter()).map(|part| &part.uses);
        defs.chain(rest).chain(heads).chain(members).flatten()
    }
}
