//! `rules`: the kernel's counters by outcome, added up by rule. Counting does not depend on the event ring.

use crate::error::Result;
use crate::loaded::find;
use crate::policy::rule_name;
use crate::sys::Kernel;
use crate::text;
use ebsec_artifact::{Manifest, MapRole, Truth};
use serde_json::{Value, json};

/// How often a rule mattered since the policy was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Its condition was true.
    pub matched: u64,
    /// Its condition could not be decided.
    pub undecided: u64,
    /// Events with one of the two that were refused, by this rule or another.
    pub refused: u64,
}

/// Reads the counters; the manifest's rules in their order.
pub fn rules<K: Kernel>(kernel: &mut K, json: bool) -> Result<String> {
    let found = find(kernel)?;
    let artifact = found.artifact()?;
    let bytes = found.data(kernel, &artifact, MapRole::Counters)?;
    let counters: Vec<u64> = bytes.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
    let counts = add_up(&artifact.manifest, &counters);
    Ok(if json { format!("{}\n", as_json(&artifact.manifest, &counts)) } else { as_text(&artifact.manifest, &counts) })
}

/// One counter by outcome in, one count by rule out.
pub fn add_up(manifest: &Manifest, counters: &[u64]) -> Vec<Count> {
    let mut counts = vec![Count::default(); manifest.rules.len()];
    for (outcome, counter) in manifest.outcomes.iter().zip(counters) {
        for by in &outcome.rules {
            let Some(count) = counts.get_mut(by.rule as usize) else { continue };
            match by.truth {
                Truth::True => count.matched += counter,
                Truth::Failed => count.undecided += counter,
            }
            if outcome.errno != 0 || outcome.kill {
                count.refused += counter;
            }
        }
    }
    counts
}

fn as_json(manifest: &Manifest, counts: &[Count]) -> Value {
    let rule = |(rule, count): (&ebsec_artifact::Rule, &Count)| {
        json!({"rule": rule_name(rule), "action": rule.action, "mode": rule.mode, "event": rule.event, "file": rule.file,
            "line": rule.line, "matched": count.matched, "undecided": count.undecided, "refused": count.refused})
    };
    manifest.rules.iter().zip(counts).map(rule).collect()
}

fn as_text(manifest: &Manifest, counts: &[Count]) -> String {
    let mut rows = vec![["RULE", "ACTION", "MODE", "EVENT", "MATCHED", "UNDECIDED", "REFUSED", "AT"].map(str::to_owned).to_vec()];
    for (rule, count) in manifest.rules.iter().zip(counts) {
        let [action, mode] = [json!(rule.action), json!(rule.mode)].map(|v| v.as_str().unwrap_or_default().to_owned());
        let numbers = [count.matched, count.undecided, count.refused].map(|n| n.to_string());
        rows.push([&[rule_name(rule), action, mode, rule.event.clone()][..], &numbers, &[format!("{}:{}", rule.file, rule.line)]].concat());
    }
    text::table(&rows, &[4, 5, 6])
}
