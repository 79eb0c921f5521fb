//! Topics and findings as pages of `docs/reference/`. A test compares them with the files there.

use super::{Kind, Section, Topic, of, syntax};
use crate::diag::codes;
use crate::diag::page::{Block, Page};
use ebsec_templates::{FieldOf, catalog};
use std::fmt::Write as _;

/// What stands at the top of each page.
const GENERATED: &str = "<!-- Made by `EBSEC_BLESS=1 cargo test -p ebsec-compiler --test reference`. Do not edit. -->\n";

/// The pages by the names of their files.
#[must_use]
pub fn pages() -> Vec<(&'static str, String)> {
    let mut properties =
        page("Properties, words and keys", "`ebsec explain NAME` shows the same.", &[Kind::Property, Kind::Word, Kind::Key]);
    properties.push_str("\n## Findings\n\n`[lints]` of `ebsec.toml` sets the levels of [findings](codes.md).\n");
    vec![
        ("events.md", page("Events", EVENTS, &[Kind::Event]) + &planned("events", &catalog().planned_events)),
        ("fields.md", page("Fields", FIELDS, &[Kind::Field]) + &planned("fields", &catalog().planned_fields)),
        ("types-and-operators.md", page("Types and operators", "`ebsec explain NAME` shows the same.", &[Kind::Type, Kind::Operator])),
        ("properties.md", properties),
        ("std.md", page("Names of the library", LIBRARY, &[Kind::Library])),
        ("syntax.md", format!("{GENERATED}\n{}", syntax::page())),
        ("codes.md", findings()),
    ]
}

const EVENTS: &str = "An intent is what people mean: it covers every hook of the kernel by which it can be done. A hook is exact and has the kernel's own name. `ebsec explain NAME` shows the same.";
const FIELDS: &str = "What conditions ask. An event has the fields of its process, and those that all of its hooks have. `ebsec explain NAME` shows the same.";
const LIBRARY: &str =
    "[The library `std`](../std.md) says what the policies are for. `ebsec explain NAME` shows the same, with the values of constants.";

/// What the language has a name for and the compiler refuses.
fn planned(what: &str, names: &[String]) -> String {
    format!("\n## Not built yet\n\nThe language has these {what}, and the compiler refuses them: {}.\n", crate::diag::list(names))
}

/// A page with topics of some kinds: a table of each, then each topic.
fn page(title: &str, about: &str, kinds: &[Kind]) -> String {
    let mut out = format!("{GENERATED}\n# {title}\n\n{about}\n");
    for kind in kinds {
        let labels = of(*kind).any(|topic| !topic.label.is_empty());
        let columns = if labels { "| name | type | meaning |\n|---|---|---|\n" } else { "| name | meaning |\n|---|---|\n" };
        let _ = write!(out, "\n## {}\n\n{columns}", kind.title());
        for topic in of(*kind) {
            let label = if labels { format!("{} | ", cell(&topic.label)) } else { String::new() };
            let _ = writeln!(out, "| {} | {label}{} |", link(topic), cell(&topic.summary));
        }
        of(*kind).filter(|topic| has_section(topic)).for_each(|topic| self::topic(&mut out, topic));
    }
    out
}

/// Whether there is more to say of a topic than its table says.
fn has_section(topic: &Topic) -> bool {
    topic.sections.iter().any(|section| topic.kind != Kind::Library || !matches!(section, Section::Example(_) | Section::Line(..)))
}

fn topic(out: &mut String, topic: &Topic) {
    let _ = write!(out, "\n### {}\n\n{}.\n", heading(topic), capital(&text(&topic.summary)));
    for section in &topic.sections {
        let _ = match section {
            Section::Text(text) => write!(out, "\n{text}\n"),
            Section::Line(title, value) => write!(out, "\n{title}: {value}\n"),
            Section::Topic(title, kind, name) => write!(out, "\n{title}: {}\n", links(*kind, std::slice::from_ref(name))),
            Section::Topics(title, kind, names) => write!(out, "\n{title}: {}\n", links(*kind, names)),
            Section::Rows(title, rows) => {
                let rows: String = rows.iter().map(|[name, what]| format!("| `{name}` | {} |\n", cell(what))).collect();
                write!(out, "\n| {} | |\n|---|---|\n{rows}", title.to_lowercase())
            }
            // The library's constants are in its sources.
            Section::Example(_) if topic.kind == Kind::Library => Ok(()),
            Section::Example(code) => write!(out, "\n```ebsec\n{code}\n```\n"),
        };
    }
}

