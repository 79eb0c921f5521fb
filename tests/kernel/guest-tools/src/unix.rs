//! Unix sockets: servers, and every way to reach one by name. Takes a folder, prints one result a line. Knows nothing of
//! policies: what should be refused is the caller's business.

use crate::sys::{self, Address};
use crate::{errno, privileges, uring};
use libc::{AF_UNIX, CLONE_NEWNS, CLONE_NEWUSER, MS_BIND, MS_PRIVATE, MS_REC, O_PATH, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What can be done.
pub const USAGE: &str = "\
usage: guest-tools unix serve FOLDER OTHER
       guest-tools unix hold FOLDER
       guest-tools unix reach FOLDER OTHER";

/// The words after `unix`.
pub fn unix(words: &[String]) -> Result<bool, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = |result: io::Result<()>| result.map(|()| true).map_err(|error| error.to_string());
    match words.as_slice() {
        ["serve", folder, other] => told(serve(Path::new(folder), Path::new(other))),
        ["hold", folder] => told(hold(Path::new(folder))),
        ["reach", folder, other] => Ok(reach(&Place { folder: folder.into(), other: other.into() })),
        _ => Err(USAGE.into()),
    }
}

/// A folder with sockets, and one with other names for them.
struct Place {
    folder: PathBuf,
    other: PathBuf,
}

/// A path as the kernel takes it.
pub fn address(path: &Path) -> Address {
    Address::new(&[&(AF_UNIX as u16).to_ne_bytes(), path.as_os_str().as_encoded_bytes(), &[0]])
}

fn socket(kind: i32) -> io::Result<OwnedFd> {
    sys::socket(AF_UNIX, kind, 0)
}

fn abstract_name(folder: &Path, kind: &str) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(folder.join(kind).as_os_str().as_encoded_bytes())
}

/// Binds sockets in the folder, gives them other names, and answers for as long as the guest runs.
fn serve(folder: &Path, other: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::create_dir_all(other)?;
    let stream = UnixListener::bind(folder.join("stream"))?;
    let datagram = UnixDatagram::bind(folder.join("datagram"))?;
    let packet = privileges::listen_packets(&socket(SOCK_SEQPACKET)?, &address(&folder.join("packet")))?;
    let hidden =
        (UnixListener::bind_addr(&abstract_name(folder, "stream")?)?, UnixDatagram::bind_addr(&abstract_name(folder, "datagram")?)?);
    // bound elsewhere, and moved to where it is
    let moved = UnixListener::bind(other.join("moved"))?;
    fs::rename(other.join("moved"), folder.join("moved"))?;
    // the same by a link, as ssh does with the socket that later sessions share
    let linked = UnixListener::bind(other.join("linked"))?;
    fs::hard_link(other.join("linked"), folder.join("linked"))?;
    fs::remove_file(other.join("linked"))?;
    // bound here, and moved away
    let away = UnixListener::bind(folder.join("away"))?;
    fs::rename(folder.join("away"), other.join("away"))?;
    for name in ["stream", "datagram", "packet", "moved", "linked"] {
        fs::set_permissions(folder.join(name), Permissions::from_mode(0o777))?;
    }
    fs::hard_link(folder.join("stream"), other.join("hard"))?;
    symlink(folder.join("stream"), other.join("soft"))?;
    fs::create_dir_all(other.join("bound"))?;
    // a name that is gone, and a descriptor that still leads to it
    let gone = UnixListener::bind(folder.join("gone"))?;
    let held = sys::open(&folder.join("gone"), O_PATH, 0)?;
    fs::remove_file(folder.join("gone"))?;
    fs::write(other.join("gone"), format!("/proc/{}/fd/{}", std::process::id(), held.as_raw_fd()))?;
    for socket in [datagram.try_clone()?, hidden.1.try_clone()?] {
        std::thread::spawn(move || while socket.recv(&mut [0; 64]).is_ok() {});
    }
    fs::write(other.join("ready"), "")?;
    std::thread::sleep(Duration::from_secs(3600));
    drop((stream, packet, hidden, moved, linked, away, gone));
    Ok(())
}

/// Connects a datagram socket, waits until `FOLDER.go` is there, then uses it.
fn hold(folder: &Path) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(folder.join("datagram"))?;
    fs::write(folder.with_extension("held"), "")?;
    while !folder.with_extension("go").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let print = |name: &str, result: io::Result<()>| println!("{name} {}", word(&result));
    print("connected-send", socket.send(b"x").map(drop));
    print("connected-send-by-name", socket.send_to(b"x", folder.join("datagram")).map(drop));
    print("connected-again", socket.connect(folder.join("datagram")));
    Ok(())
}

