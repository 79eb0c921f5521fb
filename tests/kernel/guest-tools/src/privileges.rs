//! System calls about ids, roots, namespaces and file systems that the standard library lacks, each behind a safe
//! function.
#![allow(unsafe_code, reason = "tests attack through calls that have no safe binding")]

use crate::sys::{Address, c, check};
use libc::{c_int, c_long};
use std::ffi::CStr;
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

/// fsopen(2), fsconfig(2) that creates, fsmount(2): a file system that is mounted nowhere yet.
pub fn create_file_system(kind: &CStr) -> io::Result<()> {
    const CREATE: c_int = 6;
    let none = std::ptr::null::<u8>();
    // SAFETY: a terminated name; the other arguments are plain numbers or null where the call wants none.
    unsafe {
        let context = check(libc::syscall(libc::SYS_fsopen, kind.as_ptr(), 1))?;
        let context = OwnedFd::from_raw_fd(c_int::try_from(context).unwrap_or(-1));
        check(libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), CREATE, none, none, 0))?;
        let mount = check(libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), 1, 0))?;
        drop(OwnedFd::from_raw_fd(c_int::try_from(mount).unwrap_or(-1)));
    }
    Ok(())
}
