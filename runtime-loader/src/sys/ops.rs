//! The canary: a child process that does one harmless thing for each hook, in a mount namespace and a file system of
//! its own, and tells the error number of each. The table [`OPERATIONS`] is all that it knows of hooks.
#![allow(unsafe_code, reason = "system calls; each use says why it is sound")]

use super::raw::last_error;
use super::{SysError, SysResult};
use std::ffi::CStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

/// One harmless thing to do that reaches a hook.
pub struct Operation {
    /// The hook's name.
    pub hook: &'static str,
    /// What is done, for messages.
    pub what: &'static str,
    /// Does it; the result of the system call, or [`OUT_OF_REACH`].
    run: fn(&Scene) -> i64,
}

/// The host has no way to reach the hook (no 32-bit system calls).
pub const OUT_OF_REACH: i64 = i64::MIN;

/// What happened to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The system call succeeded.
    Done,
    /// It failed with this error number.
    Errno(i32),
    /// The host has no way to reach the hook.
    OutOfReach,
    /// The child said nothing about it: it died or executed another program.
    Silent,
}

macro_rules! operations {
    ($($hook:literal, $what:literal => $run:expr;)*) => {
        /// All operations. Executing comes last: if it succeeds, the child is gone.
        pub const OPERATIONS: &[Operation] = &[$(Operation { hook: $hook, what: $what, run: $run }),*];
    };
}

const FILE: &CStr = c"file";
const EXECUTE: i32 = libc::PROT_READ | libc::PROT_EXEC;

// SAFETY of all system calls in this table: strings are C literals; pointers are to live values of the right type and
// length; descriptors belong to the scene. None of the calls replaces memory of ours.
operations! {
    "file_open", "open a file" => |_| unsafe { libc::open(FILE.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) }.into();
    "path_mknod", "create a file" => |_| unsafe { libc::mknod(c"new_file".as_ptr(), libc::S_IFREG | 0o600, 0) }.into();
    "path_mkdir", "make a folder" => |_| unsafe { libc::mkdir(c"new_folder".as_ptr(), 0o700) }.into();
    "path_symlink", "make a symbolic link" => |_| unsafe { libc::symlink(FILE.as_ptr(), c"new_symlink".as_ptr()) }.into();
    "path_link", "make a hard link" => |_| unsafe { libc::link(FILE.as_ptr(), c"new_link".as_ptr()) }.into();
    "path_rename", "rename a file" => |_| unsafe { libc::rename(c"old".as_ptr(), c"renamed".as_ptr()) }.into();
    "path_unlink", "remove a file" => |_| unsafe { libc::unlink(c"remove".as_ptr()) }.into();
    "path_rmdir", "remove a folder" => |_| unsafe { libc::rmdir(c"remove_folder".as_ptr()) }.into();
    "path_truncate", "truncate a file by name" => |_| unsafe { libc::truncate(FILE.as_ptr(), 4096) }.into();
    "file_truncate", "truncate an open file" => |s| unsafe { libc::ftruncate(s.file, 4096) }.into();
    "path_chmod", "change permission bits" => |_| unsafe { libc::chmod(FILE.as_ptr(), 0o600) }.into();
    "path_chown", "change the owner" => |_| unsafe { libc::chown(FILE.as_ptr(), 0, 0) }.into();
    "inode_setattr", "change times" => |_| unsafe { libc::utimensat(libc::AT_FDCWD, FILE.as_ptr(), std::ptr::null(), 0) }.into();
    "inode_setxattr", "set an attribute" => |_| set_attribute(c"trusted.ebsec", b"1");
    "inode_removexattr", "remove an attribute" => |_| unsafe { libc::removexattr(FILE.as_ptr(), c"trusted.ebsec".as_ptr()) }.into();
    "inode_set_acl", "set an access list" => |_| set_attribute(c"system.posix_acl_access", &ACL);
    "inode_remove_acl", "remove an access list" => |_| unsafe { libc::removexattr(FILE.as_ptr(), c"system.posix_acl_access".as_ptr()) }.into();
    "inode_file_setattr", "set file flags by name" => file_setattr;
    "file_ioctl", "set file flags" => |s| unsafe { libc::ioctl(s.file, SETFLAGS, &raw const s.flags) }.into();
    "file_ioctl_compat", "set file flags by a 32-bit call" => |s| if s.compat { compat::set_flags(s.file) } else { OUT_OF_REACH };
    "sb_mount", "bind-mount a folder on itself" => |_| bind(c"mount", c"mount");
    "move_mount", "move a mount" => move_mount;
    "mmap_file", "map a file as a program" => map_file;
    "file_mprotect", "make a mapping executable" => |s| unsafe { libc::mprotect(s.mapping, 1, EXECUTE) }.into();
    "socket_connect", "connect to 127.0.0.1:9" => |s| unsafe { libc::connect(s.socket, (&raw const s.peer).cast(), s.peer_size()) }.into();
    "socket_sendmsg", "send to 127.0.0.1:9" => |s| {
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        unsafe { libc::sendto(s.socket, b"x".as_ptr().cast(), 1, flags, (&raw const s.peer).cast(), s.peer_size()) as i64 }
    };
    "socket_setsockopt", "set empty options of IPv4" => |s| unsafe {
        libc::setsockopt(s.socket, libc::IPPROTO_IP, libc::IP_OPTIONS, std::ptr::null(), 0)
    }.into();
    // Where a rule is about `hook.socket_connect` or `hook.socket_sendmsg` itself, that hook refuses before these two.
    "unix_stream_connect", "connect to a Unix socket" => |s| s.unix.connect();
    "unix_may_send", "send to a Unix socket" => |s| s.unix.send();
    "sb_kern_mount", "mount a file system of its own" => |_| create_file_system();
    "userns_create", "make a user namespace" => |_| create_user_namespace();
    "bprm_check_security", "execute the loader" => |_| execute();
}

