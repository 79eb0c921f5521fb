//! [`Kernel`] for tests: maps, programs, links, pins and files in memory, a failure at any step, and a record of the
//! steps. It checks the rules that a load must keep, at the moment when they would be broken.

mod canary;

use self::canary::FakeCanary;
use super::{Canary, Kernel, Kind, MapSpec, Number, ProgInfo, ProgSpec, Ring, Seen, SysError, SysResult};
use ebsec_artifact::schema::{Control, Stats};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// Something that descriptors and pins refer to.
#[derive(Clone, Debug)]
enum Thing {
    Map { spec: MapSpec, entries: BTreeMap<Vec<u8>, Vec<u8>>, frozen: bool },
    Prog { name: String },
    Link { prog: String },
    Other,
}

/// The kernel's side.
#[derive(Debug, Default)]
pub struct State {
    things: BTreeMap<i32, (Thing, usize)>,
    next: i32,
    /// What is pinned where.
    pub pins: BTreeMap<PathBuf, i32>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Folders.
    pub dirs: BTreeSet<PathBuf>,
    /// Steps that could fail, in their order.
    pub steps: Vec<String>,
    /// The step that fails.
    pub fail_at: Option<usize>,
    /// Broken rules.
    pub broken: Vec<String>,
    /// Programs that the verifier refuses.
    pub refuse: BTreeSet<String>,
    /// Hooks that let the canary through.
    pub deaf: BTreeSet<String>,
    /// Another security module refuses before the policy does.
    pub others: bool,
    /// What was logged.
    pub log: Vec<String>,
    attached: bool,
    canaries: usize,
}

/// Shared by the kernel and its descriptors.
type Shared = Rc<RefCell<State>>;

/// The kernel.
pub struct Fake {
    /// Its state.
    pub state: Shared,
    /// Its types.
    pub btf: Vec<u8>,
    /// Its release.
    pub release: String,
    /// Its security modules.
    pub modules: Option<Vec<String>>,
    /// Whether programs may not read its memory.
    pub confidential: bool,
    /// The same, and only the verifier says so.
    pub hidden_lockdown: bool,
    /// Whether a bpf file system is mounted.
    pub bpffs: bool,
    /// Whether it is another than that of process 1.
    pub own_bpffs: bool,
    /// Whether the loader sees only some processes.
    pub container: bool,
    /// How many passes of the iterator find somebody new.
    pub newcomers: u8,
    /// What can be looked up.
    pub tree: BTreeMap<PathBuf, Seen>,
    /// Where its links lead.
    pub links: BTreeMap<PathBuf, PathBuf>,
}

/// A descriptor.
#[derive(Debug)]
pub struct FakeFd {
    id: i32,
    state: Shared,
}

impl Number for FakeFd {
    fn number(&self) -> i32 {
        self.id
    }
}

impl Drop for FakeFd {
    fn drop(&mut self) {
        self.state.borrow_mut().release(self.id);
    }
}

impl State {
    fn release(&mut self, id: i32) {
        if let Some((_, count)) = self.things.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                self.things.remove(&id);
            }
        }
    }

    /// Whether anything is attached, pinned, open or on disk beyond what a host has anyway.
    pub fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<String> = self.things.values().map(|(t, _)| format!("{t:?}")).collect();
        left.extend(self.pins.keys().map(|p| p.display().to_string()));
        left.extend(self.files.keys().filter(|p| !p.ends_with("lock")).map(|p| p.display().to_string()));
        let host = ["/run", "/run/ebsec", "/sys/fs/bpf", "/sys/fs/bpf/ebsec"];
        left.extend(self.dirs.iter().filter(|d| !host.iter().any(|h| Path::new(h) == *d)).map(|p| p.display().to_string()));
        if self.canaries > 0 {
            left.push("canary".to_owned());
        }
        left
    }

    /// Names of programs that run now.
    pub fn running(&self) -> Vec<String> {
        self.things.values().filter_map(|(t, _)| if let Thing::Link { prog } = t { Some(prog.clone()) } else { None }).collect()
    }

    fn count_canary(&mut self, count: u64) {
        for (thing, _) in self.things.values_mut() {
            if let Thing::Map { spec, entries, .. } = thing
                && spec.name.contains("counters")
            {
                let value = entries.entry(0u32.to_le_bytes().to_vec()).or_insert_with(|| vec![0; spec.value_size as usize]);
                if let Some(counter) = value.get_mut(8..16) {
                    counter.copy_from_slice(&count.to_le_bytes());
                }
            }
        }
    }

    fn control(&self) -> Option<Control> {
        self.things.values().find_map(|(t, _)| match t {
            Thing::Map { spec, entries, .. } if spec.name.contains("control") => entries.values().next().and_then(|v| Control::read(v)),
            _ => None,
        })
    }
}

