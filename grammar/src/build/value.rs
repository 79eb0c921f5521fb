//! Constants, types and records. Takes `value`, `type_` and `record` nodes, gives their trees.

use std::collections::HashMap;

use super::{Builder, Cursor};
use crate::MAX_CHAIN;
use crate::ast::{Literal, Name, PairValue, Record, Span, Spanned, Type, Value, ValueKind};
use crate::error::{self, SyntaxError};
use crate::literal::{self, Word};
use crate::tree::{Kind, Node};
use crate::words;

impl Builder<'_> {
    /// The next node as a constant.
    pub(super) fn value(&mut self, nodes: &mut Cursor<'_>) -> Option<Value> {
        let (_, mut inner) = nodes.take(Kind::value)?;
        self.chain(&mut inner)
    }

    /// The value of a property or key. An action's word as a mode is taken: the type stage knows which mode is meant.
    pub(super) fn value_of(&mut self, key: &str, nodes: &mut Cursor<'_>) -> Option<Value> {
        let (node, mut inner) = nodes.take(Kind::value)?;
        let text = self.slice(node.span).trim_end();
        if key == "mode" && words::ACTIONS.contains(&text) {
            return Some(Value { span: inner.next()?.0.span, kind: ValueKind::Name(text.to_owned()) });
        }
        self.chain(&mut inner)
    }

    fn chain(&mut self, nodes: &mut Cursor<'_>) -> Option<Value> {
        let mut value = self.term(nodes)?;
        let mut length = 1;
        while let Some(op) = nodes.span(Kind::set_op) {
            let right = self.term(nodes)?;
            length += 1;
            if length == MAX_CHAIN + 1 {
                let message = format!("more than {MAX_CHAIN} sets are joined");
                self.error(SyntaxError::new(error::TOO_LONG, op, message).help("put the elements into one set"));
            }
            if length > MAX_CHAIN {
                continue;
            }
            let span = Span { start: value.span.start, end: right.span.end };
            let (left, right) = (Box::new(value), Box::new(right));
            let union = self.slice(op) == "+";
            let kind = if union { ValueKind::Union(left, right) } else { ValueKind::Difference(left, right) };
            value = Value { span, kind };
        }
        Some(value)
    }

    fn term(&mut self, nodes: &mut Cursor<'_>) -> Option<Value> {
        match nodes.kind()? {
            Kind::set => {
                let (set, mut inner) = nodes.next()?;
                let mut elements = Vec::new();
                while inner.kind().is_some_and(|k| k != Kind::rbracket) {
                    elements.push(self.term(&mut inner)?);
                }
                elements.shrink_to_fit();
                Some(Value { span: set.span, kind: ValueKind::Set(elements) })
            }
            Kind::word => {
                let (word, _) = nodes.next()?;
                match nodes.take(Kind::upto) {
                    Some((_, mut inner)) => self.range(word, inner.next()?.0),
                    None => Some(self.word(word)),
                }
            }
            _ => {
                let text = self.string(nodes)?;
                Some(Value { span: text.span, kind: ValueKind::Literal(Literal::Str(text.node)) })
            }
        }
    }

    fn range(&mut self, low: Node, high: Node) -> Option<Value> {
        for end in [low, high] {
            let word = self.slice(end.span);
            let error = match literal::classify(word) {
                Ok(Word::Literal(Literal::Number(_) | Literal::Ip(_))) => continue,
                Ok(_) => SyntaxError::new(error::LITERAL, end.span, format!("`{word}` cannot be the end of a range"))
                    .help("ranges go from number to number or from address to address"),
                Err((message, help)) => SyntaxError { help, ..SyntaxError::new(error::LITERAL, end.span, message) },
            };
            self.error(error);
        }
        let span = Span { start: low.span.start, end: high.span.end };
        Some(Value { span, kind: ValueKind::Range { low: self.plain(low), high: self.plain(high) } })
    }

    /// A word as a value; a word of no shape is kept as a name after its error.
    fn word(&mut self, node: Node) -> Value {
        let text = self.slice(node.span);
        let name = || ValueKind::Name(text.to_owned());
        let kind = match literal::classify(text) {
            Ok(Word::Name) => ValueKind::Name(self.checked(node, "a value").node),
            Ok(Word::Literal(literal)) => ValueKind::Literal(literal),
            Ok(Word::Endpoint) => {
                let help = "compare `remote.ip` and `remote.port` separately";
                self.misplaced(node.span, "an address with a port", help);
                name()
            }
            Ok(Word::Rate(_)) => {
                self.misplaced(node.span, "a rate", "a rate belongs after `after =` or `limit =` in `with { … }`");
                name()
            }
            Err((message, help)) => {
                let error = SyntaxError { help, ..SyntaxError::new(error::LITERAL, node.span, message) };
                self.error(match literal::as_range(text) {
                    Some(range) => error.guess(node.span, range),
                    None => error,
                });
                name()
            }
        };
        Value { span: node.span, kind }
    }

    fn misplaced(&mut self, span: Span, what: &str, help: &str) {
        let message = format!("{what} such as `{}` is not allowed here", self.slice(span));
        self.error(SyntaxError::new(error::LITERAL, span, message).help(help));
    }

    /// A literal that cannot be a name: the object of a test step.
    pub(super) fn literal(&mut self, node: Node) -> Spanned<Literal> {
        let value = self.word(node);
        let literal = match value.kind {
            ValueKind::Literal(literal) => literal,
            _ => Literal::Str(self.slice(node.span).to_owned()),
        };
        Spanned { node: literal, span: node.span }
    }

    /// The next node as a type.
    pub(super) fn type_(&mut self, nodes: &mut Cursor<'_>) -> Option<Type> {
        let (node, mut inner) = nodes.take(Kind::type_)?;
        let name = self.name(&mut inner, "a type")?;
        let arg = self.name(&mut inner, "a type");
        Some(Type { name, arg, span: node.span })
    }

    /// The next node as a record.
    pub(super) fn record(&mut self, nodes: &mut Cursor<'_>) -> Option<Record> {
        let (node, mut inner) = nodes.take(Kind::record)?;
        let mut pairs: Vec<(Name, PairValue)> = Vec::with_capacity(1);
        let mut seen: HashMap<&str, Span> = HashMap::new();
        while let Some((_, mut pair)) = inner.take(Kind::pair) {
            let (key, _) = pair.take(Kind::key)?;
            let key = self.named(key);
            self.equals(&mut pair);
            if let Some(earlier) = seen.insert(self.slice(key.span), key.span) {
                let error = SyntaxError::new(error::CLAUSE_ORDER, key.span, format!("`{}` is given twice", key.node));
                self.error(error.help("keep one of them").related(earlier, "the first one"));
            }
            let value = self.pair_value(&key.node, &mut pair)?;
            pairs.push((key, value));
        }
        Some(Record { pairs, span: node.span })
    }

    fn equals(&mut self, nodes: &mut Cursor<'_>) {
        if let Some(span) = nodes.span(Kind::pair_eq)
            && self.slice(span) == ":"
        {
            let error = SyntaxError::new(error::WRONG_EQUALS, span, "expected `=` in a record, found `:`");
            let spaced = self.text.get(..span.start as usize).is_some_and(|before| before.ends_with(' '));
            self.error(error.help("write `=`").guess(span, if spaced { "=" } else { " =" }));
        }
    }

    fn pair_value(&mut self, key: &str, nodes: &mut Cursor<'_>) -> Option<PairValue> {
        if let Some((node, _)) = nodes.take(Kind::endpoint6) {
            return Some(PairValue::Endpoint(self.endpoint6(node)));
        }
        let before = *nodes;
        let (value, mut inner) = nodes.take(Kind::value)?;
        let only = inner.next().filter(|_| inner.peek().is_none()).map(|(n, _)| n);
        let word = only.filter(|n| n.kind == Kind::word).map(|n| literal::classify(self.slice(n.span)));
        let window = nodes
            .take(Kind::window)
            .and_then(|(_, mut w)| std::iter::from_fn(|| w.next()).find(|(n, _)| n.kind == Kind::word))
            .map(|(n, _)| n);
        let rate = match (&word, window) {
            (Some(Ok(Word::Rate(slash))), None) => Some(self.split_rate(value.span, *slash)),
            (Some(Ok(Word::Literal(Literal::Number(_)))), Some(window)) => Some((self.plain(value), self.window(window))),
            _ => None,
        };
        if let Some((count, window)) = rate {
            nodes.take(Kind::k_per);
            let per = self.name(nodes, "a domain");
            let end = per.as_ref().map_or(window.span.end, |p| p.span.end);
            let span = Span { start: value.span.start, end };
            return Some(PairValue::Rate { count, window, per, span });
        }
        if let Some(window) = window {
            self.misplaced(window.span, "a window", "a rate is a number, `/`, and a duration, such as `200/10s`");
        }
        if let Some(per) = nodes.span(Kind::k_per)
            && !matches!(word, Some(Err(_)))
        {
            let error = SyntaxError::new(error::LITERAL, per, "`per` only follows a rate");
            self.error(error.help("a rate is a number, `/`, and a duration, such as `200/10s`"));
        }
        if matches!(word, Some(Ok(Word::Endpoint))) {
            return Some(PairValue::Endpoint(self.plain(value)));
        }
        let mut value = before;
        self.value_of(key, &mut value).map(PairValue::Value)
    }

    fn split_rate(&self, span: Span, slash: usize) -> (Name, Name) {
        let middle = span.start + u32::try_from(slash).unwrap_or_default();
        let part = |span| Spanned { node: self.slice(span).to_owned(), span };
        (part(Span { start: span.start, end: middle }), part(Span { start: middle + 1, end: span.end }))
    }

    fn window(&mut self, node: Node) -> Name {
        let word = self.slice(node.span);
        if !matches!(literal::classify(word), Ok(Word::Literal(Literal::Duration(_)))) {
            let error = SyntaxError::new(error::LITERAL, node.span, format!("`{word}` is not a duration"));
            self.error(error.help("the units are `ms`, `s`, `m`, `h` and `d`"));
        }
        self.plain(node)
    }

    /// `[fd00::7]:443`
    pub(super) fn endpoint6(&mut self, node: Node) -> Spanned<String> {
        let text = self.slice(node.span);
        let (host, port) = text.rsplit_once("]:").unwrap_or((text, ""));
        let host = host.trim_start_matches('[');
        if !literal::is_ip6(host) || !port.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("`{text}` is not an address with a port");
            let help = "put the IPv6 address in brackets before the port, such as `[fd00::7]:443`";
            self.error(SyntaxError::new(error::LITERAL, node.span, message).help(help));
        }
        self.plain(node)
    }

    /// A duration or a date after `for` and `until`, as written.
    pub(super) fn shaped(&mut self, node: Node, what: &str, example: &str, ok: fn(&Literal) -> bool) -> Spanned<String> {
        let word = self.slice(node.span);
        if !matches!(literal::classify(word), Ok(Word::Literal(literal)) if ok(&literal)) {
            let message = format!("`{word}` is not {what}");
            let error = SyntaxError::new(error::LITERAL, node.span, message);
            self.error(error.help(format!("write it such as `{example}`")));
        }
        self.plain(node)
    }
}
