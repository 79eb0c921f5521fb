//! Lines of tests. Takes `test_line` nodes, gives their trees.

use super::member::verdict;
use super::{Builder, Cursor};
use crate::ast::{Expect, Literal, Name, Span, Spanned, Target, TestLine, TestLineKind};
use crate::error::{self, SyntaxError};
use crate::tree::{Kind, Node};
use crate::words;

impl Builder<'_> {
    pub(super) fn test_line(&mut self, node: Node, mut nodes: Cursor<'_>) -> Option<TestLine> {
        let (kind, mut inner) = nodes.next()?;
        let kind = match kind.kind {
            Kind::process => self.process(&mut inner),
            Kind::step => self.step(&mut inner),
            _ => None,
        }?;
        Some(TestLine { span: node.span, kind })
    }

    fn process(&mut self, nodes: &mut Cursor<'_>) -> Option<TestLineKind> {
        nodes.take(Kind::k_process);
        let name = self.name(nodes, "a name")?;
        nodes.take(Kind::eq);
        let record = self.record(nodes)?;
        Some(TestLineKind::Process { name, record })
    }

    fn step(&mut self, nodes: &mut Cursor<'_>) -> Option<TestLineKind> {
        let process = self.name(nodes, "the name of a process")?;
        let event = self.event(nodes)?;
        let target = match nodes.take(Kind::target) {
            Some((_, mut inner)) => Some(self.target(&mut inner)?),
            None => None,
        };
        let record = self.record(nodes);
        let times = match nodes.take(Kind::k_times) {
            Some(_) => nodes.take(Kind::word).and_then(|(word, _)| self.times(word)),
            None => None,
        };
        let arrow = nodes.span(Kind::arrow);
        let (expect, inner) = nodes.take(Kind::expect)?;
        self.arrow(arrow, expect.span);
        let expect = self.expect(expect, inner)?;
        Some(TestLineKind::Step { process, event, target, record, times, expect })
    }

    fn arrow(&mut self, arrow: Option<Span>, expect: Span) {
        let (span, message) = match arrow {
            Some(span) if self.slice(span) == "=>" => return,
            Some(span) => (span, format!("expected `=>` before the verdict, found `{}`", self.slice(span))),
            None => (Span { start: expect.start, end: expect.start }, "`=>` is missing before the expected verdict".to_owned()),
        };
        let written = if span.start == span.end { "=> " } else { "=>" };
        self.error(SyntaxError::new(error::NO_ARROW, span, message).help("write `=>`").guess(span, written));
    }

    fn target(&mut self, nodes: &mut Cursor<'_>) -> Option<Target> {
        if let Some((node, _)) = nodes.take(Kind::endpoint6) {
            return Some(Target::Endpoint(self.endpoint6(node)));
        }
        if let Some((node, _)) = nodes.take(Kind::word) {
            use crate::literal::{Word, classify};
            if matches!(classify(self.slice(node.span)), Ok(Word::Endpoint)) {
                return Some(Target::Endpoint(self.plain(node)));
            }
            return Some(Target::Literal(self.literal(node)));
        }
        let text = self.string(nodes)?;
        Some(Target::Literal(Spanned { node: Literal::Str(text.node), span: text.span }))
    }

    fn times(&mut self, node: Node) -> Option<Spanned<u64>> {
        let word = self.slice(node.span);
        let leading_zero = word.len() > 1 && word.starts_with('0');
        match word.parse::<u64>() {
            Ok(times) if !leading_zero && word.bytes().all(|b| b.is_ascii_digit()) => Some(Spanned { node: times, span: node.span }),
            _ => {
                let error = SyntaxError::new(error::LITERAL, node.span, format!("`{word}` is not a number of times"));
                self.error(error.help("write a whole number, such as `times 201`"));
                None
            }
        }
    }

    fn expect(&mut self, node: Node, mut nodes: Cursor<'_>) -> Option<Expect> {
        let (word, _) = nodes.next()?;
        if word.kind == Kind::k_allow {
            return Some(Expect::Allow(node.span));
        }
        let text = self.slice(word.span);
        if word.kind == Kind::verdict {
            let error = SyntaxError::new(error::NO_RULE_NAMED, word.span, format!("`{text}` does not name its rule"));
            self.error(error.help(format!("write `{text} by policy.rule` or `{text} by policy default`")));
            return None;
        }
        let by = nodes.span(Kind::k_by);
        let rule: Name = self.name(&mut nodes, "a rule")?;
        let default = nodes.take(Kind::k_default).is_some();
        let Some(found) = verdict(text) else {
            self.error(wrong_verdict(text, word.span, by));
            return None;
        };
        let verdict = Spanned { node: found, span: word.span };
        Some(Expect::By { verdict, rule, default, span: node.span })
    }
}

fn wrong_verdict(word: &str, span: Span, by: Option<Span>) -> SyntaxError {
    if word == "allow" {
        let error = SyntaxError::new(error::UNKNOWN_ACTION, by.unwrap_or(span), "`allow` does not name a rule");
        return error.help("write `=> allow` alone");
    }
    let near = words::foreign_action(word).filter(|a| verdict(a).is_some());
    let near = near.or_else(|| words::near(word, &["deny", "kill", "audit"]));
    let help = match near {
        Some(verdict) => format!("did you mean `{verdict}`?"),
        None => "the verdicts are `allow`, `deny`, `kill` and `audit`".to_owned(),
    };
    SyntaxError::new(error::UNKNOWN_ACTION, span, format!("`{word}` is not a verdict")).help(help)
}
