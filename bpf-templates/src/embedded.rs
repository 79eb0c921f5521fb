//! The data files of this crate, embedded; TOML is JSON here (see `build.rs`). A test compares this list with the folders.

macro_rules! data {
    ($($name:tt)*) => { include_str!(concat!(env!("OUT_DIR"), "/", $($name)*, ".json")) };
}

/// `fields.toml`.
pub(crate) const FIELDS: &str = data!("fields");
/// `events.toml`.
pub(crate) const EVENTS: &str = data!("events");

/// `schema.toml`.
pub(crate) const SCHEMA: &str = data!("schema");
/// `kernel-types.toml`.
pub(crate) const KERNEL_TYPES: &str = data!("kernel-types");

macro_rules! hooks {
    ($($name:literal),* $(,)?) => {
        /// Contracts: (hook, JSON).
        pub(crate) const HOOKS: &[(&str, &str)] = &[$(($name, data!($name))),*];
        /// Assembly: (hook, file, text).
        pub(crate) const HOOK_ASSEMBLY: &[(&str, &str, &str)] =
            &[$(($name, concat!("bpf-templates/hooks/", $name, "/hook.s"), include_str!(concat!("../hooks/", $name, "/hook.s")))),*];
    };
}

hooks!(
    "bprm_check_security",
    "file_ioctl",
    "file_ioctl_compat",
    "file_mprotect",
    "file_open",
    "file_truncate",
    "inode_file_setattr",
    "inode_remove_acl",
    "inode_removexattr",
    "inode_set_acl",
    "inode_setattr",
    "inode_setxattr",
    "mmap_file",
    "move_mount",
    "path_chmod",
    "path_chown",
    "path_link",
    "path_mkdir",
    "path_mknod",
    "path_rename",
    "path_rmdir",
    "path_symlink",
    "path_truncate",
    "path_unlink",
    "sb_kern_mount",
    "sb_mount",
    "socket_connect",
    "socket_sendmsg",
    "socket_setsockopt",
    "unix_may_send",
    "unix_stream_connect",
    "userns_create",
);

macro_rules! assembly {
    ($($name:literal),* $(,)?) => {
        /// Shared assembly: (file, text).
        pub(crate) const ASSEMBLY: &[(&str, &str)] =
            &[$((concat!("bpf-templates/asm/", $name), include_str!(concat!("../asm/", $name)))),*];
    };
}

assembly!(
    "prologue.s",
    "read.s",
    "automaton.s",
    "remember.s",
    "path.s",
    "mount.s",
    "walk.s",
    "found.s",
    "climb.s",
    "elsewhere.s",
    "name.s",
    "mounts.s",
    "act.s",
    "images.s",
    "operation.s",
    "tasks.s",
    "record.s",
    "fields.s",
    "container.s",
    "shapes.s",
    "net.s"
);
