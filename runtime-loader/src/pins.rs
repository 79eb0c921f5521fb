//! Where a loaded policy lives: pins in the bpf file system, what must be remembered in /run. Makes, finds and
//! removes these; knows nothing of what the pins mean.

use crate::error::{Error, Result};
use crate::sys::{Kernel, SysResult};
use std::path::{Path, PathBuf};

/// Root of the bpf file system.
pub const BPFFS: &str = "/sys/fs/bpf";
/// Folder of all pins.
pub const PINS: &str = "/sys/fs/bpf/ebsec";
/// The control cell once more, under a name that no folder has to be read for: so a policy can be switched off that
/// forbids to read its own folders, or whose artifact's copy is gone.
pub const CONTROL: &str = "/sys/fs/bpf/ebsec/control";
/// Folder of all that is remembered until the next boot.
pub const STATE: &str = "/run/ebsec";
/// The loaded artifact, inside the policy's folder.
pub const ARTIFACT: &str = "artifact.bpf.o";
/// What was attached, inside the policy's folder.
pub const ATTACHED: &str = "attached.json";
/// Written when the canary was refused everywhere, inside the policy's folder.
pub const PROVED: &str = "proved";
/// How many lost events readers have told, inside the policy's folder.
pub const LOST: &str = "lost";
const STAGING: &str = "staging";

/// Keeps other loaders out while it lives.
pub fn lock<K: Kernel>(kernel: &mut K) -> Result<K::Fd> {
    ensure_dir(kernel, Path::new("/run")).map_err(|e| Error::system("making /run", &e))?;
    ensure_dir(kernel, Path::new(STATE)).map_err(|e| Error::system(format!("making {STATE}"), &e))?;
    kernel.lock(&Path::new(STATE).join("lock")).map_err(|e| Error::system("taking the loader's lock", &e))
}

/// Whether another loader is at work, or died at it.
pub fn load_under_way<K: Kernel>(kernel: &mut K) -> Result<bool> {
    let busy = kernel.try_lock(&Path::new(STATE).join("lock")).is_err_and(|e| e.errno == libc::EWOULDBLOCK);
    Ok(busy || list(kernel)?.iter().any(|p| is_staging(p)))
}

/// Folder of the loaded policy's pins, if one is loaded.
pub fn loaded<K: Kernel>(kernel: &K) -> Result<Option<PathBuf>> {
    let pins = list(kernel)?;
    Ok(pins.into_iter().find(|p| !is_staging(p) && p != Path::new(CONTROL)))
}

/// Removes what loaders left that died while they loaded. The caller holds the lock, so no such loader lives.
pub fn sweep<K: Kernel>(kernel: &mut K) -> Result<()> {
    for dir in list(kernel)?.iter().filter(|p| is_staging(p)) {
        remove_tree(kernel, dir).map_err(|e| Error::system(format!("removing `{}`", dir.display()), &e))?;
    }
    if loaded(kernel)?.is_none() {
        kernel.remove_file(Path::new(CONTROL)).map_err(|e| Error::system(format!("removing `{CONTROL}`"), &e))?;
    }
    Ok(())
}

/// An error where the kernel runs a policy's programs though there are no pins of it. The caller has looked for them.
pub fn none_hidden<K: Kernel>(kernel: &K) -> Result<()> {
    let attached = kernel.attached().map_err(|e| Error::system("looking for attached programs", &e))?;
    let hidden = attached.iter().filter(|name| name.starts_with("ebsec_")).count();
    if hidden == 0 {
        return Ok(());
    }
    Err(Error::refused(
        format!("a policy is attached whose pins are not in {BPFFS}: the kernel runs {hidden} of its programs"),
        format!(
            "if another file system was mounted over the pins, unmount it (`umount {BPFFS}`); if the policy was loaded in another mount namespace, run `ebsec-load` there (`nsenter --mount`)"
        ),
    ))
}

fn list<K: Kernel>(kernel: &K) -> Result<Vec<PathBuf>> {
    kernel.list(Path::new(PINS)).map_err(|e| Error::system(format!("reading {PINS}"), &e))
}

fn is_staging(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(STAGING))
}

/// Makes a folder unless it is there.
pub fn ensure_dir<K: Kernel>(kernel: &mut K, path: &Path) -> SysResult<()> {
    match kernel.make_dir(path) {
        Err(e) if e.errno == libc::EEXIST => Ok(()),
        other => other,
    }
}

/// Removes a folder with its files; links go first, so that nothing runs on when a map's pin is gone.
pub fn remove_tree<K: Kernel>(kernel: &mut K, dir: &Path) -> SysResult<()> {
    let mut files = kernel.list(dir)?;
    files.sort_by_key(|f| !is_link(f));
    for file in files {
        kernel.remove_file(&file)?;
    }
    kernel.remove_dir(dir)
}

/// Whether a pin is that of a link.
pub fn is_link(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("link_"))
}

/// Pin of the map `name` in a policy's folder; the file system allows no dots.
pub fn map_pin(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("map_{}", name.trim_start_matches('.').replace('.', "_")))
}

/// Pin of the link of the program `name`.
pub fn link_pin(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("link_{}", name.replace('.', "_")))
}

/// Pins that appear under a policy's name only when all are there. Nothing is removed on drop: see [`Pins::undo`].
#[derive(Debug, Default)]
pub struct Pins {
    /// Where the pins are now.
    dir: PathBuf,
    /// The policy's folder in /run.
    state: Option<PathBuf>,
}

impl Pins {
    /// Makes the folder in which pins are gathered.
    pub fn stage<K: Kernel>(&mut self, kernel: &mut K) -> Result<()> {
        let error = |e| Error::system(format!("making {PINS}"), &e);
        ensure_dir(kernel, Path::new(PINS)).map_err(error)?;
        let dir = Path::new(PINS).join(STAGING);
        kernel.make_dir(&dir).map_err(error)?;
        self.dir = dir;
        Ok(())
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes what must be remembered.
    pub fn remember<K: Kernel>(&mut self, kernel: &mut K, name: &str, files: &[(&str, &[u8])]) -> Result<()> {
        let dir = Path::new(STATE).join(name);
        // What an earlier policy of this name left; nothing is loaded now.
        remove_tree(kernel, &dir).map_err(|e| Error::system(format!("removing `{}`", dir.display()), &e))?;
        kernel.make_dir(&dir).map_err(|e| Error::system(format!("making `{}`", dir.display()), &e))?;
        self.state = Some(dir.clone());
        for (file, bytes) in files {
            let path = dir.join(file);
            kernel.write_file(&path, bytes).map_err(|e| Error::system(format!("writing `{}`", path.display()), &e))?;
        }
        Ok(())
    }

    /// Gives the pins the policy's name, all at once.
    pub fn publish<K: Kernel>(&mut self, kernel: &mut K, name: &str) -> Result<()> {
        let to = Path::new(PINS).join(name);
        kernel.rename(&self.dir, &to).map_err(|e| Error::system("naming the pins", &e))?;
        self.dir = to;
        Ok(())
    }

    /// Removes everything that was made, as far as the kernel lets it; gives the first failure.
    pub fn undo<K: Kernel>(&self, kernel: &mut K) -> SysResult<()> {
        let pins = if self.dir.as_os_str().is_empty() { Ok(()) } else { remove_tree(kernel, &self.dir) };
        let pins = pins.and(kernel.remove_file(Path::new(CONTROL)));
        let state = self.state.as_ref().map_or(Ok(()), |dir| remove_tree(kernel, dir));
        pins.and(state)
    }
}
