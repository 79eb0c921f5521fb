//! `events`: records of the event ring in, JSON lines or text out, with an explicit record for those that found no
//! room. Reads the ring as its one consumer; never slows the kernel down.

use crate::error::{Error, Result};
use crate::loaded::{Found, MAX_STATE, find};
use crate::operations::{HOLD, Operations};
use crate::pins;
use crate::policy::map_name;
use crate::report::Teller;
use crate::sys::Kernel;
use ebsec_artifact::MapRole;
use ebsec_artifact::schema::Report;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// How `events` goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Wait for more.
    pub follow: bool,
    /// JSON lines.
    pub json: bool,
    /// Stop after so many.
    pub max: Option<u64>,
}

/// Records that are taken before they are written.
const BATCH: u64 = 1024;
/// Milliseconds between looks at the count of lost records.
const PATIENCE: i32 = 500;
/// How long `unload` may take to remove a policy's files.
const GRACE: Duration = Duration::from_millis(500);

/// Writes events until there are no more, enough, or nobody reads them.
pub fn events<K: Kernel>(kernel: &mut K, options: Options, out: &mut impl Write) -> Result<()> {
    let found = find(kernel)?;
    let artifact = found.artifact()?;
    let lock = Path::new(pins::STATE).join("events.lock");
    let _lock = kernel.try_lock(&lock).map_err(|_| {
        Error::refused("another `ebsec-load events` reads the ring", "end it first: two readers would take each other's events")
    })?;
    let events = found.map(kernel, map_name(&artifact.manifest, MapRole::Events)?)?;
    let mut ring = kernel.ring(events).map_err(|e| Error::system("opening the event ring", &e))?;
    let (wall, boot) = kernel.clocks();
    let mut teller = Teller::new(&artifact.manifest, wall.saturating_sub(boot), options.json);
    let mut operations = Operations::default();
    let told_before = kernel.read_file(&found.state.join(pins::LOST), 64).unwrap_or_default();
    let mut lost = String::from_utf8_lossy(&told_before).parse().unwrap_or(0);
    let (mut written, mut waited) = (0u64, false);
    loop {
        let records = ring.take(options.max.map_or(BATCH, |max| (max - written).min(BATCH)));
        let stats = found.stats(kernel, &artifact);
        let now = stats.as_ref().map_or(lost, |stats| stats.lost);
        let mut lines = Vec::new();
        if now > lost {
            lines.push(lost_line(now - lost, options.json));
            lost = now;
            // A policy may forbid it: then the next reader tells these again.
            let _ = kernel.write_file(&found.state.join(pins::LOST), lost.to_string().as_bytes());
        }
        written += records.len() as u64;
        let full = options.max.is_some_and(|max| written >= max);
        let idle = records.is_empty();
        for report in records.iter().filter_map(|record| Report::read(record)) {
            operations.add(report);
        }
        // What is not told yet may go on in reports that are still to come.
        let over = full || stats.is_err() || !options.follow && idle && (waited || operations.is_empty());
        let told = if over { operations.all() } else { operations.ripe(kernel.clocks().1) };
        for mut operation in told {
            lines.extend(teller.lines(&mut operation, |id| kernel.cgroup_path(id)));
            operations.told(operation);
        }
        for line in lines {
            // Nobody reads any more: that is an end, not an error.
            if writeln!(out, "{line}").is_err() {
                return Ok(());
            }
        }
        if out.flush().is_err() {
            return Ok(());
        }
        if let Err(error) = stats {
            return ended(kernel, &found, error);
        }
        if over {
            return Ok(());
        }
        if options.follow || idle {
            let patience = if operations.is_empty() { PATIENCE } else { HOLD };
            ring.wait(patience).map_err(|e| Error::system("waiting for events", &e))?;
        }
        waited = idle;
    }
}

/// What it means that the counters cannot be read any more: `unload` ends the reader, anything else is an error.
fn ended<K: Kernel>(kernel: &mut K, found: &Found, error: Error) -> Result<()> {
    // It takes the pins first, then what was to be remembered.
    kernel.pause(GRACE);
    let remembered = kernel.read_file(&found.state.join(pins::ATTACHED), MAX_STATE).is_ok();
    match pins::loaded(kernel)?.is_some_and(|dir| dir == found.pins) {
        true => Err(error),
        false if remembered => Err(Error::refused(
            format!("the pins of the policy are gone from `{}`, and `ebsec-load` did not remove them", found.pins.display()),
            "load the policy again; `ebsec-load status` tells what is in force",
        )),
        false => Ok(()),
    }
}

fn lost_line(count: u64, json: bool) -> String {
    if json { json!({"lost": count}).to_string() } else { format!("{count} lost: the event ring was full") }
}
