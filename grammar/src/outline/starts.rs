//! Where a part begins. Takes the tokens around a place. Knows the same starts as the error nodes of the grammar, and
//! leaves those out that stand where the grammar could still go on with what is before them.

use super::Cutter;
use crate::lex::TokenKind;
use crate::words;

/// Whether a word is the action of a rule.
pub(super) fn is_verb(word: &str) -> bool {
    words::ACTIONS.contains(&word)
}

impl Cutter<'_> {
    /// The `{` of a policy or test whose head begins here.
    pub(super) fn head(&self, first: usize) -> Option<usize> {
        let brace = match self.word(first) {
            "policy" if self.is_name(first + 1) => first + 2,
            "test" if self.token(first + 1) == Some(TokenKind::Str) => first + 2,
            "test" if self.word(first + 1) == "'" => self.quoted(first + 1)? + 1,
            _ => return None,
        };
        let brace = if self.word(first) == "test" { self.after_with(brace)? } else { brace };
        (self.word(brace) == "{").then_some(brace)
    }

    /// What follows the parameters that a test pins, if it pins any.
    fn after_with(&self, at: usize) -> Option<usize> {
        if self.word(at) == "with" && self.is(at + 1, b'{') { Some(self.braces(at + 1)? + 1) } else { Some(at) }
    }

    /// The single quote that ends a text on the same line.
    fn quoted(&self, open: usize) -> Option<usize> {
        let mut line = (open + 1..self.tokens.len()).take_while(|at| !self.begins_line(*at));
        let found = line.find(|at| self.word(*at) == "'");
        self.see(found.unwrap_or(self.tokens.len()));
        found
    }

    /// A policy or test: what ends every block.
    pub(super) fn begins_block(&self, at: usize) -> bool {
        match self.word(at) {
            "policy" => self.named(at) && !is_verb(self.word(at + 1)) || self.head(at).is_some(),
            "test" => matches!(self.token(at + 1), Some(TokenKind::Str | TokenKind::OpenStr)) || self.head(at).is_some(),
            _ => false,
        }
    }

    /// An item of any kind.
    pub(super) fn begins_item(&self, at: usize) -> bool {
        if !self.may_begin_item(at) {
            return false;
        }
        match self.word(at) {
            "policy" | "test" => self.begins_block(at),
            "let" | "param" | "fn" | "import" | "apply" => self.named(at),
            "mark" => self.is_name(at + 1) && self.word(at + 2) == "per",
            "except" => {
                let clause = matches!(self.word(at + 2), "when" | "default" | "because" | "until");
                self.begins_alpha(at + 1) && (clause || self.begins_line(at))
            }
            _ => false,
        }
    }

    /// A quick look: a word as long as the keywords of items, that begins like one.
    fn may_begin_item(&self, at: usize) -> bool {
        self.get(at).is_some_and(|t| {
            let first = self.text.as_bytes().get(t.span.start as usize);
            t.kind == TokenKind::Word && (2..=6).contains(&(t.span.end - t.span.start)) && first.is_some_and(|b| b"aefilmpt".contains(b))
        })
    }

    /// A word follows that may be a name.
    fn named(&self, at: usize) -> bool {
        self.begins_alpha(at + 1) && !is_joint(self.word(at + 1))
    }

    /// The end of an item: the next one, or a word in the first column with which it cannot go on.
    pub(super) fn item_end(&mut self, first: usize) -> usize {
        let mut at = first + 1;
        while at < self.tokens.len() {
            if self.token(at) == Some(TokenKind::Doc) {
                let start = self.after_docs(at);
                if self.begins_item(start) || self.begins_column(start) {
                    return at;
                }
                at = start;
                continue;
            }
            if self.is_word(at) && self.word(at - 1) != "by" && (self.begins_item(at) || self.begins_column(at) && self.is_complete(at)) {
                return at;
            }
            let block = if self.is(at, b'{') { self.block(at) } else { None };
            at = block.unwrap_or(at) + 1;
        }
        at
    }

    /// A word in the first column that does not go on with what is before it.
    fn begins_column(&self, at: usize) -> bool {
        let column = self.start(at).checked_sub(1).is_none_or(|before| self.text.as_bytes().get(before as usize) == Some(&b'\n'));
        column && self.begins_alpha(at) && !self.goes_on(at)
    }

    /// Words that can only go on with what is before them, and those that were probably meant to.
    fn goes_on(&self, at: usize) -> bool {
        let word = self.word(at);
        let joins = is_joint(word) || words::CLAUSES.contains(&word) || matches!(word, "not" | "for" | "per" | "as" | "by" | "default");
        joins || !matches!(self.word(at + 1), ":" | "=") && words::clause_meant(word).is_some()
    }

    /// Whether what stands before a token can end there: nothing asks for more.
    fn is_complete(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        match self.token(before) {
            Some(TokenKind::Word) => !words::is_keyword(self.word(before)),
            Some(TokenKind::Str | TokenKind::OpenStr) => true,
            _ => matches!(self.word(before), "]" | ")" | "}" | "'"),
        }
    }

    /// The end of a member: the next one, an item, or a brace that closes the policy.
    pub(super) fn member_end(&mut self, first: usize) -> usize {
        let (mut at, mut depth) = (first, 0_usize);
        loop {
            if self.token(at) == Some(TokenKind::Punct) {
                match self.word(at) {
                    "{" => at = self.braces(at).unwrap_or(at),
                    "(" | "[" => depth += 1,
                    ")" | "]" => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            at += 1;
            match self.token(at) {
                None => return at,
                Some(TokenKind::Word | TokenKind::Doc) => {}
                Some(_) if self.is(at, b'}') => return at,
                Some(_) => continue,
            }
            let start = self.after_docs(at);
            if self.begins_item(start) || self.begins_member(at, start, depth) {
                return at;
            }
            at = start; // past documentation in the middle of something
            if at >= self.tokens.len() || self.is(at, b'}') {
                return at;
            }
        }
    }

    /// Whether a member begins at `start`, with its documentation from `at` on.
    fn begins_member(&self, at: usize, start: usize, depth: usize) -> bool {
        let (colon, equals) = (self.is(start + 1, b':'), self.is(start + 1, b'='));
        if !colon && !equals && !self.is_word(start + 1) {
            return false;
        }
        let (word, next) = (self.word(start), self.word(start + 1));
        if !colon && !equals && !is_verb(next) {
            return false;
        }
        if word == "default" && is_verb(next) {
            return depth == 0;
        }
        if equals && at == start && at.checked_sub(1).is_some_and(|before| self.word(before) == "default") && !self.begins_line(at) {
            return false;
        }
        if !self.is_name(start) || words::CLAUSES.contains(&word) || is_joint(word) {
            return false;
        }
        if next == ":" && is_verb(self.word(start + 2)) && self.is_word(start + 3) {
            return true;
        }
        let line = self.begins_line(at);
        if line && next == ":" && self.is_label(start) {
            return true;
        }
        if depth > 0 || !(self.is_complete(at) || line && self.asks_nothing(at)) {
            return false;
        }
        let loose = next == ":" || is_verb(next) && self.is_complete(at);
        next == "=" || line && loose && self.begins_alpha(start + 2)
    }

    /// A word, a colon and, set off from it, another word: an address has no blanks, and nothing else but a declaration
    /// has a colon after a word.
    fn is_label(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map_or("", |at| self.word(at));
        let colon = self.get(at + 1).map_or(0, |t| t.span.end);
        self.begins_alpha(at + 2) && self.start(at + 2) > colon && !matches!(before, "let" | "param" | "fn" | "mark" | "(" | ",")
    }

    /// Whether the token before does not ask for a value, a condition or an event, which the words here could be.
    fn asks_nothing(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        match self.word(before) {
            "=" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "+" | "-" | ".." | "&&" | "||" | "!" | "(" | "[" | ":" => false,
            word => !words::is_keyword(word) || matches!(word, "because" | "with"),
        }
    }

    /// The end of a line of a test: the next one, an item, or a brace that closes the test.
    pub(super) fn line_end(&mut self, first: usize) -> usize {
        let mut at = first;
        loop {
            if self.is(at, b'{') {
                at = self.braces(at).unwrap_or(at);
            }
            at += 1;
            if at >= self.tokens.len() || self.is(at, b'}') {
                return at;
            }
            let start = self.after_docs(at);
            let item = self.word(at - 1) != "by" && self.begins_item(start);
            if item || self.begins_line(at) && self.is_whole_line(first, at) {
                return at;
            }
            at = at.max(start.saturating_sub(1));
        }
    }

    /// Whether the tokens from `first` to `end` are all that a line can have, and the next one does not go on with them.
    fn is_whole_line(&self, first: usize, end: usize) -> bool {
        let back = |count: usize| end.checked_sub(count).filter(|at| *at > first).map_or("", |at| self.word(at));
        let whole = match back(1) {
            "}" => self.word(first) == "process",
            "allow" => true,
            "default" => back(3) == "by",
            last => back(2) == "by" || is_verb(last) && matches!(back(2), "=>" | "->" | "="),
        };
        whole
            && match self.token(end) {
                Some(TokenKind::Doc) => true,
                Some(TokenKind::Word) => self.begins_alpha(end) && self.word(end) != "times" && !self.goes_on(end),
                _ => false,
            }
    }

    /// The `}` of a pair of braces without others, or a start, between them.
    fn braces(&self, open: usize) -> Option<usize> {
        let mut at = open + 1;
        while at < self.tokens.len() {
            let ends = self.is(at, b'{') || self.begins_item(at) || self.is(at + 1, b':') && self.is_name(at) && self.is_rule(at);
            match self.is(at, b'}') {
                true => return Some(at),
                false if ends => return None,
                false => at += 1,
            }
        }
        self.see(at);
        None
    }

    /// A label, a colon, an action and something that it is about.
    fn is_rule(&self, at: usize) -> bool {
        is_verb(self.word(at + 2)) && self.is_word(at + 3)
    }

    /// The `}` of a block outside of a policy, which may hold pairs of braces; none if an item begins before.
    fn block(&mut self, open: usize) -> Option<usize> {
        if open < self.unclosed {
            return self.braces(open);
        }
        let mut at = open + 1;
        while at < self.tokens.len() && !self.begins_item(at) {
            match self.word(at) {
                "}" => return Some(at),
                "{" => at = self.braces(at).unwrap_or(at) + 1,
                _ => at += 1,
            }
        }
        self.see(at);
        self.unclosed = at;
        None
    }
}

/// Words between two conditions or between a field and a constant.
fn is_joint(word: &str) -> bool {
    words::COMPARISONS.contains(&word) || matches!(word, "and" | "or")
}
