//! Ways to a file that no path of the caller leads along: mounts that are attached nowhere, of other namespaces, of the
//! kernel itself; paths that are longer than any call takes; handles. Takes folders that hold a file `a` and a program
//! `tool`, prints the result of each way, a line for each; what lies in no folder is told once.

use crate::attack::{PROGRAM, tried};
use crate::{privileges, sys};
use libc::{CLONE_NEWNS, MS_BIND, MS_PRIVATE, MS_REC, O_CREAT, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_WRONLY};
use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

type Way = (&'static str, fn(&Path) -> io::Result<()>);

/// What to do with the words that follow.
pub fn paths(words: &[String]) -> Result<bool, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["alone"] => tell(ALONE, &[""]),
        ["make", folders @ ..] => make_all(folders, make)?,
        ["make-long", folders @ ..] => make_all(folders, make_long)?,
        ["long", folders @ ..] => tell(LONG, folders),
        ["cold", mount, paths @ ..] => paths.iter().for_each(|path| by_handle(mount, path)),
        ["cold-without", gone, mount, paths @ ..] => paths.iter().for_each(|path| by_handle_without(gone, mount, path)),
        [_, ..] => tell(TO_FOLDERS, &words),
        [] => return Err("paths takes folders, or what to do".into()),
    }
    Ok(true)
}

fn make_all(folders: &[&str], make: fn(&Path) -> io::Result<()>) -> Result<(), String> {
    let mut folders = folders.iter();
    folders.try_for_each(|folder| make(Path::new(folder)).map_err(|error| format!("cannot make `{folder}`: {error}")))
}

fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("a"), "x")?;
    fs::write(folder.join("tool"), PROGRAM)?;
    fs::set_permissions(folder.join("tool"), fs::Permissions::from_mode(0o755))
}

/// Each way in a child of its own: it may change the namespaces and the root.
fn tell(ways: &[Way], folders: &[&str]) {
    for (name, way) in ways {
        let results: Vec<String> = folders.iter().map(|folder| format!("{folder} {}", tried(|| way(Path::new(folder))))).collect();
        println!("{name}: {}", results.join(" ").trim());
    }
}

/// A mount namespace whose mounts nobody else sees.
pub fn own_namespace() -> io::Result<()> {
    sys::unshare(CLONE_NEWNS)?;
    sys::mount(Path::new("/"), Path::new("/"), c"none", MS_REC | MS_PRIVATE)
}

fn open(path: &Path, flags: i32) -> io::Result<()> {
    sys::open(path, flags, 0o600).map(drop)
}

fn open_in(folder: &OwnedFd, name: &CStr, flags: i32) -> io::Result<()> {
    sys::open_at(folder, name, flags).map(drop)
}

