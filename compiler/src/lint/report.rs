//! Collects what lints find: findings of files of the package itself, with the levels that its settings give. Knows no lint.

use super::{Head, Input};
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
    /// How many of `found` are errors.
    errors: usize,
    left_out: usize,
}

impl<'a> Report<'a> {
    pub(super) fn new(input: Input<'a>) -> Self {
        let own = input.names.files.iter().filter(|f| f.module == ROOT).map(|f| f.id).collect();
        Self { input, own, code: "", level: Level::Info, found: Vec::new(), errors: 0, left_out: 0 }
    }

    /// The level of a code, none if it is off.
    pub(super) fn level(&self, code: &str) -> Option<Level> {
        codes::page(code).and_then(|page| self.input.config.levels.level(page))
    }

    pub(super) fn is_on(&self, code: &str) -> bool {
        self.level(code).is_some()
    }

    /// Whether no comment can allow a code.
    pub(super) fn is_locked(&self, code: &str) -> bool {
        self.input.config.levels.is_locked(code)
    }

    /// Says whose findings come next.
    pub(super) fn begin(&mut self, (code, level): Head) {
        (self.code, self.level) = (code, level);
    }

    /// The same by the code alone; false if it is off.
    pub(super) fn begin_code(&mut self, code: &'static str) -> bool {
        let level = self.level(code);
        self.begin((code, level.unwrap_or(Level::Info)));
        level.is_some()
    }

    /// Whether there is no room for a further finding of the lint at hand, so that its words are not worth the effort. Errors
    /// have room of their own: what stops a build is never crowded out by warnings.
    pub(super) fn is_full(&self) -> bool {
        let of_this_kind = if self.level == Level::Error { self.errors } else { self.found.len() - self.errors };
        of_this_kind >= MAX_KEPT
    }

    /// A finding of the lint at hand.
    pub(super) fn at(&self, loc: Loc, message: impl Into<String>) -> Finding {
        Finding::new(self.code, self.level, loc, message)
    }

    pub(super) fn push(&mut self, finding: Finding) {
        let own = self.own.contains(&self.input.sources.place(finding.primary.loc).file);
        if !own {
            return;
        }
        if self.is_full() {
            self.left_out += 1;
            return;
        }
        self.errors += usize::from(finding.level == Level::Error);
        self.found.push(finding);
    }

    /// How much was found so far.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// What was found after so much was.
    pub(super) fn since(&self, count: usize) -> &[Finding] {
        self.found.get(count..).unwrap_or_default()
    }

    /// What was found, and afterwards nothing is.
    pub(super) fn take(&mut self) -> Vec<Finding> {
        self.errors = 0;
        std::mem::take(&mut self.found)
    }

    /// How many findings had no room.
    pub(super) fn left_out(&self) -> usize {
        self.left_out
    }
}
