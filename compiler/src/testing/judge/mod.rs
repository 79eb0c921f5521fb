//! Takes an artifact's bytes and operations, gives the verdicts of the emitted programs: each operation is laid out as
//! kernel objects, the hook's program runs in user space, and what it refused, killed and counted is read back as the
//! interpreter would say it. Decides nothing itself, and never reads the policy's conditions.

mod hooks;
mod objects;
mod second;
mod subject;
#[cfg(test)]
mod tests;

pub use second::{Second, second_opinion};

pub(crate) use hooks::{one_mount, takes_files};

use super::vm::kernel::{Flavour, Location, Mount, Namespace};
use super::vm::{Signal, Vm, World};
use crate::decide::{CANARY, Plan};
use crate::hir::eval::{Match, Truth, Verdict};
use crate::hir::{Object, Operation, Package, PathValue};
use ebsec_artifact::schema::{Control, Report};
use ebsec_artifact::{MapRole, Truth as Said};
use ebsec_templates::catalog;

/// SIGKILL.
const KILL: u32 = 9;

/// How a process got its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Past {
    /// Written as the exec hooks would have left it, from the plan's tables.
    #[default]
    Written,
    /// Every program of the line was really executed: the exec and fork hooks ran.
    Hooks,
    /// The process and its ancestors are older than the policy: the seeding programs ran.
    Seeded,
    /// There is no record: nothing is known of the process.
    Missing,
}

/// What an operation leaves open: there are several ways to be a failed path, an untrusted program, a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// How the process got its record.
    pub past: Past,
    /// Chooses among the ways; any number.
    pub variant: u64,
}

/// Why there is no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No kernel object is like that: one sentence.
    Impossible(String),
    /// A program did what no verifier would have let through.
    Fault(String),
    /// A report does not say what happened: one sentence.
    Report(String),
}

/// Mounts of the initial namespace beside its root.
#[derive(Clone, Debug, Default)]
pub struct Scenery {
    /// File systems mounted there; none below another's bind.
    pub mounts: Vec<String>,
    /// What is seen at the first path is also seen at the second.
    pub binds: Vec<(String, String)>,
    /// What the host's root file system has at the first path (empty: all of it), a user sees at the second in a namespace
    /// of his own making.
    pub taken: Vec<(String, String)>,
}

/// A path with one folder in place of another, if it lies there.
fn moved(path: &str, from: &str, to: &str) -> Option<String> {
    path.strip_prefix(from).filter(|r| r.is_empty() || r.starts_with('/')).map(|r| format!("{to}{r}"))
}

impl Scenery {
    /// The other paths by which the host sees what has this path.
    #[must_use]
    pub fn aliases(&self, path: &str) -> Vec<String> {
        self.binds.iter().filter_map(|(a, b)| moved(path, a, b).or_else(|| moved(path, b, a))).collect()
    }

    /// The paths by which the host sees what a user's own namespace shows at this path; none where it is the user's own.
    #[must_use]
    pub fn outside(&self, path: &str) -> Vec<String> {
        let Some(first) = self.taken.iter().find_map(|(host, there)| moved(path, there, host)) else { return Vec::new() };
        let first = if first.is_empty() { "/".to_owned() } else { first };
        // of what is covered by a mount there, nothing but the covered name is seen
        let others = self.binds.iter().filter_map(|(from, to)| moved(&first, from, to));
        std::iter::once(first.clone()).chain(others).collect()
    }

    /// The path by which a user's own namespace shows what the host has at this path; `None` where it does not.
    #[must_use]
    pub fn inside(&self, path: &str) -> Option<String> {
        let path = if path == "/" { "" } else { path };
        let there = self.taken.iter().find_map(|(host, there)| moved(path, host, there))?;
        let path = if path.is_empty() { "/" } else { path };
        self.outside(&there).iter().any(|name| name == path).then_some(there)
    }

    /// The mount point of the mount that shows a path.
    #[must_use]
    pub fn mount_of(&self, path: &str) -> &str {
        let places = self.mounts.iter().chain(self.binds.iter().map(|(_, to)| to)).map(String::as_str);
        let above = places.filter(|m| path.strip_prefix(m).is_some_and(|r| r.is_empty() || r.starts_with('/')));
        above.max_by_key(|m| m.len()).unwrap_or("/")
    }
}

