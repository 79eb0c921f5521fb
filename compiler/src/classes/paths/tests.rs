//! The tables against matching by definition.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::hir::glob::{self, Part, Pattern};
use crate::hir::{PathLang, Space};
use proptest::prelude::*;

/// By definition: do the parts, and then nothing, match?
fn matches(parts: &[Part], space: Space, text: &[u8], last: bool) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    let ordinary = |b: u8| space == Space::Comm || b != b'/';
    match part {
        Part::Byte(b) => text.first() == Some(b) && matches(rest, space, &text[1..], last),
        Part::Set(set) => text
            .first()
            .is_some_and(|b| ordinary(*b) && set[usize::from(b / 64)] >> (b % 64) & 1 == 1 && matches(rest, space, &text[1..], last)),
        Part::Star => {
            matches(rest, space, text, last) || text.first().is_some_and(|b| ordinary(*b) && matches(parts, space, &text[1..], last))
        }
        Part::Segments if last && rest.is_empty() => !text.is_empty() && text.split(|b| *b == b'/').all(|segment| !segment.is_empty()),
        Part::Segments => {
            matches(rest, space, text, last)
                || text.iter().position(|b| *b == b'/').is_some_and(|at| at > 0 && matches(parts, space, &text[at + 1..], last))
        }
        Part::Alt(alternatives) => alternatives.iter().any(|alternative| {
            let whole: Vec<Part> = alternative.iter().chain(rest).cloned().collect();
            matches(&whole, space, text, last)
        }),
    }
}

fn holds(lang: &PathLang, space: Space, text: &[u8]) -> bool {
    match lang {
        PathLang::Patterns(patterns) => patterns.iter().any(|p| {
            let matched = matches(&p.parts, space, text, true);
            assert_eq!(matched, glob::matches(p, text, space), "{} {}", p.text, String::from_utf8_lossy(text));
            matched
        }),
        PathLang::Union(parts) => parts.iter().any(|p| holds(p, space, text)),
        PathLang::Minus(with, without) => holds(with, space, text) && !holds(without, space, text),
    }
}

/// A pattern from text.
pub(crate) fn pattern(space: Space, text: &str) -> Pattern {
    glob::parse(text, if space == Space::Path { glob::Kind::Path } else { glob::Kind::Comm }).unwrap()
}

pub(crate) fn set(space: Space, texts: &[&str]) -> PathSet {
    PathSet { space, lang: PathLang::Patterns(texts.iter().map(|t| pattern(space, t)).collect()) }
}

fn segment_pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[abc]{1,3}",
        1 => Just("*".to_owned()),
        1 => Just("?".to_owned()),
        1 => Just("[ab]".to_owned()),
        1 => Just("[!a]".to_owned()),
        1 => Just("{a,bc,}".to_owned()),
        1 => Just("{a/b,c}".to_owned()),
        1 => Just("longer-literal".to_owned()),
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat().replace("**", "*"))
}

fn path_pattern() -> impl Strategy<Value = Pattern> {
    let segment = prop_oneof![3 => segment_pattern(), 1 => Just("**".to_owned())];
    proptest::collection::vec(segment, 0..4)
        .prop_filter_map("a path", |segments| glob::parse(&format!("/{}", segments.join("/")), glob::Kind::Path).ok())
}

fn lang(leaf: BoxedStrategy<Pattern>) -> BoxedStrategy<PathLang> {
    let patterns = proptest::collection::vec(leaf, 1..4).prop_map(PathLang::Patterns);
    patterns
        .prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..3).prop_map(PathLang::Union),
                (inner.clone(), inner).prop_map(|(a, b)| PathLang::Minus(Box::new(a), Box::new(b))),
            ]
        })
        .boxed()
}

fn path_set() -> impl Strategy<Value = PathSet> {
    let comm = "[abc*?]{1,6}".prop_filter_map("a name", |text| glob::parse(&text, glob::Kind::Comm).ok());
    prop_oneof![
        4 => lang(path_pattern().boxed()).prop_map(|lang| PathSet { space: Space::Path, lang }),
        1 => lang(comm.boxed()).prop_map(|lang| PathSet { space: Space::Comm, lang }),
    ]
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    let segment = prop_oneof![4 => "[abcd]{1,4}", 1 => "[ab]{0,3}longer-literal[ab]{0,9}"];
    proptest::collection::vec(segment, 0..5).prop_map(|segments| format!("/{}", segments.join("/")).into_bytes())
}

