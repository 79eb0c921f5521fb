//! What each program in the kernel costs by itself: takes a command, lets the
//! kernel keep count while it runs, prints a line for each program that ran.
//! What leads to the program and away from it is not in the figure.

use crate::{privileges, sys};
use std::fs;
use std::process::{Command, Stdio};

const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// `costs PROGRAM WORD…`: prints `NAME runs N med N`, the mean in nanoseconds.
pub fn costs(words: &[String]) -> Result<bool, String> {
    let [program, rest @ ..] = words else {
        return Err("costs takes: PROGRAM WORD…".into());
    };
    let text = |error: std::io::Error| error.to_string();
    let before = sys::program_costs().map_err(text)?;
    fs::write(SWITCH, "1").map_err(|error| format!("cannot switch the count on: {error}"))?;
    let status = Command::new(program).args(rest).stdout(Stdio::null()).status();
    fs::write(SWITCH, "0").map_err(|error| format!("cannot switch the count off: {error}"))?;
    for now in sys::program_costs().map_err(text)? {
        let then = before.iter().find(|c| c.id == now.id).map_or((0, 0), |c| (c.runs, c.nanoseconds));
        let runs = now.runs - then.0;
        if let Some(mean) = (now.nanoseconds - then.1).checked_div(runs) {
            println!("{} runs {runs} med {mean}", now.name);
        }
    }
    status.map(|status| status.success()).map_err(|error| format!("cannot run `{program}`: {error}"))
}

/// `crowd NUMBER PROGRAM WORD…`: runs a command while so many mount namespaces beside its own are there; each takes an open
/// file (`ulimit -n`).
pub fn crowd(words: &[String]) -> Result<bool, String> {
    let [number, program, rest @ ..] = words else {
        return Err("crowd takes: NUMBER PROGRAM WORD…".into());
    };
    let number: u64 = number.parse().map_err(|_| "`crowd` takes a number")?;
    let text = |error: std::io::Error| error.to_string();
    let own = fs::File::open(OWN_MOUNTS).map_err(text)?;
    let mut crowd = Vec::new();
    for _ in 0..number {
        sys::unshare(libc::CLONE_NEWNS).map_err(text)?;
        crowd.push(fs::File::open(OWN_MOUNTS).map_err(text)?);
    }
    privileges::enter(&own, libc::CLONE_NEWNS).map_err(text)?;
    let status = Command::new(program).args(rest).status();
    status.map(|status| status.success()).map_err(|error| format!("cannot run `{program}`: {error}"))
}

const OWN_MOUNTS: &str = "/proc/self/ns/mnt";
