//! Foreign text made fit to be shown. Takes what comes from sources, paths, names of files and tests, TOML and the
//! environment; gives text that neither a terminal nor the log of a CI system obeys, and that never begins a line of
//! its own. Everything that is printed goes through here; nothing else escapes.

use serde::Serialize;
use std::borrow::Cow;

/// Whether a character could change what a terminal or a reader sees of its neighbours: control characters, those that
/// change the order of text, and those that cannot be seen.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// Foreign text as a part of a line, which it never breaks and whose beginning it may be.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| true)
}

/// Finished text of several lines: line feeds and tabs stay, each line is safe by itself.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| !matches!(c, '\n' | '\t'))
}

/// At most so many bytes of a text, with `…` for what is left out.
#[must_use]
pub fn short(text: &str, most: usize) -> Cow<'_, str> {
    match text.get(..text.floor_char_boundary(most)) {
        Some(start) if start.len() < text.len() => Cow::Owned(format!("{start}…")),
        _ => Cow::Borrowed(text),
    }
}

/// A value as JSON, with a line feed at its end. Hidden characters and the marks of commands are JSON's own escapes, so
/// that the value that is read from it is the same.
#[must_use]
pub fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned());
    let mut out = String::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices() {
        // Outside of strings there is none of these but the line feeds of the layout.
        match c != '\n' && is_refused(text.get(at..).unwrap_or_default(), c) {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
            false => out.push(c),
        }
    }
    out.push('\n');
    out
}

/// Adds a character that is refused, as an escape.
pub(super) fn escape(out: &mut String, c: char) {
    match c {
        '\n' | '\r' | '\t' => out.extend(c.escape_default()),
        _ => out.extend(c.escape_unicode()),
    }
}

/// Whether a character is not shown as it is; `rest` begins with it. Apart from hidden ones these are the marks by which
/// CI systems know commands anywhere in a line: `##[…`, `##vso[…` (Azure Pipelines, GitHub, TeamCity) and
/// `section_start:1…` (GitLab).
pub(super) fn is_refused(rest: &str, c: char) -> bool {
    match c {
        '#' => rest.strip_prefix("##").is_some_and(|r| r.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('[')),
        's' => ["section_start:", "section_end:"].iter().any(|mark| rest.starts_with(mark)),
        _ => is_hidden(c),
    }
}

/// The text with what is refused as escapes, and the colons of `::command` (GitHub) too where a line begins with them.
fn escaped(text: &str, hides: impl Fn(char) -> bool) -> Cow<'_, str> {
    let mut out = String::new();
    // Up to here the text is in `out`, if anything had to be escaped.
    let mut done = 0;
    let mut at_start = true;
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        let refused = (is_refused(rest, c) && hides(c)) || (c == ':' && at_start && is_command(rest));
        at_start = (c == '\n' && !refused) || (at_start && c.is_whitespace() && !refused);
        if refused {
            out.push_str(text.get(done..at).unwrap_or_default());
            escape(&mut out, c);
            done = at + c.len_utf8();
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// `::error …`, and no IPv6 address.
fn is_command(rest: &str) -> bool {
    let word = rest.strip_prefix("::").unwrap_or_default();
    let letters = word.find(|c: char| !c.is_ascii_alphabetic() && c != '-').unwrap_or(word.len());
    letters > 0 && !word.get(letters..).unwrap_or_default().starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn foreign_text_stays_in_its_line() {
        assert_eq!(line("a\nb\tc\rd"), r"a\nb\tc\rd");
        assert_eq!(line("\u{1b}[2J\u{9b}1m\u{7f}"), r"\u{1b}[2J\u{9b}1m\u{7f}");
        for c in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{ad}', '\u{2028}', '\u{85}', '\u{e0041}', '\u{fe0f}', '\u{3164}'] {
            assert_eq!(line(&format!("a{c}b")), format!("a{}b", c.escape_unicode()));
        }
        assert!(matches!(line("päckchen 包 🦀 a::b #[x] ## [y]"), Cow::Borrowed(_)));
        assert_eq!(lines("a\n\tb\u{7}\n"), "a\n\tb\\u{7}\n");
    }

    #[test]
    fn commands_of_ci_systems_cannot_be_made() {
        assert_eq!(line("::error::x"), r"\u{3a}:error::x");
        assert_eq!(line("  \u{a0}::add-mask::x"), "  \u{a0}\\u{3a}:add-mask::x");
        assert_eq!(lines("a\n ::stop-commands::x\n::1 ::ffff b"), "a\n \\u{3a}:stop-commands::x\n::1 ::ffff b");
        assert_eq!(line("a ##[error]b ##vso[task]c ##teamcity[x]"), r"a \u{23}#[error]b \u{23}#vso[task]c \u{23}#teamcity[x]");
        assert_eq!(line("###[a]"), r"#\u{23}#[a]");
        assert_eq!(line("section_start:12:x\r\u{1b}[0K"), r"\u{73}ection_start:12:x\r\u{1b}[0K");
        // What is escaped is not escaped again.
        let once = line("::a\n##[b]\u{1b}").into_owned();
        assert_eq!(lines(&once), once);
    }

    #[test]
    fn json_means_the_same() {
        let value = serde_json::json!({"a\u{202e}": "\u{1b}\u{7f}\u{9b}\n::error::\n##[group]\u{e0041}", "b": ["é", 1]});
        let text = json(&value);
        assert!(text.chars().all(|c| c == '\n' || !is_hidden(c)) && !text.contains("##[") && text.contains('é'), "{text}");
        assert!(text.lines().all(|l| !l.trim_start().starts_with("::")));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(short("äöü", 3), "ä…");
        assert_eq!(short("abc", 3), "abc");
    }
}
