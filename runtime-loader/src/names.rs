//! Names of a policy that do not match as they were meant on this host: what the manifest lists in, a report for people
//! and machines out. A name that is a link, or stands behind one, is no file's path; a file that several mounts show has
//! a path by each. What another name of the same set makes good is not told. Never an error, never opens a file.

mod mounts;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
mod told;
mod walk;

pub use told::Report;

use crate::policy::rule_name;
use crate::sys::Kernel;
use ebsec_artifact::{Manifest, Name, NameSet};
use mounts::{Mount, Mounts};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use told::{Other, Told};
use walk::{End, Place, Walk};

/// The file of the mounts is read up to here.
const MAX_MOUNTS: u64 = 16 << 20;
/// Other names of one name.
const MAX_OTHERS: usize = 16;
/// The pattern of everything below a folder.
const BELOW: &str = "/**";

/// The mounts as they are now. Taken before a policy is on, which may forbid to read them.
pub fn mounts<K: Kernel>(kernel: &K) -> Result<Vec<u8>, String> {
    let file = Path::new("/proc/self/mountinfo");
    kernel.read_file(file, MAX_MOUNTS).map_err(|e| format!("{} cannot be read: {e}", file.display()))
}

/// Looks the names of a policy up.
pub fn look<K: Kernel>(kernel: &K, manifest: &Manifest, mounts: Result<Vec<u8>, String>) -> Report {
    let mut report = Report { left_out: manifest.names_left_out, ..Report::default() };
    if manifest.names.is_empty() {
        return report;
    }
    let root = |path: &str| kernel.look(Path::new(path)).map(|seen| seen.mount).ok();
    if root("/").zip(root("/proc/1/root/.")).is_some_and(|(own, first)| own != first) {
        report.notes.push("the names of the policy were not looked up: process 1 has another root than the loader".to_owned());
        return report;
    }
    let mounts = mounts.unwrap_or_else(|why| {
        report.notes.push(format!("other names by mounts are not known: {why}"));
        Vec::new()
    });
    let mounts = Mounts::parse(&mounts);
    let mut walk = Walk::new(kernel, &mounts);
    let place = |name: &Name| {
        let place = walk.follow(&absolute(&name.path));
        let others = others(&mut walk, &mounts, name, &place);
        let mount = match walk.look(&place.there) {
            Some(Ok(seen)) => mounts.get(seen.mount).filter(|m| m.point != Path::new("/")),
            _ => None,
        };
        (place, others, mount)
    };
    let places: Vec<(Place, Vec<Other>, Option<&Mount>)> = manifest.names.iter().map(place).collect();
    report.looked_up = places.len();
    let mut told: BTreeMap<(&str, &str), Told> = BTreeMap::new();
    for (number_of_set, set) in manifest.name_sets.iter().enumerate() {
        let set = Set::of(set, manifest);
        let found = set.names.iter().any(|n| places.get(*n).is_some_and(|(p, ..)| p.end != End::Missing));
        for number in &set.names {
            let (Some(name), Some((place, others, mount))) = (manifest.names.get(*number), places.get(*number)) else { continue };
            let others: Vec<&Other> = others.iter().filter(|o| !set.any_name && !set.has_other(name, o)).collect();
            let good = match (&place.end, &place.link) {
                (End::There, None) => others.is_empty(),
                (End::There | End::Missing, Some(_)) => set.has(&place.path, &name.rest),
                _ => false,
            };
            if name.path.is_empty() || good {
                continue;
            }
            let key = set.key(name);
            let one = told.entry(key).or_insert_with(|| Told::new(key, place, *mount));
            one.alone = one.alone.or((!found).then_some(number_of_set));
            one.rules.extend(set.rules.iter().cloned());
            one.others.extend(others.into_iter().cloned());
        }
    }
    report.told = told.into_values().collect();
    report
}

