//! The columns: operations on what an alias led to. Each has a guarded folder whose rule denies its one intent, so that
//! nothing else refuses it.

use super::{By, Column, Object, Reached, Table};
use crate::{sys, uring};
use libc::{O_CREAT, O_EXCL, O_PATH, O_RDONLY, O_RDWR, O_WRONLY, PROT_EXEC, PROT_READ};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, fchown, symlink};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

const fn column(name: &'static str, intent: Intent, target: &'static str, run: fn(&Reached) -> io::Result<()>) -> Column {
    let (guarded, free) = match intent {
        Intent::Read => ("read", "free/read"),
        Intent::Write => ("write", "free/write"),
        Intent::Exec => ("exec", "free/exec"),
        Intent::Run => ("run", "free/run"),
    };
    Column { name, target, guarded, free, free_target: None, alone: true, program: None, run }
}

#[derive(Clone, Copy)]
enum Intent {
    Read,
    Write,
    Exec,
    Run,
}
use Intent::{Exec, Read as Reading, Run as Mapped, Write as Writing};

/// What no alias of this kind can be asked for.
fn senseless<T>() -> io::Result<T> {
    Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP))
}

fn folder(reached: &Reached) -> io::Result<&PathBuf> {
    reached.folder.as_ref().map_or_else(senseless, Ok)
}

/// The file's own name.
fn name(reached: &Reached) -> io::Result<&PathBuf> {
    if reached.link { senseless() } else { Ok(&reached.file) }
}

/// A name in the folder that is free.
fn fresh(reached: &Reached) -> io::Result<PathBuf> {
    Ok(folder(reached)?.join("new"))
}

/// Opens what a column needs before the policy is on.
pub fn hold(object: &Object, column: &Column) -> io::Result<Option<OwnedFd>> {
    let flags = match object.target {
        "socket" | "folder" | "tool" => return Ok(None),
        // a file that is open for writing is not executed
        _ if ["exec", "run"].contains(&column.guarded) => O_RDONLY,
        _ => O_RDWR,
    };
    sys::open(&object.file(), flags, 0).map(Some)
}

fn copy(file: &OwnedFd) -> io::Result<File> {
    file.try_clone().map(File::from)
}

/// Opens and reads, or reads what is open.
pub fn read(r: &Reached) -> io::Result<()> {
    let mut byte = [0];
    match &r.by {
        By::Call => File::open(&r.file)?.read_exact(&mut byte),
        By::Ring => File::from(uring::open(&r.file, O_RDONLY)?).read_exact(&mut byte),
        By::Descriptor(file) => {
            let mut file = copy(file)?;
            file.rewind()?;
            file.read_exact(&mut byte)
        }
    }
}

/// Opens what is empty.
pub fn open_reading(r: &Reached) -> io::Result<()> {
    open(r, O_RDONLY).map(drop)
}

fn open(r: &Reached, flags: i32) -> io::Result<File> {
    match &r.by {
        By::Call => sys::open(&r.file, flags, 0).map(File::from),
        By::Ring => uring::open(&r.file, flags).map(File::from),
        By::Descriptor(file) => copy(file),
    }
}

fn no_descriptor(r: &Reached) -> io::Result<()> {
    if matches!(r.by, By::Descriptor(_)) { senseless() } else { Ok(()) }
}

fn by_call(r: &Reached) -> io::Result<()> {
    if matches!(r.by, By::Call) { Ok(()) } else { senseless() }
}

/// Reads and what takes the content away under another name.
pub const READS: Table = Table {
    title: "reading: deny file.read when file.path under FOLDER",
    rows: super::ways::ALL,
    columns: &[
        column("read", Reading, "a", read),
        column("read-write", Reading, "a", |r| {
            no_descriptor(r)?;
            open(r, O_RDWR).map(drop)
        }),
        column("rename-out", Reading, "a", |r| match r.by {
            By::Ring => uring::rename(name(r)?, &r.other.join("out")),
            _ => sys::rename(name(r)?, &r.other.join("out"), 0),
        }),
        column("exchange", Reading, "a", |r| {
            by_call(r)?;
            sys::rename(name(r)?, &r.other.join("free"), libc::RENAME_EXCHANGE)
        }),
        column("link-out", Reading, "a", |r| match r.by {
            By::Ring => uring::link(&r.file, &r.other.join("out")),
            _ => sys::link_following(&r.file, &r.other.join("out")),
        }),
    ],
};

const ATTRIBUTE: &std::ffi::CStr = c"user.attack";
/// An access control list of the owner, the group and all others.
const ACL: &[u8] = &[2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 4, 0, 5, 0, 255, 255, 255, 255, 32, 0, 5, 0, 255, 255, 255, 255];

