//! What checking a package may cost in all, so that time and memory stay near the size of its source: a constant can be
//! used, and a condition copied, any number of times. Each bound is reported once, where it is passed.

use super::Typer;
use crate::diag::{Finding, codes};
use crate::hir::Test;
use crate::source::Loc;

/// What is counted, with the most of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
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
    pub(crate) const ALL: [Cost; 4] = [Cost::Elements, Cost::Tests, Cost::Patterns, Cost::Programs];

    pub(crate) fn most(self) -> usize {
        match self {
            Cost::Elements => 1 << 21,
            Cost::Tests => 1 << 22,
            Cost::Patterns => 1 << 23,
            Cost::Programs => 1 << 20,
        }
    }

    pub(crate) fn what(self) -> (&'static str, &'static str) {
        match self {
            Cost::Elements => ("all constants together have", "elements"),
            Cost::Tests => ("all conditions together have, with what is folded into them,", "tests"),
            Cost::Patterns => ("the paths of all conditions together have", "bytes"),
            Cost::Programs => ("the processes of all test lines together have", "programs in their lines"),
        }
    }
}

/// Names that are compared with misspelt ones in all.
pub(crate) const MAX_SEARCHED: usize = 1 << 20;

/// What has been spent.
#[derive(Clone, Debug, Default)]
pub struct Spent(pub(crate) [usize; 4]);

/// What adding to a cost comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sum {
    /// There is enough.
    Fits,
    /// There is not, for the first time.
    First,
    /// There was not enough before.
    Over,
}

impl Spent {
    /// Adds to a cost.
    pub(crate) fn add(&mut self, cost: Cost, count: usize) -> Sum {
        let Some(spent) = self.0.get_mut(cost as usize) else { return Sum::Over };
        let (before, most) = (*spent, cost.most());
        *spent = before.saturating_add(count);
        match (before <= most, *spent <= most) {
            (_, true) => Sum::Fits,
            (true, false) => Sum::First,
            (false, false) => Sum::Over,
        }
    }

    /// As if nothing of a kind had been spent.
    pub(crate) fn clear(&mut self, cost: Cost) {
        self.0.get_mut(cost as usize).into_iter().for_each(|spent| *spent = 0);
    }

    /// Whether one of them is spent.
    pub(crate) fn is_any_spent(&self) -> bool {
        Cost::ALL.iter().any(|cost| self.is_spent(*cost))
    }

    /// Whether a cost is spent, so that nothing more is to be made of its kind.
    pub(crate) fn is_spent(&self, cost: Cost) -> bool {
        self.0.get(cost as usize).is_none_or(|spent| *spent > cost.most())
    }
}

impl Cost {
    /// Says that there is not enough.
    pub(crate) fn finding(self, loc: Loc) -> Finding {
        let ((whole, parts), most) = (self.what(), self.most());
        let message = format!("{whole} more than {most} {parts}");
        Finding::error(codes::TOO_COMPLEX, loc, message).help("split the package or make its parts smaller")
    }
}

impl Typer<'_> {
    /// Spends some of a cost; false, after an error at the first time, if there is no more.
    pub(crate) fn spend(&mut self, cost: Cost, count: usize, loc: Loc) -> bool {
        let sum = self.spent.add(cost, count);
        if sum == Sum::First {
            self.push(cost.finding(loc));
        }
        sum == Sum::Fits
    }

    /// Whether a cost is spent, so that nothing more is to be made of its kind.
    pub(crate) fn is_spent(&self, cost: Cost) -> bool {
        self.spent.is_spent(cost)
    }

    /// Names to compare a misspelt one with; none if all misspelt names together have cost enough.
    pub(crate) fn candidates<'c>(&self, count: usize, all: impl IntoIterator<Item = &'c str>) -> Vec<&'c str> {
        match self.searched.get().checked_sub(count + 1) {
            Some(left) => {
                self.searched.set(left);
                all.into_iter().collect()
            }
            None => {
                self.is_ordered.set(true);
                Vec::new()
            }
        }
    }
}

/// What a copy of a test costs.
pub(crate) fn test_weight(test: &Test) -> usize {
    match test {
        Test::InRanges(all) => all.len(),
        Test::InPrefixes(all) => all.len(),
        _ => 1,
    }
}
