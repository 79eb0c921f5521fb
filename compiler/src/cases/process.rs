//! Processes of tests: a record in, the subject of operations out, and what the record does not give of it.

use super::{Cases, Test};
use crate::diag::{Finding, codes};
use crate::hir::{PathValue, Program, Subject, Unknown};
use crate::resolve::{Found, Target};
use crate::source::Loc;
use crate::typed::{Elem, Site};
use ebsec_grammar::ast::{self, PairValue, ValueKind};
use rustc_hash::FxHashSet;

/// Keys of a process.
pub(super) const KEYS: &[&str] = &["exe", "parent", "lineage", "uid", "gid", "euid", "comm", "container", "trusted", "unresolved"];
/// Most programs in the line of a process.
const MAX_LINE: usize = 1024;
/// Fields of a process that have no value unless the test gives one: each with the key that gives it.
const GIVEN: &[(&str, &str)] = &[
    ("process.uid", "uid"),
    ("process.gid", "gid"),
    ("process.euid", "euid"),
    ("process.comm", "comm"),
    ("process.container", "container"),
    // The owner is compared with the process's user.
    ("file.owned", "euid"),
];

/// What a record says of a process.
struct Draft {
    exe: PathValue,
    parent: Program,
    /// The line of the parent, if that is a process of the test.
    before: Vec<Program>,
    line: Vec<PathValue>,
    trusted: bool,
    euid: Option<u32>,
    comm: Option<Vec<u8>>,
}

impl Cases<'_, '_> {
    /// The subject that a record describes.
    pub(super) fn process(&mut self, record: &ast::Record, test: &Test<'_>, at: Site) -> (Subject, Vec<Unknown>) {
        let mut subject = Subject::default();
        let (exe, parent) = (PathValue::Absent, Program::new(PathValue::Absent, true));
        let mut draft = Draft { exe, parent, before: Vec::new(), line: Vec::new(), trusted: true, euid: None, comm: None };
        let mut by_name = false;
        for (key, value) in self.pairs(record, at) {
            match key.node.as_str() {
                "parent" => by_name = self.parent(&mut draft, value, test, at),
                "uid" => subject.uid = self.id(value, Elem::Uid, at),
                "gid" => subject.gid = self.id(value, Elem::Gid, at),
                "container" => subject.container = self.truth(value, at),
                _ => self.key(&mut draft, key, value, at),
            }
        }
        if !by_name {
            draft.parent.trusted = draft.trusted;
        }
        subject.euid = draft.euid.unwrap_or(subject.uid);
        subject.comm = draft.comm.clone().unwrap_or_else(|| comm(&draft.exe));
        subject.container_trusted = subject.container && draft.trusted;
        subject.lineage = lineage(&draft);
        subject.exe = Program::new(draft.exe, draft.trusted);
        subject.parent = draft.parent;
        let unknown = self.unknown(record, &subject);
        (subject, unknown)
    }

    fn key(&mut self, draft: &mut Draft, key: &ast::Name, value: &ast::Value, at: Site) {
        match key.node.as_str() {
            "exe" => draft.exe = self.path(value, at),
            "lineage" => {
                draft.line = self.values.paths(value, at).into_iter().map(PathValue::Known).collect();
                if draft.line.len() > MAX_LINE {
                    draft.line.clear();
                    let message = format!("a process has at most {MAX_LINE} programs in its line");
                    self.error(codes::TOO_COMPLEX, Loc::new(at.part, value.span), message);
                }
            }
            "euid" => draft.euid = Some(self.id(value, Elem::Uid, at)),
            "comm" => draft.comm = self.values.exact(value, Elem::Comm, at),
            "trusted" => draft.trusted = self.truth(value, at),
            "unresolved" => {
                if self.truth(value, at) {
                    draft.exe = PathValue::Failed;
                }
            }
            other => self.unknown_key("a process", other, Loc::new(at.part, key.span), KEYS.to_vec()),
        }
    }

    /// The parent: a process of the test, whose line it brings with it, or a path. True if it is a process.
    fn parent(&mut self, draft: &mut Draft, value: &ast::Value, test: &Test<'_>, at: Site) -> bool {
        let ValueKind::Name(name) = &value.kind else {
            draft.parent.path = self.path(value, at);
            return false;
        };
        if let Some(parent) = test.processes.get(name.as_str()) {
            draft.parent = parent.subject.exe.clone();
            draft.before.clone_from(&parent.subject.lineage);
            self.values.note(Loc::new(at.part, value.span), Target::Process(parent.line));
            return true;
        }
        if matches!(self.values.names().find(at.file, name), Found::NotIn(_) | Found::Nothing) {
            self.no_parent(name, Loc::new(at.part, value.span), test);
        } else {
            draft.parent.path = self.path(value, at);
        }
        false
    }

    fn no_parent(&mut self, name: &str, loc: Loc, test: &Test<'_>) {
        let message = format!("the test has no process `{name}`, and there is no constant of that name");
        let finding = Finding::error(codes::UNKNOWN_PROCESS, loc, message);
        let finding = if test.later.contains(name) {
            finding.help(format!("move the line of `{name}` up: a parent comes before its children"))
        } else {
            let mut known = self.values.constants();
            known.extend(test.processes.keys());
            finding.near(name, loc, self.values.candidates(known.len(), known.iter().copied()))
        };
        self.values.push(finding);
    }

    fn id(&mut self, value: &ast::Value, want: Elem, at: Site) -> u32 {
        self.values.number(value, want, at).unwrap_or(0) as u32
    }

    /// The fields that a record does not give, each with its usual value.
    fn unknown(&self, record: &ast::Record, subject: &Subject) -> Vec<Unknown> {
        let keys: FxHashSet<&str> = record.pairs.iter().map(|(key, _)| key.node.as_str()).collect();
        let has = |key: &str| keys.contains(key) || key == "euid" && keys.contains("uid");
        let missing = GIVEN.iter().filter(|(_, key)| !has(key));
        let unknown = missing.filter_map(|(field, key)| {
            let usual = match *key {
                "container" => "false".to_owned(),
                "comm" => format!("{:?}", String::from_utf8_lossy(&subject.comm)),
                _ => "0".to_owned(),
            };
            Some(Unknown { field: self.catalog().field(field)?, key, usual })
        });
        unknown.collect()
    }
}

/// The name that a task has after it executed a program.
fn comm(exe: &PathValue) -> Vec<u8> {
    match exe {
        PathValue::Known(path) => path.rsplit(|b| *b == b'/').next().unwrap_or_default().iter().take(15).copied().collect(),
        _ => Vec::new(),
    }
}

/// The line of a process: its own program, the one that forked it with its line, and those that the test names.
fn lineage(draft: &Draft) -> Vec<Program> {
    let mut all: Vec<Program> = Vec::new();
    let own = Program::new(draft.exe.clone(), draft.trusted);
    let named = draft.line.iter().map(|path| Program::new(path.clone(), draft.trusted));
    let line = [own, draft.parent.clone()].into_iter().chain(draft.before.iter().cloned()).chain(named);
    for program in line.filter(|p| p.path != PathValue::Absent) {
        if !all.iter().any(|p| p.path == program.path) {
            all.push(program);
        }
    }
    all
}

/// One past the last byte of a pair's value.
pub(super) fn end(value: &PairValue) -> u32 {
    match value {
        PairValue::Value(value) => value.span.end,
        PairValue::Endpoint(text) => text.span.end,
        PairValue::Rate { span, .. } => span.end,
    }
}
