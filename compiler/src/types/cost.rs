//! What checking a package may cost in all. Each bound is reported once, where it is passed.

use super::Checker;
use crate::diag::{Finding, codes};
use crate::source::Loc;

pub(super) use crate::fold::atoms::weight;
pub(super) use crate::typed::cost::{Cost, MAX_SEARCHED, Spent, test_weight};

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
            self.push(Finding::error(codes::TOO_COMPLEX, loc, message).help("split the package, or make its parts smaller"));
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
