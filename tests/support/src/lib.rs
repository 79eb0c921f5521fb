//! What tests of several crates share: goldens, files that hold what is expected. With `EBSEC_BLESS=1` what came out is
//! written as what is expected, and files that nothing writes any more are removed. Used by tests alone.
#![allow(clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Whether what comes out is written as what is expected.
#[must_use]
pub fn blessing() -> bool {
    std::env::var_os("EBSEC_BLESS").is_some_and(|value| !value.is_empty())
}

/// A folder of `tests/golden`.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden").join(name)
}

/// The files of a folder with this extension, sorted.
///
/// # Panics
/// If the folder cannot be read.
#[must_use]
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry of the folder").path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == extension));
    files.sort();
    files
}

/// The goldens of one test: all files of a folder that have one extension, or those of them whose names begin in a way.
#[derive(Debug)]
pub struct Goldens {
    folder: PathBuf,
    extension: &'static str,
    owned: fn(&str) -> bool,
    seen: BTreeSet<PathBuf>,
    failures: String,
}

impl Goldens {
    /// All files of the folder with this extension.
    #[must_use]
    pub fn new(folder: PathBuf, extension: &'static str) -> Self {
        Self::some(folder, extension, |_| true)
    }

    /// Those of them whose names without the extension are `owned`.
    #[must_use]
    pub fn some(folder: PathBuf, extension: &'static str, owned: fn(&str) -> bool) -> Self {
        Self { folder, extension, owned, seen: BTreeSet::new(), failures: String::new() }
    }

    /// Compares with the file of this name, or writes it.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn check(&mut self, name: &str, got: &str) {
        let file = self.folder.join(name).with_extension(self.extension);
        let wanted = fs::read_to_string(&file).unwrap_or_default();
        self.seen.insert(file.clone());
        if wanted == got {
            return;
        }
        if blessing() {
            fs::create_dir_all(&self.folder).unwrap_or_else(|e| panic!("{}: {e}", self.folder.display()));
            fs::write(&file, got).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        } else {
            let _ = writeln!(self.failures, "--- {}\n{wanted}\n+++ got\n{got}", file.display());
        }
    }

    /// Fails if anything differed, or if there is a golden that no test made.
    ///
    /// # Panics
    /// Then.
    pub fn finish(self) {
        let mine = |file: &PathBuf| file.file_stem().is_some_and(|name| (self.owned)(&name.to_string_lossy()));
        let orphans = files(&self.folder, self.extension).into_iter().filter(|file| mine(file) && !self.seen.contains(file));
        let mut failures = self.failures.clone();
        for orphan in orphans {
            if blessing() {
                fs::remove_file(&orphan).unwrap_or_else(|e| panic!("{}: {e}", orphan.display()));
            } else {
                let _ = writeln!(failures, "{} is an orphan: no test makes it", orphan.display());
            }
        }
        assert!(failures.is_empty(), "{failures}EBSEC_BLESS=1 writes what came out; look at the difference");
    }
}

/// Compares with one file of a folder that has other goldens too.
///
/// # Panics
/// If it differs.
pub fn check_one(folder: &Path, name: &str, extension: &'static str, got: &str) {
    let mut goldens = Goldens::some(folder.to_owned(), extension, |_| false);
    goldens.check(name, got);
    goldens.finish();
}
