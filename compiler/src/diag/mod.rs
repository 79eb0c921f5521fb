//! Diagnostics: what is wrong, where, and what to do. Collected by every stage, shown by [`render`]. Never fails, never
//! prints.

pub mod codes;
mod near;
pub mod render;

pub use near::nearest;

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

/// A change of the source that solves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, a lowercase phrase.
    pub message: String,
    /// What is replaced.
    pub loc: Loc,
    /// By what.
    pub text: String,
    /// False if the meaning may change: shown, never applied unasked.
    pub safe: bool,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
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
    /// Changes that can be applied.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
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
            message: message.into(),
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
        match error.help {
            Some(help) => found.help(help),
            None => found,
        }
    }

    /// Says a few words at the place itself.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, loc: Loc, text: impl Into<String>) -> Self {
        self.related.push(Label { loc, text: text.into() });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds a change that keeps the meaning that was wanted.
    #[must_use]
    pub fn fix(mut self, message: impl Into<String>, loc: Loc, text: impl Into<String>) -> Self {
        self.fixes.push(Fix { message: message.into(), loc, text: text.into(), safe: true });
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
                self.help(format!("did you mean `{found}`?")).fix(format!("replace by `{found}`"), loc, found)
            }
            None if all.is_empty() || all.len() > 24 => self,
            None => self.help(format!("known: {}", list(&all))),
        }
    }
}

/// Words in backticks, with commas.
#[must_use]
pub fn list<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|w| format!("`{}`", w.as_ref())).collect::<Vec<_>>().join(", ")
}

/// Whether any of them stops the build.
#[must_use]
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.level == Level::Error)
}

/// Puts findings in the order of their places and drops those that say the same again.
pub fn sort(diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
    let place = |d: &Diagnostic| sources.place(d.primary.loc);
    let path = |d: &Diagnostic| sources.get(place(d).file).map_or("", |f| f.path.as_str());
    diagnostics.sort_by(|a, b| {
        let by_place = path(a).cmp(path(b)).then_with(|| place(a).cmp(&place(b)));
        by_place.then(b.level.cmp(&a.level)).then(a.code.cmp(b.code)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup_by(|a, b| a.code == b.code && place(a) == place(b) && a.message == b.message);
}
