//! `invisible-character`: a string with a character that nobody sees, so that it is another string than it looks like.

use crate::diag::codes;
use crate::lint::context::TextFile;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use crate::source::{Loc, Span};
use ebsec_grammar::TokenKind;

pub const LINT: Lint = Lint { code: codes::INVISIBLE_CHARACTER, check: Check::Text(check) };

/// Whether a character takes no room, or looks like a blank and is none.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}')
        || matches!(c, '\u{00a0}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
        || matches!(c, '\u{ffa0}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn check(file: &TextFile<'_>, report: &mut Report<'_>) {
    if file.text.is_ascii() || !file.text.chars().any(is_invisible) {
        return;
    }
    for token in ebsec_grammar::tokens(file.text).filter(|t| t.kind == TokenKind::Str) {
        let slice = file.text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default();
        let Some((at, c)) = slice.char_indices().find(|(_, c)| is_invisible(*c)) else { continue };
        let start = token.span.start + at as u32;
        let loc = Loc::new(file.file, Span { start, end: start + c.len_utf8() as u32 });
        let escaped = |c: char| if is_invisible(c) { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() };
        let shown: String = slice.chars().map(escaped).collect();
        let finding = report.at(loc, format!("this string has the invisible character U+{:04X}", u32::from(c)));
        let finding = finding.note(format!("the string is {shown}")).help("remove it; if a name really contains it, match it with `?`");
        let seen: String = slice.chars().filter(|c| !is_invisible(*c)).collect();
        report.push(finding.guess("remove the invisible characters", Loc::new(file.file, token.span), seen));
    }
}
