//! Takes paths, mounts, tasks and sockets in a test's words, builds the kernel objects for them, joined as a kernel
//! joins them: what follows a short name in its dentry is garbage, the first mount namespace has an empty file system
//! below its root, a kernel's own mounts belong to no namespace. Never runs a program.

mod files;
mod mounts;

use super::super::env::Task;
use super::{Flavour, Kernel};
use std::collections::BTreeMap;

/// Namespace of mounts that are the kernel's own: an error pointer (`-EINVAL`).
const INTERNAL: u64 = (-22i64).cast_unsigned();
/// The magic number of tmpfs, and of the file systems that the stage mounts.
pub const TMPFS: u64 = 0x0102_1994;
/// The magic number of huge pages' file system.
pub const HUGETLBFS: u64 = 0x9584_58f6;
const MQUEUE: u64 = 0x1980_0202;
const S_IFDIR: u16 = 0o040_000;
/// Regular file.
pub const S_IFREG: u16 = 0o100_000;

/// A mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mount {
    /// its `struct mount`
    pub addr: u64,
    /// its `struct vfsmount`, inside
    pub vfs: u64,
    /// the dentry that it shows at its top
    pub root: u64,
    /// its `struct super_block`
    pub sb: u64,
}

/// A mount namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// its `struct mnt_namespace`
    pub addr: u64,
    /// the mount at `/`
    pub root: Mount,
}

/// A name in a mount: what a `struct path` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// the mount
    pub mount: Mount,
    /// its `struct dentry`
    pub dentry: u64,
}

/// Attributes of a file and of its open description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSpec {
    /// type and permissions of the inode
    pub mode: u16,
    /// owner
    pub uid: u32,
    /// group
    pub gid: u32,
    /// `FMODE_*` of the description
    pub f_mode: u32,
    /// `O_*` of the description
    pub f_flags: u32,
}

impl Default for FileSpec {
    fn default() -> FileSpec {
        FileSpec { mode: S_IFREG | 0o644, uid: 0, gid: 0, f_mode: 1, f_flags: 0 }
    }
}

/// A task to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSpec {
    /// thread id
    pub pid: u32,
    /// process id
    pub tgid: u32,
    /// real user id
    pub uid: u32,
    /// effective user id
    pub euid: u32,
    /// real group id
    pub gid: u32,
    /// its name
    pub comm: String,
    /// the open file that it runs; 0 for a kernel thread
    pub exe: u64,
    /// its parent's `task_struct`; 0: its own parent
    pub parent: u64,
    /// its mount namespace
    pub namespace: Option<Namespace>,
    /// its pid namespaces below the host's, the outermost first
    pub pids: Vec<u64>,
}

impl Default for TaskSpec {
    fn default() -> TaskSpec {
        let comm = "task".to_owned();
        TaskSpec { pid: 100, tgid: 100, uid: 0, euid: 0, gid: 0, comm, exe: 0, parent: 0, namespace: None, pids: Vec::new() }
    }
}

/// An emulated kernel with a file tree.
#[derive(Clone, Debug)]
pub struct World {
    /// the kernel
    pub kernel: Kernel,
    /// the initial user namespace
    pub user_ns: u64,
    /// the initial pid namespace
    pub pid_ns: u64,
    /// the initial mount namespace
    pub host: Namespace,
    children: BTreeMap<(u64, Vec<u8>), u64>,
    mounted: BTreeMap<(u64, u64), Mount>,
    members: BTreeMap<u64, Vec<u64>>,
    next_number: u64,
}

type Made<T> = Result<T, String>;

