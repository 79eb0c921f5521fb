//! An operation's reports in, its lines out: one for each event whose rules were not named before. Every rule is named once
//! an operation, with the verdict that the operation had in the end, or would have had if its policy enforced.

use crate::operations::Operation;
use crate::policy::rule_name;
use crate::text::{clean, time, word};
use ebsec_artifact::schema::Report;
use ebsec_artifact::{Action, Manifest, Mode, Rule, Truth};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Bit of a report's length: the front of the path is cut off, or not known.
const CUT: u32 = 1 << 31;
const KILLED: u32 = 1 << 16;
/// Bits of a report's flags.
const IN_CONTAINER: u32 = 1;
const UNTOLD: u32 = 2;
/// Cgroups whose paths are remembered.
const CGROUPS: usize = 4096;

/// What lines are written with.
pub struct Teller<'a> {
    manifest: &'a Manifest,
    /// By rule of the manifest: the first that was written at the same place, for another event.
    written: Vec<u32>,
    /// Nanoseconds from boot to 1970.
    offset: u64,
    json: bool,
    cgroups: HashMap<u64, String>,
}

/// A line in the making.
struct Line<'a> {
    event: &'a str,
    rules: Vec<(u32, Truth)>,
    first: &'a Report,
    /// The first one that has an object.
    object: &'a Report,
    /// Other files of the operation that the same rules are about.
    also: Vec<&'a Report>,
}

impl<'a> Teller<'a> {
    /// For an artifact's reports.
    pub fn new(manifest: &'a Manifest, offset: u64, json: bool) -> Self {
        let place = |r: &'a Rule| (&r.policy, &r.label, &r.file, r.line, r.action);
        let rules = &manifest.rules;
        let first = |rule: &'a Rule| rules.iter().position(|r| place(r) == place(rule)).unwrap_or_default() as u32;
        Self { manifest, written: rules.iter().map(first).collect(), offset, json, cgroups: HashMap::new() }
    }

    /// The lines of an operation; it knows afterwards what was said.
    pub fn lines(&mut self, operation: &mut Operation, cgroup: impl Fn(u64) -> Option<String>) -> Vec<String> {
        let reports = std::mem::take(&mut operation.reports);
        let verdict = self.verdict(&reports);
        let refused = matches!(verdict, "refused" | "killed");
        if refused && !operation.refused {
            // what was told as allowed was not
            operation.said.clear();
        }
        let lines = self.gather(&reports, &mut operation.said);
        operation.refused |= refused;
        let out = lines.iter().map(|line| self.line(line, &reports, verdict, &cgroup)).collect();
        operation.reports = reports;
        out
    }

