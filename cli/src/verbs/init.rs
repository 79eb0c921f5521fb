//! `ebsec init`: a folder in, a package in it out: settings, a first policy with its unit test, editor settings, and files
//! for the CI system, which go to the root of the repository. The texts are the files of `init/`. Asks nothing, replaces
//! nothing: a file that is in the way is named, and then none is written.

use crate::guest::Failure;
use crate::output;
use crate::package::shown;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// The folder of the package, which is made if it does not exist; by default the current directory.
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// The CI system that gets files, at the root of the repository that the folder is in.
    #[arg(long, value_enum, default_value_t)]
    ci: Ci,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Ci {
    /// A workflow for GitHub Actions, and hooks for pre-commit.
    #[default]
    Github,
    /// A job for GitLab, and hooks for pre-commit.
    Gitlab,
    /// None.
    None,
}

/// A file of a new package: its path from the package's folder or from the root of the repository, and its text.
type Template = (&'static str, &'static str);

const PACKAGE: &[Template] = &[
    ("ebsec.toml", include_str!("init/ebsec.toml")),
    ("policy.ebsec", include_str!("init/policy.ebsec")),
    (".editorconfig", include_str!("init/editorconfig")),
];
const PRE_COMMIT: Template = (".pre-commit-config.yaml", include_str!("init/pre-commit.yaml"));
const GITHUB: &[Template] = &[(".github/workflows/policies.yml", include_str!("init/github.yml")), PRE_COMMIT];
const GITLAB: &[Template] = &[(".gitlab-ci.yml", include_str!("init/gitlab.yml")), PRE_COMMIT];

/// The package's name where its folder's has no letter or digit.
const NAMELESS: &str = "policies";
/// Most bytes of a package's name.
const MAX_NAME: usize = 64;

impl Ci {
    fn templates(self) -> &'static [Template] {
        match self {
            Self::Github => GITHUB,
            Self::Gitlab => GITLAB,
            Self::None => &[],
        }
    }

    /// What these files need to be told that only their owner knows.
    fn replace(self, files: &str) -> String {
        match self {
            Self::Github => format!("In {files}, replace OWNER and COMMIT: they name the ebsec that you trust.\n"),
            Self::Gitlab => format!("In {files}, replace OWNER and COMMIT (the ebsec that you trust) and the image of the job.\n"),
            Self::None => String::new(),
        }
    }
}

/// Writes the package and says what to do next.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = absolute(&arguments.folder)?;
    let root = repository(&folder);
    let own = if root == folder { Path::new(".") } else { folder.strip_prefix(&root).unwrap_or(Path::new(".")) };
    let filled = |text: &str| text.replace("@NAME@", &name(&folder)).replace("@PATHS@", &shown(own));
    let templates = arguments.ci.templates();
    if !templates.is_empty() {
        must_be_plain(own)?;
    }
    let of = |base: &Path, templates: &[Template]| -> Vec<(PathBuf, String)> {
        templates.iter().map(|(path, text)| (base.join(path), filled(text))).collect()
    };
    let (package, ci) = (of(&folder, PACKAGE), of(&root, templates));
    nothing_in_the_way(package.iter().chain(&ci).map(|(path, _)| path.as_path()))?;
    package.iter().try_for_each(|(path, _)| stays_inside(&folder, path))?;
    ci.iter().try_for_each(|(path, _)| stays_inside(&root, path))?;
    for (path, text) in package.iter().chain(&ci) {
        write(path, text)?;
        output::print(&format!("wrote {}\n", from_here(path)))?;
    }
    let ci: Vec<String> = ci.iter().map(|(path, _)| from_here(path)).collect();
    output::print(&next(&from_here(&folder), &name(&folder)))?;
    output::print(&arguments.ci.replace(&ci.join(" and ")))?;
    Ok(ExitCode::SUCCESS)
}

/// The folder's real path, as far as it exists. What does not exist yet has no links, so `..` cannot lead through one.
fn absolute(folder: &Path) -> Result<PathBuf, Failure> {
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::new(format!("`{}` is not a folder", shown(folder))));
    }
    let mut missing = Vec::new();
    let mut exists = folder;
    while !exists.as_os_str().is_empty() && exists.symlink_metadata().is_err() {
        match exists.components().next_back() {
            Some(Component::Normal(name)) => missing.push(name),
            _ => return Err(Failure::new(format!("`{}` leads through a folder that does not exist", shown(folder)))),
        }
        exists = exists.parent().unwrap_or(Path::new(""));
    }
    let exists = if exists.as_os_str().is_empty() { Path::new(".") } else { exists };
    let real = exists.canonicalize().map_err(|e| Failure::io("read", exists, &e))?;
    Ok(missing.into_iter().rev().fold(real, |path, name| path.join(name)))
}

