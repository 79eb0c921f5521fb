//! The rows: ways by which a file, or the folder that it lies in, is reached. Each is taken in a process of its own, which may
//! leave its namespaces, its root and its user behind.

use super::{Alias, By, MOUNTED, MOUNTED_FILE, Object, Reached, USER};
use crate::files::crooked;
use crate::paths::{name_of, own_namespace};
use crate::{inside, privileges, sys};
use libc::{CLONE_NEWNS, CLONE_NEWUSER, MS_BIND, MS_MOVE, MS_REC, O_PATH};
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, chroot, symlink};
use std::path::{Path, PathBuf};

const fn alias(name: &'static str, way: fn(&Object) -> io::Result<Reached>) -> Alias {
    Alias { name, way, linked: false, note: 0, only: &[] }
}

/// One for which there is a note.
const fn limit(note: usize, name: &'static str, way: fn(&Object) -> io::Result<Reached>) -> Alias {
    Alias { name, way, linked: false, note, only: &[] }
}

/// A process in a mount namespace of its own that shows the file system at another place too.
pub fn other_namespace(base: &Path) -> io::Result<i32> {
    waiting(|| own_namespace().and_then(|()| sys::mount(base, Path::new(MOUNTED), c"none", MS_BIND)))
}

/// A process that waits once it has done something.
pub fn waiting(work: impl FnOnce() -> io::Result<()>) -> io::Result<i32> {
    let (ready, told) = io::pipe()?;
    let child = sys::spawn(|| {
        let _ = io::Write::write_all(&mut &told, &[u8::from(work().is_err())]);
        std::thread::sleep(std::time::Duration::from_secs(3600));
        0
    })?;
    let mut failed = [1];
    io::Read::read_exact(&mut &ready, &mut failed)?;
    if failed == [1] { Err(io::Error::from_raw_os_error(libc::EIO)) } else { Ok(child) }
}

/// Which file a name is of.
pub fn identity(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |found| found.ino())
}

/// Takes a rename back, for the aliases that follow.
pub fn put_back(object: &Object, before: u64) {
    let moved = object.other.join("moved");
    if identity(&moved.join(object.target)) == before {
        let _ = sys::rename(&moved, &object.folder, 0);
    }
    if !object.file().exists() && identity(&object.other.join("hard")) == before {
        let _ = fs::hard_link(object.other.join("hard"), object.file());
    }
    for (name, flags) in [("away", 0), ("free", libc::RENAME_EXCHANGE)] {
        let away = object.other.join(name);
        if identity(&away) == before && identity(&object.file()) != before {
            let _ = sys::rename(&away, &object.file(), flags);
        }
    }
}

/// Names what a descriptor is open on, for as long as this process lives.
pub fn kept(file: OwnedFd) -> PathBuf {
    let name = name_of(&file);
    std::mem::forget(file);
    name
}

/// Mounts in a namespace of one's own.
pub fn mounted(from: &Path, at: &str, flags: u64) -> io::Result<PathBuf> {
    own_namespace()?;
    sys::mount(from, Path::new(at), c"none", flags)?;
    Ok(at.into())
}

/// The same as an ordinary user, who has made the namespace.
pub fn as_user() -> io::Result<()> {
    privileges::become_user(USER)?;
    inside::own_user_namespace()?;
    own_namespace()
}

pub fn mounted_by_user(from: &Path, at: &str) -> io::Result<PathBuf> {
    as_user()?;
    sys::mount(from, Path::new(at), c"none", MS_BIND | MS_REC)?;
    Ok(at.into())
}

/// Mounted, and unmounted while a descriptor is held.
fn unmounted(at: io::Result<PathBuf>) -> io::Result<PathBuf> {
    let at = at?;
    let held = sys::open(&at, O_PATH, 0)?;
    sys::unmount_lazily(&at)?;
    Ok(kept(held))
}

/// A folder becomes the root of this process's own namespace, and nothing else is left.
pub fn pivoted(new: &Path) -> io::Result<()> {
    let at = Path::new(MOUNTED);
    // the first root of all cannot be left
    sys::mount(Path::new("/"), at, c"none", MS_BIND | MS_REC)?;
    inside::move_to_root(at)?;
    sys::mount(new, at, c"none", MS_BIND)?;
    std::env::set_current_dir(at)?;
    privileges::pivot_root(Path::new("."), Path::new("."))?;
    sys::unmount_lazily(Path::new("."))?;
    std::env::set_current_dir("/")
}

