//! Takes an operation and its process, gives a hook's arguments as the kernel would pass them. What each hook is given
//! is the table [`HOOKS`]; what a fact is in memory are the tables below it.

mod credentials;
mod net;

use super::subject::Laid;
use super::{Layout, Stage, objects};
use crate::hir::{Object, Operation, PathValue};

use crate::testing::vm::kernel::{self, Flavour, Location};
use ebsec_templates::catalog;

/// An argument of a hook. Numbers name the operation's objects.
#[derive(Clone, Copy, Debug)]
enum Arg {
    /// A `struct file`.
    File(usize),
    /// The same, or null where the fact `has_file` is false.
    FileOrNull(usize),
    /// A `struct path` of the object.
    Path(usize),
    /// A `struct path` of the folder that the object is in.
    Folder(usize),
    /// Its dentry.
    Dentry(usize),
    /// A `struct linux_binprm` with the file, and with the next object as what was executed, where the fact `hands_over` is true.
    Binprm(usize),
    /// A `struct vm_area_struct` that maps the file.
    Area(usize),
    /// The idmap (or user namespace) of a mount.
    Idmap,
    /// The same, where the kernel passes one: since 6.9.
    IdmapIfNew,
    /// A `struct iattr`.
    Attributes,
    /// `PROT_*`, as the fact `executable` says.
    Protection,
    /// `MAP_*`: where the fact `has_file` does not hold, of private memory without one.
    MapFlags,
    /// A command of ioctl, as the fact `changes_file` says.
    Command,
    /// `RENAME_*`, as the fact `exchange` says.
    RenameFlags,
    /// `MS_*`, as the fact `in_place` says.
    MountFlags,
    /// A `struct socket`.
    Socket,
    /// A socket address.
    Address,
    /// Its length.
    AddressLength,
    /// A `struct msghdr` with the address.
    Message,
    /// The `struct sock` of the Unix socket that is used.
    Unix,
    /// That of the one that is reached, which is bound to the object's path.
    UnixPeer(usize),
    /// The `struct socket` of either.
    UnixSocket,
    /// See above.
    UnixPeerSocket(usize),
    /// A `struct super_block` of the file system that is mounted.
    SuperBlock,
    /// The level of a socket's option, then its number, as the fact `internet` says.
    OptionLevel,
    OptionName,
    /// What no program reads.
    Any,
}
use Arg::*;

/// The arguments of each hook (bpf-templates/prototypes).
const HOOKS: &[(&str, &[Arg])] = &[
    ("bprm_check_security", &[Binprm(0)]),
    ("file_ioctl", &[File(0), Command, Any]),
    ("file_ioctl_compat", &[File(0), Command, Any]),
    ("file_mprotect", &[Area(0), Any, Protection]),
    ("file_open", &[File(0)]),
    ("file_truncate", &[File(0)]),
    ("inode_file_setattr", &[Dentry(0), Any]),
    ("inode_remove_acl", &[Idmap, Dentry(0), Any]),
    ("inode_removexattr", &[Idmap, Dentry(0), Any]),
    ("inode_set_acl", &[Idmap, Dentry(0), Any, Any]),
    ("inode_setattr", &[IdmapIfNew, Dentry(0), Attributes]),
    ("inode_setxattr", &[Idmap, Dentry(0), Any, Any, Any, Any]),
    ("mmap_file", &[FileOrNull(0), Any, Protection, MapFlags]),
    ("move_mount", &[Any, Path(0)]),
    ("path_chmod", &[Path(0), Any]),
    ("path_chown", &[Path(0), Any, Any]),
    ("path_link", &[Dentry(0), Folder(1), Dentry(1)]),
    ("path_mkdir", &[Folder(0), Dentry(0), Any]),
    ("path_mknod", &[Folder(0), Dentry(0), Any, Any]),
    ("path_rename", &[Folder(0), Dentry(0), Folder(1), Dentry(1), RenameFlags]),
    ("path_rmdir", &[Folder(0), Dentry(0)]),
    ("path_symlink", &[Folder(0), Dentry(0), Any]),
    ("path_truncate", &[Path(0)]),
    ("path_unlink", &[Folder(0), Dentry(0)]),
    ("sb_kern_mount", &[SuperBlock]),
    ("sb_mount", &[Any, Path(0), Any, MountFlags, Any]),
    ("socket_connect", &[Socket, Address, AddressLength]),
    ("socket_sendmsg", &[Socket, Message, Any]),
    ("socket_setsockopt", &[Socket, OptionLevel, OptionName]),
    ("unix_may_send", &[UnixSocket, UnixPeerSocket(0)]),
    ("unix_stream_connect", &[Unix, UnixPeer(0), Any]),
    ("userns_create", &[Any]),
];

