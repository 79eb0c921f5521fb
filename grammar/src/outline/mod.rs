//! The outline: a text in, its parts out. Each byte is in exactly one part, which runs to the start of the next; what
//! begins a part is said in `starts`. Looks at tokens alone, never fails, and cuts nothing that the grammar reads as one:
//! where a start is in doubt, the part holds more than one thing and the grammar finds them.

mod again;
mod starts;

pub(crate) use again::{Again, again};

use crate::MAX_DEPTH;
use crate::ast::Span;
use crate::lex::{self, Token, TokenKind};
use crate::scan;
use serde::Serialize;
use std::cell::Cell;

/// What a part is, by its first words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum PartKind {
    /// Blanks and comments before the first part.
    Trivia,
    /// `import …`
    Import,
    /// `let …`
    Let,
    /// `param …`
    Param,
    /// `fn …`
    Fn,
    /// `mark … per …`
    Mark,
    /// `apply …`
    Apply,
    /// `except …`
    Except,
    /// `policy name {`, or what begins like it.
    Policy,
    /// `test "…" {`, or what begins like it.
    Test,
    /// `label: …`
    Rule,
    /// `key = …`
    Property,
    /// `default …`
    Default,
    /// `process name = …`
    Process,
    /// Another line of a test.
    Step,
    /// The `}` of a policy or a test.
    Close,
    /// Anything else.
    Unknown,
}

/// In what a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Within {
    /// In the file itself.
    File,
    /// In the braces of a policy.
    Policy,
    /// In the braces of a test.
    Test,
}

/// A piece of a text: what it is and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// What it is.
    pub kind: PartKind,
    /// In what it stands.
    pub within: Within,
    /// Whether it is the line up to the `{` of a policy or test, and what follows stands in it.
    pub head: bool,
    /// Its bytes in the text.
    pub span: Span,
    /// Its name, or the name that it is about; bytes of the part.
    pub name: Option<Span>,
}

/// What cutting a part looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Bytes from the start of the part up to the end of the last token that was looked at; the most there are if the end of the
    /// text was.
    pub reach: u32,
    /// It begins in braces that never close.
    pub unclosed: bool,
}

/// The parts of a text.
pub(crate) struct Outline {
    pub pieces: Vec<Piece>,
    /// The same number of them.
    pub cuts: Vec<Cut>,
    /// The tokens show that `scan` would find nothing in any of them.
    pub plain: bool,
    /// There are comments between `/*` and `*/`, for whose end the whole text is searched.
    pub blocks: bool,
}

/// The parts of a text, without reading them: each byte is in one.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    outline(text).pieces
}

/// Cuts a text into parts.
pub(crate) fn outline(text: &str) -> Outline {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 6);
    let (mut plain, mut depth, mut blocks) = (!scan::has_suspect(text.as_bytes()), 0_usize, false);
    for token in lex::tokens(text) {
        match token.kind {
            TokenKind::Foreign | TokenKind::Refused | TokenKind::OpenStr => {
                plain = false;
                blocks |= begins_block_comment(text, token);
            }
            TokenKind::Punct => match text.as_bytes().get(token.span.start as usize) {
                Some(b'(' | b'[' | b'{') => depth += 1,
                Some(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                // At the edge of a part it may begin a comment of another language, which it does not in the text.
                Some(b'/') => plain &= crate::slice(text, token.span) != "/*",
                _ => {}
            },
            _ => {}
        }
        // In a part that stands in a block one bracket more may be open than the text before it says.
        plain &= depth < MAX_DEPTH;
        if !token.kind.is_trivia() {
            tokens.push(token);
        }
    }
    let mut cutter = Cutter::new(text, tokens, Within::File);
    cutter.begin();
    while cutter.step() {}
    Outline { pieces: cutter.pieces, cuts: cutter.cuts, plain, blocks }
}

fn begins_block_comment(text: &str, token: Token) -> bool {
    token.kind == TokenKind::Foreign && crate::slice(text, token.span).starts_with('/')
}