/// A clone of a mount whose ids are mapped, to themselves, by a user namespace.
fn idmapped(path: &Path) -> io::Result<OwnedFd> {
    let tree = sys::clone_tree(path)?;
    let child = waiting(|| sys::unshare(CLONE_NEWUSER))?;
    let mapped = ["uid_map", "gid_map"].iter().try_for_each(|map| fs::write(format!("/proc/{child}/{map}"), "0 0 65536"));
    let users = mapped.and_then(|()| File::open(format!("/proc/{child}/ns/user")));
    let done = users.and_then(|users| privileges::map_ids(&tree, &users));
    privileges::end(child)?;
    done.map(|()| tree)
}

fn overlay(o: &Object, at: &str, options: &str) -> io::Result<PathBuf> {
    ["upper", "work"].iter().try_for_each(|name| fs::create_dir(o.other.join(name)))?;
    privileges::mount_overlay(Path::new(at), options)?;
    Ok(at.into())
}

/// A link that somebody else turns from one file to the other while it is opened: whether the file was ever reached.
fn turning(o: &Object) -> io::Result<Reached> {
    let (link, next, free) = (o.other.join("turning"), o.other.join("next"), o.other.join("free"));
    symlink(&free, &link)?;
    let file = o.file();
    let turner = sys::spawn(|| {
        for to in [&file, &free].into_iter().cycle() {
            let _ = symlink(to, &next).and_then(|()| sys::rename(&next, &link, 0));
        }
        0
    })?;
    let wanted = identity(&file);
    let reached = (0..2000).any(|_| sys::open(&link, libc::O_RDONLY, 0).is_ok_and(|found| identity_of(found) == wanted));
    privileges::end(turner)?;
    if reached { Ok(Reached::file(o, free)) } else { Err(io::Error::from_raw_os_error(libc::EPERM)) }
}

fn identity_of(file: OwnedFd) -> u64 {
    File::from(file).metadata().map_or(0, |found| found.ino())
}

/// The alias that is there when the policy is turned on.
pub const SINCE_BEFORE: &str = "a descriptor since before";

