//! A table in Markdown, for the comment of a merge request or the summary of a job. No character of a finding is markup: what
//! stands in backticks is code, the rest is text.

use super::item::Item;
use super::page_name;
use crate::diag::text::markdown;
use std::fmt::Write;

pub(super) fn document(items: &[Item<'_>], summary: &str) -> String {
    if items.is_empty() {
        return "**ebsec**: no findings\n".to_owned();
    }
    let mut out = format!("**ebsec**: {summary}\n\n| level | place | finding |\n|---|---|---|\n");
    for item in items {
        let (at, finding) = (&item.at, item.finding);
        let place = format!("{}:{}:{}", markdown(at.path), at.start.line, at.start.column);
        let message = item.whole_message().lines().map(words).collect::<Vec<_>>().join("<br>");
        let code = format!("**{}** {}", finding.code, page_name(item));
        let _ = writeln!(out, "| {} | <code>{place}</code> | {code}: {message} |", finding.level.name());
    }
    out
}

/// A line with what is in backticks as code.
fn words(line: &str) -> String {
    let mut parts: Vec<&str> = line.split('`').collect();
    // A last backtick that none closes is a character.
    let open = if parts.len().is_multiple_of(2) { parts.pop() } else { None };
    let part = |(index, part): (usize, &&str)| match index % 2 {
        0 => markdown(part),
        _ => format!("<code>{}</code>", markdown(part)),
    };
    let mut out: String = parts.iter().enumerate().map(part).collect();
    if let Some(open) = open {
        out.push_str(&markdown("`"));
        out.push_str(&markdown(open));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn backticks_make_code_and_nothing_else_does() {
        assert_eq!(words("no `a_b` and `c|`"), "no <code>a&#95;b</code> and <code>c&#124;</code>");
        assert_eq!(words("`a` [x](y) `"), "<code>a</code> &#91;x&#93;&#40;y&#41; &#96;");
    }
}
