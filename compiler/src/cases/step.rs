//! A line of a test: tree in, operation and expected verdict out. What a hook's operation looks like comes from its
//! contract; no hook is known here by name.

use super::{Cases, Process, Test, net};
use crate::diag::{Finding, codes};
use crate::hir::{FileAttributes, Object, Operation, PathValue, Step, Subject};
use crate::resolve::Target as Meaning;
use crate::source::Loc;
use crate::typed::{Elem, Site};
use ebsec_grammar::ast::{self, Target, TestLineKind};
use ebsec_templates::{Catalog, EventId, FieldId, FieldOf, FieldType, Hook, ObjectKind};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Keys of a step about its file.
pub(super) const FILE_KEYS: &[&str] = &["mode", "owner", "memfd", "deleted", "unresolved", "target", "host_path"];
/// What a file has if the test does not say.
const USUAL_FILE: FileAttributes = FileAttributes { mode: 0o644, owner: 0, memfd: false };

/// A step while its record is read.
pub(super) struct Draft<'c> {
    pub hook: &'c Hook,
    pub event: EventId,
    pub object: Object,
    target: Option<PathValue>,
    /// By which paths the host shows it, if the test says.
    host_paths: Option<Vec<PathValue>>,
    pub facts: Vec<String>,
    pub values: BTreeMap<FieldId, u64>,
    names: BTreeMap<FieldId, Vec<u8>>,
    /// The object was given and is wrong; that has been said.
    pub wrong: bool,
    /// The step says that its address cannot be told.
    pub untold: bool,
}

impl<'c> Draft<'c> {
    fn new(catalog: &'c Catalog, event: EventId) -> Self {
        let hook = &catalog[catalog[event].usual];
        let exists = hook.objects.first().is_some_and(|o| o.exists);
        let object = Object { file: (exists && hook.object == ObjectKind::Path).then_some(USUAL_FILE), ..Object::default() };
        Draft {
            hook,
            event,
            object,
            target: None,
            host_paths: None,
            facts: usual_facts(hook, event),
            values: BTreeMap::new(),
            names: BTreeMap::new(),
            wrong: false,
            untold: false,
        }
    }

    fn operation(self, catalog: &Catalog, subject: &Subject) -> Operation {
        let mut objects = objects(&self);
        let of_a_user = subject.container && !subject.container_trusted;
        objects.iter_mut().flatten().for_each(|object| outside(object, &self, !subject.container, of_a_user));
        let Draft { event, facts, values, names, .. } = self;
        Operation { hook: catalog[event].usual, subject: subject.clone(), objects, facts, values, names }
    }
}

impl Cases<'_, '_> {
    pub(super) fn step(&mut self, line: &ast::TestLine, test: &Test<'_>, at: Site) -> Option<Step> {
        let TestLineKind::Step { process, event, target, record, times, expect } = &line.kind else { return None };
        let place = Loc::new(at.part, line.span);
        let found = self.process_of(process, test, at);
        let affordable = found.is_none_or(|p| self.values.spend_programs(p.subject.lineage.len(), place));
        let actor = found.filter(|_| affordable);
        if let Some(times) = times.as_ref().filter(|t| t.node == 0) {
            self.error(codes::OUT_OF_RANGE, Loc::new(at.part, times.span), "a step that happens 0 times tests nothing");
        }
        let expect = self.expect(expect, at);
        let event = self.values.event(&event.node, Loc::new(at.part, event.span))?;
        let mut draft = Draft::new(self.catalog(), event);
        self.object(&mut draft, target.as_ref(), at);
        if let Some(record) = record {
            self.step_record(&mut draft, record, at);
        }
        self.complete(&mut draft, place);
        let operation = draft.operation(self.catalog(), &actor?.subject);
        let Process { index, unknown, .. } = actor?;
        Some(Step { operation, process: *index, unknown: unknown.clone(), expect: expect?, loc: place })
    }

