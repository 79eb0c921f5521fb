//! The system calls that the standard library lacks, each behind a safe
//! function. All `unsafe` of this crate is here and in `uring`.
#![allow(unsafe_code, reason = "tests attack through calls that have no safe binding")]

mod memory;
mod options;
mod processes;
mod sockets;

pub use memory::*;
pub use options::*;
pub use processes::*;
pub use sockets::*;

use std::ffi::{CStr, CString, c_int, c_long, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A path for the kernel.
pub fn c(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// Turns -1 into the error that the call left.
pub fn check(result: c_long) -> io::Result<c_long> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(value),
    }
}

fn done(result: c_int) -> io::Result<()> {
    check(c_long::from(result)).map(drop)
}

fn owned(result: c_long) -> io::Result<OwnedFd> {
    let number = RawFd::try_from(check(result)?).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    // SAFETY: the kernel has just given us this descriptor; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Opens a file that a fanotify group of ours watches, and takes the descriptor that the group is given for it, opened
/// with other flags.
pub fn watched_open(path: &Path, flags: c_int, event_flags: c_int) -> io::Result<()> {
    let name = c(path)?;
    let mode = libc::FAN_CLASS_NOTIF | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK;
    // SAFETY: plain numbers.
    let group = owned(c_long::from(unsafe { libc::fanotify_init(mode, event_flags as u32) }))?;
    // SAFETY: a terminated path and a descriptor that lives.
    done(unsafe { libc::fanotify_mark(group.as_raw_fd(), libc::FAN_MARK_ADD, libc::FAN_OPEN, libc::AT_FDCWD, name.as_ptr()) })?;
    drop(open(path, flags, 0)?);
    let mut event = std::mem::MaybeUninit::<libc::fanotify_event_metadata>::zeroed();
    let size = std::mem::size_of::<libc::fanotify_event_metadata>();
    // SAFETY: the kernel writes at most `size` bytes into the event, of which every bit pattern is one.
    check(unsafe { libc::read(group.as_raw_fd(), event.as_mut_ptr().cast(), size) } as c_long)?;
    // SAFETY: zeroed before, whatever the kernel wrote.
    let event = unsafe { event.assume_init() };
    owned(c_long::from(event.fd)).map(drop)
}

/// open(2) with any flags.
pub fn open(path: &Path, flags: c_int, mode: u32) -> io::Result<OwnedFd> {
    let path = c(path)?;
    // SAFETY: a terminated path; flags and mode are plain numbers.
    owned(c_long::from(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, mode) }))
}

/// open(2) for reading and close(2), with nothing else around them.
pub fn open_and_close(path: &CStr) -> io::Result<()> {
    // SAFETY: a terminated path; the descriptor is ours and nobody else knows it.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_RDONLY);
        done(file)?;
        done(libc::close(file))
    }
}

/// mknod(2).
pub fn mknod(path: &Path, mode: u32, device: u64) -> io::Result<()> {
    let path = c(path)?;
    // SAFETY: a terminated path.
    done(unsafe { libc::mknod(path.as_ptr(), mode, device) })
}

/// renameat2(2) by absolute paths.
pub fn rename(from: &Path, to: &Path, flags: u32) -> io::Result<()> {
    let (from, to) = (c(from)?, c(to)?);
    let here = libc::AT_FDCWD;
    // SAFETY: terminated paths.
    let result = unsafe { libc::syscall(libc::SYS_renameat2, here, from.as_ptr(), here, to.as_ptr(), flags) };
    check(result).map(drop)
}

/// linkat(2) that follows `from`, as for `/proc/self/fd/N`.
pub fn link_following(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (c(from)?, c(to)?);
    let (here, follow) = (libc::AT_FDCWD, libc::AT_SYMLINK_FOLLOW);
    // SAFETY: terminated paths.
    done(unsafe { libc::linkat(here, from.as_ptr(), here, to.as_ptr(), follow) })
}

/// truncate(2).
pub fn truncate(path: &Path) -> io::Result<()> {
    let path = c(path)?;
    // SAFETY: a terminated path.
    done(unsafe { libc::truncate(path.as_ptr(), 1) })
}

/// acct(2): the kernel writes to this file whenever a process ends.
pub fn account(path: &Path) -> io::Result<()> {
    let path = c(path)?;
    // SAFETY: a terminated path, then none, which stops it again.
    unsafe {
        done(libc::acct(path.as_ptr()))?;
        done(libc::acct(std::ptr::null()))
    }
}

/// utimensat(2) to the present.
pub fn touch(path: &Path) -> io::Result<()> {
    let path = c(path)?;
    // SAFETY: a terminated path; a null pointer means the present.
    done(unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), std::ptr::null(), 0) })
}

