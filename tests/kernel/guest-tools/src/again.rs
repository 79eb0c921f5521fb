//! Starts this program again in the ways in which runtimes of containers start themselves, so that nobody can write to the file that
//! runs. Takes the way and the words of what is done then. Knows nothing of policies.

use crate::{errno, paths, privileges, sys};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// The ways.
pub const USAGE: &str = "usage: guest-tools again clone|read-only|unmounted|overlay|memory WORDS…";

/// Does not come back if the program starts; false if it does not.
pub fn again(words: &[String]) -> Result<bool, String> {
    let [way, rest @ ..] = words else { return Err(USAGE.into()) };
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let file = match way.as_str() {
        // crun since 1.0
        "clone" => sys::clone_tree(&program),
        "read-only" => sys::clone_tree(&program).and_then(|tree| sys::make_read_only(&tree).map(|()| tree)),
        // crun and runc of older kernels
        "unmounted" => paths::detached(&program, Path::new("/mnt/file")),
        // runc since 1.2
        "overlay" => of_overlay(&program),
        // runc until 1.1
        "memory" => copy_in_memory(&program),
        _ => return Err(USAGE.into()),
    };
    let error = match file {
        Ok(file) => Command::new(paths::name_of(&file)).args(rest).exec(),
        Err(error) => error,
    };
    println!("again {way} {}", errno::name(&error));
    Ok(false)
}

fn of_overlay(program: &Path) -> io::Result<OwnedFd> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidInput);
    let folder = program.parent().and_then(Path::to_str).ok_or_else(wrong)?;
    let layers = sys::c(Path::new(&format!("{folder}:/tmp")))?;
    let mount = privileges::create_file_system(c"overlay", &[(c"lowerdir", &layers)])?;
    let name = sys::c(Path::new(program.file_name().ok_or_else(wrong)?))?;
    sys::open_at(&mount, &name, libc::O_PATH | libc::O_CLOEXEC)
}

fn copy_in_memory(program: &Path) -> io::Result<OwnedFd> {
    let mut memory = File::from(sys::memfd()?);
    io::copy(&mut File::open(program)?, &mut memory)?;
    Ok(memory.into())
}
