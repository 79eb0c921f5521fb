//! The known word that a misspelt one was probably meant to be. Knows nothing of what the words mean.

/// The candidate at most two slips away (one for words under five letters); the first of the nearest. Of dotted names only
/// the parts count in which they differ.
#[must_use]
pub fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    if word.len() > LONGEST {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.iter().take(4096) {
        let (mine, other) = differing(word, candidate);
        let limit = match mine.len() {
            0..=4 => 1,
            5..=11 => 2,
            _ => 3,
        };
        if other.len().abs_diff(mine.len()) > limit {
            continue;
        }
        let far = distance(mine.as_bytes(), other.as_bytes());
        if far <= limit && far < other.len() && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, candidate));
        }
    }
    best.map(|(_, c)| c)
}

/// The candidates, the nearest to a word first; equally near ones by their names.
#[must_use]
pub fn by_distance<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Vec<&'c str> {
    let mut all: Vec<(usize, &str)> = candidates
        .into_iter()
        .map(|candidate| {
            let (mine, other) = differing(word, candidate);
            (if mine.len() > LONGEST { 0 } else { distance(mine.as_bytes(), other.as_bytes()) }, candidate)
        })
        .collect();
    all.sort_unstable();
    all.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Two dotted names without the parts at their ends that are the same: how much of them may differ depends on the rest.
fn differing<'a, 'b>(mut a: &'a str, mut b: &'b str) -> (&'a str, &'b str) {
    while let (Some((x, rest)), Some((y, other))) = (a.split_once('.'), b.split_once('.'))
        && x == y
    {
        (a, b) = (rest, other);
    }
    while let (Some((rest, x)), Some((other, y))) = (a.rsplit_once('.'), b.rsplit_once('.'))
        && x == y
    {
        (a, b) = (rest, other);
    }
    (a, b)
}

/// Longest word that is looked for, and a row for it and what is near to it.
const LONGEST: usize = 64;
const ROW: usize = LONGEST + 8;
type Row = [u8; ROW];

fn set(row: &mut Row, at: usize, value: usize) {
    if let Some(slot) = row.get_mut(at) {
        *slot = value.min(usize::from(u8::MAX)) as u8;
    }
}

/// Edits (insert, delete, replace, swap of neighbours), ASCII case ignored. Words are short: nothing is allocated.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let at = |row: &Row, i: usize| row.get(i).copied().map_or(usize::MAX / 2, usize::from);
    let same = |x: Option<&u8>, y: Option<&u8>| matches!((x, y), (Some(x), Some(y)) if x.eq_ignore_ascii_case(y));
    let mut before: Row = [u8::MAX; ROW];
    let mut last: Row = std::array::from_fn(|i| i as u8);
    for i in 0..a.len() {
        let mut row: Row = [0; ROW];
        set(&mut row, 0, i + 1);
        for j in 0..b.len() {
            let replace = at(&last, j) + usize::from(!same(a.get(i), b.get(j)));
            let mut least = replace.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && same(a.get(i - 1), b.get(j)) && same(a.get(i), b.get(j - 1)) {
                least = least.min(at(&before, j - 1) + 1);
            }
            set(&mut row, j + 1, least);
        }
        before = std::mem::replace(&mut last, row);
    }
    at(&last, b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_word() {
        assert_eq!(nearest("file.pth", &["file.path", "file.mode"]), Some("file.path"));
        assert_eq!(nearest("hgih", &["high", "low"]), Some("high"));
        assert_eq!(nearest("process.name", &["process.age", "process.gid"]), None);
        assert_eq!(nearest("fd.name", &["pod.name"]), None);
        assert_eq!(nearest("files.path", &["file.path"]), Some("file.path"));
        assert_eq!(nearest("xx", &["high", "low"]), None);
    }

    #[test]
    fn the_nearest_is_first() {
        assert_eq!(by_distance("file.onwer", ["file.mode", "file.path", "file.owner"]), ["file.owner", "file.mode", "file.path"]);
        assert_eq!(by_distance(&"x".repeat(100), ["b", "a"]), ["a", "b"]);
    }
}
