//! Types, operators, properties, words and keys: what `language.md` says of them, with what the catalogue and the type stage know
//! besides. Each heading there is a kind and a name; then come a sentence, paragraphs, and an example.

use super::{Kind, Section, Topic};
use crate::diag::page::{Block, blocks};
use crate::typed::{Elem, op_text, operators};
use ebsec_templates::catalog;

const TEXT: &str = include_str!("language.md");

pub(super) fn topics() -> Vec<Topic> {
    let mut all: Vec<Topic> = Vec::new();
    for block in blocks(TEXT) {
        match (block, all.last_mut()) {
            (Block::Heading(title), _) => all.extend(named(title)),
            (Block::Text(text), Some(topic)) if topic.summary.is_empty() => topic.summary = text.to_owned(),
            (Block::Text(text), Some(topic)) => topic.sections.push(Section::Text(text.to_owned())),
            (Block::Code(_, code), Some(topic)) => topic.sections.push(Section::Example(code.to_owned())),
            (_, None) => {}
        }
    }
    all.iter_mut().for_each(complete);
    all
}

/// The topic of a heading such as `operator under`.
fn named(title: &str) -> Option<Topic> {
    let (kind, name) = title.split_once(' ')?;
    let kind = super::KINDS.into_iter().find(|k| k.name() == kind)?;
    Some(Topic { kind, name: name.to_owned(), label: String::new(), summary: String::new(), sections: Vec::new() })
}

/// Adds what is known elsewhere: the values of a type and its fields, the types that an operator works on.
fn complete(topic: &mut Topic) {
    let catalog = catalog();
    match topic.kind {
        Kind::Type => {
            let values: Vec<&str> =
                catalog.enums.get(&topic.name).into_iter().flat_map(|values| values.keys().map(String::as_str)).collect();
            if !values.is_empty() {
                topic.sections.push(Section::Line("Values", crate::diag::list(&values)));
            }
            let fields = catalog.fields.iter().filter(|field| Elem::of_field(&field.ty).name() == topic.name);
            let fields: Vec<String> = fields.map(|field| field.name.clone()).collect();
            if !fields.is_empty() {
                topic.sections.push(Section::Topics("Fields", Kind::Field, fields));
            }
        }
        Kind::Operator => {
            let mut types: Vec<String> = Vec::new();
            for field in &catalog.fields {
                let ty = Elem::of_field(&field.ty).name();
                if operators(&field.ty, None).iter().any(|op| op_text(*op) == topic.name) && !types.iter().any(|t| t == ty) {
                    types.push(ty.to_owned());
                }
            }
            if !types.is_empty() {
                topic.sections.push(Section::Topics("Fields of type", Kind::Type, types));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::topic;
    use super::*;

    /// Everything that the language knows is described: types, keywords.
    #[test]
    fn nothing_is_left_out() {
        let types: Vec<&str> = Elem::names(catalog()).filter(|name| topic(Kind::Type, name).is_none()).collect();
        assert!(types.is_empty(), "types without a description: {types:?}");
        let words = ebsec_grammar::keywords().iter().chain(ebsec_grammar::soft_keywords());
        let kinds = [Kind::Word, Kind::Operator, Kind::Property];
        let words: Vec<&&str> = words.filter(|word| kinds.iter().all(|kind| topic(*kind, word).is_none())).collect();
        assert!(words.is_empty(), "words without a description: {words:?}");
        let keys: Vec<&str> = crate::cases::keys().filter(|key| topic(Kind::Key, key).is_none()).collect();
        assert!(keys.is_empty(), "keys without a description: {keys:?}");
        let count = TEXT.lines().filter(|line| line.starts_with("# ")).count();
        assert_eq!(topics().len(), count, "a heading of language.md is of no kind");
    }

    /// And nothing else is.
    #[test]
    fn nothing_is_invented() {
        let known: Vec<&str> = Elem::names(catalog()).collect();
        assert!(super::super::of(Kind::Type).all(|topic| known.contains(&topic.name.as_str())));
        let words: Vec<&str> = ebsec_grammar::keywords().iter().chain(ebsec_grammar::soft_keywords()).copied().collect();
        // `policy` and the like are keywords in their places only.
        let wrong: Vec<&str> = super::super::of(Kind::Word).map(|t| t.name.as_str()).filter(|name| !words.contains(name)).collect();
        assert!(wrong.is_empty(), "{wrong:?} are no words of the language");
        assert!(super::super::of(Kind::Key).all(|topic| crate::cases::keys().any(|key| key == topic.name)));
    }
}