/// setxattr(2).
pub fn set_attribute(path: &Path, name: &CStr, value: &[u8]) -> io::Result<()> {
    let path = c(path)?;
    let (bytes, size) = (value.as_ptr().cast::<c_void>(), value.len());
    // SAFETY: terminated strings; `size` bytes are readable at `bytes`.
    done(unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), bytes, size, 0) })
}

/// removexattr(2).
pub fn remove_attribute(path: &Path, name: &CStr) -> io::Result<()> {
    let path = c(path)?;
    // SAFETY: terminated strings.
    done(unsafe { libc::removexattr(path.as_ptr(), name.as_ptr()) })
}

/// Sets the inode flags (chattr) of an open file.
pub fn set_inode_flags(file: &impl AsRawFd, flags: c_int) -> io::Result<()> {
    const FS_IOC_SETFLAGS: u64 = 0x4008_6602;
    // SAFETY: the call reads one int at the pointer.
    done(unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_SETFLAGS, &raw const flags) })
}

/// A command of ioctl(2), with zeros for what it reads.
pub fn command(file: &impl AsRawFd, command: u32) -> io::Result<()> {
    let zeros = [0u64; 32];
    // SAFETY: what commands read or write there is shorter.
    done(unsafe { libc::ioctl(file.as_raw_fd(), u64::from(command), zeros.as_ptr()) })
}

/// mq_open(2) with just these flags.
pub fn open_queue(name: &str, flags: c_int) -> io::Result<()> {
    let name = CString::new(name)?;
    // SAFETY: a terminated name; a null pointer means the usual attributes.
    let opened = unsafe { libc::syscall(libc::SYS_mq_open, name.as_ptr(), flags, 0o600, std::ptr::null::<c_void>()) };
    check(opened).map(drop)
}

/// The other end of a new terminal, by TIOCGPTPEER with just these flags.
pub fn open_terminal(flags: c_int) -> io::Result<()> {
    let master = open(Path::new("/dev/ptmx"), libc::O_RDWR | libc::O_NOCTTY, 0)?;
    let unlocked: c_int = 0;
    // SAFETY: reads an int.
    done(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked) })?;
    // SAFETY: takes a number.
    done(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) })
}

/// file_setattr(2): the inode flags by path, since 6.17.
pub fn set_inode_flags_by_path(path: &Path) -> io::Result<()> {
    const FILE_SETATTR: c_long = 469;
    const NO_DUMP: u64 = 0x80;
    let path = c(path)?;
    // struct file_attr: xflags, extsize, nextents, projid, cowextsize
    let attributes: [u64; 3] = [NO_DUMP, 0, 0];
    // SAFETY: a terminated path and 24 readable bytes.
    let result = unsafe { libc::syscall(FILE_SETATTR, libc::AT_FDCWD, path.as_ptr(), attributes.as_ptr(), 24, 0) };
    check(result).map(drop)
}

/// open_by_handle_at(2) of the file's own handle.
pub fn open_by_handle(path: &Path, flags: c_int) -> io::Result<OwnedFd> {
    open_by_handle_after(path, Path::new("/"), flags, || Ok(()))
}

/// The same on the file system that is mounted at a path, after something that comes between.
pub fn open_by_handle_after(path: &Path, mount: &Path, flags: c_int, between: impl FnOnce() -> io::Result<()>) -> io::Result<OwnedFd> {
    let path = c(path)?;
    // struct file_handle: size, type, bytes
    let mut handle = [0u32; 34];
    handle[0] = 128;
    let mut id: c_int = 0;
    // SAFETY: the handle has room for the 128 bytes it declares.
    let named = unsafe { libc::syscall(libc::SYS_name_to_handle_at, libc::AT_FDCWD, path.as_ptr(), handle.as_mut_ptr(), &raw mut id, 0) };
    check(named)?;
    let root = open(mount, libc::O_RDONLY, 0)?;
    between()?;
    // SAFETY: the handle is the one that the kernel has filled.
    owned(unsafe { libc::syscall(libc::SYS_open_by_handle_at, root.as_raw_fd(), handle.as_ptr(), flags) })
}

/// mount(2).
pub fn mount(source: &Path, target: &Path, kind: &CStr, flags: u64) -> io::Result<()> {
    let (source, target) = (c(source)?, c(target)?);
    let none = std::ptr::null();
    // SAFETY: terminated strings; no data.
    done(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, none) })
}

