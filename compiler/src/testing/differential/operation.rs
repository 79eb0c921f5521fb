//! Random operations that kernels can have, near to what a policy asks about: for each hook the objects and facts that
//! its contract allows.

use super::paths;
use super::policy::Hints;
use super::random::Random;
use crate::hir::{FileAttributes, Object, Operation, PathValue, Program, Remote, Subject};
use crate::testing::judge::{Layout, Past, Scenery, one_mount, takes_files};
use ebsec_templates::{Catalog, EventId, FieldOf, FieldType, Hook, HookId, ObjectKind, catalog};
use std::collections::BTreeMap;
use std::net::IpAddr;

const IDS: &[u32] = &[0, 1, 33, 34, 999, 1000, 65534, u32::MAX];
const MODES: &[u16] = &[0o644, 0o600, 0o4755, 0o1777, 0o2755, 0, 0o7777, 0o4000, 0o645];
const PORTS: &[u16] = &[0, 1, 22, 53, 80, 442, 443, 8080, 65535];
const ADDRESSES: &[&str] = &[
    "10.1.2.3",
    "10.1.2.4",
    "10.1.2.10",
    "10.200.0.1",
    "8.8.8.8",
    "192.168.1.1",
    "0.0.0.0",
    "255.255.255.255",
    "127.255.255.255",
    "127.0.0.1",
    "128.0.0.0",
    "::1",
    "::",
    "fd00::7",
    "fd00::a",
    "fd00:1::1",
    "2001:db8::1",
    "::ffff:10.1.2.3",
    "::ffff:8.8.8.8",
    "ff00::",
];

/// A random operation, and how it is laid out.
#[must_use]
pub fn operation(random: &mut Random, hints: &Hints, scenery: &Scenery) -> (Operation, Layout) {
    let mut maker = Maker { random, hints, scenery, catalog: catalog() };
    let (hook_id, hook) = maker.hook();
    let past = match maker.random.below(100) {
        0..80 => Past::Written,
        80..92 => Past::Hooks,
        92..98 => Past::Seeded,
        _ => Past::Missing,
    };
    let subject = maker.subject(past);
    let mut facts = maker.facts(hook);
    let mut operation =
        Operation { hook: hook_id, subject, objects: Vec::new(), facts: Vec::new(), values: BTreeMap::new(), names: BTreeMap::new() };
    if hook.object == ObjectKind::Net {
        maker.values(hook, &mut operation);
        let remote = maker.random.chance(85).then(|| maker.remote(hook, &mut operation));
        facts.retain(|f| f != "internet");
        facts.extend(remote.map(|_| "internet".to_owned()));
        operation.objects = vec![Some(Object { remote, ..Object::default() })];
    } else {
        let home = maker.home(past, &operation.subject);
        // what is mounted in the host's namespace is mounted on the host
        facts.retain(|f| f != "confined" || home != Home::Host);
        operation.objects = maker.objects(hook, &facts, home);
        maker.values(hook, &mut operation);
    }
    facts.sort();
    operation.facts = facts;
    // several names are judged with the help of the record
    let several = operation.objects.iter().flatten().any(|o| !o.other_paths.is_empty() || o.host_paths.len() > 1);
    let past = if several && past == Past::Missing { Past::Written } else { past };
    (operation, Layout { past, variant: maker.random.number() })
}

struct Maker<'a> {
    random: &'a mut Random,
    hints: &'a Hints,
    scenery: &'a Scenery,
    catalog: &'static Catalog,
}

/// Whose namespace a process is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Host,
    Container,
    OfAUser,
}

