//! Topics as text for a terminal.

use super::{KINDS, Kind, Section, Topic, of, topic};
use crate::diag::page::wrapped;
use std::fmt::Write as _;

impl Topic {
    /// The topic for people, in lines of at most so many columns as far as words allow.
    #[must_use]
    pub fn shown(&self, width: usize) -> String {
        let label = if self.label.is_empty() || self.label == self.kind.name() { String::new() } else { format!(" · {}", self.label) };
        let mut out = format!("{}\n{}{label}\n", wrapped(&format!("{}: {}", self.name, self.summary), width), self.kind.name());
        for section in &self.sections {
            let _ = match section {
                Section::Text(text) => write!(out, "\n{}\n", wrapped(text, width)),
                Section::Line(title, value) | Section::Topic(title, _, value) => {
                    write!(out, "\n{}\n", wrapped(&format!("{title}: {value}"), width))
                }
                Section::Topics(title, kind, names) => {
                    write!(out, "\n{title}:\n{}", table(names.iter().filter_map(|n| topic(*kind, n)), width))
                }
                Section::Rows(title, rows) => write!(out, "\n{title}:\n{}", columns(rows.iter().map(|row| row.as_slice()), width)),
                Section::Example(code) => write!(out, "\n{}", indented(code)),
            };
        }
        out
    }
}

/// Every topic with its sentence, by kind; of the library only the modules, which list their names.
#[must_use]
pub fn listed(width: usize) -> String {
    KINDS.iter().fold(String::new(), |mut out, kind| {
        let shown = of(*kind).filter(|topic| topic.kind != Kind::Library || topic.label == "module");
        let _ = writeln!(out, "{}\n{}", kind.title(), table(shown, width));
        out
    })
}

/// Topics in aligned columns: names, labels and sentences.
pub fn table<'t>(topics: impl Iterator<Item = &'t Topic>, width: usize) -> String {
    let rows: Vec<[&str; 3]> = topics.map(|topic| [topic.name.as_str(), topic.label.as_str(), topic.summary.as_str()]).collect();
    let labels = rows.iter().any(|[_, label, _]| !label.is_empty());
    match labels {
        true => columns(rows.iter().map(|row| row.as_slice()), width),
        false => {
            let rows: Vec<[&str; 2]> = rows.iter().map(|[name, _, summary]| [*name, *summary]).collect();
            columns(rows.iter().map(|row| row.as_slice()), width)
        }
    }
}

/// Least columns of the last cell of a row: below that, lines are as long as they are.
const LEAST: usize = 24;

/// Rows in aligned columns; what does not fit into the last one goes on below it.
fn columns<'r, S: AsRef<str> + 'r>(rows: impl Iterator<Item = &'r [S]> + Clone, most: usize) -> String {
    let width = |at: usize| rows.clone().filter_map(|row| row.get(at)).map(|text| text.as_ref().chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..3).map(width).collect();
    let line = |row: &[S]| {
        let Some((last, before)) = row.split_last() else { return String::new() };
        let before: String = before.iter().zip(&widths).map(|(text, width)| format!("  {:width$}", text.as_ref())).collect();
        let indent = before.chars().count() + 2;
        let text = if most < indent + LEAST { last.as_ref().to_owned() } else { wrapped(last.as_ref(), most - indent) };
        let text = text.replace('\n', &format!("\n{:indent$}", ""));
        format!("{}\n", format!("{before}  {text}").trim_end())
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
        assert_eq!(columns(rows.iter().map(|row| row.as_slice()), 80), "  a    bcd  e\n  fgh  i    j\n");
        let rows = [["a", "one two three four five six"]];
        assert_eq!(columns(rows.iter().map(|row| row.as_slice()), 30), "  a  one two three four five\n     six\n");
    }

    #[test]
    fn every_topic_is_listed_and_has_a_text() {
        let list = listed(80);
        for topic in super::super::topics() {
            assert!(topic.shown(80).starts_with(&format!("{}: ", topic.name)));
            assert!(topic.kind == Kind::Library || list.contains(&format!("\n  {} ", topic.name)), "{}", topic.name);
        }
    }
}
