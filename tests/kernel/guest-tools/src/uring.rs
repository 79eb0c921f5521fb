//! One operation through io_uring, done by a kernel worker where possible.
//! Takes the operation's entry, gives its result. Never keeps a ring.
#![allow(unsafe_code, reason = "the rings are memory shared with the kernel")]

use crate::sys::{Address, c, check};
use std::ffi::{CStr, c_long};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

/// An entry of the submission queue, of the fields used here.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Entry {
    operation: u8,
    flags: u8,
    priority: u16,
    descriptor: i32,
    offset: u64,
    address: u64,
    length: u32,
    operation_flags: u32,
    user_data: u64,
    rest: [u64; 3],
}

const OPEN_AT: u8 = 18;
const SEND_MSG: u8 = 9;
const CONNECT: u8 = 16;
const RENAME_AT: u8 = 35;
const UNLINK_AT: u8 = 36;
const MKDIR_AT: u8 = 37;
const SYMLINK_AT: u8 = 38;
const LINK_AT: u8 = 39;
const SET_ATTRIBUTE: u8 = 42;
/// Hand the operation to a worker thread instead of trying it at once.
const ASYNC: u8 = 1 << 4;

fn at(operation: u8, path: *const i8) -> Entry {
    Entry { operation, flags: ASYNC, descriptor: libc::AT_FDCWD, address: path as u64, ..Entry::default() }
}

/// openat(2).
pub fn open(path: &Path, flags: i32) -> io::Result<OwnedFd> {
    let path = c(path)?;
    let mut entry = at(OPEN_AT, path.as_ptr());
    entry.operation_flags = flags.cast_unsigned();
    entry.length = 0o644;
    let descriptor = submit(&entry)?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// unlinkat(2).
pub fn unlink(path: &Path) -> io::Result<()> {
    let path = c(path)?;
    submit(&at(UNLINK_AT, path.as_ptr())).map(drop)
}

/// mkdirat(2).
pub fn mkdir(path: &Path) -> io::Result<()> {
    let path = c(path)?;
    let mut entry = at(MKDIR_AT, path.as_ptr());
    entry.length = 0o755;
    submit(&entry).map(drop)
}

/// renameat(2).
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    two_paths(RENAME_AT, from, to)
}

/// linkat(2).
pub fn link(from: &Path, to: &Path) -> io::Result<()> {
    two_paths(LINK_AT, from, to)
}

fn two_paths(operation: u8, from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (c(from)?, c(to)?);
    let mut entry = at(operation, from.as_ptr());
    entry.offset = to.as_ptr() as u64;
    entry.length = libc::AT_FDCWD.cast_unsigned();
    submit(&entry).map(drop)
}

/// symlinkat(2).
pub fn symlink(target: &Path, name: &Path) -> io::Result<()> {
    let (target, name) = (c(target)?, c(name)?);
    let mut entry = at(SYMLINK_AT, target.as_ptr());
    entry.offset = name.as_ptr() as u64;
    submit(&entry).map(drop)
}

/// setxattr(2).
pub fn set_attribute(path: &Path, name: &CStr, value: &[u8]) -> io::Result<()> {
    let path = c(path)?;
    let mut entry = at(SET_ATTRIBUTE, name.as_ptr());
    (entry.descriptor, entry.offset) = (0, value.as_ptr() as u64);
    entry.length = u32::try_from(value.len()).unwrap_or_default();
    // the path stands where other operations have their last fields
    entry.rest[1] = path.as_ptr() as u64;
    submit(&entry).map(drop)
}

/// connect(2).
pub fn connect(socket: &OwnedFd, to: &Address) -> io::Result<()> {
    let mut entry = at(CONNECT, to.pointer().cast());
    entry.descriptor = socket.as_raw_fd();
    entry.offset = u64::from(to.size());
    submit(&entry).map(drop)
}

/// sendmsg(2) of one byte.
pub fn send_message(socket: &OwnedFd, to: &Address) -> io::Result<()> {
    let mut byte = 0u8;
    let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // SAFETY: all fields of the struct may be zero.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = to.pointer().cast_mut().cast();
    message.msg_namelen = to.size();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    let mut entry = at(SEND_MSG, (&raw const message).cast());
    entry.descriptor = socket.as_raw_fd();
    entry.length = 1;
    submit(&entry).map(drop)
}

/// Where the kernel says its queues are: `struct io_uring_params` as words.
type Parameters = [u32; 30];
const SQ_TAIL: usize = 11;
const SQ_ARRAY: usize = 16;
const CQ_HEAD: usize = 20;
const CQ_MASK: usize = 22;
const CQES: usize = 25;

/// Maps the memory of a ring's entries to be run.
pub fn run_entries() -> io::Result<()> {
    let ring = make(&mut [0; 30])?;
    map_as(&ring, 0x1000_0000, libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC).map(drop)
}

fn make(parameters: &mut Parameters) -> io::Result<OwnedFd> {
    // SAFETY: 120 bytes to write to, as the call wants.
    let ring = check(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()) })?;
    let number = i32::try_from(ring).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Sets up a ring, does one operation, waits for it, drops the ring.
fn submit(entry: &Entry) -> io::Result<i32> {
    let mut parameters: Parameters = [0; 30];
    let ring = make(&mut parameters)?;
    let number = ring.as_raw_fd();
    let queues = map(&ring, 0)?;
    let entries = map(&ring, 0x1000_0000)?;
    let word = |offset: u32| queues.wrapping_add(offset as usize).cast::<u32>();
    // SAFETY: all offsets are those that the kernel gave for these mappings,
    // which are at least a page; the ring is not shared and has one entry.
    unsafe {
        entries.cast::<Entry>().write_volatile(*entry);
        word(parameters[SQ_ARRAY]).write_volatile(0);
        word(parameters[SQ_TAIL]).write_volatile(1);
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        // One to submit, one to wait for (IORING_ENTER_GETEVENTS).
        let none = std::ptr::null::<u8>();
        let entered = libc::syscall(libc::SYS_io_uring_enter, number, 1, 1, 1, none, 0) as c_long;
        check(entered)?;
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        let head = word(parameters[CQ_HEAD]).read_volatile() & word(parameters[CQ_MASK]).read_volatile();
        // struct io_uring_cqe: user_data (8 bytes), result, flags
        let result = word(parameters[CQES] + 16 * head + 8).read_volatile().cast_signed();
        libc::munmap(queues.cast(), 4096);
        libc::munmap(entries.cast(), 4096);
        match result {
            0.. => Ok(result),
            error => Err(io::Error::from_raw_os_error(-error)),
        }
    }
}

fn map(ring: &OwnedFd, offset: i64) -> io::Result<*mut u8> {
    map_as(ring, offset, libc::PROT_READ | libc::PROT_WRITE)
}

fn map_as(ring: &OwnedFd, offset: i64, rights: i32) -> io::Result<*mut u8> {
    let kind = libc::MAP_SHARED | libc::MAP_POPULATE;
    let none = std::ptr::null_mut();
    // SAFETY: a new mapping at an address of the kernel's choice. With one
    // entry every queue fits a page.
    let at = unsafe { libc::mmap(none, 4096, rights, kind, ring.as_raw_fd(), offset) };
    match at == libc::MAP_FAILED {
        true => Err(io::Error::last_os_error()),
        false => Ok(at.cast()),
    }
}
