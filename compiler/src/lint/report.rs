//! Collects what lints find: findings of files of the package itself, with the levels that its settings give. Knows no lint.

use super::Input;
use crate::diag::{Finding, Level, MAX_KEPT, codes};
use crate::resolve::ROOT;
use crate::source::{FileId, Loc};
use rustc_hash::FxHashSet;

/// What was found so far.
pub(super) struct Report<'a> {
    input: Input<'a>,
    /// Files of the package; a library's findings are the library's.
    own: FxHashSet<FileId>,
    code: &'static str,
    level: Level,
    found: Vec<Finding>,
}

impl<'a> Report<'a> {
    pub(super) fn new(input: Input<'a>) -> Self {
        let own = input.names.files.iter().filter(|f| f.module == ROOT).map(|f| f.id).collect();
        Self { input, own, code: "", level: Level::Info, found: Vec::new() }
    }

    /// The level of a code, none if it is off.
    pub(super) fn level(&self, code: &str) -> Option<Level> {
        codes::page(code).and_then(|page| self.input.config.levels.level(page))
    }

    pub(super) fn is_on(&self, code: &str) -> bool {
        self.level(code).is_some()
    }

    /// Says whose findings come next.
    pub(super) fn begin(&mut self, code: &'static str) {
        self.level = self.level(code).unwrap_or(Level::Info);
        self.code = code;
    }

    /// A finding of the lint at hand.
    pub(super) fn at(&self, loc: Loc, message: impl Into<String>) -> Finding {
        Finding::new(self.code, self.level, loc, message)
    }

    pub(super) fn push(&mut self, finding: Finding) {
        let own = self.own.contains(&self.input.sources.place(finding.primary.loc).file);
        if own && self.found.len() < MAX_KEPT {
            self.found.push(finding);
        }
    }

    pub(super) fn take(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.found)
    }
}
