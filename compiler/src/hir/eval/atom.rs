//! Conditions and atoms of one elementary event, by the rules of absence, failure and identity. Knows the fields of the
//! language by name, since here a name gets its meaning; knows no hook.

use super::Truth;
use crate::hir::{Atom, Cond, FileAttributes, Object, Operation, Package, PathLang, PathSetId, PathValue, Prefix, Program, Test, glob};
use ebsec_templates::{Catalog, FieldId, FieldOf, FieldType};
use rustc_hash::FxHashMap;
use std::net::IpAddr;

/// Answers of path sets within one operation, and what all answers took.
#[derive(Default)]
pub(super) struct Memo {
    sets: FxHashMap<(PathSetId, Vec<u8>), bool>,
    pub work: u64,
}

/// One elementary event.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub package: &'a Package,
    pub catalog: &'a Catalog,
    pub operation: &'a Operation,
    pub object: &'a Object,
    /// Fields that may have any value.
    pub unknown: &'a [FieldId],
}

/// The value of a field.
pub(super) enum Value<'a> {
    Absent,
    /// It cannot be told.
    Failed,
    Path(&'a PathValue),
    Program(&'a Program),
    Programs(&'a [Program]),
    Bytes(&'a [u8]),
    Number(u64),
    Address(IpAddr),
}

impl<'a> Scene<'a> {
    /// The truth of a condition. Empty `And` is true, empty `Or` false.
    pub(super) fn cond(&self, cond: &Cond, memo: &mut Memo) -> Truth {
        match cond {
            Cond::Const(yes) => Truth::of(*yes),
            Cond::Atom(atom) => self.atom(atom, memo),
            Cond::Not(inner) => self.cond(inner, memo).not(),
            Cond::And(all) => all.iter().map(|c| self.cond(c, memo)).min().unwrap_or(Truth::True),
            Cond::Or(all) => all.iter().map(|c| self.cond(c, memo)).max().unwrap_or(Truth::False),
        }
    }

    /// The least and the most that the truth of a condition can be, whatever the unknown fields are.
    pub(super) fn range(&self, cond: &Cond, memo: &mut Memo) -> (Truth, Truth) {
        if self.unknown.is_empty() {
            let truth = self.cond(cond, memo);
            return (truth, truth);
        }
        match cond {
            Cond::Const(yes) => (Truth::of(*yes), Truth::of(*yes)),
            Cond::Atom(atom) if self.unknown.contains(&atom.field) => (Truth::False, Truth::True),
            Cond::Atom(atom) => {
                let truth = self.atom(atom, memo);
                (truth, truth)
            }
            Cond::Not(inner) => {
                let (low, high) = self.range(inner, memo);
                (high.not(), low.not())
            }
            Cond::And(all) => all.iter().fold((Truth::True, Truth::True), |(low, high), c| {
                let (a, b) = self.range(c, memo);
                (low.min(a), high.min(b))
            }),
            Cond::Or(all) => all.iter().fold((Truth::False, Truth::False), |(low, high), c| {
                let (a, b) = self.range(c, memo);
                (low.max(a), high.max(b))
            }),
        }
    }

    /// Adds the unknown fields that a condition depends on.
    pub(super) fn open_fields(&self, cond: &Cond, fields: &mut Vec<FieldId>) {
        let (low, high) = self.range(cond, &mut Memo::default());
        if low == high {
            return;
        }
        match cond {
            Cond::Const(_) => {}
            Cond::Atom(atom) if fields.contains(&atom.field) => {}
            Cond::Atom(atom) => fields.push(atom.field),
            Cond::Not(inner) => self.open_fields(inner, fields),
            Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| self.open_fields(c, fields)),
        }
    }

    /// Adds the truths of the atoms of a condition, in their order.
    pub(super) fn truths(&self, cond: &Cond, memo: &mut Memo, all: &mut Vec<Truth>) {
        match cond {
            Cond::Const(_) => {}
            Cond::Atom(atom) => all.push(self.atom(atom, memo)),
            Cond::Not(inner) => self.truths(inner, memo, all),
            Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|c| self.truths(c, memo, all)),
        }
    }

    fn atom(&self, atom: &Atom, memo: &mut Memo) -> Truth {
        let value = self.value(atom);
        memo.work += WORK_OF_ATOM + test_work(&atom.test, &value);
        match (&atom.test, value) {
            (_, Value::Absent) => Truth::False,
            (_, Value::Failed) => Truth::Failed,
            (Test::InPaths(set), Value::Path(path)) => self.path(*set, path, memo),
            (Test::InPaths(set), Value::Bytes(bytes)) => Truth::of(self.has(*set, bytes, memo)),
            (Test::InPaths(set), Value::Program(one)) => self.program(*set, one, atom.identity, memo),
            (Test::InPaths(set), Value::Programs(all)) => {
                all.iter().map(|one| self.program(*set, one, atom.identity, memo)).max().unwrap_or(Truth::False)
            }
            (Test::Unresolved, Value::Path(path)) => Truth::of(*path == PathValue::Failed),
            (Test::Unresolved, Value::Program(one)) => Truth::of(unresolved(one)),
            (Test::Unresolved, Value::Programs(all)) => Truth::of(all.iter().any(unresolved)),
            (Test::Deleted, Value::Path(_)) => Truth::of(self.object.deleted),
            (Test::True, Value::Number(number)) => Truth::of(number != 0),
            (Test::InRanges(ranges), Value::Number(number)) => Truth::of(ranges.iter().any(|(low, high)| (*low..=*high).contains(&number))),
            (Test::HasBits(bits), Value::Number(number)) => Truth::of(number & bits == *bits),
            (Test::InPrefixes(prefixes), Value::Address(address)) => Truth::of(prefixes.iter().any(|p| covers(*p, address))),
            // The type stage makes no other pairs.
            _ => Truth::False,
        }
    }

    fn path(&self, set: PathSetId, path: &PathValue, memo: &mut Memo) -> Truth {
        match path {
            PathValue::Absent => Truth::False,
            PathValue::Failed => Truth::Failed,
            PathValue::Known(bytes) => Truth::of(self.has(set, bytes, memo)),
        }
    }

    /// Rules 3 and 18: where its being true tightens, one of a program's names suffices; where it loosens, it counts if all
    /// are in the set and it is trusted.
    fn program(&self, set: PathSetId, one: &Program, identity: bool, memo: &mut Memo) -> Truth {
        let mut names = [&one.path].into_iter().chain(&one.other_paths).map(|path| self.path(set, path, memo)).collect::<Vec<_>>();
        names.sort_unstable();
        match (names.first(), names.last()) {
            // a name that cannot be told leaves nothing that can
            _ if names.contains(&Truth::Failed) => Truth::Failed,
            (Some(least), Some(Truth::True)) if identity && !(one.trusted && *least == Truth::True) => Truth::Failed,
            (_, most) => most.copied().unwrap_or(Truth::False),
        }
    }

    fn has(&self, set: PathSetId, bytes: &[u8], memo: &mut Memo) -> bool {
        if let Some(known) = memo.sets.get(&(set, bytes.to_vec())) {
            return *known;
        }
        let answer = self.package.path_sets.get(set.0 as usize).is_some_and(|s| lang_has(&s.lang, bytes, s.space, &mut memo.work));
        memo.sets.insert((set, bytes.to_vec()), answer);
        answer
    }

    /// The value that a test meets.
    pub(super) fn value(&self, atom: &Atom) -> Value<'a> {
        let field = &self.catalog[atom.field];
        let value = match field.of {
            FieldOf::Subject => self.subject(&field.name, atom.identity),
            FieldOf::Object => self.object_value(&field.name),
            FieldOf::Operation => None,
        };
        if let Some(value) = value {
            return value;
        }
        if field.of != FieldOf::Operation {
            return Value::Absent;
        }
        if let Some(name) = self.operation.names.get(&atom.field) {
            return Value::Bytes(name);
        }
        match self.operation.values.get(&atom.field) {
            Some(number) => Value::Number(*number),
            // A fact of the contract may be a field too.
            None if field.ty == FieldType::Bool && self.operation.facts.contains(&field.name) => Value::Number(1),
            None => Value::Absent,
        }
    }

    fn subject(&self, name: &str, identity: bool) -> Option<Value<'a>> {
        let subject = &self.operation.subject;
        Some(match name {
            "process.exe" => Value::Program(&subject.exe),
            "process.parent.exe" => Value::Program(&subject.parent),
            "process.lineage.exe" => Value::Programs(&subject.lineage),
            "process.comm" => Value::Bytes(&subject.comm),
            "process.uid" => Value::Number(subject.uid.into()),
            "process.gid" => Value::Number(subject.gid.into()),
            "process.euid" => Value::Number(subject.euid.into()),
            // Rule 18: where its being true loosens, namespaces that anyone can make are none.
            "process.container" if identity => Value::Number(subject.container_trusted.into()),
            "process.container" => Value::Number(subject.container.into()),
            _ => return None,
        })
    }

    fn object_value(&self, name: &str) -> Option<Value<'a>> {
        let file = |get: fn(&FileAttributes) -> u64| self.object.file.as_ref().map(|f| Value::Number(get(f)));
        match name {
            "file.path" => Some(Value::Path(&self.object.path)),
            "file.host_path" => self.object.host_paths.first().map(Value::Path),
            "file.memfd" => file(|f| f.memfd.into()),
            "file.setuid" => file(|f| u64::from(f.mode & 0o4000 != 0)),
            "file.mode" => file(|f| f.mode.into()),
            "file.owner" => file(|f| f.owner.into()),
            "file.owned" => {
                let file = self.object.file.as_ref()?;
                Some(Value::Number(u64::from(file.owner == self.operation.subject.euid)))
            }
            "remote.ip" => self.object.remote.map(|r| r.address().map_or(Value::Failed, Value::Address)),
            "remote.port" => self.object.remote.map(|r| r.port.map_or(Value::Failed, |port| Value::Number(port.into()))),
            _ => None,
        }
    }
}