/// An emulated kernel with mounts and namespaces, before any policy.
#[derive(Clone, Debug)]
pub struct Stage {
    world: World,
    scenery: Scenery,
    flavour: Flavour,
    places: Places,
    /// What a container is lent for the operation that was laid out last.
    lent: Option<Mount>,
}

/// Namespaces that operations are laid out in.
#[derive(Clone, Copy, Debug)]
struct Places {
    /// A container's, owned by the initial user namespace.
    container: Namespace,
    /// One that is owned by another user namespace.
    untrusted: Namespace,
    /// A service's, with mounts of its own over the host's root.
    service: Namespace,
    /// The same, owned by another user namespace.
    borrowed: Namespace,
    /// A pid namespace that the initial user namespace owns.
    pids: u64,
    /// One that another owns.
    untrusted_pids: u64,
    /// As of `open_tree`: no namespace of processes.
    anonymous: Namespace,
    /// A file system of which the host mounts a folder only; this mount of the whole is attached nowhere.
    partly: Mount,
}

impl Stage {
    /// A kernel of a flavour; each seed gives other offsets.
    ///
    /// # Errors
    /// The scenery has a path that is none.
    pub fn new(flavour: Flavour, seed: u64, scenery: Scenery) -> Result<Stage, String> {
        let mut world = World::new(flavour, seed)?;
        world.kernel.functions.extend(hooks::attach_points(flavour));
        for path in &scenery.mounts {
            world.mount(world.host, path)?;
        }
        for (from, to) in &scenery.binds {
            world.bind(world.host, from, to)?;
        }
        let (own, other) = (world.user_ns, world.user_namespace()?);
        let untrusted = world.namespace(other)?;
        for (host, there) in &scenery.taken {
            let from = world.locate(world.host, host)?;
            world.bind_into(from, untrusted, there)?;
        }
        let partly = world.file_system(0)?;
        let folder = world.child(partly.root, b"shown")?;
        world.bind_into(Location { mount: partly, dentry: folder }, world.host, "/.partly")?;
        let places = Places {
            container: world.pivoted_namespace(own, false)?,
            untrusted,
            service: world.pivoted_namespace(own, true)?,
            borrowed: world.pivoted_namespace(other, true)?,
            pids: world.pid_namespace(own)?,
            untrusted_pids: world.pid_namespace(other)?,
            anonymous: world.anonymous_namespace()?,
            partly,
        };
        Ok(Stage { world, scenery, flavour, places, lent: None })
    }
}

impl Stage {
    /// Whether a process in the namespace can come to an object with these paths. A container is lent the folder of an object
    /// that is alone in its operation.
    fn shows(&self, namespace: Namespace, object: &Object, alone: bool) -> bool {
        let PathValue::Known(path) = &object.path else { return true };
        let path = String::from_utf8_lossy(path);
        let sorted = |mut paths: Vec<PathValue>| {
            paths.sort();
            paths
        };
        let (others, hosts) = (sorted(object.other_paths.clone()), sorted(object.host_paths.clone()));
        if namespace == self.world.host {
            return hosts.contains(&object.path);
        }
        if namespace == self.places.untrusted {
            let outside: Vec<_> = self.scenery.outside(&path).into_iter().map(|p| PathValue::Known(p.into_bytes())).collect();
            let names = if outside.is_empty() { vec![PathValue::Absent] } else { outside.clone() };
            return others == sorted(names) && hosts == sorted(outside);
        }
        if namespace == self.places.service || namespace == self.places.borrowed {
            // the host's root file system at the same place
            let plain = self.scenery.mount_of(&path) == "/" && self.scenery.aliases(&path).is_empty();
            return plain && others.is_empty() && hosts == [object.path.clone()];
        }
        others.is_empty() && (hosts.is_empty() || (alone && self.folder_lent(object).is_some()))
    }