/// The name under `/proc` of what a descriptor is open on.
pub fn name_of(file: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// A folder, or a file, bound at a place of this process's own namespace, and unmounted while a descriptor is held.
pub fn detached(from: &Path, at: &Path) -> io::Result<OwnedFd> {
    own_namespace()?;
    sys::mount(from, at, c"none", MS_BIND)?;
    let held = sys::open(at, O_PATH, 0)?;
    sys::unmount_lazily(at)?;
    Ok(held)
}

/// `/proc/PID/root` of a child that stays in a mount namespace of its own once `prepared` was done there.
fn elsewhere(prepared: impl FnOnce() -> io::Result<()>) -> io::Result<PathBuf> {
    let (ready, told) = io::pipe()?;
    let child = sys::spawn(|| {
        let done = own_namespace().and_then(|()| prepared());
        let _ = io::Write::write_all(&mut &told, &[u8::from(done.is_err())]);
        std::thread::sleep(std::time::Duration::from_secs(10));
        0
    })?;
    let mut status = [1];
    io::Read::read_exact(&mut &ready, &mut status)?;
    if status == [1] {
        return Err(io::Error::from_raw_os_error(libc::EIO));
    }
    Ok(format!("/proc/{child}/root").into())
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

const TO_FOLDERS: &[Way] = &[
    ("a clone of the mount", |folder| open_in(&sys::clone_tree(folder)?, c"a", O_RDONLY)),
    ("a clone from above", |folder| {
        let above = sys::clone_tree(folder.parent().unwrap_or(folder))?;
        let name = Path::new(folder.file_name().unwrap_or_default()).join("a");
        open_in(&above, &sys::c(&name)?, O_RDONLY)
    }),
    ("a clone of the file alone", |folder| open(&name_of(&sys::clone_tree(&folder.join("a"))?), O_RDONLY)),
    ("a bind that is unmounted", |folder| open_in(&detached(folder, Path::new("/mnt/folder"))?, c"a", O_RDONLY)),
    ("a bind of the file that is unmounted", |folder| open(&name_of(&detached(&folder.join("a"), Path::new("/mnt/file"))?), O_RDONLY)),
    ("a descriptor of another namespace", |folder| {
        let held = sys::open(folder, O_PATH, 0)?;
        own_namespace()?;
        open_in(&held, c"a", O_RDONLY)
    }),
    ("the root of another process", |folder| {
        own_namespace()?;
        open(&below(Path::new("/proc/1/root"), &folder.join("a")), O_RDONLY)
    }),
    ("a bind in another namespace", |folder| {
        let root = elsewhere(|| sys::mount(folder, Path::new("/mnt/folder"), c"none", MS_BIND))?;
        open(&below(&root, Path::new("/mnt/folder/a")), O_RDONLY)
    }),
    ("what only another namespace mounts there", |folder| {
        let root = elsewhere(|| {
            sys::mount(Path::new("none"), folder, c"tmpfs", 0)?;
            fs::write(folder.join("b"), "x")
        })?;
        open(&below(&root, &folder.join("b")), O_RDONLY)
    }),
    ("a handle", |folder| sys::open_by_handle(&folder.join("a"), O_RDONLY).map(drop)),
    ("exec by a clone", |folder| {
        let tree = sys::clone_tree(folder)?;
        Err(sys::exec_descriptor(&sys::open_at(&tree, c"tool", O_PATH)?))
    }),
    // as crun starts itself again
    ("exec by a bind that is unmounted", |folder| Err(sys::exec(&name_of(&detached(&folder.join("tool"), Path::new("/mnt/file"))?)))),
];

fn mounted_nowhere(kind: &CStr) -> io::Result<OwnedFd> {
    privileges::create_file_system(kind, &[])
}

fn made(folder: &OwnedFd, name: &str) -> io::Result<()> {
    fs::create_dir(name_of(folder).join(name))
}

const ALONE: &[Way] = &[
    ("tmpfs, create", |_| fs::write(name_of(&mounted_nowhere(c"tmpfs")?).join("a"), "x")),
    ("tmpfs, read", |_| {
        let mount = mounted_nowhere(c"tmpfs")?;
        fs::write(name_of(&mount).join("a"), "x")?;
        open_in(&mount, c"a", O_RDONLY)
    }),
    ("tmpfs, folder", |_| made(&mounted_nowhere(c"tmpfs")?, "etc")),
    ("tmpfs, its root", |_| open_in(&mounted_nowhere(c"tmpfs")?, c".", O_RDONLY)),
    ("tmpfs, chmod", |_| {
        let mount = mounted_nowhere(c"tmpfs")?;
        made(&mount, "a")?;
        fs::set_permissions(name_of(&mount).join("a"), fs::Permissions::from_mode(0o700))
    }),
    ("tmpfs, a denied name", |_| fs::write(name_of(&mounted_nowhere(c"tmpfs")?).join("a.key"), "x")),
    ("proc, a denied name", |_| open_in(&mounted_nowhere(c"proc")?, c"version", O_RDONLY)),
    ("proc, another", |_| open_in(&mounted_nowhere(c"proc")?, c"meminfo", O_RDONLY)),
    ("proc, a process's own", |_| open_in(&mounted_nowhere(c"proc")?, c"self/status", O_RDONLY)),
    ("proc, what a container runtime writes of itself", |_| {
        let mount = mounted_nowhere(c"proc")?;
        open_in(&mount, c"self/attr/exec", O_WRONLY)?;
        open_in(&mount, c"self/oom_score_adj", O_WRONLY)
    }),
    ("proc, again by its descriptor", |_| {
        let mount = mounted_nowhere(c"proc")?;
        open(&name_of(&sys::open_at(&mount, c"self/status", O_PATH)?), O_RDONLY)
    }),
    ("proc, change a denied name", |_| open_in(&mounted_nowhere(c"proc")?, c"sys/kernel/domainname", O_WRONLY)),
    ("proc, change another", |_| open_in(&mounted_nowhere(c"proc")?, c"sys/kernel/hostname", O_WRONLY)),
    ("proc without the rest", |_| {
        let mount = privileges::create_file_system(c"proc", &[(c"subset", c"pid")])?;
        open_in(&mount, c"self/status", O_RDONLY)
    }),
    ("a folder that nobody mounts any more", |_| {
        own_namespace()?;
        sys::mount(Path::new("none"), Path::new("/mnt/folder"), c"tmpfs", 0)?;
        fs::write("/mnt/folder/f", "x")?;
        let held = sys::open(Path::new("/mnt/folder"), O_PATH, 0)?;
        sys::unmount_lazily(Path::new("/mnt/folder"))?;
        open_in(&held, c"f", O_RDONLY)
    }),
    // as runc starts itself again
    ("exec by an overlay that is mounted nowhere", |_| {
        let layers = privileges::create_file_system(c"overlay", &[(c"lowerdir", c"/srv/free:/mnt")])?;
        Err(sys::exec_descriptor(&sys::open_at(&layers, c"tool", O_PATH)?))
    }),
    ("queue, create", |_| privileges::open_queue(c"test", O_RDWR | O_CREAT).map(drop)),
    ("queue, open", |_| privileges::open_queue(c"test", O_RDONLY).map(drop)),
    ("memory, again", |_| open(&name_of(&sys::memfd()?), O_RDWR)),
    ("huge pages, again", |_| open(&name_of(&privileges::huge_memory()?), O_RDWR)),
    ("pipe, again", |_| {
        let (reading, _writing) = io::pipe()?;
        open(&name_of(&reading.into()), O_RDONLY | O_NONBLOCK)
    }),
    ("times of memory", |_| privileges::touch_open(&sys::memfd()?)),
    ("times of a pipe", |_| privileges::touch_open(&io::pipe()?.0)),
    ("times of a pipe, by its name in /proc", |_| sys::touch(&name_of(&io::pipe()?.0.into()))),
    ("times of a socket", |_| privileges::touch_open(&std::os::unix::net::UnixDatagram::unbound()?)),
    ("attributes of memory", |_| sys::set_attribute(&name_of(&sys::memfd()?), c"trusted.a", b"x")),
    ("mode of a socket", |_| {
        let socket: OwnedFd = std::os::unix::net::UnixDatagram::unbound()?.into();
        fs::set_permissions(name_of(&socket), fs::Permissions::from_mode(0o600))
    }),
];

/// A name of 200 bytes; a dozen of them make half of a path that is too long for any call.
const STEP: &str = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\
                    dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";
const STEPS: usize = 12;

fn make_long(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    enter_long(folder, true)?;
    fs::set_permissions(".", fs::Permissions::from_mode(0o777))?;
    ["leaf", "leaf.key"].into_iter().try_for_each(|name| fs::write(name, "x"))
}

/// Goes to its end: two parts of a dozen names each.
fn enter_long(folder: &Path, make: bool) -> io::Result<()> {
    std::env::set_current_dir(folder)?;
    for _ in 0..2 * STEPS {
        if make {
            fs::create_dir(STEP)?;
        }
        std::env::set_current_dir(STEP)?;
    }
    Ok(())
}

/// Does something at the end of the long path.
fn at_end(folder: &Path, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    enter_long(folder, false).and_then(|()| work())
}

const LONG: &[Way] = &[
    ("read", |folder| at_end(folder, || open(Path::new("leaf"), O_RDONLY))),
    ("read a denied name", |folder| at_end(folder, || open(Path::new("leaf.key"), O_RDONLY))),
    ("chmod", |folder| at_end(folder, || fs::set_permissions("leaf", fs::Permissions::from_mode(0o600)))),
    ("chmod a denied name", |folder| at_end(folder, || fs::set_permissions("leaf.key", fs::Permissions::from_mode(0o600)))),
    ("times", |folder| at_end(folder, || sys::touch(Path::new("leaf")))),
    ("times of a denied name", |folder| at_end(folder, || sys::touch(Path::new("leaf.key")))),
    ("create", |folder| at_end(folder, || fs::write("new", "x"))),
    ("create a denied name", |folder| at_end(folder, || fs::write("new.key", "x"))),
    ("unlink", |folder| at_end(folder, || fs::remove_file("leaf"))),
    ("unlink a denied name", |folder| at_end(folder, || fs::remove_file("leaf.key"))),
];

/// By a handle: when nothing in memory tells the file's name, and when it was looked up before.
fn by_handle(mount: &str, path: &str) {
    let (mount, path) = (Path::new(mount), Path::new(path));
    let look_up = || forget().and_then(|()| fs::metadata(path).map(drop));
    for (name, between) in [("cold", &forget as &dyn Fn() -> io::Result<()>), ("looked up", &look_up)] {
        let done = tried(|| sys::open_by_handle_after(path, mount, O_RDONLY, between).map(drop));
        println!("{name}: {} {done}", path.display());
    }
}

fn forget() -> io::Result<()> {
    fs::write("/proc/sys/vm/drop_caches", "3")
}

/// The same for what no cache knows, in a namespace of its own where another mount is gone.
fn by_handle_without(gone: &str, mount: &str, path: &str) {
    let without = || {
        own_namespace()?;
        let between = || sys::unmount_lazily(Path::new(gone)).and_then(|()| forget());
        sys::open_by_handle_after(Path::new(path), Path::new(mount), O_RDONLY, between).map(drop)
    };
    println!("cold: {path} {}", tried(without));
}