/// What the words at a place are, and where their name stands: for a text that could not be read.
pub(crate) fn named(text: &str, span: Span, within: Within) -> (PartKind, Option<Span>) {
    let cutter = Cutter::new(text, lex::within(text, span).take(64).collect(), within);
    cutter.kind(cutter.after_docs(0), within)
}

struct Cutter<'t> {
    text: &'t str,
    /// All tokens that the grammar does not pass over, from some part on.
    tokens: Vec<Token>,
    /// The token that is next.
    at: usize,
    /// In what it stands.
    within: Within,
    /// No block closes that begins before this token and after the one that said so.
    unclosed: usize,
    /// The last token that was looked at for the part at hand.
    seen: Cell<usize>,
    pieces: Vec<Piece>,
    cuts: Vec<Cut>,
}

impl<'t> Cutter<'t> {
    fn new(text: &'t str, tokens: Vec<Token>, within: Within) -> Self {
        Self { text, tokens, at: 0, within, unclosed: 0, seen: Cell::new(0), pieces: Vec::new(), cuts: Vec::new() }
    }

    /// What stands before the first part.
    fn begin(&mut self) {
        let start = self.start(0);
        if start > 0 {
            self.pieces.push(piece(PartKind::Trivia, Within::File, Span { start: 0, end: start }));
            self.cuts.push(Cut { reach: self.reach(0), unclosed: false });
        }
    }

    /// The next part, or two where documentation of nothing stands before a brace. False at the end of the text.
    fn step(&mut self) -> bool {
        if self.at >= self.tokens.len() {
            return false;
        }
        self.seen.set(self.at);
        let first = self.after_docs(self.at);
        let ends = match self.within {
            Within::File => false,
            Within::Policy => self.begins_block(first),
            Within::Test => self.begins_item(first),
        };
        match self.within {
            Within::Policy | Within::Test if self.is(first, b'}') => self.close(first, self.within),
            Within::Policy | Within::Test if !ends => self.piece(first, self.within),
            _ => self.of_file(first),
        }
        true
    }

    /// A part that stands in the file itself.
    fn of_file(&mut self, first: usize) {
        self.within = Within::File;
        let Some(brace) = self.head(first) else { return self.piece(first, Within::File) };
        let (kind, name) = self.kind(first, Within::File);
        self.push(brace + 1, kind, Within::File, name);
        if let Some(head) = self.pieces.last_mut() {
            head.head = true;
        }
        self.within = if kind == PartKind::Test { Within::Test } else { Within::Policy };
    }

    /// The closing brace, with documentation of nothing before it as a part of its own.
    fn close(&mut self, brace: usize, within: Within) {
        if brace > self.at {
            self.push(brace, PartKind::Unknown, within, None);
        }
        self.push(brace + 1, PartKind::Close, within, None);
        self.within = Within::File;
    }

    /// One part, from the next token to the start of another.
    fn piece(&mut self, first: usize, within: Within) {
        let (kind, name) = self.kind(first, within);
        let end = match within {
            Within::File => self.item_end(first),
            Within::Policy => self.member_end(first),
            Within::Test => self.line_end(first),
        };
        self.push(end, kind, within, name);
    }

    fn push(&mut self, end: usize, kind: PartKind, within: Within, name: Option<Span>) {
        let span = Span { start: self.start(self.at), end: self.start(end) };
        // What follows may be the next part already.
        let name = name.filter(|name| name.end <= span.end);
        let name = name.map(|name| Span { start: name.start - span.start, end: name.end - span.start });
        self.pieces.push(Piece { name, ..piece(kind, within, span) });
        let unclosed = self.at < self.unclosed;
        if unclosed {
            self.see(self.unclosed);
        }
        self.cuts.push(Cut { reach: self.reach(span.start), unclosed });
        self.at = end;
    }

    /// How far the tokens that were looked at reach.
    fn reach(&self, start: u32) -> u32 {
        self.tokens.get(self.seen.get()).map_or(u32::MAX, |token| token.span.end - start)
    }

    /// Notes that a token was looked at.
    fn see(&self, at: usize) {
        self.seen.set(self.seen.get().max(at));
    }

