//! Collects findings, so many and no more: memory stays bounded whatever the source. Counts what it does not keep, and
//! never loses that there is an error.

use super::{Finding, Level};
use rustc_hash::FxHashSet;

/// Most findings that are kept of a package.
pub const MAX_KEPT: usize = 20_000;

/// The findings so far.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    has_error: bool,
    left_out: usize,
}

impl Findings {
    /// Keeps a finding, or counts it. The first error is always kept.
    pub fn push(&mut self, finding: Finding) {
        let error = finding.level == Level::Error;
        if self.kept.len() >= MAX_KEPT {
            self.left_out += 1;
            if self.has_error || !error {
                return;
            }
            self.kept.pop();
        }
        self.has_error |= error;
        self.kept.push(finding);
    }

    /// Keeps or counts each.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.has_error
    }

    /// Keeps or counts each that does not say the same at the same place as one that is kept.
    pub fn add_new(&mut self, others: Findings) {
        let key = |f: &Finding| (f.code, f.primary.loc, f.message.clone());
        let known: FxHashSet<_> = self.kept.iter().map(key).collect();
        self.left_out += others.left_out;
        self.extend(others.kept.into_iter().filter(|f| !known.contains(&key(f))));
    }

    /// Whether further findings are counted only, so that their words are not worth the effort.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.kept.len() >= MAX_KEPT && self.has_error
    }

    /// Counts a finding for which there is no room anyway.
    pub fn count(&mut self) {
        self.left_out += 1;
    }

    /// Counts findings that were not kept elsewhere.
    pub fn left_out(&mut self, count: usize) {
        self.left_out += count;
    }

    /// How many more findings are kept.
    #[must_use]
    pub fn room(&self) -> usize {
        MAX_KEPT.saturating_sub(self.kept.len())
    }

    /// What was kept, and how many were not.
    #[must_use]
    pub fn take(self) -> (Vec<Finding>, usize) {
        (self.kept, self.left_out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use crate::source::Loc;

    #[test]
    fn no_more_than_the_most_are_kept_and_errors_are_not_lost() {
        let mut all = Findings::default();
        let of = |level| Finding::new("E0200", level, Loc::default(), "x");
        all.extend((0..MAX_KEPT + 3).map(|_| of(Level::Warning)));
        assert!(!all.is_full());
        all.push(of(Level::Error));
        assert!(all.is_full());
        all.push(of(Level::Error));
        let (kept, left_out) = all.take();
        assert_eq!((kept.len(), left_out, kept[MAX_KEPT - 1].level), (MAX_KEPT, 5, Level::Error));
    }
}