/// Changes of the content and the attributes.
pub const CHANGES: Table = Table {
    title: "changing: deny file.write when file.path under FOLDER",
    rows: super::ways::ALL,
    columns: &[
        column("write", Writing, "a", |r| open(r, O_WRONLY)?.write_all(b"x")),
        column("truncate", Writing, "a", |r| match &r.by {
            By::Descriptor(file) => copy(file)?.set_len(1),
            By::Call => sys::truncate(&r.file),
            By::Ring => senseless(),
        }),
        column("chmod", Writing, "a", |r| {
            let mode = Permissions::from_mode(0o755);
            match &r.by {
                By::Descriptor(file) => copy(file)?.set_permissions(mode),
                By::Call => fs::set_permissions(&r.file, mode),
                By::Ring => senseless(),
            }
        }),
        // to whom it belongs already, as this process sees it
        column("chown", Writing, "a", |r| match &r.by {
            By::Descriptor(file) => fchown(file, Some(0), Some(0)),
            By::Call => {
                let owner = fs::metadata(&r.file)?;
                chown(&r.file, Some(owner.uid()), Some(owner.gid()))
            }
            By::Ring => senseless(),
        }),
        column("utimes", Writing, "a", |r| match &r.by {
            By::Descriptor(file) => copy(file)?.set_modified(std::time::SystemTime::now()),
            By::Call => sys::touch(&r.file),
            By::Ring => senseless(),
        }),
        column("xattr", Writing, "a", |r| match &r.by {
            By::Ring => uring::set_attribute(&r.file, ATTRIBUTE, b"x"),
            _ => sys::set_attribute(&r.file, ATTRIBUTE, b"x"),
        }),
        column("acl", Writing, "a", |r| match &r.by {
            By::Ring => uring::set_attribute(&r.file, c"system.posix_acl_access", ACL),
            _ => sys::set_attribute(&r.file, c"system.posix_acl_access", ACL),
        }),
        column("mount-over", Writing, "a", |r| {
            by_call(r)?;
            sys::mount(&r.other.join("free"), &r.file, c"none", libc::MS_BIND)?;
            sys::unmount_lazily(&r.file)
        }),
        column("connect", Writing, "socket", |r| match &r.by {
            By::Ring => uring::connect(&sys::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0)?, &crate::unix::address(&r.file)),
            _ => UnixStream::connect(&r.file).map(drop),
        }),
    ],
};

/// Changes of the folder.
pub const NAMES: Table = Table {
    title: "names: deny file.write when file.path under FOLDER",
    rows: super::ways::ALL,
    columns: &[
        column("create", Writing, "a", |r| match r.by {
            By::Ring => uring::open(&fresh(r)?, O_WRONLY | O_CREAT | O_EXCL).map(drop),
            _ => File::create_new(fresh(r)?).map(drop),
        }),
        column("mkdir", Writing, "a", |r| match r.by {
            By::Ring => uring::mkdir(&fresh(r)?),
            _ => fs::create_dir(fresh(r)?),
        }),
        column("symlink", Writing, "a", |r| match r.by {
            By::Ring => uring::symlink(&r.other, &fresh(r)?),
            _ => symlink(&r.other, fresh(r)?),
        }),
        column("mknod", Writing, "a", |r| {
            by_call(r)?;
            sys::mknod(&fresh(r)?, libc::S_IFIFO | 0o644, 0)
        }),
        column("rename-in", Writing, "a", |r| match r.by {
            By::Ring => uring::rename(&r.other.join("free"), &fresh(r)?),
            _ => sys::rename(&r.other.join("free"), &fresh(r)?, 0),
        }),
        column("rename-over", Writing, "a", |r| match r.by {
            By::Ring => uring::rename(&r.other.join("free"), name(r)?),
            _ => sys::rename(&r.other.join("free"), name(r)?, 0),
        }),
        column("link-in", Writing, "a", |r| match r.by {
            By::Ring => uring::link(&r.other.join("free"), &fresh(r)?),
            _ => sys::link_following(&r.other.join("free"), &fresh(r)?),
        }),
        column("unnamed-in", Writing, "a", |r| {
            by_call(r)?;
            let unnamed = sys::open(&r.other, libc::O_TMPFILE | O_RDWR, 0o600)?;
            sys::link_following(&crate::paths::name_of(&unnamed), &fresh(r)?)
        }),
        column("unlink", Writing, "a", |r| match r.by {
            By::Ring => uring::unlink(name(r)?),
            _ => fs::remove_file(name(r)?),
        }),
        column("rmdir", Writing, "folder", |r| {
            by_call(r)?;
            fs::remove_dir(name(r)?)
        }),
    ],
};

fn exec(r: &Reached) -> io::Result<()> {
    match &r.by {
        By::Call => Err(sys::exec(&r.file)),
        By::Descriptor(file) => Err(sys::exec_descriptor(file)),
        By::Ring => senseless(),
    }
}

/// What runs a file's code.
pub const RUNS: Table = Table {
    title: "running: deny exec, or deny file.run, when file.path under FOLDER",
    rows: super::ways::ALL,
    columns: &[
        column("exec", Exec, "a", exec),
        column("exec-path-fd", Exec, "a", |r| {
            by_call(r)?;
            Err(sys::exec_descriptor(&sys::open(&r.file, O_PATH, 0)?))
        }),
        column("interpreter", Exec, "a", |r| {
            by_call(r)?;
            let script = r.other.join("script");
            fs::write(&script, [b"#!", r.file.as_os_str().as_encoded_bytes(), b"\n"].concat())?;
            fs::set_permissions(&script, Permissions::from_mode(0o755))?;
            Err(sys::exec(&script))
        }),
        column("run-exec", Mapped, "a", exec),
        column("map", Mapped, "a", |r| sys::map(&open(r, O_RDONLY)?, PROT_READ | PROT_EXEC, None)),
        column("protect", Mapped, "a", |r| sys::map(&open(r, O_RDONLY)?, PROT_READ, Some(PROT_READ | PROT_EXEC))),
    ],
};
