//! Puts a new text into a file that is there: all of it or nothing, and the file keeps its mode and its owner. Never makes a
//! file, never writes one that its mode or someone else's change forbids.

use crate::guest::Failure;
use crate::package::shown;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

/// Replaces the text `before` of a file below `folder` by `after`. A link is followed, and the file that it leads to written.
pub fn replace(path: &Path, folder: &Path, before: &str, after: &str) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::io("write", path, &e);
    // The system's own words name the unfinished file.
    let unfinished = |e: io::Error| Failure::io("write", path, &e.kind().into());
    let real = path.canonicalize().map_err(failed)?;
    if !real.starts_with(folder.canonicalize().map_err(failed)?) {
        return Err(Failure::new(format!("cannot write `{}`: it is a link out of its folder", shown(path))));
    }
    let found = real.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(Failure::new(format!("cannot write `{}`: it is not a regular file", shown(path))));
    }
    if found.permissions().readonly() {
        return Err(Failure::new(format!("cannot write `{}`: it is read-only", shown(path))));
    }
    if fs::read(&real).map_err(failed)? != before.as_bytes() {
        return Err(Failure::new(format!("`{}` changed meanwhile, so it is left as it is", shown(path))).help("run the command again"));
    }
    let beside = real.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".ebsec-").tempfile_in(beside).map_err(unfinished)?;
    file.write_all(after.as_bytes()).map_err(unfinished)?;
    let made = file.as_file().metadata().map_err(unfinished)?;
    if (made.uid(), made.gid()) != (found.uid(), found.gid()) {
        let kept = fchown(file.as_file(), Some(found.uid()), Some(found.gid()));
        kept.map_err(|e| Failure::new(format!("cannot write `{}` and keep its owner: {}", shown(path), io::Error::from(e.kind()))))?;
    }
    // After the owner: a change of it takes bits of the mode away.
    file.as_file().set_permissions(found.permissions()).map_err(unfinished)?;
    file.as_file().sync_all().map_err(unfinished)?;
    file.persist(&real).map_err(|e| unfinished(e.error))?;
    File::open(beside).and_then(|folder| folder.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn mode_stays_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&file, "1").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, folder.path(), "1", "2").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "2");
        assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
    }

    #[test]
    fn what_must_not_be_written_stays() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (file, away, link) = (folder.path().join("a"), other.path().join("a"), folder.path().join("b"));
        fs::write(&file, "1").unwrap();
        fs::write(&away, "1").unwrap();
        symlink(&away, &link).unwrap();
        let says = |path: &Path, before: &str| replace(path, folder.path(), before, "2").unwrap_err().message;
        assert!(says(&file, "0").contains("changed meanwhile"));
        assert!(says(&link, "1").contains("out of its folder"));
        assert!(says(folder.path(), "1").contains("not a regular file"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        assert!(says(&file, "1").contains("read-only"));
        assert_eq!((fs::read_to_string(&file).unwrap(), fs::read_to_string(&away).unwrap()), ("1".to_owned(), "1".to_owned()));
    }
}
