//! One operation, done by this very process: takes its name and what it is about, prints `ok` or the error's name. A
//! copy of this program under another path acts as the program of that path. Knows nothing of policies.

use crate::{errno, exec, privileges, routes, sys, uring};
use libc::{PROT_EXEC, PROT_READ};
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What can be done.
pub const USAGE: &str = "\
usage: guest-tools do read|append|append-uring|truncate|truncate-uring|create|remove PATH
       guest-tools do rename|link|symlink FROM TO
       guest-tools do connect|send ADDRESS:PORT | connect-unix PATH | listen-unix PATH SECONDS
       guest-tools do mount TYPE FOLDER | bind FROM FOLDER | bind-tree FROM FOLDER | flood NUMBER FOLDER SECONDS | create-file-system TYPE | user-namespace
       guest-tools do map|protect PATH | ioctl PATH HEXADECIMAL | queue NAME HEXADECIMAL | terminal HEXADECIMAL | set-attribute PATH [NAME VALUE]
       guest-tools do exec PROGRAM ARGUMENTS… | exec-twice PROGRAM | memory | map-huge | wait SECONDS";

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Does it; false if it was refused or failed.
pub fn operation(words: &[String]) -> Result<bool, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["read", path] => fs::read(path).map(drop),
        ["append", path] => File::options().append(true).open(path).and_then(|mut file| file.write_all(b"line\n")),
        ["truncate", path] => File::create(path).map(drop),
        ["append-uring", path] => uring::open(Path::new(path), libc::O_WRONLY | libc::O_APPEND).map(drop),
        ["truncate-uring", path] => uring::open(Path::new(path), libc::O_WRONLY | libc::O_TRUNC).map(drop),
        ["create", path] => File::create_new(path).map(drop),
        ["remove", path] => fs::remove_file(path),
        ["touch", path] => sys::touch(Path::new(path)),
        ["mode", path] => fs::set_permissions(path, fs::Permissions::from_mode(0o640)),
        ["rename", from, to] => fs::rename(from, to),
        ["link", from, to] => fs::hard_link(from, to),
        ["symlink", from, to] => std::os::unix::fs::symlink(from, to),
        ["connect", to] => TcpStream::connect_timeout(&address(to)?, PATIENCE).map(drop),
        ["connect-unix", path] => UnixStream::connect(path).map(drop),
        ["listen-unix", path, seconds] => {
            let seconds = number_of(seconds)?;
            UnixListener::bind(path).map(|_listening| std::thread::sleep(Duration::from_secs(seconds)))
        }
        ["send", to] => send(address(to)?),
        ["mount", kind, folder] => {
            CString::new(*kind).map_err(io::Error::from).and_then(|kind| sys::mount(Path::new("none"), Path::new(folder), &kind, 0))
        }
        ["bind", from, folder] => sys::mount(Path::new(from), Path::new(folder), c"none", libc::MS_BIND),
        ["bind-tree", from, folder] => sys::clone_tree(Path::new(from)).and_then(|tree| sys::attach_tree(&tree, Path::new(folder))),
        ["flood", number, folder, seconds] => flood(number_of(number)?, Path::new(folder), number_of(seconds)?),
        ["create-file-system", kind] => {
            CString::new(*kind).map_err(io::Error::from).and_then(|kind| privileges::create_file_system(&kind, &[]).map(drop))
        }
        ["map", path] => File::open(path).and_then(|file| sys::map(&file, PROT_READ | PROT_EXEC, None)),
        ["protect", path] => File::open(path).and_then(|file| sys::map(&file, PROT_READ, Some(PROT_READ | PROT_EXEC))),
        ["set-attribute", path] => sys::set_attribute(Path::new(path), c"trusted.attack", b"x"),
        ["set-attribute", path, name, value] => {
            CString::new(*name).map_err(io::Error::from).and_then(|name| sys::set_attribute(Path::new(path), &name, value.as_bytes()))
        }
        ["ioctl", path, command] => File::open(path).and_then(|file| sys::command(&file, hexadecimal(command)?)),
        ["queue", name, flags] => hexadecimal(flags).and_then(|flags| sys::open_queue(name, flags.cast_signed())),
        ["terminal", flags] => hexadecimal(flags).and_then(|flags| sys::open_terminal(flags.cast_signed())),
        ["user-namespace"] => sys::unshare(libc::CLONE_NEWUSER),
        ["wait", seconds] => {
            std::thread::sleep(Duration::from_secs(number_of(seconds)?));
            Ok(())
        }
        // Replaces this process: what follows is the other program's business.
        ["exec", program, arguments @ ..] => Err(Command::new(program).args(arguments).exec()),
        // Twice in just the same way, if the first time fails.
        ["exec-twice", program] => sys::exec_twice(Path::new(program)),
        ["map-huge"] => sys::map_huge(1 << 21),
        ["memory"] => Err(exec::memory()),
        _ => return Err(USAGE.into()),
    };
    println!("{}", done.as_ref().map_or_else(errno::name, |()| "ok".to_owned()));
    Ok(done.is_ok())
}

/// Reads a file and says nothing: the status is the error's number.
pub fn attempt(words: &[String]) -> u8 {
    let done = words.first().map_or(Ok(()), |path| fs::read(path).map(drop));
    done.map_or_else(|error| error.raw_os_error().and_then(|number| number.try_into().ok()).unwrap_or(u8::MAX), |()| 0)
}

fn hexadecimal(text: &str) -> io::Result<u32> {
    u32::from_str_radix(text, 16).map_err(io::Error::other)
}

fn number_of(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

/// Binds a folder over itself, says so, and stays: the mounts go with this process's namespace.
fn flood(number: u64, folder: &Path, seconds: u64) -> io::Result<()> {
    (0..number).try_for_each(|_| sys::mount(folder, folder, c"none", libc::MS_BIND))?;
    println!("{number} mounts");
    std::thread::sleep(Duration::from_secs(seconds));
    Ok(())
}

/// Executes a program that finds a socket with a source route where `routes` says.
pub fn routed(words: &[String]) -> Result<bool, String> {
    let [route, program, arguments @ ..] = words else { return Err("routed takes a route and a program".into()) };
    routes::give(route)?;
    Err(Command::new(program).args(arguments).exec().to_string())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not ADDRESS:PORT"))
}

fn send(to: SocketAddr) -> io::Result<()> {
    let any: SocketAddr = if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    UdpSocket::bind(any)?.send_to(b"?", to).map(drop)
}
