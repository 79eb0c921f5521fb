//! The library `std`: modules, and the constants, parameters, functions and policies in them with their documentation.

use super::{Kind, Section, Topic};
use crate::resolve::MODULES;
use ebsec_grammar::ast::{Action, ItemKind, Literal, MemberKind, ValueKind, Verdict};
use ebsec_grammar::{Entry, TokenKind, Tree};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn topics() -> Vec<Topic> {
    let modules = MODULES.iter().map(|(module, ..)| (*module).to_owned()).collect();
    let mut all = vec![Topic {
        kind: Kind::Library,
        name: "std".to_owned(),
        label: "library".to_owned(),
        summary: "policies and sets that any package may import".to_owned(),
        sections: vec![
            Section::Text("It is part of the compiler. A policy of it does nothing until it is applied.".to_owned()),
            Section::Topics("Modules", Kind::Library, modules),
            Section::Example("import std.credentials\n\napply std.credentials.shadow with { mode = enforce }".to_owned()),
        ],
    }];
    for (module, _, text) in MODULES {
        let tree = ebsec_grammar::parse(text);
        let entries = tree.items();
        let parameters = parameters(&tree, &entries);
        let items: Vec<Topic> = entries.iter().filter_map(|entry| item(module, &tree, entry, &parameters)).collect();
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

/// What a module says of its own names: of each, those that its text names.
struct Parameters<'t> {
    /// Of each parameter: type and default, with what it is for.
    known: Vec<(&'t str, String)>,
    words: BTreeMap<&'t str, BTreeSet<&'t str>>,
}

fn parameters<'t>(tree: &'t Tree, entries: &[Entry<'t>]) -> Parameters<'t> {
    let mut out = Parameters { known: Vec::new(), words: BTreeMap::new() };
    for entry in entries {
        let slice = |span| tree.text().get(range(tree.absolute(entry.part, span))).unwrap_or_default();
        let (name, words) = match &entry.item.kind {
            ItemKind::Let { name, value, .. } => (name, words(slice(value.span))),
            ItemKind::Fn { name, body, .. } => (name, words(slice(body.span))),
            ItemKind::Param { name, ty, default } => {
                let value = default.as_ref().map_or(String::new(), |value| format!(", by default `{}`", joined(slice(value.span))));
                let doc = entry.item.doc.as_deref().map(joined).unwrap_or_default();
                out.known.push((&name.node, format!("{}{value}: {doc}", slice(ty.span))));
                (name, BTreeSet::new())
            }
            ItemKind::Policy(policy) => {
                let of = |(part, member): &(_, &ebsec_grammar::ast::Member)| {
                    words(tree.text().get(range(tree.absolute(*part, member.span))).unwrap_or_default())
                };
                (&policy.name, entry.members.iter().flat_map(of).collect())
            }
            _ => continue,
        };
        out.words.insert(&name.node, words);
    }
    out
}

/// The words of a text that may be names of its own module.
fn words(text: &str) -> BTreeSet<&str> {
    let tokens = ebsec_grammar::tokens(text).filter(|token| token.kind == TokenKind::Word);
    tokens.filter_map(|token| text.get(range(token.span))).filter(|word| !word.contains('.')).collect()
}

impl Parameters<'_> {
    /// The parameters that a name of the module uses, over any number of others.
    fn of(&self, name: &str) -> Vec<[String; 2]> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![name]);
        while let Some(name) = open.pop() {
            if seen.insert(name) {
                open.extend(self.words.get(name).into_iter().flatten());
            }
        }
        self.known.iter().filter(|(name, _)| seen.contains(name)).map(|(name, about)| [(*name).to_owned(), about.clone()]).collect()
    }
}

fn item(module: &str, tree: &Tree, entry: &Entry<'_>, parameters: &Parameters<'_>) -> Option<Topic> {
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
        ItemKind::Policy(policy) => {
            let parameters = parameters.of(&policy.name.node);
            let section = (!parameters.is_empty()).then_some(Section::Rows("Parameters", parameters));
            (&policy.name, "policy".to_owned(), rules(entry).into_iter().chain(section).collect())
        }
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