/// FS_IOC_SETFLAGS, FS_IOC_GETFLAGS (linux/fs.h).
const SETFLAGS: libc::Ioctl = 0x4008_6602;
const GETFLAGS: libc::Ioctl = 0x8008_6601_u32 as libc::Ioctl;
/// file_getattr and file_setattr (6.17 and later).
const FILE_GETATTR: i64 = 468;
const FILE_SETATTR: i64 = 469;

/// An access list that says what mode 0600 says: version 2; owner rw, group and others nothing.
const ACL: [u8; 28] = [
    2, 0, 0, 0, //
    1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, //
    4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, //
    32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
];

/// What the operations work on, made before the canary is armed. The working folder is an empty file system.
struct Scene {
    file: i32,
    flags: libc::c_long,
    /// `struct file_attr`, as it is.
    attributes: [u64; 3],
    mapping: *mut libc::c_void,
    socket: i32,
    peer: libc::sockaddr_in,
    unix: Unix,
    compat: bool,
}

impl Scene {
    fn peer_size(&self) -> libc::socklen_t {
        size_of_val(&self.peer) as libc::socklen_t
    }

    /// Goes into a mount namespace of its own, mounts an empty file system over `folder` there, and fills it.
    fn prepare(folder: &CStr) -> SysResult<Self> {
        let private = libc::MS_REC | libc::MS_PRIVATE;
        // SAFETY: for this function: C strings and live buffers only, as in the table above.
        unsafe {
            check("unshare", libc::unshare(libc::CLONE_NEWNS).into())?;
            check("mount", libc::mount(c"none".as_ptr(), c"/".as_ptr(), std::ptr::null(), private, std::ptr::null()).into())?;
            let (tmpfs, data) = (c"tmpfs".as_ptr(), c"size=1m,mode=0700".as_ptr());
            check("mount", libc::mount(tmpfs, folder.as_ptr(), tmpfs, libc::MS_NOSUID, data.cast()).into())?;
            check("chdir", libc::chdir(folder.as_ptr()).into())?;
            for name in [c"remove_folder", c"mount", c"move_from", c"move_to"] {
                check("mkdir", libc::mkdir(name.as_ptr(), 0o700).into())?;
            }
        }
        for name in ["file", "old", "remove"] {
            std::fs::write(name, [0; 4096]).map_err(|e| SysError { call: "write", errno: e.raw_os_error().unwrap_or(libc::EIO) })?;
        }
        check("mount", bind(c"move_from", c"move_from"))?;
        set_attribute(c"trusted.ebsec", b"0");
        Self::open()
    }