    /// The process that acts; an unknown one is reported.
    fn process_of<'t>(&mut self, name: &ast::Name, test: &'t Test<'_>, at: Site) -> Option<&'t Process> {
        let found = test.processes.get(name.node.as_str());
        let loc = Loc::new(at.part, name.span);
        if let Some(process) = found {
            self.values.note(loc, Meaning::Process(process.line));
        } else {
            let message = format!("the test has no process `{}`", name.node);
            if test.later.contains(name.node.as_str()) {
                let message = format!("the process `{}` is defined further below", name.node);
                let finding = Finding::error(codes::UNKNOWN_PROCESS, loc, message);
                self.values.push(finding.help(format!("move the line `process {} = …` up", name.node)));
                return None;
            }
            let known = self.values.candidates(test.processes.len(), test.processes.keys().copied());
            self.values.push(Finding::error(codes::UNKNOWN_PROCESS, loc, message).near(&name.node, loc, known));
        }
        found
    }

    fn object(&mut self, draft: &mut Draft<'_>, target: Option<&Target>, at: Site) {
        match (target, draft.hook.object) {
            (None, _) => {}
            (Some(Target::Literal(literal)), ObjectKind::Path) => {
                let loc = Loc::new(at.part, literal.span);
                match self.values.exact_literal(&literal.node, Elem::Path, loc) {
                    Some(path) => draft.object.path = PathValue::Known(path),
                    None => draft.wrong = true,
                }
            }
            (Some(Target::Endpoint(endpoint)), ObjectKind::Net) => self.endpoint(draft, endpoint, at),
            (Some(target), kind) => {
                draft.wrong = true;
                let span = match target {
                    Target::Endpoint(text) => text.span,
                    Target::Literal(literal) => literal.span,
                };
                let wanted = match kind {
                    ObjectKind::Path => "a path in quotes",
                    ObjectKind::Net => "an address with a port, as in `10.0.0.1:443`",
                    ObjectKind::Nothing => "no object",
                };
                let message = format!("`{}` takes {wanted}", self.catalog()[draft.event].name);
                let loc = Loc::new(at.part, span);
                let finding = Finding::error(codes::TYPE_MISMATCH, loc, message);
                self.values.push(match endpoint(target).filter(|_| kind == ObjectKind::Net) {
                    Some(written) => finding.help(format!("write `{written}`")).guess("write the address with its port", loc, written),
                    None => finding,
                });
            }
        }
    }

    fn step_record(&mut self, draft: &mut Draft<'_>, record: &ast::Record, at: Site) {
        for (key, value) in self.pairs(record, at) {
            let loc = Loc::new(at.part, key.span);
            if self.file_key(draft, &key.node, value, loc, at)
                || self.net_key(draft, &key.node, value, at)
                || self.operation_key(draft, &key.node, value, at)
            {
                continue;
            }
            let catalog = self.catalog();
            let mut known: Vec<&str> = operation_fields(catalog, draft.hook).map(|(_, last)| last).collect();
            known.extend(draft.hook.facts.iter().map(|f| last(f)));
            known.extend(match draft.hook.object {
                ObjectKind::Path => FILE_KEYS,
                ObjectKind::Net => net::KEYS,
                ObjectKind::Nothing => &[],
            });
            let what = format!("a step of `{}`", catalog[draft.event].name);
            self.unknown_key(&what, &key.node, loc, known);
        }
    }

