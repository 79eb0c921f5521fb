//! `mixed-scripts`: a word in a string that has letters of several alphabets, some of which look the same.

use crate::diag::codes;
use crate::lint::context::TextFile;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use crate::source::{Loc, Span};
use ebsec_grammar::TokenKind;

pub const LINT: Lint = Lint { code: codes::MIXED_SCRIPTS, check: Check::Text(check) };

/// Alphabets whose letters look like each other's.
fn script(c: char) -> Option<&'static str> {
    Some(match c {
        'a'..='z' | 'A'..='Z' | '\u{00c0}'..='\u{024f}' => "Latin",
        '\u{0370}'..='\u{03ff}' | '\u{1f00}'..='\u{1fff}' => "Greek",
        '\u{0400}'..='\u{052f}' => "Cyrillic",
        '\u{0530}'..='\u{058f}' => "Armenian",
        '\u{13a0}'..='\u{13ff}' => "Cherokee",
        '\u{ff21}'..='\u{ff5a}' => "full-width",
        _ => return None,
    })
}

fn check(file: &TextFile<'_>, report: &mut Report<'_>) {
    if file.text.is_ascii() {
        return;
    }
    for token in ebsec_grammar::tokens(file.text).filter(|t| t.kind == TokenKind::Str) {
        let slice = file.text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default();
        if slice.is_ascii() {
            continue;
        }
        let mut at = token.span.start;
        for word in slice.split_inclusive(|c: char| script(c).is_none()) {
            let text = word.trim_end_matches(|c: char| script(c).is_none());
            mixed(text, Loc::new(file.file, Span { start: at, end: at + text.len() as u32 }), report);
            at += word.len() as u32;
        }
    }
}

fn mixed(word: &str, loc: Loc, report: &mut Report<'_>) {
    let Some(first) = word.chars().find_map(script) else { return };
    let Some((other, second)) = word.chars().find_map(|c| script(c).filter(|s| *s != first).map(|s| (c, s))) else { return };
    let message = format!("`{word}` mixes {first} and {second} letters");
    let finding = report.at(loc, message).note(format!("`{other}` is U+{:04X}, a {second} letter", u32::from(other)));
    report.push(finding.help("write the word in one alphabet"));
}