impl Arg {
    /// The struct that it points to.
    fn target(self) -> Option<&'static str> {
        Some(match self {
            File(_) | FileOrNull(_) => "file",
            Path(_) | Folder(_) => "path",
            Dentry(_) => "dentry",
            Binprm(_) => "linux_binprm",
            Area(_) => "vm_area_struct",
            Idmap | IdmapIfNew => "mnt_idmap",
            Attributes => "iattr",
            Socket | UnixSocket | UnixPeerSocket(_) => "socket",
            Unix | UnixPeer(_) => "sock",
            SuperBlock => "super_block",
            Address => "sockaddr",
            Message => "msghdr",
            Protection | MapFlags | Command | RenameFlags | MountFlags | AddressLength | OptionLevel | OptionName | Any => return None,
        })
    }

    /// Whether a kernel of this flavour passes it.
    fn is_passed(self, flavour: Flavour) -> bool {
        !matches!(self, IdmapIfNew) || flavour == Flavour::New
    }
}

/// The attach points of all hooks, as the types of a kernel of this flavour show them.
pub(super) fn attach_points(flavour: Flavour) -> Vec<kernel::Function> {
    let point = |(hook, args): &(&str, &[Arg])| {
        let passed = args.iter().filter(|arg| arg.is_passed(flavour));
        kernel::Function { name: format!("bpf_lsm_{hook}"), arguments: passed.map(|arg| arg.target().map(str::to_owned)).collect() }
    };
    HOOKS.iter().map(point).collect()
}

/// Facts and fields that are bits of `f_mode`.
const FILE_MODE: &[(&str, u32)] = &[("open.read", 1), ("open.write", 2), ("created", 0x10_0000)];
/// FMODE_BACKING and FMODE_NONOTIFY, in this order or the other: they mean nothing here.
const MEANINGLESS: [u32; 2] = [0x200_0000, 0x100_0000];
/// Facts and fields that are bits of `f_flags`.
const FILE_FLAGS: &[(&str, u32)] =
    &[("path_only", 0x20_0000), ("by_exec", 0x20), ("open.append", 0x400), ("open.create", 0x40), ("open.truncate", 0x200)];
/// Commands that change a file, and others; a command has 32 bits, what stands above them means nothing.
const COMMANDS: [[u64; 3]; 2] = [[0x5401, 0x8008_6601, 0xffff_ffff_4008_6601], [0x4080_6685, 0xffff_ffff_4004_6602, 0x4004_7211]];
/// `ia_valid` where more than the times change, and where only they do.
const CHANGES: [[u64; 3]; 2] = [[0x31, 0x38, 0x40], [0x30, 0x10, 0x1e0]];
/// Private memory without a file (MAP_FIXED and MAP_HUGETLB say nothing more); a private and a shared mapping, and shared memory.
const MAP_FLAGS: [[u64; 3]; 2] = [[0x22, 0x32, 0x4_0022], [2, 1, 0x21]];
/// A new mount, a bind (whatever else is asked), a move; a remount, of one mount alone, a change of propagation.
const MOUNT_FLAGS: [[u64; 3]; 2] = [[0, 0x4_5000, 0x2000], [0x20, 0x1020, 0x10_4000]];

