//! Packages on disk: a path on the command line in, the package's files out. Finds `ebsec.toml` upward from the path.
//! Reads files and never judges what is in them.

use crate::guest::Failure;
use ebsec_compiler::config;
use ebsec_compiler::pipeline::Input;
use ebsec_compiler::source::{FileId, Sources};
use ebsec_compiler::types::Date;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Name of a package's settings.
pub const CONFIG: &str = "ebsec.toml";
/// More than the parser reads, so that it is the one to refuse.
const MAX_READ: u64 = 8 * 1024 * 1024 + 1;
/// Deepest folder that is searched for policies.
const MAX_FOLDERS: usize = 16;

/// A package that was found.
#[derive(Debug)]
pub struct Found {
    /// Its folder; paths of its files are relative to it.
    pub folder: PathBuf,
    /// What the compiler takes.
    pub input: Input,
}

/// The packages of some paths, each once; of the current directory if there is no path.
pub fn open(paths: &[PathBuf], params: &[String], today: Option<Date>) -> Result<Vec<Found>, Failure> {
    let here = [PathBuf::from(".")];
    let mut found: Vec<Found> = Vec::new();
    let mut seen = Vec::new();
    for path in if paths.is_empty() { &here } else { paths } {
        let real = path.canonicalize().map_err(|e| Failure::io("read", path, &e))?;
        let folder = if real.is_dir() { real.clone() } else { real.parent().unwrap_or(&real).to_owned() };
        let root = folder.ancestors().find(|f| f.join(CONFIG).is_file()).map(Path::to_owned);
        let (key, package) = match root {
            Some(root) => (root.clone(), whole(&root, true)?),
            None if real.is_dir() => (real.clone(), whole(&real, false)?),
            None => (real.clone(), single(&real)?),
        };
        if real.is_file() {
            package.must_have(&real, path)?;
        }
        if !seen.contains(&key) {
            seen.push(key);
            let today = today.or_else(self::today);
            found.push(Found { input: Input { params: params.to_vec(), today, ..package.input }, ..package });
        }
    }
    Ok(found)
}

/// Today in UTC.
fn today() -> Option<Date> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Date::from_days(since.as_secs() / 86_400)
}

/// One file that belongs to no package.
fn single(path: &Path) -> Result<Found, Failure> {
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    let mut sources = Sources::default();
    sources.add(relative(path, &folder), read(path)?);
    Ok(Found { folder, input: Input { sources, ..Input::default() } })
}

/// A folder with all its policies.
fn whole(folder: &Path, has_config: bool) -> Result<Found, Failure> {
    let mut sources = Sources::default();
    let mut settings = config::Config::default();
    let mut config = None;
    if has_config {
        let path = folder.join(CONFIG);
        let text = read(&path)?;
        // Mistakes in it are found again, and reported, by the check.
        settings = config::parse(&text, FileId(0), &mut Vec::new());
        config = Some(sources.add(CONFIG, text));
    }
    let mut files = Vec::new();
    walk(folder, 0, &mut files)?;
    let mut names: Vec<(String, PathBuf)> = files.into_iter().map(|f| (relative(&f, folder), f)).collect();
    names.sort();
    names.retain(|(name, _)| settings.wants(name));
    for (name, path) in names {
        sources.add(name, read(&path)?);
    }
    Ok(Found { folder: folder.to_owned(), input: Input { sources, config, ..Input::default() } })
}

/// Every `.ebsec` file below a folder. Hidden folders, symbolic links to folders and packages within are left out.
fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth > MAX_FOLDERS {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).map_err(|e| Failure::io("read", folder, &e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Failure::io("read", folder, &e))?;
        let (path, name) = (entry.path(), entry.file_name());
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = entry.file_type().map_err(|e| Failure::io("read", &path, &e))?;
        if kind.is_dir() {
            if !path.join(CONFIG).is_file() {
                walk(&path, depth + 1, files)?;
            }
        } else if path.extension().is_some_and(|e| e == "ebsec") {
            files.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Failure> {
    let file = std::fs::File::open(path).map_err(|e| Failure::io("read", path, &e))?;
    let mut bytes = Vec::new();
    file.take(MAX_READ).read_to_end(&mut bytes).map_err(|e| Failure::io("read", path, &e))?;
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("{} is not UTF-8 text", path.display())))
}

fn relative(path: &Path, folder: &Path) -> String {
    let rest = path.strip_prefix(folder).unwrap_or(path);
    rest.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

impl Found {
    /// A file that is named must be one that is read: otherwise its mistakes would pass for none.
    fn must_have(&self, real: &Path, path: &Path) -> Result<(), Failure> {
        let name = relative(real, &self.folder);
        if self.input.sources.files.iter().any(|f| f.path == name) || self.has_wrong_config() {
            return Ok(());
        }
        let config = self.folder.join(CONFIG);
        let help = "its sources are the `.ebsec` files of its folder, or those of them that `sources` names";
        Err(Failure::new(format!("`{}` is no source of the package of `{}`", path.display(), config.display())).help(help))
    }

    /// Whether the check will say what is wrong with the settings, and perhaps with `sources`.
    fn has_wrong_config(&self) -> bool {
        let sources = &self.input.sources;
        let Some((id, file)) = self.input.config.and_then(|id| Some((id, sources.get(id)?))) else { return false };
        let mut mistakes = Vec::new();
        let settings = config::parse(&file.text, id, &mut mistakes);
        let paths: Vec<&str> = sources.files.iter().map(|f| f.path.as_str()).collect();
        !mistakes.is_empty() || !settings.unmatched(&paths).is_empty()
    }

    /// What stands before the paths of the package's files so that they are right from the current directory.
    fn prefix(&self) -> String {
        let here = std::env::current_dir().and_then(|d| d.canonicalize()).unwrap_or_default();
        let mut up = String::new();
        for folder in here.ancestors().take(4) {
            match self.folder.strip_prefix(folder) {
                Ok(rest) if rest.as_os_str().is_empty() => return up,
                Ok(rest) => return format!("{up}{}/", rest.display()),
                Err(_) => up.push_str("../"),
            }
        }
        format!("{}/", self.folder.display())
    }

    /// Sources as they are shown: the package's files and its folder (which has the empty path) from the current directory,
    /// all others as they are.
    pub fn shown(&self, sources: &Sources) -> Sources {
        let (prefix, own) = (self.prefix(), self.input.sources.files.len());
        let mut shown = sources.clone();
        for (index, file) in shown.files.iter_mut().enumerate() {
            if file.path.is_empty() && prefix.is_empty() {
                file.path = ".".to_owned();
            } else if index < own || file.path.is_empty() {
                file.path = format!("{prefix}{}", file.path);
            }
        }
        shown
    }
}
