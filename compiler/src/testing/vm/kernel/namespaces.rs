//! Takes namespaces and mounts, keeps what the kernel keeps of them beside a mount's parent: the lists of children, what
//! stands over a mount's root, the ids of a task in each of its pid namespaces. Never moves a mount.

use super::world::{Location, Mount, Namespace, World};
use super::{Kernel, Types};

type Made<T> = Result<T, String>;

impl World {
    /// A mount namespace with an empty file system below its root, as it is left by `pivot_root`. Its root is a file system
    /// of its own, as of a container, or shows the host's root, as of a service with mounts of its own.
    pub fn pivoted_namespace(&mut self, user_ns: u64, of_host: bool) -> Made<Namespace> {
        let addr = self.bare_namespace(user_ns)?;
        let below = self.file_system(addr)?;
        self.kernel.set(addr, "mnt_namespace.root", below.addr)?;
        let root = if of_host { self.mount_of(self.host.root.sb, self.host.root.root, addr)? } else { self.file_system(addr)? };
        self.attach(root, Location { mount: below, dentry: below.root })?;
        Ok(Namespace { addr, root })
    }

    /// A pid namespace below the host's.
    pub fn pid_namespace(&mut self, user_ns: u64) -> Made<u64> {
        let ns = self.kernel.alloc("pid_namespace")?;
        self.kernel.set(ns, "pid_namespace.level", 1)?;
        self.kernel.set(ns, "pid_namespace.user_ns", user_ns)?;
        Ok(ns)
    }
}

/// Something is mounted over a dentry, in whatever namespace (`include/linux/dcache.h`, before 6.15).
const DCACHE_MOUNTED: u64 = 1 << 16;

impl Kernel {
    /// The ids of a task in the host's pid namespace and in those below, the outermost first.
    pub fn pid(&mut self, host: u64, below: &[u64]) -> Made<u64> {
        let size = |types: &Types, name| types.get(name).map_or(0, |c| c.size as usize);
        let (pid, upid) = (size(&self.types, "pid"), size(&self.types, "upid"));
        let addr = self.alloc_bytes("a `pid`", &vec![0; pid + below.len() * upid]);
        self.set(addr, "pid.level", below.len() as u64)?;
        for (i, ns) in [host].iter().chain(below).enumerate() {
            let number = addr + self.offset("pid.numbers")? + (i * upid) as u64;
            self.set(number, "upid.ns", *ns)?;
        }
        Ok(addr)
    }

    /// Nothing is mounted on a new mount, and what is goes on to no other.
    pub(super) fn no_children(&mut self, mount: u64) -> Made<()> {
        for field in ["mount.mnt_mounts", "mount.mnt_share"] {
            let list = mount + self.offset(field)?;
            self.set(list, "list_head.next", list)?;
            self.set(list, "list_head.prev", list)?;
        }
        Ok(())
    }

    /// Two mounts that share what is mounted on them.
    pub fn share(&mut self, one: Mount, other: Mount) -> Made<()> {
        let offset = self.offset("mount.mnt_share")?;
        for (a, b) in [(one, other), (other, one)] {
            self.set(a.addr + offset, "list_head.next", b.addr + offset)?;
            self.set(b.addr + offset, "list_head.prev", a.addr + offset)?;
        }
        Ok(())
    }

    /// A mount is the last child of the one that it is mounted on, whose dentry says so.
    pub(super) fn add_child(&mut self, over: Location, child: Mount) -> Made<()> {
        let list = over.mount.addr + self.offset("mount.mnt_mounts")?;
        let entry = child.addr + self.offset("mount.mnt_child")?;
        let last = self.get(list, "list_head.prev")?;
        self.set(entry, "list_head.next", list)?;
        self.set(entry, "list_head.prev", last)?;
        self.set(last, "list_head.next", entry)?;
        self.set(list, "list_head.prev", entry)?;
        let flags = self.get(over.dentry, "dentry.d_flags")?;
        self.set(over.dentry, "dentry.d_flags", flags | DCACHE_MOUNTED)?;
        if self.has("mount.overmount") && over.dentry == over.mount.root {
            self.set(over.mount.addr, "mount.overmount", child.addr)?;
        }
        Ok(())
    }
}
