//! Lints that are known already, from a file (`--baseline`) or from an earlier revision: they are taken out of what is
//! reported. Takes findings, compares them by their fingerprints, so that lines around them may come and go. Never takes out
//! an error of the language: what does not compile is always reported.

use crate::guest::Failure;
use crate::output;
use crate::package::shown;
use crate::report::Judged;
use ebsec_compiler::diag::fingerprint::Fingerprints;
use ebsec_compiler::diag::{Finding, codes};
use ebsec_compiler::source::Sources;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The version of the file's form.
const VERSION: u32 = 1;
/// Largest file that is read.
const MAX_BYTES: u64 = 64 << 20;

/// How often each fingerprint is known.
#[derive(Debug, Default)]
pub struct Known {
    /// From a file. Whoever can write it does not get past a lint that `--config` locks.
    listed: HashMap<String, usize>,
    /// From a revision.
    before: HashMap<String, usize>,
}

/// The file, made to be read in a review: an entry for each fingerprint.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    version: u32,
    findings: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    code: String,
    fingerprint: String,
    count: usize,
}

impl Known {
    /// Reads a file that [`write`] wrote.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let baseline = baseline(path)?;
        let mut known = Self::default();
        baseline.findings.into_iter().for_each(|entry| *known.listed.entry(entry.fingerprint).or_default() += entry.count);
        Ok(known)
    }

    /// Adds the lints among the findings of a package, whose files have their paths in the package.
    pub fn add(&mut self, findings: &[Finding], sources: &Sources) {
        let prints = fingerprints(findings, sources, "");
        prints.into_iter().flatten().for_each(|print| *self.before.entry(print).or_default() += 1);
    }

    /// Takes the known ones out; gives how many there were.
    pub fn take_out(&mut self, all: &mut [Judged]) -> usize {
        let mut taken = 0;
        for judged in all {
            let mut prints = fingerprints(&judged.findings, &judged.sources, &judged.root).into_iter();
            judged.findings.retain(|finding| {
                let Some(print) = prints.next().flatten() else { return true };
                let is_locked = judged.levels.is_locked(finding.code);
                let tables = [Some(&mut self.before), (!is_locked).then_some(&mut self.listed)];
                let count = tables.into_iter().flatten().filter_map(|table| table.get_mut(&print)).find(|count| **count > 0);
                let Some(count) = count else { return true };
                *count -= 1;
                taken += 1;
                false
            });
        }
        taken
    }
}

/// The fingerprint of each finding that is a lint, without its number: the n-th of equals is as good as any of them.
fn fingerprints(findings: &[Finding], sources: &Sources, root: &str) -> Vec<Option<String>> {
    let mut all = Fingerprints::default();
    let lint = |finding: &Finding| codes::page(finding.code).is_some_and(|page| page.configurable);
    let print = |finding: &Finding| {
        let print = lint(finding).then(|| all.of(0, finding, sources, root))?;
        Some(print.split(':').next().unwrap_or_default().to_owned())
    };
    findings.iter().map(print).collect()
}

/// Writes the lints among the findings; gives how many there are. A file that is something else is not written over.
pub fn write(path: &Path, all: &[Judged]) -> Result<usize, Failure> {
    if path.symlink_metadata().is_ok() {
        let help = "name another file, or remove this one";
        baseline(path).map_err(|_| Failure::new(format!("`{}` exists and is not a baseline", shown(path))).help(help))?;
    }
    let mut entries: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for judged in all {
        let prints = fingerprints(&judged.findings, &judged.sources, &judged.root);
        for (finding, print) in judged.findings.iter().zip(prints) {
            let Some(print) = print.filter(|_| !judged.levels.is_locked(finding.code)) else { continue };
            let file = judged.sources.get(judged.sources.place(finding.primary.loc).file).map_or("", |file| file.path.as_str());
            let file = file.strip_prefix(judged.root.as_str()).unwrap_or(file).to_owned();
            *entries.entry((file, finding.code.to_owned(), print)).or_default() += 1;
        }
    }
    let sum = entries.values().sum();
    let findings = entries.into_iter().map(|((file, code, fingerprint), count)| Entry { file, code, fingerprint, count }).collect();
    let mut text = serde_json::to_string_pretty(&Baseline { version: VERSION, findings })
        .map_err(|e| Failure::new(format!("cannot write `{}`: {e}", shown(path))))?;
    text.push('\n');
    output::file(path, text.as_bytes())?;
    Ok(sum)
}

fn baseline(path: &Path) -> Result<Baseline, Failure> {
    let failed = |e: std::io::Error| Failure::io("read", path, &e);
    let found = path.metadata().map_err(|e| failed(e).help("`--write-baseline` makes it"))?;
    if !found.is_file() {
        return Err(Failure::new(format!("`{}` is not a regular file", shown(path))));
    }
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)).map_err(failed)?;
    let help = "`--write-baseline` writes it again";
    let wrong = |why: String| Failure::new(format!("`{}` is not a baseline: {why}", shown(path))).help(help);
    let baseline: Baseline = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    match baseline.version {
        VERSION => Ok(baseline),
        other => Err(wrong(format!("its version is {other}, and this ebsec knows {VERSION}"))),
    }
}
