//! Takes an operation's paths and attributes, builds the files that have them. Paths that fail fail for a reason that
//! kernels have: a lazy unmount, a mount that was never attached, more than 4,096 bytes.

use super::Stage;
use crate::hir::{FileAttributes, Object, PathValue};
use crate::testing::vm::kernel::{FileSpec, HUGETLBFS, Location, Namespace, S_IFREG, TMPFS};

type Made<T> = Result<T, String>;

/// Bits of a variant: one of them is set where a file with one name is reached by the caller's own mount.
pub(super) const BY_OWN_MOUNT: u64 = 6;

/// Files that are memory without a path: their names and the magic numbers of their file systems.
const MEMORY: &[(&str, u64)] =
    &[("memfd:x", TMPFS), ("dev/zero", TMPFS), ("SYSV0001", TMPFS), ("anon_hugepage", HUGETLBFS), ("dmabuf:7", 0x444d_4142)];
/// Files without a path that are none, whatever their names.
const NO_MEMORY: &[(&str, u64)] =
    &[("pipe:[7]", 0x5049_5045), ("pidfd:[4]", 0x5049_4446), ("memfd:x", 0x5049_5045), ("mnt:[40]", 0x6e73_6673), ("q1", 0x1980_0202)];

/// A path as a value, at which a file can be made.
pub(super) fn place(stage: &mut Stage, path: &PathValue, memfd: bool, namespace: Namespace, variant: u64) -> Made<Location> {
    match path {
        PathValue::Known(_) if memfd => Err("a memfd has no path".to_owned()),
        PathValue::Known(path) => {
            let path = std::str::from_utf8(path).map_err(|_| "this path is not text".to_owned())?;
            stage.world.locate(namespace, path)
        }
        PathValue::Failed if !memfd => failing(stage, variant),
        _ if memfd => internal(stage, MEMORY, variant),
        _ => absent(stage, variant),
    }
}

/// A file of the kernel's own: one of the list.
fn internal(stage: &mut Stage, list: &[(&str, u64)], variant: u64) -> Made<Location> {
    let found = usize::try_from(variant % list.len().max(1) as u64).ok().and_then(|i| list.get(i));
    let (name, magic) = found.ok_or("the list is empty")?;
    stage.world.internal(name, *magic)
}

/// What has no path: the kernel's own files, and those of a file system that is mounted nowhere (fsmount, MNT_DETACH).
fn absent(stage: &mut Stage, variant: u64) -> Made<Location> {
    let world = &mut stage.world;
    match variant % 4 {
        0 | 1 => internal(stage, NO_MEMORY, variant >> 3),
        2 => {
            let mount = world.file_system(0)?;
            world.walk(Location { mount, dentry: mount.root }, if variant & 4 == 0 { "a" } else { "etc/shadow" })
        }
        _ => world.locate(stage.places.anonymous, if variant & 4 == 0 { "/a" } else { "/etc/shadow" }),
    }
}

/// What has a path that cannot be told, another one for each that is asked for: a file of which no mount shows the folder. The
/// host does not show it either.
fn failing(stage: &mut Stage, variant: u64) -> Made<Location> {
    let top = unshown(stage);
    let mut at = stage.world.walk(top, if variant & 4 == 0 { "a" } else { "etc/shadow" })?;
    let mut taken = 0;
    while stage.world.kernel.get(at.dentry, "dentry.d_inode")? != 0 {
        taken += 1;
        at = stage.world.walk(top, &format!("b/{taken}"))?;
    }
    if variant.is_multiple_of(2) { Ok(at) } else { stage.world.clone_of(at, 0) }
}

/// The root of a file system of which only a folder is mounted.
fn unshown(stage: &Stage) -> Location {
    let partly = stage.places.partly;
    Location { mount: partly, dentry: partly.root }
}

