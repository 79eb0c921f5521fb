//! Fields as other tools name them (Falco, SECL, Sigma, Tetragon, KubeArmor): what holds the same here, or why nothing does.
//! Proposes only what is built.

/// What is meant by a field of another tool.
pub(crate) struct Meant {
    /// Fields of this language that hold it, the likeliest first; none if there is no such field.
    pub fields: &'static [&'static str],
    /// What there is to know.
    pub note: &'static str,
}

const NUMBERS: &str = "users are compared by their number, such as `process.uid != 0`";
const TWO_NAMES: &str =
    "a rename or a link raises `file.write` for the old name and for the new one; the hook itself shows the old name alone";
const NO_PID: &str = "process numbers are reused, so conditions do not ask for them: use `process.exe` or `process.lineage.exe`";
const NO_ARGS: &str = "the arguments of a program (`args`) are not supported yet";
const NO_CWD: &str = "paths are always absolute, so conditions do not ask for the working directory";

/// Names of other tools, what holds the same, and what there is to know.
const HABITS: &[(&[&str], &[&str], &str)] = &[
    (
        &[
            "process.user",
            "process.username",
            "process.user.name",
            "process.user_name",
            "user",
            "user.name",
            "user.uid",
            "user.id",
            "proc.uid",
        ],
        &["process.uid"],
        NUMBERS,
    ),
    (&["process.euser", "user.euid", "process.user.euid"], &["process.euid"], NUMBERS),
    (&["process.group", "group.name", "group.gid"], &["process.gid"], "groups are compared by their number"),
    (&["process.name", "proc.name", "process.file.name", "process.program"], &["process.exe.name", "process.comm"], ""),
    (
        &[
            "process.path",
            "process.file.path",
            "process.executable",
            "process.binary",
            "process.image",
            "proc.exe",
            "proc.exepath",
            "image",
        ],
        &["process.exe"],
        "",
    ),
    (&["process.parent", "process.parent.path", "process.parent.file.path", "proc.pexe", "proc.pexepath"], &["process.parent.exe"], ""),
    (&["process.parent.name", "process.parent.file.name", "proc.pname"], &["process.parent.exe.name"], ""),
    (
        &["process.ancestor", "process.ancestors", "process.ancestors.file.path", "proc.aname", "proc.aexepath"],
        &["process.lineage.exe"],
        "",
    ),
    (&["process.args", "process.argv", "process.cmdline", "process.command_line", "proc.args", "proc.cmdline", "exec.args"], &[], NO_ARGS),
    (&["process.pid", "process.ppid", "process.tid", "proc.pid", "proc.ppid", "pid", "ppid"], &[], NO_PID),
    (&["process.cwd", "process.working_directory", "proc.cwd", "cwd"], &[], NO_CWD),
    (
        &[
            "fd.name",
            "fd.filename",
            "open.file.path",
            "exec.file.path",
            "unlink.file.path",
            "rename.file.path",
            "file.full_path",
            "file.filename",
        ],
        &["file.path"],
        "",
    ),
    (
        &[
            "file.new_path",
            "file.newpath",
            "file.new_name",
            "file.old_path",
            "file.target",
            "file.target.path",
            "file.destination",
            "new.path",
            "old.path",
            "target",
            "target.path",
            "rename.file.destination.path",
        ],
        &["file.path"],
        TWO_NAMES,
    ),
    (&["file.name", "open.file.name", "exec.file.name"], &["file.path.name"], ""),
    (&["file.dir", "file.directory", "fd.directory"], &["file.path.dir"], ""),
    (&["file.ext", "file.extension"], &["file.path.ext"], ""),
    (&["file.perm", "file.permissions", "file.perms"], &["file.mode"], ""),
    (&["file.uid", "file.user"], &["file.owner"], "owners are compared by their number"),
    (
        &[
            "fd.sip",
            "fd.rip",
            "dst.ip",
            "dest.ip",
            "destination.ip",
            "daddr",
            "network.destination.ip",
            "connect.addr.ip",
            "remote.address",
        ],
        &["remote.ip"],
        "",
    ),
    (
        &["fd.sport", "fd.rport", "dst.port", "dest.port", "destination.port", "dport", "network.destination.port", "connect.addr.port"],
        &["remote.port"],
        "",
    ),
    (&["protocol", "fd.l4proto", "network.protocol", "network.l4_protocol", "remote.protocol"], &["socket.protocol"], ""),
];