/// Mounts the file system of FUSE that is served by the device, for everybody.
pub fn mount_fuse(device: &File, target: &Path) -> io::Result<()> {
    let target = c(target)?;
    let options = CString::new(format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd()))?;
    // SAFETY: terminated strings.
    done(unsafe { libc::mount(c"none".as_ptr(), target.as_ptr(), c"fuse".as_ptr(), 0, options.as_ptr().cast()) })
}

/// The number by which a server of FUSE says that a file is another one (FUSE_DEV_IOC_BACKING_OPEN).
pub fn pass_on(device: &File, file: &File) -> io::Result<u32> {
    const BACKING_OPEN: libc::c_ulong = 0x4010_e501;
    let mut map = [0_u8; 16];
    map[..4].copy_from_slice(&file.as_raw_fd().to_le_bytes());
    // SAFETY: a `struct fuse_backing_map`, which the kernel reads.
    let number = check(c_long::from(unsafe { libc::ioctl(device.as_raw_fd(), BACKING_OPEN, map.as_ptr()) }))?;
    u32::try_from(number).map_err(io::Error::other)
}

/// umount2(2) that waits for nobody.
pub fn unmount_lazily(target: &Path) -> io::Result<()> {
    let target = c(target)?;
    // SAFETY: a terminated path.
    done(unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) })
}

/// open_tree(2) that clones the mount: a detached mount.
pub fn clone_tree(path: &Path) -> io::Result<OwnedFd> {
    const CLONE: c_int = 1;
    let path = c(path)?;
    // SAFETY: a terminated path.
    owned(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), CLONE | libc::O_CLOEXEC) })
}

/// mount_setattr(2) that lets nobody write to a detached mount.
pub fn make_read_only(tree: &OwnedFd) -> io::Result<()> {
    const EMPTY_PATH: c_int = 0x1000;
    // What is set, what is cleared, propagation, a user namespace.
    let attributes: [u64; 4] = [1, 0, 0, 0];
    let size = std::mem::size_of_val(&attributes);
    // SAFETY: a terminated path, and as many bytes as are said.
    let result = unsafe { libc::syscall(libc::SYS_mount_setattr, tree.as_raw_fd(), c"".as_ptr(), EMPTY_PATH, attributes.as_ptr(), size) };
    check(result).map(drop)
}

/// move_mount(2) of a detached mount onto a path.
pub fn attach_tree(tree: &OwnedFd, target: &Path) -> io::Result<()> {
    const EMPTY_FROM_PATH: c_int = 4;
    let target = c(target)?;
    // SAFETY: terminated paths.
    let result =
        unsafe { libc::syscall(libc::SYS_move_mount, tree.as_raw_fd(), c"".as_ptr(), libc::AT_FDCWD, target.as_ptr(), EMPTY_FROM_PATH) };
    check(result).map(drop)
}

/// openat(2) relative to a descriptor.
pub fn open_at(folder: &OwnedFd, name: &CStr, flags: c_int) -> io::Result<OwnedFd> {
    // SAFETY: a terminated name.
    owned(c_long::from(unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), flags) }))
}

/// Stops what a terminal still has to send, or lets it go on.
pub fn let_terminal_send(terminal: &impl AsRawFd, send: bool) -> io::Result<()> {
    // SAFETY: a descriptor that lives and a number.
    done(unsafe { libc::tcflow(terminal.as_raw_fd(), if send { libc::TCOON } else { libc::TCOOFF }) })
}

/// unshare(2).
pub fn unshare(flags: c_int) -> io::Result<()> {
    // SAFETY: plain numbers.
    done(unsafe { libc::unshare(flags) })
}

/// memfd_create(2).
pub fn memfd() -> io::Result<OwnedFd> {
    // SAFETY: a terminated name.
    owned(c_long::from(unsafe { libc::memfd_create(c"attack".as_ptr(), libc::MFD_CLOEXEC) }))
}

/// Maps one private page of a file, then asks for `more` rights on it.
pub fn map(file: &impl AsRawFd, rights: c_int, more: Option<c_int>) -> io::Result<()> {
    const PAGE: usize = 4096;
    let none = std::ptr::null_mut();
    // SAFETY: a new mapping at an address of the kernel's choice.
    let at = unsafe { libc::mmap(none, PAGE, rights, libc::MAP_PRIVATE, file.as_raw_fd(), 0) };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    if let Some(rights) = more {
        // SAFETY: the page that has just been mapped, which nothing points into.
        return done(unsafe { libc::mprotect(at, PAGE, rights) });
    }
    Ok(())
}

/// Maps huge pages of its own that can be run, as a JIT does.
pub fn map_huge(length: usize) -> io::Result<()> {
    let (rights, kind) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB);
    // SAFETY: a new mapping at an address of the kernel's choice.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), length, rights, kind, -1, 0) };
    if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A page of counters that forked children share.
