//! Everything the loader asks of the kernel, behind [`Kernel`]: `real` makes the system calls, `fake` is for tests.
//! The only folder of the crate with `unsafe` code.

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
pub mod fake;
pub mod ops;
mod raw;
pub mod real;
mod ring;

use std::ffi::CStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A failed system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SysError {
    /// What was called, for the message.
    pub call: &'static str,
    /// The error number.
    pub errno: i32,
}

/// Result of a system call.
pub type SysResult<T> = Result<T, SysError>;

impl SysError {
    /// What can be done about this error number in general.
    pub fn advice(&self) -> String {
        match self.errno {
            libc::EPERM | libc::EACCES => "run as root in the initial namespaces (CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN are needed)",
            libc::ENOMEM | libc::E2BIG => "the host has too little memory for the policy's tables; make them smaller or free memory",
            libc::ENOSPC => "free some space in /run, or unload other programs of the hook",
            libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS => {
                "the kernel may be too old or lack an option: it takes 6.1 or later with CONFIG_BPF_LSM=y and CONFIG_DEBUG_INFO_BTF=y"
            }
            libc::ENOENT => "check that the path is right and that /proc, /sys and /run are mounted",
            _ => "nothing was left attached; try again",
        }
        .to_owned()
    }
}

impl fmt::Display for SysError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = std::io::Error::from_raw_os_error(self.errno).to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        write!(out, "{}: {}", self.call, text.to_lowercase())
    }
}

/// A descriptor's number, as instructions name it; the owner closes it on drop.
pub trait Number {
    /// The number, at least 0 while open.
    fn number(&self) -> i32;
}

/// A map to be made. Names hold what the kernel allows in names, at most 15 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapSpec {
    /// Name inside the object.
    pub name: String,
    /// `BPF_MAP_TYPE_*`
    pub kind: u32,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Entries, or bytes of a ring.
    pub max_entries: u32,
    /// `BPF_F_*`
    pub flags: u32,
}

/// Which attach point a program is verified for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgKind {
    /// LSM hook.
    Lsm,
    /// LSM hook, sleepable.
    LsmSleepable,
    /// Iterator over tasks.
    Iter,
}

/// A program to be loaded; descriptors are already in its instructions.
#[derive(Clone, Debug)]
pub struct ProgSpec<'a> {
    /// Name inside the object.
    pub name: &'a str,
    /// Attach point.
    pub kind: ProgKind,
    /// BTF id of the kernel function that stands for the attach point.
    pub attach_btf_id: u32,
    /// Instructions, 8 bytes each.
    pub instructions: &'a [u8],
    /// `func_info` records, 8 bytes each.
    pub func_info: &'a [u8],
    /// `line_info` records, 16 bytes each.
    pub line_info: &'a [u8],
    /// The object's license; some helpers are for GPL-compatible programs only.
    pub license: &'a CStr,
    /// The object's BTF in the kernel; -1 for none.
    pub btf: i32,
}

/// `BPF_LOG_STATS`: the verifier's numbers only, and its last word on a refusal.
pub const LOG_STATS: u32 = 4;
/// `BPF_LOG_LEVEL1`: every step.
pub const LOG_STEPS: u32 = 1;

/// What the kernel says about a loaded program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgInfo {
    /// Kernel's id.
    pub id: u32,
    /// Digest of the instructions, hex.
    pub tag: String,
    /// Instructions after the verifier's rewriting.
    pub translated: u32,
}

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// A folder that something is mounted on as soon as it is gone into.
    Automount,
    /// Anything else.
    Other,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub kind: Kind,
    /// The number of the mount that shows it; 0 if the kernel does not say.
    pub mount: u64,
}

/// A prepared child; dropping it ends it.
pub trait Canary {
    /// Its process id.
    fn pid(&self) -> u32;
    /// Lets it try everything; an answer for each operation, in their order.
    fn run(&mut self) -> Vec<ops::Answer>;
}

/// A reader of the event ring.
pub trait Ring {
    /// Takes the records that are there, at most so many, and frees their room.
    fn take(&mut self, max: u64) -> Vec<Vec<u8>>;
    /// Waits until there may be more, at most so long.
    fn wait(&self, milliseconds: i32) -> SysResult<()>;
}

/// The kernel as the loader sees it. Each method is one step that can fail.
pub trait Kernel {
    /// An owned descriptor.
    type Fd: Number;

    /// `uname -r`
    fn release(&self) -> String;
    /// Names of the active security modules; `None` if the kernel does not say.
    fn security_modules(&self) -> Option<Vec<String>>;
    /// Whether the kernel is locked down so that programs may not read its memory; false if it does not say.
    fn confidential(&self) -> bool;
    /// The kernel's own type information.
    fn kernel_btf(&self) -> SysResult<Vec<u8>>;
    /// Whether a bpf file system is mounted at this folder.
    fn is_bpffs(&self, path: &Path) -> bool;

