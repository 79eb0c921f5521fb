//! What is told of names: for people a few aligned lines, for machines everything, for the log a line each.

use super::mounts::Mount;
use super::walk::{End, Place};
use crate::text::{clean, table};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Names that people are shown.
const MAX_SHOWN: usize = 10;
/// Other names of a name that people are shown.
const MAX_OTHERS: usize = 3;
/// Characters of a name in a table; a longer one is cut at its front.
const MAX_NAME: usize = 80;
/// Bytes of a line of the kernel's log.
const MAX_LINE: usize = 800;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Names that were looked up.
    pub looked_up: usize,
    /// Names that the artifact had no room for.
    pub left_out: u32,
    /// Names that do not match as they were meant.
    pub told: Vec<Told>,
    /// What could not be found out.
    pub notes: Vec<String>,
}

/// A name by another mount.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Other {
    /// The name.
    pub path: PathBuf,
    /// It is that of a part of the folder.
    pub part: bool,
}

/// One name, and what is to be said of it.
#[derive(Debug)]
pub struct Told {
    name: String,
    rest: String,
    place: Place,
    /// What is mounted where the name ends, unless it is the root: where it is, and its file system's type.
    mount: Option<(String, String)>,
    /// A set of which no name is there.
    pub alone: Option<usize>,
    /// The rules that ask about it.
    pub rules: BTreeSet<String>,
    /// Other names of the same file.
    pub others: BTreeSet<Other>,
}

fn shown(path: &Path) -> String {
    clean(path.as_os_str().as_bytes())
}

impl Told {
    /// A path and the pattern after it; nothing is said of it yet.
    pub fn new((path, rest): (&str, &str), place: &Place, mount: Option<&Mount>) -> Self {
        Self {
            name: clean(path.as_bytes()),
            rest: clean(rest.as_bytes()),
            place: place.clone(),
            mount: mount.map(|m| (shown(&m.point), clean(m.kind.as_bytes()))),
            alone: None,
            rules: BTreeSet::new(),
            others: BTreeSet::new(),
        }
    }

    fn whole(&self) -> String {
        format!("{}{}", self.name, self.rest)
    }

    /// The name in a table.
    fn short(&self) -> String {
        let whole = self.whole();
        let left_out = whole.chars().count().saturating_sub(MAX_NAME);
        if left_out == 0 { whole } else { format!("…{}", whole.chars().skip(left_out).collect::<String>()) }
    }

    /// The path that would match.
    fn path(&self) -> Option<String> {
        let told = matches!(self.place.end, End::There | End::Missing) && self.place.link.is_some();
        told.then(|| format!("{}{}", shown(&self.place.path), self.rest))
    }

    fn found(&self) -> &'static str {
        match self.place.end {
            End::There => "there",
            End::Missing => "missing",
            End::Circle => "circle",
            End::EachItsOwn => "by_process",
            End::Unknown(_) => "unknown",
        }
    }

    /// Only missing: nothing else is wrong with it.
    fn missing(&self) -> bool {
        self.place.end == End::Missing && self.place.link.is_none() && self.others.is_empty()
    }

    /// What matches nothing comes first, what is only missing last.
    fn weight(&self) -> u8 {
        match (&self.place.end, &self.place.link) {
            (End::Circle | End::EachItsOwn, _) => 0,
            (End::There | End::Missing, Some(link)) if self.rest.is_empty() && shown(link) == self.name => 2,
            (End::There | End::Missing, Some(_)) => 0,
            (End::There | End::Missing, None) if !self.others.is_empty() => 1,
            (End::Unknown(_), _) => 3,
            _ => 4,
        }
    }

    fn say(&self) -> String {
        let link = self.place.link.as_deref().map(shown).unwrap_or_default();
        match (&self.place.end, self.path()) {
            (End::Circle, _) => format!("matches nothing: {link} is a link that leads to itself"),
            (End::EachItsOwn, _) => format!("matches nothing: {link} is a link that leads each process elsewhere"),
            (End::Unknown(why), _) => format!("was not looked up: {why}"),
            (_, Some(path)) if link == self.name && self.rest.is_empty() => format!("is a link: what it leads to is {path}"),
            (_, Some(path)) => format!("matches nothing: {link} is a link, so the path is {path}"),
            (End::Missing, None) if self.others.is_empty() => match &self.mount {
                Some((point, kind)) => format!("is not there, on the {kind} at {point}"),
                None => "is not there".to_owned(),
            },
            _ => {
                let name = |o: &Other| format!("{}{}", shown(&o.path), if o.part { " (a part of it)" } else { &self.rest });
                let mut names: Vec<String> = self.others.iter().take(MAX_OTHERS).map(name).collect();
                if self.others.len() > MAX_OTHERS {
                    names.push(format!("{} more", self.others.len() - MAX_OTHERS));
                }
                format!("is also, by another mount, {}", names.join(", "))
            }
        }
    }

    fn of(&self) -> String {
        let first = self.rules.first().cloned().unwrap_or_default();
        if self.rules.len() > 1 { format!("{first} and {} more", self.rules.len() - 1) } else { first }
    }

    fn json(&self) -> Value {
        let reason = if let End::Unknown(why) = &self.place.end { Some(why) } else { None };
        let other = |o: &Other| json!({"path": shown(&o.path), "part": o.part});
        json!({"name": self.whole(), "rules": self.rules, "found": self.found(), "reason": reason,
            "mount": self.mount.as_ref().map(|m| &m.0),
            "link": self.place.link.as_deref().map(shown), "path": self.path(), "others": self.others.iter().map(other).collect::<Vec<_>>()})
    }
}

