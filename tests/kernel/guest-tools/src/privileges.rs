//! System calls about ids, roots, namespaces and file systems that the standard library lacks, each behind a safe
//! function.
#![allow(unsafe_code, reason = "tests attack through calls that have no safe binding")]

use crate::sys::{Address, c, check};
use libc::{c_int, c_long};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

/// Becomes an ordinary user who may still look at himself in /proc.
pub fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: no groups are read; the rest are plain numbers.
    let results =
        unsafe { [libc::setgroups(0, std::ptr::null()), libc::setgid(id), libc::setuid(id), libc::prctl(libc::PR_SET_DUMPABLE, 1)] };
    results.into_iter().try_for_each(|result| check(c_long::from(result)).map(drop))
}

/// This process's ids.
pub fn ids() -> (u32, u32) {
    // SAFETY: these calls cannot fail.
    unsafe { (libc::getuid(), libc::getgid()) }
}

/// setns(2).
pub fn enter(namespace: &File, kind: c_int) -> io::Result<()> {
    // SAFETY: a descriptor that lives.
    check(c_long::from(unsafe { libc::setns(namespace.as_raw_fd(), kind) })).map(drop)
}

/// pivot_root(2).
pub fn pivot_root(new: &Path, old: &Path) -> io::Result<()> {
    let (new, old) = (c(new)?, c(old)?);
    // SAFETY: terminated paths.
    check(unsafe { libc::syscall(libc::SYS_pivot_root, new.as_ptr(), old.as_ptr()) }).map(drop)
}

/// Binds a seqpacket socket and lets it be connected to.
pub fn listen_packets(socket: &OwnedFd, to: &Address) -> io::Result<OwnedFd> {
    // SAFETY: the address has as many bytes as it says.
    check(c_long::from(unsafe { libc::bind(socket.as_raw_fd(), to.pointer(), to.size()) }))?;
    // SAFETY: plain numbers.
    check(c_long::from(unsafe { libc::listen(socket.as_raw_fd(), 64) }))?;
    socket.try_clone()
}

/// fsopen(2), fsconfig(2) of text options and to create, fsmount(2): a file system that is mounted nowhere yet.
pub fn create_file_system(kind: &CStr, options: &[(&CStr, &CStr)]) -> io::Result<OwnedFd> {
    const TEXT: c_int = 1;
    const CREATE: c_int = 6;
    let none = std::ptr::null::<u8>();
    // SAFETY: terminated texts; the other arguments are plain numbers or null where the call wants none. The descriptors are
    // new and nobody else's.
    unsafe {
        let context = check(libc::syscall(libc::SYS_fsopen, kind.as_ptr(), 1))?;
        let context = OwnedFd::from_raw_fd(c_int::try_from(context).unwrap_or(-1));
        for (key, value) in options {
            check(libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), TEXT, key.as_ptr(), value.as_ptr(), 0))?;
        }
        check(libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), CREATE, none, none, 0))?;
        let mount = check(libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), 1, 0))?;
        Ok(OwnedFd::from_raw_fd(c_int::try_from(mount).unwrap_or(-1)))
    }
}

/// mq_open(2): a queue, which lies in a file system that the kernel mounts for itself.
pub fn open_queue(name: &CStr, flags: c_int) -> io::Result<OwnedFd> {
    let none = std::ptr::null::<u8>();
    // SAFETY: a terminated name; without attributes the kernel takes its own. The descriptor is new.
    let queue = check(unsafe { libc::syscall(libc::SYS_mq_open, name.as_ptr(), flags, 0o600, none) })?;
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(c_int::try_from(queue).unwrap_or(-1)) })
}

/// memfd_create(2) of huge pages.
pub fn huge_memory() -> io::Result<OwnedFd> {
    // SAFETY: a terminated name.
    let file = check(c_long::from(unsafe { libc::memfd_create(c"huge".as_ptr(), libc::MFD_HUGETLB) }))?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(c_int::try_from(file).unwrap_or(-1)) })
}

/// futimens(3) to the present.
pub fn touch_open(file: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: a descriptor that lives; a null pointer means the present.
    check(c_long::from(unsafe { libc::futimens(file.as_raw_fd(), std::ptr::null()) })).map(drop)
}

/// Makes a file or folder a user's, and everyone's to use.
pub fn give(path: &Path, user: u32) -> io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, lchown};
    lchown(path, Some(user), Some(user))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777))
}

/// Ends a child of ours.
pub fn end(child: c_int) -> io::Result<()> {
    // SAFETY: plain numbers.
    check(c_long::from(unsafe { libc::kill(child, libc::SIGKILL) })).map(drop)
}

/// mount_setattr(2): the ids of a detached mount are those of a user namespace.
pub fn map_ids(mount: &OwnedFd, users: &File) -> io::Result<()> {
    const IDMAP: u64 = 0x10_0000;
    // struct mount_attr: attr_set, attr_clr, propagation, userns_fd
    let attributes = [IDMAP, 0, 0, u64::from(users.as_raw_fd().cast_unsigned())];
    // SAFETY: a terminated path and 32 readable bytes.
    let result = unsafe {
        let path = c"".as_ptr();
        libc::syscall(libc::SYS_mount_setattr, mount.as_raw_fd(), path, libc::AT_EMPTY_PATH, attributes.as_ptr(), size_of_val(&attributes))
    };
    check(result).map(drop)
}

/// mount(2) of an overlay.
pub fn mount_overlay(target: &Path, options: &str) -> io::Result<()> {
    let (target, options) = (c(target)?, c(Path::new(options))?);
    // SAFETY: terminated strings.
    let result = unsafe { libc::mount(c"none".as_ptr(), target.as_ptr(), c"overlay".as_ptr(), 0, options.as_ptr().cast()) };
    check(c_long::from(result)).map(drop)
}

/// execve(2) with these words and no environment; returns only when refused.
pub fn exec_words(path: &Path, words: &[CString]) -> io::Error {
    let Ok(path) = c(path) else { return io::Error::from_raw_os_error(libc::EINVAL) };
    let arguments: Vec<_> = words.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect();
    let none = [std::ptr::null()];
    // SAFETY: both arrays end with a null pointer and outlive the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), none.as_ptr()) };
    io::Error::last_os_error()
}
