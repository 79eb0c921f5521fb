//! Unit tests: lines in, operations and expected verdicts out. What a hook's operation looks like comes from its
//! contract; no hook is known here by name.

mod net;

use super::cost::Cost;
use super::{Checker, Elem, Env};
use crate::diag::{Finding, codes};
use crate::hir::{FileAttributes, Object, Operation, Package, PathLang, PathValue, Program, Step, Subject, TestCase};
use crate::resolve::ROOT;
use crate::source::Loc;
use crate::typed::{Constant, Data, Shape};
use ebsec_grammar::ast::{self, ItemKind, PairValue, Target, TestLineKind};
use ebsec_templates::{Catalog, EventId, FieldId, FieldOf, FieldType, Hook, ObjectKind};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Keys of a process.
const PROCESS_KEYS: &[&str] = &["exe", "parent", "lineage", "uid", "gid", "euid", "comm", "container", "trusted", "unresolved"];
/// Keys of a step about its file.
const FILE_KEYS: &[&str] = &["mode", "owner", "memfd", "deleted", "unresolved", "target", "host_path"];
/// Most programs in the line of a process.
const MAX_LINE: usize = 1024;
/// What a file has if the test does not say.
const USUAL_FILE: FileAttributes = FileAttributes { mode: 0o644, owner: 0, memfd: false };

/// A step while its record is read.
struct Draft<'c> {
    hook: &'c Hook,
    event: EventId,
    object: Object,
    target: Option<PathValue>,
    /// By which paths the host shows it, if the test says.
    host_paths: Option<Vec<PathValue>>,
    facts: Vec<String>,
    values: BTreeMap<FieldId, u64>,
    names: BTreeMap<FieldId, Vec<u8>>,
    /// The object was given and is wrong; that has been said.
    wrong: bool,
    /// The step says that its address cannot be told.
    untold: bool,
}