/// Whether a program has a name that cannot be told.
fn unresolved(program: &Program) -> bool {
    [&program.path].into_iter().chain(&program.other_paths).any(|path| *path == PathValue::Failed)
}

/// Whether bytes are in a regular set.
fn lang_has(lang: &PathLang, bytes: &[u8], space: crate::hir::Space, work: &mut u64) -> bool {
    match lang {
        PathLang::Patterns(all) => all.iter().any(|p| {
            *work += WORK_OF_ATOM + (p.parts.len() * bytes.len() / 2) as u64;
            glob::matches(p, bytes, space)
        }),
        PathLang::Union(all) => all.iter().any(|l| lang_has(l, bytes, space, work)),
        PathLang::Minus(a, b) => lang_has(a, bytes, space, work) && !lang_has(b, bytes, space, work),
    }
}

/// Finding a field and its answer.
const WORK_OF_ATOM: u64 = 16;

fn test_work(test: &Test, value: &Value<'_>) -> u64 {
    match (test, value) {
        (Test::InRanges(all), _) => all.len() as u64,
        (Test::InPrefixes(all), _) => all.len() as u64,
        (_, Value::Programs(all)) => WORK_OF_ATOM * all.len() as u64,
        _ => 0,
    }
}

/// Whether an address lies in a prefix. A v4-mapped address is the v4 address, so no v6 prefix holds it.
fn covers(prefix: Prefix, address: IpAddr) -> bool {
    match (prefix, address.to_canonical()) {
        (Prefix::V4(value, length), IpAddr::V4(a)) => (value ^ a.to_bits()).checked_shr(32 - u32::from(length.min(32))).unwrap_or(0) == 0,
        (Prefix::V6(value, length), IpAddr::V6(a)) => (value ^ a.to_bits()).checked_shr(128 - u32::from(length.min(128))).unwrap_or(0) == 0,
        _ => false,
    }
}