/// The root of the repository that the folder is in, where CI systems look for their files; else the folder itself.
fn repository(folder: &Path) -> PathBuf {
    folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(folder).to_owned()
}

/// A package's name from its folder's: letters, digits, `.`, `_` and `-`, and first a letter or a digit.
fn name(folder: &Path) -> String {
    let text = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let text: String = text.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    let text = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let text = text.get(..MAX_NAME).unwrap_or(text).trim_end_matches('-');
    if text.is_empty() { NAMELESS.to_owned() } else { text.to_owned() }
}

/// CI files hold the path of the package. GitLab's is a variable that a shell splits, so no character of it may mean more.
fn must_be_plain(own: &Path) -> Result<(), Failure> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if own.to_str().is_some_and(|path| path.chars().all(plain) && !path.starts_with('-')) {
        return Ok(());
    }
    let message = format!("the path `{}` has characters that files for CI systems cannot hold", shown(own));
    Err(Failure::new(message).help("rename the folder, or leave these files out with `--ci none`"))
}

/// What stands where a file would be written, links to nothing included.
fn nothing_in_the_way<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<(), Failure> {
    let there: Vec<String> = paths.filter(|path| path.symlink_metadata().is_ok()).map(|path| format!("`{}`", from_here(path))).collect();
    if there.is_empty() {
        return Ok(());
    }
    let (verb, it) = if there.len() == 1 { ("exists", "it") } else { ("exist", "them") };
    let message = format!("{} {verb} already: nothing is written", there.join(", "));
    Err(Failure::new(message).help(format!("move {it} away, or choose another folder; `--ci none` writes no files for CI systems")))
}

/// A link on the way to a file that leads out of the folder is not followed.
fn stays_inside(base: &Path, path: &Path) -> Result<(), Failure> {
    let exists = path.ancestors().skip(1).find(|above| above.symlink_metadata().is_ok()).unwrap_or(base);
    let real = exists.canonicalize().map_err(|e| Failure::io("read", exists, &e))?;
    // What is above the folder is where it will be made.
    if !exists.starts_with(base) || real.starts_with(base) {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` is a link out of `{}`: nothing is written", from_here(exists), from_here(base))))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| Failure::io("create", folder, &e))?;
    }
    output::new_file(path, text.as_bytes())
}

/// A path as it is shown: from the current directory, if it is below it.
fn from_here(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        Ok(rest) => shown(rest),
        Err(_) => shown(path),
    }
}

/// What to do with a new package, as commands that work as they are.
fn next(folder: &str, name: &str) -> String {
    let at = if folder == "." { String::new() } else { format!(" {}", quoted(folder)) };
    let commands = [
        (format!("ebsec check{at}"), "checks the policy and runs its unit test"),
        (format!("ebsec build{at}"), "writes the artifact"),
        (format!("ebsec verify {name}.bpf.o"), "has the kernels that it is for verify it, in virtual machines"),
        (format!("ebsec-load load {name}.bpf.o"), "on a host, as root: puts it in force; it observes and refuses nothing"),
        ("ebsec-load events --follow".to_owned(), "shows what it would refuse"),
    ];
    let width = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    let commands: String = commands.iter().map(|(command, what)| format!("  {command:width$}  {what}\n")).collect();
    format!("\nNext:\n{commands}")
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_a_name_whatever_its_folder_is_called() {
        let names = ["/srv/web", "/srv/.web", "/a/my policies", "/a/été", "/a/--", "/"].map(|path| name(Path::new(path)));
        assert_eq!(names, ["web", "web", "my-policies", "t", NAMELESS, NAMELESS]);
        assert_eq!(name(Path::new(&"x".repeat(100))).len(), MAX_NAME);
    }

    #[test]
    fn commands_take_any_folder() {
        assert_eq!(quoted("a/b-c"), "a/b-c");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
    }
}