    /// The host's folder, and where a container has to see it so that the object has its path there and these on the host.
    fn folder_lent(&self, object: &Object) -> Option<(String, String)> {
        let text = |value: &PathValue| match value {
            PathValue::Known(path) => Some(String::from_utf8_lossy(path).into_owned()),
            _ => None,
        };
        let (there, first) = (text(&object.path)?, text(object.host_paths.first()?)?);
        let ((folder, name), (on_host, same)) = (there.rsplit_once('/')?, first.rsplit_once('/')?);
        let aliases: Vec<PathValue> = self.scenery.aliases(&first).into_iter().map(|p| PathValue::Known(p.into_bytes())).collect();
        let all = object.host_paths.iter().skip(1).all(|p| aliases.contains(p)) && object.host_paths.len() == aliases.len() + 1;
        let on_host = if on_host.is_empty() { "/" } else { on_host };
        let of_one_mount = self.scenery.mount_of(&first) == self.scenery.mount_of(on_host);
        (name == same && !folder.is_empty() && all && of_one_mount).then(|| (on_host.to_owned(), folder.to_owned()))
    }
}

/// Outcomes and how often each was counted.
type Counts = Vec<u64>;

/// Of one run: several walks may each climb as far as a walk goes.
const MOST_INSTRUCTIONS: u64 = 16_000_000;

/// A loaded artifact, ready for operations one after the other; what a program remembers, it remembers.
#[derive(Clone, Debug)]
pub struct Judge<'p> {
    plan: &'p Plan,
    stage: Stage,
    vm: Vm,
    outcomes: Vec<Vec<Match>>,
    counters: String,
    pid: u32,
}

impl<'p> Judge<'p> {
    /// Loads an artifact as the loader does: relocated, tables filled, on, with an endless lease.
    ///
    /// # Errors
    /// The artifact is none, or does not fit its package.
    pub fn new(stage: &Stage, artifact: &[u8], plan: &'p Plan, package: &Package) -> Result<Judge<'p>, String> {
        let opened = ebsec_artifact::open(artifact).map_err(|e| e.to_string())?;
        let mut vm = Vm::load(artifact, stage.world.kernel.clone())?;
        vm.options.limit = MOST_INSTRUCTIONS;
        let name = |role| opened.manifest.maps.iter().find(|m| m.role == role).map(|m| m.name.clone());
        let map = |role| name(role).ok_or_else(|| format!("the manifest names no map for {role:?}"));
        for table in &opened.tables.tables {
            for (key, value) in table.entries() {
                vm.update(table.name, key, value)?;
            }
        }
        let world = &stage.world;
        let control = Control {
            mode: 1,
            canary: 0,
            lease: u64::MAX,
            root_mnt: world.host.root.vfs,
            root_top: world.host.root.root,
            mnt_ns: world.host.addr,
            pid_ns: world.pid_ns,
            host_root: 0,
            host_sum: 0,
        };
        vm.update(&map(MapRole::Control)?, &[0; 4], &control.write())?;
        let rules: Vec<(usize, usize)> =
            package.policies.iter().enumerate().flat_map(|(p, policy)| (0..policy.rules.len()).map(move |r| (p, r))).collect();
        let outcomes = opened.manifest.outcomes.iter().map(|o| matches(o, &rules)).collect();
        Ok(Judge { plan, stage: stage.clone(), vm, outcomes, counters: map(MapRole::Counters)?, pid: 100 })
    }

    /// What the hook's program says to an operation.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn run(&mut self, operation: &Operation, layout: Layout) -> Result<Verdict, Trouble> {
        let hook = &catalog()[operation.hook];
        let program = format!("ebsec_{}", hook.name);
        let arguments = self.lay_out(operation, layout)?;
        if !self.vm.programs().any(|p| p.name == program) {
            return Ok(Verdict::default());
        }
        self.vm.kernel.env.signals.clear();
        self.vm.drain("events");
        let before = self.counts();
        let run = self.vm.run(&program, &arguments).map_err(|f| Trouble::Fault(f.to_string()))?;
        let counted: Vec<u64> = self.counts().iter().zip(&before).map(|(now, then)| now - then).collect();
        let refused = (run.verdict != 0).then(|| run.verdict.unsigned_abs() as u16);
        let killed = self.vm.kernel.env.signals.contains(&Signal { number: KILL, thread: false });
        self.reports(operation, &counted)?;
        Ok(Verdict { refused, killed, matched: self.matched(&counted) })
    }

    /// Lays out the process and the objects; gives the hook's arguments.
    fn lay_out(&mut self, operation: &Operation, layout: Layout) -> Result<Vec<u64>, Trouble> {
        let subject = subject::lay_out(self, operation, layout)?;
        self.with_world(|judge| hooks::arguments(&mut judge.stage, operation, layout, &subject)).map_err(Trouble::Impossible)
    }

