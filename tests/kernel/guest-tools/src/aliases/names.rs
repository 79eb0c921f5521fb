//! Odd names: what the kernel takes for a name, a rule is matched against, byte by byte and to its end.

use super::shapes::shape;
use super::{Alias, Object, Reached, Table};
use crate::sys;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Makes a file of this name, which ends as the rule's pattern does, and leads to it.
fn named(object: &Object, name: &[u8]) -> io::Result<Reached> {
    let file = object.folder.join(OsStr::from_bytes(&[name, b".key"].concat()));
    File::create(&file)?;
    Ok(Reached::file(object, file))
}

/// The same below folders of this name, entered one by one: the path may be longer than any call takes.
fn below(object: &Object, name: &str, times: usize) -> io::Result<Reached> {
    let entered = Path::new(name);
    std::env::set_current_dir(&object.folder)?;
    for _ in 0..times {
        if !entered.exists() {
            fs::create_dir(entered)?;
        }
        std::env::set_current_dir(entered)?;
    }
    sys::open(Path::new("x.key"), libc::O_CREAT | libc::O_WRONLY, 0o600)?;
    Ok(Reached::file(object, PathBuf::from("x.key")))
}

const LONG: &[u8] = &[b'n'; 251];
const STEP: &str = "a folder whose name is as long as most names are not, so that a few of them are too much";

const fn name(name: &'static str, way: fn(&Object) -> io::Result<Reached>) -> Alias {
    Alias { name, way, linked: false, note: 0, only: &[] }
}

/// Rules about the end of a name and about what is below a folder.
pub const ODD: Table = Table {
    title: "odd names: deny file.read when file.path matches a pattern of its end, or is below a folder",
    columns: &[
        shape("ends-with", "shape/ends", "x.key", super::operations::open_reading),
        shape("starts-with", "shape/starts", "x.key", super::operations::open_reading),
    ],
    rows: &[
        name("a plain name", |o| named(o, b"x")),
        name("the ending alone", |o| named(o, b"")),
        name("255 bytes", |o| named(o, LONG)),
        name("7 and 8 bytes with the slash", |o| named(o, b"abc")),
        name("8 bytes of its own", |o| named(o, b"abcd")),
        name("a new line", |o| named(o, b"a\nb")),
        name("spaces", |o| named(o, b" a ")),
        name("dots", |o| named(o, b"...")),
        name("the characters of patterns", |o| named(o, b"*?[a]{b,c}\\")),
        name("bytes that are no text", |o| named(o, b"\xff\xfe\x80")),
        name("bytes of a longer character", |o| named(o, "ü漢".as_bytes())),
        name("what marks removed files", |o| named(o, b"x (deleted)")),
        name("control characters", |o| named(o, b"\x01\x1b[2K\x7f")),
        name("16 folders deep", |o| below(o, "d", 16)),
        name("300 folders deep", |o| below(o, "d", 300)),
        name("a path of 9,000 bytes", |o| below(o, STEP, 100)),
    ],
};
