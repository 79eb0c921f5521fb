//! Workflow commands of GitHub Actions, which show a finding beside its line: `::error file=…,line=…,title=…::MESSAGE`.
//! Columns count characters from 1; GitHub takes them only where a place is in one line.

use super::item::Item;
use super::page_name;
use crate::diag::Level;
use crate::diag::text::{github_message, github_property};
use std::fmt::Write;

pub(super) fn document(items: &[Item<'_>]) -> String {
    let mut out = String::new();
    for item in items {
        let (at, finding) = (&item.at, item.finding);
        let command = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "notice",
        };
        let (line, end_line) = (at.start.line, at.end.line);
        let _ = write!(out, "::{command} file={},line={line},endLine={end_line}", github_property(at.path));
        if line == end_line {
            let _ = write!(out, ",col={},endColumn={}", at.start.column, at.end.column);
        }
        let title = github_property(&format!("{} {}", finding.code, page_name(item))).into_owned();
        let _ = writeln!(out, ",title={title}::{}", github_message(&item.whole_message()));
    }
    out
}
