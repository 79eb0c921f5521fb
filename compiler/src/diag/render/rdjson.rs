//! Reviewdog's diagnostic format. Columns count bytes of UTF-8 from 1, the end is exclusive, as that format has it. A fix
//! is a suggestion only if it changes one place in the finding's own file: reviewdog makes each suggestion by itself.

use super::item::{At, Change, Item};
use crate::diag::{Applicability, Level, text};
use serde_json::{Value, json};

pub(super) fn document(items: &[Item<'_>]) -> String {
    let diagnostics: Vec<Value> = items.iter().map(diagnostic).collect();
    text::json(&json!({ "source": { "name": "ebsec" }, "diagnostics": diagnostics }))
}

fn diagnostic(item: &Item<'_>) -> Value {
    let severity = match item.finding.level {
        Level::Error => "ERROR",
        Level::Warning => "WARNING",
        Level::Info => "INFO",
    };
    let suggestions: Vec<Value> = item.fixes.iter().filter_map(|change| suggestion(change, item.at.path)).collect();
    let related: Vec<Value> = item.related.iter().map(|(at, text)| json!({ "message": text, "location": location(at) })).collect();
    json!({
        "message": item.whole_message(),
        "location": location(&item.at),
        "severity": severity,
        "code": { "value": item.finding.code },
        "suggestions": suggestions,
        "related_locations": related,
    })
}

fn suggestion(change: &Change<'_>, path: &str) -> Option<Value> {
    let [(at, _, text)] = change.edits.as_slice() else { return None };
    let usable = at.path == path && change.fix.applicability != Applicability::DisplayOnly;
    usable.then(|| json!({ "range": range(at), "text": text }))
}

fn location(at: &At<'_>) -> Value {
    json!({ "path": at.path, "range": range(at) })
}

fn range(at: &At<'_>) -> Value {
    json!({
        "start": { "line": at.start.line, "column": at.start.byte },
        "end": { "line": at.end.line, "column": at.end.byte },
    })
}
