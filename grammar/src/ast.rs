//! The syntax tree: what `parse` gives. Untyped, unresolved, complete enough to print the source back.
//! Never holds text that is not in the source. Every place counts from the start of the part that holds it.

use crate::outline::PartKind;
use serde::Serialize;

/// Byte range in a text: a part of a file, or all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spanned<T> {
    /// The value.
    pub node: T,
    /// Where it stands.
    pub span: Span,
}

/// An identifier or dotted name as written.
pub type Name = Spanned<String>;

/// One source file as a whole, with places that count from its start: for people and for comparisons.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct File {
    /// Items in source order.
    pub items: Vec<Item>,
}

/// A top-level item with its `///` documentation (lines joined by `\n`, marks stripped).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Documentation comment.
    pub doc: Option<String>,
    /// Whole item, documentation included.
    pub span: Span,
    /// What it is.
    pub kind: ItemKind,
}

/// The kinds of top-level items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ItemKind {
    /// `import std.paths as p`
    Import {
        /// Dotted name of the package or module.
        path: Name,
        /// Name after `as`.
        alias: Option<Name>,
    },
    /// `let name: type = value`
    Let {
        /// Its name.
        name: Name,
        /// Type, where written.
        ty: Option<Type>,
        /// Right side.
        value: Value,
    },
    /// `param name: type = value`
    Param {
        /// Its name.
        name: Name,
        /// Type, always written.
        ty: Type,
        /// Value if the deployment gives none.
        default: Option<Value>,
    },
    /// `fn name(a: type) = cond`
    Fn {
        /// Its name.
        name: Name,
        /// Arguments in order.
        args: Vec<(Name, Type)>,
        /// Right side.
        body: Cond,
    },
    /// `mark name per domain for duration`
    Mark {
        /// Its name.
        name: Name,
        /// Domain after `per`.
        per: Name,
        /// Duration after `for`, as written.
        lasts: Option<Spanned<String>>,
    },
    /// `policy name { … }`
    Policy(Policy),
    /// `apply P where C with { … }`
    Apply {
        /// The policy.
        target: Name,
        /// Condition after `where`.
        filter: Option<Cond>,
        /// Mode, severity, parameters.
        with: Option<Record>,
    },
    /// `except P.rule default event when C because "…" until date`
    Except {
        /// `policy.rule`, or the policy alone before `default`.
        target: Name,
        /// Event after `default`.
        default: Option<Name>,
        /// When the rule does not hold.
        when: Cond,
        /// The reason.
        because: Spanned<String>,
        /// Last day, as written.
        until: Option<Spanned<String>>,
    },
    /// `test "…" with { … } { … }`
    Test {
        /// What it says.
        name: Spanned<String>,
        /// Values of parameters that hold in it.
        with: Option<Record>,
        /// Lines in source order; empty where they stand in parts of their own.
        lines: Vec<TestLine>,
    },
    /// What could not be read; the errors say why. Its name is defined all the same.
    Broken {
        /// What it begins like.
        kind: PartKind,
        /// Its name, or the name that it is about.
        name: Option<Name>,
    },
}

/// A type as written: `set<path>`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Type {
    /// Outer name.
    pub name: Name,
    /// Argument in `<>`.
    pub arg: Option<Name>,
    /// All of it.
    pub span: Span,
}

/// A policy's body.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// Members in source order; empty where they stand in parts of their own.
    pub members: Vec<Member>,
}

/// A member of a policy with its documentation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// Documentation comment.
    pub doc: Option<String>,
    /// Whole member, documentation included.
    pub span: Span,
    /// What it is.
    pub kind: MemberKind,
}

/// The kinds of members.
#[allow(clippy::large_enum_variant)] // nearly all members are rules: a box would cost more than it saves
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum MemberKind {
    /// `key = value` (not `scope`)
    Prop {
        /// Which property.
        key: Name,
        /// Its value.
        value: Value,
    },
    /// `scope = cond`
    Scope(Cond),
    /// `default deny exec, net.egress because "…" with { … }`
    Default {
        /// What happens to events that no `allow` answers.
        verdict: Spanned<Verdict>,
        /// Events, at least one.
        events: Vec<Name>,
        /// `because`
        because: Option<Spanned<String>>,
        /// `with`
        with: Option<Record>,
    },
    /// `label: action events when … unless … because … with …`
    Rule(Rule),
    /// What could not be read; the errors say why. A rule's label is defined all the same.
    Broken {
        /// What it begins like.
        kind: PartKind,
        /// Its label or key.
        name: Option<Name>,
    },
}

/// `deny`, `kill`, `audit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// The operation fails.
    Deny,
    /// The process is killed.
    Kill,
    /// The event is reported.
    Audit,
}

