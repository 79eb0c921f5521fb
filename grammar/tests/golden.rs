//! The corpus and the wrong policies beside it: every good file gives no error, every bad one the errors that are
//! written down. `EBSEC_BLESS=1` writes them anew.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ebsec_grammar::ast::Span;
use ebsec_grammar::{SyntaxError, parse};
use ebsec_test_support::{Goldens, folder};

/// The policies of a golden folder whose names begin so, in order.
fn policies(name: &str, prefix: &str) -> Vec<PathBuf> {
    let mut found = ebsec_test_support::files(&folder(name), "ebsec");
    found.retain(|path| stem(path).starts_with(prefix));
    found
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// `line:column`, both from one, columns in characters.
fn place(text: &str, span: Span) -> String {
    let before = &text[..span.start as usize];
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    format!("{}:{}", before.matches('\n').count() + 1, before[line..].chars().count() + 1)
}

fn render(source: &str, errors: &[SyntaxError]) -> String {
    let mut out = String::new();
    for error in errors {
        let _ = writeln!(out, "{}: {} {}", place(source, error.span), error.code, error.message);
        let shown = source[error.span.start as usize..error.span.end as usize].escape_debug();
        let _ = writeln!(out, "    at `{shown}`");
        for (span, note) in &error.related {
            let _ = writeln!(out, "    {}: {note}", place(source, *span));
        }
        if let Some(help) = &error.help {
            let _ = writeln!(out, "    help: {help}");
        }
        for (span, text) in &error.guesses {
            let _ = writeln!(out, "    {}: perhaps `{text}`", place(source, *span));
        }
    }
    out
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn good_files_have_no_errors() {
    let good: Vec<PathBuf> = policies("syntax", "").into_iter().filter(|p| !stem(p).starts_with("bad_")).collect();
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

/// Checks the errors of some policies against the files beside them.
fn errors_beside(name: &str, prefix: &'static str, owned: fn(&str) -> bool, least: usize) {
    let wrong = policies(name, prefix);
    assert!(wrong.len() >= least, "{}", wrong.len());
    let mut goldens = Goldens::some(folder(name), "stderr", owned);
    for path in &wrong {
        let text = read(path);
        let errors = render(&text, &parse(&text).syntax_errors());
        assert!(!errors.is_empty(), "{}", path.display());
        goldens.check(stem(path), &errors);
    }
    goldens.finish();
}

#[test]
fn bad_probes_have_errors() {
    errors_beside("syntax", "bad_", |_| true, 5);
}

#[test]
fn wrong_policies_have_the_errors_beside_them() {
    errors_beside("bad", "syntax_", |name| name.starts_with("syntax_"), 25);
}
