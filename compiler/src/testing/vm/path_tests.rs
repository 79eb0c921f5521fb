#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! The whole event path of an open, from a plan to a verdict: the generated object on the emulated kernel finds the
//! class that the tables give for the path.

use super::kernel::{FileSpec, Location, TMPFS, TaskSpec};
use super::*;
use crate::classes::paths::{self, FAIL, NONE, PathTables};
use crate::decide::{Chain, Joins, Layer, Outcome, Plan, Source, SubjectTables};
use crate::hir::{Package, PathLang, PathSet, Space, glob};
use crate::source::Sources;
use crate::{artifact, codegen};
use ebsec_templates::{catalog, schema};
use proptest::prelude::*;

/// The errno of class c is c + this.
const ERRNO: u32 = 10;

fn set(texts: &[&str]) -> PathSet {
    let patterns = texts.iter().map(|t| glob::parse(t, glob::Kind::Path).unwrap()).collect();
    PathSet { space: Space::Path, lang: PathLang::Patterns(patterns) }
}

fn sets() -> Vec<PathSet> {
    [
        &["/etc/**"][..],
        &["/etc/shadow", "/etc/passwd-"],
        &["/srv/*/data/**/*.key", "/srv/a"],
        &["/a?c/[xyz]*"],
        &["/home/*/.ssh/**"],
        &["/very/deep/**/leaf"],
        &["/"],
        &["/n/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa*"],
    ]
    .map(set)
    .into()
}

/// A plan that refuses every read with the errno of the path's class.
fn plan(tables: PathTables) -> Plan {
    let catalog = catalog();
    let event = catalog.event("file.read").unwrap();
    let classes = tables.class_sets.len() as u32;
    let rows = [vec![0; classes as usize], vec![1; classes as usize], (2..2 + classes).collect()].concat();
    let layer =
        Layer { source: Source::ObjectClass(catalog.field("file.path").unwrap()), columns: None, ncols: classes, table: rows, states: 3 };
    let outcome = |errno| Outcome { event, items: Vec::new(), errno, kill: false };
    let refusals = (0..classes).map(|c| outcome(Some((c + ERRNO) as u16)));
    Plan {
        subject: SubjectTables {
            line_any: vec![[0; 4]; classes as usize],
            line_trusted: vec![[0; 4]; classes as usize],
            exe_mask: vec![u64::MAX; 2 * classes as usize],
            parent_mask: vec![u64::MAX; 2 * classes as usize],
            joins: Joins::of(&tables.class_sets, &Default::default()),
            line_events: vec![0; 2 * classes as usize],
            always: 1,
            line_bits: 0,
        },
        paths: tables,
        slots: vec![event],
        chains: vec![Chain { event, slot: 0, layers: vec![layer], finals: (0..2 + classes).collect() }],
        outcomes: [outcome(None), outcome(Some(1))].into_iter().chain(refusals).collect(),
        ..Plan::default()
    }
}

fn object(tables: &PathTables) -> Vec<u8> {
    let (plan, package, sources) = (plan(tables.clone()), Package::default(), Sources::default());
    let code = codegen::generate(&package, &plan, catalog(), &sources)
        .unwrap_or_else(|e| panic!("{}", e.iter().map(|e| format!("{e}\n")).collect::<String>()));
    artifact::write(&package, &plan, &code, catalog(), &sources, Default::default()).unwrap()
}