/// A set of names, for questions.
struct Set<'m> {
    any_name: bool,
    names: Vec<usize>,
    has: HashSet<(&'m Path, &'m str)>,
    rules: Vec<String>,
}

impl<'m> Set<'m> {
    fn of(set: &NameSet, manifest: &'m Manifest) -> Self {
        let names: Vec<usize> = set.names.iter().map(|n| *n as usize).collect();
        let has = names.iter().filter_map(|n| manifest.names.get(*n)).map(|n| (Path::new(&n.path), n.rest.as_str())).collect();
        let rules = set.rules.iter().filter_map(|r| manifest.rules.get(*r as usize)).map(rule_name).collect();
        Self { any_name: set.any_name, names, has, rules }
    }

    /// Whether the set has this pattern below this folder, or everything below a folder above it.
    fn has(&self, path: &Path, rest: &str) -> bool {
        self.has.contains(&(path, rest)) || path.ancestors().skip(usize::from(rest.is_empty())).any(|a| self.has.contains(&(a, BELOW)))
    }

    fn has_other(&self, name: &Name, other: &Other) -> bool {
        self.has(&other.path, if other.part { BELOW } else { &name.rest })
    }

    /// A folder and everything below it are one name for people.
    fn key(&self, name: &'m Name) -> (&'m str, &'m str) {
        let folder = name.rest == BELOW && self.has.contains(&(Path::new(&name.path), ""));
        (&name.path, if folder { "" } else { &name.rest })
    }
}

fn absolute(path: &str) -> PathBuf {
    PathBuf::from(if path.is_empty() { "/" } else { path })
}

/// The names by which other mounts show a file, or a folder and what is below it.
fn others<K: Kernel>(walk: &mut Walk<'_, K>, mounts: &Mounts, name: &Name, place: &Place) -> Vec<Other> {
    let mut found = BTreeSet::new();
    // What stands behind a link has no such names, as it does not match by its own.
    if place.link.is_some() || !matches!(place.end, End::There | End::Missing) {
        return Vec::new();
    }
    let (Some(Ok(seen)), Ok(missing)) = (walk.look(&place.there), place.path.strip_prefix(&place.there)) else { return Vec::new() };
    let Some(mount) = mounts.get(seen.mount) else { return Vec::new() };
    for (other, path) in mounts.others(mount, &place.there) {
        if found.len() < MAX_OTHERS && shows(walk, mounts, other, &path) {
            let path = if missing.as_os_str().is_empty() { path } else { path.join(missing) };
            found.insert(Other { path, part: false });
        }
    }
    if name.rest == BELOW && place.end == End::There {
        parts(walk, mounts, mount, &place.path, &mut found);
    }
    found.into_iter().collect()
}

/// The names by which other mounts show a part of the folder that `mount` shows.
fn parts<K: Kernel>(walk: &mut Walk<'_, K>, mounts: &Mounts, mount: &Mount, folder: &Path, found: &mut BTreeSet<Other>) {
    let below: Vec<&Mount> = mounts.below(folder).filter(|m| shows(walk, mounts, m, &m.point)).collect();
    let of_below = below.iter().flat_map(|m| mounts.others(m, &m.point));
    let all = std::iter::once((mount, folder)).chain(below.iter().map(|m| (*m, m.point.as_path())));
    let of_all = all.flat_map(|(mount, folder)| mounts.parts(mount, folder)).map(|m| (m, m.point.clone()));
    for (other, path) in of_below.chain(of_all) {
        if found.len() < MAX_OTHERS && shows(walk, mounts, other, &path) {
            found.insert(Other { path, part: true });
        }
    }
}

/// Whether it is this mount that is seen at a path: another may stand over its place, or over a folder on the way to it.
fn shows<K: Kernel>(walk: &mut Walk<'_, K>, mounts: &Mounts, mount: &Mount, path: &Path) -> bool {
    mounts.remote(path).is_none() && matches!(walk.look(path), Some(Ok(seen)) if seen.mount == mount.id)
}