    fn open() -> SysResult<Self> {
        // SAFETY: as above; the mapping is new and at an address of the kernel's choice.
        unsafe {
            let file = check("open", libc::open(FILE.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC).into())? as i32;
            let mut flags: libc::c_long = 0;
            libc::ioctl(file, GETFLAGS, &raw mut flags);
            let mut attributes = [0u64; 3];
            libc::syscall(FILE_GETATTR, libc::AT_FDCWD, FILE.as_ptr(), attributes.as_mut_ptr(), size_of_val(&attributes), 0);
            let mapping = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ, libc::MAP_PRIVATE, file, 0);
            check("mmap", if mapping == libc::MAP_FAILED { -1 } else { 0 })?;
            let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
            // A host without IPv4 has no such socket; then the calls on it fail, and the hook counts as not proved.
            let socket = libc::socket(libc::AF_INET, kind, 0);
            let address = libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) };
            let family = libc::AF_INET as libc::sa_family_t;
            let peer = libc::sockaddr_in { sin_family: family, sin_port: 9u16.to_be(), sin_addr: address, sin_zero: [0; 8] };
            Ok(Self { file, flags, attributes, mapping, socket, peer, unix: Unix::bind()?, compat: compat::available() })
        }
    }
}

/// Unix sockets in the working folder, which nobody else can reach.
struct Unix {
    _stream: UnixListener,
    _datagram: UnixDatagram,
    connecting: OwnedFd,
    sending: OwnedFd,
}

impl Unix {
    fn bind() -> SysResult<Self> {
        let error = |e: std::io::Error| SysError { call: "bind", errno: e.raw_os_error().unwrap_or(libc::EIO) };
        let socket = |kind| {
            // SAFETY: plain numbers; a descriptor that is not negative is new and nobody else's.
            let number = check("socket", unsafe { libc::socket(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0) }.into())?;
            SysResult::Ok(unsafe { OwnedFd::from_raw_fd(number as i32) })
        };
        Ok(Self {
            _stream: UnixListener::bind("stream").map_err(error)?,
            _datagram: UnixDatagram::bind("datagram").map_err(error)?,
            connecting: socket(libc::SOCK_STREAM)?,
            sending: socket(libc::SOCK_DGRAM)?,
        })
    }

    fn address(name: &[u8]) -> (libc::sockaddr_un, libc::socklen_t) {
        let mut address = libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path: [0; 108] };
        for (to, from) in address.sun_path.iter_mut().zip(name) {
            *to = from.cast_signed();
        }
        (address, size_of::<libc::sockaddr_un>() as libc::socklen_t)
    }

    fn connect(&self) -> i64 {
        let (address, size) = Self::address(b"stream");
        // SAFETY: a live address of that size.
        unsafe { libc::connect(self.connecting.as_raw_fd(), (&raw const address).cast(), size) }.into()
    }

    fn send(&self) -> i64 {
        let (address, size) = Self::address(b"datagram");
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        let byte = b"x".as_ptr().cast();
        // SAFETY: one byte to read, and a live address of that size.
        unsafe { libc::sendto(self.sending.as_raw_fd(), byte, 1, flags, (&raw const address).cast(), size) as i64 }
    }
}

/// By fsopen and fsconfig: mount itself is refused by `sb_mount` first, where a rule is about that.
fn create_file_system() -> i64 {
    const CLOSE_ON_EXEC: i32 = 1;
    const CREATE: i32 = 6;
    let none = std::ptr::null::<u8>();
    // SAFETY: a C string, and null where the call wants nothing; the descriptor is new and closed here.
    unsafe {
        let context = libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), CLOSE_ON_EXEC);
        if context < 0 {
            return context;
        }
        let context = OwnedFd::from_raw_fd(context as i32);
        libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), CREATE, none, none, 0)
    }
}

/// A host may have none to give (`user.max_user_namespaces`).
fn create_user_namespace() -> i64 {
    // SAFETY: a plain number; the child has one thread and shares nothing with its parent.
    let result = unsafe { libc::unshare(libc::CLONE_NEWUSER) };
    let none_left = result < 0 && [libc::ENOSPC, libc::EUSERS, libc::EINVAL].contains(&last_error("unshare").errno);
    if none_left { OUT_OF_REACH } else { result.into() }
}

