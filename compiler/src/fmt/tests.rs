//! The look at the result: faults of a layout, planted one at a time, are each seen.
#![allow(clippy::unwrap_used)]

use super::{Refused, check, format};
use ebsec_grammar::parse;

const TEXT: &str = r#"//! About the file.

import std.programs
import std.paths

let tools: set<path> = ["/bin/a", "/bin/b"] // both
/// What it is for.
policy p {
    // A rule.
    a: deny exec when (file.path in tools) and not (process.uid == 0 or process.container) because "x"
}
test "t" {
    process q = { exe = "/bin/q" }
    q exec "/bin/a" => deny by p.a
}
"#;

/// What the look says of a formatted text in which one text is replaced.
#[track_caller]
fn planted(from: &str, to: &str) -> Option<&'static str> {
    let out = format(TEXT).unwrap();
    let changed = out.replacen(from, to, 1);
    assert_ne!(out, changed, "nothing to replace in\n{out}");
    check::difference(&parse(TEXT), &parse(&changed))
}

#[test]
fn what_is_formatted_is_the_same() {
    let text = "let a = [\n    1,\n]\n";
    assert_eq!(check::difference(&parse(text), &parse(&text.replace(",", ""))), None, "the comma behind an element is no word");
    assert_eq!(planted("import std.paths\nimport std.programs", "import std.programs\nimport std.paths"), None);
    assert_eq!(planted("import std.paths\n", "\nimport  std.paths\n"), None);
}

#[test]
fn a_lost_comment_is_seen() {
    assert_eq!(planted("// both", ""), Some("comments differ"));
    assert_eq!(planted("// A rule.", ""), Some("comments differ"));
    assert_eq!(planted("//! About the file.", "//! About a file."), Some("comments differ"));
}

#[test]
fn comments_that_change_places_are_seen() {
    let moved = TEXT.replace("// both", "// A").replace("// A rule.", "// both");
    assert_eq!(check::difference(&parse(TEXT), &parse(&moved)), Some("comments differ"));
}

#[test]
fn a_lost_bracket_is_seen() {
    assert_eq!(planted("(file.path in tools)", "file.path in tools"), Some("words differ"));
    assert_eq!(planted("(process.uid == 0", "process.uid == 0"), Some("the result does not parse"));
    assert_eq!(planted("\n}\n", "\n"), Some("the result does not parse"));
}

#[test]
fn a_changed_word_is_seen() {
    assert_eq!(planted("process.uid == 0", "process.uid == 00"), Some("the result does not parse"));
    assert_eq!(planted("\"/bin/b\"", "\"/bin/bb\""), Some("words differ"));
    assert_eq!(planted("std.paths", "std.path"), Some("words differ"));
    assert_eq!(planted("/// What it is for.", "/// What it is."), Some("words differ"));
}

#[test]
fn the_same_words_with_another_meaning_are_seen() {
    let text = "/// a\n/// b\nlet a = b\n";
    assert_eq!(check::difference(&parse(text), &parse("/// a\n\n/// b\nlet a = b\n")), None);
    let text = "policy p {\n    a: deny exec when x in [::1]\n}\n";
    assert!(check::difference(&parse(text), &parse(&text.replace("::1", ":: 1"))).is_some());
}

#[test]
fn what_does_not_parse_is_refused_with_what_is_wrong() {
    let Err(Refused::Syntax(errors)) = format("policy p {\n    a: deny exec when\n}\n") else { unreachable!() };
    assert!(errors.iter().all(|error| error.code.starts_with("E01")) && !errors.is_empty());
}