/// Every alias.
pub const ALL: &[Alias] = &[
    alias("its own path", |o| Ok(Reached::folder(o, o.folder.clone()))),
    alias("dots and slashes", |o| Ok(Reached::folder(o, crooked(&o.folder)))),
    alias("a symlink", |o| {
        let link = o.other.join("link");
        symlink(o.file(), &link)?;
        Ok(Reached { link: true, ..Reached::file(o, link) })
    }),
    alias("a symlink to the folder", |o| {
        let link = o.other.join("link");
        symlink(&o.folder, &link)?;
        Ok(Reached::folder(o, link))
    }),
    alias("symlinks of symlinks", |o| {
        let (one, two) = (o.other.join("one"), o.other.join("two"));
        symlink(o.folder.parent().unwrap_or(&o.folder), &one)?;
        symlink(Path::new("one").join(o.folder.file_name().unwrap_or_default()), &two)?;
        Ok(Reached::folder(o, two))
    }),
    Alias { name: "a symlink that is being turned", way: turning, linked: false, note: 0, only: &["read", "exact", "under", "pattern"] },
    alias("the working folder", |o| {
        std::env::set_current_dir(&o.folder)?;
        Ok(Reached::folder(o, ".".into()))
    }),
    alias("/proc/self/cwd", |o| {
        std::env::set_current_dir(&o.folder)?;
        Ok(Reached::folder(o, "/proc/self/cwd".into()))
    }),
    alias("/proc/self/root", |o| Ok(o.seen_at(&below("/proc/self/root", &o.base)))),
    alias("/proc/1/root", |o| Ok(o.seen_at(&below("/proc/1/root", &o.base)))),
    alias("a descriptor of the folder", |o| Ok(Reached::folder(o, kept(sys::open(&o.folder, O_PATH, 0)?)))),
    alias("a descriptor of the file", |o| Ok(Reached::file(o, kept(sys::open(&o.file(), O_PATH, 0)?)))),
    alias("a descriptor that was passed", |o| Ok(Reached::file(o, kept(sys::pass(&sys::open(&o.file(), O_PATH, 0)?)?)))),
    alias("a descriptor of what is removed", |o| {
        let file = kept(sys::open(&o.file(), O_PATH, 0)?);
        fs::remove_file(o.file())?;
        Ok(Reached::file(o, file))
    }),
    Alias {
        name: SINCE_BEFORE,
        way: |o| {
            let held = o.held.as_ref().map_or_else(|| Err(io::Error::from_raw_os_error(libc::EBADF)), OwnedFd::try_clone)?;
            Ok(Reached { by: By::Descriptor(held.try_clone()?), ..Reached::file(o, kept(held)) })
        },
        linked: false,
        note: 5,
        only: &["read", "write", "truncate", "chmod", "chown", "utimes", "xattr", "acl", "exec", "run-exec", "map", "protect"],
    },
    alias("io_uring", |o| Ok(Reached { by: By::Ring, ..Reached::folder(o, o.folder.clone()) })),
    alias("a handle", |o| Ok(Reached::file(o, kept(by_handle(o, &o.file(), true)?)))),
    alias("a handle of the folder", |o| Ok(Reached::folder(o, kept(by_handle(o, &o.folder, true)?)))),
    Alias {
        only: &["read", "read-write", "link-out", "write", "truncate", "chmod", "utimes", "xattr", "exec", "map"],
        ..limit(7, "a handle, never looked up", |o| Ok(Reached::file(o, kept(by_handle(o, &o.file(), false)?))))
    },
    Alias { linked: true, ..limit(2, "a hard link", |o| Ok(Reached::file(o, o.other.join("hard")))) },
    limit(3, "a new hard link", |o| {
        let link = o.other.join("another");
        fs::hard_link(o.file(), &link)?;
        Ok(Reached::file(o, link))
    }),
    limit(3, "a new name", |o| {
        let away = o.other.join("away");
        sys::rename(&o.file(), &away, 0)?;
        Ok(Reached::file(o, away))
    }),
    limit(3, "another file's name", |o| {
        let away = o.other.join("free");
        sys::rename(&o.file(), &away, libc::RENAME_EXCHANGE)?;
        Ok(Reached::file(o, away))
    }),
    limit(4, "a new name of the folder", |o| {
        let moved = o.other.join("moved");
        sys::rename(&o.folder, &moved, 0)?;
        Ok(Reached::folder(o, moved))
    }),
    alias("another mount namespace", |o| {
        own_namespace()?;
        Ok(Reached::folder(o, o.folder.clone()))
    }),
    limit(1, "a bind mount", |o| Ok(Reached::folder(o, mounted(&o.folder, MOUNTED, MS_BIND)?))),
    limit(1, "a bind mount of the file", |o| Ok(Reached::file(o, mounted(&o.file(), MOUNTED_FILE, MS_BIND)?))),
    limit(1, "a bind mount from above", |o| Ok(o.seen_at(&mounted(&o.base, MOUNTED, MS_BIND)?))),
    limit(1, "a bind mount of everything", |o| Ok(o.seen_at(&below(mounted(Path::new("/"), MOUNTED, MS_BIND | MS_REC)?, &o.base)))),
    limit(1, "a mount that was moved", |o| Ok(o.seen_at(&mounted(&o.base, MOUNTED, MS_MOVE)?))),
    limit(1, "a bind mount since before", |o| Ok(o.seen_at(Path::new("/before")))),
    limit(1, "the device, mounted again", |o| Ok(o.seen_at(Path::new("/second")))),
    Alias {
        name: "the device itself",
        way: |o| {
            let node = o.other.join("device");
            sys::mknod(&node, libc::S_IFBLK | 0o600, fs::symlink_metadata(&o.base)?.dev())?;
            Ok(Reached::file(o, node))
        },
        linked: false,
        note: 8,
        only: &["read"],
    },
    alias("a clone of the mount", |o| Ok(Reached::folder(o, kept(sys::clone_tree(&o.folder)?)))),
    alias("a clone from above", |o| Ok(o.seen_at(&kept(sys::clone_tree(&o.base)?)))),
    alias("a clone of the file", |o| Ok(Reached::file(o, kept(sys::clone_tree(&o.file())?)))),
    alias("unmounted lazily", |o| Ok(Reached::folder(o, unmounted(mounted(&o.folder, MOUNTED, MS_BIND))?))),
    alias("unmounted lazily, the file", |o| Ok(Reached::file(o, unmounted(mounted(&o.file(), MOUNTED_FILE, MS_BIND))?))),
    alias("unmounted lazily, from above", |o| Ok(o.seen_at(&unmounted(mounted(&o.base, MOUNTED, MS_BIND))?))),
    alias("a clone with mapped ids", |o| Ok(o.seen_at(&kept(idmapped(&o.base)?)))),
    limit(1, "a mount with mapped ids", |o| {
        own_namespace()?;
        sys::attach_tree(&idmapped(&o.base)?, Path::new(MOUNTED))?;
        Ok(o.seen_at(Path::new(MOUNTED)))
    }),
    alias("another namespace's mount", |o| Ok(o.seen_at(&below(format!("/proc/{}/root", o.elsewhere), Path::new(MOUNTED))))),
    limit(1, "another namespace, entered", |o| {
        privileges::enter(&File::open(format!("/proc/{}/ns/mnt", o.elsewhere))?, CLONE_NEWNS)?;
        Ok(o.seen_at(Path::new(MOUNTED)))
    }),
    alias("chroot", |o| {
        chroot(&o.base)?;
        std::env::set_current_dir("/")?;
        Ok(o.seen_at(Path::new("/")))
    }),
    alias("chroot to the folder", |o| {
        chroot(&o.folder)?;
        std::env::set_current_dir("/")?;
        Ok(Reached::folder(o, "/".into()))
    }),
    limit(1, "pivot_root", |o| {
        own_namespace()?;
        pivoted(&o.base)?;
        Ok(o.seen_at(Path::new("/")))
    }),
    limit(6, "an overlay", |o| {
        own_namespace()?;
        Ok(Reached::folder(o, overlay(o, MOUNTED, &format!("lowerdir={}:/mnt", o.folder.display()))?))
    }),
    alias("user: its own path", |o| {
        as_user()?;
        Ok(Reached::folder(o, o.folder.clone()))
    }),
    alias("user: a bind mount", |o| Ok(Reached::folder(o, mounted_by_user(&o.folder, MOUNTED)?))),
    alias("user: a bind mount of the file", |o| Ok(Reached::file(o, mounted_by_user(&o.file(), MOUNTED_FILE)?))),
    alias("user: a bind mount from above", |o| Ok(o.seen_at(&mounted_by_user(&o.base, MOUNTED)?))),
    alias("user: a bind mount over a name", |o| {
        // the name is one that an allow-list lets through
        let (name, from) = (o.other.join("open"), o.folder.clone());
        as_user()?;
        fs::create_dir(&name)?;
        sys::mount(&from, &name, c"none", MS_BIND)?;
        Ok(Reached::folder(o, name))
    }),
    alias("user: a clone from above", |o| {
        as_user()?;
        Ok(o.seen_at(&kept(sys::clone_tree(&o.base)?)))
    }),
    alias("user: unmounted lazily", |o| Ok(o.seen_at(&unmounted(mounted_by_user(&o.base, MOUNTED))?))),
    alias("user: a descriptor from outside", |o| {
        let held = kept(sys::open(&o.folder, O_PATH, 0)?);
        as_user()?;
        Ok(Reached::folder(o, held))
    }),
    alias("user: chroot", |o| {
        as_user()?;
        chroot(&o.base)?;
        std::env::set_current_dir("/")?;
        Ok(o.seen_at(Path::new("/")))
    }),
    alias("user: pivot_root", |o| {
        as_user()?;
        pivoted(&o.base)?;
        Ok(o.seen_at(Path::new("/")))
    }),
    alias("user: an overlay over it", |o| {
        as_user()?;
        let lower = format!("userxattr,lowerdir={}:/mnt", o.folder.display());
        Ok(Reached::folder(o, overlay(o, MOUNTED, &lower)?))
    }),
    alias("user: an overlay that changes it", |o| {
        as_user()?;
        let (upper, work) = (o.folder.display(), o.other.join("work"));
        let options = format!("userxattr,lowerdir=/mnt,upperdir={upper},workdir={}", work.display());
        Ok(Reached::folder(o, overlay(o, MOUNTED, &options)?))
    }),
    limit(9, "user: an overlay that copies it", |o| {
        as_user()?;
        let (lower, upper, work) = (o.folder.display(), o.other.join("upper"), o.other.join("work"));
        let options = format!("userxattr,lowerdir={lower},upperdir={},workdir={}", upper.display(), work.display());
        Ok(Reached::folder(o, overlay(o, MOUNTED, &options)?))
    }),
];

/// A path as another process has it.
pub fn below(root: impl AsRef<Path>, path: &Path) -> PathBuf {
    root.as_ref().join(path.strip_prefix("/").unwrap_or(path))
}

/// By its handle, once its name was forgotten and, unless it is to stay so, looked up again.
fn by_handle(o: &Object, path: &Path, looked_up: bool) -> io::Result<OwnedFd> {
    let between = || {
        // what was used a moment ago stays for a round or two
        (0..3).try_for_each(|_| fs::write("/proc/sys/vm/drop_caches", "2"))?;
        if looked_up { fs::metadata(path).map(drop) } else { Ok(()) }
    };
    sys::open_by_handle_after(path, &o.base, O_PATH, between)
}
