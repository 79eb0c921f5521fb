//! Random policies and random operations: the verdict of the reference interpreter and that of the emitted programs must
//! be the same, always. Takes a seed and numbers, gives what disagreed and what was covered. Same seed, same pairs.

pub mod operation;
mod paths;
pub mod policy;
pub mod random;
#[cfg(test)]
mod tests;

use super::judge::{Judge, Layout, Past, Scenery, Stage, Trouble};
use super::vm::Flavour;
use crate::diag::render;
use crate::hir::eval::{Index, Truth, Verdict, elementary_events, eval, eval_by};
use crate::hir::{Action, Operation, Package, PathValue, Program};
use crate::pipeline::{self, Built, Input};
use crate::source::Sources;
use ebsec_templates::catalog;
use policy::Draft;
use random::Random;
use std::collections::BTreeMap;
use std::fmt;

/// How much to try.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The first policy's seed; the others follow.
    pub seed: u64,
    /// Pairs of a policy and an operation.
    pub pairs: usize,
    /// Operations for each policy.
    pub operations: usize,
    /// Stop after so many disagreements.
    pub most: usize,
}

/// A pair on which the judges differ.
#[derive(Clone, Debug)]
pub struct Disagreement {
    /// The policy's seed.
    pub seed: u64,
    /// The policy's text, made smaller.
    pub policy: String,
    /// The operation.
    pub operation: Operation,
    /// How it was laid out.
    pub layout: Layout,
    /// The interpreter's verdict on the text.
    pub interpreter: Verdict,
    /// The programs' verdict, or why there is none.
    pub bytecode: Result<Verdict, Trouble>,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = &catalog()[self.operation.hook].name;
        writeln!(f, "the judges differ on `{hook}` (policy of seed {}):", self.seed)?;
        writeln!(f, "{}", self.policy.trim_end())?;
        writeln!(f, "{}", show(&self.operation))?;
        writeln!(f, "  laid out as: {:?}", self.layout)?;
        writeln!(f, "  interpreter: {}", say(&self.interpreter))?;
        match &self.bytecode {
            Ok(verdict) => write!(f, "  bytecode:    {}", say(verdict)),
            Err(trouble) => write!(f, "  bytecode:    {trouble:?}"),
        }
    }
}

/// An operation in a few lines.
#[must_use]
pub fn show(operation: &Operation) -> String {
    let path = |p: &PathValue| match p {
        PathValue::Absent => "absent".to_owned(),
        PathValue::Failed => "failed".to_owned(),
        PathValue::Known(bytes) => format!("\"{}\"", String::from_utf8_lossy(bytes)),
    };
    let program = |p: &Program| format!("{}{}", path(&p.path), if p.trusted { "" } else { " untrusted" });
    let s = &operation.subject;
    let line: Vec<String> = s.lineage.iter().map(program).collect();
    let mut out = format!("  process:     exe {}, parent {}, line [{}]\n", program(&s.exe), program(&s.parent), line.join(", "));
    let comm = String::from_utf8_lossy(&s.comm);
    out.push_str(&format!("               comm \"{comm}\", uid {}, gid {}, euid {}, container {}\n", s.uid, s.gid, s.euid, s.container));
    for object in &operation.objects {
        let text = object.as_ref().map_or_else(
            || "takes no part".to_owned(),
            |o| {
                let list = |paths: &[PathValue]| paths.iter().map(path).collect::<Vec<_>>().join(", ");
                let (others, hosts) = (list(&o.other_paths), list(&o.host_paths));
                let deleted = if o.deleted { " deleted" } else { "" };
                format!("{}{deleted}, also [{others}], host [{hosts}], {:?}, {:?}", path(&o.path), o.file, o.remote)
            },
        );
        out.push_str(&format!("  object:      {text}\n"));
    }
    let values: Vec<String> = operation.values.iter().map(|(id, v)| format!("{} = {v}", catalog()[*id].name)).collect();
    out.push_str(&format!("  facts:       {:?}, {}", operation.facts, values.join(", ")));
    out
}

