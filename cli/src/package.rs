//! Packages on disk: a path on the command line in, the package's files out (`read` takes them from disk). Finds
//! `ebsec.toml` upward from the path. Never judges what is in a file.

mod read;

pub use read::{CONFIG, MAX_READ, shown};

use crate::guest::Failure;
use crate::output;
use ebsec_compiler::config;
use ebsec_compiler::diag::Findings;
use ebsec_compiler::pipeline::{Input, Outside};
use ebsec_compiler::source::{FileId, Sources};
use ebsec_compiler::typed::Date;
use read::{Below, Reader, relative};
use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A package that was found.
#[derive(Debug)]
pub struct Found {
    /// Its folder; paths of its files are relative to it.
    pub folder: PathBuf,
    /// What the compiler takes.
    pub input: Input,
    /// It is below a folder that was named, not around it.
    pub is_below: bool,
}

/// The packages of some paths, each once; of the current directory if there is no path. Of a folder: the one that it is or
/// is in, and those below.
pub fn open(paths: &[PathBuf], params: &[String], today: Option<Date>) -> Result<Vec<Found>, Failure> {
    let here = [PathBuf::from(".")];
    let mut all = All::default();
    for path in if paths.is_empty() { &here } else { paths } {
        let named = Named::new(path)?;
        let (root, passed_over) = read::root(&named.folder);
        all.notes.extend(passed_over);
        let at = match (&named.file, root) {
            (Some(file), None) => all.once(file, || Ok((single(file, &named.folder)?, Vec::new())))?,
            (_, Some(root)) => all.once(&root, || whole(&root, true))?,
            (None, None) => all.once(&named.folder, || whole(&named.folder, false))?,
        };
        match &named.file {
            Some(file) => all.must_have(at, file, path)?,
            None => all.below(at, &named.folder)?,
        }
    }
    all.notes.iter().for_each(|note| output::tell(&format!("note: {note}\n")));
    // A folder that is no package itself and only has some below.
    all.found.retain(|(found, below)| !found.input.sources.files.is_empty() || below.is_empty());
    let mut found: Vec<Found> = all.found.into_iter().map(|(found, _)| found).collect();
    for package in &mut found {
        package.input.params = params.to_vec();
        package.input.today = today.or_else(self::today);
    }
    Ok(found)
}

/// Packages while they are found.
#[derive(Default)]
struct All {
    /// Each with the folders of those below.
    found: Vec<(Found, Vec<PathBuf>)>,
    seen: HashMap<PathBuf, usize>,
    notes: BTreeSet<String>,
}

impl All {
    /// The number of the package at a path, which is opened the first time.
    fn once(&mut self, key: &Path, open: impl FnOnce() -> Result<(Found, Vec<PathBuf>), Failure>) -> Result<usize, Failure> {
        if let Some(at) = self.seen.get(key) {
            return Ok(*at);
        }
        self.found.push(open()?);
        self.seen.insert(key.to_owned(), self.found.len() - 1);
        Ok(self.found.len() - 1)
    }

    /// Opens the packages below a folder that one knows of, and those below them.
    fn below(&mut self, at: usize, folder: &Path) -> Result<(), Failure> {
        let mut waiting = self.folders_below(at);
        while let Some(root) = waiting.pop() {
            if root.starts_with(folder) {
                let at = self.once(&root, || {
                    let (found, below) = whole(&root, true)?;
                    Ok((Found { is_below: true, ..found }, below))
                })?;
                waiting.extend(self.folders_below(at));
            }
        }
        Ok(())
    }

    /// The folders of packages below one, the last first.
    fn folders_below(&self, at: usize) -> Vec<PathBuf> {
        self.found.get(at).map(|(_, below)| below.iter().rev().cloned().collect()).unwrap_or_default()
    }

    fn must_have(&self, at: usize, file: &Path, path: &Path) -> Result<(), Failure> {
        self.found.get(at).map_or(Ok(()), |(found, _)| found.must_have(file, path))
    }
}

/// A path of the command line.
struct Named {
    /// The real path of the folder that it is or stands in.
    folder: PathBuf,
    /// The file in it, which may be a link: whether it is read depends on where it leads.
    file: Option<PathBuf>,
}

impl Named {
    fn new(path: &Path) -> Result<Named, Failure> {
        let failed = |e: std::io::Error| Failure::new(format!("cannot read `{}`: {e}", shown(path)));
        if path.metadata().map_err(failed)?.is_dir() {
            return Ok(Named { folder: path.canonicalize().map_err(failed)?, file: None });
        }
        let above = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = above.canonicalize().map_err(failed)?;
        let file = path.file_name().map(|name| folder.join(name));
        Ok(Named { folder, file })
    }
}

/// What messages call the standard input where it has no name.
pub const STDIN: &str = "<stdin>";

/// Whether a path of the command line is the standard input.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Settings from outside of a package.
pub fn outside(path: &Path) -> Result<Outside, Failure> {
    let text = Reader::anywhere().read(path)?;
    Ok(Outside { path: shown(path), text })
}

