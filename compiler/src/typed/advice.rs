//! What was probably meant where no name is near: words of other tools for modes and events, fields that are written
//! without their beginning or their end. Proposes only what is built.

use super::{Elem, Typer};
use crate::diag::{Finding, by_distance, codes, list};
use crate::resolve::habits::{self, Meant};
use crate::resolve::{FieldName, Index};
use crate::source::Loc;
use std::net::IpAddr;

/// Most hooks that a message lists.
pub(crate) const MAX_HOOKS: usize = 3;

/// The mode that a word of other tools means.
fn mode_of(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "audit" | "warn" | "log" | "alert" | "report" | "monitor" | "detect" | "learn" | "permissive" | "complain" | "passive"
        | "dry_run" | "dry-run" | "dryrun" | "test" => "observe",
        "block" | "deny" | "kill" | "prevent" | "protect" | "restrict" | "strict" | "enforcing" | "active" => "enforce",
        _ => return None,
    })
}

/// Help for a word that is no mode but one in other tools.
pub(crate) fn mode_help(word: &str) -> Option<String> {
    let mode = mode_of(word)?;
    let does = if mode == "observe" { "it reports what `enforce` refuses" } else { "it refuses what `observe` only reports" };
    Some(format!("did you mean `{mode}`? {does}"))
}

/// Help for a text that is no extension.
pub(crate) fn extension_help(text: &str) -> String {
    match text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).filter(|rest| !rest.is_empty() && !rest.contains(['.', '*'])) {
        Some(rest) => format!("write `\"{rest}\"`"),
        None => "compare `.name` with a pattern such as `\"*.tar.gz\"`".to_owned(),
    }
}

/// Help for a name in place of a number that is an id.
pub(crate) fn id_help(name: &str) -> &'static str {
    if name == "root" { "ids are numbers: `root` is 0" } else { "ids are numbers: the kernel does not know the names of users and groups" }
}

/// The address and the port of a text that holds both.
pub(crate) fn endpoint(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.rsplit_once(':')?;
    let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    Some((address.parse().ok()?, port.parse().ok()?))
}

/// Help for a text in place of an address: an address with a port, or the name of a host.
pub(crate) fn address_help(text: &str) -> Option<String> {
    match endpoint(text) {
        Some((address, port)) => Some(format!("write two tests: `remote.ip == {address} and remote.port == {port}`")),
        None => host_help(text).map(str::to_owned),
    }
}

/// Help for a text in place of an address, if it looks like the name of a host.
fn host_help(text: &str) -> Option<&'static str> {
    let name = text.bytes().any(|b| b.is_ascii_alphabetic()) && !text.contains([':', '/']);
    name.then_some("the kernel does not know host names: write addresses, such as `203.0.113.7` or `10.0.0.0/8`")
}

/// Help for an unknown name in place of a value of this type. In a source, a name with dots may be a constant of a
/// module; in a parameter's text there are no names.
pub(crate) fn name_help(name: &str, want: Elem, in_source: bool) -> Option<String> {
    match want {
        Elem::Uid | Elem::Gid if !name.contains('.') => Some(id_help(name).to_owned()),
        Elem::Ip | Elem::Cidr | Elem::Address if !in_source => address_help(name),
        Elem::Text => Some(format!("text goes in double quotes: `\"{name}\"`")),
        Elem::Port => habits::port_of(name).map(|port| format!("ports are numbers: `{name}` is {port}")),
        _ => None,
    }
}

/// The events that a word of other tools means.
pub(crate) fn events_of(word: &str) -> &'static [&'static str] {
    let (subject, verb) = word.rsplit_once('.').unwrap_or(("", word));
    match (subject, verb) {
        ("file" | "fs" | "", "create" | "delete" | "remove" | "rename" | "unlink" | "modify" | "change" | "truncate" | "append")
        | ("file" | "fs" | "", "chmod" | "chown" | "mkdir" | "rmdir" | "link" | "symlink" | "write") => &["file.write"],
        ("file" | "fs" | "", "open" | "openat" | "access") => &["file.read", "file.write"],
        ("file" | "fs" | "", "read") => &["file.read"],
        ("file", "exec" | "execute" | "mmap" | "load") => &["file.run"],
        ("process" | "proc" | "", "exec" | "execve" | "execute" | "spawn" | "start" | "run" | "create") => &["exec"],
        ("net" | "network" | "socket" | "", "connect" | "send" | "sendto" | "sendmsg" | "outbound" | "egress") => &["net.egress"],
        _ => &[],
    }
}