impl Report {
    /// For `--json`.
    pub fn json(&self) -> Value {
        json!({"looked_up": self.looked_up, "left_out": self.left_out, "notes": self.notes,
            "told": self.told.iter().map(Told::json).collect::<Vec<_>>()})
    }

    /// What people are shown of names, and the lines after that. Of names that are only missing those come whose whole
    /// set is missing, one row a set: lists for several distributions name much that no one of them has.
    fn lines(&self) -> (Vec<[String; 3]>, Vec<String>) {
        let mut told: Vec<&Told> = self.told.iter().filter(|t| !t.missing()).collect();
        told.sort_by_key(|t| t.weight());
        let mut rows: Vec<_> = told.iter().map(|t| [t.short(), t.say(), t.of()]).collect();
        let mut missing: BTreeMap<usize, Vec<&Told>> = BTreeMap::new();
        for one in self.told.iter().filter(|t| t.missing()) {
            missing.entry(one.alone.unwrap_or(usize::MAX)).or_default().push(one);
        }
        let beside = missing.remove(&usize::MAX).unwrap_or_default().len();
        for set in missing.values() {
            let Some(first) = set.first() else { continue };
            let say = match set.len() - 1 {
                0 => first.say(),
                1 => "is not there, nor is 1 other of its list".to_owned(),
                others => format!("is not there, nor are {others} others of its list"),
            };
            rows.push([first.short(), say, first.of()]);
        }
        let mut after = Vec::new();
        if rows.len() > MAX_SHOWN {
            after.push(format!("of {} lines these are the first {MAX_SHOWN}; `ebsec-load status --json` has every name", rows.len()));
            rows.truncate(MAX_SHOWN);
        }
        if beside > 0 {
            let names = if beside == 1 {
                "further name is not there, but another of its list"
            } else {
                "further names are not there, but others of their lists"
            };
            let are = if beside == 1 { "is" } else { "are" };
            after.push(format!("{beside} {names} {are}; `ebsec-load status --json` has them"));
        }
        if self.left_out > 0 {
            after.push(format!("{} names were not looked up: the artifact has no room for so many", self.left_out));
        }
        after.extend(self.notes.iter().cloned());
        (rows, after)
    }

    /// For people; nothing if there is nothing to tell.
    pub fn text(&self) -> String {
        let (rows, after) = self.lines();
        let rows: Vec<_> = rows.into_iter().map(|[name, say, of]| vec![format!("  {name}"), say, of]).collect();
        let heading = if rows.is_empty() { "" } else { "names that are not what they seem on this host:\n" };
        let after: String = after.iter().map(|line| format!("note: {line}\n")).collect();
        format!("{heading}{}{after}", table(&rows, &[]))
    }

    /// For the log.
    pub fn log(&self, package: &str) -> Vec<String> {
        let (rows, after) = self.lines();
        let rows = rows.into_iter().map(|[name, say, of]| format!("{name} {say} ({of})")).chain(after);
        // A notice of a user's program.
        let line = |row: String| {
            let line = format!("<13>ebsec-load: policy {}: {row}", clean(package.as_bytes()));
            let end = (0..=line.len().min(MAX_LINE)).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
            line.get(..end).unwrap_or_default().to_owned()
        };
        rows.map(line).collect()
    }

    /// For a line of `status`.
    pub fn summary(&self) -> String {
        let count = |what: fn(&Told) -> bool| self.told.iter().filter(|t| what(t)).count();
        let links = count(|t| t.place.link.is_some());
        let others = count(|t| !t.others.is_empty());
        let missing = count(Told::missing);
        format!("{} looked up: {links} are behind links, {others} are also elsewhere, {missing} are not there", self.looked_up)
    }
}
