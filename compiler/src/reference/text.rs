//! Topics as text for a terminal.

use super::{KINDS, Kind, Section, Topic, of, topic};
use crate::diag::page::wrapped;
use std::fmt::Write as _;

impl Topic {
    /// The topic for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let label = if self.label.is_empty() || self.label == self.kind.name() { String::new() } else { format!(" · {}", self.label) };
        let mut out = format!("{}: {}\n{}{label}\n", self.name, self.summary, self.kind.name());
        for section in &self.sections {
            let _ = match section {
                Section::Text(text) => write!(out, "\n{}\n", wrapped(text)),
                Section::Line(title, value) | Section::Topic(title, _, value) => write!(out, "\n{title}: {value}\n"),
                Section::Topics(title, kind, names) => write!(out, "\n{title}:\n{}", table(names.iter().filter_map(|n| topic(*kind, n)))),
                Section::Rows(title, rows) => write!(out, "\n{title}:\n{}", columns(rows.iter().map(|row| row.as_slice()))),
                Section::Example(code) => write!(out, "\n{}", indented(code)),
            };
        }
        out
    }
}

/// Every topic with its sentence, by kind; of the library only the modules, which list their names.
#[must_use]
pub fn listed() -> String {
    KINDS.iter().fold(String::new(), |mut out, kind| {
        let shown = of(*kind).filter(|topic| topic.kind != Kind::Library || topic.label == "module");
        let _ = writeln!(out, "{}\n{}", kind.title(), table(shown));
        out
    })
}

/// Topics in aligned columns: names, labels and sentences.
fn table<'t>(topics: impl Iterator<Item = &'t Topic>) -> String {
    let rows: Vec<[&str; 3]> = topics.map(|topic| [topic.name.as_str(), topic.label.as_str(), topic.summary.as_str()]).collect();
    let labels = rows.iter().any(|[_, label, _]| !label.is_empty());
    match labels {
        true => columns(rows.iter().map(|row| row.as_slice())),
        false => columns(rows.iter().map(|[name, _, summary]| [*name, *summary]).collect::<Vec<_>>().iter().map(|row| row.as_slice())),
    }
}

/// Rows in aligned columns.
fn columns<'r, S: AsRef<str> + 'r>(rows: impl Iterator<Item = &'r [S]> + Clone) -> String {
    let width = |at: usize| rows.clone().filter_map(|row| row.get(at)).map(|text| text.as_ref().chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..3).map(width).collect();
    let line = |row: &[S]| {
        let cells = row.iter().zip(&widths).map(|(text, width)| format!("  {:width$}", text.as_ref()));
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    rows.clone().map(line).collect()
}

fn indented(code: &str) -> String {
    code.lines().map(|line| format!("{}\n", format!("    {line}").trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "bcd", "e"], ["fgh", "i", "j"]];
        assert_eq!(columns(rows.iter().map(|row| row.as_slice())), "  a    bcd  e\n  fgh  i    j\n");
    }

    #[test]
    fn every_topic_is_listed_and_has_a_text() {
        let list = listed();
        for topic in super::super::topics() {
            assert!(topic.shown().starts_with(&format!("{}: ", topic.name)));
            assert!(topic.kind == Kind::Library || list.contains(&format!("\n  {} ", topic.name)), "{}", topic.name);
        }
    }
}