/// A file below more folders than a walk climbs, whose path the host cannot tell either: two folders, each in the other, stand
/// for any number of them.
fn bottomless(stage: &mut Stage) -> Made<Location> {
    let top = unshown(stage);
    let mut taken = 0;
    loop {
        let upper = stage.world.walk(top, &format!("endless{taken}"))?;
        let at = stage.world.walk(upper, "below")?;
        if stage.world.kernel.get(at.dentry, "dentry.d_inode")? == 0 {
            stage.world.kernel.set(upper.dentry, "dentry.d_parent", at.dentry)?;
            return Ok(at);
        }
        taken += 1;
    }
}

/// The place of an object, with its inode; unlinked last, so that what stood there keeps its path.
pub(super) fn object(stage: &mut Stage, object: &Object, namespace: Namespace, variant: u64) -> Made<Location> {
    let memfd = object.file.is_some_and(|f| f.memfd);
    if let Some(mount) = stage.lent.take() {
        stage.world.detach(mount)?;
    }
    if namespace == stage.places.container
        && let Some((folder, there)) = stage.folder_lent(object)
    {
        let from = stage.world.locate(stage.world.host, &folder)?;
        stage.lent = Some(stage.world.bind_into(from, namespace, &there)?);
    }
    let mut at = match object.host_paths.first() {
        Some(PathValue::Failed) => bottomless(stage)?,
        _ => place(stage, &object.path, memfd, namespace, variant)?,
    };
    if let PathValue::Known(path) = &object.path {
        at = reached(stage, object, &String::from_utf8_lossy(path), at, namespace, variant)?;
    }
    match object.file {
        Some(file) => drop(stage.world.inode(at.dentry, spec(file))?),
        None => stage.world.kernel.set(at.dentry, "dentry.d_inode", 0)?,
    }
    if object.deleted {
        if object.path == PathValue::Absent {
            return Err("what has no path is not unlinked".to_owned());
        }
        if at.dentry == at.mount.root {
            return Err("a root is not unlinked".to_owned());
        }
        stage.world.unlink(at.dentry)?;
    }
    Ok(at)
}

/// Attributes as an inode has them.
pub(super) fn spec(file: FileAttributes) -> FileSpec {
    FileSpec { mode: S_IFREG | file.mode, uid: file.owner, gid: 0, f_mode: 1, f_flags: 0 }
}

/// How the caller comes to the file, so that it has exactly the paths that the object names: by its own mount, or by one
/// that is none of the caller's, and then every mount that shows the file counts.
fn reached(stage: &mut Stage, object: &Object, path: &str, at: Location, namespace: Namespace, variant: u64) -> Made<Location> {
    let sorted = |mut paths: Vec<PathValue>| {
        paths.sort();
        paths
    };
    let known = |paths: Vec<String>| sorted(paths.into_iter().map(|p| PathValue::Known(p.into_bytes())).collect());
    let (others, hosts) = (sorted(object.other_paths.clone()), sorted(object.host_paths.clone()));
    let own = known(vec![path.to_owned()]);
    if namespace != stage.world.host {
        return Ok(at);
    }
    let all = sorted([own.clone(), known(stage.scenery.aliases(path))].concat());
    let detached = sorted([others.clone(), own.clone()].concat()) == all && hosts == all;
    match (others.is_empty() && hosts == all, detached) {
        // a file with one name: by either way
        (true, true) if variant & BY_OWN_MOUNT != 0 => Ok(at),
        (_, true) => {
            let ns = if variant & 1 == 0 { 0 } else { stage.places.anonymous.addr };
            stage.world.clone_of(at, ns)
        }
        (true, false) => Ok(at),
        (false, false) => Err("these are not the names of the file".to_owned()),
    }
}

/// An open file at a place whose inode is made.
pub(super) fn open(stage: &mut Stage, at: Location, f_mode: u32, f_flags: u32) -> Made<u64> {
    let kernel = &mut stage.world.kernel;
    let file = kernel.alloc("file")?;
    let inode = kernel.get(at.dentry, "dentry.d_inode")?;
    for (field, value) in [
        ("file.f_path.mnt", at.mount.vfs),
        ("file.f_path.dentry", at.dentry),
        ("file.f_inode", inode),
        ("file.f_mode", f_mode.into()),
        ("file.f_flags", f_flags.into()),
    ] {
        kernel.set(file, field, value)?;
    }
    Ok(file)
}
