//! The folded policy: what the front gives and every later stage reads. All names are resolved, all constants are
//! evaluated, every `unless`, `except`, scope and `apply` is folded into conditions. Holds no source text but what an artifact says
//! of its policies.

pub mod eval;
pub mod glob;

use crate::source::Loc;
use ebsec_artifact::Policies;
use ebsec_templates::{EventId, FieldId, HookId};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Index into [`Package::path_sets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathSetId(pub u32);

/// A whole package, policies of imported packages included as far as they are applied.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// Name from `ebsec.toml`.
    pub name: String,
    /// Version from `ebsec.toml`.
    pub version: String,
    /// Target kernels, for example `6.1`, sorted.
    pub kernels: Vec<String>,
    /// Every regular path set that a condition names, interned (equal sets have equal ids).
    pub path_sets: Vec<PathSet>,
    /// Policies in force, in source order.
    pub policies: Vec<Policy>,
    /// Unit tests.
    pub tests: Vec<TestCase>,
    /// The policies as written, for an artifact; empty unless it is asked for. No verdict depends on it.
    pub written: Policies,
}

/// A regular set of paths, or of comms.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathSet {
    /// Which language it lives in.
    pub space: Space,
    /// The set.
    pub lang: PathLang,
}

/// Alphabet and start state of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Absolute normalised paths; `*` and `?` stay within a segment.
    Path,
    /// Task names, up to 15 bytes; `/` is an ordinary byte.
    Comm,
}

/// Expression over patterns.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathLang {
    /// Any of these.
    Patterns(Vec<glob::Pattern>),
    /// Any of these.
    Union(Vec<PathLang>),
    /// The first without the second.
    Minus(Box<PathLang>, Box<PathLang>),
}

/// A condition. `And` and `Or` may be empty (true, false).
#[derive(Clone, Debug, PartialEq)]
pub enum Cond {
    /// A constant.
    Const(bool),
    /// One test of one field.
    Atom(Atom),
    /// Negation.
    Not(Box<Cond>),
    /// All.
    And(Vec<Cond>),
    /// Any.
    Or(Vec<Cond>),
}

/// One test of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    /// Which field; parts (`.name`, `.dir`, `.ext`) are folded into the test's path set.
    pub field: FieldId,
    /// What is asked.
    pub test: Test,
    /// The atom's being true loosens a verdict and the field has identity (rule 18).
    pub identity: bool,
    /// Where it stands.
    pub loc: Loc,
}

/// What an atom asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Test {
    /// Paths, comms: in the set. On `process.lineage.exe`: one of them is.
    InPaths(PathSetId),
    /// Paths: exists but could not be computed.
    Unresolved,
    /// `file.path.deleted`.
    Deleted,
    /// Booleans: true.
    True,
    /// Numbers (uid, gid, port, enum, mode): in one of the closed intervals, sorted and disjoint.
    InRanges(Vec<(u64, u64)>),
    /// `file.mode has …`: all of these bits.
    HasBits(u64),
    /// Addresses: in one of the prefixes, sorted, none within another. IPv4 and v4-mapped are [`Prefix::V4`].
    InPrefixes(Vec<Prefix>),
}

/// An address prefix, host bits zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Prefix {
    /// Network-order value and length 0 to 32.
    V4(u32, u8),
    /// Network-order value and length 0 to 128.
    V6(u128, u8),
}

/// Whether a policy may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Reports only.
    Observe,
    /// Refuses.
    Enforce,
}

/// Severity, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// A policy in force (an `apply` of an imported policy makes one).
#[derive(Clone, Debug)]
pub struct Policy {
    /// Qualified name: `nginx`, `std.credentials.shadow`.
    pub name: String,
    /// Observe or enforce.
    pub mode: Mode,
    /// Its rules and defaults, one for each event.
    pub rules: Vec<Rule>,
    /// Description property.
    pub description: String,
    /// Tags property.
    pub tags: Vec<String>,
    /// Where the policy's name stands.
    pub loc: Loc,
}

/// What a rule does. `allow` rules and the exceptions are folded into the default's condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    Deny,
    Kill,
    Audit,
}

/// A rule or a default for one event: if `cond` is true the action is taken.
/// `cond` is scope and `when` and not `unless` and not any `except`; for a default it is scope and not any of the
/// policy's own `allow` for this event and not any `except`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Label; `None` for a default.
    pub label: Option<String>,
    /// Event.
    pub event: EventId,
    /// Action.
    pub action: Action,
    /// Folded condition.
    pub cond: Cond,
    /// errno of a refusal (`with { errno = … }`), EPERM (1) otherwise.
    pub errno: u16,
    /// Reason, empty if none.
    pub because: String,
    /// Severity of the rule or its policy.
    pub severity: Severity,
    /// ATT&CK ids of the rule or its policy.
    pub attack: Vec<String>,
    /// The label or the keyword `default`.
    pub loc: Loc,
}

/// A unit test.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub loc: Loc,
    /// Its processes, in the order of the source.
    pub processes: Vec<Process>,
    /// Its other lines in order.
    pub steps: Vec<Step>,
}

/// A process of a test, as far as messages speak of it.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its name in the test.
    pub name: String,
    /// Where a further key of it can be written.
    pub end: Loc,
    /// It has no keys yet.
    pub bare: bool,
}

/// A line of a test.
#[derive(Clone, Debug)]
pub struct Step {
    /// The operation. What the test does not give has a usual value in it.
    pub operation: Operation,
    /// Who acts: index into [`TestCase::processes`].
    pub process: usize,
    /// What the test does not give of the process.
    pub unknown: Vec<Unknown>,
    /// Expected verdict: `None` is allow (and nothing reported), else verdict and (policy, label or default).
    pub expect: Option<(Action, String, Option<String>)>,
    /// Where the line stands.
    pub loc: Loc,
}

/// A field whose value a test does not give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The field, or one that is computed from it.
    pub field: FieldId,
    /// The key that gives it.
    pub key: &'static str,
    /// Its usual value, as a test writes it.
    pub usual: String,
}

/// A path as a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum PathValue {
    /// There is none (memfd, pipe; kernel threads have no exe).
    #[default]
    Absent,
    /// It exists but could not be computed.
    Failed,
    /// Absolute, normalised, bytes.
    Known(Vec<u8>),
}

/// A program in the line of a process.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Program {
    /// Its path when it was executed.
    pub path: PathValue,
    /// Its other paths: several mounts show its file, or a namespace of a user's own gives it a second name (rule 3).
    pub other_paths: Vec<PathValue>,
    /// Rule 18 held when it was executed.
    pub trusted: bool,
}

impl Program {
    /// A program with one name.
    #[must_use]
    pub fn new(path: PathValue, trusted: bool) -> Program {
        Program { path, other_paths: Vec::new(), trusted }
    }
}

/// The process that acts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Subject {
    /// What it runs.
    pub exe: Program,
    /// What forked it.
    pub parent: Program,
    /// Every program in the line, `exe` included.
    pub lineage: Vec<Program>,
    /// Task name, at most 15 bytes.
    pub comm: Vec<u8>,
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// Effective user id.
    pub euid: u32,
    /// It is in another pid namespace than the host's, or in a mount namespace with another root.
    pub container: bool,
    /// One of the namespaces that make it a container belongs to the initial user namespace.
    pub container_trusted: bool,
}

/// An object of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Object {
    /// Its path.
    pub path: PathValue,
    /// Its other paths: the mount by which it is reached is none of the caller's, and several others show it, or a
    /// namespace of the user's own making gives it a second name. Each raises the events (rules 2 and 16).
    pub other_paths: Vec<PathValue>,
    /// The paths by which the host shows it; empty where it does not.
    pub host_paths: Vec<PathValue>,
    /// It is unlinked.
    pub deleted: bool,
    /// Attributes of the file; `None` for a new name (attribute fields are absent).
    pub file: Option<FileAttributes>,
    /// Other side of a socket; `None` where it is neither IPv4 nor IPv6.
    pub remote: Option<Remote>,
}

/// The other side of a socket, as a call names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Remote {
    /// The address that is named (v4-mapped is v4). `None`: it cannot be told, as where a source route is set.
    pub named: Option<IpAddr>,
    /// Its port. `None`: it cannot be told.
    pub port: Option<u16>,
    /// The address that the socket is bound to (v4-mapped is v4).
    pub source: Option<IpAddr>,
}

impl Remote {
    /// The address that the kernel reaches: the unspecified one is the source that the socket is bound to, else loopback.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        // The IPv4 source of a socket that is bound to an IPv6 address.
        const OF_SIX: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);
        let source = self.source.filter(|s| !s.is_unspecified());
        Some(match (self.named?, source) {
            (IpAddr::V4(named), Some(IpAddr::V4(source))) if named.is_unspecified() => source.into(),
            (IpAddr::V4(named), Some(IpAddr::V6(_))) if named.is_unspecified() => OF_SIX.into(),
            (IpAddr::V4(named), None) if named.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            (IpAddr::V6(named), _) if named.is_unspecified() => match self.source {
                Some(IpAddr::V4(_)) => Ipv4Addr::LOCALHOST.into(),
                _ => Ipv6Addr::LOCALHOST.into(),
            },
            (named, _) => named,
        })
    }
}

/// Attributes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FileAttributes {
    /// Permission bits, 0o7777.
    pub mode: u16,
    /// Owner.
    pub owner: u32,
    /// Memory without a path.
    pub memfd: bool,
}

/// One hook call, abstractly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Which hook.
    pub hook: HookId,
    /// Who.
    pub subject: Subject,
    /// By index into the hook's objects; an object that takes no part is `None`. Empty where the hook has none.
    pub objects: Vec<Option<Object>>,
    /// Facts of the contract that are true.
    pub facts: Vec<String>,
    /// Values of boolean and numeric fields of the operation (`open.append`, `socket.family`, …).
    pub values: BTreeMap<FieldId, u64>,
    /// Values of its fields that are names (`mount.fs`).
    pub names: BTreeMap<FieldId, Vec<u8>>,
}