    /// Rules that were not named yet, by event.
    fn gather<'r>(&self, reports: &'r [Report], said: &mut Vec<u32>) -> Vec<Line<'r>>
    where
        'a: 'r,
    {
        let mut lines: Vec<Line<'r>> = Vec::new();
        for report in reports {
            let Some(outcome) = self.manifest.outcomes.get(report.outcome as usize) else { continue };
            let mut its_line = None;
            for rule in &outcome.rules {
                let written = |r: u32| self.written.get(r as usize).copied().unwrap_or(r);
                let this = written(rule.rule);
                let named = lines.iter().position(|l| l.rules.iter().any(|(r, _)| written(*r) == this));
                if let Some(at) = named {
                    its_line = its_line.or(Some(at));
                    // decided by one object is decided
                    if rule.truth == Truth::True
                        && let Some((_, truth)) = lines.get_mut(at).and_then(|l| l.rules.iter_mut().find(|(r, _)| written(*r) == this))
                    {
                        *truth = Truth::True;
                    }
                } else if !said.contains(&this) {
                    said.push(this);
                    let same = lines.iter().position(|l| l.event == outcome.event);
                    let at = same.unwrap_or(lines.len());
                    if same.is_none() {
                        lines.push(Line { event: &outcome.event, rules: Vec::new(), first: report, object: report, also: Vec::new() });
                    }
                    if let Some(line) = lines.get_mut(at) {
                        line.rules.push((rule.rule, rule.truth));
                    }
                    its_line = Some(at);
                }
            }
            if let Some(line) = its_line.and_then(|at| lines.get_mut(at)) {
                line.add(report);
            }
        }
        lines
    }

    /// What happened to the operation, or what enforcing policies would have made happen.
    fn verdict(&self, reports: &[Report]) -> &'static str {
        let all = |f: fn(&Report) -> bool| reports.iter().any(f);
        if all(|r| r.verdict & KILLED != 0) {
            return "killed";
        }
        if all(|r| r.verdict & 0xffff != 0) {
            return "refused";
        }
        let rules: Vec<_> = reports.iter().flat_map(|r| self.manifest.rules_of(r.outcome)).collect();
        would(&rules)
    }

    fn rule(&self, rule: u32) -> Option<&'a Rule> {
        self.manifest.rules.get(rule as usize)
    }

    fn cgroup(&mut self, id: u64, look: &impl Fn(u64) -> Option<String>) -> Option<String> {
        if let Some(known) = self.cgroups.get(&id) {
            return Some(known.clone());
        }
        let found = look(id)?;
        if self.cgroups.len() >= CGROUPS {
            self.cgroups.clear();
        }
        self.cgroups.insert(id, found.clone());
        Some(found)
    }

    fn line(&mut self, line: &Line<'_>, reports: &[Report], verdict: &str, cgroup: &impl Fn(u64) -> Option<String>) -> String {
        let cgroup = self.cgroup(line.first.cgroup, cgroup);
        let time = time(line.first.time.saturating_add(self.offset));
        if self.json { self.json(line, reports, &time, verdict, cgroup) } else { self.text(line, &time, verdict, cgroup) }
    }

    fn text(&self, line: &Line<'_>, time: &str, verdict: &str, cgroup: Option<String>) -> String {
        let (report, object) = (line.first, line.object);
        let mut out = format!("{time} {verdict:<12} {}", line.event);
        match object.kind {
            1 => out += &file(object),
            2 => out += &peer(object),
            _ => {}
        }
        if let Some(target) = path_word(&object.target, object.target_length) {
            out += &format!(" to {target}");
        }
        for other in &line.also {
            out += &format!(" and {}", path_word(&other.path, other.path_length).unwrap_or_default());
        }
        let exe = path_word(&report.exe, report.exe_length).or_else(|| report.comm.first().filter(|b| **b != 0).map(|_| comm_word(report)));
        out += &format!(" by {}[{}]", exe.unwrap_or_default(), report.tgid);
        if let Some(parent) = path_word(&report.parent_exe, report.parent_length) {
            out += &format!(" of {parent}[{}]", report.parent);
        }
        if report.flags & IN_CONTAINER != 0 {
            out += &format!(
                " in container {}",
                cgroup.map_or_else(|| format!("with mount namespace {}", report.mnt_ns), |c| word(c.as_bytes()))
            );
        }
        for (rule, truth) in &line.rules {
            let Some(rule) = self.rule(*rule) else { continue };
            let undecided = if *truth == Truth::Failed { " undecided" } else { "" };
            out += &format!(" ({} at {}:{}{undecided})", rule_name(rule), rule.file, rule.line);
        }
        out
    }

    fn json(&self, line: &Line<'_>, reports: &[Report], time: &str, verdict: &str, cgroup: Option<String>) -> String {
        let report = line.first;
        let errno = reports.iter().map(|r| r.verdict & 0xffff).find(|errno| *errno != 0).unwrap_or(0);
        let rule = |(rule, truth): &(u32, Truth)| {
            let rule = self.rule(*rule)?;
            Some(json!({"rule": rule_name(rule), "action": rule.action, "truth": truth, "mode": rule.mode, "severity": rule.severity,
                "attack": rule.attack, "because": rule.because, "file": rule.file, "line": rule.line}))
        };
        let mut value = Map::new();
        let mut put = |key: &str, what: Value| drop(value.insert(key.to_owned(), what));
        put("time", time.into());
        put("boot_ns", report.time.into());
        put("event", line.event.into());
        put("verdict", verdict.into());
        put("errno", errno.into());
        put("outcome", report.outcome.into());
        put("rules", line.rules.iter().filter_map(rule).collect());
        let exe = path(&report.exe, report.exe_length);
        let parent = (report.parent != 0).then(|| json!({"pid": report.parent, "exe": path(&report.parent_exe, report.parent_length)}));
        put(
            "process",
            json!({"pid": report.tgid, "thread": report.pid, "uid": report.uid, "gid": report.gid, "comm": comm(report), "exe": exe,
                "parent": parent, "container": report.flags & IN_CONTAINER != 0,
                "namespaces": {"mnt": report.mnt_ns, "pid": report.pid_ns, "user": report.user_ns},
                "cgroup": {"id": report.cgroup, "path": cgroup.map(|c| clean(c.as_bytes()))}}),
        );
        object(line, put);
        Value::Object(value).to_string()
    }
}

impl<'a> Line<'a> {
    /// A file of the operation beside the first one.
    fn add(&mut self, report: &'a Report) {
        if self.object.kind == 0 {
            self.object = report;
        }
        if report.kind != 1 || report.target_length != 0 {
            return;
        }
        let named = |r: &'a Report| kept(&r.path, r.path_length);
        let other = named(report);
        if other.is_some() && other != named(self.object) && !self.also.iter().any(|known| named(known) == other) {
            self.also.push(report);
        }
    }
}