/// The hooks of the oldest and the newest kernel that artifacts are for, one a line.
const KERNEL_HOOKS: [&str; 2] =
    [include_str!("../../../bpf-templates/prototypes/6.1.toml"), include_str!("../../../bpf-templates/prototypes/7.toml")];

/// Whether Linux has a hook of this name.
pub(crate) fn is_kernel_hook(name: &str) -> bool {
    let key = format!("{name} = {{");
    KERNEL_HOOKS.iter().any(|hooks| hooks.lines().any(|line| line.starts_with(&key)))
}

/// What a name means in other tools.
pub(crate) fn meant(name: &str) -> Option<Meant> {
    let lower = name.to_ascii_lowercase();
    let found = HABITS.iter().find(|(names, ..)| names.contains(&lower.as_str()))?;
    Some(Meant { fields: found.1, note: found.2 })
}

/// The number of a service's port.
pub(crate) fn port_of(name: &str) -> Option<u16> {
    Some(match name.to_ascii_lowercase().as_str() {
        "ftp" => 21,
        "ssh" => 22,
        "telnet" => 23,
        "smtp" => 25,
        "dns" | "domain" => 53,
        "http" | "www" => 80,
        "ntp" => 123,
        "ldap" => 389,
        "https" => 443,
        "smtps" => 465,
        "mysql" => 3306,
        "postgres" | "postgresql" => 5432,
        "redis" => 6379,
        _ => return None,
    })
}

/// Why a text is not a path, where it is written as a shell or a regular expression has it.
pub(crate) fn path_help(text: &str) -> Option<&'static str> {
    if text.starts_with('^') || text.ends_with('$') || text.contains(".*") {
        return Some(
            "patterns are not regular expressions: `*` is any part of a name, `**` any folders, `?` one character, `{a,b}` either",
        );
    }
    if text.starts_with('~') {
        return Some("`~` is not expanded: for all users write `matches \"/home/*/…\"`");
    }
    if text.starts_with('$') || text.starts_with('%') {
        return Some("variables are not expanded: for all users write `matches \"/home/*/…\"`, or declare a `param`");
    }
    None
}

/// The type that a word of other languages means.
pub(crate) fn type_help(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "string" | "str" | "text" | "char" => "texts have the type `path`, `name` or `comm`",
        "list" | "array" | "vec" | "tuple" => "write `set<path>` or a set of another type",
        "integer" | "number" | "uint" | "long" | "u16" | "u32" | "u64" | "i32" | "i64" => "did you mean `int`?",
        "boolean" => "did you mean `bool`?",
        "ipaddr" | "ipaddress" | "address" | "inet" => "did you mean `ip`?",
        "network" | "subnet" | "net" | "prefix" => "did you mean `cidr`?",
        "file" | "filepath" | "dir" | "directory" => "did you mean `path`?",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::{FieldName, Index};

    #[test]
    fn hooks_of_the_kernel_are_known() {
        let all = &ebsec_templates::catalog().hooks;
        assert!(all.iter().all(|hook| is_kernel_hook(&hook.name)));
        assert!(is_kernel_hook("ptrace_access_check") && !is_kernel_hook("foo") && !is_kernel_hook("bpf_rdonly_cast"));
    }

    #[test]
    fn fields_that_are_proposed_exist() {
        let index = Index::new(ebsec_templates::catalog());
        for (names, fields, note) in HABITS {
            assert!(!fields.is_empty() || !note.is_empty(), "{names:?}");
            for field in *fields {
                assert!(matches!(index.field(field), FieldName::Field(..)), "{field}");
            }
            for name in *names {
                assert!(!matches!(index.field(name), FieldName::Field(..)), "{name} exists");
            }
        }
    }
}
