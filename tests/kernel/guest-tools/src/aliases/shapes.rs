//! The columns: shapes of rules, each with an object of its own that all aliases lead to. The policy says the same names.

use super::operations::read;
use super::{By, Column, Reached, Table};
use crate::{privileges, sys};
use std::ffi::{CStr, CString};
use std::io;

/// A column for one shape: all rows are about the same object.
pub const fn shape(name: &'static str, guarded: &'static str, target: &'static str, run: fn(&Reached) -> io::Result<()>) -> Column {
    Column { name, target, guarded, free: "shape/free", free_target: None, alone: false, program: None, run }
}

/// Rules about the object, asked by a read.
pub const OBJECTS: Table = Table {
    title: "shapes of a rule about the file: deny file.read",
    rows: super::ways::ALL,
    columns: &[
        shape("exact", "shape/exact", "a", read),
        shape("under", "shape/under", "a", read),
        shape("pattern", "shape/pattern", "a", read),
        shape("anywhere", "shape/anywhere", "a", read),
        Column { free_target: Some("name.pub"), ..shape("name", "shape/name", "name.key", read) },
        shape("host-path", "shape/host", "a", read),
        shape("unless-exe", "shape/exempt", "a", read),
        shape("of-lineage", "shape/line", "a", read),
        // of a program that may read a few folders only
        Column { program: Some("/bin/listed"), ..shape("allow-list", "shape/list", "a", read) },
        shape("no-container", "shape/scope", "a", read),
    ],
};

/// Executes the program that was reached, which reads what its rule denies to it.
fn reads(r: &Reached, what: &CStr) -> io::Result<()> {
    if !matches!(r.by, By::Call) {
        return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
    }
    // the file system is at its place, or where the alias put it
    let at = r.other.ancestors().find(|above| above.join("asked").exists()).unwrap_or(&r.other);
    let words = [c"tool", c"attempt", &sys::c(&at.join("asked").join(what.to_str().unwrap_or_default()))?];
    Err(privileges::exec_words(&r.file, &words.map(CString::from)))
}

/// Rules about the program: it is reached by the alias, and reads a plain file.
pub const SUBJECTS: Table = Table {
    title: "shapes of a rule about the program: the program is reached by the alias",
    rows: super::ways::ALL,
    columns: &[
        shape("exe", "shape/exe", "tool", |r| reads(r, c"exe")),
        shape("lineage", "shape/lineage", "tool", |r| reads(r, c"lineage")),
        shape("scope", "shape/scoped", "tool", |r| reads(r, c"scoped")),
        shape("exe-pattern", "shape/tools", "tool", |r| reads(r, c"tools")),
    ],
};