impl Checker<'_> {
    /// All tests of the package; those of imported modules are theirs.
    pub(super) fn scenarios(&mut self, package: &mut Package) {
        let names = self.names;
        let applied: FxHashSet<String> = package.policies.iter().map(|p| p.name.clone()).collect();
        for other in &names.others {
            let ItemKind::Test { name, .. } = &other.item.kind else { continue };
            if names.files.get(other.file).is_none_or(|f| f.module != ROOT) {
                continue;
            }
            let head = Env::of(other.file, other.part);
            let mut processes: FxHashMap<&str, (Subject, Loc)> = FxHashMap::default();
            let mut steps = Vec::new();
            for (part, line) in &other.lines {
                let env = head.at(*part);
                match &line.kind {
                    TestLineKind::Process { name, record } => {
                        let loc = Loc::new(env.id, name.span);
                        let subject = self.subject(record, &env);
                        if let Some((_, first)) = processes.get(name.node.as_str()) {
                            let message = format!("the process `{}` is defined twice", name.node);
                            let first = *first;
                            self.push(Finding::error(codes::DUPLICATE, loc, message).related(first, "first here"));
                        }
                        processes.insert(&name.node, (subject, loc));
                    }
                    TestLineKind::Step { .. } => steps.extend(self.step(line, &processes, other.file, &env, &applied)),
                    TestLineKind::Broken { name } => {
                        if let Some(name) = name {
                            let loc = Loc::new(env.id, name.span);
                            processes.entry(&name.node).or_insert((Subject::default(), loc));
                        }
                    }
                }
            }
            package.tests.push(TestCase { name: name.node.clone(), loc: Loc::new(head.id, name.span), steps });
        }
    }

    fn subject(&mut self, record: &ast::Record, env: &Env<'_>) -> Subject {
        self.keys_once(record, env);
        let mut subject = Subject::default();
        let (mut trusted, mut euid, mut comm) = (true, None, None);
        let mut line: Vec<PathValue> = Vec::new();
        for (key, value) in &record.pairs {
            let PairValue::Value(value) = value else {
                self.not_a_constant(value, env);
                continue;
            };
            match key.node.as_str() {
                "exe" => subject.exe.path = self.path(value, env),
                "parent" => subject.parent.path = self.path(value, env),
                "lineage" => {
                    line = self.paths(value, env);
                    if line.len() > MAX_LINE {
                        line.clear();
                        let message = format!("a process has at most {MAX_LINE} programs in its line");
                        self.error(codes::TOO_COMPLEX, Loc::new(env.id, value.span), message);
                    }
                }
                "uid" => subject.uid = self.id(value, Elem::Uid, env),
                "gid" => subject.gid = self.id(value, Elem::Gid, env),
                "euid" => euid = Some(self.id(value, Elem::Uid, env)),
                "comm" => comm = self.exact_name(value, Elem::Comm, env),
                "container" => subject.container = self.truth(value, env),
                "trusted" => trusted = self.truth(value, env),
                "unresolved" => {
                    if self.truth(value, env) {
                        subject.exe.path = PathValue::Failed;
                    }
                }
                other => self.unknown_key("a process", other, Loc::new(env.id, key.span), PROCESS_KEYS.to_vec()),
            }
        }
        subject.euid = euid.unwrap_or(subject.uid);
        subject.comm = comm.unwrap_or_else(|| match &subject.exe.path {
            PathValue::Known(path) => path.rsplit(|b| *b == b'/').next().unwrap_or_default().iter().take(15).copied().collect(),
            _ => Vec::new(),
        });
        // A process's line holds its own program and the one that forked it.
        let mut all = vec![subject.exe.path.clone(), subject.parent.path.clone()];
        all.extend(line);
        for path in all.into_iter().filter(|p| *p != PathValue::Absent) {
            if !subject.lineage.iter().any(|p| p.path == path) {
                subject.lineage.push(Program::new(path, trusted));
            }
        }
        subject.container_trusted = subject.container && trusted;
        subject.exe.trusted = trusted;
        subject.parent.trusted = trusted;
        subject
    }

    fn unknown_key(&mut self, what: &str, key: &str, loc: Loc, known: Vec<&str>) {
        let message = format!("{what} has no `{key}`");
        self.push(Finding::error(codes::UNKNOWN_KEY, loc, message).near(key, loc, known));
    }

    fn one(&mut self, value: &ast::Value, want: Elem, env: &Env<'_>) -> Option<Rc<Constant>> {
        let constant = self.value(value, want, env)?;
        if constant.shape != Shape::One {
            self.error(codes::ONE_WANTED, Loc::new(env.id, value.span), "one value is wanted here");
            return None;
        }
        Some(constant)
    }

    /// One exact path; wrong ones count as absent, the error is said.
    fn path(&mut self, value: &ast::Value, env: &Env<'_>) -> PathValue {
        self.one(value, Elem::Path, env)
            .and_then(|c| self.exact(&c, Loc::new(env.id, value.span)))
            .map_or(PathValue::Absent, PathValue::Known)
    }

    fn paths(&mut self, value: &ast::Value, env: &Env<'_>) -> Vec<PathValue> {
        let Some(constant) = self.value(value, Elem::Path, env) else { return Vec::new() };
        let Data::Lang(PathLang::Patterns(all)) = &constant.data else { return Vec::new() };
        let mut out = Vec::new();
        for pattern in all {
            match pattern.literal() {
                Some(bytes) => out.push(PathValue::Known(bytes)),
                None => self.inexact(&pattern.text, Loc::new(env.id, value.span)),
            }
        }
        out
    }

    fn exact(&mut self, constant: &Constant, loc: Loc) -> Option<Vec<u8>> {
        let Data::Lang(PathLang::Patterns(all)) = &constant.data else { return None };
        let pattern = all.first()?;
        let literal = pattern.literal();
        if literal.is_none() {
            self.inexact(&pattern.text, loc);
        }
        literal
    }

    fn inexact(&mut self, text: &str, loc: Loc) {
        self.error(codes::PATTERN_COMPARED, loc, format!("`{text}` is a pattern, and a test names exact values"));
    }

    /// One exact name.
    fn exact_name(&mut self, value: &ast::Value, want: Elem, env: &Env<'_>) -> Option<Vec<u8>> {
        let constant = self.one(value, want, env)?;
        self.exact(&constant, Loc::new(env.id, value.span))
    }

    fn numeric(&mut self, value: &ast::Value, want: Elem, env: &Env<'_>) -> Option<u64> {
        match self.one(value, want, env).as_deref() {
            Some(Constant { data: Data::Numbers(all), .. }) => all.first().map(|(low, _)| *low as u64),
            Some(Constant { data: Data::Bool(yes), .. }) => Some(u64::from(*yes)),
            _ => None,
        }
    }

    fn id(&mut self, value: &ast::Value, want: Elem, env: &Env<'_>) -> u32 {
        self.numeric(value, want, env).unwrap_or(0) as u32
    }

    fn truth(&mut self, value: &ast::Value, env: &Env<'_>) -> bool {
        self.numeric(value, Elem::Bool, env) == Some(1)
    }

    fn step(
        &mut self,
        line: &ast::TestLine,
        processes: &FxHashMap<&str, (Subject, Loc)>,
        file: usize,
        env: &Env<'_>,
        applied: &FxHashSet<String>,
    ) -> Option<Step> {
        let TestLineKind::Step { process, event, target, record, times, expect } = &line.kind else { return None };
        let place = Loc::new(env.id, line.span);
        let found = processes.get(process.node.as_str()).map(|(s, _)| s);
        let affordable = found.is_none_or(|s| self.spend(Cost::Programs, s.lineage.len(), place));
        let subject = found.filter(|_| affordable).cloned();
        if found.is_none() {
            let loc = Loc::new(env.id, process.span);
            let message = format!("the test has no process `{}`", process.node);
            let known = self.candidates(processes.len(), processes.keys().copied());
            self.push(Finding::error(codes::UNKNOWN_PROCESS, loc, message).near(&process.node, loc, known));
        }
        if let Some(times) = times.as_ref().filter(|t| t.node == 0) {
            self.error(codes::OUT_OF_RANGE, Loc::new(env.id, times.span), "an operation that happens no times tests nothing");
        }
        let expect = self.expect(expect, file, env, applied);
        let event = self.event(&event.node, Loc::new(env.id, event.span))?;
        let catalog = self.index.catalog;
        let hook = &catalog[catalog[event].usual];
        let exists = hook.objects.first().is_some_and(|o| o.exists);
        let object = Object { file: (exists && hook.object == ObjectKind::Path).then_some(USUAL_FILE), ..Object::default() };
        let facts = usual_facts(hook, event);
        let mut draft = Draft {
            hook,
            event,
            object,
            target: None,
            host_paths: None,
            facts,
            values: BTreeMap::new(),
            names: BTreeMap::new(),
            wrong: false,
            untold: false,
        };
        self.object(&mut draft, target.as_ref(), env);
        if let Some(record) = record {
            self.step_record(&mut draft, record, env);
        }
        self.complete(&mut draft, Loc::new(env.id, line.span));
        let mut objects = objects(&draft);
        let on_the_host = subject.as_ref().is_some_and(|s| !s.container);
        let of_a_user = subject.as_ref().is_some_and(|s| s.container && !s.container_trusted);
        objects.iter_mut().flatten().for_each(|object| outside(object, &draft, on_the_host, of_a_user));
        let Draft { facts, values, names, .. } = draft;
        let operation = Operation { hook: catalog[event].usual, subject: subject?, objects, facts, values, names };
        Some(Step { operation, expect: expect?, loc: Loc::new(env.id, line.span) })
    }

    fn object(&mut self, draft: &mut Draft<'_>, target: Option<&Target>, env: &Env<'_>) {
        match (target, draft.hook.object) {
            (None, _) => {}
            (Some(Target::Literal(literal)), ObjectKind::Path) => {
                let loc = Loc::new(env.id, literal.span);
                let constant = self.literal(&literal.node, loc, Elem::Path);
                match constant.and_then(|c| self.exact(&c, loc)) {
                    Some(path) => draft.object.path = PathValue::Known(path),
                    None => draft.wrong = true,
                }
            }
            (Some(Target::Endpoint(endpoint)), ObjectKind::Net) => self.endpoint(draft, endpoint, env),
            (Some(target), kind) => {
                draft.wrong = true;
                let span = match target {
                    Target::Endpoint(text) => text.span,
                    Target::Literal(literal) => literal.span,
                };
                let wanted = match kind {
                    ObjectKind::Path => "a path in quotes",
                    ObjectKind::Net => "an address with a port, as in `10.0.0.1:443`",
                    ObjectKind::Nothing => "the process alone",
                };
                let message = format!("`{}` is about {wanted}", self.index.catalog[draft.event].name);
                self.error(codes::TYPE_MISMATCH, Loc::new(env.id, span), message);
            }
        }
    }

    fn step_record(&mut self, draft: &mut Draft<'_>, record: &ast::Record, env: &Env<'_>) {
        self.keys_once(record, env);
        for (key, value) in &record.pairs {
            let PairValue::Value(value) = value else {
                self.not_a_constant(value, env);
                continue;
            };
            let loc = Loc::new(env.id, key.span);
            if self.file_key(draft, &key.node, value, loc, env)
                || self.net_key(draft, &key.node, value, env)
                || self.operation_key(draft, &key.node, value, env)
            {
                continue;
            }
            let catalog = self.index.catalog;
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
    fn file_key(&mut self, draft: &mut Draft<'_>, key: &str, value: &ast::Value, loc: Loc, env: &Env<'_>) -> bool {
        if draft.hook.object != ObjectKind::Path || !FILE_KEYS.contains(&key) {
            return false;
        }
        match key {
            "target" => {
                if draft.hook.objects.len() < 2 {
                    let message = format!("`{}` has one object only, no `target`", self.index.catalog[draft.event].name);
                    self.error(codes::UNKNOWN_KEY, loc, message);
                } else {
                    draft.target = Some(self.path(value, env));
                }
            }
            "host_path" => draft.host_paths = Some(self.paths(value, env)),
            "deleted" => draft.object.deleted = self.truth(value, env),
            "unresolved" => {
                if self.truth(value, env) {
                    draft.object.path = PathValue::Failed;
                }
            }
            _ => {
                let want = match key {
                    "mode" => Elem::Mode,
                    "owner" => Elem::Uid,
                    _ => Elem::Bool,
                };
                let number = self.numeric(value, want, env);
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
    fn operation_key(&mut self, draft: &mut Draft<'_>, key: &str, value: &ast::Value, env: &Env<'_>) -> bool {
        let catalog = self.index.catalog;
        let field = operation_fields(catalog, draft.hook).find(|(_, last)| *last == key).map(|(id, _)| id);
        let fact = draft.hook.facts.iter().find(|f| last(f) == key);
        let Some(want) = field.map(|id| Elem::of_field(&catalog[id].ty)).or(fact.map(|_| Elem::Bool)) else { return false };
        if let Some(id) = field.filter(|_| want == Elem::Name) {
            draft.names.extend(self.exact_name(value, want, env).map(|name| (id, name)));
            return true;
        }
        let Some(number) = self.numeric(value, want, env) else { return true };
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
                let message = format!("`{}` needs a path", self.index.catalog[draft.event].name);
                self.push(
                    Finding::error(codes::TYPE_MISMATCH, loc, message)
                        .help("write it after the event: `web file.read \"/etc/hosts\" => …`"),
                );
            }
            ObjectKind::Path => {
                let second_is_new = draft.hook.objects.get(1).is_some_and(|o| !o.exists);
                if second_is_new && draft.target.is_none() {
                    let message = format!("`{}` needs a new name", self.index.catalog[draft.event].name);
                    self.push(Finding::error(codes::TYPE_MISMATCH, loc, message).help("write it as `{ target = \"/new\" }`"));
                }
            }
            ObjectKind::Net => self.complete_net(draft, loc),
        }
        draft.facts.sort();
        draft.facts.dedup();
    }

    /// Names of the kernel's own are always there.
    fn complete_names(&mut self, draft: &Draft<'_>, loc: Loc) {
        let catalog = self.index.catalog;
        let names = operation_fields(catalog, draft.hook).filter(|(id, _)| catalog[*id].ty == FieldType::Name);
        for (_, key) in names.filter(|(id, _)| !draft.names.contains_key(id)) {
            let message = format!("`{}` needs `{key}`", catalog[draft.event].name);
            self.push(Finding::error(codes::TYPE_MISMATCH, loc, message).help(format!("write it as `{{ {key} = \"…\" }}`")));
        }
    }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Fields of the operation that a hook has, with the last word of their names.
fn operation_fields<'c>(catalog: &'c Catalog, hook: &Hook) -> impl Iterator<Item = (FieldId, &'c str)> {
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
