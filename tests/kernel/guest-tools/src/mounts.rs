//! Attacks with mounts: one that covers a file is a change of it; one that gives
//! it a second name leads to its content. Each in a mount namespace of its own
//! unless it says otherwise, so that the next attack sees none of it.

use crate::attack::{Attack, Place};
use crate::paths::own_namespace;
use crate::sys;
use libc::{CLONE_NEWNS, CLONE_NEWUSER, MS_BIND, O_PATH, O_RDONLY, O_WRONLY};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const fn write(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "write", name, run }
}

/// Another name for the same file, which paths cannot tell.
const fn alias(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "alias", name, run }
}

/// The same file by the same path, in another namespace.
const fn read(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "read", name, run }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// The attacked folder bound at a new place; gives the file's name there.
fn bound(place: &Place) -> io::Result<PathBuf> {
    own_namespace()?;
    fs::create_dir_all(&place.outside_fresh)?;
    sys::mount(folder(&place.inside), &place.outside_fresh, c"none", MS_BIND)?;
    Ok(place.outside_fresh.join(place.inside.file_name().unwrap_or_default()))
}

fn open(path: &Path, flags: i32) -> io::Result<()> {
    sys::open(path, flags, 0).map(drop)
}

/// Every attack with mounts.
pub const ALL: &[Attack] = &[
    write("mount-over-file", |p| {
        own_namespace()?;
        sys::mount(&p.outside, &p.inside, c"none", MS_BIND)
    }),
    write("mount-over-folder", |p| {
        own_namespace()?;
        sys::mount(Path::new("none"), &p.folder, c"tmpfs", 0)
    }),
    write("move-mount-over-file", |p| {
        own_namespace()?;
        sys::attach_tree(&sys::clone_tree(&p.outside)?, &p.inside)
    }),
    // These hooks are given no mount, so every path that the namespace has for the file counts.
    write("utimes-bind-mount", |p| sys::touch(&bound(p)?)),
    write("setxattr-bind-mount", |p| sys::set_attribute(&bound(p)?, c"trusted.attack", b"x")),
    alias("chmod-bind-mount", |p| fs::set_permissions(bound(p)?, fs::Permissions::from_mode(0o777))),
    read("read-mount-namespace", |p| {
        own_namespace()?;
        open(&p.inside, O_RDONLY)
    }),
    read("read-user-namespace", |p| {
        sys::unshare(CLONE_NEWUSER | CLONE_NEWNS)?;
        open(&p.inside, O_RDONLY)
    }),
    alias("read-bind-mount", |p| open(&bound(p)?, O_RDONLY)),
    alias("write-bind-mount", |p| open(&bound(p)?, O_WRONLY)),
    alias("read-bind-mount-file", |p| {
        own_namespace()?;
        sys::mount(&p.inside, &p.outside, c"none", MS_BIND)?;
        open(&p.outside, O_RDONLY)
    }),
    alias("read-detached-mount", |p| {
        let tree = sys::clone_tree(folder(&p.inside))?;
        let name = p.inside.file_name().unwrap_or_default();
        let name = crate::sys::c(Path::new(name))?;
        sys::open_at(&tree, &name, O_RDONLY).map(drop)
    }),
    alias("read-lazily-unmounted", |p| {
        let file = bound(p)?;
        let held = sys::open(&p.outside_fresh, O_PATH, 0)?;
        sys::unmount_lazily(&p.outside_fresh)?;
        let name = sys::c(Path::new(file.file_name().unwrap_or_default()))?;
        sys::open_at(&held, &name, O_RDONLY).map(drop)
    }),
];
