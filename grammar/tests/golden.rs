//! The corpus and the wrong policies beside it: every good file gives no error, every bad one the errors that are
//! written down. `INSTA_UPDATE=always cargo test -p ebsec-grammar` writes them anew.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ebsec_grammar::ast::Span;
use ebsec_grammar::{SyntaxError, parse};

/// The files of a golden folder with this ending whose names begin so, in order.
fn files(folder: &str, prefix: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(folder);
    let mut found: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix))
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect();
    found.sort();
    found
}

/// `line:column`, both from one, columns in characters.
fn place(text: &str, span: Span) -> String {
    let before = &text[..span.start as usize];
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    format!("{}:{}", before.matches('\n').count() + 1, before[line..].chars().count() + 1)
}

fn render(text: &str, errors: &[SyntaxError]) -> String {
    let mut out = String::new();
    for error in errors {
        let _ = writeln!(out, "{}: {} {}", place(text, error.span), error.code, error.message);
        let shown = text[error.span.start as usize..error.span.end as usize].escape_debug();
        let _ = writeln!(out, "    at `{shown}`");
        for (span, note) in &error.related {
            let _ = writeln!(out, "    {}: {note}", place(text, *span));
        }
        if let Some(help) = &error.help {
            let _ = writeln!(out, "    help: {help}");
        }
    }
    out
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn good_files_have_no_errors() {
    let good: Vec<PathBuf> =
        files("syntax", "", "ebsec").into_iter().filter(|p| !p.file_name().unwrap().to_str().unwrap().starts_with("bad_")).collect();
    assert!(good.len() >= 14, "{good:?}");
    for path in good {
        let text = read(&path);
        let tree = parse(&text);
        assert!(tree.errors().is_empty(), "{}\n{}", path.display(), render(&text, &tree.syntax_errors()));
        assert!(!tree.items().is_empty());
        let crlf = parse(&text.replace('\n', "\r\n"));
        assert!(crlf.errors().is_empty() && crlf.items().len() == tree.items().len(), "{} with CRLF", path.display());
    }
}

#[test]
fn bad_probes_have_errors() {
    let probes = files("syntax", "bad_", "ebsec");
    assert!(probes.len() >= 5, "{probes:?}");
    let mut all = String::new();
    for path in probes {
        let text = read(&path);
        let errors = render(&text, &parse(&text).syntax_errors());
        assert!(!errors.is_empty(), "{}", path.display());
        let _ = writeln!(all, "== {}\n{errors}", path.file_name().unwrap().to_str().unwrap());
    }
    insta::assert_snapshot!(all);
}

#[test]
fn wrong_policies_have_the_errors_beside_them() {
    let bless = std::env::var("INSTA_UPDATE").is_ok_and(|v| v == "always");
    let wrong = files("bad", "syntax_", "ebsec");
    assert!(wrong.len() >= 25, "{}", wrong.len());
    let mut failures = String::new();
    for path in &wrong {
        let text = read(path);
        let errors = render(&text, &parse(&text).syntax_errors());
        assert!(!errors.is_empty(), "{}", path.display());
        let beside = path.with_extension("stderr");
        if bless {
            fs::write(&beside, &errors).unwrap();
        } else if fs::read_to_string(&beside).ok().as_deref() != Some(&errors) {
            let _ = writeln!(failures, "== {} now gives\n{errors}", path.display());
        }
    }
    assert!(failures.is_empty(), "{failures}\nset INSTA_UPDATE=always if this is right");
    for beside in files("bad", "syntax_", "stderr") {
        assert!(beside.with_extension("ebsec").exists(), "{} belongs to no policy", beside.display());
    }
}

/// Every code is given by a golden or by a test of limits, and no other code is given.
#[test]
fn every_code_has_an_example() {
    let mut seen: Vec<&str> = files("bad", "syntax_", "ebsec")
        .iter()
        .chain(&files("syntax", "bad_", "ebsec"))
        .flat_map(|path| parse(&read(path)).syntax_errors())
        .map(|error| error.code)
        .chain(["E0100", "E0127", "E0132"])
        .collect();
    seen.sort_unstable();
    seen.dedup();
    let codes: Vec<&str> = ebsec_grammar::codes().iter().map(|(code, _)| *code).collect();
    assert_eq!(seen, codes);
}