/// The hook of one kind of change alone, for words that other tools have as events.
fn hook_of(word: &str) -> Option<&'static str> {
    let (subject, verb) = word.rsplit_once('.').unwrap_or(("", word));
    if !matches!(subject, "file" | "fs" | "") {
        return None;
    }
    Some(match verb {
        "delete" | "remove" | "unlink" => "hook.path_unlink",
        "rename" | "move" => "hook.path_rename",
        "create" => "hook.path_mknod",
        "truncate" => "hook.path_truncate",
        "chmod" => "hook.path_chmod",
        "chown" => "hook.path_chown",
        "mkdir" => "hook.path_mkdir",
        "rmdir" => "hook.path_rmdir",
        "link" => "hook.path_link",
        "symlink" => "hook.path_symlink",
        "mount" => "hook.sb_mount",
        _ => return None,
    })
}

impl Index {
    /// What stands before the first dot, if all the fields and events of that beginning are still to be built.
    pub(crate) fn planned_family<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (family, _) = name.split_once('.').unwrap_or((name, ""));
        let of = |n: &str| n.strip_prefix(family).is_some_and(|rest| rest.starts_with('.'));
        let built = self.built_fields().any(of) || self.event_names().iter().any(|e| of(e) || *e == family);
        (!built && self.planned_names().any(of)).then_some(family)
    }

    /// Fields that end like the name, or else the path among those that begin with it.
    pub(crate) fn completed(&self, name: &str) -> Option<&str> {
        let ends = |f: &&str| f.strip_suffix(name).is_some_and(|before| before.ends_with('.'));
        let begins = |f: &&str| f.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')) && self.is_path(f);
        let order = |f: &&str| (f.matches('.').count(), f.len());
        let mut all: Vec<&str> = self.built_fields().collect();
        all.sort_unstable();
        all.iter().copied().filter(ends).min_by_key(order).or_else(|| all.iter().copied().filter(begins).min_by_key(order))
    }

    /// The fields of the same beginning, or what fields begin with; the nearest first.
    pub(crate) fn fields_help(&self, name: &str) -> String {
        let family = name.split('.').next().unwrap_or(name);
        let whole = |f: &&str| matches!(self.field(f), FieldName::Field(_, None));
        let of = |f: &&str| f.strip_prefix(family).is_some_and(|rest| rest.starts_with('.'));
        let known = by_distance(name, self.built_fields().filter(whole).filter(of));
        if known.is_empty() {
            let mut families: Vec<&str> = self.built_fields().filter_map(|f| f.split('.').next()).collect();
            families.sort_unstable();
            families.dedup();
            let families: Vec<String> = by_distance(family, families).iter().map(|f| format!("`{f}.`")).collect();
            return format!("fields begin with {}; `ebsec explain EVENT` lists those of an event", families.join(", "));
        }
        format!("known: {}; `ebsec explain EVENT` lists all fields of an event", list(&known))
    }

    /// The address of what is asked by a host's name.
    pub(crate) fn address_of(&self, name: &str) -> Option<&str> {
        let (side, last) = name.rsplit_once('.')?;
        let hosts = ["host", "hostname", "name", "domain", "dns", "fqdn"];
        let is_ip = |f: &&str| f.strip_prefix(side) == Some(".ip");
        hosts.contains(&last).then(|| self.built_fields().find(is_ip)).flatten()
    }
}

