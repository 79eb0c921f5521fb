//! The readable list of steps. `check`: sources to folded policy (`snapshot` has its steps); `run_tests`: folded policy to verdicts of its tests.

mod build;
mod dump;
mod dump_front;
mod fix;
mod front;
mod snapshot;
mod tests;

pub use build::{Built, build, dump_asm};
pub use dump::{dump_ast, dump_hir};
pub use dump_front::{dump_origins, dump_uses};
pub use fix::{Fixed, changes, fix};
pub use front::Front;
pub use snapshot::Snapshot;
pub use tests::{StepResult, expectation, observing, run_tests, test_failures, tested};

use crate::config::{Choice, Config};
use crate::diag::{Finding, codes};
use crate::hir;
use crate::source::{FileId, Loc, Sources};
use crate::typed::Date;

/// What a package is made of.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Source files of the package, and `ebsec.toml` if there is one.
    pub sources: Sources,
    /// Which of them is `ebsec.toml`.
    pub config: Option<FileId>,
    /// `NAME=VALUE` from the command line.
    pub params: Vec<String>,
    /// Today; without it no exception expires.
    pub today: Option<Date>,
    /// The lints that the command line asks for.
    pub lints: Choice,
    /// Settings from outside of the package, which it cannot change.
    pub outside: Option<Outside>,
    /// The package is built: what its policies say is kept in [`hir::Package::written`].
    pub written: bool,
}

/// A file of settings that judge a package and are none of its own.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Its path, as messages show it.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What the check gives.
#[derive(Debug)]
pub struct Checked {
    /// The sources, with the files of the library that are imported.
    pub sources: Sources,
    /// Settings of the package.
    pub config: Config,
    /// The package as it is written, errors or not.
    pub front: Front,
    /// The folded policy, unless there are errors of the language, with the tests that are about its parameters' values. With
    /// errors that lints found it is given, and not built.
    pub package: Option<hir::Package>,
    /// The same policy with other values of its parameters, each with the tests that are about those; empty if there are
    /// errors.
    pub variants: Vec<hir::Package>,
    /// Findings, sorted by place.
    pub diagnostics: Vec<Finding>,
    /// Findings that were counted and not kept.
    pub left_out: usize,
}

/// Parses, resolves, types and lints a package. Every error is reported.
#[must_use]
pub fn check(input: Input) -> Checked {
    snapshot::check(input)
}

impl Checked {
    /// The folded policy with each set of values that its parameters have in tests; the one that is built comes first.
    pub fn packages(&self) -> impl Iterator<Item = &hir::Package> {
        self.package.iter().chain(&self.variants)
    }
}

/// A finding if no rule is in force: an artifact would refuse and report nothing.
#[must_use]
pub fn nothing_in_force(package: &hir::Package) -> Option<Finding> {
    if package.policies.iter().any(|p| !p.rules.is_empty()) {
        return None;
    }
    let loc = package.policies.first().map_or_else(Loc::default, |p| p.loc);
    let message = "no rule is in force: the artifact would do nothing";
    Some(Finding::error(codes::NO_RULES, loc, message).help("write a rule in a `policy`, or `apply` a policy from an imported module"))
}
