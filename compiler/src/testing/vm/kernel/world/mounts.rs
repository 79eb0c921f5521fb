//! Takes namespaces and mounts in a test's words, builds them and joins them as a kernel does: the namespace's list or
//! tree, the mount's parent, what stands at a mount point. Never makes a file.

use super::{FileSpec, INTERNAL, Location, Made, Mount, Namespace, S_IFDIR, TMPFS, World};
use std::sync::atomic::{AtomicU64, Ordering};

impl World {
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

    pub(in super::super) fn bare_namespace(&mut self, user_ns: u64) -> Made<u64> {
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
            self.changed(ns)?;
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
}
