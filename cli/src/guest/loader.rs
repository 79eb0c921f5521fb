//! The loader as guests run it, which is static. Takes nothing, gives its path; reads no more of a file than tells
//! whether a guest without libraries can run it.

use super::Failure;
use std::path::{Path, PathBuf};

/// Names the loader, if it is not where builds leave it.
const VARIABLE: &str = "EBSEC_LOAD";
const HELP: &str = "in a checkout `make guest-tools` builds one, `make static` one beside `ebsec`; elsewhere name it in EBSEC_LOAD";

/// The loader that is named, or the newest of those beside this program and where the build leaves them.
pub fn find() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|v| !v.is_empty()) {
        return usable(PathBuf::from(named));
    }
    let own = std::env::current_exe().map_err(|e| Failure::new(format!("cannot find the path of this program: {e}")))?;
    let folder = own.parent().unwrap_or(Path::new("/")).to_owned();
    let built = |profile: &str| folder.join("../x86_64-unknown-linux-gnu").join(profile).join("ebsec-load");
    let places = [folder.join("ebsec-load"), built("release"), built("debug")];
    let mut found: Vec<_> = places.into_iter().filter(|p| flaw(p).is_none()).collect();
    found.sort_by_key(|p| std::cmp::Reverse(std::fs::metadata(p).and_then(|m| m.modified()).ok()));
    let nothing = || Failure::new("no static `ebsec-load` is beside this program").help(HELP);
    found.into_iter().next().ok_or_else(nothing)
}

fn usable(path: PathBuf) -> Result<PathBuf, Failure> {
    match flaw(&path) {
        None => Ok(path),
        Some(flaw) => Err(Failure::new(format!("{VARIABLE} names `{}`, which {flaw}", path.display())).help(HELP)),
    }
}

/// Why a guest cannot run a file.
fn flaw(path: &Path) -> Option<String> {
    match std::fs::read(path) {
        Err(e) => Some(format!("cannot be read: {e}")),
        Ok(bytes) => match asks_for_interpreter(&bytes) {
            None => Some("is not a program for x86-64".to_owned()),
            Some(true) => Some("is not a static binary".to_owned()),
            Some(false) => None,
        },
    }
}

/// Whether a program is dynamically linked; nothing if it is not a program for x86-64.
fn asks_for_interpreter(file: &[u8]) -> Option<bool> {
    const EXECUTABLE: [u64; 2] = [2, 3];
    const X86_64: u64 = 62;
    const PT_INTERP: u64 = 3;
    let is_program = file.starts_with(b"\x7fELF\x02\x01") && EXECUTABLE.contains(&number(file, 16, 2)?);
    if !is_program || number(file, 18, 2)? != X86_64 {
        return None;
    }
    let (table, size, count) = (number(file, 32, 8)?, number(file, 54, 2)?, number(file, 56, 2)?);
    let kind = |index: u64| number(file, table.checked_add(index * size)?, 4);
    Some((0..count).any(|index| kind(index) == Some(PT_INTERP)))
}

/// A number of some bytes, the low one first.
fn number(file: &[u8], at: u64, bytes: usize) -> Option<u64> {
    let field = file.get(usize::try_from(at).ok()?..)?.get(..bytes)?;
    Some(field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn program(machine: u8, kinds: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 64 + 56 * kinds.len()];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (file[16], file[18], file[32], file[54], file[56]) = (3, machine, 64, 56, kinds.len() as u8);
        for (index, kind) in kinds.iter().enumerate() {
            file[64 + 56 * index] = *kind;
        }
        file
    }

    #[test]
    fn only_what_asks_for_an_interpreter_is_dynamic() {
        assert_eq!(asks_for_interpreter(&program(62, &[1, 2, 1])), Some(false));
        assert_eq!(asks_for_interpreter(&program(62, &[6, 3, 1])), Some(true));
        assert_eq!(asks_for_interpreter(&program(183, &[1])), None);
        assert_eq!(asks_for_interpreter(b"#!/bin/sh\necho ld-linux-x86-64.so.2\n"), None);
        for length in 0..232 {
            let _ = asks_for_interpreter(&program(62, &[6, 3, 1])[..length]);
        }
    }
}
