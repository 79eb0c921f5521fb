//! Numbers to interval indices: sorted starts, padded so that a search needs no branch and no bound.

/// The value of a number that is absent; greater than every present one.
pub const ABSENT: u64 = 1 << 32;
/// The value of a number that cannot be told, where the field can have it.
pub const FAILED: u64 = ABSENT + 1;

/// A partition of the numbers 0 to [`ABSENT`], or to [`FAILED`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Intervals {
    /// Sorted; the first is 0, the last below `u64::MAX` is [`ABSENT`] (the interval of the absent value
    /// alone), or after it [`FAILED`]; padded with `u64::MAX` to a power of two. The interval of `x` is the last one whose start is at most `x`.
    pub starts: Vec<u64>,
    /// How many starts are real.
    pub count: u32,
}

impl Intervals {
    /// The coarsest partition that tells the given closed ranges apart. Ends above `u32::MAX` are cut off.
    pub fn of<'a>(ranges: impl IntoIterator<Item = &'a (u64, u64)>, may_fail: bool) -> Intervals {
        let mut starts = vec![0, ABSENT];
        starts.extend(may_fail.then_some(FAILED));
        for &(low, high) in ranges {
            starts.push(low.min(ABSENT));
            starts.push(high.min(ABSENT - 1) + 1);
        }
        starts.sort_unstable();
        starts.dedup();
        let count = starts.len();
        starts.resize(count.next_power_of_two(), u64::MAX);
        Intervals { starts, count: count as u32 }
    }

    /// Index of the interval of `x`, found as the event path finds it: halving steps from the padded length.
    pub fn index(&self, x: u64) -> u32 {
        let mut index = 0;
        let mut step = self.starts.len() / 2;
        while step > 0 {
            if self.starts.get(index + step).is_some_and(|&start| start <= x) {
                index += step;
            }
            step /= 2;
        }
        index as u32
    }

    /// First number of an interval.
    pub fn start(&self, index: u32) -> u64 {
        self.starts.get(index as usize).copied().unwrap_or(ABSENT)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_interval_lies_within_or_without_each_range(
            ranges in proptest::collection::vec((0u64..20, 0u64..20), 0..6), x in 0u64..30, y in 0u64..30,
        ) {
            let ranges: Vec<(u64, u64)> = ranges.into_iter().map(|(a, n)| (a, a + n)).chain([(7, u64::from(u32::MAX))]).collect();
            let intervals = Intervals::of(&ranges, false);
            prop_assert!(intervals.starts.len().is_power_of_two());
            prop_assert_eq!(intervals.index(ABSENT), intervals.count - 1);
            let index = intervals.index(x);
            prop_assert!(index < intervals.count - 1 && intervals.start(index) <= x && x < intervals.start(index + 1));
            if index == intervals.index(y) {
                for (low, high) in ranges {
                    prop_assert_eq!((low..=high).contains(&x), (low..=high).contains(&y));
                }
            }
        }
    }
}