/// Whether the table knows the hook.
#[cfg(test)]
pub(super) fn is_known(hook: &str) -> bool {
    HOOKS.iter().any(|(name, _)| *name == hook)
}

/// What contradicts a hook's prototype: parameters as (name, struct that it points to), see bpf-templates/prototypes.
#[cfg(test)]
pub(super) fn contradictions(hook: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let args = HOOKS.iter().find(|(name, _)| *name == hook).map_or(&[][..], |(_, args)| args);
    let is_idmap = |target: &str| ["mnt_idmap", "user_namespace"].contains(&target);
    let has_idmap = parameters.first().is_some_and(|(_, target)| is_idmap(target));
    let args: Vec<Arg> = args.iter().copied().filter(|a| has_idmap || !matches!(a, IdmapIfNew)).collect();
    if args.len() != parameters.len() {
        return vec![format!("{hook} has {} parameters, not {}", parameters.len(), args.len())];
    }
    let fits = |arg: Arg, name: &str, target: &str| match arg {
        Idmap | IdmapIfNew => is_idmap(target),
        _ if arg.target().is_some() => arg.target() == Some(target),
        Protection => name == "prot",
        Command => name == "cmd",
        RenameFlags => name == "flags",
        AddressLength => name == "addrlen",
        OptionLevel => name == "level",
        OptionName => name == "optname",
        _ => true,
    };
    let wrong = args.iter().zip(parameters).filter(|(arg, (name, target))| !fits(**arg, name, target));
    wrong.map(|(arg, (name, target))| format!("{hook}: `{name}`, which points to `{target}`, is no {arg:?}")).collect()
}

/// Whether files of the hook can be without a path, and can be unlinked: the hook is given an open file or a path, not
/// a name in a folder.
pub(crate) fn takes_files(hook: &str) -> bool {
    let args = HOOKS.iter().find(|(name, _)| *name == hook).map_or(&[][..], |(_, args)| args);
    !args.iter().any(|a| matches!(a, Folder(_)))
}

/// Whether all objects of the hook are in one mount: a hard link never leaves its mount.
pub(crate) fn one_mount(hook: &str) -> bool {
    let args = HOOKS.iter().find(|(name, _)| *name == hook).map_or(&[][..], |(_, args)| args);
    let folders = args.iter().filter(|a| matches!(a, Folder(_))).count();
    folders > 0 && folders < args.iter().filter(|a| matches!(a, Dentry(_))).count()
}

/// Builds the objects, gives the arguments.
pub(super) fn arguments(stage: &mut Stage, operation: &Operation, layout: Layout, subject: &Laid) -> Result<Vec<u64>, String> {
    let hook = &catalog()[operation.hook];
    let (_, args) =
        HOOKS.iter().find(|(name, _)| *name == hook.name).ok_or_else(|| format!("the hook `{}` has no arguments", hook.name))?;
    let call = net::call(operation, args, layout.variant >> 8)?;
    let mut builder = Builder { stage, operation, variant: layout.variant >> 8, subject, at: Vec::new(), file: 0, unix: None, call };
    builder.objects()?;
    let mut mounts = builder.at.iter().flatten().map(|at| at.mount);
    let first = mounts.next();
    if one_mount(&hook.name) && mounts.any(|m| Some(m) != first) {
        return Err(format!("the objects of `{}` are in one mount", hook.name));
    }
    let mut out = Vec::new();
    for arg in *args {
        out.extend(builder.argument(*arg)?);
    }
    builder.acts()?;
    let may_be_own = hook.facts.iter().any(|f| f == "by_exec") && hook.name != "file_open";
    if may_be_own && builder.file != 0 && (builder.holds("by_exec") || builder.variant & 4 == 0) {
        builder.runs_the_file()?;
    }
    Ok(out)
}

