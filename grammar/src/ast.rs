//! The syntax tree: what `parse` gives. Untyped, unresolved, complete enough to print the source back.
//! Never holds text that is not in the source.

/// Byte range in the source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub node: T,
    /// Where it stands.
    pub span: Span,
}

/// An identifier or dotted name as written.
pub type Name = Spanned<String>;

/// One source file. Items that could not be parsed are missing here and named in the errors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// Items in source order.
    pub items: Vec<Item>,
}

/// A top-level item with its `///` documentation (lines joined by `\n`, marks stripped).
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Documentation comment.
    pub doc: Option<String>,
    /// Whole item.
    pub span: Span,
    /// What it is.
    pub kind: ItemKind,
}

/// The kinds of top-level items.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `import std.paths as p`
    Import { path: Name, alias: Option<Name> },
    /// `let name: type = value`
    Let { name: Name, ty: Option<Type>, value: Value },
    /// `param name: type = value`
    Param { name: Name, ty: Type, default: Option<Value> },
    /// `fn name(a: type) = cond`
    Fn { name: Name, args: Vec<(Name, Type)>, body: Cond },
    /// `mark name per domain for duration`
    Mark { name: Name, per: Name, lasts: Option<Spanned<String>> },
    /// `policy name { … }`
    Policy(Policy),
    /// `apply P where C with { … }`
    Apply { target: Name, filter: Option<Cond>, with: Option<Record> },
    /// `except P.rule default event when C because "…" until date`
    Except { target: Name, default: Option<Name>, when: Cond, because: Spanned<String>, until: Option<Spanned<String>> },
    /// `test "…" { … }`
    Test { name: Spanned<String>, lines: Vec<TestLine> },
}

/// A type as written: `set<path>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// Outer name.
    pub name: Name,
    /// Argument in `<>`.
    pub arg: Option<Name>,
    /// All of it.
    pub span: Span,
}

/// A policy's body.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// Members in source order.
    pub members: Vec<Member>,
}

/// A member of a policy with its documentation.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Documentation comment.
    pub doc: Option<String>,
    /// Whole member.
    pub span: Span,
    /// What it is.
    pub kind: MemberKind,
}

/// The kinds of members.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberKind {
    /// `key = value` (not `scope`)
    Prop { key: Name, value: Value },
    /// `scope = cond`
    Scope(Cond),
    /// `default deny exec, net.egress because "…" with { … }`
    Default { verdict: Spanned<Verdict>, events: Vec<Name>, because: Option<Spanned<String>>, with: Option<Record> },
    /// `label: action events when … unless … because … with …`
    Rule(Rule),
}

/// `deny`, `kill`, `audit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Deny,
    Kill,
    Audit,
}

/// A rule's action.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `deny`, `kill`, `audit`
    Verdict(Verdict),
    /// `allow`
    Allow,
    /// `mark name`
    Mark(Name),
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
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
    pub unless: Option<Cond>,
    /// `because`
    pub because: Option<Spanned<String>>,
    /// `with`
    pub with: Option<Record>,
}

/// A condition. Parentheses are not kept: the tree has the shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Cond {
    /// All of it, parentheses included.
    pub span: Span,
    /// What it is.
    pub kind: CondKind,
}

/// The kinds of conditions.
#[derive(Clone, Debug, PartialEq)]
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
    Compare { operand: Operand, op: Spanned<Op>, value: Value },
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    Under,
    Matches,
    Has,
    Only,
}

/// Left side of a comparison, or a bare test.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// `file.path`
    Name(Name),
    /// `pod.labels["app"]`
    Index { name: Name, key: Spanned<String>, span: Span },
    /// `f(a, b)`
    Call { name: Name, args: Vec<Arg>, span: Span },
}

/// Argument of a call. A plain name parses as a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    Cond(Cond),
    Value(Value),
}

/// A constant expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: ValueKind,
}

/// The kinds of constant expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// `[a, b]`
    Set(Vec<Value>),
    /// `1..5`, ends as written
    Range { low: Name, high: Name },
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
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Pairs in source order.
    pub pairs: Vec<(Name, PairValue)>,
    /// With the braces.
    pub span: Span,
}

/// Value of a pair in a record.
#[derive(Clone, Debug, PartialEq)]
pub enum PairValue {
    /// A constant.
    Value(Value),
    /// `10.0.0.1:443`, `[::1]:443`
    Endpoint(Spanned<String>),
    /// `200/10s per lineage`
    Rate { count: Name, window: Name, per: Option<Name>, span: Span },
}

/// One line of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestLine {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: TestLineKind,
}

/// The kinds of test lines.
#[derive(Clone, Debug, PartialEq)]
pub enum TestLineKind {
    /// `process web = { exe = "…" }`
    Process { name: Name, record: Record },
    /// `web file.write "/srv/a" { … } times 201 => deny by p.r`
    Step { process: Name, event: Name, target: Option<Target>, record: Option<Record>, times: Option<Spanned<u64>>, expect: Expect },
}

/// Object of a test step.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// `10.2.3.4:443`
    Endpoint(Spanned<String>),
    /// `"/srv/a"`
    Literal(Spanned<Literal>),
}

/// Expected verdict of a test step.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// `allow`
    Allow(Span),
    /// `deny by p.r` or `deny by p default`
    By { verdict: Spanned<Verdict>, rule: Name, default: bool, span: Span },
}
