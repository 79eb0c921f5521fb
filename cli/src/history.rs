//! A package as it was at a revision of its git repository. Takes the package that is on disk, gives the input of the check
//! from then. Reads objects of the repository only: no filter, hook or external program of it is run, and nothing is written.

use crate::guest::Failure;
use crate::package::{CONFIG, Found, MAX_READ};
use ebsec_compiler::config;
use ebsec_compiler::diag::{Findings, text};
use ebsec_compiler::pipeline::Input;
use ebsec_compiler::source::{FileId, Sources};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// The package at a revision; none if it had no policy then.
pub fn at(found: &Found, revision: &str) -> Result<Option<Input>, Failure> {
    let folder = &found.folder;
    let name = format!("{revision}^{{commit}}");
    let commit = git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name], revision)?;
    let commit = String::from_utf8_lossy(&commit).lines().last().unwrap_or_default().to_owned();
    let files = files(folder, &commit, revision)?;
    let mut sources = Sources::default();
    let mut settings = config::Config::default();
    let mut config = None;
    if let Some((_, object)) = files.iter().find(|(path, _)| path == CONFIG).filter(|_| found.input.config.is_some()) {
        let text = blob(folder, object, revision)?;
        settings = config::parse(&text, FileId(0), &mut Findings::default());
        config = Some(sources.add(CONFIG, text));
    }
    // A file that belongs to no package is a package alone.
    let own = |path: &str| found.input.config.is_some() || found.input.sources.files.iter().any(|file| file.path == path);
    for (path, object) in files.iter().filter(|(path, _)| path != CONFIG && own(path) && settings.wants(path)) {
        sources.add(path.clone(), blob(folder, object, revision)?);
    }
    let has_policy = sources.files.len() > usize::from(config.is_some());
    Ok(has_policy.then(|| Input { sources, config, ..found.input.clone() }))
}

/// The package's files at a commit: paths below its folder, each with its object. Hidden folders and packages within are left
/// out, as they are on disk.
fn files(folder: &Path, commit: &str, revision: &str) -> Result<Vec<(String, String)>, Failure> {
    let listed = git(folder, &["ls-tree", "-r", "-z", commit], revision)?;
    let rows = listed.split(|byte| *byte == 0).filter_map(|row| std::str::from_utf8(row).ok()?.split_once('\t'));
    let regular = rows.filter(|(head, _)| head.starts_with("100"));
    let all: Vec<(String, String)> =
        regular.filter_map(|(head, path)| Some((path.to_owned(), head.rsplit(' ').next()?.to_owned()))).collect();
    let within: BTreeSet<&str> = all.iter().filter_map(|(path, _)| path.strip_suffix(CONFIG)?.strip_suffix('/')).collect();
    let above = |path: &str| path.match_indices('/').filter_map(|(at, _)| path.get(..at)).any(|folder| within.contains(folder));
    let hidden = |path: &str| path.split('/').any(|part| part.starts_with('.')) || path.chars().any(text::is_hidden);
    let is_own = |path: &str| path == CONFIG || (path.ends_with(".ebsec") && !above(path) && !hidden(path));
    Ok(all.iter().filter(|(path, _)| is_own(path)).cloned().collect())
}

fn blob(folder: &Path, object: &str, revision: &str) -> Result<String, Failure> {
    let bytes = git(folder, &["cat-file", "blob", object], revision)?;
    // What is not a text has no policy in it.
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// What git prints, of which no more is read than the parser takes of a file.
fn git(folder: &Path, words: &[&str], revision: &str) -> Result<Vec<u8>, Failure> {
    let failed = |why: &str| {
        Failure::new(format!("cannot read the revision `{}` of `{}`: {why}", text::line(revision), crate::package::shown(folder)))
    };
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(words).env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(&format!("git does not run: {e}")).help("install git"))?;
    let mut bytes = Vec::new();
    let most = if words.first() == Some(&"cat-file") { MAX_READ } else { u64::MAX };
    let read = child.stdout.take().map_or(Ok(0), |out| out.take(most).read_to_end(&mut bytes));
    let mut said = String::new();
    // A message that is not text is no message.
    let _ = child.stderr.take().map(|err| err.take(4096).read_to_string(&mut said));
    let status = child.wait().map_err(|e| failed(&e.to_string()))?;
    read.map_err(|e| failed(&e.to_string()))?;
    // It is ended by the closed pipe where a file is larger than what is read.
    if status.success() || bytes.len() as u64 == most {
        return Ok(bytes);
    }
    let why = said.lines().next().unwrap_or("there is no such commit").trim_start_matches("fatal: ");
    Err(failed(&text::line(why)).help("name a commit, a branch or a tag of the repository that the package is in"))
}
