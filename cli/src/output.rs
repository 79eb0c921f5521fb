//! What verbs say and write. Takes finished text, gives an error where it could not be written. What a terminal or a CI
//! system would obey is escaped once more on the way out, whoever forgot it. A reader that has seen enough closes the
//! pipe: no failure of ours. Nothing else in this crate prints.

use crate::guest::Failure;
use crate::package::shown;
use ebsec_compiler::diag::text;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Prints text on the output.
pub fn print(text: &str) -> Result<(), Failure> {
    print_raw(&text::lines(text))
}

/// Prints a unified diff, in which the line ends are those of the files.
pub fn patch(text: &str) -> Result<(), Failure> {
    let safe = text.split_inclusive('\n').map(|line| match line.strip_suffix("\r\n") {
        Some(line) => format!("{}\r\n", text::lines(line)),
        None => text::lines(line).into_owned(),
    });
    print_raw(&safe.collect::<String>())
}

/// Prints on the output, byte for byte, what is not ours to change: what a guest's script printed, a formatted policy.
pub fn print_raw(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints text on the error output.
pub fn tell(text: &str) {
    tell_raw(&text::lines(text));
}

/// Prints on the error output what has colours, or a guest's console. If that fails, there is nowhere to say so.
pub fn tell_raw(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What a try to write on the output means.
pub fn written(done: io::Result<()>) -> Result<(), Failure> {
    match done {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::new(format!("cannot write the output: {e}"))),
        _ => Ok(()),
    }
}

/// Writes a file, which appears whole or not at all. A device or a pipe of this name is written to, never replaced.
pub fn file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::io("write", path, &e);
    if path.metadata().is_ok_and(|m| !m.is_file() && !m.is_dir()) {
        return std::fs::OpenOptions::new().write(true).open(path).and_then(|mut f| f.write_all(bytes)).map_err(failed);
    }
    unfinished(path, bytes)?.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Writes a file that is new: it appears whole or not at all, and what is there already is an error and stays.
pub fn new_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    unfinished(path, bytes)?.persist_noclobber(path).map_err(|e| Failure::io("write", path, &e.error))?;
    Ok(())
}

/// A file with its content beside the place where it will be.
fn unfinished(path: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile, Failure> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::new(format!("cannot write `{}`: there is no folder `{}`", shown(path), shown(folder))));
    }
    // The system's own words name the unfinished file.
    let failed = |e: io::Error| Failure::io("write", path, &e.kind().into());
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().set_permissions(PermissionsExt::from_mode(0o644)).map_err(failed)?;
    Ok(file)
}