/// What a line says of its object in JSON.
fn object(line: &Line<'_>, mut put: impl FnMut(&str, Value)) {
    let report = line.object;
    if report.flags & UNTOLD != 0 {
        put("undecided", true.into());
    }
    match report.kind {
        1 => {
            put("path", path(&report.path, report.path_length).into());
            if let Some(target) = path(&report.target, report.target_length) {
                put("target", target.into());
            }
            if !line.also.is_empty() {
                put("also", line.also.iter().filter_map(|other| path(&other.path, other.path_length)).collect());
            }
            if let Some(fs) = file_system(report) {
                let device = format!("{}:{}", report.major, report.minor);
                put("file", json!({"fs": fs, "device": device, "inode": (report.inode != 0).then_some(report.inode)}));
            }
        }
        2 => {
            put("addr", address(report).into());
            put("port", (report.port != u32::MAX).then_some(report.port).into());
        }
        _ => {}
    }
}

/// What policies that observe would have done.
fn would(rules: &[(&Rule, Truth)]) -> &'static str {
    let observed = || rules.iter().filter(|(r, _)| r.mode == Mode::Observe);
    // what cannot be decided is refused, and kills nobody
    if observed().any(|(r, truth)| r.action == Action::Kill && *truth == Truth::True) {
        return "would kill";
    }
    if observed().any(|(r, _)| r.action != Action::Audit) { "would refuse" } else { "allowed" }
}

/// The bytes at the end of `bytes` that hold a path, and whether its front is missing.
fn kept(bytes: &[u8], length: u32) -> Option<(&[u8], bool)> {
    let path = bytes.get(bytes.len().checked_sub((length & !CUT) as usize)?..)?;
    (!path.is_empty()).then_some((path, length & CUT != 0))
}

/// A path for machines.
fn path(bytes: &[u8], length: u32) -> Option<String> {
    kept(bytes, length).map(|(path, cut)| format!("{}{}", if cut { "…" } else { "" }, clean(path)))
}

/// The same as a word of a line for people.
fn path_word(bytes: &[u8], length: u32) -> Option<String> {
    kept(bytes, length).map(|(path, cut)| format!("{}{}", if cut { "…" } else { "" }, word(path)))
}

fn until_zero(bytes: &[u8]) -> String {
    clean(bytes.split(|b| *b == 0).next().unwrap_or_default())
}

fn comm(report: &Report) -> String {
    until_zero(&report.comm)
}

fn comm_word(report: &Report) -> String {
    word(report.comm.split(|b| *b == 0).next().unwrap_or_default())
}

fn file_system(report: &Report) -> Option<String> {
    let name = until_zero(&report.fs);
    (!name.is_empty()).then_some(name)
}

/// A file for people: its path; where the path is not whole, on which file system it is, and if there is none its number there.
fn file(report: &Report) -> String {
    let (name, whole) = (path_word(&report.path, report.path_length), report.path_length & CUT == 0);
    match (name, file_system(report)) {
        (Some(name), Some(fs)) if !whole => format!(" {fs} {}:{} {name}", report.major, report.minor),
        (Some(name), _) => format!(" {name}"),
        (None, Some(fs)) => format!(" {fs} {}:{} inode {}", report.major, report.minor, report.inode),
        (None, None) => String::new(),
    }
}

/// The other side of a socket; `None` where it cannot be told.
fn address(report: &Report) -> Option<String> {
    if report.addr == [0; 16] && report.flags & UNTOLD != 0 {
        return None;
    }
    let ip = std::net::Ipv6Addr::from(report.addr);
    Some(ip.to_ipv4_mapped().map_or_else(|| ip.to_string(), |v4| v4.to_string()))
}