    /// Lets the world build in the memory of the machine.
    fn with_world<T>(&mut self, build: impl FnOnce(&mut Self) -> T) -> T {
        std::mem::swap(&mut self.stage.world.kernel, &mut self.vm.kernel);
        let built = build(self);
        std::mem::swap(&mut self.stage.world.kernel, &mut self.vm.kernel);
        built
    }

    fn counts(&self) -> Counts {
        let bytes = self.vm.lookup(&self.counters, &[0; 4]).unwrap_or_default();
        bytes.chunks_exact(8).map(|b| b.try_into().map_or(0, u64::from_le_bytes)).collect()
    }

    /// The rules of the counted outcomes; over several objects the strongest truth.
    fn matched(&self, counted: &[u64]) -> Vec<Match> {
        let seen = self.outcomes.iter().zip(counted).filter(|(_, n)| **n > 0);
        let mut all: Vec<Match> = seen.flat_map(|(matches, _)| matches.iter().copied()).collect();
        all.sort_unstable();
        all.reverse();
        all.dedup_by_key(|m| (m.event, m.policy, m.rule));
        all.reverse();
        all
    }

    /// Each counted outcome is reported once, with its refusal and a path that the operation had.
    fn reports(&mut self, operation: &Operation, counted: &[u64]) -> Result<(), Trouble> {
        let mut left = counted.to_vec();
        let named = |o: &Object| [vec![o.path.clone()], o.other_paths.clone()].concat();
        let paths: Option<Vec<Vec<u8>>> = operation.objects.iter().flatten().flat_map(named).map(known).collect();
        for record in self.vm.drain("events") {
            let Some(report) = Report::read(&record.bytes) else { return Err(Trouble::Report("a report is too short".into())) };
            let Some(count) = left.get_mut(report.outcome as usize).filter(|c| **c > 0) else {
                return Err(Trouble::Report(format!("the outcome {} is reported and was not counted", report.outcome)));
            };
            *count -= 1;
            let expected = self.plan.outcomes.get(report.outcome as usize);
            let word = expected.map_or(0, |o| u32::from(o.errno.unwrap_or(0)) | u32::from(o.kill) << 16);
            if report.verdict != word {
                return Err(Trouble::Report(format!("the outcome {} is reported as {:#x}", report.outcome, report.verdict)));
            }
            if let (1, Some(paths)) = (report.kind, &paths) {
                // Both names of a rename are on one mount; here they may be on two, and the object's own is right.
                let told = [end_of(&report.path, report.path_length), end_of(&report.target, report.target_length)];
                if !told.iter().any(|told| !told.is_empty() && paths.iter().any(|p| p.ends_with(told))) {
                    let [path, target] = told.map(String::from_utf8_lossy);
                    return Err(Trouble::Report(format!("a report names the path `{path}`, the target `{target}`")));
                }
            }
        }
        match left.iter().skip(CANARY as usize + 1).position(|n| *n > 0) {
            Some(outcome) => Err(Trouble::Report(format!("the outcome {} was counted and not reported", outcome + 2))),
            None => Ok(()),
        }
    }
}

/// The right-aligned end of a field of bytes; bit 31 of the length says that the front is cut off.
fn end_of(bytes: &[u8], length: u32) -> &[u8] {
    let length = (length & 0x7fff_ffff) as usize;
    bytes.get(bytes.len().saturating_sub(length)..).unwrap_or_default()
}

fn known(path: PathValue) -> Option<Vec<u8>> {
    match path {
        PathValue::Known(path) => Some(path),
        _ => None,
    }
}

/// The rules of an outcome as the manifest says them.
fn matches(outcome: &ebsec_artifact::Outcome, rules: &[(usize, usize)]) -> Vec<Match> {
    let Some(event) = catalog().event(&outcome.event) else { return Vec::new() };
    let found = |r: &ebsec_artifact::OutcomeRule| {
        let (policy, rule) = *rules.get(r.rule as usize)?;
        let truth = match r.truth {
            Said::True => Truth::True,
            Said::Failed => Truth::Failed,
        };
        Some(Match { event, policy, rule, truth })
    };
    outcome.rules.iter().filter_map(found).collect()
}