fn word(result: &io::Result<()>) -> String {
    result.as_ref().map_or_else(errno::name, |()| "ok".to_owned())
}

fn connect(path: &Path) -> io::Result<()> {
    UnixStream::connect(path).map(drop)
}

fn own_mounts(flags: i32) -> io::Result<()> {
    sys::unshare(CLONE_NEWNS | flags)?;
    sys::mount(Path::new("/"), Path::new("/"), c"none", MS_REC | MS_PRIVATE)
}

fn bound(place: &Place, flags: i32) -> io::Result<()> {
    own_mounts(flags)?;
    sys::mount(&place.folder, &place.other.join("bound"), c"none", MS_BIND)?;
    connect(&place.other.join("bound/stream"))
}

type Way = (&'static str, fn(&Place) -> io::Result<()>);

/// Every way to a socket of the folder, then those to sockets without a path, which no rule about files concerns.
const WAYS: &[Way] = &[
    ("stream", |p| connect(&p.folder.join("stream"))),
    ("stream-uring", |p| uring::connect(&socket(SOCK_STREAM)?, &address(&p.folder.join("stream")))),
    ("stream-proc-fd", |p| {
        let file = sys::open(&p.folder.join("stream"), O_PATH, 0)?;
        connect(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd())))
    }),
    ("stream-hard-link", |p| connect(&p.other.join("hard"))),
    ("stream-symlink", |p| connect(&p.other.join("soft"))),
    ("stream-moved-in", |p| connect(&p.folder.join("moved"))),
    ("stream-linked-in", |p| connect(&p.folder.join("linked"))),
    ("stream-moved-away", |p| connect(&p.other.join("away"))),
    ("stream-deleted", |p| connect(Path::new(fs::read_to_string(p.other.join("gone"))?.trim()))),
    ("stream-chroot", |p| {
        std::os::unix::fs::chroot(&p.folder)?;
        connect(Path::new("/stream"))
    }),
    ("stream-bind-mount", |p| bound(p, 0)),
    ("stream-user-namespace", |p| bound(p, CLONE_NEWUSER)),
    ("stream-other-user", |p| {
        privileges::become_user(1000)?;
        connect(&p.folder.join("stream"))
    }),
    ("packet", |p| sys::connect(&socket(SOCK_SEQPACKET)?, &address(&p.folder.join("packet")))),
    ("datagram-connect", |p| UnixDatagram::unbound()?.connect(p.folder.join("datagram"))),
    ("datagram-connect-named", |p| {
        let name = p.other.join("client");
        let socket = UnixDatagram::bind(&name)?;
        fs::remove_file(name)?;
        socket.connect(p.folder.join("datagram"))
    }),
    ("datagram-send", |p| UnixDatagram::unbound()?.send_to(b"x", p.folder.join("datagram")).map(drop)),
    ("datagram-sendmsg", |p| sys::send_message(&socket(SOCK_DGRAM)?, &address(&p.folder.join("datagram")), false)),
    ("datagram-sendmmsg", |p| sys::send_message(&socket(SOCK_DGRAM)?, &address(&p.folder.join("datagram")), true)),
    ("datagram-uring", |p| uring::send_message(&socket(SOCK_DGRAM)?, &address(&p.folder.join("datagram")))),
    // connected to another one, sends to this one
    ("datagram-beside-peer", |p| {
        let (socket, _other) = UnixDatagram::pair()?;
        socket.send_to(b"x", p.folder.join("datagram")).map(drop)
    }),
    ("abstract-stream", |p| UnixStream::connect_addr(&abstract_name(&p.folder, "stream")?).map(drop)),
    ("abstract-datagram", |p| UnixDatagram::unbound()?.send_to_addr(b"x", &abstract_name(&p.folder, "datagram")?).map(drop)),
    ("pair-stream", |_| sys::pass(&sys::open(Path::new("/"), O_PATH, 0)?).map(drop)),
    ("pair-datagram", |_| {
        let (one, other) = UnixDatagram::pair()?;
        one.send(b"x")?;
        other.send(b"y").map(drop)
    }),
];

/// Tries each way in a child of its own; true if every one led there.
fn reach(place: &Place) -> bool {
    let mut through = true;
    for (name, way) in WAYS {
        let done = sys::in_child(|| way(place).map_or_else(|error| error.raw_os_error().unwrap_or(250), |()| 0));
        let result = done.and_then(|status| match status {
            Some(0) => Ok(()),
            other => Err(io::Error::from_raw_os_error(other.unwrap_or(250))),
        });
        println!("{name} {}", word(&result));
        through &= result.is_ok();
    }
    through
}
