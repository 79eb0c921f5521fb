//! Names on trees of real files, hostile ones too, and on mounts that a fake kernel shows.

use super::{Report, look, mounts};
use crate::fixture;
use crate::sys::fake::Fake;
use crate::sys::real::Real;
use crate::sys::{Kernel, Kind, Seen};
use ebsec_artifact::{Manifest, Name, NameSet};
use serde_json::json;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A manifest with these sets of names, each of a rule; ` ` stands before a pattern.
fn manifest(sets: &[&[&str]]) -> Manifest {
    let name = |text: &str| {
        let (path, rest) = text.split_once(' ').unwrap_or((text, ""));
        Name { path: path.to_owned(), rest: rest.to_owned() }
    };
    let names: Vec<Name> = sets.iter().flat_map(|s| *s).map(|t| name(t)).collect::<BTreeSet<_>>().into_iter().collect();
    let number = |text: &&str| names.iter().position(|n| *n == name(text)).unwrap() as u32;
    let mut manifest = fixture::manifest(&[]);
    manifest.name_sets = sets.iter().map(|s| NameSet { any_name: false, names: s.iter().map(number).collect(), rules: vec![0] }).collect();
    manifest.names = names;
    manifest
}

fn report(sets: &[&[&str]]) -> Report {
    let kernel = Real::new();
    look(&kernel, &manifest(sets), mounts(&kernel))
}

/// The lines of a report without the tree's own folder.
fn lines(tree: &Path, sets: &[&[&str]]) -> Vec<String> {
    let text = report(sets).text().replace(&tree.display().to_string(), "T");
    text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn links_are_told_with_the_path_that_matches() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().canonicalize().unwrap();
    let at = |path: &str| format!("{}/{path}", tree.display());
    std::fs::create_dir_all(at("run/web")).unwrap();
    std::fs::create_dir(at("var")).unwrap();
    std::fs::write(at("run/web/pid"), "").unwrap();
    symlink("../run", at("var/run")).unwrap();
    symlink(at("var/run/web/pid"), at("pid")).unwrap();
    let asked = [
        at("var/run/web/pid"),
        at("var/run /*.pid"),
        at("pid"),
        at("run/web/pid"),
        at("var/run/later/x"),
        at("run/nothing"),
        at("run/web/pid/below"),
    ];
    let one = |i: usize| lines(&tree, &[&[asked[i].as_str()]]);
    let heading = "names that are not what they seem on this host:";
    let told = |line: &str| vec![heading.to_owned(), format!("{line} base.shadow")];
    assert_eq!(one(0), told("T/var/run/web/pid matches nothing: T/var/run is a link, so the path is T/run/web/pid"));
    assert_eq!(one(1), told("T/var/run/*.pid matches nothing: T/var/run is a link, so the path is T/run/*.pid"));
    assert_eq!(one(2), told("T/pid is a link: what it leads to is T/run/web/pid"));
    assert_eq!(one(3), [""; 0]);
    assert_eq!(one(4), told("T/var/run/later/x matches nothing: T/var/run is a link, so the path is T/run/later/x"));
    assert_eq!(one(5), told("T/run/nothing is not there"));
    assert_eq!(one(6), told("T/run/web/pid/below is not there"));
    // What another name of the set makes good, and what is missing beside others of its list.
    let set = |of: &[usize]| lines(&tree, &[&of.iter().map(|i| asked[*i].as_str()).collect::<Vec<_>>()]);
    assert_eq!(set(&[0, 2, 3]), [""; 0]);
    assert_eq!(set(&[3, 5]), ["note: 1 further name is not there, but another of its list is; `ebsec-load status --json` has them"]);
    assert_eq!(lines(&tree, &[&[&at("var/run /**"), &at("run /**")]]), [""; 0]);
    assert_eq!(lines(&tree, &[&[&at("var/run"), &at("var/run /**"), &at("run"), &at("run /**")]]), [""; 0]);
    // A folder and what is below it are told once.
    assert_eq!(lines(&tree, &[&[&at("var/run"), &at("var/run /**")]]), told("T/var/run is a link: what it leads to is T/run"));
    // The other set has no such name.
    assert_eq!(lines(&tree, &[&[&asked[0]], &[&asked[3]]]).len(), 2);
}