    /// Keys about the file; false if it is none of them.
    fn file_key(&mut self, draft: &mut Draft<'_>, key: &str, value: &ast::Value, loc: Loc, at: Site) -> bool {
        if draft.hook.object != ObjectKind::Path || !FILE_KEYS.contains(&key) {
            return false;
        }
        match key {
            "target" => {
                if draft.hook.objects.len() < 2 {
                    let message = format!("`{}` has one object only, no `target`", self.catalog()[draft.event].name);
                    self.error(codes::UNKNOWN_KEY, loc, message);
                } else {
                    draft.target = Some(self.path(value, at));
                }
            }
            "host_path" => draft.host_paths = Some(self.values.paths(value, at).into_iter().map(PathValue::Known).collect()),
            "deleted" => draft.object.deleted = self.truth(value, at),
            "unresolved" => {
                if self.truth(value, at) {
                    draft.object.path = PathValue::Failed;
                }
            }
            _ => {
                let want = match key {
                    "mode" => Elem::Mode,
                    "owner" => Elem::Uid,
                    _ => Elem::Bool,
                };
                let number = self.values.number(value, want, at);
                let Some(file) = &mut draft.object.file else {
                    self.error(codes::NO_EFFECT, loc, format!("a new name has no `{key}`"));
                    return true;
                };
                match (key, number) {
                    ("mode", Some(bits)) => file.mode = bits as u16,
                    ("owner", Some(id)) => file.owner = id as u32,
                    ("memfd", Some(yes)) => file.memfd = yes != 0,
                    _ => {}
                }
            }
        }
        true
    }

    /// Fields of the operation and facts of the hook's contract, by the last word of their names.
    fn operation_key(&mut self, draft: &mut Draft<'_>, key: &str, value: &ast::Value, at: Site) -> bool {
        let catalog = self.catalog();
        let field = operation_fields(catalog, draft.hook).find(|(_, last)| *last == key).map(|(id, _)| id);
        let fact = draft.hook.facts.iter().find(|f| last(f) == key);
        let Some(want) = field.map(|id| Elem::of_field(&catalog[id].ty)).or(fact.map(|_| Elem::Bool)) else { return false };
        if let Some(id) = field.filter(|_| want == Elem::Name) {
            draft.names.extend(self.values.exact(value, want, at).map(|name| (id, name)));
            return true;
        }
        let Some(number) = self.values.number(value, want, at) else { return true };
        if let Some(id) = field {
            draft.values.insert(id, number);
        }
        if let Some(fact) = fact {
            draft.facts.retain(|f| f != fact);
            if number != 0 {
                draft.facts.push(fact.clone());
            }
        }
        true
    }

    /// What follows from the rest of the step, and what must not be missing.
    fn complete(&mut self, draft: &mut Draft<'_>, loc: Loc) {
        if draft.wrong {
            return;
        }
        let memfd = draft.object.file.is_some_and(|f| f.memfd);
        let path_when = draft.hook.objects.first().and_then(|o| o.path_when.as_ref());
        let no_path = path_when.filter(|fact| !draft.facts.contains(fact));
        match draft.hook.object {
            ObjectKind::Nothing => self.complete_names(draft, loc),
            ObjectKind::Path if no_path.is_some() => {
                if draft.object.path != PathValue::Absent {
                    let fact = no_path.map_or("", |f| last(f));
                    self.error(codes::NO_EFFECT, loc, format!("a path is given, and `{fact} = false` says that there is none"));
                }
                draft.object = Object::default();
            }
            ObjectKind::Path if draft.object.path == PathValue::Absent && !memfd => {
                let message = format!("`{}` needs a path", self.catalog()[draft.event].name);
                self.values.push(
                    Finding::error(codes::TYPE_MISMATCH, loc, message)
                        .help("write it after the event: `web file.read \"/etc/hosts\" => …`"),
                );
            }
            ObjectKind::Path => {
                let second_is_new = draft.hook.objects.get(1).is_some_and(|o| !o.exists);
                if second_is_new && draft.target.is_none() {
                    let message = format!("`{}` needs a new name", self.catalog()[draft.event].name);
                    self.values.push(Finding::error(codes::TYPE_MISMATCH, loc, message).help("write it as `{ target = \"/new\" }`"));
                }
            }
            ObjectKind::Net => self.complete_net(draft, loc),
        }
        draft.facts.sort();
        draft.facts.dedup();
    }

    /// Names of the kernel's own are always there.
    fn complete_names(&mut self, draft: &Draft<'_>, loc: Loc) {
        let catalog = self.catalog();
        let names = operation_fields(catalog, draft.hook).filter(|(id, _)| catalog[*id].ty == FieldType::Name);
        for (_, key) in names.filter(|(id, _)| !draft.names.contains_key(id)) {
            let message = format!("`{}` needs `{key}`", catalog[draft.event].name);
            self.values.push(Finding::error(codes::TYPE_MISMATCH, loc, message).help(format!("write it as `{{ {key} = \"…\" }}`")));
        }
    }
}

