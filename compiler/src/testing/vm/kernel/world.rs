//! Takes paths, mounts, tasks and sockets in a test's words, builds the kernel objects for them, joined as a kernel
//! joins them: what follows a short name in its dentry is garbage, the first mount namespace has an empty file system
//! below its root, a kernel's own mounts belong to no namespace. Never runs a program.

use super::super::env::Task;
use super::{Flavour, Kernel};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

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

    /// A user namespace below the initial one.
    pub fn user_namespace(&mut self) -> Made<u64> {
        let ns = self.kernel.alloc("user_namespace")?;
        self.kernel.set(ns, "user_namespace.level", 1)?;
        self.kernel.set(ns, "user_namespace.parent", self.user_ns)?;
        Ok(ns)
    }

    /// A mount namespace that is owned by `user_ns`, with a file system of its own, as of a container.
    pub fn namespace(&mut self, user_ns: u64) -> Made<Namespace> {
        let addr = self.bare_namespace(user_ns)?;
        let root = self.file_system(addr)?;
        self.kernel.set(addr, "mnt_namespace.root", root.addr)?;
        Ok(Namespace { addr, root })
    }

    /// A namespace as of `open_tree` or `fsmount`: it has no number.
    pub fn anonymous_namespace(&mut self) -> Made<Namespace> {
        let ns = self.namespace(self.user_ns)?;
        let number = if self.kernel.has("mnt_namespace.seq") { "mnt_namespace.seq" } else { "mnt_namespace.ns.ns_id" };
        self.kernel.set(ns.addr, number, 0)?;
        Ok(ns)
    }

    pub(super) fn bare_namespace(&mut self, user_ns: u64) -> Made<u64> {
        let ns = self.kernel.alloc("mnt_namespace")?;
        self.kernel.set(ns, "mnt_namespace.user_ns", user_ns)?;
        let number = self.number();
        for field in ["mnt_namespace.seq", "mnt_namespace.ns.ns_id", "mnt_namespace.ns.inum"] {
            if self.kernel.has(field) {
                self.kernel.set(ns, field, number)?;
            }
        }
        Ok(ns)
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// A new file system and a mount of it in the namespace at `ns`, attached nowhere.
    pub fn file_system(&mut self, ns: u64) -> Made<Mount> {
        let sb = self.kernel.alloc("super_block")?;
        let root = self.bare_dentry(b"/")?;
        self.kernel.set(root, "dentry.d_parent", root)?;
        self.kernel.set(root, "dentry.d_sb", sb)?;
        let number = self.number();
        self.kernel.set(sb, "super_block.s_root", root)?;
        self.kernel.set(sb, "super_block.s_magic", TMPFS)?;
        self.kernel.set(sb, "super_block.s_dev", number)?;
        self.kernel.set(sb, "super_block.s_user_ns", self.user_ns)?;
        self.inode(root, FileSpec { mode: S_IFDIR | 0o755, ..FileSpec::default() })?;
        self.mount_of(sb, root, ns)
    }

    /// Another mount of a file system (`root` is any of its directories: a bind mount), attached nowhere.
    pub fn mount_of(&mut self, sb: u64, root: u64, ns: u64) -> Made<Mount> {
        let addr = self.kernel.alloc("mount")?;
        let number = self.number();
        for (field, value) in [
            ("mount.mnt_parent", addr),
            ("mount.mnt_mountpoint", root),
            ("mount.mnt_ns", ns),
            ("mount.mnt_id", number),
            ("mount.mnt.mnt_root", root),
            ("mount.mnt.mnt_sb", sb),
        ] {
            self.kernel.set(addr, field, value)?;
        }
        self.join(ns, addr)?;
        self.kernel.no_children(addr)?;
        let vfs = addr + self.kernel.offset("mount.mnt")?;
        Ok(Mount { addr, vfs, root, sb })
    }

    /// Puts a mount into its namespace's list or tree; a tree has all shapes, by the mount's number.
    fn join(&mut self, ns: u64, addr: u64) -> Made<()> {
        if ns == 0 || ns == INTERNAL {
            return Ok(());
        }
        let members = self.members.entry(ns).or_default();
        members.push(addr);
        let members = members.clone();
        self.gather(ns, &members)
    }

    /// The namespace's mounts, joined anew.
    fn gather(&mut self, ns: u64, members: &[u64]) -> Made<()> {
        self.changed(ns)?;
        if self.kernel.has("mount.mnt_node") {
            let root = self.tree(members, 0)?;
            return self.kernel.set(ns, "mnt_namespace.mounts.rb_node", root);
        }
        let (head, entry) = (ns + self.kernel.offset("mnt_namespace.list")?, self.kernel.offset("mount.mnt_list")?);
        let mut next = head;
        for addr in members.iter().rev() {
            self.kernel.set(*addr, "mount.mnt_list.next", next)?;
            next = addr + entry;
        }
        self.kernel.set(ns, "mnt_namespace.list.next", next)
    }

    /// Counts a change of a namespace's mounts. What programs remember of mounts outlives a copy of a world, so that no two
    /// changes of any of them have the same number.
    fn changed(&mut self, ns: u64) -> Made<()> {
        static EVENT: AtomicU64 = AtomicU64::new(1);
        self.kernel.set(ns, "mnt_namespace.event", EVENT.fetch_add(1, Ordering::Relaxed))
    }

    /// A binary tree of the mounts in this order; gives its root's node.
    fn tree(&mut self, members: &[u64], parent: u64) -> Made<u64> {
        // a third, not the half: no side is like the other
        let at = members.len() / 3;
        let Some((left, rest)) = members.split_at_checked(at) else { return Ok(0) };
        let Some((mount, right)) = rest.split_first() else { return Ok(0) };
        let node = mount + self.kernel.offset("mount.mnt_node")?;
        let (left, right) = (self.tree(left, node)?, self.tree(right, node)?);
        // the lowest bits are the colour
        self.kernel.set(*mount, "mount.mnt_node.__rb_parent_color", parent | (mount >> 4 & 1))?;
        self.kernel.set(*mount, "mount.mnt_node.rb_left", left)?;
        self.kernel.set(*mount, "mount.mnt_node.rb_right", right)?;
        Ok(node)
    }

    /// Mounts `mount` over a name.
    pub fn attach(&mut self, mount: Mount, over: Location) -> Made<()> {
        let ns = self.kernel.get(mount.addr, "mount.mnt_ns")?;
        if self.members.contains_key(&ns) {
            self.changed(ns)?;
        }
        self.kernel.set(mount.addr, "mount.mnt_parent", over.mount.addr)?;
        self.kernel.set(mount.addr, "mount.mnt_mountpoint", over.dentry)?;
        self.kernel.add_child(over, mount)?;
        self.mounted.insert((over.mount.addr, over.dentry), mount);
        Ok(())
    }

    /// A new file system mounted at `path`.
    pub fn mount(&mut self, ns: Namespace, path: &str) -> Made<Mount> {
        let over = self.locate(ns, path)?;
        let mount = self.file_system(ns.addr)?;
        self.attach(mount, over)?;
        Ok(mount)
    }

    /// Shows what is at `from` also at `to`.
    pub fn bind(&mut self, ns: Namespace, from: &str, to: &str) -> Made<Mount> {
        let (from, over) = (self.locate(ns, from)?, self.locate(ns, to)?);
        let mount = self.mount_of(from.mount.sb, from.dentry, ns.addr)?;
        self.attach(mount, over)?;
        Ok(mount)
    }

    /// Shows what is at `from` of one namespace at `to` of another one.
    pub fn bind_into(&mut self, from: Location, ns: Namespace, to: &str) -> Made<Mount> {
        let over = self.locate(ns, to)?;
        let mount = self.mount_of(from.mount.sb, from.dentry, ns.addr)?;
        self.attach(mount, over)?;
        Ok(mount)
    }

    /// The same place by a mount that is attached nowhere (`open_tree` with OPEN_TREE_CLONE, MNT_DETACH).
    pub fn clone_of(&mut self, at: Location, ns: u64) -> Made<Location> {
        let mount = self.mount_of(at.mount.sb, at.mount.root, ns)?;
        Ok(Location { mount, ..at })
    }

    /// Takes a mount out of its namespace, as a lazy unmount does.
    pub fn detach(&mut self, mount: Mount) -> Made<()> {
        self.mounted.retain(|_, m| m.addr != mount.addr);
        let ns = self.kernel.get(mount.addr, "mount.mnt_ns")?;
        if let Some(members) = self.members.get_mut(&ns) {
            members.retain(|m| *m != mount.addr);
            let members = members.clone();
            self.gather(ns, &members)?;
        }
        self.kernel.set(mount.addr, "mount.mnt_ns", 0)?;
        self.kernel.set(mount.addr, "mount.mnt_parent", mount.addr)?;
        self.kernel.set(mount.addr, "mount.mnt_mountpoint", mount.root)
    }

    /// What an absolute path names; directories and the name itself are made where they are missing (without inodes).
    pub fn locate(&mut self, ns: Namespace, path: &str) -> Made<Location> {
        self.walk(Location { mount: ns.root, dentry: ns.root.root }, path)
    }

    /// The same from any place.
    pub fn walk(&mut self, from: Location, path: &str) -> Made<Location> {
        let mut at = self.through(from);
        for name in path.split('/').filter(|n| !n.is_empty()) {
            at.dentry = self.child(at.dentry, name.as_bytes())?;
            at = self.through(at);
        }
        Ok(at)
    }

    /// The top of the mounts over a name.
    fn through(&self, mut at: Location) -> Location {
        while let Some(mount) = self.mounted.get(&(at.mount.addr, at.dentry)) {
            at = Location { mount: *mount, dentry: mount.root };
        }
        at
    }

    /// The entry of that name in a directory.
    pub fn child(&mut self, parent: u64, name: &[u8]) -> Made<u64> {
        if let Some(found) = self.children.get(&(parent, name.to_vec())) {
            return Ok(*found);
        }
        let dentry = self.bare_dentry(name)?;
        let sb = self.kernel.get(parent, "dentry.d_sb")?;
        self.kernel.set(dentry, "dentry.d_parent", parent)?;
        self.kernel.set(dentry, "dentry.d_sb", sb)?;
        self.children.insert((parent, name.to_vec()), dentry);
        Ok(dentry)
    }

    fn bare_dentry(&mut self, name: &[u8]) -> Made<u64> {
        let dentry = self.kernel.alloc("dentry")?;
        let inline = if self.kernel.has("dentry.d_iname") { "dentry.d_iname" } else { "dentry.d_shortname.string" };
        let place = self.kernel.types.place(inline)?;
        let room = place.size as usize;
        let mut text = vec![0xa5; room];
        let mut at = dentry + u64::from(place.offset);
        if name.len() < room {
            for (to, from) in text.iter_mut().zip(name.iter().chain([&0])) {
                *to = *from;
            }
        } else {
            at = self.kernel.alloc_bytes("a long name", &[name, &[0]].concat());
        }
        if let Some(last) = text.last_mut() {
            *last = 0;
        }
        self.kernel.set_bytes(dentry, inline, &text)?;
        self.kernel.set(dentry, "dentry.d_name.name", at)?;
        self.kernel.set(dentry, "dentry.d_name.len", name.len() as u64)?;
        let hash = name.iter().fold(0x9e37u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(*b))) & 0xffff_ffff;
        self.kernel.set(dentry, "dentry.d_name.hash", hash)?;
        let hashed = dentry + self.kernel.offset("dentry.d_hash")?;
        self.kernel.set(dentry, "dentry.d_hash.pprev", hashed)?;
        Ok(dentry)
    }

    /// Gives a dentry an inode, or changes the one it has.
    pub fn inode(&mut self, dentry: u64, spec: FileSpec) -> Made<u64> {
        let mut inode = self.kernel.get(dentry, "dentry.d_inode")?;
        if inode == 0 {
            inode = self.kernel.alloc("inode")?;
            let (number, sb) = (self.number(), self.kernel.get(dentry, "dentry.d_sb")?);
            self.kernel.set(inode, "inode.i_ino", number)?;
            self.kernel.set(inode, "inode.i_sb", sb)?;
            self.kernel.set(inode, "inode.i_nlink", 1)?;
            self.kernel.set(dentry, "dentry.d_inode", inode)?;
        }
        self.kernel.set(inode, "inode.i_mode", u64::from(spec.mode))?;
        self.kernel.set(inode, "inode.i_uid.val", u64::from(spec.uid))?;
        self.kernel.set(inode, "inode.i_gid.val", u64::from(spec.gid))?;
        Ok(inode)
    }

    /// An open file at a place; the inode gets the attributes.
    pub fn file(&mut self, at: Location, spec: FileSpec) -> Made<u64> {
        let inode = self.inode(at.dentry, spec)?;
        let file = self.kernel.alloc("file")?;
        for (field, value) in [
            ("file.f_path.mnt", at.mount.vfs),
            ("file.f_path.dentry", at.dentry),
            ("file.f_inode", inode),
            ("file.f_mode", u64::from(spec.f_mode)),
            ("file.f_flags", u64::from(spec.f_flags)),
        ] {
            self.kernel.set(file, field, value)?;
        }
        Ok(file)
    }

    /// An open file of the host at `path`.
    pub fn open(&mut self, path: &str, spec: FileSpec) -> Made<u64> {
        let at = self.locate(self.host, path)?;
        self.file(at, spec)
    }

    /// A `struct path` for hooks that are given one.
    pub fn path(&mut self, at: Location) -> Made<u64> {
        let path = self.kernel.alloc("path")?;
        self.kernel.set(path, "path.mnt", at.mount.vfs)?;
        self.kernel.set(path, "path.dentry", at.dentry)?;
        Ok(path)
    }

    /// Removes a name: its dentry is unhashed and no longer found.
    pub fn unlink(&mut self, dentry: u64) -> Made<()> {
        self.children.retain(|_, d| *d != dentry);
        self.kernel.set(dentry, "dentry.d_hash.pprev", 0)?;
        match self.kernel.get(dentry, "dentry.d_inode")? {
            0 => Ok(()),
            inode => self.kernel.set(inode, "inode.i_nlink", 0),
        }
    }

    /// A name of a mount that is the kernel's own, its own parent: `memfd:x`, a pipe, a socket.
    pub fn internal(&mut self, name: &str, magic: u64) -> Made<Location> {
        const SB_NOUSER: u64 = 1 << 31;
        const SB_KERNMOUNT: u64 = 1 << 22;
        let mount = self.file_system(INTERNAL)?;
        // user space mounts huge pages and message queues too
        let no_user = if [HUGETLBFS, MQUEUE].contains(&magic) { 0 } else { SB_NOUSER };
        self.kernel.set(mount.sb, "super_block.s_flags", SB_KERNMOUNT | no_user)?;
        self.kernel.set(mount.sb, "super_block.s_magic", magic)?;
        let dentry = self.bare_dentry(name.as_bytes())?;
        self.kernel.set(dentry, "dentry.d_parent", dentry)?;
        self.kernel.set(dentry, "dentry.d_sb", mount.sb)?;
        self.kernel.set(dentry, "dentry.d_hash.pprev", 0)?;
        Ok(Location { mount, dentry })
    }

    /// A file that was opened by its handle, and that nothing leads to: its dentry is its own parent.
    pub fn disconnected(&mut self, sb: u64) -> Made<u64> {
        let dentry = self.bare_dentry(b"/")?;
        self.kernel.set(dentry, "dentry.d_parent", dentry)?;
        self.kernel.set(dentry, "dentry.d_sb", sb)?;
        self.inode(dentry, FileSpec::default())?;
        let inode = self.kernel.get(dentry, "dentry.d_inode")?;
        let entry = dentry + self.kernel.offset(self.ring())?;
        self.kernel.set(inode, "inode.i_dentry.first", entry)?;
        Ok(dentry)
    }

    /// Where the ring of an inode's dentries goes through them.
    fn ring(&self) -> &'static str {
        if self.kernel.has("dentry.d_u") { "dentry.d_u.d_alias" } else { "dentry.d_alias" }
    }

    /// Makes two dentries names of one file, the one that belongs to it first.
    pub fn alias(&mut self, first: u64, second: u64) -> Made<()> {
        let entry = second + self.kernel.offset(self.ring())?;
        self.kernel.set(first, &format!("{}.next", self.ring()), entry)?;
        let inode = self.kernel.get(first, "dentry.d_inode")?;
        self.kernel.set(second, "dentry.d_inode", inode)
    }

    /// A stacked file system's private view of another one.
    pub fn private_mount(&mut self) -> Made<Mount> {
        self.file_system(INTERNAL)
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

    /// Lets a task act with other credentials than its own (`override_creds`), of the same ids; the initial user namespace's
    /// or another's.
    pub fn act_for_another(&mut self, task: u64, initial: bool, flags: u64) -> Made<()> {
        let own = self.kernel.get(task, "task_struct.real_cred")?;
        let other = self.kernel.alloc("cred")?;
        for field in ["uid", "euid", "fsuid", "gid", "egid"].map(|f| format!("cred.{f}.val")) {
            let id = self.kernel.get(own, &field)?;
            self.kernel.set(other, &field, id)?;
        }
        let user_ns = if initial { self.user_ns } else { self.user_namespace()? };
        self.kernel.set(other, "cred.user_ns", user_ns)?;
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
