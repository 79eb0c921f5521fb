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
}

impl SyntaxError {
    pub(crate) fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None, related: Vec::new() }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn related(mut self, span: Span, note: impl Into<String>) -> Self {
        self.related.push((span, note.into()));
        self
    }
}

macro_rules! codes {
    ($($name:ident $code:literal $title:literal)*) => {
        $(pub(crate) const $name: &str = $code;)*
        const CODES: &[(&str, &str)] = &[$(($code, $title)),*];
    };
}

codes! {
    TOO_LARGE "E0100" "the file is larger than 8 MiB"
    UNEXPECTED "E0101" "something else was expected here"
    TOO_DEEP "E0102" "brackets are nested deeper than 64"
    CONTROL "E0103" "a control or invisible character"
    UNCLOSED "E0104" "a bracket is never closed"
    STRAY "E0105" "a closing bracket without an opening one"
    UNCLOSED_STRING "E0106" "a string is never closed"
    SINGLE_QUOTES "E0107" "single quotes"
    ESCAPE "E0108" "an unknown escape in a string"
    UNKNOWN_ITEM "E0109" "an unknown item"
    OUTSIDE "E0110" "a rule or property outside of a policy"
    NO_COLON "E0111" "the colon after a label is missing"
    NO_LABEL "E0112" "a rule without a label"
    KEYWORD "E0113" "a keyword used as a name"
    UNKNOWN_ACTION "E0114" "an unknown action or verdict"
    LAST_COMMA "E0115" "a comma after the last event"
    MIXED "E0116" "`and` and `or` mixed without parentheses"
    SINGLE_EQUALS "E0117" "`=` in place of `==`"
    C_OPERATOR "E0118" "`&&`, `||` or `!` in place of a word"
    CHAINED "E0119" "two comparisons in one"
    CLAUSE_ORDER "E0120" "clauses out of order or repeated"
    WRONG_CLAUSE "E0121" "a clause that does not belong here, or one that is missing"
    NO_ARROW "E0122" "`=>` is missing in a test"
    NO_RULE_NAMED "E0123" "a verdict in a test that names no rule"
    LITERAL "E0124" "a word that is no number, address, date, duration or name"
    UNQUOTED "E0125" "text that must stand in double quotes"
    MISPLACED_DOC "E0126" "a documentation comment that documents nothing"
    TOO_LONG "E0127" "a chain of operators that is too long, or a text beyond the parser's limits"
    WRONG_EQUALS "E0128" "`:` in place of `=`"
    NO_COMMA "E0129" "a comma is missing"
    COMMENT_STYLE "E0130" "a comment of another language"
    NO_OPERATOR "E0131" "a comparison operator is missing"
    TOO_MANY "E0132" "more errors than are shown"
    INSIDE "E0133" "an item inside of a policy"
    LONG_NAME "E0134" "a name longer than 128 bytes"
    UNKNOWN_PROPERTY "E0207" "an unknown property of a policy"
    UNBUILT "E0900" "a part of the language that is not built yet"
}

/// Every code that [`crate::parse`] can give, with a title, in order.
#[must_use]
pub fn codes() -> &'static [(&'static str, &'static str)] {
    CODES
}
