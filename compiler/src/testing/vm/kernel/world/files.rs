//! Takes names, builds dentries, inodes and open files, those that no name leads to as well.

use super::{FileSpec, HUGETLBFS, INTERNAL, Location, MQUEUE, Made, Mount, World};

impl World {
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

    pub(super) fn bare_dentry(&mut self, name: &[u8]) -> Made<u64> {
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
}
