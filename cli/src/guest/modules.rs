//! The modules of a guest's kernel. Takes the unpacked packages of a kernel, keeps the modules that tests need, not
//! compressed, each with what it needs; gives the files to load for a name, in order. Never loads one on this machine.

use super::{Failure, GuestFile, machine};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a guest may ask for; what these need is kept with them.
pub const NAMES: &[&str] = &[
    "overlay",
    "loop",
    "ext4",
    "vfat",
    "btrfs",
    "fuse",
    "virtio_pci",
    "virtio_blk",
    "autofs4",
    "nfsd",
    "nfsv3",
    "nfsv4",
    "tun",
    "binfmt_misc",
];

/// What modules ask the kernel for when they are used, which their files do not say as a need. Names differ between
/// kernels: those that one does not have are left out.
const ASKED_LATER: &[(&str, &[&str])] = &[
    ("vfat", &["nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8"]),
    ("btrfs", &["crc32c_generic", "crc32c", "xxhash_generic", "blake2b_generic", "blake2b", "sha256_generic", "sha256"]),
];

/// Where a guest has the modules it loads.
const IN_GUEST: &str = "/lib/modules";

/// The file that says what each kept module needs.
const NEEDS: &str = "needs";
/// The file that names what the kernel has built in.
const BUILT_IN: &str = "builtin";
/// The file that says which names were looked for.
const LOOKED_FOR: &str = "names";

/// The kept modules of one kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modules {
    folder: PathBuf,
    needs: BTreeMap<String, Vec<String>>,
    built_in: BTreeSet<String>,
}

/// What becomes of the names that a guest asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chosen {
    /// Modules to load, each after what it needs.
    pub load: Vec<String>,
    /// Names that the kernel has built in.
    pub built_in: Vec<String>,
}

impl Modules {
    /// The modules in a folder that `keep` filled.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|e| Failure::io("read", &path, &e))
        };
        let built_in = read(BUILT_IN)?.lines().map(str::to_owned).collect();
        Ok(Modules { folder: folder.to_owned(), needs: parse_needs(&read(NEEDS)?), built_in })
    }

    /// Whether a folder was filled by `keep`, with all that is wanted today.
    pub fn are_in(folder: &Path) -> bool {
        let looked_for = fs::read_to_string(folder.join(LOOKED_FOR)).unwrap_or_default();
        let has = |name: &&str| looked_for.lines().any(|line| line == *name);
        NAMES.iter().all(has)
    }

    /// What to load for these names, in order.
    pub fn choose(&self, names: &[String]) -> Result<Chosen, Failure> {
        let mut chosen = Chosen::default();
        for name in names {
            let name = spelled(name);
            if self.built_in.contains(&name) {
                chosen.built_in.push(name);
            } else if self.needs.contains_key(&name) {
                self.with_needs(&name, &mut chosen.load);
            } else {
                let kept: Vec<&str> = self.needs.keys().map(String::as_str).collect();
                let failure = Failure::new(format!("this kernel has no module `{name}`, built in or not"));
                return Err(failure.help(format!("the modules kept for it are {}", kept.join(", "))));
            }
        }
        Ok(chosen)
    }

    /// The file of a module as the guest gets it.
    pub fn file(&self, name: &str) -> GuestFile {
        GuestFile { mode: 0o644, ..GuestFile::host(in_guest(name), self.folder.join(file_name(name))) }
    }

    /// Depth first, so that what is needed comes before; a need that is built in has no entry.
    fn with_needs(&self, name: &str, load: &mut Vec<String>) {
        let Some(needs) = self.needs.get(name) else { return };
        if load.iter().any(|loaded| loaded == name) {
            return;
        }
        needs.iter().for_each(|need| self.with_needs(need, load));
        load.push(name.to_owned());
    }
}

/// Where a module is in the guest.
pub fn in_guest(name: &str) -> String {
    format!("{IN_GUEST}/{}", file_name(name))
}

/// Fills a folder with the wanted modules of an unpacked kernel and with what these need.
pub fn keep(tree: &Path, into: &Path) -> Result<(), Failure> {
    let found = find(tree)?;
    let built_in = fs::read_to_string(tree.join("modules.builtin")).map_err(|e| Failure::io("read", &tree.join("modules.builtin"), &e))?;
    let built_in = built_in_names(&built_in);
    fs::create_dir_all(into).map_err(|e| Failure::io("make", into, &e))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = into.join(name);
        fs::write(&path, bytes).map_err(|e| Failure::io("write", &path, &e))
    };
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut open: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    while let Some(name) = open.pop() {
        // What a kernel has neither as a module nor built in, it does not have: who asks for it is told.
        let Some(path) = found.get(&name).filter(|_| !needs.contains_key(&name)) else { continue };
        let bytes = unpacked(path)?;
        let later = ASKED_LATER.iter().filter(|(asking, _)| *asking == name).flat_map(|(_, asked)| *asked);
        let mut needed = depends(&bytes);
        needed.extend(later.map(|name| (*name).to_owned()));
        needed.retain(|need| found.contains_key(need) && !built_in.contains(need));
        write(&file_name(&name), &bytes)?;
        open.extend(needed.iter().cloned());
        needs.insert(name, needed);
    }
    let built_in: String = built_in.iter().map(|name| format!("{name}\n")).collect();
    write(BUILT_IN, built_in.as_bytes())?;
    write(NEEDS, needs_text(&needs).as_bytes())?;
    // Last, for it says that all is there.
    write(LOOKED_FOR, NAMES.join("\n").as_bytes())
}

