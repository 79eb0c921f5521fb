//! Unit tests by the reference interpreter: a folded policy in, the verdict of each line of its tests out, and findings for
//! the lines that fail.

use crate::diag::{self, Finding, codes};
use crate::hir::{self, Unknown, eval};
use ebsec_templates::{FieldId, catalog};
use rustc_hash::FxHashSet;

/// The result of one line of a test.
#[derive(Clone, Debug)]
pub struct StepResult {
    /// Index into [`hir::Package::tests`].
    pub test: usize,
    /// Index into [`hir::TestCase::steps`].
    pub step: usize,
    /// What the reference interpreter says, as tests write it; empty where the line was not run, because all lines before it
    /// took too much work.
    pub got: String,
    /// Rules that match, the first [`MAX_MATCHED`] of them; none where the line passes.
    pub matched: Vec<eval::Match>,
    /// What the test does not give and the verdict depends on; the line fails then.
    pub unknown: Vec<Unknown>,
    /// Whether it is what the line expects.
    pub passed: bool,
}

/// Most rules that are kept of a line that fails: more than a finding names.
const MAX_MATCHED: usize = diag::MAX_RELATED + 1;
/// Most work of all lines of tests, as [`eval::eval_range`] counts it: some seconds.
const MAX_WORK: u64 = 1 << 33;

/// Most work of saying why rules do not match.
const MAX_WHY: u64 = 1 << 28;
const OF_CONTAINERS: &str = "the host does not show a container's own files: `{ host_path = [\"…\"] }` says that it shows this one";

/// Runs every unit test by the reference interpreter, as long as the work is bounded: the first line beyond that is the last
/// result, and fails.
#[must_use]
pub fn run_tests(package: &hir::Package) -> Vec<StepResult> {
    let (mut results, mut work) = (Vec::new(), 0);
    if package.tests.is_empty() {
        return results;
    }
    let index = eval::Index::new(package);
    for (test, case) in package.tests.iter().enumerate() {
        for (number, step) in case.steps.iter().enumerate() {
            let result = StepResult { test, step: number, got: String::new(), matched: Vec::new(), unknown: Vec::new(), passed: false };
            if work > MAX_WORK {
                results.push(result);
                return results;
            }
            results.push(run(package, &index, step, result, &mut work));
        }
    }
    results
}

fn run(package: &hir::Package, index: &eval::Index, step: &hir::Step, result: StepResult, work: &mut u64) -> StepResult {
    let fields: Vec<FieldId> = step.unknown.iter().map(|u| u.field).collect();
    let range = eval::eval_range(index, package, catalog(), &step.operation, &fields, work);
    let met = eval::met(package, &range.least, &range.most, step.expect.as_ref());
    if met == Some(true) {
        return StepResult { got: eval::describe(package, &range.least, modes(step)), passed: true, ..result };
    }
    let open: FxHashSet<FieldId> = match met {
        None => range.most.matched.iter().flat_map(|m| eval::depends(package, catalog(), &step.operation, &fields, m)).collect(),
        Some(_) => FxHashSet::default(),
    };
    // One key may give several fields.
    let mut unknown: Vec<Unknown> = step.unknown.iter().filter(|u| open.contains(&u.field)).cloned().collect();
    unknown.dedup_by_key(|u| u.key);
    let got = eval::describe(package, &range.least, modes(step));
    let mut matched = range.least.matched;
    matched.truncate(MAX_MATCHED);
    matched.shrink_to_fit();
    StepResult { got, matched, unknown, ..result }
}

/// A line that expects an audit is answered by what happens now, others by what happens once all policies enforce.
fn modes(step: &hir::Step) -> eval::Modes {
    match step.expect {
        Some((hir::Action::Audit, ..)) => eval::Modes::Actual,
        _ => eval::Modes::Enforced,
    }
}

/// How many lines passed and failed.
#[must_use]
pub fn tested(package: &hir::Package, results: &[StepResult]) -> ebsec_artifact::Tests {
    let lines: usize = package.tests.iter().map(|t| t.steps.len()).sum();
    let failed = results.iter().filter(|r| !r.passed).count() as u32;
    ebsec_artifact::Tests { failed, passed: (lines as u32).saturating_sub(failed) }
}

/// Names of the policies that observe: they report and refuse nothing.
#[must_use]
pub fn observing(package: &hir::Package) -> Vec<&str> {
    let refuses = |p: &&hir::Policy| p.rules.iter().any(|r| r.action != hir::Action::Audit);
    let observes = |p: &&hir::Policy| p.mode == hir::Mode::Observe;
    package.policies.iter().filter(observes).filter(refuses).map(|p| p.name.as_str()).collect()
}

/// A finding for each line that failed.
#[must_use]
pub fn test_failures(package: &hir::Package, results: &[StepResult]) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut said: FxHashSet<(usize, usize, &str)> = FxHashSet::default();
    let mut work = 0;
    for result in results.iter().filter(|r| !r.passed) {
        let Some(case) = package.tests.get(result.test) else { continue };
        let Some(step) = case.steps.get(result.step) else { continue };
        if all.len() >= diag::MAX_KEPT {
            break;
        }
        if result.got.is_empty() {
            let message = "the tests before this line took too much work: this line and those after it were not run";
            all.push(Finding::error(codes::TOO_COMPLEX, step.loc, message).help("split the package, or its tests"));
        } else if result.unknown.is_empty() {
            all.push(failure(package, case, step, result, &mut work));
        } else {
            // Each key that is missing is said once, at the first line that needs it.
            let new = result.unknown.iter().filter(|u| said.insert((result.test, step.process, u.key)));
            all.extend(new.filter_map(|unknown| Some(not_given(unknown, case.processes.get(step.process)?, step))));
        }
    }
    all
}