impl Maker<'_> {
    /// Where the paths of the operation are from. A line that was really executed may have been in other namespaces before.
    fn home(&mut self, past: Past, subject: &Subject) -> Home {
        match self.random.below(4) {
            _ if !subject.container => Home::Host,
            0 => Home::Host,
            1 | 2 if past == Past::Written => Home::OfAUser,
            _ if subject.container_trusted => Home::Container,
            _ if past == Past::Written => Home::OfAUser,
            _ => Home::Host,
        }
    }

    /// Mostly a hook that raises an event with rules.
    fn hook(&mut self) -> (HookId, &'static Hook) {
        let wanted = self.hints.events.get(self.random.below(self.hints.events.len())).copied().filter(|_| self.random.chance(92));
        let all: &'static [Hook] = &self.catalog.hooks;
        let raises = |hook: &Hook| wanted.is_none_or(|w: EventId| hook.raises.iter().any(|r| r.event == w));
        let list: Vec<(HookId, &Hook)> = all.iter().enumerate().map(|(i, h)| (HookId(i as u16), h)).filter(|(_, h)| raises(h)).collect();
        let usual = wanted.map(|w| self.catalog[w].usual).filter(|_| self.random.chance(35));
        let found = usual.and_then(|u| list.iter().find(|(id, _)| *id == u)).or_else(|| list.get(self.random.below(list.len())));
        found.copied().unwrap_or((HookId(0), &self.catalog[HookId(0)]))
    }

    fn program(&mut self) -> Program {
        if self.random.chance(15)
            && let Some(program) = self.several_names()
        {
            return program;
        }
        let path = match self.random.below(20) {
            0 => PathValue::Failed,
            1 => PathValue::Absent,
            2..5 => PathValue::Known(self.path_by_a_mount().into_bytes()),
            _ => PathValue::Known(paths::near(self.random, &self.hints.programs).into_bytes()),
        };
        let trusted = matches!(path, PathValue::Known(_)) && self.random.chance(75);
        Program::new(path, trusted)
    }

    /// A program by a mount that is attached nowhere, which has each name that the host has for it, or in a user's namespace,
    /// where it has its names outside too.
    fn several_names(&mut self) -> Option<Program> {
        let of_a_user = self.random.chance(50);
        let path = if of_a_user { self.path_at(Home::OfAUser) } else { self.path_by_a_mount() };
        let further = if of_a_user { self.scenery.outside(&path) } else { self.scenery.aliases(&path) };
        let mut other_paths: Vec<_> = further.into_iter().map(|p| PathValue::Known(p.into_bytes())).collect();
        if of_a_user && other_paths.is_empty() {
            other_paths.push(PathValue::Absent);
        }
        (!other_paths.is_empty()).then(|| Program { path: PathValue::Known(path.into_bytes()), other_paths, trusted: !of_a_user })
    }

    fn subject(&mut self, past: Past) -> Subject {
        let lost = Program::new(PathValue::Failed, false);
        let (exe, parent, mut lineage) = if past == Past::Missing {
            (lost.clone(), lost.clone(), vec![lost])
        } else {
            let exe = self.program();
            let parent = if self.random.chance(15) { exe.clone() } else { self.program() };
            (exe, parent, (0..self.random.below(4)).map(|_| self.program()).collect())
        };
        for program in [&parent, &exe] {
            if program.path != PathValue::Absent && !lineage.contains(program) {
                lineage.push(program.clone());
            }
        }
        let uid = self.random.pick(IDS);
        let euid = if self.random.chance(70) { uid } else { self.random.pick(IDS) };
        let comm = paths::some_comm(self.random, &self.hints.comms).into_bytes();
        let comm = if self.random.chance(3) { Vec::new() } else { comm };
        let container = self.random.chance(30);
        let container_trusted = container && self.random.chance(60);
        Subject { exe, parent, lineage, comm, uid, gid: self.random.pick(IDS), euid, container, container_trusted }
    }

    fn facts(&mut self, hook: &Hook) -> Vec<String> {
        let mut facts: Vec<String> = Vec::new();
        for fact in &hook.facts {
            let loud = hook.silent_when.iter().find(|(f, _)| f == fact).map(|(_, silent)| !silent);
            let holds = match loud {
                Some(loud) => loud == self.random.chance(95),
                None => self.random.chance(50),
            };
            if holds {
                facts.push(fact.clone());
            }
        }
        // An exchange has two files; exec maps some file.
        let implied = [("exchange", "replaces"), ("by_exec", "has_file")];
        for (fact, also) in implied {
            if facts.iter().any(|f| f == fact) && hook.facts.iter().any(|f| f == also) && !facts.iter().any(|f| f == also) {
                facts.push(also.to_owned());
            }
        }
        // An open reads or writes.
        if hook.facts.iter().any(|f| f == "open.read") && !facts.iter().any(|f| f.starts_with("open.")) {
            facts.push("open.read".to_owned());
        }
        facts
    }

    fn address(&mut self) -> IpAddr {
        self.random.word(ADDRESSES).parse().unwrap_or(IpAddr::from([0, 0, 0, 0]))
    }

    /// The other side of a socket. The unspecified address depends on the socket, which then is one of the internet.
    fn remote(&mut self, hook: &Hook, operation: &mut Operation) -> Remote {
        if hook.objects.iter().any(|o| !o.shown) {
            return Remote::default();
        }
        let named = match self.random.below(20) {
            0..3 => None,
            3..5 => Some(IpAddr::from([0; 4])),
            5..7 => Some(IpAddr::from([0u16; 8])),
            _ => Some(self.address().to_canonical()),
        };
        let source = self.random.chance(40).then(|| self.address().to_canonical());
        let unspecified = named.is_some_and(|n| n.is_unspecified());
        let mut set = |field: &str, value: u64| operation.values.extend(self.catalog.field(field).map(|id| (id, value)));
        if unspecified || (named.is_none() && self.random.chance(80)) {
            let six = source.is_some_and(|s| s.is_ipv6()) || named.is_some_and(|n| n.is_ipv6()) || self.random.chance(50);
            set("socket.family", if six { 10 } else { 2 });
            set("socket.protocol", self.random.pick(&[0, 1, 6, 17, 132, 262]));
            set("socket.type", self.random.pick(&[1, 2, 3, 5]));
        }
        Remote { named, port: Some(self.random.pick(PORTS)), source }
    }

    fn file(&mut self, euid_like: u32) -> FileAttributes {
        let owner = if self.random.chance(30) { euid_like } else { self.random.pick(IDS) };
        FileAttributes { mode: self.random.pick(MODES), owner, memfd: false }
    }

    /// A path in the tree: near to a pattern, below a mount, or a name that a bind shows twice.
    fn path(&mut self) -> String {
        if self.random.chance(12) { self.path_by_a_mount() } else { paths::near(self.random, &self.hints.files) }
    }

    fn path_by_a_mount(&mut self) -> String {
        let mut places: Vec<&str> = self.scenery.mounts.iter().map(String::as_str).collect();
        places.extend(self.scenery.binds.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]));
        let folder = if places.is_empty() { "/srv" } else { self.random.word(&places) };
        if self.random.chance(20) { folder.to_owned() } else { format!("{folder}/{}", paths::plain_name(self.random)) }
    }

    fn objects(&mut self, hook: &Hook, facts: &[String], home: Home) -> Vec<Option<Object>> {
        let holds = |(fact, wanted): &(String, bool)| facts.contains(fact) == *wanted;
        let mut all: Vec<Option<Object>> = Vec::new();
        for (i, contract) in hook.objects.iter().enumerate() {
            let takes_part =
                i == 0 || (i == 1 && !contract.exists) || hook.raises.iter().any(|r| r.object == i && r.when.iter().all(holds));
            if !takes_part {
                all.push(None);
                continue;
            }
            if contract.path_when.as_ref().is_some_and(|fact| !facts.contains(fact)) {
                all.push(Some(Object::default()));
                continue;
            }
            let mut object = self.object(contract.exists, takes_files(&hook.name), home);
            if contract.path_of != i {
                let earlier = all.get(contract.path_of).and_then(Option::as_ref).map(|o| o.path.clone());
                object.path = earlier.unwrap_or_default();
            }
            let of_its_own = contract.path_of == i;
            if of_its_own && one_mount(&hook.name) && !matches!(object.path, PathValue::Known(_)) {
                object.path = PathValue::Known(self.path_at(home).into_bytes());
            }
            while of_its_own && all.iter().flatten().any(|o| self.clash(hook, home, &o.path, &object.path)) {
                object.path = PathValue::Known(self.path_at(home).into_bytes());
            }
            if let PathValue::Known(path) = &object.path {
                object.deleted &= !self.is_mounted(&String::from_utf8_lossy(path));
            }
            all.push(Some(object));
        }
        let mountless = hook.objects.iter().any(|o| o.each_mount);
        let by_any = mountless || ((hook.objects.len() == 1 || takes_files(&hook.name)) && self.random.chance(20));
        all.iter_mut().flatten().for_each(|object| self.name(object, home, by_any));
        for (i, contract) in hook.objects.iter().enumerate().filter(|(i, contract)| contract.path_of != *i) {
            // one name, so the host's names are the same too
            let hosts = all.get(contract.path_of).and_then(Option::as_ref).map(|o| o.host_paths.clone());
            if let (Some(Some(object)), Some(hosts)) = (all.get_mut(i), hosts) {
                object.host_paths = hosts;
            }
        }
        if home == Home::Container && all.iter().flatten().count() == 1 {
            all.iter_mut().flatten().for_each(|object| self.lend(object));
        }
        all
    }

    /// Now and then a container is lent the host's folder that the object is in, at another place: at its own, a process in the
    /// host's mounts could be the one that asks.
    fn lend(&mut self, object: &mut Object) {
        let PathValue::Known(path) = &object.path else { return };
        let path = String::from_utf8_lossy(path);
        let Some((folder, name)) = path.rsplit_once('/').filter(|(folder, _)| !folder.is_empty() && self.random.chance(40)) else { return };
        let (folder, name, there) = (folder.to_owned(), name.to_owned(), self.path_at(Home::Host));
        let first = format!("{there}/{name}");
        if there != folder && self.scenery.mount_of(&first) == self.scenery.mount_of(&there) {
            let all = std::iter::once(first.clone()).chain(self.scenery.aliases(&first));
            object.host_paths = all.map(|p| PathValue::Known(p.into_bytes())).collect();
        }
    }

    /// The further paths of an object: by every mount that shows it where none is the caller's own, and those of the host.
    fn name(&mut self, object: &mut Object, home: Home, by_any: bool) {
        if object.path == PathValue::Failed && self.random.chance(2) {
            object.host_paths = vec![PathValue::Failed];
        }
        let PathValue::Known(path) = &object.path else { return };
        let path = String::from_utf8_lossy(path);
        let values = |paths: Vec<String>| paths.into_iter().map(|p| PathValue::Known(p.into_bytes())).collect::<Vec<_>>();
        match home {
            Home::Host => {
                let aliases = values(self.scenery.aliases(&path));
                object.host_paths = [vec![object.path.clone()], aliases.clone()].concat();
                object.other_paths = if by_any { aliases } else { Vec::new() };
            }
            Home::Container => {}
            Home::OfAUser => {
                object.host_paths = values(self.scenery.outside(&path));
                object.other_paths = object.host_paths.clone();
                if object.other_paths.is_empty() {
                    object.other_paths.push(PathValue::Absent);
                }
            }
        }
    }

    /// A path as the namespace has them; a user's own has files of its own too.
    fn path_at(&mut self, home: Home) -> String {
        let taken = self.scenery.taken.first().filter(|_| home == Home::OfAUser && self.random.chance(75));
        match taken {
            Some((_, there)) => {
                let path = self.path();
                format!("{there}{}", if path == "/" { "" } else { &path })
            }
            None => self.path(),
        }
    }

    /// Two names of one operation are two names, and those of some hooks are in one mount.
    fn clash(&self, hook: &Hook, home: Home, one: &PathValue, other: &PathValue) -> bool {
        let (PathValue::Known(one), PathValue::Known(other)) = (one, other) else { return false };
        let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
        let own = |path: &str| self.scenery.outside(path).is_empty();
        one == other
            || self.scenery.aliases(&one).iter().any(|a| *a == other)
            || (one_mount(&hook.name) && self.scenery.mount_of(&one) != self.scenery.mount_of(&other))
            || (home == Home::OfAUser && one_mount(&hook.name) && own(&one) != own(&other))
    }

    fn object(&mut self, exists: bool, files: bool, home: Home) -> Object {
        let path = match self.random.below(20) {
            0 => PathValue::Failed,
            1 if files => PathValue::Absent,
            _ => PathValue::Known(self.path_at(home).into_bytes()),
        };
        let mut file = exists.then(|| self.file(1000));
        let mut deleted = false;
        if files && exists {
            let memfd = path == PathValue::Absent;
            if let Some(file) = file.as_mut() {
                file.memfd = memfd && self.random.chance(60);
            }
            deleted = match &path {
                PathValue::Known(path) => self.random.chance(10) && !self.is_mounted(&String::from_utf8_lossy(path)),
                PathValue::Failed => self.random.chance(25),
                _ => false,
            };
        }
        Object { path, deleted, file, ..Object::default() }
    }

    /// Whether a mount stands at a path or below it: such names are not unlinked.
    fn is_mounted(&self, path: &str) -> bool {
        let above = |path: &str, place: &str| path == "/" || place == path || place.strip_prefix(path).is_some_and(|r| r.starts_with('/'));
        let pairs = self.scenery.binds.iter().chain(&self.scenery.taken).flat_map(|(a, b)| [a, b]);
        let places: Vec<&String> = self.scenery.mounts.iter().chain(pairs).collect();
        // the same dentry is a mount point wherever it is seen
        let names = self.scenery.outside(path).into_iter().chain([path.to_owned()]);
        names.into_iter().any(|path| places.iter().any(|place| above(&path, place)))
    }

    /// Values of the operation's own fields that are no facts.
    fn values(&mut self, hook: &Hook, operation: &mut Operation) {
        for id in &self.catalog[hook.event].fields {
            let field = &self.catalog[*id];
            if field.of != FieldOf::Operation || hook.facts.contains(&field.name) {
                continue;
            }
            if field.ty == FieldType::Name {
                operation.names.insert(*id, paths::file_system(self.random).to_owned().into_bytes());
                continue;
            }
            let value = match &field.ty {
                FieldType::Enum(kind) => {
                    let mut known: Vec<u64> = self.catalog.enums.get(kind).map(|e| e.values().copied().collect()).unwrap_or_default();
                    known.push(3);
                    self.random.pick(&known)
                }
                _ => self.random.below(2) as u64,
            };
            operation.values.insert(*id, value);
        }
    }
}