/// Links to topics. All of a kind, and the fields that every event has, are not listed again each time.
fn links(kind: Kind, names: &[String]) -> String {
    if names.len() > 1 && names.len() == of(kind).count() {
        return format!("all {}", kind.title().to_lowercase());
    }
    let catalog = catalog();
    let of_process = |name: &&String| kind == Kind::Field && catalog.field(name).is_some_and(|id| catalog[id].of == FieldOf::Subject);
    let all_of_process = names.iter().filter(of_process).count() == catalog.fields.iter().filter(|f| f.of == FieldOf::Subject).count();
    let listed = names.iter().filter(|name| !all_of_process || !of_process(name));
    let links: Vec<String> = listed.filter_map(|name| super::topic(kind, name)).map(link).collect();
    match (all_of_process, links.is_empty()) {
        (true, true) => "those of the process".to_owned(),
        (true, false) => format!("those of the process, {}", links.join(", ")),
        _ => links.join(", "),
    }
}

/// An operator is a sign, of which no anchor can be made.
fn heading(topic: &Topic) -> String {
    match topic.kind {
        Kind::Operator => format!("Operator `{}`", topic.name),
        _ => topic.name.clone(),
    }
}

/// A topic as a link to where it is described, from any page.
fn link(topic: &Topic) -> String {
    let file = match topic.kind {
        Kind::Event => "events.md",
        Kind::Field => "fields.md",
        Kind::Type | Kind::Operator => "types-and-operators.md",
        Kind::Property | Kind::Word | Kind::Key => "properties.md",
        Kind::Library => "std.md",
    };
    let name = topic.name.replace('|', r"\|");
    if topic.kind == Kind::Operator || !has_section(topic) {
        return format!("`{name}`");
    }
    let anchor: String = topic.name.to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
    format!("[`{name}`]({file}#{anchor})")
}

/// Plain text as Markdown: signs outside of backticks stand for themselves.
fn text(plain: &str) -> String {
    let mut out = String::new();
    let mut code = false;
    for c in plain.chars() {
        code ^= c == '`';
        if !code && matches!(c, '*' | '<' | '[' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn cell(plain: &str) -> String {
    text(plain).replace('|', r"\|")
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or(String::new(), |first| format!("{}{}", first.to_uppercase(), chars.as_str()))
}

/// Every finding: a table, then the pages.
fn findings() -> String {
    let mut out = format!(
        "{GENERATED}\n# Findings\n\n`ebsec explain CODE` shows a page of this. A code never gets another meaning.\n\n| code | name | level | finds | fix |\n|---|---|---|---|---|\n"
    );
    for page in codes::all() {
        let (code, fix) = (page.code, if page.fix { "yes" } else { "" });
        let _ = writeln!(
            out,
            "| [{code}](#{}) | `{}` | {} | {} | {fix} |",
            code.to_lowercase(),
            page.name,
            page.level_name(),
            cell(page.title)
        );
    }
    codes::all().iter().for_each(|page| finding(&mut out, page));
    out
}

fn finding(out: &mut String, page: &Page) {
    let _ = write!(out, "\n## {}\n", page.code);
    for (at, block) in page.blocks().into_iter().enumerate() {
        let _ = match block {
            Block::Heading(title) if at == 0 => {
                write!(out, "\n**{}** (`{}`, {}, since {})\n", text(title), page.name, page.group, page.since)
            }
            Block::Heading(title) => write!(out, "\n**{}**\n", text(title)),
            Block::Text(text) => write!(out, "\n{text}\n"),
            Block::Code(info, code) => write!(out, "\n```{info}\n{code}\n```\n"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_stand_for_themselves() {
        assert_eq!(text("a * b in `*` or [c]"), r"a \* b in `*` or \[c\]");
        assert_eq!(cell("a|b"), r"a\|b");
        assert_eq!(capital("été"), "Été");
    }
}