pub fn shared_page<T>() -> io::Result<&'static T> {
    let size = size_of::<T>();
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    let none = std::ptr::null_mut();
    // SAFETY: a new mapping at an address of the kernel's choice.
    let at = unsafe { libc::mmap(none, size, rights, kind, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: page-aligned, zeroed, never unmapped; callers hold atomics in it,
    // for which zero is a value.
    Ok(unsafe { &*at.cast::<T>() })
}

/// Nanoseconds of the monotonic clock.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: one struct to write to; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// Loads a program for the LSM hook that the kernel's type `hook` names, and attaches it for as long as the descriptor
/// lives.
pub fn attach_lsm(program: &[u64], hook: u32) -> io::Result<OwnedFd> {
    const TYPE_LSM: u32 = 29;
    const ATTACH_LSM_MAC: u32 = 27;
    attach(program, TYPE_LSM, ATTACH_LSM_MAC, hook)
}

/// The same for an iterator, whose link changes no code of the kernel.
pub fn attach_iterator(program: &[u64], iterator: u32) -> io::Result<OwnedFd> {
    const TYPE_TRACING: u32 = 26;
    const ATTACH_TRACE_ITER: u32 = 28;
    attach(program, TYPE_TRACING, ATTACH_TRACE_ITER, iterator)
}

fn attach(program: &[u64], kind: u32, to: u32, function: u32) -> io::Result<OwnedFd> {
    const LINK_CREATE: c_int = 28;
    let mut load = loading(program, kind);
    (load[17], load[27]) = (to, function);
    let loaded = bpf(PROG_LOAD, &load)?;
    bpf(LINK_CREATE, &[loaded.as_raw_fd() as u32, 0, to, 0])
}

const PROG_LOAD: c_int = 5;

/// union bpf_attr as words of 32 bits; addresses take two.
fn loading(program: &[u64], kind: u32) -> [u32; 36] {
    let mut load = [0; 36];
    (load[0], load[1]) = (kind, program.len() as u32);
    [load[2], load[3]] = halves(program.as_ptr().cast());
    [load[4], load[5]] = halves(c"GPL".as_ptr().cast());
    load
}

fn halves(pointer: *const c_void) -> [u32; 2] {
    [pointer as usize as u32, ((pointer as usize as u64) >> 32) as u32]
}

fn bpf(command: c_int, attr: &[u32]) -> io::Result<OwnedFd> {
    // SAFETY: the attributes are readable for their whole size, and what they point to outlives the call.
    owned(unsafe { libc::syscall(libc::SYS_bpf, command, attr.as_ptr(), size_of_val(attr)) })
}

/// What one program in the kernel has cost so far.
#[derive(Clone, Debug)]
pub struct Cost {
    /// The kernel's number for it.
    pub id: u32,
    /// Its name, cut to 15 bytes.
    pub name: String,
    /// How often it ran, and for how many nanoseconds in all, while the kernel counted.
    pub runs: u64,
    /// See `runs`.
    pub nanoseconds: u64,
}

/// Every program that is loaded.
pub fn program_costs() -> io::Result<Vec<Cost>> {
    const NEXT_ID: c_int = 11;
    const FD_BY_ID: c_int = 13;
    const INFO_BY_FD: c_int = 15;
    let call = |command: c_int, attr: &mut [u32]| {
        let (size, attr) = (size_of_val(attr), attr.as_mut_ptr());
        // SAFETY: the attributes are readable and writable for their whole size, and what they point to outlives the call.
        unsafe { libc::syscall(libc::SYS_bpf, command, attr, size) }
    };
    let mut all = Vec::new();
    let mut attr = [0u32; 3];
    while call(NEXT_ID, &mut attr) == 0 {
        let id = attr[1];
        let program = owned(call(FD_BY_ID, &mut [id, 0, 0]))?;
        // struct bpf_prog_info as 64-bit words: the name at 8, time at 24, runs at 25.
        let mut info = [0u64; 29];
        let address = info.as_mut_ptr() as usize as u64;
        let mut query = [program.as_raw_fd() as u32, size_of_val(&info) as u32, address as u32, (address >> 32) as u32];
        check(call(INFO_BY_FD, &mut query))?;
        let name: Vec<u8> = info[8..10].iter().flat_map(|word| word.to_le_bytes()).take_while(|byte| *byte != 0).collect();
        let name = String::from_utf8_lossy(&name).into_owned();
        all.push(Cost { id, name, runs: info[25], nanoseconds: info[24] });
        attr = [id, 0, 0];
    }
    Ok(all)
}
