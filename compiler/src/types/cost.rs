//! What checking a package may cost in all, so that time and memory stay near the size of its source: a constant can be
//! used, and a condition copied, any number of times. Each bound is reported once, where it is passed.

use super::Checker;
use crate::diag::{Finding, codes};
use crate::hir::{Cond, Test};
use crate::source::Loc;

/// What is counted, with the most of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// Elements of all constants: each `let` that adds to another holds the other's too.
    Elements,
    /// Tests of all conditions after everything is folded in, and the ranges and prefixes that they hold.
    Tests,
    /// Bytes of the patterns that `under`, `.name`, `.dir` and `.ext` make of paths, and patterns that are compared.
    Patterns,
    /// Programs in the lines of processes, over all lines of tests.
    Programs,
}

impl Cost {
    fn most(self) -> usize {
        match self {
            Cost::Elements => 1 << 21,
            Cost::Tests => 1 << 22,
            Cost::Patterns => 1 << 23,
            Cost::Programs => 1 << 20,
        }
    }

    fn what(self) -> (&'static str, &'static str) {
        match self {
            Cost::Elements => ("all constants together have", "elements"),
            Cost::Tests => ("all conditions together have, with what is folded into them,", "tests"),
            Cost::Patterns => ("the paths of all conditions together have", "bytes"),
            Cost::Programs => ("the processes of all test lines together have", "programs in their lines"),
        }
    }
}

/// Names that are compared with misspelt ones in all.
pub(super) const MAX_SEARCHED: usize = 1 << 20;

/// What has been spent.
#[derive(Clone, Debug, Default)]
pub(super) struct Spent([usize; 4]);

impl Checker<'_> {
    /// Spends some of a cost; false, after an error at the first time, if there is no more.
    pub(super) fn spend(&mut self, cost: Cost, count: usize, loc: Loc) -> bool {
        let Some(spent) = self.spent.0.get_mut(cost as usize) else { return false };
        let (before, most) = (*spent, cost.most());
        *spent = before.saturating_add(count);
        let fits = *spent <= most;
        if before <= most && !fits {
            let (whole, parts) = cost.what();
            let message = format!("{whole} more than {most} {parts}");
            self.push(Finding::error(codes::TOO_COMPLEX, loc, message).help("split the package or make its parts smaller"));
        }
        fits
    }

    /// Whether a cost is spent, so that nothing more is to be made of its kind.
    pub(super) fn is_spent(&self, cost: Cost) -> bool {
        self.spent.0.get(cost as usize).is_none_or(|spent| *spent > cost.most())
    }

    /// Names to compare a misspelt one with; none if all misspelt names together have cost enough.
    pub(super) fn candidates<'c>(&self, count: usize, all: impl IntoIterator<Item = &'c str>) -> Vec<&'c str> {
        match self.searched.get().checked_sub(count + 1) {
            Some(left) => {
                self.searched.set(left);
                all.into_iter().collect()
            }
            None => Vec::new(),
        }
    }
}

/// What a copy of a condition costs: its tests and what they hold, and one for itself.
pub(super) fn weight(cond: &Cond) -> usize {
    let mut sum = 1;
    super::atoms::atoms(cond, &mut |atom| sum += test_weight(&atom.test));
    sum
}

/// What a copy of a test costs.
pub(super) fn test_weight(test: &Test) -> usize {
    match test {
        Test::InRanges(all) => all.len(),
        Test::InPrefixes(all) => all.len(),
        _ => 1,
    }
}