/// A verdict in one line.
#[must_use]
pub fn say(verdict: &Verdict) -> String {
    let mut out = match (verdict.refused, verdict.killed) {
        (None, false) => "allowed".to_owned(),
        (None, true) => "killed and not refused".to_owned(),
        (Some(errno), false) => format!("refused with {errno}"),
        (Some(errno), true) => format!("refused with {errno} and killed"),
    };
    for m in &verdict.matched {
        let failed = if m.truth == Truth::Failed { " (failed)" } else { "" };
        out.push_str(&format!(", {} rule {} of policy {}{failed}", catalog()[m.event].name, m.rule, m.policy));
    }
    out
}

/// Numbers of operations by what happened to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Operations that raised the event.
    pub raised: usize,
    /// A rule of the event refused.
    pub refused: usize,
    /// A rule of the event killed.
    pub killed: usize,
    /// An audit rule of the event matched.
    pub audited: usize,
    /// A rule of the event could not be decided.
    pub failed: usize,
}

/// What was tried and what came out.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Policies built.
    pub policies: usize,
    /// Texts that the check refused, with its first finding.
    pub refused_texts: Vec<String>,
    /// Policies over a budget.
    pub over_budget: usize,
    /// Pairs judged by both.
    pub pairs: usize,
    /// Operations whose process was laid out by real exec, fork or seeding programs.
    pub executed: usize,
    /// By event name.
    pub events: BTreeMap<String, Tally>,
    /// Pairs on which the judges differ.
    pub disagreements: Vec<Disagreement>,
}

/// Mounts and binds of every random world.
#[must_use]
pub fn scenery() -> Scenery {
    let text = |s: &str| s.to_owned();
    Scenery {
        mounts: vec![text("/srv"), text("/srv/data/b"), text("/etc/conf.d")],
        binds: vec![(text("/opt/real"), text("/a/shown")), (text("/bin/sub"), text("/data/q/shown"))],
        taken: vec![(text(""), text("/loot"))],
    }
}

/// Changes a built package before its artifact is judged: for tests that plant faults.
pub type Change<'c> = &'c dyn Fn(&Package, &Sources, Built, &mut Random) -> Option<Built>;

/// Runs pairs until there are enough or too many disagree.
///
/// # Errors
/// The emulated kernel or an artifact cannot be made at all.
pub fn run(options: &Options, change: Option<Change<'_>>) -> Result<Found, String> {
    let mut found = Found::default();
    let mut stages = Vec::new();
    for (seed, flavour) in (5..).zip(Flavour::ALL) {
        stages.push(Stage::new(flavour, seed, scenery())?);
    }
    let mut seed = options.seed;
    while found.pairs < options.pairs && found.disagreements.len() < options.most {
        let Some(stage) = stages.get(seed as usize % stages.len()) else { break };
        one_policy(options, seed, stage, change, &mut found)?;
        seed += 1;
    }
    Ok(found)
}

/// A difference of random sets may be empty; the check says so, and is right.
const EMPTY: &str = "nothing is left in this set";

/// A text as a package; the first finding if it is refused.
fn check(text: &str) -> Result<(Package, Sources), String> {
    let mut sources = Sources::default();
    sources.add("random.ebsec", text);
    let config = Some(sources.add("ebsec.toml", "[package]\nname = \"random\"\nkernels = [\"6.18\"]\n"));
    let checked = pipeline::check(Input { sources, config, ..Input::default() });
    checked.package.map(|p| (p, checked.sources.clone())).ok_or_else(|| render::pretty(&checked.diagnostics, &checked.sources, false))
}