/// Bytes of a struct of the schema.
fn fields(name: &str, values: &[(&str, u64)]) -> Vec<u8> {
    let layout = schema().structs.iter().find(|s| s.name == name).unwrap();
    let mut out = vec![0; layout.size as usize];
    for (field, value) in values {
        let f = layout.fields.iter().find(|f| f.name == *field).unwrap();
        let at = f.offset as usize;
        let size = f.ty.size() as usize;
        out[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    }
    out
}

/// A world with mounts, ready to have files opened in it, and the machine made of it.
fn load(elf: &[u8], mut w: World) -> (Vm, World) {
    let task = w.task(&TaskSpec::default()).unwrap();
    w.enter(task.clone());
    let mut vm = Vm::load(elf, w.kernel.clone()).unwrap();
    let control = [
        ("mode", 1),
        ("lease", u64::MAX),
        ("root_mnt", w.host.root.vfs),
        ("root_top", w.host.root.root),
        ("mnt_ns", w.host.addr),
        ("pid_ns", w.pid_ns),
    ];
    vm.update(".data.control", &[0; 4], &fields("control", &control)).unwrap();
    vm.update("tasks", &task.addr.to_le_bytes(), &fields("record", &[("events", 1)])).unwrap();
    (vm, w)
}

/// The errno that an open of the file at `at` is refused with.
fn errno_at(elf: &[u8], mut w: World, at: Location) -> u32 {
    let file = w.file(at, FileSpec::default()).unwrap();
    let (mut vm, _) = load(elf, w);
    vm.run("ebsec_file_open", &[file, 0]).unwrap_or_else(|f| panic!("{f}")).verdict.unsigned_abs()
}

/// The class that it is refused with.
fn class_at(elf: &[u8], w: World, at: Location) -> u32 {
    errno_at(elf, w, at) - ERRNO
}

#[test]
fn opens_find_the_class_of_their_path() {
    let tables = paths::build(&sets(), |_| true).unwrap();
    let elf = object(&tables);
    let deep = format!("/very/deep/{}leaf", "d/".repeat(40));
    let long = |n| format!("/n/{}", "a".repeat(n));
    let names = [31, 32, 39, 40, 64, 255].map(long);
    for flavour in Flavour::ALL {
        let mut w = World::new(flavour, 7).unwrap();
        w.mount(w.host, "/srv").unwrap();
        w.mount(w.host, "/srv/b/data").unwrap();
        let short =
            ["/", "/etc", "/etc/shadow", "/etc/passwd", "/etc/passwd-", "/srv/a", "/srv/b/data/k.key", "/srv/b/data/x/y/k.key", "/abc/xq"];
        let others = ["/home/u/.ssh/id", "/home/u/v/.ssh/id", "/very/deep/leaf", deep.as_str(), "/nowhere", "/usr/bin/cat"];
        for path in short.into_iter().chain(others).chain(names.iter().map(String::as_str)) {
            let at = w.locate(w.host, path).unwrap();
            let class = class_at(&elf, w.clone(), at);
            assert_eq!(class, tables.class_of(path.as_bytes()), "{path} on {flavour:?}");
        }
    }
}

#[test]
fn what_has_no_path_is_absent_and_what_has_one_elsewhere_is_found() {
    let tables = paths::build(&sets(), |_| true).unwrap();
    let elf = object(&tables);
    for flavour in Flavour::ALL {
        let mut w = World::new(flavour, 3).unwrap();
        let memfd = w.internal("memfd:x", TMPFS).unwrap();
        assert_eq!(class_at(&elf, w.clone(), memfd), NONE);
        // A lazily unmounted file system and one that is mounted nowhere.
        let mount = w.mount(w.host, "/mnt").unwrap();
        let inside = w.locate(w.host, "/mnt/f").unwrap();
        w.detach(mount).unwrap();
        assert_eq!(class_at(&elf, w.clone(), inside), NONE);
        let anonymous = w.anonymous_namespace().unwrap();
        let inside = w.locate(anonymous, "/etc/shadow").unwrap();
        assert_eq!(class_at(&elf, w.clone(), inside), NONE);
        // A private procfs is /proc.
        w.kernel.set(inside.mount.sb, "super_block.s_magic", 0x9fa0).unwrap();
        let of_proc = w.walk(Location { dentry: inside.mount.root, ..inside }, "self/environ").unwrap();
        assert_eq!(class_at(&elf, w.clone(), of_proc), tables.class_of(b"/proc/self/environ"));
        // A container's own namespace has paths of its own.
        let container = w.namespace(w.user_ns).unwrap();
        let inside = w.locate(container, "/etc/shadow").unwrap();
        assert_eq!(class_at(&elf, w.clone(), inside), tables.class_of(b"/etc/shadow"));
        // A clone of a mount that is attached nowhere shows what the host's mount shows.
        let shadow = w.locate(w.host, "/etc/shadow").unwrap();
        for ns in [0, anonymous.addr] {
            let clone = w.clone_of(shadow, ns).unwrap();
            assert_eq!(class_at(&elf, w.clone(), clone), tables.class_of(b"/etc/shadow"));
        }
        // A file by its handle, in a file system of which nothing leads to it.
        let nameless = w.disconnected(w.host.root.sb).unwrap();
        let at = Location { mount: w.host.root, dentry: nameless };
        assert_eq!(class_at(&elf, w.clone(), at), FAIL);
        // By another name it has been looked up.
        w.alias(nameless, shadow.dentry).unwrap();
        assert_eq!(class_at(&elf, w.clone(), at), tables.class_of(b"/etc/shadow"));
    }
}

#[test]
fn seventeen_mounts_and_more_are_gone_through() {
    let tables = paths::build(&sets(), |_| true).unwrap();
    let elf = object(&tables);
    for flavour in Flavour::ALL {
        let mut w = World::new(flavour, 5).unwrap();
        for i in 0..40 {
            w.bind(w.host, "/nowhere", &format!("/x/{i}")).unwrap();
            w.mount(w.host, &format!("/y/{i}")).unwrap();
        }
        w.mount(w.host, "/srv").unwrap();
        let mount = w.bind(w.host, "/srv/b", "/etc").unwrap();
        let at = Location { mount, dentry: mount.root };
        let at = w.walk(at, "shadow").unwrap();
        // by the bind it is /etc/shadow, by a clone of the whole both
        assert_eq!(class_at(&elf, w.clone(), at), tables.class_of(b"/etc/shadow"));
        let clone = w.clone_of(at, 0).unwrap();
        assert_ne!(tables.class_of(b"/etc/shadow"), tables.class_of(b"/srv/b/shadow"));
        // two rules with errnos of their own refuse: then it is EPERM
        assert_eq!(errno_at(&elf, w.clone(), clone), 1);
    }
}

#[test]
fn a_rename_in_the_middle_is_noticed_at_every_moment() {
    let tables = paths::build(&sets(), |_| true).unwrap();
    let elf = object(&tables);
    // the second path is too deep for the fast walk
    let deep = format!("/etc/{}shadow", "d/".repeat(20));
    for path in ["/etc/shadow", &deep] {
        let mut w = World::new(Flavour::Old, 3).unwrap();
        let (top, to) = (w.locate(w.host, "/etc").unwrap(), w.locate(w.host, "/nowhere").unwrap());
        let at = w.locate(w.host, path).unwrap();
        let below = w.walk(top, path.strip_prefix("/etc/").unwrap().split('/').next().unwrap()).unwrap().dentry;
        let file = w.file(at, FileSpec::default()).unwrap();
        let ends = [tables.class_of(path.as_bytes()), tables.class_of(path.replacen("/etc", "/nowhere", 1).as_bytes())];
        let place = |w: &World, field: &str| below + w.kernel.offset(field).unwrap();
        let (parent, sequence) = (place(&w, "dentry.d_parent"), place(&w, "dentry.d_seq.seqcount.sequence"));
        let (vm, _) = load(&elf, w);
        let length = vm.clone().run("ebsec_file_open", &[file, 0]).unwrap().executed;
        for after in 1..length {
            let mut vm = vm.clone();
            // What rename does: the sequence becomes odd, the parent changes, the sequence becomes even.
            let lock = |n: u32| Scripted { after: after + u64::from(n) * 3, addr: sequence, bytes: n.to_le_bytes().into() };
            let moved = Scripted { after: after + 4, addr: parent, bytes: to.dentry.to_le_bytes().into() };
            vm.kernel.env.script = vec![lock(1), moved, lock(2)];
            vm.kernel.env.script.sort_by_key(|s| s.after);
            let class = vm.run("ebsec_file_open", &[file, 0]).unwrap().verdict.unsigned_abs() - ERRNO;
            assert!(ends.contains(&class), "class {class} after {after} instructions");
        }
    }
}

/// What other processors do to the sequences of the dentries on a path, while it is walked.
#[derive(Clone, Copy, Debug)]
enum Storm {
    /// nothing
    Calm,
    /// one of them is renamed, whole, after each so many instructions
    Renamed(u64),
    /// each is in the middle of a rename all the time: who renames it has lost the processor
    Held,
    /// they are renamed, so that the walk begins anew, and after so many instructions all of them are held
    RenamedThenHeld(u64),
}

/// Instructions that an open takes whose path has 2,000 components, of a file system with so many mounts.
fn deep_open(elf: &[u8], mounts: usize, storm: Storm) -> u64 {
    const DEPTH: usize = 2000;
    let mut w = World::new(Flavour::New, 3).unwrap();
    for i in 1..mounts {
        w.bind(w.host, "/", &format!("/nowhere/{i}")).unwrap();
    }
    let mut at = w.locate(w.host, "/very/deep").unwrap();
    let mut sequences = Vec::new();
    for _ in 2..DEPTH {
        at = w.walk(at, "d").unwrap();
        sequences.push(at.dentry + w.kernel.offset("dentry.d_seq.seqcount.sequence").unwrap());
    }
    // by a mount that is attached nowhere, every mount's names count
    let at = if mounts == 1 { at } else { w.clone_of(at, 0).unwrap() };
    let file = w.file(at, FileSpec::default()).unwrap();
    let (mut vm, _) = load(elf, w);
    vm.options.limit = 20_000_000;
    let write = |after: u64, addr: u64, n: u32| Scripted { after, addr, bytes: n.to_le_bytes().into() };
    let renames = |every: u64, until: u64| {
        // by a stride that leaves out none; the last components are matched last, and so cost most
        let count = sequences.len() as u64;
        (1..until / every).map(move |i| (i * every, (count - 1 - i * 7 % count) as usize, 2 * i as u32)).collect::<Vec<_>>()
    };
    let held = |after: u64| sequences.iter().map(move |s| write(after, *s, 1));
    let renamed = |every, until| renames(every, until).into_iter().map(|(after, which, n)| write(after, sequences[which], n));
    vm.kernel.env.script = match storm {
        Storm::Calm => Vec::new(),
        Storm::Renamed(every) => renamed(every, 20_000_000).collect(),
        Storm::Held => held(1).collect(),
        Storm::RenamedThenHeld(until) => renamed(50, until).chain(held(until)).collect(),
    };
    let run = vm.run("ebsec_file_open", &[file, 0]).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(run.verdict.unsigned_abs(), ERRNO + NONE, "{storm:?}");
    run.executed
}

#[test]
fn a_storm_of_renames_costs_no_more_than_a_bound() {
    let tables = paths::build(&sets(), |_| true).unwrap();
    let elf = object(&tables);
    for (mounts, bound) in [(1, 3_000_000), (17, 6_000_000)] {
        let renamed = [50, 5_000, 100_000].map(Storm::Renamed);
        for storm in [Storm::Calm, Storm::Held, Storm::RenamedThenHeld(300_000)].into_iter().chain(renamed) {
            let executed = deep_open(&elf, mounts, storm);
            println!("{mounts} mounts, {storm:?}: {executed}");
            assert!(executed <= bound, "{storm:?}, {mounts} mounts: {executed} instructions");
        }
    }
}

fn path() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("etc".to_owned()),
        Just("srv".to_owned()),
        Just("data".to_owned()),
        Just("shadow".to_owned()),
        "[a-c]{1,3}",
        "[a-zA-Z0-9.\u{e0}-\u{ff}-]{1,40}",
    ];
    prop::collection::vec(name, 0..24).prop_map(|names| format!("/{}", names.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn random_paths_through_random_mounts(paths in prop::collection::vec(path(), 1..6), mounts in prop::collection::vec(path(), 0..3), seed in any::<u64>(), old in any::<bool>()) {
        static TABLES: std::sync::OnceLock<(PathTables, Vec<u8>)> = std::sync::OnceLock::new();
        let (tables, elf) = TABLES.get_or_init(|| {
            let tables = paths::build(&sets(), |_| true).unwrap();
            let elf = object(&tables);
            (tables, elf)
        });
        let mut w = World::new(if old { Flavour::Old } else { Flavour::New }, seed).unwrap();
        for m in mounts.iter().filter(|m| *m != "/") {
            w.mount(w.host, m).unwrap();
        }
        let mut open = |p: &String| w.open(p, FileSpec::default()).unwrap();
        let files: Vec<u64> = paths.iter().map(&mut open).collect();
        let (mut vm, _) = load(elf, w);
        for (p, file) in paths.iter().zip(files) {
            let class = vm.run("ebsec_file_open", &[file, 0]).unwrap().verdict.unsigned_abs() - ERRNO;
            prop_assert_eq!(class, tables.class_of(p.as_bytes()), "{}", p);
        }
    }
}
