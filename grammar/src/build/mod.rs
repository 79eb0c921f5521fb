//! The flat tree of one part in, its syntax tree out. Reports what the tolerant grammar let through
//! (keywords as names, `=` for `==`, clauses out of order, …) and has bad spans explained. Never drops text
//! without an error about it.

mod broken;
mod clause;
mod cond;
mod item;
mod member;
mod test;
mod value;

pub(crate) use member::unknown_action;

use crate::MAX_NAME;
use crate::ast::{Item, Member, Name, Span, Spanned, TestLine};
use crate::error::{self, SyntaxError};
use crate::explain;
use crate::lex::{self, TokenKind};
use crate::literal;
use crate::outline::Within;
use crate::tree::{Kind, Node};
use crate::words;

/// What the nodes of one part are made into; most are one item, member or line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Built {
    pub items: Vec<Item>,
    pub members: Vec<Member>,
    pub lines: Vec<TestLine>,
    pub errors: Vec<SyntaxError>,
    /// There are more errors than were asked for.
    pub partial: bool,
}

/// Builds what the nodes of one part hold.
pub(crate) fn part(text: &str, nodes: &[Node], room: usize) -> Built {
    let mut all = Cursor { nodes, at: 0, end: nodes.len() };
    let mut builder = Builder::new(text, room);
    let Some((root, inner)) = all.next() else { return builder.built };
    match root.kind {
        Kind::items | Kind::only_item => {
            let items = builder.series(inner, Within::File, Builder::item, broken::item);
            builder.built.items = items;
        }
        Kind::members | Kind::only_member => {
            builder.built.members = builder.series(inner, Within::Policy, Builder::member, broken::member);
        }
        Kind::test_lines | Kind::only_test_line => {
            builder.built.lines = builder.series(inner, Within::Test, Builder::test_line, broken::line);
        }
        Kind::policy_head | Kind::test_head => {
            let head = builder.head(inner);
            builder.built.items.extend(head);
        }
        _ => {}
    }
    builder.built
}

/// What is known of a part that is all wrong: the error, and its kind and name.
pub(crate) fn bad(text: &str, within: Within, room: usize) -> Built {
    let mut builder = Builder::new(text, room);
    let span = crate::span(0, text.len());
    builder.bad(within, span);
    builder.keep(within, span);
    builder.built
}

/// The kind and name of a part of which nothing can be read.
pub(crate) fn unread(text: &str, within: Within) -> Built {
    let mut builder = Builder::new(text, 0);
    builder.keep(within, crate::span(0, text.len()));
    builder.built
}

/// Leaves a name that is longer than names are its beginning, and says whether it was.
fn cut(name: &mut Name) -> bool {
    let long = name.node.len() > MAX_NAME;
    if long {
        name.node.truncate(name.node.floor_char_boundary(MAX_NAME));
    }
    long
}

/// The children of a node, one after the other.
#[derive(Clone, Copy)]
struct Cursor<'n> {
    nodes: &'n [Node],
    at: usize,
    end: usize,
}

impl<'n> Cursor<'n> {
    fn peek(&self) -> Option<Node> {
        if self.at < self.end { self.nodes.get(self.at).copied() } else { None }
    }

    fn kind(&self) -> Option<Kind> {
        self.peek().map(|n| n.kind)
    }

    /// The next node and a cursor over its children.
    fn next(&mut self) -> Option<(Node, Cursor<'n>)> {
        let node = self.peek()?;
        let inner = Cursor { nodes: self.nodes, at: self.at + 1, end: node.end as usize };
        self.at = node.end as usize;
        Some((node, inner))
    }

    /// The next node if it is of this kind.
    fn take(&mut self, kind: Kind) -> Option<(Node, Cursor<'n>)> {
        if self.kind() == Some(kind) { self.next() } else { None }
    }

    /// The place of the next node if it is of this kind.
    fn span(&mut self, kind: Kind) -> Option<Span> {
        self.take(kind).map(|(node, _)| node.span)
    }
}

