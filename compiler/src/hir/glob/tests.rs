//! Patterns against paths, one line a case.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::hir::Space;
use crate::hir::glob::matches;
use proptest::prelude::*;

fn is(pattern: &str, path: &str) -> bool {
    matches(&parse(pattern, Kind::Path).unwrap(), path.as_bytes(), Space::Path)
}

#[test]
fn patterns_match_what_they_say() {
    let yes = [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/*", "/a/b"),
        ("/a/*.c", "/a/.c"),
        ("/a/**", "/a/b"),
        ("/a/**", "/a/b/c"),
        ("/**", "/a"),
        ("/**/x", "/x"),
        ("/**/x", "/a/b/x"),
        ("/a/**/x", "/a/x"),
        ("/a/**/b/**/x", "/a/b/x"),
        ("/a/**/b/**/x", "/a/1/b/2/3/x"),
        ("/a?c", "/abc"),
        ("/[a-c]", "/b"),
        ("/[!a-c]", "/d"),
        ("/{a,b{c,d}}", "/bd"),
        ("/{usr/,}bin/ls", "/bin/ls"),
        ("/{usr/,}bin/ls", "/usr/bin/ls"),
        (r"/a\*", "/a*"),
        ("/a,b", "/a,b"),
        ("/...", "/..."),
        ("/.*", "/.x"),
        ("/é?", "/éx"),
    ];
    for (pattern, path) in yes {
        assert!(is(pattern, path), "{pattern} {path}");
    }
    let no = [
        ("/a/*", "/a/b/c"),
        ("/a/**", "/a"),
        ("/a*", "/a/b"),
        ("/a?c", "/a/c"),
        ("/[!a-c]", "/"),
        ("/**/x", "/ax"),
        ("/a/**/x", "/a/bx"),
        ("/a/**/x", "/ax"),
        ("/{a,b{c,d}}", "/b"),
        (r"/a\*", "/ab"),
    ];
    for (pattern, path) in no {
        assert!(!is(pattern, path), "{pattern} {path}");
    }
}

#[test]
fn mistakes_are_named_at_their_place() {
    let cases = [
        ("", Problem::Empty, 0),
        ("etc", Problem::Relative, 0),
        ("/a/", Problem::TrailingSlash, 2),
        ("/a//b", Problem::EmptySegment, 3),
        ("/a/./b", Problem::DotSegment, 3),
        ("/a/../b", Problem::DotSegment, 3),
        ("/a/..", Problem::DotSegment, 3),
        ("/a/{.,b}", Problem::DotSegment, 7),
        ("/a/{b,}/c", Problem::EmptySegment, 7),
        ("/a**", Problem::BadStars, 2),
        ("/a/**b", Problem::BadStars, 3),
        ("/***", Problem::BadStars, 1),
        ("/{a,**}", Problem::BadStars, 4),
        ("/a/**/", Problem::TrailingSlash, 5),
        ("/a/**//b", Problem::EmptySegment, 6),
        ("/{a", Problem::BadBraces, 1),
        ("/a}", Problem::BadBraces, 2),
        ("/{a}", Problem::BadBraces, 1),
        ("/[a", Problem::BadClass, 1),
        ("/[]", Problem::BadClass, 1),
        ("/[z-a]", Problem::BadClass, 2),
        ("/[^a]", Problem::BadClass, 2),
        ("/[a/]", Problem::BadClass, 3),
        ("/a\\", Problem::ForbiddenByte, 2),
        ("/a\0", Problem::ForbiddenByte, 2),
    ];
    for (pattern, problem, offset) in cases {
        let error = parse(pattern, Kind::Path).expect_err(pattern);
        assert_eq!((error.problem, error.offset), (problem, offset), "{pattern}: {}", error.message);
    }
    assert_eq!(parse(&format!("/{}", "a".repeat(256)), Kind::Path).unwrap_err().problem, Problem::SegmentTooLong);
    assert!(parse(&format!("/{}", "a".repeat(255)), Kind::Path).is_ok());
    let long = "/aaa".repeat(1024);
    assert!(parse(&long, Kind::Path).is_ok());
    assert_eq!(parse(&format!("{long}/b"), Kind::Path).unwrap_err().problem, Problem::TooLong);
    assert_eq!(parse("a/b", Kind::Name).unwrap_err().problem, Problem::Slash);
    assert_eq!(parse("..", Kind::Name).unwrap_err().problem, Problem::DotSegment);
    assert_eq!(parse("0123456789abcdef", Kind::Comm).unwrap_err().problem, Problem::TooLong);
    assert!(parse("0123456789abcde", Kind::Comm).is_ok());
    assert!(matches(&parse("kworker/*", Kind::Comm).unwrap(), b"kworker/0:1", Space::Comm));
}

#[test]
fn a_hard_pattern_is_quick() {
    let pattern = format!("/{}b", "*a".repeat(60));
    assert!(!is(&pattern, &format!("/{}", "a".repeat(3000))));
    let deep = format!("/{}x", "**/a/".repeat(60));
    assert!(!is(&deep, &"/a".repeat(1500)));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}", path in "(/[a-c.]{1,3}){1,4}") {
        for kind in [Kind::Path, Kind::Name, Kind::Comm] {
            if let Ok(pattern) = parse(&text, kind) {
                let _ = matches(&pattern, path.as_bytes(), Space::Path);
            }
        }
    }

    #[test]
    fn an_exact_pattern_parses_back_and_matches_itself_only(path in "(/[a-c*?{}\\[\\]\\\\,]{1,6}){1,4}", other in "(/[a-c]{1,3}){1,4}") {
        let pattern = super::super::Pattern::exact(path.as_bytes());
        prop_assert_eq!(&parse(&pattern.text, Kind::Path).unwrap().parts, &pattern.parts);
        prop_assert!(matches(&pattern, path.as_bytes(), Space::Path));
        prop_assert_eq!(matches(&pattern, other.as_bytes(), Space::Path), path == other);
    }
}