/// A verdict that depends on what the test does not say.
fn not_given(unknown: &Unknown, process: &hir::Process, step: &hir::Step) -> Finding {
    let Unknown { field, key, usual } = unknown;
    let message = format!("the verdict depends on `{}`, and the test does not give `{key}`", catalog()[*field].name);
    let (before, after) = if process.bare { ("", "") } else { ("…, ", ", ") };
    Finding::error(codes::NOT_GIVEN, step.loc, message)
        .related(process.end, format!("the process `{}`", process.name))
        .help(format!("write `process {} = {{ {before}{key} = {usual} }}`, or what else it is", process.name))
        .guess(format!("give `{key}` its usual value"), process.end, format!("{after}{key} = {usual}"))
}

fn failure(package: &hir::Package, case: &hir::TestCase, step: &hir::Step, result: &StepResult, work: &mut u64) -> Finding {
    let (expected, got) = (expectation(step.expect.as_ref()), &result.got);
    let message = format!("the test \"{}\" expects `{expected}` and gets `{got}`", case.name);
    let mut finding = Finding::error(codes::TEST_FAILED, step.loc, message);
    for found in &result.matched {
        let Some(policy) = package.policies.get(found.policy) else { continue };
        let Some(rule) = policy.rules.get(found.rule) else { continue };
        let failed = if found.truth == eval::Truth::Failed { ", though what it asks could not be computed" } else { "" };
        let event = &catalog()[found.event].name;
        finding = finding.related(rule.loc, format!("this rule matches at `{event}`{failed}"));
        if policy.mode == hir::Mode::Observe && rule.action != hir::Action::Audit {
            let note = format!("the policy `{}` only observes: with `mode = enforce` it would refuse", policy.name);
            if !finding.notes.contains(&note) {
                finding = finding.note(note);
            }
        }
    }
    match &step.expect {
        Some((_, policy, label)) if *work < MAX_WHY => why_not(finding, package, step, result, (policy, label.as_deref()), work),
        _ => finding,
    }
}

/// Why the rule that a line names does not match: the tests that fail, with what they met.
fn why_not(
    mut finding: Finding,
    package: &hir::Package,
    step: &hir::Step,
    result: &StepResult,
    (policy, label): (&str, Option<&str>),
    work: &mut u64,
) -> Finding {
    let policies = package.policies.iter().enumerate().filter(|(_, p)| p.name == policy);
    let rules = policies.flat_map(|(p, one)| one.rules.iter().enumerate().map(move |(r, rule)| ((p, r), rule)));
    let named: Vec<((usize, usize), &hir::Rule)> = rules.filter(|(_, rule)| rule.label.as_deref() == label).collect();
    if result.matched.iter().any(|found| named.iter().any(|(at, _)| *at == (found.policy, found.rule))) {
        return finding;
    }
    let fields: Vec<FieldId> = step.unknown.iter().map(|u| u.field).collect();
    let mut unmet = |rule| eval::unmet(package, catalog(), &step.operation, &fields, rule, work);
    let nearest = named.iter().filter_map(|(_, rule)| unmet(rule)).min_by_key(Vec::len);
    let Some(nearest) = nearest else { return other_event(finding, step, &named) };
    let hook = &catalog()[step.operation.hook];
    if hook.pair.is_some() && named.iter().all(|(_, rule)| rule.event == hook.event) && nearest.iter().any(is_path) {
        let name = &catalog()[hook.event].name;
        finding = finding.help(format!("a rule for `{name}` sees the old name alone; one for `file.write` sees the new name too"));
    }
    for one in &nearest {
        let name = &catalog()[one.field].name;
        let truth = if one.holds { "true, so the rule does not match" } else { "false" };
        let text = match &one.value {
            Some(value) => format!("{truth}: `{name}` is {value}"),
            None => format!("{truth}: `{name}` is absent"),
        };
        finding = finding.related(one.loc, text);
        if one.value.is_none() && !one.holds && name == "file.host_path" && !finding.help.iter().any(|help| help == OF_CONTAINERS) {
            finding = finding.help(OF_CONTAINERS);
        }
    }
    finding
}

/// Whether a test asks for the name of the file.
fn is_path(one: &eval::Unmet) -> bool {
    catalog()[one.field].name == "file.path" || catalog()[one.field].name == "file.host_path"
}

/// The rule is about other events than the operation raises.
fn other_event(mut finding: Finding, step: &hir::Step, named: &[((usize, usize), &hir::Rule)]) -> Finding {
    let raised = eval::elementary_events(catalog(), &step.operation);
    let mut names: Vec<&str> = raised.iter().map(|(event, _)| catalog()[*event].name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if let Some((_, rule)) = named.first() {
        let mut events: Vec<&str> = named.iter().map(|(_, rule)| catalog()[rule.event].name.as_str()).collect();
        events.dedup();
        finding = finding.related(rule.loc, format!("this rule is about {}", diag::list(&events)));
    }
    finding.note(match names.as_slice() {
        [] => "the operation raises no event".to_owned(),
        names => format!("the operation raises {}", diag::list(names)),
    })
}

/// An expected verdict as a test writes it.
#[must_use]
pub fn expectation(expect: Option<&(hir::Action, String, Option<String>)>) -> String {
    let Some((action, policy, label)) = expect else { return "allow".to_owned() };
    let verb = match action {
        hir::Action::Deny => "deny",
        hir::Action::Kill => "kill",
        hir::Action::Audit => "audit",
    };
    match label {
        Some(label) => format!("{verb} by {policy}.{label}"),
        None => format!("{verb} by {policy} default"),
    }
}
