//! Whatever the text, `parse` ends soon, does not panic, and gives places that are places of the text.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use ebsec_grammar::ast::{CondKind, File, ItemKind, MemberKind};
use ebsec_grammar::{MAX_BYTES, MAX_DEPTH, MAX_ERRORS, SyntaxError, parse};
use proptest::prelude::*;

/// The texts of the corpus, good and bad.
fn corpus() -> Vec<String> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
    let mut paths: Vec<_> = ["syntax", "bad"]
        .iter()
        .flat_map(|folder| fs::read_dir(golden.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "ebsec"))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// The tree as one file, and what is wrong with it.
struct Parse {
    file: File,
    errors: Vec<SyntaxError>,
}

/// Parses, and checks what holds for every text.
fn checked(text: &str) -> Parse {
    let tree = parse(text);
    let parts: String = tree.parts().iter().map(|part| tree.slice(part)).collect();
    assert!(parts == text, "each byte is in exactly one part");
    let parsed = Parse { file: tree.whole(), errors: tree.syntax_errors() };
    let mut last = 0;
    for error in &parsed.errors {
        let places = error.related.iter().chain(&error.guesses).map(|(span, _)| *span).chain([error.span]);
        for span in places {
            assert!(text.get(span.start as usize..span.end as usize).is_some(), "{error:?} is no place");
        }
        assert!(error.span.start >= last, "errors are in order");
        last = error.span.start;
        let first = error.message.chars().next().unwrap();
        assert!(!first.is_uppercase() && !error.message.ends_with('.'), "{}", error.message);
        for internal in ["Rule", "only_", "bad_", "k_", "rbracket", "labelless", "colonless"] {
            assert!(text.contains(internal) || !error.message.contains(internal), "{}", error.message);
        }
    }
    let mut end = 0;
    for item in &parsed.file.items {
        assert!(item.span.start >= end && item.span.end > item.span.start, "items are in order");
        end = item.span.start + 1;
        let source = text.get(item.span.start as usize..item.span.end as usize).unwrap();
        // Other white space is no blank to the grammar, but a mistake with a place.
        let blank = |c: char| ('\t'..=' ').contains(&c);
        assert!(source.trim_matches(blank) == source, "spans have no blanks around them");
    }
    assert!(parsed.errors.len() <= MAX_ERRORS + 1);
    parsed
}

fn codes(parsed: &Parse) -> Vec<&'static str> {
    let mut codes: Vec<_> = parsed.errors.iter().map(|e| e.code).collect();
    codes.dedup();
    codes
}

#[test]
fn a_file_over_the_limit_is_refused_with_one_error() {
    let text = "a".repeat(MAX_BYTES + 1);
    assert_eq!(codes(&checked(&text)), ["E0100"]);
    let fits = format!("let a = [1]{}", " ".repeat(MAX_BYTES - 11));
    assert!(checked(&fits).errors.is_empty());
}

#[test]
fn deep_brackets_blank_their_item_alone() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("([{", ""), ("f(", "")] {
        for depth in [MAX_DEPTH, 1_000, 100_000] {
            let text = format!(
                "let a = [1]\npolicy p {{ a: deny exec when {}file.memfd{} }}\n/// d\npolicy q {{ b: deny , exec }}\nlet z = [1]",
                open.repeat(depth),
                close.repeat(depth)
            );
            let parsed = checked(&text);
            assert!(codes(&parsed).contains(&"E0102"), "{open} {depth}");
            assert!(codes(&parsed).contains(&"E0101"), "the policy after it is read: {open} {depth} {:?}", parsed.errors);
            assert!(parsed.file.items.len() >= 3, "{open} {depth}");
        }
    }
}

