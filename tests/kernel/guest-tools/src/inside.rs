//! One operation after steps that take the process elsewhere: into namespaces, below another root, to another user.
//! Takes the steps and the operation, prints the operation's result, or the step that failed. Knows nothing of policies.

use crate::{errno, operation, privileges, sys};
use libc::{CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, MS_BIND, MS_MOVE, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::chroot;
use std::path::Path;

/// What can be done first.
pub const USAGE: &str = "\
usage: guest-tools inside STEP[,STEP…] OPERATION WORDS…
       steps: uid user mounts slaves shares reshare pids private rebind over pivot chroot host join:PID root:FOLDER bind:FROM:TO";

/// Where new roots are built; everyone may write there.
const STAGE: &str = "/stage";
/// What new roots show of the old one.
const SHOWN: &[&str] = &["bin", "secret", "jail", "kept", "proc", "tmp", "stage"];
/// An ordinary user.
const USER: u32 = 1000;

/// Takes the steps, does the operation; false if it was refused or failed.
pub fn inside(words: &[String]) -> Result<bool, String> {
    let [steps, rest @ ..] = words else { return Err(USAGE.into()) };
    go(&steps.split(',').collect::<Vec<_>>(), rest)
}

fn go(steps: &[&str], words: &[String]) -> Result<bool, String> {
    let [step, rest @ ..] = steps else { return operation::operation(words) };
    if let Err(error) = take(step)? {
        println!("step {step} {}", errno::name(&error));
        return Ok(false);
    }
    if *step != "pids" {
        return go(rest, words);
    }
    // the children of this process are the first in the new namespace
    let status = sys::in_child(|| i32::from(go(rest, words) != Ok(true))).map_err(|error| error.to_string())?;
    Ok(status == Some(0))
}

fn take(step: &str) -> Result<io::Result<()>, String> {
    let root = Path::new("/");
    Ok(match step {
        "uid" => privileges::become_user(USER),
        "user" => own_user_namespace(),
        "mounts" => sys::unshare(CLONE_NEWNS).and_then(|()| sys::mount(root, root, c"none", MS_REC | MS_PRIVATE)),
        // what is mounted from here on goes on to namespaces within
        "reshare" => sys::mount(root, root, c"none", MS_REC | MS_SHARED),
        // as the host's mounts are
        "shares" => sys::unshare(CLONE_NEWNS),
        // what the host mounts goes on to where it is mounted here
        "slaves" => sys::unshare(CLONE_NEWNS).and_then(|()| sys::mount(root, root, c"none", MS_REC | MS_SLAVE)),
        "pids" => sys::unshare(CLONE_NEWPID),
        // as of a service with PrivateTmp
        "private" => sys::mount(Path::new("none"), Path::new("/tmp"), c"tmpfs", 0),
        // as systemd makes a service's root
        "rebind" => sys::mount(root, Path::new(STAGE), c"none", MS_BIND | MS_REC).and_then(|()| move_to_root(Path::new(STAGE))),
        "over" => new_root().and_then(|()| move_to_root(Path::new(STAGE))),
        "pivot" => new_root().and_then(|()| pivot()),
        "chroot" => new_root().and_then(|()| chroot(STAGE)).and_then(|()| std::env::set_current_dir("/")),
        "host" => join("1"),
        _ => match (step.strip_prefix("join:"), step.strip_prefix("root:")) {
            (Some(pid), _) => join(pid),
            // a mounted folder becomes the root
            (_, Some(folder)) => move_to_root(Path::new(folder)),
            _ => {
                let (from, to) = step.strip_prefix("bind:").and_then(|both| both.split_once(':')).ok_or(USAGE)?;
                sys::mount(Path::new(from), Path::new(to), c"none", MS_BIND)
            }
        },
    })
}

/// A user namespace in which the caller is root.
pub fn own_user_namespace() -> io::Result<()> {
    let (user, group) = privileges::ids();
    sys::unshare(CLONE_NEWUSER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// A file system of its own that shows some folders of the present root.
fn new_root() -> io::Result<()> {
    let stage = Path::new(STAGE);
    sys::mount(Path::new("none"), stage, c"tmpfs", 0)?;
    for name in SHOWN {
        let (here, there) = (Path::new("/").join(name), stage.join(name));
        fs::create_dir(&there)?;
        if *name != "stage" {
            sys::mount(&here, &there, c"none", MS_BIND | MS_REC)?;
        }
    }
    Ok(())
}

/// Moves a mount over the root and takes it for the root.
pub fn move_to_root(new: &Path) -> io::Result<()> {
    std::env::set_current_dir(new)?;
    sys::mount(Path::new("."), Path::new("/"), c"none", MS_MOVE)?;
    chroot(".")?;
    std::env::set_current_dir("/")
}

fn pivot() -> io::Result<()> {
    let stage = Path::new(STAGE);
    privileges::pivot_root(stage, &stage.join("stage"))?;
    std::env::set_current_dir("/")?;
    sys::unmount_lazily(stage)
}

fn join(process: &str) -> io::Result<()> {
    privileges::enter(&File::open(format!("/proc/{process}/ns/mnt"))?, CLONE_NEWNS)
}
