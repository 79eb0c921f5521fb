//! Attacks on the content, the name and the attributes of a file, by every call
//! that reaches them and under every name that leads to it.

use crate::attack::{Attack, Place};
use crate::{sys, uring};
use libc::{O_APPEND, O_CREAT, O_EXCL, O_PATH, O_RDONLY, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, chown, chroot, fchown, lchown, symlink};
use std::path::{Path, PathBuf};

const fn read(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "read", name, run }
}

const fn write(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "write", name, run }
}

const fn alias(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "alias", name, run }
}

fn open(path: &Path, flags: i32) -> io::Result<()> {
    sys::open(path, flags, 0o644).map(drop)
}

/// The path of an open descriptor under `/proc`.
pub fn through_proc(path: &Path, flags: i32) -> io::Result<PathBuf> {
    let file = sys::open(path, flags, 0)?;
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    // The link has to lead somewhere for as long as the child lives.
    std::mem::forget(file);
    Ok(link.into())
}

/// `/a/b` as `/a/../a/./b`, with doubled slashes.
pub fn crooked(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let last = folder.file_name().unwrap_or_default();
    let name = path.file_name().unwrap_or_default();
    let text = format!("{}//..//{}/.//{}", folder.display(), last.to_string_lossy(), name.to_string_lossy());
    text.into()
}

fn by_symlink(place: &Place) -> io::Result<PathBuf> {
    symlink(&place.inside, &place.outside_fresh)?;
    Ok(place.outside_fresh.clone())
}

fn by_relative_name(place: &Place) -> io::Result<PathBuf> {
    std::env::set_current_dir(place.inside.parent().unwrap_or(Path::new("/")))?;
    Ok(place.inside.file_name().unwrap_or_default().into())
}

fn from_chroot(place: &Place) -> io::Result<PathBuf> {
    chroot(place.inside.parent().unwrap_or(Path::new("/")))?;
    std::env::set_current_dir("/")?;
    Ok(Path::new("/").join(place.inside.file_name().unwrap_or_default()))
}

/// Names for the same file that its path does not tell.
pub const ALIASES: &[Attack] = &[
    alias("read-hard-link", |p| open(&p.outside.with_extension("link"), O_RDONLY)),
    alias("write-hard-link", |p| open(&p.outside.with_extension("link"), O_WRONLY)),
    alias("read-after-moving-folder", |p| {
        let folder = p.inside.parent().unwrap_or(Path::new("/"));
        let moved = folder.with_extension("moved");
        sys::rename(folder, &moved, 0)?;
        let read = open(&moved.join(p.inside.file_name().unwrap_or_default()), O_RDONLY);
        sys::rename(&moved, folder, 0)?;
        read
    }),
];

/// Attacks after a file's content.
pub const READS: &[Attack] = &[
    read("open-read", |p| open(&p.inside, O_RDONLY)),
    read("open-read-write", |p| open(&p.inside, O_RDWR)),
    // of access mode 3 the kernel shows neither, and gives a descriptor for ioctl
    read("open-mode-3", |p| open(&p.inside, 3)),
    // a write is watched, and the watcher is given a descriptor to read
    read("read-fanotify", |p| sys::watched_open(&p.inside, O_WRONLY, O_RDONLY)),
    read("read-crooked", |p| open(&crooked(&p.inside), O_RDONLY)),
    read("read-relative", |p| open(&by_relative_name(p)?, O_RDONLY)),
    read("read-symlink", |p| open(&by_symlink(p)?, O_RDONLY)),
    read("read-proc-fd", |p| open(&through_proc(&p.inside, O_PATH)?, O_RDONLY)),
    read("read-proc-root", |p| {
        let path = format!("/proc/self/root{}", p.inside.display());
        open(Path::new(&path), O_RDONLY)
    }),
    read("read-chroot", |p| open(&from_chroot(p)?, O_RDONLY)),
    read("read-handle", |p| sys::open_by_handle(&p.inside, O_RDONLY).map(drop)),
    read("read-uring", |p| uring::open(&p.inside, O_RDONLY).map(drop)),
    read("read-passed", |p| sys::pass(&sys::open(&p.inside, O_RDONLY, 0)?).map(drop)),
    read("read-thread", |p| {
        let path = p.inside.clone();
        let thread = std::thread::spawn(move || open(&path, O_RDONLY));
        thread.join().unwrap_or_else(|_| Err(io::Error::from_raw_os_error(libc::EIO)))
    }),
    read("rename-out", |p| sys::rename(&p.inside, &p.outside_fresh, 0)),
    read("link-out", |p| fs::hard_link(&p.inside, &p.outside_fresh)),
    read("link-out-proc-fd", |p| sys::link_following(&through_proc(&p.inside, O_PATH)?, &p.outside_fresh)),
    read("rename-exchange", |p| sys::rename(&p.inside, &p.outside, libc::RENAME_EXCHANGE)),
    read("rename-uring", |p| uring::rename(&p.inside, &p.outside_fresh)),
    read("link-uring", |p| uring::link(&p.inside, &p.outside_fresh)),
];

const ATTRIBUTE: &std::ffi::CStr = c"trusted.attack";
const ACL: &std::ffi::CStr = c"system.posix_acl_access";

/// An access control list: version 2, then (tag, rights, id) of owner, a user,
/// the group, the mask and all others.
const ACL_VALUE: &[u8] = &[
    2, 0, 0, 0, //
    1, 0, 7, 0, 255, 255, 255, 255, //
    2, 0, 7, 0, 5, 0, 0, 0, //
    4, 0, 5, 0, 255, 255, 255, 255, //
    16, 0, 7, 0, 255, 255, 255, 255, //
    32, 0, 5, 0, 255, 255, 255, 255,
];

