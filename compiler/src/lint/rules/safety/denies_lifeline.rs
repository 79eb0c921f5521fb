//! `denies-lifeline`: an enforcing policy that refuses something without which the host does not boot, or nobody logs in.
//! The operations are those of `lifelines`; each is put to the reference interpreter.

use crate::diag::codes;
use crate::hir::{Package, eval};
use crate::lint::context::{Context, Folded};
use crate::lint::lifelines::{self, Lifelines};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, narrow};
use std::collections::BTreeSet;

pub const LINT: Lint = Lint { code: codes::DENIES_LIFELINE, check: Check::Package(check) };

/// Most work of all operations, as [`eval::eval_counted`] counts it: some seconds.
const MAX_WORK: u64 = 1 << 32;

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    let refusing: Vec<Folded<'_>> = cx.rules().filter(Folded::refuses).collect();
    if refusing.is_empty() {
        return;
    }
    let lines = Lifelines::new(cx.catalog, &cx.config.lifelines, &cx.lifelines);
    let refusing: Vec<Folded<'_>> = refusing.into_iter().filter(|f| lines.may_match(cx.package, f.rule)).collect();
    if refusing.is_empty() {
        return;
    }
    // A package of one rule at a time would have to copy the sets each time: all rules are in one, in the same order.
    let rule = |f: &Folded<'_>| crate::hir::Policy { rules: vec![f.rule.clone()], ..shell(f.policy) };
    let policies = refusing.iter().map(rule).collect();
    let package = Package { path_sets: cx.package.path_sets.clone(), policies, ..Package::default() };
    let index = eval::Index::new(&package);
    let mut refused: Vec<Refused<'_>> = vec![Refused::default(); refusing.len()];
    let events: BTreeSet<_> = refusing.iter().map(|f| f.rule.event).collect();
    let mut work = 0;
    for line in lines.all.iter().filter(|line| lines.raises(line, &events)) {
        if work > MAX_WORK {
            let loc = refusing.first().map(|f| f.loc()).unwrap_or_default();
            let message = "the package is too large: not every operation that a host needs was tried";
            report.push(report.at(loc, message).help("split the package"));
            break;
        }
        let Some(operation) = line.operation(cx.catalog) else { continue };
        for found in eval::eval_range(&index, &package, cx.catalog, &operation, &[], &mut work).least.matched {
            if let Some(refused) = refused.get_mut(found.policy) {
                refused.add(line);
            }
        }
    }
    for (folded, refused) in refusing.iter().zip(refused) {
        if let Some(first) = refused.first {
            tell(cx, folded, first, &refused, report);
        }
    }
}

/// What one rule refuses.
#[derive(Clone, Default)]
struct Refused<'l> {
    first: Option<&'l lifelines::Line<'l>>,
    others: usize,
    /// The programs that need it, as far as they are known and not too many to name.
    programs: BTreeSet<&'l str>,
    unnamed: bool,
    /// The files, if they are few.
    files: BTreeSet<&'l str>,
}

/// Most programs that the help names.
const MAX_NAMED: usize = 12;
/// Most files that it names: what is let through is then no more than what is needed.
const MAX_FILES: usize = 4;

impl<'l> Refused<'l> {
    fn add(&mut self, line: &'l lifelines::Line<'l>) {
        self.others += usize::from(self.first.is_some());
        self.first.get_or_insert(line);
        self.programs.extend(line.program.filter(|_| self.programs.len() <= MAX_NAMED));
        self.unnamed |= line.program.is_none();
        self.files.extend(Some(line.path).filter(|_| self.files.len() <= MAX_FILES));
    }

    /// A condition that holds for all of it, and for little else if the files are few. An image can give its programs these
    /// names too.
    fn condition(&self, folded: &Folded<'_>, cx: &Context<'_>) -> Option<String> {
        let programs = one_of("process.exe", &self.programs, MAX_NAMED).filter(|_| !self.unnamed)?;
        let files = one_of("file.path", &self.files, MAX_FILES).map(|files| format!(" and {files}")).unwrap_or_default();
        let host = if narrow::covers_containers(cx, folded) { " and not process.container" } else { "" };
        Some(format!("{programs}{files}{host}"))
    }
}

/// A test of a field with some values, if they are few.
fn one_of(field: &str, values: &BTreeSet<&str>, most: usize) -> Option<String> {
    let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    match quoted.as_slice() {
        all if all.len() > most => None,
        [one] => Some(format!("{field} == {one}")),
        all => Some(format!("{field} in [{}]", all.join(", "))),
    }
}

/// A policy without its rules.
fn shell(policy: &crate::hir::Policy) -> crate::hir::Policy {
    crate::hir::Policy {
        name: policy.name.clone(),
        mode: policy.mode,
        rules: Vec::new(),
        description: String::new(),
        tags: Vec::new(),
        loc: policy.loc,
    }
}

fn tell(cx: &Context<'_>, folded: &Folded<'_>, first: &lifelines::Line<'_>, refused: &Refused<'_>, report: &mut Report<'_>) {
    let message = format!("{} refuses what {} needs: {}", folded.name(), first.purpose, first.shown());
    let mut finding = report.at(folded.loc(), message);
    finding = match refused.others {
        0 => finding,
        1 => finding.note("it refuses 1 other operation that a host needs"),
        others => finding.note(format!("it refuses {others} other operations that a host needs")),
    };
    let help = match (&folded.rule.label, refused.condition(folded, cx)) {
        (Some(_), Some(condition)) => {
            format!("narrow the rule with a `scope` or `when`, or let these programs through: `unless {condition}`")
        }
        (Some(_), None) => "narrow the rule with a `scope` or `when`".to_owned(),
        (None, Some(condition)) => format!("narrow the policy with a `scope`, or add an `allow` with `when {condition}`"),
        (None, None) => "narrow the policy with a `scope`, or add an `allow` for them".to_owned(),
    };
    report.push(finding.help(help));
}
