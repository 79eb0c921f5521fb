//! What a user can do to the names of a file system that others use: rename files and folders of his own without end,
//! alone, across folders, deep ones too. And folders as deep as names go, to be walked meanwhile. Counts nothing itself.

use crate::sys;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many components a deep file's path has, beside its folder's and its own name.
const DEPTH: usize = 2000;
/// What lies at the end of it: a plain file, and one that a rule may be about.
pub const DEEP_FILE: &str = "plain";
/// See `DEEP_FILE`.
pub const DEEP_KEY: &str = "deep.key";

/// Makes the files at the end of `DEPTH` folders.
pub fn make_deep(words: &[String]) -> Result<bool, String> {
    let [folder] = words else { return Err("deep takes one folder".into()) };
    deepen(Path::new(folder)).map_err(|error| format!("cannot make `{folder}` deep: {error}"))?;
    Ok(true)
}

fn deepen(folder: &Path) -> io::Result<()> {
    std::env::set_current_dir(folder)?;
    for _ in 0..DEPTH {
        fs::create_dir("a")?;
        std::env::set_current_dir("a")?;
    }
    for name in [DEEP_FILE, DEEP_KEY] {
        fs::write(name, "x")?;
    }
    Ok(())
}

/// Goes where these files are: no path in one call is long enough.
pub fn enter_deep(folder: &Path) -> io::Result<()> {
    std::env::set_current_dir(folder)?;
    (0..DEPTH).try_for_each(|_| std::env::set_current_dir("a"))
}

/// Renames in a folder of his own, from several threads, for as long as `going`; tells of each.
pub fn restless(folder: &Path, going: &(dyn Fn() -> bool + Sync), renamed: &(dyn Fn(u64) + Sync)) -> io::Result<()> {
    let own = folder.join(format!("of-{}", std::process::id()));
    fs::create_dir(&own)?;
    let pairs = [file(&own)?, folder_of_files(&own)?, across(&own)?, deep(&own)?];
    std::thread::scope(|scope| {
        for (from, to) in &pairs {
            scope.spawn(move || {
                while going() {
                    for (from, to) in [(from, to), (to, from)] {
                        renamed(u64::from(sys::rename(from, to, 0).is_ok()));
                    }
                }
            });
        }
    });
    Ok(())
}

type Pair = (PathBuf, PathBuf);

fn file(own: &Path) -> io::Result<Pair> {
    fs::write(own.join("file"), "x")?;
    Ok((own.join("file"), own.join("file with a name that lies outside its dentry, for it is long")))
}

fn folder_of_files(own: &Path) -> io::Result<Pair> {
    fs::create_dir(own.join("folder"))?;
    fs::write(own.join("folder/file"), "x")?;
    Ok((own.join("folder"), own.join("moved")))
}

/// A folder that changes its parent, for which the kernel locks the whole file system's names.
fn across(own: &Path) -> io::Result<Pair> {
    fs::create_dir_all(own.join("left/inner"))?;
    fs::create_dir(own.join("right"))?;
    Ok((own.join("left/inner"), own.join("right/inner")))
}

/// A folder far above whose files nobody looks at, far below others.
fn deep(own: &Path) -> io::Result<Pair> {
    let upper = own.join(["d"; 100].join("/"));
    fs::create_dir_all(upper.join(["x"; 100].join("/")))?;
    Ok((upper.join("x"), upper.join("y")))
}
