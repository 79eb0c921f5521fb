//! Where a name leads on this host, link by link: looks at each component itself, so that it sees what path look-up goes
//! through. Reads no file, triggers no automount, goes into no file system of a server's or a process's own.

use super::mounts::Mounts;
use crate::sys::{Kernel, Kind, Seen, SysResult};
use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Links that the kernel follows on one path.
const MAX_LINKS: usize = 40;
/// Components that are looked at in one run.
const MAX_LOOKS: usize = 200_000;
/// Longest path in bytes.
const MAX_PATH: usize = 4096;

/// What became of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is there.
    There,
    /// It is not.
    Missing,
    /// Its links lead back to themselves.
    Circle,
    /// A link of procfs stands in it, which leads each process elsewhere.
    EachItsOwn,
    /// It was not looked up, for this reason.
    Unknown(String),
}

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path without links, as far as it is known, with what is missing of it.
    pub path: PathBuf,
    /// The part of `path` that is there.
    pub there: PathBuf,
    /// The first link that it passes through.
    pub link: Option<PathBuf>,
    /// What became of it.
    pub end: End,
}

/// Looks names up and remembers what it saw.
pub struct Walk<'k, K: Kernel> {
    kernel: &'k K,
    mounts: &'k Mounts,
    seen: HashMap<PathBuf, SysResult<Seen>>,
}

impl<'k, K: Kernel> Walk<'k, K> {
    /// On this host, with these mounts.
    pub fn new(kernel: &'k K, mounts: &'k Mounts) -> Self {
        Self { kernel, mounts, seen: HashMap::new() }
    }

    /// What is at a path without links; absent when enough was looked at.
    pub fn look(&mut self, path: &Path) -> Option<SysResult<Seen>> {
        if let Some(seen) = self.seen.get(path) {
            return Some(seen.clone());
        }
        if self.seen.len() >= MAX_LOOKS {
            return None;
        }
        let seen = self.kernel.look(path);
        self.seen.insert(path.to_owned(), seen.clone());
        Some(seen)
    }

    /// Follows an absolute path.
    pub fn follow(&mut self, name: &Path) -> Place {
        let mut place = Place { path: PathBuf::from("/"), there: PathBuf::from("/"), link: None, end: End::There };
        let mut ahead: VecDeque<OsString> = components(name).collect();
        let mut links = 0;
        while let Some(component) = ahead.pop_front() {
            if component == ".." {
                place.there.pop();
                continue;
            }
            let next = place.there.join(&component);
            match self.step(&next, ahead.is_empty()) {
                Ok(None) => place.there = next,
                Ok(Some(target)) => {
                    place.link.get_or_insert(next);
                    links += 1;
                    if links > MAX_LINKS {
                        place.end = End::Circle;
                        break;
                    }
                    if target.is_absolute() {
                        place.there = PathBuf::from("/");
                    }
                    for part in components(&target).collect::<Vec<_>>().into_iter().rev() {
                        ahead.push_front(part);
                    }
                }
                Err(end) => {
                    if end == End::EachItsOwn {
                        place.link.get_or_insert(next);
                    }
                    ahead.push_front(component);
                    place.end = end;
                    break;
                }
            }
        }
        place.path.clone_from(&place.there);
        for component in ahead {
            if component == ".." {
                place.path.pop();
            } else {
                place.path.push(component);
            }
        }
        place
    }

    /// Nothing for what is gone into, the target of a link, or why it ends here.
    fn step(&mut self, next: &Path, last: bool) -> Result<Option<PathBuf>, End> {
        if next.as_os_str().len() > MAX_PATH {
            return Err(End::Unknown("the path is too long".to_owned()));
        }
        if let Some(mount) = self.mounts.remote(next) {
            let point = crate::text::clean(mount.point.as_os_str().as_bytes());
            return Err(End::Unknown(format!("{point} is of the type {}", crate::text::clean(mount.kind.as_bytes()))));
        }
        let seen = match self.look(next) {
            None => return Err(End::Unknown("there are too many names".to_owned())),
            Some(Err(e)) if matches!(e.errno, libc::ENOENT | libc::ENOTDIR) => return Err(End::Missing),
            Some(Err(e)) => return Err(End::Unknown(e.to_string())),
            Some(Ok(seen)) => seen,
        };
        match seen.kind {
            Kind::Automount => Err(End::Unknown("something would be mounted there".to_owned())),
            Kind::Folder => Ok(None),
            Kind::Other if last => Ok(None),
            Kind::Other => Err(End::Missing),
            Kind::Link if self.mounts.get(seen.mount).is_some_and(|m| m.kind == "proc") => Err(End::EachItsOwn),
            Kind::Link => match self.kernel.read_link(next) {
                Ok(target) if target.as_os_str().is_empty() => Err(End::Missing),
                Ok(target) => Ok(Some(target)),
                Err(e) => Err(End::Unknown(e.to_string())),
            },
        }
    }
}

/// Components but `.` and empty ones.
fn components(path: &Path) -> impl Iterator<Item = OsString> {
    let parts = path.as_os_str().as_bytes().split(|b| *b == b'/');
    parts.filter(|p| !p.is_empty() && *p != b".").map(|p| OsStr::from_bytes(p).to_owned())
}
