//! As JSON: an array of objects, or an object a line. Lines and columns count from 1, columns in characters; `start` and `end`
//! are bytes. Gives every part of a finding; fields are added and never change.

use super::item::{At, Change, Item};
use crate::diag::text;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Label<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    applicability: &'static str,
    edits: Vec<Label<'a>>,
}

#[derive(Serialize)]
struct Object<'a> {
    code: &'a str,
    level: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    label: &'a str,
    related: Vec<Label<'a>>,
    notes: &'a [String],
    help: &'a [String],
    fixes: Vec<Fix<'a>>,
    fingerprint: &'a str,
}

pub(super) fn document(items: &[Item<'_>]) -> String {
    text::json(&items.iter().map(object).collect::<Vec<_>>())
}

pub(super) fn lines(items: &[Item<'_>]) -> String {
    items.iter().map(|item| text::json_line(&object(item))).collect()
}

pub(super) fn value(item: &Item<'_>) -> Value {
    serde_json::to_value(object(item)).unwrap_or_default()
}

fn object<'a>(item: &'a Item<'a>) -> Object<'a> {
    let finding = item.finding;
    Object {
        code: finding.code,
        level: finding.level.name(),
        message: &finding.message,
        place: place(&item.at),
        label: &finding.primary.text,
        related: item.related.iter().map(|(at, text)| Label { place: place(at), text }).collect(),
        notes: &finding.notes,
        help: &finding.help,
        fixes: item.fixes.iter().map(fix).collect(),
        fingerprint: &item.fingerprint,
    }
}

fn fix<'a>(change: &'a Change<'a>) -> Fix<'a> {
    let edits = change.edits.iter().map(|(at, _, text)| Label { place: place(at), text }).collect();
    Fix { title: &change.fix.title, applicability: change.fix.applicability.name(), edits }
}

fn place<'a>(at: &At<'a>) -> Place<'a> {
    Place {
        file: at.path,
        line: at.start.line,
        column: at.start.column,
        end_line: at.end.line,
        end_column: at.end.column,
        start: at.span.start,
        end: at.span.end,
    }
}