impl Typer<'_> {
    /// Says that there is no such field, and what may be meant.
    pub(crate) fn unknown_field(&mut self, name: &str, loc: Loc) {
        if self.uncounted() {
            return;
        }
        if let Some(meant) = habits::meant(name) {
            return self.foreign_field(name, loc, &meant);
        }
        let dotted = name.contains('.');
        if dotted && let Some(family) = self.index.planned_family(name) {
            return self.unsupported_family("fields", family, loc);
        }
        let diagnostic = Finding::error(codes::UNKNOWN_FIELD, loc, format!("there is no field `{name}`"));
        let diagnostic = if let Some(found) = self.index.address_of(name) {
            let found = found.to_owned();
            let diagnostic = diagnostic.help(format!("did you mean `{found}`?"));
            diagnostic.note("the kernel does not know host names, only addresses")
        } else if let Some(found) = self.index.completed(name) {
            let found = found.to_owned();
            diagnostic.help(format!("did you mean `{found}`?")).guess(format!("replace by `{found}`"), loc, found)
        } else if let Some(family) = self.index.planned_family(name) {
            return self.unsupported_family("fields", family, loc);
        } else {
            let near = crate::diag::nearest(name, &self.index.field_names().collect::<Vec<_>>()).is_some();
            if near { diagnostic.near(name, loc, self.index.field_names()) } else { diagnostic.help(self.index.fields_help(name)) }
        };
        self.push(diagnostic);
    }

    /// A field as another tool names it.
    fn foreign_field(&mut self, name: &str, loc: Loc, meant: &Meant) {
        let diagnostic = Finding::error(codes::UNKNOWN_FIELD, loc, format!("there is no field `{name}`"));
        let fields: Vec<String> = meant.fields.iter().map(|f| format!("`{f}`")).collect();
        let diagnostic = match meant.fields {
            [] => diagnostic.help(meant.note),
            _ => diagnostic.help(format!("did you mean {}?", fields.join(" or "))),
        };
        let diagnostic = match meant.fields {
            [one] if meant.note.is_empty() => diagnostic.guess(format!("replace by `{one}`"), loc, *one),
            [_, ..] if !meant.note.is_empty() => diagnostic.note(meant.note),
            _ => diagnostic,
        };
        self.push(diagnostic);
    }

    /// Says that there is no such event, and what may be meant.
    pub(crate) fn unknown_event(&mut self, name: &str, loc: Loc) {
        if self.uncounted() {
            return;
        }
        if name.contains('.')
            && let Some(family) = self.index.planned_family(name)
        {
            return self.unsupported_family("events", family, loc);
        }
        let message = match name.strip_prefix("hook.") {
            Some(hook) => format!("the kernel has no hook `{hook}`"),
            None => format!("there is no event `{name}`"),
        };
        let diagnostic = Finding::error(codes::UNKNOWN_EVENT, loc, message);
        let known = self.index.event_names();
        let meant: Vec<&str> = events_of(name).iter().copied().filter(|e| known.contains(e)).collect();
        let hook = hook_of(name).filter(|hook| known.contains(hook));
        let diagnostic = if !meant.is_empty() {
            let meant: Vec<String> = meant.iter().map(|e| format!("`{e}`")).collect();
            let diagnostic = diagnostic.help(format!("did you mean {}?", meant.join(" or ")));
            match hook {
                Some(hook) => diagnostic.help(format!("it covers every change of a file; this kind alone is `{hook}`")),
                None => diagnostic,
            }
        } else if let Some(hook) = hook {
            diagnostic.help(format!("did you mean `{hook}`?"))
        } else if crate::diag::nearest(name, &known).is_some() {
            diagnostic.near(name, loc, known)
        } else {
            diagnostic.help(self.events_help(name))
        };
        self.push(diagnostic);
    }

    /// The events that there are, the nearest first: the intents and some hooks, and for the name of a hook the hooks first.
    fn events_help(&self, name: &str) -> String {
        let of = |hooks: bool| self.index.catalog.events.iter().filter(move |e| e.is_hook == hooks);
        let intents = list(&by_distance(name, of(false).map(|e| e.name.as_str())));
        if name.starts_with("hook.") {
            let hooks = by_distance(name, of(true).map(|e| e.name.as_str()));
            let nearest = list(hooks.get(..MAX_HOOKS).unwrap_or(&hooks));
            return format!("known: {nearest}, …, and the intents {intents}; `ebsec explain` lists all events");
        }
        let hook = of(true).max_by_key(|e| (e.fields.len(), std::cmp::Reverse(&e.name)));
        let hook = hook.map_or(String::new(), |e| format!(", and hooks of the kernel such as `{}`", e.name));
        format!("known: {intents}{hook}; `ebsec explain EVENT` describes one")
    }

    fn unsupported_family(&mut self, what: &str, family: &str, loc: Loc) {
        self.unsupported_many(loc, &format!("the {what} `{family}.…`"));
    }
}
