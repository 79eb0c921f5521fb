//! `events`: records of the event ring in, JSON lines or text out, with an explicit record for those that found no
//! room. Reads the ring as its one consumer; never slows the kernel down.

use crate::error::{Error, Result};
use crate::loaded::find;
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
    let (mut lost, mut written, mut waited) = (0, 0u64, false);
    loop {
        let records = ring.take(options.max.map_or(BATCH, |max| (max - written).min(BATCH)));
        let now = found.stats(kernel, &artifact)?.lost;
        let mut lines = Vec::new();
        if now > lost {
            lines.push(lost_line(now - lost, options.json));
            lost = now;
        }
        written += records.len() as u64;
        let full = options.max.is_some_and(|max| written >= max);
        let idle = records.is_empty();
        for report in records.iter().filter_map(|record| Report::read(record)) {
            operations.add(report);
        }
        // What is not told yet may go on in reports that are still to come.
        let over = full || !options.follow && idle && (waited || operations.is_empty());
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
        if out.flush().is_err() || over {
            return Ok(());
        }
        if options.follow || idle {
            let patience = if operations.is_empty() { PATIENCE } else { HOLD };
            ring.wait(patience).map_err(|e| Error::system("waiting for events", &e))?;
        }
        waited = idle;
    }
}

fn lost_line(count: u64, json: bool) -> String {
    if json { json!({"lost": count}).to_string() } else { format!("{count} lost: the event ring was full") }
}
