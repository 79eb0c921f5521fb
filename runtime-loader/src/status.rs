//! `status`: what is loaded, read back from the kernel: the program behind each link by id and tag, the frozen tables'
//! contents, the control cell and the counters. Changes nothing.

use crate::error::Result;
use crate::loaded::{Found, find};
use crate::names;
use crate::pins;
use crate::policy::is_iterator;
use crate::sys::{Kernel, ProgInfo};
use crate::text;
use ebsec_artifact::schema::{Control, Stats};
use ebsec_artifact::{Artifact, MapRole, digest, hex};
use serde_json::{Value, json};

/// A hook of the policy.
#[derive(Debug)]
pub struct Hook {
    /// The program's name.
    pub program: String,
    /// The hook's name.
    pub hook: String,
    /// Whether it can refuse.
    pub enforcing: bool,
    /// What is attached now; absent if the link is gone.
    pub now: Option<ProgInfo>,
    /// Whether it is the program that was attached when the policy was loaded.
    pub intact: bool,
}

/// Everything `status` tells.
#[derive(Debug)]
pub struct Status {
    package: String,
    version: String,
    digest: String,
    since: u64,
    proved: bool,
    control: Option<Control>,
    hooks: Vec<Hook>,
    skipped: Vec<(String, String)>,
    /// Tables whose contents are those of the artifact, and all tables.
    tables: (usize, usize),
    records: u64,
    /// Events that a rule matched, by the counters; each gives one report, in the ring or lost.
    matched: u64,
    stats: Stats,
    /// What the policy's names are on this host now.
    names: names::Report,
}

/// Reads everything.
pub fn status<K: Kernel>(kernel: &mut K) -> Result<Status> {
    let found = find(kernel)?;
    let artifact = found.artifact()?;
    let manifest = &artifact.manifest;
    let remembered = |name: &str| found.attached.get("attached")?.as_array()?.iter().find(|a| word(a, "program") == name).cloned();
    let mut hooks = Vec::new();
    for program in manifest.programs.iter().filter(|p| !is_iterator(p)) {
        let Some(then) = remembered(&program.name) else { continue };
        let link = kernel.open_pin(&pins::link_pin(&found.pins, &program.name));
        let now = link.and_then(|link| kernel.link_prog(&link)).ok();
        let intact = now.as_ref().is_some_and(|now| word(&then, "tag") == now.tag);
        hooks.push(Hook { program: program.name.clone(), hook: program.hook.clone(), enforcing: program.enforcing, now, intact });
    }
    let skipped = found.attached.get("skipped").and_then(Value::as_array);
    let skipped = skipped.into_iter().flatten().map(|s| (word(s, "hook").to_owned(), word(s, "reason").to_owned())).collect();
    Ok(Status {
        package: manifest.package.clone(),
        version: manifest.version.clone(),
        digest: hex(&artifact.digest),
        since: found.attached.get("since").and_then(Value::as_u64).unwrap_or(0),
        proved: found.proved,
        control: found.control(kernel, &artifact)?,
        hooks,
        skipped,
        tables: tables(kernel, &found, &artifact),
        records: found.records(kernel, &artifact)?,
        // The counters first: what happens meanwhile is a report too many, never one that is missing.
        matched: matched(&found.data(kernel, &artifact, MapRole::Counters)?),
        stats: found.stats(kernel, &artifact)?,
        names: names::look(kernel, manifest, names::mounts(kernel)),
    })
}

