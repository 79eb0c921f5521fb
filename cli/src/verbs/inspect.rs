//! `ebsec inspect`: takes an artifact's file, prints what its policies say (`policies`), then what it is, does and was
//! checked for. Never loads it, and reads nothing behind a wrong digest.

mod policies;

use super::{Form, no_artifact, told};
use crate::guest::Failure;
use crate::output;
use ebsec_artifact::{Artifact, Manifest, MapRole, Mode, Policies, Rule, Truth, hex, open};
use ebsec_compiler::diag::text;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rows of a table that are printed unless all are asked for.
const ROWS: usize = 40;

#[derive(clap::Args)]
pub struct Arguments {
    /// The artifact, `NAME.bpf.o`.
    file: PathBuf,
    /// Print every row of long tables.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: Form,
}

/// Prints the contents; status 1 if the file is no artifact of this version.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let file = &arguments.file;
    let bytes = std::fs::read(file).map_err(|e| told(Failure::io("read", file, &e), arguments.form.json()))?;
    let opened = open(&bytes).and_then(|artifact| Ok((artifact.policies()?, artifact)));
    let (policies, artifact) = match opened {
        Ok(opened) => opened,
        Err(error) => return Ok(no_artifact(file, &error, arguments.form.json())),
    };
    let text = match arguments.form.json() {
        true => text::json(&document(&artifact, policies.as_ref())),
        false => describe(&artifact, policies.as_ref(), arguments.all, output::width()),
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The JSON document: the manifest and what the policies say as they are, and what is outside of them.
fn document(artifact: &Artifact<'_>, policies: Option<&Policies>) -> Value {
    let sections = artifact.sections().filter(|(name, _)| !name.is_empty());
    let sections: Vec<Value> =
        sections.map(|(name, bytes)| json!({ "name": String::from_utf8_lossy(name), "bytes": bytes.len() })).collect();
    let tables = artifact.tables.tables.iter();
    let tables: Vec<Value> =
        tables.map(|t| json!({ "map": t.name, "entries": t.count(), "key_size": t.key_size, "value_size": t.value_size })).collect();
    json!({
        "digest": hex(&artifact.digest),
        "bytes": artifact.bytes.len(),
        "manifest": artifact.manifest,
        "policies": policies,
        "sections": sections,
        "tables": tables,
    })
}

/// The text for people: what is let through and refused first, the compiler's figures after.
fn describe(artifact: &Artifact<'_>, policies: Option<&Policies>, all: bool, width: usize) -> String {
    let m = &artifact.manifest;
    let mut out = String::new();
    let _ = writeln!(out, "{}", text::line(&format!("{} {}", m.package, m.version)));
    match policies {
        Some(policies) => policies::describe(&mut out, policies, m, all, width),
        None => out.push_str("  it does not hold the conditions of its rules: build it again to see them\n"),
    }
    out.push_str("\nartifact\n");
    let facts = [
        ("digest", format!("sha256:{}", hex(&artifact.digest))),
        ("size", format!("{} bytes", artifact.bytes.len())),
        ("compiled by", format!("{} (artifact format {})", m.compiler, m.format)),
        ("kernels", if m.kernels.is_empty() { "any".to_owned() } else { m.kernels.join(", ") }),
        ("layouts", m.schema.chars().take(16).collect()),
        ("path classes", format!("{}, {} of 256 lineage bits", m.path_classes, m.line_bits)),
        ("path states", m.budget.path_states.to_string()),
        ("names", format!("{} for the loader to look up, in {} sets", m.names.len(), m.name_sets.len())),
        ("memory", format!("{} bytes of tables, {} bytes of maps when full", m.budget.table_bytes, m.budget.map_bytes)),
        ("tests", format!("{} passed, {} failed", m.tests.passed, m.tests.failed)),
    ];
    for (name, value) in facts {
        let _ = writeln!(out, "  {name:<14}{}", text::line(&value));
    }
    let mut figures = String::new();
    for (title, head, body) in tables(artifact, policies.is_none()) {
        table(&mut figures, title, &head, &body, if all { usize::MAX } else { ROWS });
    }
    out + &output::wrapped(&figures, width)
}

/// The title of the table of kernels.
const VERIFIED: &str = "verified on";

type TableText = (&'static str, Vec<&'static str>, Vec<Vec<String>>);

/// Rules have a table of their own where their policies were not told.
fn tables(artifact: &Artifact<'_>, with_rules: bool) -> Vec<TableText> {
    let m = &artifact.manifest;
    let sources = m.sources.iter().map(|s| vec![s.path.clone(), s.sha256.chars().take(16).collect()]).collect();
    let rules =
        || ("rules", vec!["rule", "event", "action", "mode", "severity", "attack", "place", "because"], m.rules.iter().map(rule).collect());
    let rules: Vec<TableText> = with_rules.then(rules).into_iter().collect();
    let figures = vec![
        ("sources", vec!["file", "sha256"], sources),
        ("programs", vec!["program", "hook", "since", "may refuse", "instructions", "stack", "estimate"], programs(m)),
        ("maps", vec!["map", "part", "size", "frozen", "filled with", "digest"], maps(artifact)),
        ("outcomes", vec!["outcome", "event", "verdict", "rules"], outcomes(m)),
        (VERIFIED, vec!["kernel", "release", "program", "verified", "instructions"], verified(m)),
    ];
    rules.into_iter().chain(figures).collect()
}

fn programs(m: &Manifest) -> Vec<Vec<String>> {
    let row = |p: &ebsec_artifact::ManifestProgram| {
        let budget = m.budget.programs.iter().find(|b| b.name == p.name);
        let number = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
        vec![
            p.name.clone(),
            p.section.clone(),
            p.first_kernel.clone(),
            yes(p.enforcing),
            number(budget.map(|b| b.instructions)),
            number(budget.map(|b| u64::from(b.stack)).filter(|bytes| *bytes > 0)),
            number(budget.and_then(|b| b.verified)),
        ]
    };
    m.programs.iter().map(row).collect()
}

fn maps(artifact: &Artifact<'_>) -> Vec<Vec<String>> {
    let row = |map: &ebsec_artifact::ManifestMap| {
        let filled = match (artifact.tables.get(&map.name), artifact.section(&map.name)) {
            (Some(table), _) => format!("{} entries", table.count()),
            (None, Some(bytes)) => format!("{} bytes", bytes.len()),
            (None, None) => "-".to_owned(),
        };
        let digest = map.digest.as_ref().map_or_else(|| "-".to_owned(), |d| d.chars().take(16).collect());
        let role = format!("{:?}", map.role).to_lowercase();
        // A ring buffer has no entries of one size.
        let unit = match (map.role, map.max_entries) {
            (MapRole::Events, _) => "bytes",
            (_, 1) => "entry",
            _ => "entries",
        };
        vec![map.name.clone(), role, format!("{} {unit}", map.max_entries), yes(map.frozen), filled, digest]
    };
    artifact.manifest.maps.iter().map(row).collect()
}

fn name(rule: &Rule) -> String {
    match &rule.label {
        Some(label) => format!("{}.{label}", rule.policy),
        None => format!("{} default", rule.policy),
    }
}

fn rule(rule: &Rule) -> Vec<String> {
    vec![
        name(rule),
        rule.event.clone(),
        format!("{:?}", rule.action).to_lowercase(),
        if rule.mode == Mode::Enforce { "enforce" } else { "observe" }.to_owned(),
        format!("{:?}", rule.severity).to_lowercase(),
        rule.attack.join(" "),
        format!("{}:{}", rule.file, rule.line),
        rule.because.clone(),
    ]
}

fn outcomes(m: &Manifest) -> Vec<Vec<String>> {
    let row = |o: &ebsec_artifact::Outcome| {
        let verdict = match (o.kill, o.errno) {
            (true, errno) => format!("kill, {}", errno_name(errno)),
            (false, 0) => "allow".to_owned(),
            (false, errno) => errno_name(errno),
        };
        let undecided = |truth| if truth == Truth::Failed { " (undecided)" } else { "" };
        let rules: Vec<String> = m.rules_of(o.id).map(|(rule, truth)| format!("{}{}", name(rule), undecided(truth))).collect();
        vec![o.id.to_string(), o.event.clone(), verdict, rules.join(", ")]
    };
    // The first two are in every artifact: nothing, and the canary.
    m.outcomes.iter().skip(2).map(row).collect()
}

fn verified(m: &Manifest) -> Vec<Vec<String>> {
    let of_kernel = |k: &ebsec_artifact::VerifiedKernel| -> Vec<Vec<String>> {
        let row = |p: &ebsec_artifact::VerifiedProgram| {
            vec![k.series.clone(), k.release.clone(), p.name.clone(), p.verified.to_string(), p.instructions.to_string()]
        };
        k.programs.iter().map(row).collect()
    };
    m.verified.iter().flat_map(of_kernel).collect()
}

fn errno_name(errno: u16) -> String {
    let known = [(1, "EPERM"), (2, "ENOENT"), (5, "EIO"), (11, "EAGAIN"), (13, "EACCES"), (22, "EINVAL"), (30, "EROFS"), (38, "ENOSYS")];
    known.iter().find(|(n, _)| *n == errno).map_or_else(|| format!("errno {errno}"), |(_, name)| (*name).to_owned())
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// Columns are at most so wide: a longer cell moves what follows it in its own row alone.
const WIDEST: usize = 240;

fn table(out: &mut String, title: &str, head: &[&str], body: &[Vec<String>], rows: usize) {
    if body.is_empty() {
        let none = if title == VERIFIED { "no kernel yet; `ebsec verify --record` does it" } else { "none" };
        let _ = writeln!(out, "\n{title}: {none}");
        return;
    }
    let _ = writeln!(out, "\n{title}: {}", body.len());
    // What an artifact says is as foreign as what a policy says.
    let cells = |row: &Vec<String>| row.iter().map(|cell| text::line(cell).into_owned()).collect();
    let shown: Vec<Vec<String>> = body.iter().take(rows).map(cells).collect();
    let width = |column: usize| {
        let cells = shown.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|h| h.len())).max().unwrap_or(0).min(WIDEST)
    };
    // A column that says nothing of any row has no width and is left out.
    let says = |column: &usize| body.iter().filter_map(|row| row.get(*column)).any(|cell| !matches!(cell.as_str(), "" | "-"));
    let widths: Vec<Option<usize>> = (0..head.len()).map(|column| Some(column).filter(says).map(width)).collect();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let kept = cells.zip(&widths).filter_map(|(cell, width)| Some((cell, (*width)?)));
        let padded: Vec<String> = kept.map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(out, "  {}", padded.join("  ").trim_end());
    };
    line(&mut head.iter().copied());
    for row in &shown {
        line(&mut row.iter().map(String::as_str));
    }
    if shown.len() < body.len() {
        let _ = writeln!(out, "  … {} more (`--all` prints them)", body.len() - shown.len());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_cut_and_harmless() {
        let mut out = String::new();
        let body = vec![vec!["a\u{1b}[2J".to_owned(), "x".to_owned()], vec!["bb".to_owned(), String::new()], vec![]];
        table(&mut out, "things", &["name", "of"], &body, 2);
        assert_eq!(out, "\nthings: 3\n  name        of\n  a\\u{1b}[2J  x\n  bb\n  … 1 more (`--all` prints them)\n");
    }

    #[test]
    fn columns_that_say_nothing_are_left_out() {
        let mut out = String::new();
        let row = |name: &str, size: &str| vec![name.to_owned(), "-".to_owned(), size.to_owned(), String::new()];
        table(&mut out, "things", &["name", "stack", "size", "why"], &[row("a", "-"), row("b", "2")], 9);
        assert_eq!(out, "\nthings: 2\n  name  size\n  a     -\n  b     2\n");
    }

    #[test]
    fn a_cell_longer_than_any_column_is_shown() {
        let mut out = String::new();
        let row = |name: &str, of: &str| vec![name.to_owned(), of.to_owned()];
        let long = "x".repeat(70_000);
        table(&mut out, "things", &["name", "of"], &[row(&long, "y"), row("a", "b")], 9);
        assert!(out.ends_with(&format!("\n  {long}  y\n  {:<240}  b\n", "a")), "{}", out.len());
    }

    #[test]
    fn verdicts_are_named() {
        let mut m = Manifest::default();
        let outcome = |id, errno, kill| ebsec_artifact::Outcome { errno, event: "file.read".into(), id, kill, rules: vec![] };
        m.outcomes = vec![outcome(0, 0, false), outcome(1, 0, false), outcome(2, 13, false), outcome(3, 1, true), outcome(4, 77, false)];
        let verdicts: Vec<String> = outcomes(&m).into_iter().map(|row| row.into_iter().nth(2).unwrap()).collect();
        assert_eq!(verdicts, ["EACCES", "kill, EPERM", "errno 77"]);
    }
}
