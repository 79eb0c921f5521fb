//! Takes a package, gives a second opinion on the lines of its tests: that of the emitted programs. A line on which the
//! judges differ is a mistake of the compiler, and a finding. Never says whether a line's expectation is met.

use super::{Judge, Layout, Past, Scenery, Stage, Trouble};
use crate::diag::{Finding, codes};
use crate::hir::eval::{self, Verdict};
use crate::hir::{Package, Step};
use crate::pipeline::{self, Built};
use crate::source::{Loc, Sources};
use crate::testing::vm::Flavour;
use ebsec_templates::catalog;

/// What the emitted programs say to the lines of a package's tests.
#[derive(Clone, Debug, Default)]
pub struct Second {
    /// Lines that both judged.
    pub judged: usize,
    /// Lines that no kernel object can be laid out for, with the reason.
    pub left_out: Vec<(Loc, String)>,
    /// Where the judges differ, or why there are no programs.
    pub findings: Vec<Finding>,
}

/// Each line on old and new kernels, with processes that were executed and with records written from the tables.
const WAYS: &[(Flavour, Past)] = &[(Flavour::Old, Past::Hooks), (Flavour::New, Past::Written), (Flavour::V6_8, Past::Seeded)];

/// Judges the lines of the tests that are wanted, by their index.
#[must_use]
pub fn second_opinion(package: &Package, sources: &Sources, wanted: &dyn Fn(usize) -> bool) -> Second {
    let mut second = Second::default();
    let tests = package.tests.iter().enumerate().filter(|(t, _)| wanted(*t));
    let steps: Vec<&Step> = tests.flat_map(|(_, test)| &test.steps).collect();
    let Some(first) = steps.first() else { return second };
    let loc = first.loc;
    let built = match pipeline::build(package, sources, ebsec_artifact::Tests::default()) {
        Ok(built) => built,
        Err(finding) => {
            second.findings.push(*finding);
            return second;
        }
    };
    if let Err(message) = judge_all(package, &built, &steps, &mut second) {
        second.findings.push(internal(loc, message));
    }
    second
}

fn judge_all(package: &Package, built: &Built, steps: &[&Step], second: &mut Second) -> Result<(), String> {
    let mut ways = Vec::new();
    for (flavour, past) in WAYS {
        let stage = Stage::new(*flavour, 1, Scenery::default())?;
        ways.push((*past, Judge::new(&stage, &built.artifact, &built.plan, package)?));
    }
    for (index, step) in steps.iter().enumerate() {
        let expected = eval::eval(package, catalog(), &step.operation);
        let layout = |past| Layout { past, variant: index as u64 };
        let wrong = ways.iter_mut().map(|(past, judge)| judge.run(&step.operation, layout(*past))).find(|v| v.as_ref() != Ok(&expected));
        match wrong {
            None => second.judged += 1,
            Some(Err(Trouble::Impossible(reason))) => second.left_out.push((step.loc, reason)),
            Some(got) => second.findings.push(differs(package, step, &expected, &got)),
        }
    }
    Ok(())
}

fn differs(package: &Package, step: &Step, expected: &Verdict, got: &Result<Verdict, Trouble>) -> Finding {
    let one = eval::describe(package, expected, eval::Modes::Actual);
    let message = match got {
        Ok(verdict) => {
            let other = eval::describe(package, verdict, eval::Modes::Actual);
            let count = |v: &Verdict| v.matched.len();
            if one == other {
                format!("the policy says `{one}` with {} rules and the emitted programs with {}", count(expected), count(verdict))
            } else {
                format!("the policy says `{one}` and the emitted programs say `{other}`")
            }
        }
        Err(Trouble::Fault(text) | Trouble::Report(text) | Trouble::Impossible(text)) => {
            format!("the policy says `{one}` and the emitted programs fail: {text}")
        }
    };
    internal(step.loc, message)
}

fn internal(loc: Loc, message: String) -> Finding {
    Finding::error(codes::INTERNAL, loc, message).help("this is a mistake of ebsec, not of the policy: please report it with the policy")
}
