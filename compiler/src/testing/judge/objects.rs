//! Takes an operation's paths and attributes, builds the files that have them. Paths that fail fail for a reason that
//! kernels have: a lazy unmount, a mount that was never attached, more than 4,096 bytes.

use super::Stage;
use crate::hir::{FileAttributes, Object, PathValue};
use crate::testing::vm::kernel::{FileSpec, HUGETLBFS, Location, Namespace, S_IFREG, TMPFS};

type Made<T> = Result<T, String>;

/// Files that are memory without a path: their names and the magic numbers of their file systems.
const MEMORY: &[(&str, u64)] =
    &[("memfd:x", TMPFS), ("dev/zero", TMPFS), ("SYSV0001", TMPFS), ("anon_hugepage", HUGETLBFS), ("dmabuf:7", 0x444d_4142)];
/// Files without a path that are none, whatever their names.
const NO_MEMORY: &[(&str, u64)] =
    &[("pipe:[7]", 0x5049_5045), ("[eventfd]", 0x0904_1934), ("memfd:x", 0x5049_5045), ("mnt:[40]", 0x6e73_6673), ("q1", 0x1980_0202)];

/// A path as a value, at which a file can be made.
pub(super) fn place(stage: &mut Stage, path: &PathValue, memfd: bool, namespace: Namespace, variant: u64) -> Made<Location> {
    match path {
        PathValue::Known(_) if memfd => Err("a memfd has no path".to_owned()),
        PathValue::Known(path) => {
            let path = std::str::from_utf8(path).map_err(|_| "this path is not text".to_owned())?;
            stage.world.locate(namespace, path)
        }
        PathValue::Failed if !memfd => failing(stage, namespace, variant),
        _ => {
            let list = if memfd { MEMORY } else { NO_MEMORY };
            let (name, magic) = list.get((variant % 5) as usize).copied().unwrap_or(("memfd:x", TMPFS));
            stage.world.internal(name, magic)
        }
    }
}

fn failing(stage: &mut Stage, namespace: Namespace, variant: u64) -> Made<Location> {
    let world = &mut stage.world;
    match variant % 8 {
        0..4 => {
            let mount = world.file_system(namespace.addr)?;
            world.detach(mount)?;
            world.walk(Location { mount, dentry: mount.root }, if variant & 1 == 0 { "a" } else { "etc/shadow" })
        }
        4..7 => world.locate(stage.places.anonymous, if variant & 1 == 0 { "/a" } else { "/etc/shadow" }),
        _ => world.locate(namespace, &format!("/{}", "a-long-component-of-a-path/".repeat(170))),
    }
}

/// The place of an object, with its inode; unlinked last, so that what stood there keeps its path.
pub(super) fn object(stage: &mut Stage, object: &Object, namespace: Namespace, variant: u64) -> Made<Location> {
    let memfd = object.file.is_some_and(|f| f.memfd);
    let at = place(stage, &object.path, memfd, namespace, variant)?;
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