    /// Whether process 1 finds the same file system at this path.
    fn is_of_process_1(&self, path: &Path) -> SysResult<bool>;
    /// Names of all LSM programs that links attach now, whoever made these, cut at 15 bytes.
    fn attached(&self) -> SysResult<Vec<String>>;

    /// Loads an object's type information.
    fn btf_load(&mut self, btf: &[u8]) -> SysResult<Self::Fd>;
    /// Makes a map.
    fn map_create(&mut self, spec: &MapSpec) -> SysResult<Self::Fd>;
    /// Writes one entry.
    fn map_update(&mut self, map: &Self::Fd, key: &[u8], value: &[u8]) -> SysResult<()>;
    /// Reads one entry into `value`, whose length is the map's value size; false if it is absent.
    fn map_lookup(&mut self, map: &Self::Fd, key: &[u8], value: &mut [u8]) -> SysResult<bool>;
    /// Bytes of a value of a map.
    fn map_value_size(&mut self, map: &Self::Fd) -> SysResult<usize>;
    /// How many entries a map has.
    fn map_count(&mut self, map: &Self::Fd, key_size: usize) -> SysResult<u64>;
    /// From now on no system call may change the map.
    fn map_freeze(&mut self, map: &Self::Fd) -> SysResult<()>;
    /// Bytes of kernel memory, as far as the kernel says.
    fn map_memory(&mut self, map: &Self::Fd) -> u64;
    /// Verifies and loads a program. The verifier's text goes to `log`, whose length is its room.
    fn prog_load(&mut self, spec: &ProgSpec<'_>, log_level: u32, log: &mut Vec<u8>) -> SysResult<Self::Fd>;
    /// Starts to read an event ring.
    fn ring(&mut self, map: Self::Fd) -> SysResult<Box<dyn Ring>>;
    /// What the kernel says about a program.
    fn prog_info(&mut self, prog: &Self::Fd) -> SysResult<ProgInfo>;
    /// Attaches an LSM program; it runs as long as the link is open or pinned.
    fn attach(&mut self, prog: &Self::Fd) -> SysResult<Self::Fd>;
    /// The program that a link runs.
    fn link_prog(&mut self, link: &Self::Fd) -> SysResult<ProgInfo>;
    /// Runs an iterator program over all tasks.
    fn run_iterator(&mut self, prog: &Self::Fd) -> SysResult<()>;
    /// Does nothing for a while.
    fn pause(&mut self, time: Duration);

    /// Pins a map or link at a path of the bpf file system.
    fn pin(&mut self, fd: &Self::Fd, path: &Path) -> SysResult<()>;
    /// Opens what is pinned at a path.
    fn open_pin(&mut self, path: &Path) -> SysResult<Self::Fd>;
    /// Removes a pin or file; it is no error if it is gone.
    fn remove_file(&mut self, path: &Path) -> SysResult<()>;
    /// Waits for, and takes, the lock that keeps two loaders apart; it ends with the descriptor.
    fn lock(&mut self, path: &Path) -> SysResult<Self::Fd>;
    /// The same, but fails if another has the lock.
    fn try_lock(&mut self, path: &Path) -> SysResult<Self::Fd>;
    /// Makes a folder that only root can enter.
    fn make_dir(&mut self, path: &Path) -> SysResult<()>;
    /// Removes an empty folder; it is no error if it is gone.
    fn remove_dir(&mut self, path: &Path) -> SysResult<()>;
    /// Renames a file or folder.
    fn rename(&mut self, from: &Path, to: &Path) -> SysResult<()>;
    /// What is in a folder, sorted; nothing if the folder is not there.
    fn list(&self, path: &Path) -> SysResult<Vec<PathBuf>>;
    /// Writes a file that only root can read, so that it is there whole or not at all.
    fn write_file(&mut self, path: &Path, bytes: &[u8]) -> SysResult<()>;
    /// Reads a file of at most `limit` bytes.
    fn read_file(&self, path: &Path, limit: u64) -> SysResult<Vec<u8>>;

    /// What a path's last component is, a link itself; mounts nothing and does not wait for a server's news.
    fn look(&self, path: &Path) -> SysResult<Seen>;
    /// Where a link leads.
    fn read_link(&self, path: &Path) -> SysResult<PathBuf>;
    /// Writes a line to the kernel's log, from where the system's log takes it.
    fn log(&mut self, line: &str) -> SysResult<()>;

    /// Forks a child that will try the operations with these numbers in [`ops::OPERATIONS`], and prepares it; nothing
    /// is tried yet. The child mounts over `folder` in a mount namespace of its own.
    fn canary(&mut self, folder: &Path, operations: &[usize]) -> SysResult<Box<dyn Canary>>;
    /// Path of the cgroup with this id below the root of the unified hierarchy; `None` if it is gone or there is no such
    /// hierarchy.
    fn cgroup_path(&self, id: u64) -> Option<String>;
    /// Nanoseconds since 1970, and since boot (time asleep included), which is the clock of reports.
    fn clocks(&self) -> (u64, u64);
}