fn one_policy(options: &Options, seed: u64, stage: &Stage, change: Option<Change<'_>>, found: &mut Found) -> Result<(), String> {
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let draft = policy::draft(&mut random);
    // What is skipped counts as a pair, so that skipping alone comes to an end.
    let (package, sources) = match check(&draft.text()) {
        Ok(checked) => checked,
        Err(finding) => {
            found.pairs += 1;
            if finding.contains(EMPTY) {
                return Ok(());
            }
            found.refused_texts.push(format!("{}\n{finding}", draft.text()));
            return Ok(());
        }
    };
    let Ok(built) = pipeline::build(&package, &sources, ebsec_artifact::Tests::default()) else {
        found.over_budget += 1;
        found.pairs += 1;
        return Ok(());
    };
    let built = match change {
        Some(change) => match change(&package, &sources, built, &mut random) {
            Some(changed) => changed,
            None => {
                found.pairs += 1;
                return Ok(());
            }
        },
        None => built,
    };
    let mut judge = match Judge::new(stage, &built.artifact, &built.plan, &package) {
        Ok(judge) => judge,
        // A planted fault may be one that no kernel would load.
        Err(_) if change.is_some() => {
            found.pairs += 1;
            return Ok(());
        }
        Err(message) => return Err(format!("{message}\n{}", draft.text())),
    };
    found.policies += 1;
    let scenery = scenery();
    let index = Index::new(&package);
    for _ in 0..options.operations {
        if found.pairs >= options.pairs || found.disagreements.len() >= options.most {
            break;
        }
        let (operation, layout) = operation::operation(&mut random, &draft.hints, &scenery);
        let interpreter = eval(&package, catalog(), &operation);
        if eval_by(&index, &package, catalog(), &operation) != interpreter {
            return Err(format!("the index of rules leaves out one that matches {operation:?}\n{}", draft.text()));
        }
        let bytecode = judge.run(&operation, layout);
        found.pairs += 1;
        found.executed += usize::from(matches!(layout.past, Past::Hooks | Past::Seeded));
        found.count(&package, &operation, &interpreter);
        if bytecode.as_ref() != Ok(&interpreter) {
            let differs = Disagreement { seed, policy: draft.text(), operation, layout, interpreter, bytecode };
            found.disagreements.push(if change.is_none() { minimise(&draft, stage, differs) } else { differs });
        }
    }
    Ok(())
}

impl Found {
    fn count(&mut self, package: &Package, operation: &Operation, verdict: &Verdict) {
        let mut raised: Vec<_> = elementary_events(catalog(), operation).into_iter().map(|(e, _)| e).collect();
        raised.sort_unstable();
        raised.dedup();
        for event in raised {
            let tally = self.events.entry(catalog()[event].name.clone()).or_default();
            tally.raised += 1;
            let mine = || verdict.matched.iter().filter(move |m| m.event == event);
            let action = |m: &crate::hir::eval::Match| package.policies.get(m.policy).and_then(|p| p.rules.get(m.rule)).map(|r| r.action);
            tally.refused += usize::from(mine().any(|m| crate::hir::eval::refuses(package, m)));
            tally.killed += usize::from(mine().any(|m| crate::hir::eval::kills(package, m)));
            tally.audited += usize::from(mine().any(|m| action(m) == Some(Action::Audit)));
            tally.failed += usize::from(mine().any(|m| m.truth == Truth::Failed));
        }
    }

    /// One line an event.
    #[must_use]
    pub fn coverage(&self) -> String {
        let mut out = String::new();
        for (event, t) in &self.events {
            let line = format!(
                "{event:26} raised {:7}  refused {:6}  killed {:6}  audited {:6}  failed {:6}\n",
                t.raised, t.refused, t.killed, t.audited, t.failed
            );
            out.push_str(&line);
        }
        out
    }
}

/// Takes parts of the policy away as long as the judges still differ on the operation, on a fresh machine.
fn minimise(draft: &Draft, stage: &Stage, whole: Disagreement) -> Disagreement {
    let mut best = whole;
    let mut draft = draft.clone();
    'again: for _ in 0..20 {
        for smaller in draft.smaller() {
            if let Some(differs) = still_differs(&smaller, stage, &best) {
                (best, draft) = (differs, smaller);
                continue 'again;
            }
        }
        break;
    }
    best
}

fn still_differs(draft: &Draft, stage: &Stage, known: &Disagreement) -> Option<Disagreement> {
    let (package, sources) = check(&draft.text()).ok()?;
    let built = pipeline::build(&package, &sources, ebsec_artifact::Tests::default()).ok()?;
    let mut judge = Judge::new(stage, &built.artifact, &built.plan, &package).ok()?;
    let interpreter = eval(&package, catalog(), &known.operation);
    let bytecode = judge.run(&known.operation, known.layout);
    let differs = bytecode.as_ref() != Ok(&interpreter);
    differs.then(|| Disagreement { policy: draft.text(), interpreter, bytecode, ..known.clone() })
}
