//! The list of attacks. Takes a folder and names, does each attack on a file of
//! its own in a child of its own, prints `KIND NAME ok` or the error's name.
//! Knows nothing of policies: what should be refused is the caller's business.

use crate::{errno, exec, files, mounts, net, routes, sys};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What an attack works on.
pub struct Place {
    /// A file in the folder that is attacked, there before the attack.
    pub inside: PathBuf,
    /// A name in that folder that is free.
    pub fresh: PathBuf,
    /// A directory in that folder, empty.
    pub folder: PathBuf,
    /// A file elsewhere.
    pub outside: PathBuf,
    /// A name elsewhere that is free.
    pub outside_fresh: PathBuf,
    /// Whom network attacks reach for.
    pub peer: Peer,
}

/// Addresses that network attacks reach for.
#[derive(Clone, Copy)]
pub struct Peer {
    /// An IPv4 address.
    pub four: [u8; 4],
    /// An IPv6 address.
    pub six: [u8; 16],
    /// The port at both.
    pub port: u16,
}

/// One attack.
pub struct Attack {
    /// The effect that the attack is after.
    pub kind: &'static str,
    /// Unique name.
    pub name: &'static str,
    /// Tries it.
    pub run: fn(&Place) -> io::Result<()>,
}

/// Where the files and names outside the attacked folder are.
const OUTSIDE: &str = "/var/attack-outside";

/// A program that ends with status 0 and does nothing else: x86-64 ELF, one
/// page, no library.
pub const PROGRAM: &[u8] = &[
    0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, // identification
    2, 0, 62, 0, 1, 0, 0, 0, // executable, x86-64
    0x78, 0, 0x40, 0, 0, 0, 0, 0, // entry
    64, 0, 0, 0, 0, 0, 0, 0, // program headers
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0, //
    1, 0, 0, 0, 5, 0, 0, 0, // load, readable and executable
    0, 0, 0, 0, 0, 0, 0, 0, // from the file's start
    0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, // addresses
    0x81, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 0, 0, 0, 0, 0, // sizes
    0, 0x10, 0, 0, 0, 0, 0, 0, // alignment
    0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05, // xor edi, edi; mov eax, 60; syscall
];

fn all() -> impl Iterator<Item = &'static Attack> {
    let lists = [files::READS, files::WRITES, files::ALIASES, mounts::ALL, exec::RUNS, net::ALL, routes::ALL];
    lists.into_iter().flatten()
}

/// Prints every attack.
pub fn list() -> Result<bool, String> {
    all().for_each(|attack| println!("{} {}", attack.kind, attack.name));
    Ok(true)
}

/// Makes the files that attacks work on; before any policy is loaded.
pub fn prepare(words: &[String]) -> Result<bool, String> {
    let [folder] = words else {
        return Err("prepare takes one folder".into());
    };
    all()
        .try_for_each(|attack| make(&place(folder, attack, DEFAULT_PEER)))
        .map_err(|error| format!("cannot prepare `{folder}`: {error}"))?;
    Ok(true)
}

fn make(place: &Place) -> io::Result<()> {
    for file in [&place.inside, &place.outside] {
        fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
        fs::write(file, PROGRAM)?;
        fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
    }
    files::give_attributes(&place.inside);
    fs::hard_link(&place.inside, place.outside.with_extension("link"))?;
    fs::create_dir_all(&place.folder)?;
    let mut script = b"#!".to_vec();
    script.extend_from_slice(place.outside.as_os_str().as_encoded_bytes());
    script.push(b'\n');
    write_script(&place.inside.with_extension("script"), &script)?;
    script = b"#!".to_vec();
    script.extend_from_slice(place.inside.as_os_str().as_encoded_bytes());
    script.push(b'\n');
    write_script(&place.outside.with_extension("script"), &script)
}

fn write_script(path: &Path, text: &[u8]) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

fn place(folder: &str, attack: &Attack, peer: Peer) -> Place {
    let inside = Path::new(folder).join(attack.name);
    // A folder of its own for each attacked one.
    let outside = Path::new(OUTSIDE).join(folder.trim_start_matches('/')).join(attack.name);
    Place {
        fresh: inside.with_extension("fresh"),
        folder: inside.with_extension("folder"),
        outside_fresh: outside.with_extension("fresh"),
        inside,
        outside,
        peer,
    }
}

const DEFAULT_PEER: Peer = Peer { four: [127, 0, 0, 1], six: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], port: 9 };

/// Runs the attacks of these names and kinds. True if every one went through.
pub fn attack(words: &[String]) -> Result<bool, String> {
    let mut peer = DEFAULT_PEER;
    let mut words = words.iter();
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("`{word}` lacks its value"));
        match word.as_str() {
            "--peer4" => match value()?.parse() {
                Ok(IpAddr::V4(four)) => peer.four = four.octets(),
                _ => return Err("`--peer4` takes an IPv4 address".into()),
            },
            "--peer6" => match value()?.parse() {
                Ok(IpAddr::V6(six)) => peer.six = six.octets(),
                _ => return Err("`--peer6` takes an IPv6 address".into()),
            },
            "--port" => peer.port = value()?.parse().map_err(|_| "`--port` takes a port")?,
            name => names.push(name),
        }
    }
    let [folder, names @ ..] = names.as_slice() else {
        return Err("attack takes a folder and names".into());
    };
    let wanted = |attack: &&Attack| names.iter().any(|name| [attack.name, attack.kind, "all"].contains(name));
    let unknown = |name: &&&str| **name != "all" && !all().any(|a| [a.name, a.kind].contains(name));
    if let Some(name) = names.iter().find(unknown) {
        return Err(format!("there is no attack `{name}`"));
    }
    let mut through = true;
    for attack in all().filter(wanted) {
        through &= one(attack, &place(folder, attack, peer));
    }
    Ok(through)
}

/// A child's status when it died of a signal or ended without telling.
const LOST: i32 = 250;

/// Does something in a child, gives `ok` or the error's name.
pub fn tried(work: impl FnOnce() -> io::Result<()>) -> String {
    let tried = sys::in_child(|| match work() {
        Ok(()) => 0,
        // Error numbers are below 134, so each is an exit status.
        Err(error) => error.raw_os_error().unwrap_or(LOST),
    });
    match tried {
        Ok(Some(0)) => "ok".to_owned(),
        Ok(Some(LOST)) | Ok(None) => "lost".to_owned(),
        Ok(Some(number)) => errno::name(&io::Error::from_raw_os_error(number)),
        Err(error) => format!("no child: {error}"),
    }
}

fn one(attack: &Attack, place: &Place) -> bool {
    let result = tried(|| (attack.run)(place));
    println!("{} {} {result}", attack.kind, attack.name);
    result == "ok"
}
