//! Attacks that run a file's code: by every form of exec and by mapping it.

use crate::attack::{Attack, PROGRAM, Place};
use crate::files::through_proc;
use crate::sys;
use libc::{O_PATH, O_RDONLY, PROT_EXEC, PROT_READ};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const fn run(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "run", name, run }
}

/// Code that lies in no file of the attacked folder.
const fn fileless(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "fileless", name, run }
}

/// Code that lies in memory, but in a file with a path.
const fn named(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "named", name, run }
}

/// Code in the memory of a ring, which the kernel makes for something else.
const fn ring(name: &'static str, run: fn(&Place) -> io::Result<()>) -> Attack {
    Attack { kind: "ring", name, run }
}

const PAGE: usize = 4096;
const HUGE: usize = 2 << 20;
/// A script that does nothing.
const SCRIPT: &[u8] = b"#!/bin/true\n";

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
    // Exec's own mapping of a program is no event; a program cannot make a mapping look like that.
    run("map-as-own-program", |p| {
        let program = p.outside.with_extension("renamed");
        fs::write(&program, sys::renamed_program())?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        sys::place(&opened(&p.inside)?, sys::RENAMED)?;
        match sys::in_child(|| sys::exec(&program).raw_os_error().unwrap_or(libc::EIO))? {
            Some(0) => Ok(()),
            Some(number) => Err(io::Error::from_raw_os_error(number)),
            None => Err(io::Error::from_raw_os_error(libc::EFAULT)),
        }
    }),
    fileless("exec-memfd", |_| Err(sys::exec_descriptor(&filled_memfd()?))),
    fileless("map-memfd", |_| sys::map(&filled_memfd()?, PROT_READ | PROT_EXEC, None)),
    fileless("exec-memfd-huge", |_| {
        // Huge pages cannot be an ELF file's segments, but they can be a script.
        let file = sys::huge_memfd()?;
        sys::set_length(&file, HUGE)?;
        sys::Shared::file(&file, HUGE)?.fill(SCRIPT);
        Err(sys::exec_descriptor(&file))
    }),
    fileless("map-memfd-huge", |_| {
        let file = sys::huge_memfd()?;
        sys::set_length(&file, HUGE)?;
        sys::map_length(&file, HUGE, PROT_READ | PROT_EXEC)
    }),
    fileless("exec-shared-anonymous", |_| {
        let memory = sys::Shared::anonymous(PAGE, 0)?;
        memory.fill(PROGRAM);
        Err(sys::exec_descriptor(&opened(&memory.file_name())?))
    }),
    fileless("protect-shared-anonymous", |_| sys::Shared::anonymous(PAGE, 0)?.protect()),
    fileless("exec-shared-huge", |_| {
        let memory = sys::Shared::anonymous(HUGE, libc::MAP_HUGETLB)?;
        memory.fill(SCRIPT);
        Err(sys::exec(&memory.file_name()))
    }),
    fileless("exec-segment", |_| {
        let memory = sys::Shared::segment(PAGE, 0, 0)?;
        memory.fill(PROGRAM);
        Err(sys::exec_descriptor(&opened(&memory.file_name())?))
    }),
    fileless("map-segment", |_| sys::Shared::segment(PAGE, 0, libc::SHM_EXEC).map(drop)),
    fileless("map-segment-huge", |_| sys::Shared::segment(HUGE, libc::SHM_HUGETLB, libc::SHM_EXEC).map(drop)),
    fileless("protect-segment", |_| sys::Shared::segment(PAGE, 0, 0)?.protect()),
    ring("map-uring", |_| crate::uring::run_entries()),
    named("exec-unnamed", |p| {
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
    // Files of file systems of memory that have paths, or had one.
    named("exec-called-memfd", |_| {
        let path = Path::new("/dev/shm/memfd:attack");
        write_program(path)?;
        Err(sys::exec(path))
    }),
    named("exec-removed", |_| {
        let path = Path::new("/dev/shm/removed");
        write_program(path)?;
        let file = opened(path)?;
        fs::remove_file(path)?;
        Err(sys::exec_descriptor(&file))
    }),
    named("exec-private-tmpfs", |_| {
        let folder = sys::private_tmpfs()?;
        let path = format!("/proc/self/fd/{}/program", std::os::fd::AsRawFd::as_raw_fd(&folder));
        write_program(Path::new(&path))?;
        Err(sys::exec(Path::new(&path)))
    }),
    named("map-shm", |_| {
        let path = Path::new("/dev/shm/mapped");
        write_program(path)?;
        sys::map(&opened(path)?, PROT_READ | PROT_EXEC, None)
    }),
];

fn write_program(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
    fs::write(path, PROGRAM)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}