/// Every module below a folder, by its name.
fn find(tree: &Path) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut found = BTreeMap::new();
    let mut folders = vec![tree.join("kernel")];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| Failure::io("read", &folder, &e))?;
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(name) = module_name(&path) {
                found.insert(name, path);
            }
        }
    }
    Ok(found)
}

/// `nls_iso8859_1` of `…/nls_iso8859-1.ko.xz`.
fn module_name(path: &Path) -> Option<String> {
    let (name, _) = path.file_name()?.to_str()?.split_once(".ko")?;
    Some(spelled(name))
}

/// A name as the kernel spells it: file names have dashes where it has underscores.
fn spelled(name: &str) -> String {
    name.replace('-', "_")
}

fn file_name(name: &str) -> String {
    format!("{name}.ko")
}

/// A module's bytes, not compressed.
fn unpacked(path: &Path) -> Result<Vec<u8>, Failure> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending {
        "ko" => super::initramfs::read(path),
        "xz" => {
            let busybox = machine::find_busybox()?;
            let failed = |why: String| Failure::new(format!("cannot unpack `{}`: {why}", path.display()));
            let done = Command::new(&busybox).arg("xzcat").arg(path).output().map_err(|e| failed(e.to_string()))?;
            match done.status.success() {
                true => Ok(done.stdout),
                false => Err(failed(String::from_utf8_lossy(&done.stderr).trim().to_owned())),
            }
        }
        _ => Err(Failure::new(format!("`{}` is compressed in a way that is not known", path.display()))),
    }
}

/// What a module says it needs, from the strings of its `.modinfo`: `depends=fat,nls_base`.
fn depends(module: &[u8]) -> Vec<String> {
    let mut texts = module.split(|byte| *byte == 0);
    let list = texts.find_map(|text| text.strip_prefix(b"depends=")).unwrap_or_default();
    let list = String::from_utf8_lossy(list);
    list.split(',').filter(|name| !name.is_empty()).map(spelled).collect()
}

/// The names of `modules.builtin`: `kernel/fs/ext4/ext4.ko`, one a line.
fn built_in_names(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| module_name(Path::new(line))).collect()
}

/// `NAME: NEED NEED`, one a line.
fn needs_text(needs: &BTreeMap<String, Vec<String>>) -> String {
    needs.iter().map(|(name, needs)| format!("{name}: {}\n", needs.join(" "))).collect()
}

fn parse_needs(text: &str) -> BTreeMap<String, Vec<String>> {
    let line = |line: &str| {
        let (name, needs) = line.split_once(':')?;
        Some((name.to_owned(), needs.split_whitespace().map(str::to_owned).collect()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn some() -> Modules {
        let needs = parse_needs("fat: \nvfat: fat nls_cp437\nnls_cp437:\nbtrfs: xor raid6_pq\nraid6_pq: xor\nxor:\na: b\nb: a\n");
        Modules { folder: "/m".into(), needs, built_in: built_in_names("kernel/fs/ext4/ext4.ko\nkernel/lib/crc-t10dif.ko\n") }
    }

    fn load(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        some().choose(&names).unwrap().load
    }

    #[test]
    fn what_is_needed_comes_before_and_once() {
        assert_eq!(load(&["vfat", "btrfs", "fat"]), ["fat", "nls_cp437", "vfat", "xor", "raid6_pq", "btrfs"]);
        assert_eq!(load(&["nls-cp437"]), ["nls_cp437"]);
        assert_eq!(load(&[]), [""; 0]);
    }

    #[test]
    fn what_is_built_in_is_told_and_what_is_not_there_refused() {
        let chosen = some().choose(&["ext4".into(), "crc-t10dif".into()]).unwrap();
        assert_eq!(chosen, Chosen { load: Vec::new(), built_in: vec!["ext4".into(), "crc_t10dif".into()] });
        let failure = some().choose(&["../xor".into()]).unwrap_err();
        assert!(failure.message.contains("no module `../xor`"));
    }

    #[test]
    fn needs_are_read_from_a_module() {
        assert_eq!(depends(b"\x7fELF\0license=GPL\0depends=fat,nls-base\0name=vfat\0"), ["fat", "nls_base"]);
        assert_eq!(depends(b"license=GPL\0depends=\0"), [""; 0]);
        assert_eq!(depends(b"xdepends=a"), [""; 0]);
    }

    #[test]
    fn needs_are_read_as_they_were_written() {
        let needs = some().needs;
        assert_eq!(parse_needs(&needs_text(&needs)), needs);
    }

    #[test]
    fn a_tree_gives_what_is_wanted_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, into) = (folder.path().join("tree"), folder.path().join("kept"));
        let put = |path: &str, bytes: &[u8]| {
            let path = tree.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        put("modules.builtin", b"kernel/fs/ext4/ext4.ko\n");
        put("kernel/fs/fat/vfat.ko", b"\0depends=fat,ext4\0");
        put("kernel/fs/fat/fat.ko", b"\0depends=\0");
        put("kernel/fs/nls/nls_iso8859-1.ko", b"\0depends=\0");
        put("kernel/net/other.ko", b"\0depends=\0");
        assert!(!Modules::are_in(&into));
        keep(&tree, &into).unwrap();
        assert!(Modules::are_in(&into));
        let modules = Modules::open(&into).unwrap();
        assert_eq!(modules.choose(&["vfat".into()]).unwrap().load, ["fat", "nls_iso8859_1", "vfat"]);
        assert!(into.join("vfat.ko").is_file() && !into.join("other.ko").exists());
    }
}
