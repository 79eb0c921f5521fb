//! Syntax errors as data, and the list of their codes. Never renders text and never names a grammar rule.

use crate::ast::Span;

/// A mistake in the source, with its place and, where there is one, the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Stable code, one of [`codes`].
    pub code: &'static str,
    /// The place, in bytes of the source.
    pub span: Span,
    /// One lowercase sentence; the user's words stand in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that matter, each with a short note.
    pub related: Vec<(Span, String)>,
    /// What was probably meant: replacements of one place, the first the most likely.
    pub guesses: Vec<(Span, String)>,
}

impl SyntaxError {
    pub(crate) fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None, related: Vec::new(), guesses: Vec::new() }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn related(mut self, span: Span, note: impl Into<String>) -> Self {
        self.related.push((span, note.into()));
        self
    }

    pub(crate) fn guess(mut self, span: Span, text: impl Into<String>) -> Self {
        self.guesses.push((span, text.into()));
        self
    }
}

macro_rules! codes {
    ($($name:ident $code:literal)*) => {
        $(pub(crate) const $name: &str = $code;)*
        const CODES: &[&str] = &[$($code),*];
    };
}

// What each means is in the pages of the compiler, `compiler/pages/`.
codes! {
    TOO_LARGE "E0100"
    UNEXPECTED "E0101"
    TOO_DEEP "E0102"
    CONTROL "E0103"
    UNCLOSED "E0104"
    STRAY "E0105"
    UNCLOSED_STRING "E0106"
    SINGLE_QUOTES "E0107"
    ESCAPE "E0108"
    UNKNOWN_ITEM "E0109"
    OUTSIDE "E0110"
    NO_COLON "E0111"
    NO_LABEL "E0112"
    KEYWORD "E0113"
    UNKNOWN_ACTION "E0114"
    LAST_COMMA "E0115"
    MIXED "E0116"
    SINGLE_EQUALS "E0117"
    C_OPERATOR "E0118"
    CHAINED "E0119"
    CLAUSE_ORDER "E0120"
    WRONG_CLAUSE "E0121"
    NO_ARROW "E0122"
    NO_RULE_NAMED "E0123"
    LITERAL "E0124"
    UNQUOTED "E0125"
    MISPLACED_DOC "E0126"
    TOO_LONG "E0127"
    WRONG_EQUALS "E0128"
    NO_COMMA "E0129"
    COMMENT_STYLE "E0130"
    NO_OPERATOR "E0131"
    TOO_MANY "E0132"
    INSIDE "E0133"
    LONG_NAME "E0134"
    FOREIGN_FORMAT "E0135"
    UNKNOWN_PROPERTY "E0207"
    UNBUILT "E0900"
}

/// Every code that [`crate::parse`] can give, in order.
#[must_use]
pub const fn codes() -> &'static [&'static str] {
    CODES
}
