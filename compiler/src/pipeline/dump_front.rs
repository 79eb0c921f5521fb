//! Text of what names mean where they are used, and of where the parts of conditions came from. For goldens and for people.

use super::Front;
use crate::fold::Origin;
use crate::hir::Package;
use crate::resolve::Target;
use crate::source::{FileId, LineIndex, Loc, Position, Sources};
use ebsec_templates::catalog;
use std::fmt::Write;

/// The uses of names in a file, in the order of the text: place, text, meaning.
#[must_use]
pub fn dump_uses(front: &Front, sources: &Sources, file: FileId) -> String {
    let text = sources.get(file).map_or("", |f| &*f.text);
    let lines = LineIndex::new(text);
    let mut uses: Vec<_> = front.typed.uses().filter(|one| sources.place(one.loc).file == file).collect();
    uses.sort_by_key(|one| sources.place(one.loc));
    uses.dedup();
    let mut out = String::new();
    for one in uses {
        let place = sources.place(one.loc).span;
        let Position { line, column, .. } = lines.position(text, place.start);
        let _ = writeln!(out, "{line}:{column} `{}` {}", sources.slice(one.loc), meaning(front, sources, one.target));
    }
    out
}

fn meaning(front: &Front, sources: &Sources, target: Target) -> String {
    let name = |loc: Option<&Loc>| loc.map_or(String::new(), |loc| named(sources, *loc));
    let policy = |id: crate::resolve::PolicyId| name(front.policies.get(id.0 as usize));
    match target {
        Target::Def(id) => format!("definition {}", name(front.defs.get(id.0 as usize))),
        Target::Parameter(id) => format!("parameter {}", name(front.defs.get(id.0 as usize))),
        Target::Argument(index) => format!("argument {index}"),
        Target::Policy(id) => format!("policy {}", policy(id)),
        Target::Rule(id, member) => format!("member {member} of policy {}", policy(id)),
        Target::Default(id, Some(event)) => format!("default {} of policy {}", catalog()[event].name, policy(id)),
        Target::Default(id, None) => format!("default of policy {}", policy(id)),
        Target::Field(id, part) => {
            let part = part.map_or(String::new(), |part| format!(", part {}", part.name()));
            format!("field {}{part}", catalog()[id].name)
        }
        Target::Event(id) => format!("event {}", catalog()[id].name),
        Target::Word(what) => format!("word of {}", what.name(catalog())),
        Target::Key => "key".to_owned(),
        Target::Type => "type".to_owned(),
        Target::Module(_) => "module".to_owned(),
        Target::Process(line) => format!("process of line {line}"),
    }
}

/// A definition: its file and line.
fn named(sources: &Sources, loc: Loc) -> String {
    let place = sources.place(loc);
    let Some(file) = sources.get(place.file) else { return String::new() };
    let Position { line, .. } = LineIndex::new(&file.text).position(&file.text, place.span.start);
    format!("{}:{line}", file.path)
}

/// Where the parts of each rule's condition came from.
#[must_use]
pub fn dump_origins(package: &Package, front: &Front) -> String {
    let mut out = String::new();
    for (policy, origins) in package.policies.iter().zip(&front.origins) {
        let _ = writeln!(out, "policy {}", policy.name);
        for (rule, origins) in policy.rules.iter().zip(origins) {
            let words: Vec<String> = origins.iter().map(|one| word(*one)).collect();
            let label = rule.label.as_deref().unwrap_or("default");
            let _ = writeln!(out, "  {label} {}: {}", catalog()[rule.event].name, words.join(", "));
        }
    }
    out
}

fn word(origin: Origin) -> String {
    match origin {
        Origin::Scope => "scope".to_owned(),
        Origin::Where => "where".to_owned(),
        Origin::When => "when".to_owned(),
        Origin::Unless => "unless".to_owned(),
        Origin::Allows => "allows".to_owned(),
        Origin::Exception(index) => format!("exception {index}"),
    }
}