#[test]
fn hostile_trees_end_and_are_printed_plainly() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().canonicalize().unwrap();
    let at = |path: &str| format!("{}/{path}", tree.display());
    symlink("b", at("a")).unwrap();
    symlink("a", at("b")).unwrap();
    symlink("self/x/..", at("self")).unwrap();
    symlink(OsStr::from_bytes(b"\xff\x1b[2J\n"), at("odd")).unwrap();
    symlink("../../../../../../../../../..", at("up")).unwrap();
    symlink("x/".repeat(2000), at("long")).unwrap();
    symlink("/proc/self/root", at("magic")).unwrap();
    for i in 0..60 {
        symlink(format!("l{}", i + 1), at(&format!("l{i}"))).unwrap();
    }
    let one = |name: &str| lines(&tree, &[&[&at(name)]])[1].replace(" base.shadow", "");
    assert_eq!(one("a"), "T/a matches nothing: T/a is a link that leads to itself");
    assert_eq!(one("self"), "T/self matches nothing: T/self is a link that leads to itself");
    assert_eq!(one("l0"), "T/l0 matches nothing: T/l0 is a link that leads to itself");
    assert_eq!(one("odd"), "T/odd is a link: what it leads to is T/\\xff\\u{1b}[2J\\n");
    assert_eq!(one("up/etc"), "T/up/etc matches nothing: T/up is a link, so the path is /etc");
    assert!(one("long").starts_with("T/long is a link"), "{}", one("long"));
    assert_eq!(one("magic"), "T/magic matches nothing: T/magic is a link that leads each process elsewhere");
    let long = format!("/{}", "x/".repeat(3000));
    let told = report(&[&[&long]]).json()["told"][0].clone();
    assert_eq!(told["found"], "missing");
    for odd in ["", "/", "//", "/./..", "/\u{1}", "relative"] {
        let report = report(&[&[odd], &[&format!("{odd} /**")]]);
        assert!(!report.text().contains('\u{1}'));
    }
}

