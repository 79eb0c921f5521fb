//! GitLab's code quality report: an array of issues with a fingerprint, by which a merge request tells new ones from old.

use super::item::Item;
use super::page_name;
use crate::diag::{Level, text};
use serde_json::{Value, json};

pub(super) fn document(items: &[Item<'_>]) -> String {
    text::json(&items.iter().map(issue).collect::<Vec<Value>>())
}

fn issue(item: &Item<'_>) -> Value {
    let severity = match item.finding.level {
        Level::Error => "major",
        Level::Warning => "minor",
        Level::Info => "info",
    };
    json!({
        "description": format!("{}: {}", item.finding.code, item.whole_message()),
        "check_name": page_name(item),
        "fingerprint": item.fingerprint,
        "severity": severity,
        "location": { "path": item.at.path, "lines": { "begin": item.at.start.line, "end": item.at.end.line } },
    })
}
