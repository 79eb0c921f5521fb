//! What comes and goes on one processor while something is done on another. Mounts, while files are opened: takes names that
//! must be opened and names that must be refused, prints a line for each. Attached programs, while a command runs. The line that
//! errors go to, which stalls while the guest goes on. Knows nothing of policies.

use crate::{empty, sys};
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// The ways.
pub const USAGE: &str =
    "usage: guest-tools races unmounted FROM TO NAME… | service FOLDER PATH… | attached PROGRAM WORD… | stalled SECONDS";
/// How long each goes on.
const TIME: Duration = Duration::from_secs(15);

/// What became of the opens of one name.
struct Name {
    text: String,
    name: CString,
    opened: u64,
    refused: u64,
}

impl Name {
    fn all(words: &[String]) -> io::Result<Vec<Self>> {
        let one = |text: &String| Ok(Self { text: text.clone(), name: sys::c(Path::new(text))?, opened: 0, refused: 0 });
        words.iter().map(one).collect()
    }

    fn open(&mut self, folder: &OwnedFd) {
        match sys::open_at(folder, &self.name, libc::O_RDONLY) {
            Ok(_) => self.opened += 1,
            Err(_) => self.refused += 1,
        }
    }

    fn tell(&self) {
        let way = match (self.opened, self.refused) {
            (_, 0) => "always opened".to_owned(),
            (0, _) => "never opened".to_owned(),
            (opened, refused) => format!("opened {opened} times, refused {refused} times"),
        };
        println!("{} {way}", self.text);
    }
}

/// Does it; false if something else than the opens failed.
pub fn races(words: &[String]) -> Result<bool, String> {
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["unmounted", from, to, _, ..] => unmounted(Path::new(from), Path::new(to), words.get(3..).unwrap_or_default()),
        ["service", folder, _, ..] => service(Path::new(folder), words.get(2..).unwrap_or_default()),
        ["stalled", seconds] => return stalled(seconds),
        ["attached", program, rest @ ..] => return attached(Command::new(program).args(rest)),
        _ => return Err(USAGE.into()),
    };
    let names = done.map_err(|error| error.to_string())?;
    names.iter().for_each(Name::tell);
    Ok(true)
}

/// Opens names below a bind mount that is lazily unmounted meanwhile, and afterwards.
fn unmounted(from: &Path, to: &Path, words: &[String]) -> io::Result<Vec<Name>> {
    let mut names = Name::all(words)?;
    let (asked, done, over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let start = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(SeqCst) {
                let turn = asked.load(SeqCst);
                if turn != done.load(SeqCst) {
                    (0..turn.wrapping_mul(7919) % 4096).for_each(|_| std::hint::spin_loop());
                    let _ = sys::unmount_lazily(to);
                    done.store(turn, SeqCst);
                }
            }
        });
        let mut turns = || {
            while start.elapsed() < TIME {
                sys::mount(from, to, c"none", libc::MS_BIND)?;
                let folder = sys::open(to, libc::O_PATH, 0)?;
                let turn = asked.fetch_add(1, SeqCst) + 1;
                let mut after = 3;
                while after > 0 {
                    names.iter_mut().for_each(|name| name.open(&folder));
                    after -= u32::from(done.load(SeqCst) == turn);
                }
            }
            Ok(())
        };
        let result: io::Result<()> = turns();
        over.store(true, SeqCst);
        result
    })?;
    Ok(names)
}

/// Opens names in a copy of the mount namespace while the first one mounts and unmounts.
fn service(folder: &Path, words: &[String]) -> io::Result<Vec<Name>> {
    let mut names = Name::all(words)?;
    let start = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while start.elapsed() < TIME {
                let _ = sys::mount(Path::new("none"), folder, c"tmpfs", 0);
                let _ = sys::unmount_lazily(folder);
            }
        });
        sys::unshare(libc::CLONE_NEWNS)?;
        let root = sys::open(Path::new("/"), libc::O_PATH, 0)?;
        while start.elapsed() < TIME {
            names.iter_mut().for_each(|name| name.open(&root));
        }
        Ok(names)
    })
}

/// Runs a command while a program is attached and taken away again; whether the command ended well.
fn attached(command: &mut Command) -> Result<bool, String> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let restless = scope.spawn(|| empty::restless(&|| !over.load(SeqCst)));
        let status = command.status();
        over.store(true, SeqCst);
        restless.join().map_err(|_| "the other thread panicked")??;
        status.map(|status| status.success()).map_err(|error| error.to_string())
    })
}

/// Keeps the terminal of standard error from sending for a while.
fn stalled(seconds: &str) -> Result<bool, String> {
    let time = seconds.parse().map(Duration::from_secs).map_err(|_| USAGE)?;
    let line = io::stderr();
    sys::let_terminal_send(&line, false).map_err(|error| error.to_string())?;
    std::thread::sleep(time);
    sys::let_terminal_send(&line, true).map_err(|error| error.to_string())?;
    Ok(true)
}