fn check(call: &'static str, result: i64) -> SysResult<i64> {
    if result < 0 { Err(last_error(call)) } else { Ok(result) }
}

fn set_attribute(name: &CStr, value: &[u8]) -> i64 {
    // SAFETY: C strings and a live buffer of the named length.
    unsafe { libc::setxattr(FILE.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) }.into()
}

fn bind(from: &CStr, to: &CStr) -> i64 {
    // SAFETY: C strings; the call ignores the null pointers for a bind mount.
    unsafe { libc::mount(from.as_ptr(), to.as_ptr(), std::ptr::null(), libc::MS_BIND, std::ptr::null()) }.into()
}

fn move_mount(_: &Scene) -> i64 {
    let at = libc::AT_FDCWD;
    // SAFETY: C strings.
    unsafe { libc::syscall(libc::SYS_move_mount, at, c"move_from".as_ptr(), at, c"move_to".as_ptr(), 0) }
}

fn map_file(scene: &Scene) -> i64 {
    // SAFETY: a new mapping at an address of the kernel's choice.
    let mapping = unsafe { libc::mmap(std::ptr::null_mut(), 4096, EXECUTE, libc::MAP_PRIVATE, scene.file, 0) };
    if mapping == libc::MAP_FAILED { -1 } else { 0 }
}

fn file_setattr(scene: &Scene) -> i64 {
    let attributes = &scene.attributes;
    // SAFETY: a C string and a live buffer of the named length.
    unsafe { libc::syscall(FILE_SETATTR, libc::AT_FDCWD, FILE.as_ptr(), attributes.as_ptr(), size_of_val(attributes), 0) }
}

fn execute() -> i64 {
    let args = [c"ebsec-load".as_ptr(), c"canary-nothing".as_ptr(), std::ptr::null()];
    let environment = [std::ptr::null()];
    // SAFETY: a C string and null-terminated lists of C strings.
    unsafe { libc::execve(c"/proc/self/exe".as_ptr(), args.as_ptr(), environment.as_ptr()) }.into()
}

/// System calls by the gate of 32-bit programs, which reach `file_ioctl_compat` from a 64-bit one.
#[cfg(target_arch = "x86_64")]
mod compat {
    const GETPID: u64 = 20;
    const IOCTL: u64 = 54;
    /// FS_IOC32_SETFLAGS
    const SETFLAGS: u64 = 0x4004_6602;

    /// # Safety
    /// The call must be one that touches no memory of ours beyond what its arguments name.
    unsafe fn call(number: u64, a: u64, b: u64, c: u64) -> i64 {
        let result: u64;
        // SAFETY: `rbx` is put back, all that the gate may change is named.
        unsafe {
            std::arch::asm!(
                "xchg rbx, {a}", "int 0x80", "xchg rbx, {a}",
                a = inout(reg) a => _, inout("rax") number => result, in("rcx") b, in("rdx") c,
                out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            );
        }
        i64::from(result as u32 as i32)
    }

    /// Whether the kernel takes such calls; a grandchild finds out, for it dies if not.
    pub fn available() -> bool {
        let mut status = 0;
        // SAFETY: the process has one thread; the grandchild makes one harmless call and ends. `status` lives here.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(i32::from(call(GETPID, 0, 0, 0) <= 0));
            }
            child > 0 && libc::waitpid(child, &raw mut status, 0) == child && status == 0
        }
    }

    /// Sets a file's flags to none, in this way.
    pub fn set_flags(file: i32) -> i64 {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
        // SAFETY: a new page of zeros whose address fits 32 bits; the call reads four bytes of it.
        let result = unsafe {
            let page = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ, flags, -1, 0);
            if page == libc::MAP_FAILED {
                return -1;
            }
            call(IOCTL, file.unsigned_abs().into(), SETFLAGS, page as u64)
        };
        if result < 0 {
            // SAFETY: the thread's own error number.
            unsafe { *libc::__errno_location() = i32::try_from(-result).unwrap_or(libc::EIO) };
            return -1;
        }
        result
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod compat {
    pub fn available() -> bool {
        false
    }
    pub fn set_flags(_: i32) -> i64 {
        super::OUT_OF_REACH
    }
}