fn peer(report: &Report) -> String {
    let port = if report.port == u32::MAX { String::new() } else { format!(" port {}", report.port) };
    format!(" {}{port}", address(report).unwrap_or_else(|| "unknown address".to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use ebsec_artifact::{Outcome, OutcomeRule};

    fn rule(action: Action, mode: Mode, label: &str, event: &str) -> Rule {
        let text = r#"{ "action": "deny", "attack": [], "because": "", "event": "", "file": "a.ebsec", "label": null, "line": 1, "mode": "observe", "policy": "p", "severity": "high" }"#;
        let (label, event) = (Some(label.to_owned()), event.to_owned());
        Rule { action, mode, label, event, ..serde_json::from_str(text).unwrap() }
    }

    /// Outcome 2 + i is rule i, true.
    fn manifest(rules: Vec<Rule>) -> Manifest {
        let outcome = |(i, r): (usize, &Rule)| Outcome {
            event: r.event.clone(),
            rules: vec![OutcomeRule { rule: i as u32, truth: Truth::True }],
            ..Outcome::default()
        };
        let none = [Outcome::default(), Outcome::default()];
        let outcomes = none.into_iter().chain(rules.iter().enumerate().map(outcome)).collect();
        Manifest { rules, outcomes, ..Manifest::default() }
    }

    fn at(outcome: u32, verdict: u32, object: &str) -> Report {
        let mut report = Report { outcome, verdict, kind: 1, operation: 1, path_length: object.len() as u32, ..Report::default() };
        let start = report.path.len() - object.len();
        report.path[start..].copy_from_slice(object.as_bytes());
        report
    }

    fn lines(manifest: &Manifest, reports: &[Report]) -> Vec<String> {
        let mut operation = Operation { reports: reports.to_vec(), ..Operation::default() };
        let lines = Teller::new(manifest, 0, false).lines(&mut operation, |_| None);
        lines.iter().map(|l| l.split_once(' ').unwrap().1.to_owned()).collect()
    }

    /// What observing says of a rule is what enforcing would do with it.
    #[test]
    fn observing_foretells_enforcing() {
        let said = |action, truth| would(&[(&rule(action, Mode::Observe, "a", "exec"), truth)]);
        assert_eq!(said(Action::Deny, Truth::True), "would refuse");
        assert_eq!(said(Action::Deny, Truth::Failed), "would refuse");
        assert_eq!(said(Action::Kill, Truth::True), "would kill");
        assert_eq!(said(Action::Kill, Truth::Failed), "would refuse");
        assert_eq!(said(Action::Audit, Truth::Failed), "allowed");
    }

    #[test]
    fn a_rule_is_named_once_an_operation() {
        let both = |event| rule(Action::Deny, Mode::Observe, "a", event);
        let manifest = manifest(vec![both("exec"), both("file.run"), rule(Action::Audit, Mode::Observe, "b", "file.run")]);
        let told = lines(&manifest, &[at(2, 0, "/x"), at(3, 0, "/x"), at(4, 0, "/x"), at(2, 0, "/y")]);
        let expected = ["would refuse exec /x and /y by [0] (p.a at a.ebsec:1)", "would refuse file.run /x by [0] (p.b at a.ebsec:1)"];
        assert_eq!(told, expected);
    }

    /// What was allowed first and refused in the end was refused.
    #[test]
    fn the_verdict_is_that_of_the_whole_operation() {
        let rules = vec![rule(Action::Audit, Mode::Enforce, "a", "file.write"), rule(Action::Deny, Mode::Enforce, "b", "file.write")];
        let manifest = manifest(rules);
        let told = lines(&manifest, &[at(2, 0, "/x"), at(3, 13, "/x")]);
        assert_eq!(told, ["refused      file.write /x by [0] (p.a at a.ebsec:1) (p.b at a.ebsec:1)"]);
    }

    /// Who names files cannot say more by it than a name.
    #[test]
    fn a_name_is_one_word() {
        let manifest = manifest(vec![rule(Action::Deny, Mode::Enforce, "a", "file.read")]);
        let told = lines(&manifest, &[at(2, 1, "/x by /usr/bin/su[1]"), at(2, 1, "/plain")]);
        assert_eq!(told, ["refused      file.read \"/x by /usr/bin/su[1]\" and /plain by [0] (p.a at a.ebsec:1)"]);
        let cut = Report { path_length: 20 | CUT, ..at(2, 1, "/x by /usr/bin/su[1]") };
        assert_eq!(lines(&manifest, &[cut]), ["refused      file.read …\"/x by /usr/bin/su[1]\" by [0] (p.a at a.ebsec:1)"]);
    }

    #[test]
    fn what_is_known_of_an_undecided_file_is_told_and_never_a_slash() {
        let manifest = manifest(vec![rule(Action::Deny, Mode::Enforce, "a", "file.read")]);
        let mut known = at(2, 1, "/etc/x");
        (known.flags, known.path_length, known.major, known.minor) = (UNTOLD, known.path_length | CUT, 8, 1);
        known.fs[..4].copy_from_slice(b"ext4");
        let nothing = Report { path_length: CUT, inode: 12, ..known };
        assert_eq!(lines(&manifest, &[known]), ["refused      file.read ext4 8:1 …/etc/x by [0] (p.a at a.ebsec:1)"]);
        assert_eq!(lines(&manifest, &[nothing]), ["refused      file.read ext4 8:1 inode 12 by [0] (p.a at a.ebsec:1)"]);
    }
}
