//! `events`: records of the event ring in, JSON lines or text out, with an explicit record for those that found no
//! room. Reads the ring as its one consumer; never slows the kernel down.

use crate::error::{Error, Result};
use crate::loaded::find;
use crate::pins;
use crate::policy::{map_name, rule_name};
use crate::sys::Kernel;
use crate::text::{clean, time};
use ebsec_artifact::schema::Report;
use ebsec_artifact::{Action, Manifest, MapRole, Mode, Rule, Truth};
use serde_json::{Map, Value, json};
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

/// Bit of a report's length: the front of the path is cut off.
const CUT: u32 = 1 << 31;
const KILLED: u32 = 1 << 16;
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
    let offset = wall.saturating_sub(boot);
    let (mut lost, mut written) = (0, 0u64);
    loop {
        let records = ring.take(options.max.map_or(BATCH, |max| (max - written).min(BATCH)));
        let now = found.stats(kernel, &artifact)?.lost;
        let mut lines = Vec::new();
        if now > lost {
            lines.push(lost_line(now - lost, options.json));
            lost = now;
        }
        for record in &records {
            let Some(report) = Report::read(record) else { continue };
            lines.push(line(&report, &artifact.manifest, offset, options.json));
        }
        written += records.len() as u64;
        for line in lines {
            // Nobody reads any more: that is an end, not an error.
            if writeln!(out, "{line}").is_err() {
                return Ok(());
            }
        }
        if out.flush().is_err() || !options.follow && records.is_empty() || options.max.is_some_and(|max| written >= max) {
            return Ok(());
        }
        if options.follow {
            ring.wait(PATIENCE).map_err(|e| Error::system("waiting for events", &e))?;
        }
    }
}

fn lost_line(count: u64, json: bool) -> String {
    if json { json!({"lost": count}).to_string() } else { format!("{count} lost: the event ring was full") }
}

/// The bytes at the end of `bytes` that hold a path, and whether its front is missing.
fn path(bytes: &[u8], length: u32) -> Option<String> {
    let kept = (length & !CUT) as usize;
    let path = bytes.get(bytes.len().checked_sub(kept)?..)?;
    match (path.is_empty(), length & CUT != 0) {
        (true, _) => None,
        (false, cut) => Some(format!("{}{}", if cut { "…" } else { "" }, clean(path))),
    }
}

fn address(bytes: [u8; 16]) -> String {
    let ip = std::net::Ipv6Addr::from(bytes);
    ip.to_ipv4_mapped().map_or_else(|| ip.to_string(), |v4| v4.to_string())
}

/// What happened, or what an enforcing policy would have made happen.
fn verdict(report: &Report, rules: &[(&Rule, Truth)]) -> &'static str {
    let observed = || rules.iter().filter(|(r, _)| r.mode == Mode::Observe);
    // what cannot be decided is refused, and kills nobody
    let kills = observed().any(|(r, truth)| r.action == Action::Kill && *truth == Truth::True);
    let refuses = observed().any(|(r, _)| r.action != Action::Audit);
    match (report.verdict & 0xffff, report.verdict & KILLED != 0) {
        (_, true) => "killed",
        (0, _) if kills => "would kill",
        (0, _) if refuses => "would refuse",
        (0, _) => "allowed",
        _ => "refused",
    }
}

/// One event as a line.
pub fn line(report: &Report, manifest: &Manifest, offset: u64, json: bool) -> String {
    let comm = report.comm.split(|b| *b == 0).next().unwrap_or_default();
    let exe = path(&report.exe, report.exe_length);
    let object = match report.kind {
        1 => path(&report.path, report.path_length).map(|p| ("path", p)),
        2 => Some(("addr", address(report.addr))),
        _ => None,
    };
    let rules: Vec<_> = manifest.rules_of(report.outcome).collect();
    let event = manifest.outcomes.get(report.outcome as usize).map_or("", |o| o.event.as_str());
    let verdict = verdict(report, &rules);
    let time = time(report.time.saturating_add(offset));
    if !json {
        let mut line = format!("{time} {verdict:<12} {event}");
        match (&object, report.kind) {
            (Some((_, object)), 2) => line += &format!(" {object} port {}", report.port),
            (Some((_, object)), _) => line += &format!(" {object}"),
            (None, _) => {}
        }
        line += &format!(" by {}[{}]", exe.unwrap_or_else(|| clean(comm)), report.tgid);
        for (rule, truth) in rules {
            let undecided = if truth == Truth::Failed { " undecided" } else { "" };
            line += &format!(" ({} at {}:{}{undecided})", rule_name(rule), rule.file, rule.line);
        }
        return line;
    }
    let rule = |(rule, truth): &(&Rule, Truth)| {
        json!({"rule": rule_name(rule), "action": rule.action, "truth": truth, "mode": rule.mode, "severity": rule.severity,
            "attack": rule.attack, "because": rule.because, "file": rule.file, "line": rule.line})
    };
    let mut value = Map::new();
    value.insert("time".to_owned(), time.into());
    value.insert("boot_ns".to_owned(), report.time.into());
    value.insert("event".to_owned(), event.into());
    value.insert("verdict".to_owned(), verdict.into());
    value.insert("errno".to_owned(), (report.verdict & 0xffff).into());
    value.insert("outcome".to_owned(), report.outcome.into());
    value.insert("rules".to_owned(), Value::Array(rules.iter().map(rule).collect()));
    let process = json!({"pid": report.tgid, "thread": report.pid, "uid": report.uid, "gid": report.gid, "comm": clean(comm), "exe": exe});
    value.insert("process".to_owned(), process);
    if let Some((key, object)) = object {
        value.insert(key.to_owned(), object.into());
        if report.kind == 2 {
            value.insert("port".to_owned(), report.port.into());
        }
    }
    Value::Object(value).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What observing says of a rule is what enforcing would do with it.
    #[test]
    fn observing_foretells_enforcing() {
        let rule = |action| -> Rule {
            let text = r#"{ "action": "deny", "attack": [], "because": "", "event": "exec", "file": "a.ebsec", "label": null, "line": 1, "mode": "observe", "policy": "p", "severity": "high" }"#;
            Rule { action, ..serde_json::from_str(text).unwrap() }
        };
        let report = Report::read(&[0; Report::SIZE]).unwrap();
        let said = |action, truth| verdict(&report, &[(&rule(action), truth)]);
        assert_eq!(said(Action::Deny, Truth::True), "would refuse");
        assert_eq!(said(Action::Deny, Truth::Failed), "would refuse");
        assert_eq!(said(Action::Kill, Truth::True), "would kill");
        assert_eq!(said(Action::Kill, Truth::Failed), "would refuse");
        assert_eq!(said(Action::Audit, Truth::Failed), "allowed");
    }
}
