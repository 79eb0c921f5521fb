//! Attacks that run a file's code: by every form of exec and by mapping it.

use crate::attack::{Attack, PROGRAM, Place};
use crate::files::through_proc;
use crate::sys;
use libc::{O_PATH, O_RDONLY, PROT_EXEC, PROT_READ};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::Path;

const fn run(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "run", name, run }
}

/// Code that lies in no file of the attacked folder.
const fn fileless(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "fileless", name, run }
}

fn opened(path: &Path) -> io::Result<OwnedFd> {
    sys::open(path, O_RDONLY, 0)
}

fn filled_memfd() -> io::Result<OwnedFd> {
    let mut file = File::from(sys::memfd()?);
    file.write_all(PROGRAM)?;
    Ok(file.into())
}

/// Executes a program that lies in memory only; the error if that fails.
pub fn memory() -> io::Error {
    filled_memfd().map_or_else(|error| error, |file| sys::exec_descriptor(&file))
}

/// The dynamic loader of this guest, where one was put in.
const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// Every attack that runs code.
pub const RUNS: &[Attack] = &[
    run("exec", |p| Err(sys::exec(&p.inside))),
    run("exec-descriptor", |p| Err(sys::exec_descriptor(&opened(&p.inside)?))),
    run("exec-path-descriptor", |p| Err(sys::exec_descriptor(&sys::open(&p.inside, O_PATH, 0)?))),
    run("exec-proc-fd", |p| Err(sys::exec(&through_proc(&p.inside, O_PATH)?))),
    run("exec-symlink", |p| {
        symlink(&p.inside, &p.outside_fresh)?;
        Err(sys::exec(&p.outside_fresh))
    }),
    run("exec-script", |p| Err(sys::exec(&p.inside.with_extension("script")))),
    run("exec-interpreter", |p| Err(sys::exec(&p.outside.with_extension("script")))),
    run("exec-vfork", |p| sys::vfork_exec(&[sys::c(&p.inside)?]).map(drop)),
    run("exec-thread", |p| {
        let path = p.inside.clone();
        let thread = std::thread::spawn(move || Err(sys::exec(&path)));
        thread.join().unwrap_or_else(|_| Err(io::Error::from_raw_os_error(libc::EIO)))
    }),
    run("exec-user-namespace", |p| {
        sys::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS)?;
        Err(sys::exec(&p.inside))
    }),
    run("exec-deleted", |p| {
        let file = sys::open(&p.inside, O_PATH, 0)?;
        fs::remove_file(&p.inside)?;
        Err(sys::exec_descriptor(&file))
    }),
    run("map-executable", |p| sys::map(&opened(&p.inside)?, PROT_READ | PROT_EXEC, None)),
    run("protect-executable", |p| sys::map(&opened(&p.inside)?, PROT_READ, Some(PROT_READ | PROT_EXEC))),
    run("map-read-implies-exec", |p| {
        sys::reading_implies_executing()?;
        sys::map(&opened(&p.inside)?, PROT_READ, None)
    }),
    // There only when the guest was given a loader: ENOENT otherwise.
    run("exec-loader", |p| Err(sys::exec_with(Path::new(LOADER), &p.inside))),
    fileless("exec-memfd", |_| Err(sys::exec_descriptor(&filled_memfd()?))),
    fileless("map-memfd", |_| sys::map(&filled_memfd()?, PROT_READ | PROT_EXEC, None)),
    fileless("exec-unnamed", |p| {
        let folder = p.outside.parent().unwrap_or(Path::new("/"));
        let file = sys::open(folder, libc::O_TMPFILE | libc::O_RDWR, 0o755)?;
        let mut file = File::from(file);
        file.write_all(PROGRAM)?;
        // A file open for writing cannot be executed: keep a reading one.
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        let reading = opened(Path::new(&path))?;
        drop(file);
        Err(sys::exec_descriptor(&reading))
    }),
];