/// A comm of the tests' patterns: `?` stands for any byte there.
fn check(tables: &PathTables, sets: &[PathSet], space: Space, text: &[u8], class: u32) {
    let expected: Vec<PathSetId> =
        (0..sets.len()).filter(|&i| sets[i].space == space && holds(&sets[i].lang, space, text)).map(|i| PathSetId(i as u32)).collect();
    assert_eq!(tables.sets_of(class), expected, "{:?} {}", space, String::from_utf8_lossy(text));
    assert_ne!(class, FAIL);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn tables_agree_with_the_definition(
        sets in proptest::collection::vec(path_set(), 1..6),
        paths in proptest::collection::vec(path(), 20),
        comms in proptest::collection::vec("[abcd/]{0,15}", 10),
        of_files in 0u32..64,
    ) {
        let of_file = |set: PathSetId| of_files >> set.0 & 1 == 1;
        let tables = build(&sets, of_file).unwrap();
        prop_assert!(tables.bytes.len().is_power_of_two());
        for path in &paths {
            let class = tables.class_of(path);
            check(&tables, &sets, Space::Path, path, class);
            prop_assert_eq!(tables.class_by_steps(path), class);
            let asked: Vec<PathSetId> = tables.sets_of(class).iter().copied().filter(|set| of_file(*set)).collect();
            prop_assert_eq!(tables.sets_of(tables.class_of_file(path)), asked);
            prop_assert_eq!(tables.file_by_steps(path), tables.class_of_file(path));
        }
        for comm in &comms {
            let class = tables.class_of_comm(comm.as_bytes());
            check(&tables, &sets, Space::Comm, comm.as_bytes(), class);
            prop_assert_eq!(tables.comm_by_steps(comm.as_bytes()), class);
        }
        prop_assert_eq!(build(&sets, of_file).unwrap(), tables);
    }
}

#[test]
fn the_root_is_not_below_itself() {
    let sets = [
        set(Space::Path, &["/"]),
        set(Space::Path, &["/**"]),
        set(Space::Path, &["/a/**/b"]),
        set(Space::Path, &["/a/**"]),
        set(Space::Path, &["/?"]),
    ];
    let tables = build(&sets, |_| true).unwrap();
    let of = |path: &[u8]| tables.sets_of(tables.class_of(path)).iter().map(|s| s.0).collect::<Vec<_>>();
    assert_eq!(of(b"/"), [0]);
    assert_eq!(of(b"/a"), [1, 4]);
    assert_eq!(of(b"/ab"), [1]);
    assert_eq!(of(b"/a/b"), [1, 2, 3]);
    assert_eq!(of(b"/a/x/y/b"), [1, 2, 3]);
    assert_eq!(of(b"/a/xb"), [1, 3]);
}

#[test]
fn skips_and_finals_are_marked() {
    let tables = build(&[set(Space::Path, &["/home/*/.ssh/**"])], |_| true).unwrap();
    let kinds: Vec<u64> = tables.bytes.iter().filter(|e| *e >> 31 & 1 == 1).map(|e| e & 3).collect();
    assert!(kinds.contains(&3));
    assert_eq!(kinds.iter().filter(|k| **k == 1).count(), 2);
}

#[test]
fn an_exploding_set_is_named() {
    let text = format!("/**/{}", "[ab]".repeat(40).replace("[ab][ab]", "a*"));
    let many: Vec<PathSet> = (0..12)
        .map(|i| {
            let stars: String = (0..8).map(|k| format!("{}*", (b'a' + ((i * 7 + k * 5) % 23) as u8) as char)).collect();
            set(Space::Path, &[&format!("/**/*{stars}")])
        })
        .chain([set(Space::Path, &["/etc/passwd"]), set(Space::Path, &[&text])])
        .collect();
    let start = std::time::Instant::now();
    let error = build(&many, |_| true).unwrap_err();
    assert!(!error.sets.is_empty() && !error.sets.contains(&PathSetId(12)), "{error:?}");
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
fn the_nth_byte_from_the_end_explodes_and_stops() {
    let set = set(Space::Path, &[&format!("/x/*a{}", "?".repeat(24))]);
    assert_eq!(build(&[set], |_| true).unwrap_err().sets, [PathSetId(0)]);
}

#[test]
fn equal_suffixes_are_one_state() {
    let one = build(&[set(Space::Path, &["/a/same/end"])], |_| true).unwrap();
    let two = build(&[set(Space::Path, &["/a/same/end", "/b/same/end"])], |_| true).unwrap();
    assert_eq!(one.states, two.states);
}
