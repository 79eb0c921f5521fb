//! SARIF 2.1.0, with the pages of the codes as rules. Columns count UTF-16 code units, as `columnKind` says: viewers that are
//! made for editors count so.

use super::item::{At, Change, Item};
use crate::diag::page::Page;
use crate::diag::{Applicability, Level, codes, text};
use serde_json::{Value, json};

/// Where the schema is published.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn document(items: &[Item<'_>]) -> String {
    let mut pages: Vec<&Page> = items.iter().filter_map(|item| codes::page(item.finding.code)).collect();
    pages.sort_by_key(|page| page.code);
    pages.dedup_by_key(|page| page.code);
    let rules: Vec<Value> = pages.iter().map(|page| rule(page)).collect();
    let results: Vec<Value> = items.iter().map(|item| result(item, &pages)).collect();
    let driver = json!({ "name": "ebsec", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules });
    let run = json!({ "tool": { "driver": driver }, "columnKind": "utf16CodeUnits", "results": results });
    text::json(&json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] }))
}

fn rule(page: &Page) -> Value {
    json!({
        "id": page.code,
        "name": page.name,
        "shortDescription": { "text": sentence(page.title) },
        "fullDescription": { "text": sentence(page.title) },
        "help": { "text": page.shown(false, crate::diag::page::WIDTH), "markdown": page.text },
        "defaultConfiguration": { "level": level(page.level) },
        "properties": { "tags": [page.group] },
    })
}

fn result(item: &Item<'_>, pages: &[&Page]) -> Value {
    let index = pages.binary_search_by_key(&item.finding.code, |page| page.code).ok();
    let related = item.related.iter().enumerate().map(|(id, (at, text))| {
        let mut location = location(at);
        if let Some(object) = location.as_object_mut() {
            object.insert("id".to_owned(), id.into());
            object.insert("message".to_owned(), message(text));
        }
        location
    });
    let fixes = item.fixes.iter().filter(|change| change.fix.applicability != Applicability::DisplayOnly).map(fix);
    let mut value = json!({
        "ruleId": item.finding.code,
        "level": level(item.finding.level),
        "message": message(&item.whole_message()),
        "locations": [location(&item.at)],
        "relatedLocations": related.collect::<Vec<_>>(),
        // The name that GitHub knows, and ours.
        "partialFingerprints": { "primaryLocationLineHash": item.fingerprint, "ebsec/v1": item.fingerprint },
        "fixes": fixes.collect::<Vec<_>>(),
    });
    if let (Some(index), Some(object)) = (index, value.as_object_mut()) {
        object.insert("ruleIndex".to_owned(), index.into());
    }
    value
}

fn fix(change: &Change<'_>) -> Value {
    let mut paths: Vec<&str> = change.edits.iter().map(|(at, ..)| at.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let changes = paths.iter().map(|path| {
        let edits = change.edits.iter().filter(|(at, ..)| at.path == *path);
        let edits = edits.map(|(at, _, text)| json!({ "deletedRegion": region(at), "insertedContent": { "text": text } }));
        json!({ "artifactLocation": { "uri": text::uri(path) }, "replacements": edits.collect::<Vec<_>>() })
    });
    json!({ "description": message(&sentence(&change.fix.title)), "artifactChanges": changes.collect::<Vec<_>>() })
}

fn location(at: &At<'_>) -> Value {
    json!({ "physicalLocation": { "artifactLocation": { "uri": text::uri(at.path) }, "region": region(at) } })
}

fn region(at: &At<'_>) -> Value {
    json!({ "startLine": at.start.line, "startColumn": at.start.utf16, "endLine": at.end.line, "endColumn": at.end.utf16 })
}

fn message(words: &str) -> Value {
    json!({ "text": text::sarif(words) })
}

/// With a capital letter and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}{}", letters.as_str(), if words.ends_with(['.', '?']) { "" } else { "." })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}
