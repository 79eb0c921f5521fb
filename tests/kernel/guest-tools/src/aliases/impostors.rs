//! Programs under the name of one that rules let through: ways to come by that name, against the shapes in which a name
//! loosens. `allowed` is what the program itself may do; an impostor is refused.

use super::ways::{as_user, below, kept, mounted, mounted_by_user, pivoted, waiting};
use crate::attack::tried;
use crate::{privileges, sys};
use libc::{MS_BIND, O_PATH};
use std::ffi::CString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// What the policy calls the files that the program alone may read.
const SHAPES: &[&str] = &["unless", "not", "allow-list", "except", "line"];

/// The program's name below the file system's mount.
const TRUSTED: &str = "trusted/tool";

/// Where the programs are.
pub struct Place<'a> {
    base: &'a Path,
    /// A process of a user's in a namespace of its own, where the other program is mounted over the trusted one.
    users: i32,
}

type Way = fn(&Place) -> io::Result<PathBuf>;

impl Place<'_> {
    fn trusted(&self) -> PathBuf {
        self.base.join(TRUSTED)
    }

    /// Another program, in a folder where the trusted one has its name.
    fn evil(&self) -> PathBuf {
        self.base.join("evil/tool")
    }

    /// A tree in which the other program lies where the trusted one does.
    fn tree(&self) -> PathBuf {
        self.base.join("tree")
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// The ways, and the number of the note for what is let through.
const WAYS: &[(&str, usize, Way)] = &[
    ("the program itself", 10, |p| Ok(p.trusted())),
    ("a symlink to it", 10, |p| {
        let link = p.base.join("other/to-trusted");
        let _ = fs::remove_file(&link);
        symlink(p.trusted(), &link)?;
        Ok(link)
    }),
    ("it, in another mount namespace", 10, |p| mounted(p.base, super::MOUNTED, MS_BIND).map(|_| p.trusted())),
    ("it, by a clone of its mount", 10, |p| Ok(kept(sys::clone_tree(folder(&p.trusted()))?).join("tool"))),
    ("it, by another name", 0, |p| {
        let link = p.base.join("other/hard-trusted");
        if !link.exists() {
            fs::hard_link(p.trusted(), &link)?;
        }
        Ok(link)
    }),
    ("another program", 0, |p| Ok(p.evil())),
    ("another, by a descriptor", 0, |p| Ok(kept(sys::open(&p.evil(), O_PATH, 0)?))),
    ("another, in memory", 0, |p| {
        let mut memory = fs::File::from(sys::memfd()?);
        memory.write_all(&fs::read(p.evil())?)?;
        Ok(kept(memory.into()))
    }),
    ("another, from where it has that name", 0, |p| Ok(p.tree().join("m").join(TRUSTED))),
    ("another, in a root where it has it", 0, |p| {
        std::os::unix::fs::chroot(p.tree())?;
        std::env::set_current_dir("/")?;
        Ok(p.trusted())
    }),
    ("root mounted another there", 1, |p| mounted(&p.evil(), path(&p.trusted()), MS_BIND)),
    ("user: the program itself", 0, |p| as_user().map(|()| p.trusted())),
    ("user: another mounted there", 0, |p| mounted_by_user(&p.evil(), path(&p.trusted()))),
    ("user: another's folder mounted there", 0, |p| mounted_by_user(folder(&p.evil()), path(folder(&p.trusted()))).map(|_| p.trusted())),
    ("user: an overlay with another", 0, |p| {
        as_user()?;
        let layers = format!("userxattr,lowerdir={}:{}", folder(&p.evil()).display(), folder(&p.trusted()).display());
        privileges::mount_overlay(folder(&p.trusted()), &layers).map(|()| p.trusted())
    }),
    ("user: a root where another has it", 0, |p| {
        as_user()?;
        pivoted(&p.tree())?;
        Ok(p.trusted())
    }),
    ("user: chroot where another has it", 0, |p| {
        as_user()?;
        std::os::unix::fs::chroot(p.tree())?;
        std::env::set_current_dir("/")?;
        Ok(p.trusted())
    }),
    ("by root, from a user's namespace", 0, |p| Ok(below(format!("/proc/{}/root", p.users), &p.trusted()))),
];

fn path(path: &Path) -> &str {
    path.to_str().unwrap_or("/")
}

/// Makes the programs and the files that they read; before the policy is on.
pub fn make(base: &Path) -> io::Result<Place<'_>> {
    let mut place = Place { base, users: 0 };
    let tool = std::env::current_exe()?;
    let elsewhere = place.tree().join("m");
    for file in [place.trusted(), place.evil(), elsewhere.join(TRUSTED)] {
        fs::create_dir_all(folder(&file))?;
        fs::copy(&tool, &file)?;
        privileges::give(folder(&file), super::USER)?;
        privileges::give(&file, super::USER)?;
    }
    fs::create_dir_all(base.join("other"))?;
    for asked in [base.join("asked"), elsewhere.join("asked")] {
        fs::create_dir_all(&asked)?;
        for shape in SHAPES {
            fs::write(asked.join(shape), "x")?;
            fs::set_permissions(asked.join(shape), fs::Permissions::from_mode(0o644))?;
        }
    }
    place.users = waiting(|| mounted_by_user(&place.evil(), path(&place.trusted())).map(drop))?;
    Ok(place)
}

impl Place<'_> {
    /// One result for each shape and way.
    pub fn results(&self) -> Vec<Vec<String>> {
        let one = |way: Way, shape: &str| {
            tried(|| {
                let words = [c"tool", c"attempt", &sys::c(&self.base.join("asked").join(shape))?].map(CString::from);
                Err(privileges::exec_words(&way(self)?, &words))
            })
        };
        SHAPES.iter().map(|shape| WAYS.iter().map(|(_, _, way)| one(*way, shape)).collect()).collect()
    }

    /// Prints the table of what was so without the policy and what is now.
    pub fn tell(&self, before: &[Vec<String>], notes: &mut super::Notes) -> io::Result<()> {
        let cells: Vec<Vec<String>> = (before.iter().zip(self.results()))
            .map(|(before, now)| {
                let rows = WAYS.iter().zip(before).zip(&now);
                rows.map(|((way, before), now)| super::cell(way.1, before, now, "ok", notes)).collect()
            })
            .collect();
        super::print(
            "a program under another's name: what the policy lets this program alone read",
            SHAPES,
            WAYS.iter().map(|way| way.0),
            &cells,
        );
        privileges::end(self.users)
    }
}