impl Fake {
    /// A kernel with these hooks.
    pub fn new(hooks: &[&str]) -> Self {
        let dirs = ["/sys/fs/bpf", "/run"].map(PathBuf::from).into();
        Self {
            state: Rc::new(RefCell::new(State { dirs, next: 3, ..State::default() })),
            btf: crate::fixture::kernel_btf(hooks),
            release: "6.12.3-test".to_owned(),
            modules: Some(vec!["capability".to_owned(), "bpf".to_owned()]),
            confidential: false,
            hidden_lockdown: false,
            bpffs: true,
            own_bpffs: false,
            container: false,
            newcomers: 1,
            tree: BTreeMap::new(),
            links: BTreeMap::new(),
        }
    }

    fn step(&self, call: &'static str, what: impl std::fmt::Display) -> SysResult<()> {
        let mut state = self.state.borrow_mut();
        let number = state.steps.len();
        state.steps.push(format!("{call} {what}"));
        if state.fail_at == Some(number) { Err(SysError { call, errno: libc::ENOMEM }) } else { Ok(()) }
    }

    fn open(&self, thing: Thing) -> FakeFd {
        let mut state = self.state.borrow_mut();
        let id = state.next;
        state.next += 1;
        state.things.insert(id, (thing, 1));
        FakeFd { id, state: Rc::clone(&self.state) }
    }

    fn thing(&self, fd: &FakeFd) -> Thing {
        self.state.borrow().things[&fd.id].0.clone()
    }

    fn rule(&self, kept: bool, what: &str) {
        if !kept {
            self.state.borrow_mut().broken.push(what.to_owned());
        }
    }

    fn error<T>(call: &'static str, errno: i32) -> SysResult<T> {
        Err(SysError { call, errno })
    }
}

impl Kernel for Fake {
    type Fd = FakeFd;

    fn release(&self) -> String {
        self.release.clone()
    }

    fn security_modules(&self) -> Option<Vec<String>> {
        self.modules.clone()
    }

    fn confidential(&self) -> bool {
        self.confidential
    }

    fn kernel_btf(&self) -> SysResult<Vec<u8>> {
        self.step("btf", "")?;
        Ok(self.btf.clone())
    }

    fn is_bpffs(&self, _: &Path) -> bool {
        self.bpffs
    }

    fn is_of_process_1(&self, _: &Path) -> SysResult<bool> {
        Ok(!self.own_bpffs)
    }

    fn attached(&self) -> SysResult<Vec<String>> {
        self.step("attached", "")?;
        Ok(self.state.borrow().running())
    }

    fn btf_load(&mut self, _: &[u8]) -> SysResult<FakeFd> {
        self.step("btf_load", "")?;
        Ok(self.open(Thing::Other))
    }

    fn map_create(&mut self, spec: &MapSpec) -> SysResult<FakeFd> {
        self.step("map_create", &spec.name)?;
        let mut entries = BTreeMap::new();
        if spec.kind == 2 {
            for i in 0..spec.max_entries {
                entries.insert(i.to_le_bytes().to_vec(), vec![0; spec.value_size as usize]);
            }
        }
        Ok(self.open(Thing::Map { spec: spec.clone(), entries, frozen: false }))
    }