/// The text on the standard input, of which no more is read than the parser takes.
pub fn stdin_text(name: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(read::MAX_READ).read_to_end(&mut bytes);
    read.map_err(|e| Failure::new(format!("cannot read the standard input: {e}")))?;
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("`{}` is not UTF-8 text", shown(name))))
}

/// The package of a policy that comes on the standard input: that of the file whose name it has, with this text in its place,
/// or the policy alone.
pub fn standard_input(name: &Path, params: &[String], today: Option<Date>) -> Result<Found, Failure> {
    let text = stdin_text(name)?;
    let above = name.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that is not there has no package.
    let folder = above.canonicalize().ok();
    let root = folder.as_ref().filter(|_| name != Path::new(STDIN)).and_then(|folder| read::root(folder).0);
    let mut found = match (&root, &folder, name.file_name()) {
        (Some(root), Some(folder), Some(file)) => {
            let (mut found, _) = whole(root, true)?;
            let own = relative(&folder.join(file), root)?;
            match found.input.sources.files.iter_mut().find(|file| file.path == own) {
                Some(file) => file.text = text.into(),
                None => _ = found.input.sources.add(own, text),
            }
            found
        }
        _ => {
            let mut sources = Sources::default();
            sources.add(shown(name), text);
            let folder = std::env::current_dir().and_then(|d| d.canonicalize()).unwrap_or_default();
            Found { folder, input: Input { sources, ..Input::default() }, is_below: false }
        }
    };
    found.input = Input { params: params.to_vec(), today: today.or_else(self::today), ..found.input };
    Ok(found)
}

/// Today in UTC.
fn today() -> Option<Date> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Date::from_days(since.as_secs() / 86_400)
}

/// One file that belongs to no package, and may not lead out of its folder.
fn single(path: &Path, folder: &Path) -> Result<Found, Failure> {
    let mut sources = Sources::default();
    sources.add(relative(path, folder)?, Reader::new(folder).read(path)?);
    Ok(Found { folder: folder.to_owned(), input: Input { sources, ..Input::default() }, is_below: false })
}

/// A folder with all its policies, and the folders of packages below.
fn whole(folder: &Path, has_config: bool) -> Result<(Found, Vec<PathBuf>), Failure> {
    let mut reader = Reader::new(folder);
    let mut sources = Sources::default();
    let mut settings = config::Config::default();
    let mut config = None;
    if has_config {
        let text = reader.read(&folder.join(CONFIG))?;
        // Mistakes in it are found again, and reported, by the check.
        settings = config::parse(&text, FileId(0), &mut Findings::default());
        config = Some(sources.add(CONFIG, text));
    }
    let Below { mut files, packages } = reader.files()?;
    files.retain(|(name, _)| settings.wants(name));
    for (name, path) in files {
        sources.add(name, reader.read(&path)?);
    }
    Ok((Found { folder: folder.to_owned(), input: Input { sources, config, ..Input::default() }, is_below: false }, packages))
}

impl Found {
    /// A file that is named must be one that is read: otherwise its mistakes would pass for none.
    fn must_have(&self, real: &Path, path: &Path) -> Result<(), Failure> {
        let name = relative(real, &self.folder)?;
        if self.input.sources.files.iter().any(|f| f.path == name) || self.has_wrong_config() {
            return Ok(());
        }
        let config = self.folder.join(CONFIG);
        let help = "its sources are the `.ebsec` files of its folder, or those of them that `sources` names";
        Err(Failure::new(format!("`{}` is not a source of the package of `{}`", shown(path), shown(&config))).help(help))
    }

    /// Whether the check will say what is wrong with the settings, and perhaps with `sources`.
    fn has_wrong_config(&self) -> bool {
        let sources = &self.input.sources;
        let Some((id, file)) = self.input.config.and_then(|id| Some((id, sources.get(id)?))) else { return false };
        let mut mistakes = Findings::default();
        let settings = config::parse(&file.text, id, &mut mistakes);
        let paths: Vec<&str> = sources.files.iter().map(|f| f.path.as_str()).collect();
        !mistakes.take().0.is_empty() || !settings.unmatched(&paths).is_empty()
    }

    /// What stands before the paths of the package's files so that they are right from the current directory.
    pub fn root(&self) -> String {
        let here = std::env::current_dir().and_then(|d| d.canonicalize()).unwrap_or_default();
        let mut up = String::new();
        for folder in here.ancestors().take(4) {
            match self.folder.strip_prefix(folder) {
                Ok(rest) if rest.as_os_str().is_empty() => return up,
                Ok(rest) => return format!("{up}{}/", shown(rest)),
                Err(_) => up.push_str("../"),
            }
        }
        format!("{}/", shown(&self.folder))
    }

    /// Sources as they are shown: the package's files and its folder (which has the empty path) from the current directory,
    /// all others as they are.
    pub fn shown(&self, sources: &Sources) -> Sources {
        let (prefix, own) = (self.root(), self.input.sources.files.len());
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