/// The child, prepared and waiting. Dropping it ends it.
pub struct Canary {
    pid: i32,
    go: Option<File>,
    answers: File,
    count: usize,
}

impl Canary {
    /// Forks the child and waits until it is prepared. `folder` must be there; the child mounts over it, unseen by
    /// others. The operations are numbers in [`OPERATIONS`].
    pub fn start(folder: &Path, operations: &[usize]) -> SysResult<Self> {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = std::ffi::CString::new(folder.as_os_str().as_bytes()).map_err(|_| SysError { call: "mount", errno: libc::EINVAL })?;
        let (go_in, go_out) = pipe()?;
        let (answer_in, answer_out) = pipe()?;
        // SAFETY: the loader has one thread, so the child may go on as a copy of it.
        let pid = check("fork", unsafe { libc::fork() }.into())? as i32;
        if pid == 0 {
            drop((go_out, answer_in));
            child(&folder, operations, go_in, answer_out);
            // SAFETY: ends the child without running anything else of the parent's.
            unsafe { libc::_exit(0) };
        }
        drop((go_in, answer_out));
        let mut canary = Self { pid, go: Some(go_out), answers: answer_in, count: operations.len() };
        match canary.answer() {
            Some(0) => Ok(canary),
            Some(errno) => Err(SysError { call: "preparing the canary", errno: i32::try_from(errno).unwrap_or(libc::EIO) }),
            None => Err(SysError { call: "preparing the canary", errno: libc::ECHILD }),
        }
    }

    fn answer(&mut self) -> Option<i64> {
        let mut bytes = [0; 8];
        self.answers.read_exact(&mut bytes).ok()?;
        Some(i64::from_le_bytes(bytes))
    }
}

impl super::Canary for Canary {
    fn pid(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    fn run(&mut self) -> Vec<Answer> {
        if let Some(mut go) = self.go.take() {
            // A child that is gone answers nothing, which the loop below tells.
            let _ = go.write_all(&[1]);
        }
        let answer = |canary: &mut Self| match canary.answer() {
            None => Answer::Silent,
            Some(OUT_OF_REACH) => Answer::OutOfReach,
            Some(0) => Answer::Done,
            Some(errno) => Answer::Errno(i32::try_from(errno).unwrap_or(libc::EIO)),
        };
        (0..self.count).map(|_| answer(self)).collect()
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.go = None;
        // SAFETY: our own child, not waited for yet, so the id is still its.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

fn pipe() -> SysResult<(File, File)> {
    let mut fds = [0; 2];
    // SAFETY: room for two descriptors; both are new and owned by nothing else.
    unsafe {
        check("pipe2", libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC).into())?;
        let [read, write] = fds.map(|fd| File::from(OwnedFd::from_raw_fd(fd)));
        Ok((read, write))
    }
}

/// The child's life: prepare, tell, wait, do everything, tell each.
fn child(folder: &CStr, operations: &[usize], mut go: File, mut answers: File) {
    let mut tell = |value: i64| answers.write_all(&value.to_le_bytes()).is_ok();
    let scene = match Scene::prepare(folder) {
        Ok(scene) => scene,
        Err(error) => {
            tell(error.errno.into());
            return;
        }
    };
    // The end of the pipe instead of a byte means that the loader gave up.
    if !tell(0) || go.read_exact(&mut [0]).is_err() {
        return;
    }
    for operation in operations.iter().filter_map(|i| OPERATIONS.get(*i)) {
        let answer = match (operation.run)(&scene) {
            OUT_OF_REACH => OUT_OF_REACH,
            result if result < 0 => last_error(operation.hook).errno.into(),
            _ => 0,
        };
        if !tell(answer) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hook_has_one_operation_and_executing_is_last() {
        let mut hooks: Vec<_> = OPERATIONS.iter().map(|o| o.hook).collect();
        assert_eq!(hooks.last(), Some(&"bprm_check_security"));
        hooks.sort_unstable();
        hooks.dedup();
        assert_eq!(hooks.len(), OPERATIONS.len());
    }
}
