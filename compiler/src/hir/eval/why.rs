//! Why a rule does not match an operation: the tests on which its condition fails, each with the value that it met. For
//! messages; decides nothing.

use super::atom::{Memo, Scene, Value};
use super::{Truth, elementary_events};
use crate::hir::{Atom, Cond, Operation, Package, PathValue, Program, Rule};
use crate::source::Loc;
use ebsec_templates::{Catalog, FieldId, FieldType};

/// Most tests that are named: the first of them explain the verdict.
const MAX: usize = 3;
/// Most programs of a lineage that are named.
const MAX_PROGRAMS: usize = 8;

/// A test on which a condition fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Where it stands.
    pub loc: Loc,
    /// It is true, and stands after a negation such as `unless`; otherwise it is false.
    pub holds: bool,
    /// Its field.
    pub field: FieldId,
    /// The value of the field, in the words of a policy: `` `/usr/bin/cat` ``, `` 0 ``; `None` if it is absent.
    pub value: Option<String>,
}

/// The tests on which a rule's condition fails for an operation, whatever the unknown fields are; of several objects those of
/// the one that fails on the fewest. `None` if the operation does not raise the rule's event; empty if the condition may hold.
/// The work is added to `work`, as in [`super::eval_range`].
#[must_use]
pub fn unmet(
    package: &Package,
    catalog: &Catalog,
    operation: &Operation,
    unknown: &[FieldId],
    rule: &Rule,
    work: &mut u64,
) -> Option<Vec<Unmet>> {
    let events = elementary_events(catalog, operation);
    let objects = events.iter().filter(|(event, _)| *event == rule.event).map(|(_, object)| object);
    let found = objects.map(|object| {
        let mut search = Search { scene: Scene { package, catalog, operation, object, unknown }, memo: Memo::default(), found: Vec::new() };
        search.look(&rule.cond, true);
        *work = work.saturating_add(search.memo.work);
        search.found
    });
    found.min_by_key(Vec::len)
}

struct Search<'a> {
    scene: Scene<'a>,
    memo: Memo,
    found: Vec<Unmet>,
}

impl Search<'_> {
    /// Whether a condition certainly is not what is needed of it.
    fn fails(&mut self, cond: &Cond, needed: bool) -> bool {
        let (low, high) = self.scene.range(cond, &mut self.memo);
        if needed { high == Truth::False } else { low == Truth::True }
    }

    /// Adds the tests that make a condition fail.
    fn look(&mut self, cond: &Cond, needed: bool) {
        if self.found.len() >= MAX || !self.fails(cond, needed) {
            return;
        }
        match cond {
            Cond::Const(_) => {}
            Cond::Atom(atom) => {
                let value = shown(&self.scene, atom);
                self.found.push(Unmet { loc: atom.loc, holds: !needed, field: atom.field, value });
            }
            Cond::Not(inner) => self.look(inner, !needed),
            // Of what needs only one to fail, each that fails is a reason; what needs all to fail has them all fail.
            Cond::And(all) | Cond::Or(all) => all.iter().for_each(|c| self.look(c, needed)),
        }
    }
}

/// The value of a test's field, in the words of a policy.
fn shown(scene: &Scene<'_>, atom: &Atom) -> Option<String> {
    let field = &scene.catalog[atom.field];
    let unknown = || Some("not known".to_owned());
    match scene.value(atom) {
        Value::Absent | Value::Path(PathValue::Absent) | Value::Program(Program { path: PathValue::Absent, .. }) | Value::Programs([]) => {
            None
        }
        Value::Failed | Value::Path(PathValue::Failed) => unknown(),
        Value::Path(PathValue::Known(path)) => Some(quoted(path)),
        Value::Program(program) => Some(named(program)),
        Value::Programs(all) => {
            let names: Vec<String> = all.iter().take(MAX_PROGRAMS).map(named).collect();
            let more = if all.len() > MAX_PROGRAMS { ", …" } else { "" };
            Some(format!("{}{more}", names.join(", ")))
        }
        Value::Bytes(bytes) => Some(quoted(bytes)),
        Value::Address(address) => Some(address.to_string()),
        Value::Number(number) => Some(match &field.ty {
            FieldType::Bool => (number != 0).to_string(),
            FieldType::Mode => format!("0o{number:o}"),
            FieldType::Enum(kind) => {
                let names = scene.catalog.enums.get(kind);
                let name = names.and_then(|all| all.iter().find(|(_, value)| **value == number));
                name.map_or_else(|| number.to_string(), |(name, _)| name.clone())
            }
            _ => number.to_string(),
        }),
    }
}

fn named(program: &Program) -> String {
    match &program.path {
        PathValue::Absent => "absent".to_owned(),
        PathValue::Failed => "not known".to_owned(),
        PathValue::Known(path) => quoted(path),
    }
}

fn quoted(bytes: &[u8]) -> String {
    format!("`{}`", String::from_utf8_lossy(bytes))
}