/// A rule's action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Action {
    /// `deny`, `kill`, `audit`
    Verdict(Verdict),
    /// `allow`
    Allow,
    /// `mark name`
    Mark(Name),
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// Label before the colon.
    pub label: Name,
    /// What it does.
    pub action: Spanned<Action>,
    /// Events, at least one.
    pub events: Vec<Name>,
    /// `when`
    pub when: Option<Cond>,
    /// `unless`
    pub unless: Option<Box<Cond>>,
    /// `because`
    pub because: Option<Spanned<String>>,
    /// `with`
    pub with: Option<Record>,
}

/// A condition. Parentheses are not kept: the tree has the shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cond {
    /// All of it, parentheses included.
    pub span: Span,
    /// What it is.
    pub kind: CondKind,
}

/// The kinds of conditions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum CondKind {
    /// All true (two or more).
    And(Vec<Cond>),
    /// One true (two or more).
    Or(Vec<Cond>),
    /// Not.
    Not(Box<Cond>),
    /// A bare operand: a boolean field or a call.
    Bare(Operand),
    /// `operand op value`
    Compare {
        /// Left side.
        operand: Operand,
        /// Operator.
        op: Spanned<Op>,
        /// Right side.
        value: Value,
    },
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Op {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `under`
    Under,
    /// `matches`
    Matches,
    /// `has`
    Has,
    /// `only`
    Only,
}

/// Left side of a comparison, or a bare test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Operand {
    /// `file.path`
    Name(Name),
    /// `pod.labels["app"]`
    Index {
        /// The field.
        name: Name,
        /// Key between the brackets, without quotes; its span has the quotes.
        key: Spanned<String>,
        /// All of it.
        span: Span,
    },
    /// `f(a, b)`
    Call {
        /// The function.
        name: Name,
        /// Arguments in order.
        args: Vec<Arg>,
        /// All of it.
        span: Span,
    },
}

/// Argument of a call. A plain name parses as a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Arg {
    /// A condition.
    Cond(Cond),
    /// A constant, or a plain name.
    Value(Value),
}

/// A constant expression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Value {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: ValueKind,
}

/// The kinds of constant expressions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ValueKind {
    /// `[a, b]`
    Set(Vec<Value>),
    /// `1..5`, ends as written
    Range {
        /// Lower end, included.
        low: Name,
        /// Upper end, included.
        high: Name,
    },
    /// A literal.
    Literal(Literal),
    /// A name (of a let, a param, an enum value, a fn argument).
    Name(String),
    /// `a + b`
    Union(Box<Value>, Box<Value>),
    /// `a - b`
    Difference(Box<Value>, Box<Value>),
}

/// A literal, text as written except strings (escapes resolved, quotes gone).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Literal {
    /// `"…"`
    Str(String),
    /// `2027-03-31`
    Date(String),
    /// `T1552.004`
    Attack(String),
    /// `10.0.0.0/8`
    Cidr(String),
    /// `10.0.0.1`, `fd00::1`
    Ip(String),
    /// `10m`
    Duration(String),
    /// `443`, `0o4755`, `0x10`
    Number(String),
}

/// `{ key = value, … }`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// Pairs in source order.
    pub pairs: Vec<(Name, PairValue)>,
    /// With the braces.
    pub span: Span,
}

/// Value of a pair in a record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum PairValue {
    /// A constant.
    Value(Value),
    /// `10.0.0.1:443`, `[::1]:443`
    Endpoint(Spanned<String>),
    /// `200/10s per lineage`
    Rate {
        /// How many.
        count: Name,
        /// In which time, as written.
        window: Name,
        /// Domain after `per`.
        per: Option<Name>,
        /// All of it.
        span: Span,
    },
}

/// One line of a test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestLine {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: TestLineKind,
}

/// The kinds of test lines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum TestLineKind {
    /// `process web = { exe = "…" }`
    Process {
        /// Its name in this test.
        name: Name,
        /// Its fields.
        record: Record,
    },
    /// `web file.write "/srv/a" { … } times 201 => deny by p.r`
    Step {
        /// Who acts.
        process: Name,
        /// What happens.
        event: Name,
        /// To what.
        target: Option<Target>,
        /// Further fields.
        record: Option<Record>,
        /// How often.
        times: Option<Spanned<u64>>,
        /// The verdict that must come.
        expect: Expect,
    },
    /// What could not be read; the errors say why.
    Broken {
        /// The name of a process, which is defined all the same.
        name: Option<Name>,
    },
}

/// Object of a test step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Target {
    /// `10.2.3.4:443`
    Endpoint(Spanned<String>),
    /// `"/srv/a"`
    Literal(Spanned<Literal>),
}

/// Expected verdict of a test step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Expect {
    /// `allow`
    Allow(Span),
    /// `deny by p.r` or `deny by p default`
    By {
        /// Which verdict.
        verdict: Spanned<Verdict>,
        /// `policy.rule`, or the policy alone with `default`.
        rule: Name,
        /// Whether `default` follows.
        default: bool,
        /// All of it.
        span: Span,
    },
}
