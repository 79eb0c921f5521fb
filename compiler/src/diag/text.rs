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
    safe_json(&serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned()))
}

/// The same in one line.
#[must_use]
pub fn json_line(value: &impl Serialize) -> String {
    safe_json(&serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
}

fn safe_json(text: &str) -> String {
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

/// Several lines as the message of a workflow command of GitHub: `%0A` is a line feed there. Each line is safe by itself.
#[must_use]
pub fn github_message(text: &str) -> String {
    text.lines().map(|text| line(text).replace('%', "%25")).collect::<Vec<_>>().join("%0A")
}

/// Foreign text as a property of a workflow command of GitHub, which a comma ends.
#[must_use]
pub fn github_property(text: &str) -> Cow<'_, str> {
    replaced(line(text), &[('%', "%25"), (':', "%3A"), (',', "%2C")])
}

/// Several lines as the message of a logging command of Azure Pipelines: `%0A` is a line feed there.
#[must_use]
pub fn azure_message(text: &str) -> String {
    text.lines().map(|text| line(text).replace('%', "%AZP25")).collect::<Vec<_>>().join("%0A")
}

/// Foreign text as a property of a logging command of Azure Pipelines, which a semicolon or a bracket ends.
#[must_use]
pub fn azure_property(text: &str) -> Cow<'_, str> {
    replaced(line(text), &[('%', "%AZP25"), (';', "%3B"), (']', "%5D")])
}

/// Foreign text in an element or an attribute of XML 1.0. What XML cannot hold in any form is escaped as elsewhere.
#[must_use]
pub fn xml(text: &str) -> String {
    let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&apos;")];
    replaced(line(text), &escapes).replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
}

/// Foreign text in Markdown, of which no character is markup.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut out = String::new();
    for c in line(text).chars() {
        // A stop, a comma, a hyphen or a slash between words is none, and text stays readable.
        match c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '-' | '/' | ':' | ';') {
            true => out.push_str(&format!("&#{};", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

/// Several lines as a message of SARIF, in which `[text](target)` would be a link.
#[must_use]
pub fn sarif(text: &str) -> String {
    text.replace("](", "\\](")
}

/// A path as a relative reference of a URI.
#[must_use]
pub fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    if out.is_empty() { ".".to_owned() } else { out }
}

fn replaced<'t>(text: Cow<'t, str>, escapes: &[(char, &str)]) -> Cow<'t, str> {
    if !text.contains(|c| escapes.iter().any(|(own, _)| *own == c)) {
        return text;
    }
    let mut out = String::new();
    for c in text.chars() {
        match escapes.iter().find(|(own, _)| *own == c) {
            Some((_, escape)) => out.push_str(escape),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
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
    fn each_syntax_has_its_escapes() {
        let foreign = "a%0A,b:;]<&\"'>\u{1b}\n::error::x";
        assert_eq!(github_message("a%0A\nb\u{1b}\n::error::x"), r"a%250A%0Ab\u{1b}%0A\u{3a}:error::x");
        assert_eq!(github_property(foreign), r#"a%250A%2Cb%3A;]<&"'>\u{1b}\n%3A%3Aerror%3A%3Ax"#);
        assert_eq!(azure_message("a%0A\n##vso[x]"), r"a%AZP250A%0A\u{23}#vso[x]");
        assert_eq!(azure_property(foreign), r#"a%AZP250A,b:%3B%5D<&"'>\u{1b}\n::error::x"#);
        assert_eq!(xml(foreign), r"a%0A,b:;]&lt;&amp;&quot;&apos;&gt;\u{1b}\n::error::x");
        assert_eq!(markdown("a|b_c [d](e) <f> @g"), "a&#124;b&#95;c &#91;d&#93;&#40;e&#41; &#60;f&#62; &#64;g");
        assert_eq!((sarif("[a](b)"), uri("ä b:c/d.ebsec"), uri("")), (r"[a\](b)".into(), "%C3%A4%20b%3Ac/d.ebsec".into(), ".".into()));
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(short("äöü", 3), "ä…");
        assert_eq!(short("abc", 3), "abc");
    }
}
