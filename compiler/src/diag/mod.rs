//! Diagnostics: what is wrong, where, and what to do. Collected by every stage, shown by [`render`]. Never fails, never
//! prints.

pub mod codes;
mod collect;
pub mod fingerprint;
mod fix;
mod near;
pub mod page;
pub mod render;
pub mod text;

pub use collect::{Findings, MAX_KEPT};
pub(crate) use fix::replaced;
pub use fix::{Applicability, Edit, Fix};
pub use near::{by_distance, nearest};

use crate::source::{Loc, PartId, Sources};
use ebsec_grammar::SyntaxError;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// For information.
    Info,
    /// Probably not what is meant.
    Warning,
    /// Nothing is built.
    Error,
}

impl Level {
    /// `error`, `warning`, `info`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A place with a few words about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Where.
    pub loc: Loc,
    /// A few words, may be empty.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code, one of [`codes::all`].
    pub code: &'static str,
    /// How bad.
    pub level: Level,
    /// One lowercase sentence, the user's words in backticks.
    pub message: String,
    /// The place.
    pub primary: Label,
    /// Other places.
    pub related: Vec<Label>,
    /// Facts that explain it.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
    /// Changes that answer it, each by itself.
    pub fixes: Vec<Fix>,
}

impl Finding {
    /// An error at a place.
    #[must_use]
    pub fn error(code: &'static str, loc: Loc, message: impl Into<String>) -> Self {
        Self::new(code, Level::Error, loc, message)
    }

    /// A finding of any level.
    #[must_use]
    pub fn new(code: &'static str, level: Level, loc: Loc, message: impl Into<String>) -> Self {
        Self {
            code,
            level,
            message: cut(message.into()),
            primary: Label { loc, text: String::new() },
            related: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// A mistake in the syntax of a part, or of a file as a whole.
    #[must_use]
    pub fn syntax(part: impl Into<PartId>, error: SyntaxError) -> Self {
        let part = part.into();
        let mut found = Self::error(error.code, Loc::new(part, error.span), error.message);
        for (span, text) in error.related {
            found = found.related(Loc::new(part, span), text);
        }
        for (span, text) in error.guesses {
            let title = match (text.as_str(), span.start == span.end) {
                ("", _) => "remove it".to_owned(),
                (text, true) => format!("insert `{}`", text.trim()),
                (text, false) => format!("replace by `{}`", text.trim()),
            };
            found = found.guess(title, Loc::new(part, span), text);
        }
        match error.help {
            Some(help) => found.help(help),
            None => found,
        }
    }

    /// Says a few words at the place itself.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = cut(text.into());
        self
    }

    /// Adds another place; beyond [`MAX_RELATED`] only a note says that there are more.
    #[must_use]
    pub fn related(mut self, loc: Loc, text: impl Into<String>) -> Self {
        if self.related.len() < MAX_RELATED {
            self.related.push(Label { loc, text: cut(text.into()) });
        } else if !self.notes.iter().any(|note| note == MORE_PLACES) {
            self.notes.push(MORE_PLACES.to_owned());
        }
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(cut(text.into()));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(cut(text.into()));
        self
    }

    /// Adds a change of one place that says what was certainly meant.
    #[must_use]
    pub fn fix(self, title: impl Into<String>, loc: Loc, text: impl Into<String>) -> Self {
        self.change(title, loc, text, Applicability::Safe)
    }

    /// Adds a change of one place that is a good guess.
    #[must_use]
    pub fn guess(self, title: impl Into<String>, loc: Loc, text: impl Into<String>) -> Self {
        self.change(title, loc, text, Applicability::Unsafe)
    }

    fn change(mut self, title: impl Into<String>, loc: Loc, text: impl Into<String>, applicability: Applicability) -> Self {
        let text = text.into();
        // One that nobody would look through is left out.
        if text.len() <= MAX_TEXT {
            self.fixes.push(Fix { title: cut(title.into()), edits: vec![Edit { loc, text }], applicability });
        }
        self
    }

    /// Proposes the near name for the word at `loc`, or lists what there is.
    #[must_use]
    pub fn near<'c>(self, word: &str, loc: Loc, candidates: impl IntoIterator<Item = &'c str>) -> Self {
        let mut all: Vec<&str> = candidates.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        match nearest(word, &all) {
            Some(found) => {
                let found = found.to_owned();
                self.help(format!("did you mean `{found}`?")).guess(format!("replace by `{found}`"), loc, found)
            }
            None if all.is_empty() || all.len() > 24 => self,
            None => self.help(format!("known: {}", list(&all))),
        }
    }
}

/// Most bytes of a message, and of each other text of a finding: what it quotes may be of any length.
pub const MAX_TEXT: usize = 2000;
/// Most other places of a finding.
pub const MAX_RELATED: usize = 12;
const MORE_PLACES: &str = "there are more places than are shown";

fn cut(text: String) -> String {
    match text::short(&text, MAX_TEXT) {
        std::borrow::Cow::Borrowed(_) => text,
        std::borrow::Cow::Owned(short) => short,
    }
}

/// Words in backticks, with commas.
#[must_use]
pub fn list<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|w| format!("`{}`", w.as_ref())).collect::<Vec<_>>().join(", ")
}

/// Whether any of them stops the build.
#[must_use]
pub fn has_errors(diagnostics: &[Finding]) -> bool {
    diagnostics.iter().any(|d| d.level == Level::Error)
}

/// Puts findings in the order of their places and drops those that say the same again.
pub fn sort(diagnostics: &mut Vec<Finding>, sources: &Sources) {
    let place = |d: &Finding| sources.place(d.primary.loc);
    let path = |d: &Finding| sources.get(place(d).file).map_or("", |f| f.path.as_str());
    diagnostics.sort_by(|a, b| {
        let by_place = path(a).cmp(path(b)).then_with(|| place(a).cmp(&place(b)));
        by_place.then(b.level.cmp(&a.level)).then(a.code.cmp(b.code)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup_by(|a, b| a.code == b.code && place(a) == place(b) && a.message == b.message);
}