    fn map_update(&mut self, map: &FakeFd, key: &[u8], value: &[u8]) -> SysResult<()> {
        let Thing::Map { spec, .. } = self.thing(map) else { return Self::error("update", libc::EBADF) };
        self.step("map_update", &spec.name)?;
        self.rule(!self.state.borrow().attached || spec.name.contains("control"), "a table is filled after attaching");
        self.rule((key.len(), value.len()) == (spec.key_size as usize, spec.value_size as usize), "sizes differ");
        let mut state = self.state.borrow_mut();
        let Some((Thing::Map { entries, frozen, .. }, _)) = state.things.get_mut(&map.id) else {
            return Self::error("update", libc::EBADF);
        };
        if *frozen {
            return Self::error("update", libc::EPERM);
        }
        entries.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn map_lookup(&mut self, map: &FakeFd, key: &[u8], value: &mut [u8]) -> SysResult<bool> {
        self.step("map_lookup", "")?;
        let Thing::Map { entries, .. } = self.thing(map) else { return Self::error("lookup", libc::EBADF) };
        let Some(found) = entries.get(key) else { return Ok(false) };
        self.rule(found.len() == value.len(), "a lookup has another size");
        value.copy_from_slice(found);
        Ok(true)
    }

    fn map_value_size(&mut self, map: &FakeFd) -> SysResult<usize> {
        let Thing::Map { spec, .. } = self.thing(map) else { return Self::error("info", libc::EBADF) };
        Ok(spec.value_size as usize)
    }

    fn map_count(&mut self, map: &FakeFd, _: usize) -> SysResult<u64> {
        let Thing::Map { entries, .. } = self.thing(map) else { return Self::error("count", libc::EBADF) };
        Ok(entries.len() as u64)
    }

    fn map_freeze(&mut self, map: &FakeFd) -> SysResult<()> {
        self.step("map_freeze", "")?;
        self.rule(!self.state.borrow().attached, "a table is frozen after attaching");
        let mut state = self.state.borrow_mut();
        if let Some((Thing::Map { frozen, .. }, _)) = state.things.get_mut(&map.id) {
            *frozen = true;
        }
        Ok(())
    }

    fn map_memory(&mut self, _: &FakeFd) -> u64 {
        4096
    }

    fn prog_load(&mut self, spec: &ProgSpec<'_>, _: u32, log: &mut Vec<u8>) -> SysResult<FakeFd> {
        log.clear();
        self.step("prog_load", spec.name)?;
        self.rule(!self.state.borrow().attached, "a program is verified after attaching");
        self.rule(spec.attach_btf_id != 0, "a program has no attach point");
        if self.state.borrow().refuse.contains(spec.name) {
            let why = if self.hidden_lockdown { "unknown func bpf_probe_read_kernel#113" } else { "R0 is bad" };
            log.extend(format!("{why}\nprocessed 1 insns\n").bytes());
            return Self::error("prog_load", libc::EINVAL);
        }
        log.extend(b"processed 9 insns (limit 1000000) max_states_per_insn 1 total_states 2 peak_states 2 mark_read 1\n");
        Ok(self.open(Thing::Prog { name: spec.name.to_owned() }))
    }

    fn ring(&mut self, _: FakeFd) -> SysResult<Box<dyn Ring>> {
        Ok(Box::new(Vec::new()))
    }

    fn prog_info(&mut self, prog: &FakeFd) -> SysResult<ProgInfo> {
        self.step("prog_info", "")?;
        let Thing::Prog { name } = self.thing(prog) else { return Self::error("info", libc::EBADF) };
        Ok(ProgInfo { id: 1, tag: name, translated: 1 })
    }

    fn attach(&mut self, prog: &FakeFd) -> SysResult<FakeFd> {
        let Thing::Prog { name } = self.thing(prog) else { return Self::error("attach", libc::EBADF) };
        self.step("attach", &name)?;
        let control = self.state.borrow().control();
        self.rule(control.is_some_and(|c| c.mode == 0), "a program is attached that is not dormant");
        self.rule(control.is_some_and(|c| c.lease == u64::MAX), "the control cell is not ready");
        let open = |t: &Thing| match t {
            Thing::Map { spec, frozen, .. } => (spec.name.contains("rodata") || spec.name == "prefixes") && !frozen,
            _ => false,
        };
        let open = self.state.borrow().things.values().any(|(t, _)| open(t));
        self.rule(!open, "a program is attached while a table is not frozen");
        self.state.borrow_mut().attached = true;
        Ok(self.open(Thing::Link { prog: name }))
    }

    fn link_prog(&mut self, link: &FakeFd) -> SysResult<ProgInfo> {
        let Thing::Link { prog } = self.thing(link) else { return Self::error("info", libc::EBADF) };
        Ok(ProgInfo { id: 1, tag: prog, translated: 1 })
    }

    fn pause(&mut self, _: Duration) {}

    fn run_iterator(&mut self, _: &FakeFd) -> SysResult<()> {
        self.step("run_iterator", "")?;
        self.rule(self.state.borrow().attached, "processes are recorded before the programs see new ones");
        if self.container {
            return Ok(());
        }
        for (thing, _) in self.state.borrow_mut().things.values_mut() {
            let Thing::Map { spec, entries, .. } = thing else { continue };
            for value in entries.values_mut() {
                match spec.name.as_str() {
                    ".data.stats" => value[Stats::SEEDED] = (value[Stats::SEEDED] + 1).min(self.newcomers),
                    ".data.control" => value[Control::ROOT_MNT] = 1,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn pin(&mut self, fd: &FakeFd, path: &Path) -> SysResult<()> {
        self.step("pin", path.display())?;
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        self.rule(!name.contains('.'), "a pin's name has a dot");
        let mut state = self.state.borrow_mut();
        let there = path.parent().is_some_and(|d| state.dirs.contains(d));
        if !there || state.pins.contains_key(path) {
            return Self::error("pin", libc::EEXIST);
        }
        state.pins.insert(path.to_owned(), fd.id);
        if let Some((_, count)) = state.things.get_mut(&fd.id) {
            *count += 1;
        }
        Ok(())
    }

    fn open_pin(&mut self, path: &Path) -> SysResult<FakeFd> {
        self.step("open_pin", path.display())?;
        let mut state = self.state.borrow_mut();
        let Some(id) = state.pins.get(path).copied() else { return Self::error("open_pin", libc::ENOENT) };
        if let Some((_, count)) = state.things.get_mut(&id) {
            *count += 1;
        }
        Ok(FakeFd { id, state: Rc::clone(&self.state) })
    }

    fn remove_file(&mut self, path: &Path) -> SysResult<()> {
        self.step("remove_file", path.display())?;
        let mut state = self.state.borrow_mut();
        state.files.remove(path);
        if let Some(id) = state.pins.remove(path) {
            state.release(id);
        }
        Ok(())
    }

    fn lock(&mut self, path: &Path) -> SysResult<FakeFd> {
        self.step("lock", path.display())?;
        Ok(self.open(Thing::Other))
    }

    fn try_lock(&mut self, path: &Path) -> SysResult<FakeFd> {
        self.lock(path)
    }

    fn make_dir(&mut self, path: &Path) -> SysResult<()> {
        self.step("make_dir", path.display())?;
        let mut state = self.state.borrow_mut();
        if state.dirs.insert(path.to_owned()) { Ok(()) } else { Self::error("mkdir", libc::EEXIST) }
    }

    fn remove_dir(&mut self, path: &Path) -> SysResult<()> {
        self.step("remove_dir", path.display())?;
        if !self.list(path)?.is_empty() {
            return Self::error("rmdir", libc::ENOTEMPTY);
        }
        self.state.borrow_mut().dirs.remove(path);
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> SysResult<()> {
        self.step("rename", from.display())?;
        let mut state = self.state.borrow_mut();
        state.dirs.remove(from);
        state.dirs.insert(to.to_owned());
        let pins = std::mem::take(&mut state.pins);
        state.pins = pins.into_iter().map(|(p, id)| (p.strip_prefix(from).map(|rest| to.join(rest)).unwrap_or(p), id)).collect();
        Ok(())
    }

    fn list(&self, path: &Path) -> SysResult<Vec<PathBuf>> {
        let state = self.state.borrow();
        let all = state.pins.keys().chain(state.files.keys()).chain(&state.dirs);
        Ok(all.filter(|p| p.parent() == Some(path)).cloned().collect())
    }

    fn write_file(&mut self, path: &Path, bytes: &[u8]) -> SysResult<()> {
        self.step("write_file", path.display())?;
        self.state.borrow_mut().files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn read_file(&self, path: &Path, _: u64) -> SysResult<Vec<u8>> {
        let state = self.state.borrow();
        state.files.get(path).cloned().map_or_else(|| Self::error("read", libc::ENOENT), Ok)
    }

    fn look(&self, path: &Path) -> SysResult<Seen> {
        if self.links.contains_key(path) {
            let mount = path.parent().and_then(|folder| self.tree.get(folder)).map_or(1, |seen| seen.mount);
            return Ok(Seen { kind: Kind::Link, mount });
        }
        self.tree.get(path).copied().map_or_else(|| Self::error("statx", libc::ENOENT), Ok)
    }

    fn read_link(&self, path: &Path) -> SysResult<PathBuf> {
        self.links.get(path).cloned().map_or_else(|| Self::error("readlink", libc::EINVAL), Ok)
    }

    fn log(&mut self, line: &str) -> SysResult<()> {
        self.state.borrow_mut().log.push(line.to_owned());
        Ok(())
    }

    fn canary(&mut self, _: &Path, operations: &[usize]) -> SysResult<Box<dyn Canary>> {
        self.step("canary", operations.len())?;
        self.rule(!self.state.borrow().attached, "the canary prepares itself after attaching");
        self.state.borrow_mut().canaries += 1;
        Ok(Box::new(FakeCanary { operations: operations.to_vec(), state: Rc::clone(&self.state) }))
    }

    fn cgroup_path(&self, _: u64) -> Option<String> {
        None
    }

    fn clocks(&self) -> (u64, u64) {
        (1_000_000_000, 0)
    }
}

impl Ring for Vec<Vec<u8>> {
    fn take(&mut self, max: u64) -> Vec<Vec<u8>> {
        let max = usize::try_from(max).unwrap_or(usize::MAX).min(self.len());
        self.drain(..max).collect()
    }

    fn wait(&self, _: i32) -> SysResult<()> {
        Ok(())
    }
}