impl World {
    /// A kernel with an initial mount namespace and an empty file tree.
    pub fn new(flavour: Flavour, seed: u64) -> Made<World> {
        let mut kernel = Kernel::new(flavour, seed)?;
        let user_ns = kernel.alloc("user_namespace")?;
        let pid_ns = kernel.alloc("pid_namespace")?;
        kernel.env.registers = kernel.alloc("pt_regs")?;
        let none = Mount { addr: 0, vfs: 0, root: 0, sb: 0 };
        let mut world = World {
            kernel,
            user_ns,
            pid_ns,
            host: Namespace { addr: 0, root: none },
            children: BTreeMap::new(),
            mounted: BTreeMap::new(),
            members: BTreeMap::new(),
            next_number: 1,
        };
        // The first namespace: an empty rootfs, the real root mounted over it.
        let ns = world.bare_namespace(user_ns)?;
        let rootfs = world.file_system(ns)?;
        world.kernel.set(ns, "mnt_namespace.root", rootfs.addr)?;
        let root = world.file_system(ns)?;
        world.attach(root, Location { mount: rootfs, dentry: rootfs.root })?;
        world.host = Namespace { addr: ns, root };
        Ok(world)
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// A task; [`World::enter`] makes it the current one.
    pub fn task(&mut self, spec: &TaskSpec) -> Made<Task> {
        let k = &mut self.kernel;
        let addr = k.alloc("task_struct")?;
        let ns = spec.namespace.unwrap_or(self.host);
        let (cred, fs, nsproxy, pid) = (k.alloc("cred")?, k.alloc("fs_struct")?, k.alloc("nsproxy")?, k.pid(self.pid_ns, &spec.pids)?);
        for (field, value) in [("uid", spec.uid), ("euid", spec.euid), ("fsuid", spec.euid), ("gid", spec.gid), ("egid", spec.gid)] {
            k.set(cred, &format!("cred.{field}.val"), u64::from(value))?;
        }
        k.set(cred, "cred.user_ns", self.user_ns)?;
        for (field, value) in
            [("root.mnt", ns.root.vfs), ("root.dentry", ns.root.root), ("pwd.mnt", ns.root.vfs), ("pwd.dentry", ns.root.root)]
        {
            k.set(fs, &format!("fs_struct.{field}"), value)?;
        }
        k.set(nsproxy, "nsproxy.mnt_ns", ns.addr)?;
        k.set(nsproxy, "nsproxy.pid_ns_for_children", self.pid_ns)?;
        let mm = if spec.exe == 0 { 0 } else { k.alloc("mm_struct")? };
        if mm != 0 {
            k.set(mm, "mm_struct.exe_file", spec.exe)?;
        }
        let parent = if spec.parent == 0 { addr } else { spec.parent };
        for (field, value) in [
            ("pid", u64::from(spec.pid)),
            ("tgid", u64::from(spec.tgid)),
            ("real_parent", parent),
            ("parent", parent),
            ("group_leader", addr),
            ("thread_pid", pid),
            ("real_cred", cred),
            ("cred", cred),
            ("fs", fs),
            ("nsproxy", nsproxy),
            ("mm", mm),
        ] {
            k.set(addr, &format!("task_struct.{field}"), value)?;
        }
        let task = Task { addr, pid: spec.pid, tgid: spec.tgid, uid: spec.uid, gid: spec.gid, comm: [0; 16] }.named(&spec.comm);
        k.set_bytes(addr, "task_struct.comm", &task.comm)?;
        Ok(task)
    }

    /// Other credentials than a task's own, of the same ids; the initial user namespace's or another's.
    pub fn credentials(&mut self, task: u64, initial: bool) -> Made<u64> {
        let own = self.kernel.get(task, "task_struct.real_cred")?;
        let other = self.kernel.alloc("cred")?;
        for field in ["uid", "euid", "fsuid", "gid", "egid"].map(|f| format!("cred.{f}.val")) {
            let id = self.kernel.get(own, &field)?;
            self.kernel.set(other, &field, id)?;
        }
        let user_ns = if initial { self.user_ns } else { self.user_namespace()? };
        self.kernel.set(other, "cred.user_ns", user_ns)?;
        Ok(other)
    }

    /// Lets a task act with such credentials (`override_creds`).
    pub fn act_for_another(&mut self, task: u64, initial: bool, flags: u64) -> Made<()> {
        let other = self.credentials(task, initial)?;
        self.kernel.set(task, "task_struct.cred", other)?;
        self.kernel.set(task, "task_struct.flags", flags)
    }

    /// Makes a task the current one.
    pub fn enter(&mut self, task: Task) {
        self.kernel.env.task = task;
    }

    /// What an exec hook is given for the program in `file`.
    pub fn binprm(&mut self, file: u64) -> Made<u64> {
        let bprm = self.kernel.alloc("linux_binprm")?;
        self.kernel.set(bprm, "linux_binprm.file", file)?;
        let cred = self.kernel.alloc("cred")?;
        self.kernel.set(bprm, "linux_binprm.cred", cred)?;
        Ok(bprm)
    }

    /// A socket.
    pub fn socket(&mut self, family: u16, kind: u16, protocol: u16) -> Made<u64> {
        let (socket, sock) = (self.kernel.alloc("socket")?, self.kernel.alloc("inet_sock")?);
        self.kernel.set(socket, "socket.type", u64::from(kind))?;
        self.kernel.set(socket, "socket.sk", sock)?;
        self.kernel.set(sock, "sock.__sk_common.skc_family", u64::from(family))?;
        self.kernel.set(sock, "sock.sk_type", u64::from(kind))?;
        self.kernel.set(sock, "sock.sk_protocol", u64::from(protocol))?;
        self.kernel.set(sock, "sock.sk_socket", socket)?;
        Ok(socket)
    }

    /// A socket address in kernel memory (in a `sockaddr_storage`, garbage behind it) and its length.
    pub fn sockaddr(&mut self, ip: std::net::IpAddr, port: u16) -> (u64, u64) {
        let mut bytes = Vec::new();
        match ip {
            std::net::IpAddr::V4(ip) => {
                bytes.extend(2u16.to_le_bytes());
                bytes.extend(port.to_be_bytes());
                bytes.extend(ip.octets());
                bytes.extend([0; 8]);
            }
            std::net::IpAddr::V6(ip) => {
                bytes.extend(10u16.to_le_bytes());
                bytes.extend(port.to_be_bytes());
                bytes.extend([0; 4]);
                bytes.extend(ip.octets());
                bytes.extend([0; 4]);
            }
        }
        let len = bytes.len() as u64;
        bytes.resize(128, 0xa5);
        (self.kernel.alloc_bytes("a socket address", &bytes), len)
    }
}
