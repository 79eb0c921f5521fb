//! Lists of things by a small number, in two flat vectors.
#![expect(clippy::indexing_slicing, reason = "begins and ends are made by this module alone")]

/// The lists.
pub(super) struct Lists<T> {
    /// Sorted by number.
    items: Vec<(u32, T)>,
    /// By number, and one more: where its items begin.
    first: Vec<u32>,
}

impl<T: Ord> Lists<T> {
    /// Gathers pairs of number and thing.
    pub(super) fn of(mut items: Vec<(u32, T)>) -> Self {
        items.sort_unstable();
        let mut first = vec![0; items.last().map_or(0, |(number, _)| *number as usize + 2)];
        items.iter().for_each(|(number, _)| first[*number as usize + 1] += 1);
        for index in 1..first.len() {
            first[index] += first[index - 1];
        }
        Lists { items, first }
    }

    /// Pairs of a number, sorted.
    pub(super) fn get(&self, number: u32) -> &[(u32, T)] {
        match self.first.get(number as usize..).and_then(|rest| rest.first_chunk()) {
            Some(&[begin, end]) => &self.items[begin as usize..end as usize],
            None => &[],
        }
    }
}
