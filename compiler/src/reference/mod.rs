//! What there is to know of the language, name by name: events, fields, types, operators, properties, words, and what the
//! library `std` defines. Made from the catalogue, the grammar, the library, and what `language.md` says of the words of the
//! language. `ebsec explain` and the pages of `docs/reference/` show the same topics. Knows nothing of a package.

mod catalogue;
mod language;
mod library;
mod markdown;
mod syntax;
mod text;

pub use markdown::pages;
pub use text::{listed, table};

use serde_json::{Value, json};
use std::sync::OnceLock;

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An intent, or a hook's own event.
    Event,
    /// What a condition may ask.
    Field,
    /// The type of a field or a constant.
    Type,
    /// What stands between a field and a value, between conditions, or between constants.
    Operator,
    /// What a policy or a rule says of itself.
    Property,
    /// A keyword that is none of these.
    Word,
    /// What a unit test says of a process or of an operation.
    Key,
    /// A module of the library, or a name in one.
    Library,
}

/// All kinds, in the order in which they are listed.
pub const KINDS: [Kind; 8] = [Kind::Event, Kind::Field, Kind::Type, Kind::Operator, Kind::Property, Kind::Word, Kind::Key, Kind::Library];

impl Kind {
    /// `event`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Field => "field",
            Self::Type => "type",
            Self::Operator => "operator",
            Self::Property => "property",
            Self::Word => "word",
            Self::Key => "key",
            Self::Library => "library",
        }
    }

    /// `Events`.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Event => "Events",
            Self::Field => "Fields",
            Self::Type => "Types",
            Self::Operator => "Operators",
            Self::Property => "Properties",
            Self::Word => "Words",
            Self::Key => "Keys of unit tests",
            Self::Library => "Library",
        }
    }
}

/// A name and what there is to know of it.
#[derive(Clone, Debug)]
pub struct Topic {
    /// What it is.
    pub kind: Kind,
    /// As a policy writes it.
    pub name: String,
    /// What lists show between name and sentence: the type of a field, what an event or a name of the library is.
    pub label: String,
    /// One sentence, without a full stop.
    pub summary: String,
    /// The rest, in order.
    pub sections: Vec<Section>,
}

/// A part of a topic.
#[derive(Clone, Debug)]
pub enum Section {
    /// A paragraph.
    Text(String),
    /// A fact of a few words.
    Line(&'static str, String),
    /// Several things, each with what there is to know of it.
    Rows(&'static str, Vec<[String; 2]>),
    /// Another topic, by name.
    Topic(&'static str, Kind, String),
    /// Several.
    Topics(&'static str, Kind, Vec<String>),
    /// A policy, or a part of one.
    Example(String),
}

/// Every topic, by kind and within a kind in the order of its source.
pub fn topics() -> &'static [Topic] {
    static TOPICS: OnceLock<Vec<Topic>> = OnceLock::new();
    TOPICS.get_or_init(|| {
        let mut all = catalogue::topics();
        all.extend(language::topics());
        all.extend(library::topics());
        all.sort_by_key(|topic| topic.kind);
        all
    })
}

/// The topics of a kind.
pub fn of(kind: Kind) -> impl Iterator<Item = &'static Topic> {
    topics().iter().filter(move |topic| topic.kind == kind)
}

/// The topics of this name: `mode` is a type and a property.
pub fn find(name: &str) -> Vec<&'static Topic> {
    topics().iter().filter(|topic| topic.name == name).collect()
}

/// Most topics that a part of their names finds.
const MAX_FOUND: usize = 12;

/// Topics in whose dotted name a word stands, such as `exe` in `process.exe` or `rename` in `hook.path_rename`; none if there
/// are many.
pub fn parts(word: &str) -> Vec<&'static Topic> {
    let has = |topic: &&Topic| {
        topic.name.contains('.') && topic.name.split('.').any(|part| part == word || part.split('_').any(|part| part == word))
    };
    let found: Vec<&Topic> = topics().iter().filter(has).collect();
    if found.len() > MAX_FOUND { Vec::new() } else { found }
}

/// The topic of a kind and a name.
fn topic(kind: Kind, name: &str) -> Option<&'static Topic> {
    of(kind).find(|topic| topic.name == name)
}

impl Topic {
    /// The topic for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut out = self.short();
        let Some(object) = out.as_object_mut() else { return out };
        let mut texts = Vec::new();
        for section in &self.sections {
            match section {
                Section::Text(text) => texts.push(text.as_str()),
                Section::Line(title, value) | Section::Topic(title, _, value) => _ = object.insert(key(title), value.as_str().into()),
                Section::Topics(title, _, names) => _ = object.insert(key(title), names.as_slice().into()),
                Section::Example(text) => _ = object.insert("example".to_owned(), text.as_str().into()),
                Section::Rows(title, rows) => {
                    let rows = rows.iter().map(|[name, what]| json!({ "name": name, "doc": what })).collect();
                    object.insert(key(title), Value::Array(rows));
                }
            }
        }
        if !texts.is_empty() {
            object.insert("text".to_owned(), texts.join("\n\n").into());
        }
        out
    }

    /// What a list of topics has of it, for programs.
    #[must_use]
    pub fn short(&self) -> Value {
        json!({ "kind": self.kind.name(), "name": self.name, "doc": self.summary })
    }
}

/// `first_kernel` of `First kernel`.
fn key(title: &str) -> String {
    title.to_lowercase().replace(' ', "_")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_found_whatever_they_are() {
        let kinds = |name: &str| find(name).iter().map(|topic| topic.kind).collect::<Vec<_>>();
        assert_eq!(kinds("mode"), [Kind::Type, Kind::Property, Kind::Key]);
        assert_eq!(kinds("exec"), [Kind::Event]);
        assert_eq!(kinds("under"), [Kind::Operator]);
        assert_eq!(kinds("std.credentials.shadow"), [Kind::Library]);
        assert_eq!(kinds("target"), [Kind::Key]);
        assert!(find("nothing").is_empty());
        let parts: Vec<&str> = parts("exe").iter().map(|topic| topic.name.as_str()).collect();
        assert_eq!(parts, ["process.exe", "process.parent.exe", "process.lineage.exe"]);
    }

    #[test]
    fn every_topic_that_is_named_is_there() {
        for topic in topics() {
            assert!(!topic.summary.is_empty() && !topic.summary.ends_with('.'), "{}: {}", topic.name, topic.summary);
            for section in &topic.sections {
                let (title, kind, names) = match section {
                    Section::Topics(title, kind, names) => (title, kind, names.clone()),
                    Section::Topic(title, kind, name) => (title, kind, vec![name.clone()]),
                    _ => continue,
                };
                let missing: Vec<&String> = names.iter().filter(|name| super::topic(*kind, name).is_none()).collect();
                assert!(missing.is_empty(), "{}: {title}: {missing:?}", topic.name);
            }
        }
    }

    #[test]
    fn programs_get_the_same() {
        let field = find("remote.port").first().unwrap().json();
        assert_eq!((field.get("type").unwrap(), field.get("kind").unwrap()), (&"port".into(), &"field".into()));
        let hook = find("hook.path_rename").first().unwrap().json();
        assert_eq!(hook.get("raises").unwrap().as_array().unwrap().len(), 6, "{hook}");
        let event = find("exec").first().unwrap().json();
        assert!(event.get("fields").unwrap().as_array().unwrap().contains(&"file.path".into()), "{event}");
    }
}
