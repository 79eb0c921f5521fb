//! The mounts of the loader's namespace: the text of `/proc/self/mountinfo` in, questions about paths answered from it.
//! Asks the kernel nothing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its number.
    pub id: u64,
    /// The file system's device, `259:2`.
    device: Vec<u8>,
    /// The folder or file of the file system that it shows.
    pub root: PathBuf,
    /// Where it is mounted.
    pub point: PathBuf,
    /// The file system's type.
    pub kind: String,
}

/// All mounts, in the kernel's order: of two at one place the later is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts(Vec<Mount>);

/// File systems that may ask a server, or a process, for each name. FUSE's have a part after a dot.
const REMOTE: [&str; 18] = [
    "9p", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "fuse", "fuseblk", "gfs2", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2",
    "orangefs", "smb3", "smbfs",
];

impl Mounts {
    /// Reads the kernel's text; lines that it cannot read are no mounts.
    pub fn parse(text: &[u8]) -> Self {
        Self(text.split(|b| *b == b'\n').filter_map(mount).collect())
    }

    /// The mount with this number.
    pub fn get(&self, id: u64) -> Option<&Mount> {
        self.0.iter().find(|m| m.id == id)
    }

    /// The mount at this place that must not be gone into, for its names are somebody else's to give: those of a server,
    /// or of a process. The root's own file system is asked all the time anyway.
    pub fn remote(&self, point: &Path) -> Option<&Mount> {
        let mount = self.0.iter().rfind(|m| m.point == point)?;
        let kind = mount.kind.split('.').next().unwrap_or_default();
        let root = self.0.iter().rfind(|m| m.point == Path::new("/"));
        let own = root.is_some_and(|r| r.device == mount.device);
        (REMOTE.contains(&kind) && !own).then_some(mount)
    }

    /// Other mounts that show `path`, which `mount` shows, each with its name for it.
    pub fn others<'m>(&'m self, mount: &'m Mount, path: &Path) -> impl Iterator<Item = (&'m Mount, PathBuf)> + use<'m> {
        let inside = path.strip_prefix(&mount.point).ok().map(|rest| join(&mount.root, rest));
        let same = self.0.iter().filter(move |m| m.device == mount.device && m.id != mount.id);
        same.filter_map(move |m| Some((m, join(&m.point, inside.as_ref()?.strip_prefix(&m.root).ok()?))))
    }

    /// Mounts that show something of the folder `path`, which `mount` shows, but not the folder itself.
    pub fn parts<'m>(&'m self, mount: &'m Mount, path: &Path) -> impl Iterator<Item = &'m Mount> + use<'m> {
        let inside = path.strip_prefix(&mount.point).ok().map(|rest| join(&mount.root, rest));
        let same = self.0.iter().filter(move |m| m.device == mount.device && m.id != mount.id);
        same.filter(move |m| inside.as_ref().is_some_and(|inside| m.root != *inside && m.root.starts_with(inside)))
    }

    /// Mounts below a folder.
    pub fn below<'m>(&'m self, path: &'m Path) -> impl Iterator<Item = &'m Mount> {
        self.0.iter().filter(move |m| m.point != path && m.point.starts_with(path))
    }
}

/// `join` that adds no slash to what stays as it is.
fn join(path: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { path.to_owned() } else { path.join(rest) }
}

/// `36 35 98:0 /root /point options [fields] - type source options`
fn mount(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|b| *b == b' ');
    let id = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let device = words.nth(1)?.to_vec();
    let (root, point) = (unescape(words.next()?), unescape(words.next()?));
    let kind = words.skip_while(|w| *w != b"-").nth(1)?;
    // A folder that was removed while it is mounted has no place in the file system.
    let root = if root.ends_with(b"//deleted") { b"//deleted".to_vec() } else { root };
    Some(Mount { id, device, root: path(&root), point: path(&point), kind: String::from_utf8_lossy(kind).into_owned() })
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// Spaces and the like stand as `\040`.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.first_chunk::<3>().filter(|d| *first == b'\\' && d.iter().all(|b| (b'0'..=b'7').contains(b)));
        match digits {
            Some(digits) => {
                out.push(digits.iter().fold(0u8, |n, d| n.wrapping_mul(8).wrapping_add(d - b'0')));
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"1 1 0:2 / / rw - rootfs none rw
20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
21 20 8:1 /srv/data /mnt/with\\040space rw shared:1 master:2 - ext4 /dev/sda1 rw
22 20 8:1 /gone//deleted /mnt/x rw - ext4 /dev/sda1 rw
23 20 0:40 / /net rw - autofs systemd-1 rw
24 20 0:41 / /home rw - nfs4 server:/home rw
25 20 0:42 / /media rw - fuse.sshfs x rw
nonsense
26 20 0:43";

    fn names(mounts: &Mounts, id: u64, path: &str) -> Vec<String> {
        let Some(mount) = mounts.get(id) else { return Vec::new() };
        mounts.others(mount, Path::new(path)).map(|(m, p)| format!("{} {}", m.id, p.display())).collect()
    }

    #[test]
    fn a_file_has_a_name_by_each_mount() {
        let mounts = Mounts::parse(TEXT);
        assert_eq!(names(&mounts, 20, "/srv/data/a"), ["21 /mnt/with space/a"]);
        assert_eq!(names(&mounts, 20, "/srv/data"), ["21 /mnt/with space"]);
        assert_eq!(names(&mounts, 20, "/srv"), [""; 0]);
        assert_eq!(names(&mounts, 21, "/mnt/with space/b"), ["20 /srv/data/b"]);
        let root = mounts.get(20).map(|m| mounts.parts(m, Path::new("/srv")).map(|m| m.id).collect::<Vec<_>>());
        assert_eq!(root, Some(vec![21]));
        assert_eq!(mounts.below(Path::new("/mnt")).map(|m| m.id).collect::<Vec<_>>(), [21, 22]);
    }

    #[test]
    fn names_of_servers_are_not_asked() {
        let mounts = Mounts::parse(TEXT);
        let remote = |path: &str| mounts.remote(Path::new(path)).is_some();
        assert!(remote("/net") && remote("/home") && remote("/media"));
        assert!(!remote("/") && !remote("/mnt/with space") && !remote("/home/eve"));
        assert!(Mounts::parse(b"1 1 0:41 / / rw - nfs s:/ rw\n2 1 0:41 /x /y rw - nfs s:/ rw").remote(Path::new("/y")).is_none());
    }
}