    fn get(&self, at: usize) -> Option<&Token> {
        self.see(at);
        self.tokens.get(at)
    }

    /// Where a token begins; the end of the text after the last one.
    fn start(&self, at: usize) -> u32 {
        self.get(at).map_or_else(|| crate::span(0, self.text.len()).end, |t| t.span.start)
    }

    fn word(&self, at: usize) -> &'t str {
        self.get(at).map_or("", |t| crate::slice(self.text, t.span))
    }

    /// Whether a token is this one character.
    fn is(&self, at: usize, byte: u8) -> bool {
        self.get(at).is_some_and(|t| t.span.end - t.span.start == 1 && self.text.as_bytes().get(t.span.start as usize) == Some(&byte))
    }

    fn token(&self, at: usize) -> Option<TokenKind> {
        self.get(at).map(|t| t.kind)
    }

    fn is_word(&self, at: usize) -> bool {
        self.token(at) == Some(TokenKind::Word)
    }

    /// A word that is a name: not a number, and without dots.
    fn is_name(&self, at: usize) -> bool {
        self.is_word(at) && self.begins_alpha(at) && !self.word(at).as_bytes().contains(&b'.')
    }

    fn begins_alpha(&self, at: usize) -> bool {
        self.is_word(at) && !self.word(at).starts_with(|c: char| c.is_ascii_digit())
    }

    /// The first token from here on that is not documentation.
    fn after_docs(&self, at: usize) -> usize {
        let docs = self.tokens.get(at..).unwrap_or_default().iter().take_while(|t| t.kind == TokenKind::Doc);
        let end = at + docs.count();
        self.see(end);
        end
    }

    /// Whether a token is the first of its line.
    fn begins_line(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.get(at)).map_or(0, |t| t.span.end);
        let between = Span { start: before, end: self.start(at) };
        at == 0 || crate::slice(self.text, between).as_bytes().contains(&b'\n')
    }

    /// What the tokens at a place are by their first words, and their name in bytes of the text.
    fn kind(&self, first: usize, within: Within) -> (PartKind, Option<Span>) {
        // Names in quotes are a mistake that is said once, not at each use.
        let name = |at: usize| match self.get(at) {
            Some(t) if t.kind == TokenKind::Word => Some(t.span),
            Some(t) if t.kind == TokenKind::Str && t.span.end - t.span.start > 2 => {
                Some(Span { start: t.span.start + 1, end: t.span.end - 1 })
            }
            _ => None,
        };
        let item = match self.word(first) {
            "import" => PartKind::Import,
            "let" => PartKind::Let,
            "param" => PartKind::Param,
            "fn" => PartKind::Fn,
            "mark" => PartKind::Mark,
            "apply" => PartKind::Apply,
            "except" => PartKind::Except,
            "policy" => PartKind::Policy,
            "test" => PartKind::Test,
            _ => PartKind::Unknown,
        };
        let next = self.word(first + 1);
        match (within, item) {
            (_, PartKind::Test) if !matches!(next, ":" | "=") => {
                (item, self.get(first + 1).filter(|t| t.kind == TokenKind::Str).map(|t| t.span))
            }
            (Within::File | Within::Policy, PartKind::Import) if self.word(first + 2) == "as" => (item, name(first + 3)),
            (Within::File | Within::Policy, _) if item != PartKind::Unknown && !matches!(next, ":" | "=") => (item, name(first + 1)),
            (Within::Policy, _) if self.word(first) == "default" && next != ":" => (PartKind::Default, None),
            (Within::Policy, _) if self.is_name(first) && next == "=" => (PartKind::Property, name(first)),
            (Within::Policy, _) if self.is_name(first) && (next == ":" || starts::is_verb(next)) => (PartKind::Rule, name(first)),
            (Within::Test, _) if self.word(first) == "process" && self.is_name(first + 1) => (PartKind::Process, name(first + 1)),
            (Within::Test, _) if self.is_name(first) => (PartKind::Step, None),
            _ => (PartKind::Unknown, None),
        }
    }
}

fn piece(kind: PartKind, within: Within, span: Span) -> Piece {
    Piece { kind, within, head: false, span, name: None }
}