/// The sum of the counters by outcome, without those of nothing and of the canary, which are not reported.
fn matched(counters: &[u8]) -> u64 {
    counters.as_chunks().0.iter().skip(2).map(|count| u64::from_le_bytes(*count)).sum()
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Compares the kernel's tables with the artifact.
fn tables<K: Kernel>(kernel: &mut K, found: &Found, artifact: &Artifact<'_>) -> (usize, usize) {
    let (mut same, mut all) = (0, 0);
    for (name, bytes) in artifact.sections().filter(|(name, bytes)| name.starts_with(b".rodata") && !bytes.is_empty()) {
        all += 1;
        let name = String::from_utf8_lossy(name);
        let mut now = vec![0; bytes.len()];
        let read = found.map(kernel, &name).is_ok_and(|map| kernel.map_lookup(&map, &0u32.to_le_bytes(), &mut now) == Ok(true));
        same += usize::from(read && digest(&now) == digest(bytes));
    }
    for table in &artifact.tables.tables {
        all += 1;
        let Ok(map) = found.map(kernel, table.name) else { continue };
        let mut now = vec![0; table.value_size as usize];
        let equal = table.entries().all(|(key, value)| kernel.map_lookup(&map, key, &mut now) == Ok(true) && now == value);
        same += usize::from(equal);
    }
    (same, all)
}

impl Status {
    /// `enforcing`, `observing`, or what is wrong.
    pub fn mode(&self) -> &'static str {
        let damaged = self.hooks.iter().any(|h| !h.intact) || self.tables.0 != self.tables.1;
        match self.control.map(|c| c.mode) {
            _ if damaged => "damaged",
            Some(0) | None => "dormant",
            Some(_) if !self.hooks.iter().any(|h| h.enforcing) => "observing",
            Some(_) if self.proved => "enforcing",
            Some(_) => "on, not proved",
        }
    }

    fn canary(&self) -> &'static str {
        match self.proved {
            _ if !self.hooks.iter().any(|h| h.enforcing) => "nothing to refuse: no hook enforces",
            true => "refused by every enforcing hook",
            false => "no proof on record",
        }
    }

    /// For `--json`.
    pub fn json(&self) -> Value {
        let hook = |h: &Hook| {
            json!({"hook": h.hook, "program": h.program, "enforcing": h.enforcing, "attached": h.now.is_some(), "intact": h.intact,
                "id": h.now.as_ref().map(|n| n.id), "tag": h.now.as_ref().map(|n| n.tag.clone())})
        };
        let skipped = |(hook, reason): &(String, String)| json!({"hook": hook, "reason": reason});
        let s = &self.stats;
        json!({
            "package": self.package, "version": self.version, "digest": self.digest,
            "since": text::time(self.since), "mode": self.mode(), "proved": self.proved,
            "lease": self.control.filter(|c| c.lease != u64::MAX).map(|c| c.lease),
            "hooks": self.hooks.iter().map(hook).collect::<Vec<_>>(),
            "skipped": self.skipped.iter().map(skipped).collect::<Vec<_>>(),
            "tables": {"intact": self.tables.0, "all": self.tables.1},
            "records": self.records, "seeded": s.seeded,
            "stats": {"matched": self.matched, "emitted": s.emitted, "lost": s.lost, "failed": s.failed,
                "missing": s.missing, "full": s.full},
            "names": self.names.json(),
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let s = &self.stats;
        let lease = self.control.map_or(0, |c| c.lease);
        let lease = if lease == u64::MAX { "endless".to_owned() } else { format!("ends {lease} ns after boot") };
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let mut rows = vec![
            row("policy", format!("{} {}", self.package, self.version)),
            row("digest", self.digest.clone()),
            row("since", text::time(self.since)),
            row("mode", self.mode().to_owned()),
            row("canary", self.canary().to_owned()),
            row("lease", lease),
            row("tables", format!("{} of {} are as in the artifact", self.tables.0, self.tables.1)),
            row("records", format!("{} processes and threads; {} were found when the policy was loaded", self.records, s.seeded)),
            row("events", format!("{} matched: {} emitted, {} lost", self.matched, s.emitted, s.lost)),
            row(
                "failures",
                format!(
                    "{} paths or addresses not computed, {} events without a record, {} forks refused for want of room",
                    s.failed, s.missing, s.full
                ),
            ),
        ];
        if self.names.looked_up > 0 {
            rows.push(row("names", self.names.summary()));
        }
        rows.retain(|r| r.get(1).is_some_and(|v| !v.is_empty()));
        let mut out = text::table(&rows, &[]);
        let mut rows = vec![["HOOK", "ENFORCING", "ID", "TAG", "STATE"].map(str::to_owned).to_vec()];
        for h in &self.hooks {
            let (id, tag) = h.now.as_ref().map_or((String::new(), String::new()), |n| (n.id.to_string(), n.tag.clone()));
            let state = match (&h.now, h.intact) {
                (None, _) => "detached",
                (_, true) => "attached",
                (_, false) => "another program",
            };
            rows.push(vec![h.hook.clone(), if h.enforcing { "yes" } else { "no" }.to_owned(), id, tag, state.to_owned()]);
        }
        for (hook, reason) in &self.skipped {
            rows.push(vec![hook.clone(), String::new(), String::new(), String::new(), format!("skipped: {reason}")]);
        }
        out.push('\n');
        out += &text::table(&rows, &[2]);
        out
    }
}