#[test]
fn people_see_some_names_and_machines_all() {
    let names: Vec<String> = (0..50).map(|i| format!("/nowhere/{i}")).collect();
    let one: Vec<&[&str]> = Vec::new();
    assert_eq!(report(&one).text(), "");
    let list: Vec<&str> = names.iter().map(String::as_str).collect();
    let text = report(&[&list]).text();
    assert!(text.contains("/nowhere/0  is not there, nor are 49 others of its list"), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
    let sets: Vec<Vec<&str>> = list.iter().map(|name| vec![*name]).collect();
    let report = report(&sets.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let text = report.text();
    assert_eq!(text.lines().count(), 12, "{text}");
    assert!(text.ends_with("note: of 50 lines these are the first 10; `ebsec-load status --json` has every name\n"), "{text}");
    assert_eq!(report.json()["told"].as_array().unwrap().len(), 50);
    assert_eq!(report.log("web\n").len(), 11);
    assert!(report.log("web\n").iter().all(|l| l.starts_with("<13>ebsec-load: policy web\\n: ") && l.len() <= 800));
}

/// The names of an artifact on this machine: `EBSEC_ARTIFACT=FILE cargo test names_of_a_given -- --nocapture`.
#[test]
fn names_of_a_given_artifact() {
    let Some(path) = std::env::var_os("EBSEC_ARTIFACT") else { return };
    let bytes = std::fs::read(path).unwrap();
    let kernel = Real::new();
    let start = std::time::Instant::now();
    let report = look(&kernel, &crate::policy::check(&bytes).unwrap().manifest, mounts(&kernel));
    println!("{}{}\n{:?}", report.text(), report.summary(), start.elapsed());
}

/// A kernel with `/srv/data` of one file system shown at `/mnt` too, a network file system and a procfs.
fn mounted() -> Fake {
    let mut kernel = Fake::new(&[]);
    let tree = [
        ("/", 1),
        ("/proc/1/root/.", 1),
        ("/srv", 1),
        ("/srv/data", 1),
        ("/srv/data/key", 1),
        ("/mnt", 2),
        ("/mnt/key", 2),
        ("/hidden", 1),
        ("/hidden/key", 1),
        ("/proc", 5),
    ];
    kernel.tree = tree.iter().map(|(path, mount)| (PathBuf::from(path), Seen { kind: Kind::Folder, mount: *mount })).collect();
    kernel.tree.insert(PathBuf::from("/later"), Seen { kind: Kind::Automount, mount: 1 });
    kernel
}

const MOUNTS: &[u8] = b"1 1 8:1 / / rw - ext4 a rw\n2 1 8:1 /srv/data /mnt rw - ext4 a rw\n3 1 0:40 / /net rw - nfs4 s:/ rw
4 1 8:1 /srv/data /hidden rw - ext4 a rw\n5 1 0:5 / /proc rw - proc proc rw\n";

fn others(kernel: &Fake, names: &[&str]) -> serde_json::Value {
    let report = look(kernel, &manifest(&[names]), Ok(MOUNTS.to_vec())).json();
    let told = report["told"].as_array().unwrap();
    told.iter().map(|t| json!([t["name"], t["found"], t["others"]])).collect()
}

#[test]
fn other_mounts_give_other_names() {
    let kernel = mounted();
    // Of the mount at /hidden nothing is seen: something else stands there.
    let key = json!({"path": "/mnt/key", "part": false});
    assert_eq!(others(&kernel, &["/srv/data/key"]), json!([["/srv/data/key", "there", [key]]]));
    let back = json!({"path": "/srv/data/key", "part": false});
    assert_eq!(others(&kernel, &["/mnt/key"]), json!([["/mnt/key", "there", [back]]]));
    assert_eq!(others(&kernel, &["/mnt/key", "/srv/data/key"]), json!([]));
    assert_eq!(others(&kernel, &["/mnt /**", "/srv/data/key"])[0][0], "/mnt/**");
    // What is to come has the other name as well; a part of a folder is told as one.
    let new = json!({"path": "/mnt/new", "part": false});
    assert_eq!(others(&kernel, &["/srv/data/new"]), json!([["/srv/data/new", "missing", [new]]]));
    let part = json!({"path": "/mnt", "part": true});
    assert_eq!(others(&kernel, &["/srv", "/srv /**"]), json!([["/srv", "there", [part]]]));
    assert_eq!(others(&kernel, &["/srv"]), json!([]));
}

#[test]
fn what_is_not_here_is_not_asked() {
    let mut kernel = mounted();
    for name in ["/net/x", "/later/x"] {
        assert_eq!(others(&kernel, &[name])[0][1], "unknown", "{name}");
    }
    let report = look(&kernel, &manifest(&[&["/net/x"]]), Ok(MOUNTS.to_vec()));
    assert!(report.text().contains("was not looked up: /net is of the type nfs4"), "{}", report.text());
    kernel.links.insert(PathBuf::from("/proc/self"), PathBuf::from("123"));
    assert_eq!(others(&kernel, &["/proc/self/environ"])[0][1], "by_process");
    kernel.tree.insert(PathBuf::from("/proc/1/root/."), Seen { kind: Kind::Folder, mount: 9 });
    let report = look(&kernel, &manifest(&[&["/srv"]]), Ok(MOUNTS.to_vec()));
    assert!(report.notes[0].contains("another root") && report.told.is_empty());
    kernel.tree.remove(Path::new("/proc/1/root/."));
    let report = look(&kernel, &manifest(&[&["/srv/data/key"]]), Err("it cannot be read".to_owned()));
    assert!(report.text().contains("it cannot be read") && report.told.is_empty());
    kernel.log("x").unwrap();
}