/// The address with a port that a text or an address is, as a line of a test has it.
fn endpoint(target: &Target) -> Option<String> {
    let Target::Literal(literal) = target else { return None };
    let (ast::Literal::Str(text) | ast::Literal::Ip(text)) = &literal.node else { return None };
    Some(match crate::typed::advice::endpoint(text)? {
        (IpAddr::V4(address), port) => format!("{address}:{port}"),
        (IpAddr::V6(address), port) => format!("[{address}]:{port}"),
    })
}

pub(super) fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Fields of the operation that a hook has, with the last word of their names.
pub(super) fn operation_fields<'c>(catalog: &'c Catalog, hook: &Hook) -> impl Iterator<Item = (FieldId, &'c str)> {
    let fields = catalog[hook.event].fields.iter();
    fields.filter(|f| catalog[**f].of == FieldOf::Operation).map(|f| (*f, last(&catalog[*f].name)))
}

/// The facts without which the hook would not raise the event; for the hook's own event those of the intent that it
/// serves, if it is one: `hook.mmap_file` in a test maps what can be run.
fn usual_facts(hook: &Hook, event: EventId) -> Vec<String> {
    let mut intents = hook.raises.iter().map(|r| r.event).filter(|e| *e != hook.event);
    let own = event == hook.event && hook.object == ObjectKind::Path;
    let only = intents.next().filter(|first| own && intents.all(|e| e == *first));
    let raise = hook.raises.iter().filter(|r| r.event == only.unwrap_or(event)).min_by_key(|r| r.when.len());
    let needed = raise.into_iter().flat_map(|r| &r.when).filter(|(_, wanted)| *wanted);
    let loud = hook.silent_when.iter().filter(|(_, silent)| !*silent);
    needed.chain(loud).map(|(fact, _)| fact.clone()).collect()
}

/// The paths by which the host shows an object: those that the test gives; else the host's processes see what it sees, and
/// a container has files of its own. In a container that a user made they count beside the path that it has there, and
/// having none does.
fn outside(object: &mut Object, draft: &Draft<'_>, on_the_host: bool, of_a_user: bool) {
    let own = || if on_the_host { vec![object.path.clone()] } else { Vec::new() };
    let given = draft.host_paths.clone().filter(|_| object.path == draft.object.path);
    let known = matches!(object.path, PathValue::Known(_));
    object.host_paths = given.unwrap_or_else(|| if known { own() } else { Vec::new() });
    if known && of_a_user {
        let names = if object.host_paths.is_empty() { vec![PathValue::Absent] } else { object.host_paths.clone() };
        object.other_paths = names.into_iter().filter(|name| *name != object.path).collect();
    }
}

/// The objects of an operation: the one that the step names, the new name, and what the facts bring with them.
fn objects(draft: &Draft<'_>) -> Vec<Option<Object>> {
    let new_name = draft.target.clone().map(|path| Object { path, ..Object::default() });
    let holds = |(fact, wanted): &(String, bool)| draft.facts.contains(fact) == *wanted;
    let mut all = Vec::new();
    for (i, object) in draft.hook.objects.iter().enumerate() {
        all.push(match i {
            0 => Some(draft.object.clone()),
            1 => new_name.clone().map(|new| Object { file: object.exists.then_some(USUAL_FILE), ..new }),
            _ => {
                let takes_part = draft.hook.raises.iter().any(|r| r.object == i && r.when.iter().all(holds));
                // What stood at the new name exists; what goes back to the old name is a name only.
                let path = if object.exists { draft.target.clone() } else { Some(draft.object.path.clone()) };
                takes_part.then(|| Object {
                    path: path.unwrap_or_default(),
                    file: object.exists.then_some(USUAL_FILE),
                    ..Object::default()
                })
            }
        });
    }
    all
}