/// Makes one of a series, or keeps what is known of one that could not be made.
type Build<B, T> = fn(&mut B, Node, Cursor<'_>) -> Option<T>;
type Broken<B, T> = fn(&mut B, Span) -> Option<T>;

struct Builder<'t> {
    text: &'t str,
    /// Items found within policies are there too: they are read as if they stood outside.
    built: Built,
    /// How many errors are kept.
    room: usize,
    /// How many errors there were.
    told: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, room: usize) -> Self {
        Self { text, built: Built::default(), room, told: 0 }
    }

    fn error(&mut self, error: SyntaxError) {
        self.told += 1;
        if self.built.errors.len() < self.room {
            self.built.errors.push(error);
        } else {
            self.built.partial = true;
        }
    }

    fn slice(&self, span: Span) -> &'t str {
        crate::slice(self.text, span)
    }

    /// Items, members or test lines with the bad ones among them explained. A bad node that does not begin like a
    /// part of its own is the rest of the part before it, which is taken back.
    fn series<T>(&mut self, mut nodes: Cursor<'_>, within: Within, build: Build<Self, T>, broken: Broken<Self, T>) -> Vec<T> {
        let mut built: Vec<T> = Vec::with_capacity(1);
        let mut last: Option<(Span, usize, usize)> = None;
        while let Some((node, inner)) = nodes.next() {
            match node.kind {
                Kind::bad_item | Kind::bad_member | Kind::bad_test_line => {
                    let mut span = node.span;
                    if let Some((before, kept, errors)) = last.take()
                        && self.continues(before, span, within)
                    {
                        span.start = before.start;
                        built.truncate(kept);
                        self.forget(errors, node.span.start);
                    }
                    while let Some(next) = nodes.peek()
                        && matches!(next.kind, Kind::bad_item | Kind::bad_member | Kind::bad_test_line)
                        && self.continues(span, next.span, within)
                    {
                        span.end = next.span.end;
                        nodes.next();
                    }
                    self.bad(within, span);
                    built.extend(broken(self, span));
                }
                Kind::item | Kind::member | Kind::test_line => {
                    let (told, errors, kept) = (self.told, self.built.errors.len(), built.len());
                    let item = build(self, node, inner);
                    if item.is_none() && self.told == told {
                        self.bad(within, node.span);
                    }
                    built.extend(item.or_else(|| broken(self, node.span)));
                    last = Some((node.span, kept, errors));
                }
                Kind::nested => {
                    let errors = self.built.errors.len();
                    let item = self.item(node, inner).or_else(|| broken::item(self, node.span));
                    self.built.items.extend(item);
                    last = Some((node.span, built.len(), errors));
                }
                _ => {}
            }
        }
        built
    }

    /// Keeps the kind and name of what could not be read.
    fn keep(&mut self, within: Within, span: Span) {
        match within {
            Within::File => {
                let item = broken::item(self, span);
                self.built.items.extend(item);
            }
            Within::Policy => {
                let member = broken::member(self, span);
                self.built.members.extend(member);
            }
            Within::Test => {
                let line = broken::line(self, span);
                self.built.lines.extend(line);
            }
        }
    }

    fn bad(&mut self, within: Within, span: Span) {
        if self.built.errors.len() < self.room {
            let error = explain::explain(self.text, within, span);
            self.error(error);
        } else {
            self.built.partial = true;
            self.told += 1;
        }
    }

    /// Takes back what was said of words in a part that turned out to be a piece of a bad one: with the rest of it
    /// they mean something else.
    fn forget(&mut self, from: usize, at: u32) {
        let again = [error::KEYWORD, error::UNKNOWN_ACTION, error::LAST_COMMA, error::WRONG_CLAUSE];
        let said = self.built.errors.split_off(from.min(self.built.errors.len()));
        self.built.errors.extend(said.into_iter().filter(|e| !(again.contains(&e.code) || e.code == error::LITERAL && e.span.end == at)));
    }

    /// Whether the bad span goes on with what stands before it.
    fn continues(&self, before: Span, bad: Span, within: Within) -> bool {
        let mut tokens = lex::within(self.text, bad).skip_while(|t| t.kind == TokenKind::Doc);
        let Some(first) = tokens.next() else { return false };
        let word = self.slice(first.span);
        if within == Within::File && matches!(self.slice(before).as_bytes().last(), Some(b'}')) {
            return false;
        }
        let goes_on = words::CLAUSES.contains(&word) || words::COMPARISONS.contains(&word) || matches!(word, "and" | "or");
        if goes_on || self.slice(bad).starts_with("///") {
            return goes_on;
        }
        match first.kind {
            TokenKind::Word if within.begins(word) => false,
            TokenKind::Word if words::clause_meant(word).is_some() && !self.is_property(before) => {
                !tokens.next().is_some_and(|t| matches!(self.slice(t.span), ":" | "="))
            }
            TokenKind::Word => {
                let between = self.text.get(before.end as usize..first.span.start as usize).unwrap_or_default();
                !between.contains('\n')
            }
            _ => !(within == Within::File && word == "}"),
        }
    }

    /// Whether a span gives a property its value: no clause follows.
    fn is_property(&self, span: Span) -> bool {
        let mut tokens = lex::within(self.text, span).skip_while(|t| t.kind == TokenKind::Doc);
        tokens.nth(1).is_some_and(|t| self.slice(t.span) == "=")
    }

    /// Documentation comments at the start of a part: lines joined, marks and one blank stripped.
    fn doc(&self, nodes: &mut Cursor<'_>) -> Option<String> {
        let mut doc: Option<String> = None;
        while let Some((node, _)) = nodes.take(Kind::doc) {
            let line = self.slice(node.span).get(3..).unwrap_or_default().trim_end_matches('\r');
            let line = line.strip_prefix(' ').unwrap_or(line);
            match &mut doc {
                None => doc = Some(line.to_owned()),
                Some(text) => {
                    text.push('\n');
                    text.push_str(line);
                }
            }
        }
        doc
    }

    /// The text of a node as it stands.
    fn plain(&self, node: Node) -> Name {
        Spanned { node: self.slice(node.span).to_owned(), span: node.span }
    }

    /// A name: of a node that is longer than names are, the beginning, after an error.
    fn named(&mut self, node: Node) -> Name {
        let mut name = self.plain(node);
        if cut(&mut name) {
            let error = SyntaxError::new(error::LONG_NAME, node.span, format!("a name has at most {MAX_NAME} bytes"));
            self.error(error.help("choose a shorter one"));
        }
        name
    }

    /// A name that must not be (or begin with) a keyword.
    fn checked(&mut self, node: Node, what: &str) -> Name {
        let name = self.named(node);
        let first = name.node.split('.').next().unwrap_or_default();
        if words::is_keyword(first) {
            let message = format!("`{first}` is a keyword and cannot be {what}");
            let help = match what {
                "a value" => "text goes in double quotes",
                "a rule" if first == "default" => "name its policy before it: `by policy default`",
                _ => "choose another name",
            };
            self.error(SyntaxError::new(error::KEYWORD, node.span, message).help(help));
        }
        name
    }

    fn name(&mut self, nodes: &mut Cursor<'_>, what: &str) -> Option<Name> {
        match nodes.kind()? {
            Kind::name | Kind::qname | Kind::key => {
                let (node, _) = nodes.next()?;
                Some(self.checked(node, what))
            }
            _ => None,
        }
    }

    fn event(&mut self, nodes: &mut Cursor<'_>) -> Option<Name> {
        nodes.take(Kind::event).map(|(node, _)| self.named(node))
    }

    /// A string with its escapes resolved; the span keeps the quotes.
    fn string(&mut self, nodes: &mut Cursor<'_>) -> Option<Spanned<String>> {
        let (node, _) = match nodes.kind()? {
            Kind::string | Kind::quoted => nodes.next()?,
            _ => return None,
        };
        let text = self.slice(node.span);
        let body = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        if node.kind == Kind::quoted {
            let error = SyntaxError::new(error::SINGLE_QUOTES, node.span, "text goes in double quotes");
            self.error(match body.contains(['"', '\\']) {
                true => error.help("write `\"` around it, and a backslash before each `\"` and `\\` in it"),
                false => error.help(format!("write `\"{body}\"`")).guess(node.span, format!("\"{body}\"")),
            });
        }
        let (body, wrong) = literal::unescape(body);
        for (at, escape) in wrong {
            let start = node.span.start as usize + 1 + at;
            let span = crate::span(start, start + 1 + escape.len_utf8());
            let message = format!("`\\{escape}` is not an escape");
            let help = "the escapes are `\\\"`, `\\\\`, `\\n` and `\\t`; a backslash itself is `\\\\`";
            self.error(SyntaxError::new(error::ESCAPE, span, message).help(help));
        }
        Some(Spanned { node: body, span: node.span })
    }
}
