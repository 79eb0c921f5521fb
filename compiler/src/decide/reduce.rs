//! Merges what a chain cannot tell apart: from the last layer to the first, states with equal rows, then equal
//! columns; layers that decide nothing are dropped.
#![expect(clippy::indexing_slicing, reason = "states and columns are numbered by the raw chain alone")]

use super::chain::{RawChain, RawLayer};
use super::columns::Columns;
use super::{Layer, START, Source};
use crate::classes::numbers::{ABSENT, Intervals};
use rustc_hash::FxHashMap;

/// The merged layers; the states after the last are those before it was merged, `left` beside
/// the reserved ones. `None` if nothing can ever match.
pub(super) fn reduce(raw: RawChain, left: usize) -> Option<Vec<Layer>> {
    // What is left tells states apart, so after the last layer there is nothing to merge.
    let mut map: Vec<u32> = (0..left as u32 + START).collect();
    let mut layers = Vec::new();
    for layer in raw.layers.into_iter().rev() {
        let (before, merged) = merge_layer(layer, &map);
        map = before;
        layers.extend(merged);
    }
    layers.reverse();
    (map.get(START as usize) == Some(&START)).then_some(layers)
}

/// Merges one layer; `after` maps the states after it. Gives the map of the states before it, and the layer unless
/// all its columns are equal.
fn merge_layer(raw: RawLayer, after: &[u32]) -> (Vec<u32>, Option<Layer>) {
    let ncols = raw.columns.answers.len();
    let table: Vec<u32> = raw.table.iter().map(|&next| after[next as usize]).collect();
    if table.chunks(ncols).all(|row| row.windows(2).all(|pair| pair[0] == pair[1])) {
        return (table.chunks(ncols).map(|row| row[0]).collect(), None);
    }
    let (before, rows) = merge_rows(&table, ncols);
    let (columns, kept) = merge_columns(&rows);
    let table: Vec<u32> = rows.iter().flat_map(|row| kept.iter().map(|&column| row[column])).collect();
    let of_value: Vec<u32> = raw.columns.of_value.iter().map(|&column| columns[column as usize]).collect();
    let (source, of_value, columns, ncols) = settle(raw.columns, of_value, kept.len());
    let table = if columns.is_empty() { table } else { permuted(&table, &columns, kept.len()) };
    (before, Some(Layer { source, columns: of_value, ncols, states: rows.len() as u32, table }))
}

/// Rows that differ, the reserved ones first, and the new number of each old one. A row of nothing but [`DEAD`] is it.
fn merge_rows(table: &[u32], ncols: usize) -> (Vec<u32>, Vec<&[u32]>) {
    let mut known: FxHashMap<&[u32], u32> = FxHashMap::default();
    let mut rows: Vec<&[u32]> = Vec::new();
    let name = |row| {
        *known.entry(row).or_insert_with(|| {
            rows.push(row);
            rows.len() as u32 - 1
        })
    };
    (table.chunks(ncols).map(name).collect(), rows)
}

/// New number of each column, and for each new one the old one that stands for it.
fn merge_columns(rows: &[&[u32]]) -> (Vec<u32>, Vec<usize>) {
    let ncols = rows.first().map_or(0, |row| row.len());
    let mut known: FxHashMap<Vec<u32>, u32> = FxHashMap::default();
    let mut kept = Vec::new();
    let mut names = Vec::with_capacity(ncols);
    for column in 0..ncols {
        let content: Vec<u32> = rows.iter().map(|row| row[column]).collect();
        names.push(*known.entry(content).or_insert_with(|| {
            kept.push(column);
            kept.len() as u32 - 1
        }));
    }
    (names, kept)
}

/// Joins intervals that have one column, and leaves the map out where it is the identity.
/// Gives source, map, the order of columns if it changes, and their number.
fn settle(columns: Columns, mut of_value: Vec<u32>, ncols: usize) -> (Source, Option<Vec<u32>>, Vec<u32>, u32) {
    let mut source = columns.source;
    if let Source::Number(field, intervals) = source {
        let (joined, of_interval) = join(&intervals, &of_value);
        source = Source::Number(field, joined);
        of_value = of_interval;
    }
    // Values that all differ: order the columns by value, no map is needed.
    if of_value.len() == ncols {
        return (source, None, of_value, ncols as u32);
    }
    (source, Some(of_value), Vec::new(), ncols as u32)
}

fn permuted(table: &[u32], order: &[u32], ncols: usize) -> Vec<u32> {
    table.chunks(ncols).flat_map(|row| order.iter().map(|&column| row[column as usize])).collect()
}

/// The interval of the absent value stays one of its own.
fn join(intervals: &Intervals, of_value: &[u32]) -> (Intervals, Vec<u32>) {
    let mut starts: Vec<u64> = Vec::new();
    let mut columns: Vec<u32> = Vec::new();
    for (&start, &column) in intervals.starts.iter().zip(of_value) {
        if start == ABSENT || columns.last() != Some(&column) {
            starts.push(start);
            columns.push(column);
        }
    }
    let count = starts.len();
    starts.resize(count.next_power_of_two(), u64::MAX);
    (Intervals { starts, count: count as u32 }, columns)
}