struct Builder<'a> {
    stage: &'a mut Stage,
    operation: &'a Operation,
    variant: u64,
    subject: &'a Laid,
    /// Places of the hook's objects.
    at: Vec<Option<Location>>,
    /// The file that was made.
    file: u64,
    /// The Unix socket that is used, and the one that is reached.
    unix: Option<(kernel::UnixSocket, kernel::UnixSocket)>,
    /// How a socket's other side is told.
    call: net::Call,
}

impl Builder<'_> {
    fn holds(&self, fact: &str) -> bool {
        self.operation.facts.iter().any(|f| f == fact)
    }

    fn value(&self, field: &str) -> Option<u64> {
        let id = catalog().field(field)?;
        self.operation.values.get(&id).copied()
    }

    fn objects(&mut self) -> Result<(), String> {
        let hook = &catalog()[self.operation.hook];
        let hidden = |o: &Object| o.path == PathValue::Failed && o.file.is_some_and(|f| f.memfd);
        if self.operation.objects.iter().flatten().any(hidden) {
            return Err("a memfd has no path, so none that fails".to_owned());
        }
        if !takes_files(&hook.name) && self.operation.objects.iter().flatten().any(|o| o.deleted || o.path == PathValue::Absent) {
            return Err(format!("`{}` is about names, and they are there", hook.name));
        }
        for (i, contract) in hook.objects.iter().enumerate() {
            let given = self.operation.objects.get(i).and_then(Option::as_ref);
            let remote = given.is_some_and(|o| o.remote.is_some());
            let shared = self.at.get(contract.path_of).copied().flatten().filter(|_| contract.path_of != i);
            let at = match (given, shared) {
                (Some(object), Some(at)) => {
                    self.another_at(object, at, contract.exists)?;
                    Some(at)
                }
                (Some(object), None) if !remote => {
                    let namespace = self.subject.namespace;
                    let alone = self.operation.objects.iter().flatten().count() == 1;
                    if !self.stage.shows(namespace, object, alone) {
                        return Err("the namespace shows it otherwise".to_owned());
                    }
                    let mut variant = self.variant.rotate_right(8 * i as u32);
                    if hook.objects.len() > 1 && !takes_files(&hook.name) {
                        // several objects may have to be in one mount
                        variant |= objects::BY_OWN_MOUNT;
                    }
                    Some(objects::object(self.stage, object, namespace, variant)?)
                }
                _ => None,
            };
            self.at.push(at);
        }
        Ok(())
    }

    /// A second object with the path of an earlier one: what exists there brings the inode.
    fn another_at(&mut self, object: &Object, at: Location, exists: bool) -> Result<(), String> {
        if let (true, Some(file)) = (exists, object.file) {
            self.stage.world.inode(at.dentry, objects::spec(file))?;
        }
        Ok(())
    }

    fn place(&self, object: usize) -> Result<Location, String> {
        self.at.get(object).copied().flatten().ok_or_else(|| format!("the operation has no object {object}"))
    }

    /// What is mounted over a place is the caller's own namespace's alone, or goes on to others, as the fact `confined` says.
    fn share(&mut self, at: Location) -> Result<(), String> {
        let ns = self.stage.world.kernel.get(at.mount.addr, "mount.mnt_ns")?;
        let confined = self.holds("confined");
        if confined && ns == self.stage.world.host.addr {
            return Err("what is mounted there is mounted on the host".to_owned());
        }
        let world = &mut self.stage.world;
        let other = if confined { at.mount } else { world.host.root };
        world.kernel.share(at.mount, other)
    }

    /// None for an argument that this kernel does not pass.
    fn argument(&mut self, arg: Arg) -> Result<Option<u64>, String> {
        let choice = (self.variant % 3) as usize;
        let pick = |list: &[[u64; 3]; 2], fact: bool| list.get(usize::from(fact)).and_then(|l| l.get(choice)).copied().unwrap_or(0);
        Ok(Some(match arg {
            File(i) => self.open(i)?,
            // huge pages have a file of the kernel's
            FileOrNull(i) if !self.holds("has_file") && self.variant & 2 != 0 && self.place(i).is_ok() => self.open(i)?,
            FileOrNull(_) if !self.holds("has_file") => 0,
            FileOrNull(i) => self.open(i)?,
            Path(i) => {
                let at = self.place(i)?;
                self.share(at)?;
                self.stage.world.path(at)?
            }
            Folder(i) => self.folder(i)?,
            Dentry(i) => self.place(i)?.dentry,
            Binprm(i) => {
                let file = self.open(i)?;
                let bprm = self.stage.world.binprm(file)?;
                if self.holds("hands_over") {
                    let executable = self.open(i + 1)?;
                    self.stage.world.kernel.set(bprm, "linux_binprm.executable", executable)?;
                }
                bprm
            }
            Area(i) => self.area(i)?,
            _ if !arg.is_passed(self.stage.flavour) => return Ok(None),
            Idmap | IdmapIfNew | Any => self.variant & 0xffff,
            Attributes => {
                let attributes = self.stage.world.kernel.alloc("iattr")?;
                self.stage.world.kernel.set(attributes, "iattr.ia_valid", pick(&CHANGES, self.holds("no_other_hook")))?;
                attributes
            }
            Protection => (self.variant & 3) | if self.holds("executable") { 4 } else { 0 },
            MapFlags => pick(&MAP_FLAGS, self.holds("has_file")),
            Command => pick(&COMMANDS, self.holds("changes_file")),
            MountFlags => pick(&MOUNT_FLAGS, self.holds("in_place")),
            RenameFlags => {
                if self.holds("exchange") {
                    2
                } else {
                    self.variant & 1
                }
            }
            Socket => self.socket()?,
            Unix | UnixSocket => {
                let used = self.unix(0)?.0;
                if matches!(arg, Unix) { used.sock } else { used.socket }
            }
            UnixPeer(i) => self.unix(i)?.1.sock,
            UnixPeerSocket(i) => self.unix(i)?.1.socket,
            SuperBlock => self.super_block()?,
            Address => self.address()?.0,
            AddressLength => self.address()?.1,
            Message => self.message()?,
            OptionLevel => self.option().0,
            OptionName => self.option().1,
        }))
    }

    fn open(&mut self, object: usize) -> Result<u64, String> {
        let bits = |table: &[(&str, u32)]| {
            let set = table.iter().filter(|(name, _)| self.holds(name) || self.value(name).is_some_and(|v| v != 0));
            set.fold(0, |all, (_, bit)| all | bit)
        };
        let (mut mode, flags) = (bits(FILE_MODE), bits(FILE_FLAGS) | self.access()?);
        for (i, bit) in MEANINGLESS.into_iter().enumerate() {
            mode |= if self.variant >> (1 + i) & 1 == 1 { bit } else { 0 };
        }
        if flags & 3 == 3 {
            // of access mode 3 the kernel's mode shows nothing
            mode &= !3;
        }
        let at = self.place(object)?;
        self.file = objects::open(self.stage, at, mode, flags)?;
        if self.holds("by_stacked_fs") && !self.passed_on() {
            let mount = self.stage.world.private_mount()?;
            let by_open = catalog()[self.operation.hook].name == "file_open";
            if by_open && !self.stage.world.kernel.has("backing_file.user_path") && self.variant >> 6 & 1 == 0 {
                // the path of the file above, the inode of the one below
                let inode = self.stage.world.kernel.get(mount.root, "dentry.d_inode")?;
                self.stage.world.kernel.set(self.file, "file.f_inode", inode)?;
            } else {
                self.stage.world.kernel.set(self.file, "file.f_path.mnt", mount.vfs)?;
            }
        }
        Ok(self.file)
    }

    /// O_ACCMODE of an open: both ways are 2 and 3.
    fn access(&self) -> Result<u32, String> {
        let asks = |name: &str| self.holds(name) || self.value(name).is_some_and(|v| v != 0);
        let silent = ["path_only", "by_exec", "by_stacked_fs"].iter().any(|fact| self.holds(fact));
        match (asks("open.read"), asks("open.write")) {
            (true, true) => Ok(if self.variant & 1 == 0 { 2 } else { 3 }),
            (false, true) => Ok(1),
            (false, false) if catalog()[self.operation.hook].facts.iter().any(|f| f == "open.read") && !silent => {
                Err("an open reads or writes".to_owned())
            }
            _ => Ok(0),
        }
    }

    fn folder(&mut self, object: usize) -> Result<u64, String> {
        let at = self.place(object)?;
        let parent = self.stage.world.kernel.get(at.dentry, "dentry.d_parent")?;
        self.stage.world.path(Location { dentry: parent, ..at })
    }

    fn area(&mut self, object: usize) -> Result<u64, String> {
        let file = if self.holds("has_file") { self.open(object)? } else { 0 };
        let area = self.stage.world.kernel.alloc("vm_area_struct")?;
        self.stage.world.kernel.set(area, "vm_area_struct.vm_file", file)?;
        let flags = (self.variant & 3) | if self.holds("was_executable") { 4 } else { 0 };
        self.stage.world.kernel.set(area, "vm_area_struct.vm_flags", flags)?;
        Ok(area)
    }

    /// The file is the process's own: mapped by the exec that starts it, or named so later.
    fn runs_the_file(&mut self) -> Result<(), String> {
        // after the exec a program may name any file as its own, and its code can begin at 0
        let format = if self.holds("by_exec") { 0 } else { 0xffff_ffff_8200_0000 };
        let kernel = &mut self.stage.world.kernel;
        let mut mm = kernel.get(self.subject.task, "task_struct.mm")?;
        if mm == 0 {
            mm = kernel.alloc("mm_struct")?;
            kernel.set(self.subject.task, "task_struct.mm", mm)?;
        }
        kernel.set(mm, "mm_struct.exe_file", self.file)?;
        kernel.set(mm, "mm_struct.binfmt", format)
    }

    /// Two Unix sockets, the second one bound to the object's path, or abstract.
    fn unix(&mut self, object: usize) -> Result<(kernel::UnixSocket, kernel::UnixSocket), String> {
        if let Some(pair) = self.unix {
            return Ok(pair);
        }
        let at = if self.holds("named") { Some(self.place(object)?) } else { None };
        let world = &mut self.stage.world;
        let (used, reached, third) = (world.unix_socket(None)?, world.unix_socket(at)?, world.unix_socket(None)?);
        let peer = match (self.holds("to_peer"), self.variant & 1) {
            (true, _) => reached.sock,
            (false, 0) => 0,
            (false, _) => third.sock,
        };
        self.stage.world.kernel.set(used.sock, "unix_sock.peer", peer)?;
        self.unix = Some((used, reached));
        Ok((used, reached))
    }

    fn super_block(&mut self) -> Result<u64, String> {
        let field = catalog().field("mount.fs").ok_or("there is no field `mount.fs`")?;
        let mut name = self.operation.names.get(&field).cloned().ok_or("a file system has a type")?;
        if name.len() > 31 || name.is_empty() {
            return Err("no file system's type has such a name".to_owned());
        }
        name.push(0);
        let kernel = &mut self.stage.world.kernel;
        let (block, kind) = (kernel.alloc("super_block")?, kernel.alloc("file_system_type")?);
        let name = kernel.alloc_bytes("a name", &name);
        kernel.set(kind, "file_system_type.name", name)?;
        kernel.set(block, "super_block.s_type", kind)?;
        Ok(block)
    }
}
