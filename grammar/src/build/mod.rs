//! The flat tree of the grammar in, the syntax tree out. Reports what the tolerant grammar let through
//! (keywords as names, `=` for `==`, clauses out of order, …) and has bad spans explained. Never drops text
//! without an error about it.

mod clause;
mod cond;
mod item;
mod member;
mod test;
mod value;

pub(crate) use member::unknown_action;

use crate::ast::{File, Item, Name, Span, Spanned};
use crate::error::{self, SyntaxError};
use crate::explain::{self, Part};
use crate::lex::{Lexer, TokenKind};
use crate::literal;
use crate::tree::{Kind, Node};
use crate::words;
use crate::{MAX_ERRORS, MAX_NAME};

/// Builds the file from its nodes.
pub(crate) fn file(text: &str, nodes: &[Node], errors: &mut Vec<SyntaxError>) -> File {
    let mut builder = Builder { text, errors, nested: Vec::new() };
    let mut all = Cursor { nodes, at: 0, end: nodes.len() };
    let mut items = match all.take(Kind::file) {
        Some((_, inner)) => builder.series(inner, Part::Item, Builder::item),
        None => Vec::new(),
    };
    if !builder.nested.is_empty() {
        items.append(&mut builder.nested);
        items.sort_by_key(|item| item.span);
    }
    File { items }
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

struct Builder<'t, 'e> {
    text: &'t str,
    errors: &'e mut Vec<SyntaxError>,
    /// Items found within policies: they are read as if they stood outside.
    nested: Vec<Item>,
}

impl<'t> Builder<'t, '_> {
    fn error(&mut self, error: SyntaxError) {
        if self.errors.len() <= MAX_ERRORS {
            self.errors.push(error);
        }
    }

    fn slice(&self, span: Span) -> &'t str {
        crate::slice(self.text, span)
    }

    /// Items, members or test lines with the bad ones among them explained. A bad node that does not begin like a
    /// part of its own is the rest of the part before it, which is taken back.
    fn series<T>(&mut self, mut nodes: Cursor<'_>, part: Part, build: fn(&mut Self, Node, Cursor<'_>) -> Option<T>) -> Vec<T> {
        let mut built: Vec<T> = Vec::new();
        let mut last: Option<(Span, bool, usize)> = None;
        while let Some((node, inner)) = nodes.next() {
            match node.kind {
                Kind::bad_item | Kind::bad_member | Kind::bad_test_line => {
                    let mut span = node.span;
                    if let Some((before, kept, errors)) = last.take()
                        && self.continues(before, span, part)
                    {
                        span.start = before.start;
                        if kept {
                            built.pop();
                        }
                        self.forget(errors);
                    }
                    while let Some(next) = nodes.peek()
                        && matches!(next.kind, Kind::bad_item | Kind::bad_member | Kind::bad_test_line)
                        && self.continues(span, next.span, part)
                    {
                        span.end = next.span.end;
                        nodes.next();
                    }
                    self.bad(part, span);
                }
                Kind::item | Kind::member | Kind::test_line => {
                    let errors = self.errors.len();
                    let item = build(self, node, inner);
                    if item.is_none() && self.errors.len() == errors {
                        self.bad(part, node.span);
                    }
                    last = Some((node.span, item.is_some(), errors));
                    built.extend(item);
                }
                Kind::nested => {
                    let errors = self.errors.len();
                    let item = self.item(node, inner);
                    self.nested.extend(item);
                    last = Some((node.span, false, errors));
                }
                _ => {}
            }
        }
        built
    }

    fn bad(&mut self, part: Part, span: Span) {
        if self.errors.len() <= MAX_ERRORS {
            let error = explain::explain(self.text, part, span);
            self.error(error);
        }
    }

    /// Takes back what was said of words in a part that turned out to be a piece of a bad one: with the rest of it
    /// they mean something else.
    fn forget(&mut self, from: usize) {
        let again = [error::KEYWORD, error::UNKNOWN_ACTION, error::LAST_COMMA, error::WRONG_CLAUSE];
        let said = self.errors.split_off(from.min(self.errors.len()));
        self.errors.extend(said.into_iter().filter(|e| !again.contains(&e.code)));
    }

    /// Whether the bad span goes on with what stands before it.
    fn continues(&self, before: Span, bad: Span, part: Part) -> bool {
        let mut tokens = Lexer::within(self.text, bad).skip_while(|t| t.kind == TokenKind::Doc);
        let Some(first) = tokens.next() else { return false };
        let word = self.slice(first.span);
        if part == Part::Item && matches!(self.slice(before).as_bytes().last(), Some(b'}')) {
            return false;
        }
        let goes_on = words::CLAUSES.contains(&word) || words::COMPARISONS.contains(&word) || matches!(word, "and" | "or");
        if goes_on || self.slice(bad).starts_with("///") {
            return goes_on;
        }
        match first.kind {
            TokenKind::Word if part.begins(word) => false,
            TokenKind::Word if words::near(word, words::CLAUSES).is_some() => {
                !tokens.next().is_some_and(|t| matches!(self.slice(t.span), ":" | "="))
            }
            TokenKind::Word => {
                let between = self.text.get(before.end as usize..first.span.start as usize).unwrap_or_default();
                !between.contains('\n')
            }
            _ => !(part == Part::Item && word == "}"),
        }
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
        if name.node.len() > MAX_NAME {
            name.node.truncate(name.node.floor_char_boundary(MAX_NAME));
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
            let help = if what == "a value" { "a text stands in double quotes" } else { "choose another name" };
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
            let help = format!("write \"{body}\"");
            self.error(SyntaxError::new(error::SINGLE_QUOTES, node.span, "text stands in double quotes").help(help));
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
