//! The library `std`: modules, and the constants, parameters, functions and policies in them with their documentation.

use super::{Kind, Section, Topic};
use crate::resolve::MODULES;
use ebsec_grammar::ast::{Action, ItemKind, Literal, MemberKind, ValueKind, Verdict};
use ebsec_grammar::{Entry, Tree};

pub(super) fn topics() -> Vec<Topic> {
    let mut all = Vec::new();
    for (module, _, text) in MODULES {
        let tree = ebsec_grammar::parse(text);
        let items: Vec<Topic> = tree.items().iter().filter_map(|entry| item(module, &tree, entry)).collect();
        let names = items.iter().map(|item| item.name.clone()).collect();
        all.push(Topic {
            kind: Kind::Library,
            name: (*module).to_owned(),
            label: "module".to_owned(),
            summary: sentence(&head(text)).0,
            sections: sentence(&head(text)).1.into_iter().chain([Section::Topics("Names", Kind::Library, names)]).collect(),
        });
        all.extend(items);
    }
    all
}

/// The documentation at the beginning of a module.
fn head(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The first sentence, without its full stop, and what follows it.
fn sentence(text: &str) -> (String, Option<Section>) {
    let (first, rest) = text.split_once(". ").unwrap_or((text, ""));
    (first.trim_end_matches('.').to_owned(), (!rest.is_empty()).then(|| Section::Text(rest.to_owned())))
}

fn item(module: &str, tree: &Tree, entry: &Entry<'_>) -> Option<Topic> {
    let doc = entry.item.doc.as_deref().map(joined).unwrap_or_default();
    let slice = |span| tree.text().get(range(tree.absolute(entry.part, span))).unwrap_or_default().to_owned();
    let (name, label, mut sections) = match &entry.item.kind {
        ItemKind::Let { name, ty, value } => {
            let ty = ty.as_ref().map_or_else(|| "constant".to_owned(), |ty| slice(ty.span));
            (name, ty, value_section(slice(value.span), &value.kind))
        }
        ItemKind::Param { name, ty, default } => {
            let value = default.as_ref().map(|value| value_section(slice(value.span), &value.kind)).unwrap_or_default();
            (name, format!("param {}", slice(ty.span)), value)
        }
        ItemKind::Policy(policy) => (&policy.name, "policy".to_owned(), rules(entry)),
        _ => return None,
    };
    let (first, rest) = sentence(&doc);
    sections.splice(0..0, rest);
    let summary = if first.is_empty() { description(entry).unwrap_or_else(|| label.clone()) } else { first };
    Some(Topic { kind: Kind::Library, name: format!("{module}.{}", name.node), label, summary, sections })
}

/// What a policy says of itself.
fn description(entry: &Entry<'_>) -> Option<String> {
    entry.members.iter().find_map(|(_, member)| match &member.kind {
        MemberKind::Prop { key, value } if key.node == "description" => match &value.kind {
            ValueKind::Literal(Literal::Str(text)) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    })
}

fn range(span: ebsec_grammar::ast::Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

/// Documentation as one paragraph.
fn joined(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn value_section(text: String, kind: &ValueKind) -> Vec<Section> {
    match kind {
        ValueKind::Literal(_) | ValueKind::Name(_) => vec![Section::Line("Value", format!("`{text}`"))],
        _ => vec![Section::Example(text)],
    }
}

/// What a policy does: its rules with their reasons, and how it is put in force.
fn rules(entry: &Entry<'_>) -> Vec<Section> {
    let mut rows = Vec::new();
    for (_, member) in &entry.members {
        let (name, verdict, events, because) = match &member.kind {
            MemberKind::Rule(rule) => (rule.label.node.as_str(), action(&rule.action.node), &rule.events, rule.because.as_ref()),
            MemberKind::Default { verdict, events, because, .. } => ("default", self::verdict(verdict.node), events, because.as_ref()),
            _ => continue,
        };
        let events: Vec<&str> = events.iter().map(|event| event.node.as_str()).collect();
        let because = because.map_or(String::new(), |text| format!(": {}", text.node));
        rows.push([name.to_owned(), format!("{verdict} {}{because}", events.join(", "))]);
    }
    vec![Section::Rows("Rules", rows)]
}

fn action(action: &Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Mark(_) => "mark",
        Action::Verdict(verdict) => self::verdict(*verdict),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Deny => "deny",
        Verdict::Kill => "kill",
        Verdict::Audit => "audit",
    }
}