#[test]
fn brackets_up_to_the_limit_are_read() {
    let inner = MAX_DEPTH - 1;
    let text = format!("policy p {{ a: deny exec when {}file.memfd{} }}", "(".repeat(inner), ")".repeat(inner));
    let parsed = checked(&text);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let ItemKind::Policy(policy) = &parsed.file.items.first().unwrap().kind else { panic!("a policy") };
    let MemberKind::Rule(rule) = &policy.members.first().unwrap().kind else { panic!("a rule") };
    assert!(matches!(rule.when.as_ref().unwrap().kind, CondKind::Bare(_)));
    let sets = format!("let a = {}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(checked(&sets).errors.is_empty());
}

#[test]
fn long_chains_do_not_nest() {
    let nots = format!("fn f() = {}a", "not ".repeat(100_000));
    assert_eq!(codes(&checked(&nots)), ["E0127"]);
    let sums = format!("let a = b{}", " + b".repeat(100_000));
    assert_eq!(codes(&checked(&sums)), ["E0127"]);
    let ands = format!("fn f() = a{}", " and a".repeat(100_000));
    assert!(checked(&ands).errors.is_empty());
}

#[test]
fn errors_are_counted() {
    let text = format!("policy p {{\n{}}}", "a: deny ,\n".repeat(MAX_ERRORS * 2));
    let parsed = checked(&text);
    assert_eq!(parsed.errors.len(), MAX_ERRORS + 1);
    assert_eq!(parsed.errors.last().unwrap().code, "E0132");
}

/// Texts that would be slow if anything went back over the same text again and again. (No time is asserted: what is
/// quadratic does not end.)
#[test]
fn repeated_pieces_are_read_in_linear_time() {
    let pieces = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "{ a ",
        "{ a }",
        "a: deny ",
        "a: deny exec {",
        "\"",
        "\"a\" ",
        "'",
        "'a' ",
        "/// doc\n",
        "//// c\n",
        "/* ",
        "/* */ ",
        "# ",
        "policy ",
        "policy p {\n",
        "policy p ",
        "test \"",
        "test \"a\" {\n",
        "test \"a\" {\n a b => allow\n",
        "except a ",
        "except a when b\n",
        "mark a per b\n",
        "mark a ",
        "let a = ",
        "let a = [",
        "let a = [1]\n",
        "a ",
        "a = ",
        "a.",
        ":",
        "::",
        "1..",
        "a::b ",
        "=> ",
        "and ",
        "not ",
        "!",
        "+ a ",
        ",",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\0a",
        "\u{feff}",
        "\u{202e}x",
        "é",
        "default deny ",
        "when a ",
        "when ",
        "with {a=1} ",
        "\\",
        "\"\\",
        "f(",
        "f(a,",
        "f([1",
        "f([1],",
        "let a = [1, ",
        "\n a: b",
        "deny deny ",
        "a deny b ",
        "T1552.004 ",
        "a: deny exec when x == ",
        "import a\n",
        "import ",
        "apply a where ",
        "fn f(a: b, ",
        "-",
        "a-1",
        "[::1]:1 ",
        "\u{85}",
    ];
    for prefix in ["", "policy p {\n", "policy p { a: deny exec when ", "test \"t\" {\n", "let a = ", "fn f() = "] {
        for piece in pieces {
            let text = format!("{prefix}{}", piece.repeat(12_000 / piece.len()));
            drop(checked(&text));
        }
    }
}

#[test]
fn small_stacks_are_enough() {
    let text = corpus().concat();
    let deep = format!("fn f() = {}a{}", "f(not (".repeat(31), "))".repeat(31));
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(move || {
            let _ = checked(&text);
            assert!(checked(&deep).errors.is_empty());
        })
        .unwrap()
        .join()
        .unwrap();
}

/// A text of the corpus with some bytes cut out, doubled or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let texts = corpus();
    let piece = prop_oneof![
        Just(String::new()),
        "[ -~\\n]{1,4}",
        "\\PC{1,2}",
        prop::sample::select(vec![
            "{", "}", "(", ")", "[", "]", "\"", "'", "//", "///", "\n", "\0", "policy ", "when ", "a: deny ", "=", "==", ",", ":"
        ])
        .prop_map(str::to_owned),
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0_usize..24, piece), 1..6);
    (prop::sample::select(texts), edits).prop_map(|(mut text, edits)| {
        for (at, cut, piece) in edits {
            let floor = |at: usize, text: &str| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let start = floor(at.index(text.len() + 1), &text);
            let end = floor(start + cut, &text).max(start);
            text.replace_range(start..end, &piece);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_policies_never_panic(text in mutated()) {
        checked(&text);
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        checked(&text);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        checked(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_words_never_panic(words in prop::collection::vec(prop::sample::select(vec![
        "policy", "p", "{", "}", "(", ")", "[", "]", "a", ":", "deny", "exec", "when", "unless", "because", "\"x\"", "with", "=", "==", "in",
        "and", "or", "not", ",", "let", "test", "=>", "by", "default", "mark", "per", "for", "10m", "1..5", "::1", "/// d\n", "\n", "except",
        "apply", "where", "until", "2027-01-01", "import", "fn", "param", "<", ">", "+", "-", "'", "\"", "//", ".", "10.0.0.1:80", "[::1]:80", "times", "process",
    ]), 0..60)) {
        checked(&words.join(" "));
    }
}