/// Gives a file what the attacks on attributes take away. A file system without
/// attributes fails those attacks later, by name.
pub fn give_attributes(path: &Path) {
    let _ = sys::set_attribute(path, ATTRIBUTE, b"x");
    let _ = sys::set_attribute(path, ACL, ACL_VALUE);
}

/// Attacks that change a file, its name or its attributes.
pub const WRITES: &[Attack] = &[
    write("write-mode-3", |p| open(&p.inside, 3)),
    write("write-fanotify", |p| sys::watched_open(&p.inside, O_RDONLY, O_RDWR)),
    write("open-write", |p| open(&p.inside, O_WRONLY)),
    write("open-append", |p| open(&p.inside, O_WRONLY | O_APPEND)),
    write("open-truncate", |p| open(&p.inside, O_WRONLY | O_TRUNC)),
    write("open-read-truncate", |p| open(&p.inside, O_RDONLY | O_TRUNC)),
    write("create", |p| open(&p.fresh, O_WRONLY | O_CREAT | O_EXCL)),
    write("create-read-only", |p| open(&p.fresh, O_RDONLY | O_CREAT)),
    write("create-uring", |p| uring::open(&p.fresh, O_RDONLY | O_CREAT).map(drop)),
    write("write-crooked", |p| open(&crooked(&p.inside), O_WRONLY)),
    write("write-relative", |p| open(&by_relative_name(p)?, O_WRONLY)),
    write("write-symlink", |p| open(&by_symlink(p)?, O_WRONLY)),
    write("write-proc-fd", |p| open(&through_proc(&p.inside, O_PATH)?, O_WRONLY)),
    write("write-chroot", |p| open(&from_chroot(p)?, O_WRONLY)),
    write("write-handle", |p| sys::open_by_handle(&p.inside, O_WRONLY).map(drop)),
    write("write-uring", |p| uring::open(&p.inside, O_WRONLY).map(drop)),
    write("mknod-file", |p| sys::mknod(&p.fresh, libc::S_IFREG | 0o644, 0)),
    write("mknod-fifo", |p| sys::mknod(&p.fresh, libc::S_IFIFO | 0o644, 0)),
    write("mknod-device", |p| sys::mknod(&p.fresh, libc::S_IFCHR | 0o644, 0x0103)),
    write("bind-socket", |p| std::os::unix::net::UnixListener::bind(&p.fresh).map(drop)),
    write("mkdir", |p| fs::create_dir(&p.fresh)),
    write("mkdir-uring", |p| uring::mkdir(&p.fresh)),
    write("rmdir", |p| fs::remove_dir(&p.folder)),
    write("unlink", |p| fs::remove_file(&p.inside)),
    write("unlink-uring", |p| uring::unlink(&p.inside)),
    write("rename-folder", |p| sys::rename(&p.folder, &p.outside_fresh, 0)),
    write("rename-over", |p| sys::rename(&p.outside, &p.inside, 0)),
    write("rename-in", |p| sys::rename(&p.outside, &p.fresh, 0)),
    write("rename-in-uring", |p| uring::rename(&p.outside, &p.fresh)),
    write("rename-exchange-in", |p| sys::rename(&p.outside, &p.inside, libc::RENAME_EXCHANGE)),
    write("link-in", |p| fs::hard_link(&p.outside, &p.fresh)),
    write("link-in-uring", |p| uring::link(&p.outside, &p.fresh)),
    write("link-in-unnamed", |p| {
        let outside = p.outside.parent().unwrap_or(Path::new("/"));
        sys::link_following(&through_proc(outside, O_TMPFILE | O_RDWR)?, &p.fresh)
    }),
    write("symlink", |p| symlink("/etc", &p.fresh)),
    write("symlink-uring", |p| uring::symlink(Path::new("/etc"), &p.fresh)),
    write("chmod", |p| fs::set_permissions(&p.inside, fs::Permissions::from_mode(0o777))),
    write("fchmod", |p| File::open(&p.inside)?.set_permissions(fs::Permissions::from_mode(0o777))),
    write("chown", |p| chown(&p.inside, Some(5), Some(5))),
    write("fchown", |p| fchown(File::open(&p.inside)?, Some(5), Some(5))),
    write("lchown", |p| lchown(&p.inside, Some(5), Some(5))),
    write("truncate", |p| sys::truncate(&p.inside)),
    write("ftruncate", |p| File::options().write(true).open(&p.inside)?.set_len(1)),
    write("account", |p| sys::account(&p.inside)),
    write("utimes", |p| sys::touch(&p.inside)),
    write("utimes-proc-fd", |p| sys::touch(&through_proc(&p.inside, O_RDONLY)?)),
    write("setxattr", |p| sys::set_attribute(&p.inside, ATTRIBUTE, b"x")),
    write("removexattr", |p| sys::remove_attribute(&p.inside, ATTRIBUTE)),
    write("set-acl", |p| sys::set_attribute(&p.inside, ACL, ACL_VALUE)),
    write("remove-acl", |p| sys::remove_attribute(&p.inside, ACL)),
    write("inode-flags", |p| {
        const NO_DUMP: i32 = 0x40;
        sys::set_inode_flags(&File::open(&p.inside)?, NO_DUMP)
    }),
    write("inode-flags-by-path", |p| sys::set_inode_flags_by_path(&p.inside)),
];
