//! Reads a package's files from disk, which anyone may have written who opens a pull request: only regular files inside of
//! the package's real folder, each opened once and no further than the parser reads. What is refused is said, with the
//! reason; nothing is skipped silently. Never judges what is in a file.

use crate::guest::Failure;
use ebsec_compiler::diag::text;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// Name of a package's settings.
pub const CONFIG: &str = "ebsec.toml";
/// More than the parser reads, so that it is the one to refuse.
pub const MAX_READ: u64 = 8 * 1024 * 1024 + 1;
/// Most bytes of all files of a package.
const MAX_PACKAGE: usize = 64 * 1024 * 1024;
/// Most files of a package.
const MAX_FILES: usize = 65_536;
/// Folders within each other below a package's own.
const MAX_FOLDERS: usize = 64;

/// A path as it is shown: no byte of it is obeyed by a terminal.
pub fn shown(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    text::line(&out).into_owned()
}

/// The nearest folder with settings from a folder upward, and what was passed over on the way. The search ends at the root
/// of a repository, and where a folder or the settings belong to someone else: who can write there is not who wrote the
/// package.
pub fn root(folder: &Path) -> (Option<PathBuf>, Option<String>) {
    let owner = |path: &Path| path.symlink_metadata().ok().map(|m| m.uid());
    let own = owner(folder);
    for above in folder.ancestors() {
        let config = above.join(CONFIG);
        let is_there = config.symlink_metadata().is_ok();
        // What stands in the folder itself is the package's, whoever wrote it.
        if above != folder && (owner(above) != own || (is_there && owner(&config) != own)) {
            let reason = is_there.then(|| format!("`{}` is not used: it belongs to another user than `{}`", shown(&config), shown(folder)));
            return (None, reason);
        }
        if is_there {
            return (Some(above.to_owned()), None);
        }
        if above.join(".git").symlink_metadata().is_ok() {
            break;
        }
    }
    (None, None)
}

/// A package's folder, and how much of it has been read.
pub struct Reader {
    /// Its real path.
    root: PathBuf,
    bytes: usize,
}

impl Reader {
    /// Reads below a folder, which is a real path.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), bytes: 0 }
    }

    /// Reads what the user of the command names, wherever it is.
    pub fn anywhere() -> Self {
        Self::new(Path::new("/"))
    }

    /// The text of a file.
    pub fn read(&mut self, path: &Path) -> Result<String, Failure> {
        let failed = |e: std::io::Error| Failure::new(format!("cannot read `{}`: {}", shown(path), reason(&e)));
        // Opening alone has effects on a device, and waits at a pipe.
        regular(path, &path.metadata().map_err(failed)?)?;
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
        // What was looked at may be another file by now: what is open is what counts.
        regular(path, &file.metadata().map_err(failed)?)?;
        self.must_be_inside(path, &file)?;
        let mut bytes = Vec::new();
        file.take(MAX_READ).read_to_end(&mut bytes).map_err(failed)?;
        self.bytes += bytes.len();
        if self.bytes > MAX_PACKAGE {
            let message = format!("the files of the package in `{}` have more than {} MiB", shown(&self.root), MAX_PACKAGE >> 20);
            return Err(Failure::new(message).help("split the package, or name its files in `sources` of ebsec.toml"));
        }
        String::from_utf8(bytes).map_err(|_| Failure::new(format!("`{}` is not UTF-8 text", shown(path))))
    }

    /// A link may lead to another file of the package, and no further.
    fn must_be_inside(&self, path: &Path, file: &File) -> Result<(), Failure> {
        let real = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let real = real.map_err(|e| Failure::new(format!("cannot resolve `{}`: {}", shown(path), reason(&e))))?;
        if real.starts_with(&self.root) {
            return Ok(());
        }
        let message = format!("`{}` is a link out of `{}`: it is not read", shown(path), shown(&self.root));
        Err(Failure::new(message).help("the files of a package are in its folder"))
    }

    /// Every `.ebsec` file below the folder, by its path from there, and the folders of packages below, in whose folders no
    /// further one is looked for. Hidden folders and links to folders are left out.
    pub fn files(&self) -> Result<Below, Failure> {
        let (mut paths, mut packages) = (Vec::new(), Vec::new());
        walk(&self.root, 0, &mut paths, &mut packages)?;
        let named = paths.into_iter().map(|path| Ok((relative(&path, &self.root)?, path)));
        let mut files = named.collect::<Result<Vec<_>, Failure>>()?;
        files.sort();
        packages.sort();
        Ok(Below { files, packages })
    }
}

/// What is below a folder.
pub struct Below {
    /// Policy files, by their names.
    pub files: Vec<(String, PathBuf)>,
    /// Folders that have settings of their own.
    pub packages: Vec<PathBuf>,
}

/// The reason alone: the system's number says nothing more.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        _ => error.to_string(),
    }
}

fn regular(path: &Path, found: &fs::Metadata) -> Result<(), Failure> {
    let kind = found.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(Failure::new(format!("`{}` is {what}, not a regular file: it is not read", shown(path))))
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, packages: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::new(format!("cannot read `{}`: {}", shown(folder), reason(&e)));
    if depth > MAX_FOLDERS {
        let message = format!("`{}` is deeper than {MAX_FOLDERS} folders: policies there would not be read", shown(folder));
        return Err(Failure::new(message).help("move it up, or give it an ebsec.toml of its own"));
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name());
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            match path.join(CONFIG).symlink_metadata() {
                Ok(_) => packages.push(path),
                Err(_) => walk(&path, depth + 1, files, packages)?,
            }
        } else if path.extension() == Some(OsStr::new("ebsec")) {
            files.push(path);
        }
        if files.len().max(packages.len()) > MAX_FILES {
            return Err(Failure::new(format!("`{}` has more than {MAX_FILES} policy files or packages", shown(folder))));
        }
    }
    Ok(())
}

/// A path from the package's folder, with `/`.
pub fn relative(path: &Path, folder: &Path) -> Result<String, Failure> {
    let rest = path.strip_prefix(folder).unwrap_or(path);
    let parts: Option<Vec<&str>> = rest.components().filter(|c| *c != Component::CurDir).map(|c| c.as_os_str().to_str()).collect();
    match parts.map(|parts| parts.join("/")) {
        Some(name) if !name.chars().any(text::is_hidden) => Ok(name),
        found => {
            let what = if found.is_some() { "characters that cannot be seen" } else { "bytes that are not UTF-8" };
            Err(Failure::new(format!("the name `{}` has {what}", shown(path))).help("rename the file"))
        }
    }
}
