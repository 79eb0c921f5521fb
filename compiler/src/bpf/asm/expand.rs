//! Takes the texts and parameters, gives the lines that remain when the preprocessor has run.
//!
//! Directives: `.rept NAME FROM TO` … `.endr` (TO excluded), `.if EXPR` … `.elif EXPR` … `.else` …
//! `.endif`, `.macro NAME ARG…` … `.endm` (called as an instruction, arguments parted by commas or
//! spaces), `.set NAME EXPR`. `{EXPR}` is replaced everywhere. `;` and `//` begin a comment.
//! Labels that begin with `.` belong to one expansion; the scopes' tree is part of what is given.
//! Never looks at instructions.

use super::expr::eval;
use super::{Errors, Params, Pos, Value};
use std::collections::BTreeMap;

/// What the preprocessor leaves.
pub(super) struct Expanded {
    /// the lines, trimmed, without comments, none empty
    pub lines: Vec<Line>,
    /// the parent of each expansion; scope 0 is its own parent
    pub scopes: Vec<usize>,
}

/// A line and the expansion that it came from.
pub(super) struct Line {
    pub at: Pos,
    pub scope: usize,
    pub text: String,
}

/// More lines than this are taken for a runaway repetition.
const MAX_LINES: usize = 1 << 20;
/// Deeper nesting of macros and blocks than this is refused.
const MAX_DEPTH: usize = 48;

/// Runs the preprocessor over all texts.
pub(super) fn expand(texts: &[(&str, &str)], params: &Params, errors: &mut Errors) -> Expanded {
    let mut x = Expander {
        errors,
        macros: BTreeMap::new(),
        frames: vec![params.clone()],
        scope: 0,
        depth: 0,
        full: false,
        out: Expanded { lines: Vec::new(), scopes: vec![0] },
    };
    let sources: Vec<Vec<Raw<'_>>> = texts.iter().enumerate().map(|(file, t)| split(file, t.1)).collect();
    for source in &sources {
        x.collect_macros(source);
    }
    for source in &sources {
        x.run(source);
    }
    x.out
}

/// A line as written, without its comment.
#[derive(Clone, Copy)]
struct Raw<'a> {
    at: Pos,
    text: &'a str,
}

impl<'a> Raw<'a> {
    /// The first word and the rest.
    fn head(&self) -> (&'a str, &'a str) {
        match self.text.split_once(char::is_whitespace) {
            Some((head, rest)) => (head, rest.trim()),
            None => (self.text, ""),
        }
    }
}

fn split(file: usize, text: &str) -> Vec<Raw<'_>> {
    (1u32..)
        .zip(text.lines())
        .map(|(line, text)| {
            let end = [text.find(';'), text.find("//")].into_iter().flatten().min();
            Raw { at: Pos { file, line }, text: text.get(..end.unwrap_or(text.len())).unwrap_or_default().trim() }
        })
        .filter(|r| !r.text.is_empty())
        .collect()
}

#[derive(Clone)]
struct Macro<'a> {
    args: Vec<&'a str>,
    body: &'a [Raw<'a>],
}

struct Expander<'a, 'e> {
    errors: &'e mut Errors,
    macros: BTreeMap<&'a str, Macro<'a>>,
    frames: Vec<Params>,
    scope: usize,
    depth: usize,
    /// the limit was reached, and reported
    full: bool,
    out: Expanded,
}

/// The directives that open and close blocks.
const BLOCKS: &[(&str, &str)] = &[(".rept", ".endr"), (".if", ".endif"), (".macro", ".endm")];

/// The index of the line that closes the block opened at `open`, if there is one.
fn close(lines: &[Raw<'_>], open: usize) -> Option<usize> {
    let mut stack = Vec::new();
    for (i, line) in lines.iter().enumerate().skip(open) {
        let head = line.head().0;
        if let Some(block) = BLOCKS.iter().find(|b| b.0 == head) {
            stack.push(block.1);
        } else if BLOCKS.iter().any(|b| b.1 == head) && stack.pop()? != head {
            return None;
        }
        if stack.is_empty() {
            return Some(i);
        }
    }
    None
}

impl<'a> Expander<'a, '_> {
    /// Registers every macro of a text, so that texts may use each other's in any order.
    fn collect_macros(&mut self, lines: &'a [Raw<'a>]) {
        for (i, line) in lines.iter().enumerate() {
            let (".macro", rest) = line.head() else { continue };
            let mut words = rest.split([' ', '\t', ',']).filter(|w| !w.is_empty());
            let (Some(name), Some(end)) = (words.next(), close(lines, i)) else { continue };
            let body = lines.get(i + 1..end).unwrap_or_default();
            if self.macros.insert(name, Macro { args: words.collect(), body }).is_some() {
                self.errors.push(line.at, format!("the macro `{name}` is defined twice"));
            }
        }
    }

    fn run(&mut self, lines: &'a [Raw<'a>]) {
        let mut i = 0;
        while let Some(&line) = lines.get(i) {
            if self.out.lines.len().max(self.out.scopes.len()) >= MAX_LINES {
                if !self.full {
                    self.errors.push(line.at, "the text expands to too many lines");
                }
                self.full = true;
                return;
            }
            i = self.step(lines, i, line);
        }
    }

    /// Handles one line or the block that it opens; gives the index of the next.
    fn step(&mut self, lines: &'a [Raw<'a>], i: usize, line: Raw<'a>) -> usize {
        let (head, rest) = line.head();
        if BLOCKS.iter().any(|b| b.0 == head) {
            let Some(end) = close(lines, i) else {
                self.errors.push(line.at, format!("`{head}` is not closed"));
                return lines.len();
            };
            let body = lines.get(i + 1..end).unwrap_or_default();
            match head {
                ".rept" => self.rept(line, rest, body),
                ".if" => self.conditional(line, rest, body),
                _ if rest.is_empty() => self.errors.push(line.at, "`.macro` takes a name"),
                _ => {}
            }
            return end + 1;
        }
        match head {
            ".endr" | ".endif" | ".endm" | ".else" | ".elif" => {
                self.errors.push(line.at, format!("`{head}` closes nothing"));
            }
            ".set" => self.set(line, rest),
            _ if self.macros.contains_key(head) => self.call(line, head, rest),
            _ => {
                let Some(text) = self.substitute(line.at, line.text) else { return i + 1 };
                // a macro may be named by a parameter
                let (named, rest) = Raw { at: line.at, text: &text }.head();
                match self.macros.get_key_value(named) {
                    Some((&name, _)) if named != head => self.call(line, name, rest),
                    _ => self.emit(line.at, text),
                }
            }
        }
        i + 1
    }

    fn emit(&mut self, at: Pos, text: String) {
        self.out.lines.push(Line { at, scope: self.scope, text });
    }

    /// Runs `body` with the names of `frame`, in a scope of its own.
    fn nested(&mut self, at: Pos, frame: Params, body: &'a [Raw<'a>]) {
        if self.depth >= MAX_DEPTH {
            return self.errors.push(at, "macros and blocks are nested too deeply");
        }
        let outer = self.scope;
        self.scope = self.out.scopes.len();
        self.out.scopes.push(outer);
        self.frames.push(frame);
        self.depth += 1;
        self.run(body);
        self.depth -= 1;
        self.frames.pop();
        self.scope = outer;
    }

    fn rept(&mut self, line: Raw<'a>, rest: &str, body: &'a [Raw<'a>]) {
        let Some(rest) = self.substitute(line.at, rest) else { return };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [name, from, to] = words.as_slice() else {
            return self.errors.push(line.at, "`.rept` takes a name, a first number and an end (excluded)");
        };
        let (Some(from), Some(to)) = (self.int(line.at, from), self.int(line.at, to)) else { return };
        for i in from..to {
            if self.full || self.out.scopes.len() > MAX_LINES {
                return;
            }
            self.nested(line.at, Params::from([((*name).to_owned(), Value::Int(i))]), body);
        }
    }

    fn conditional(&mut self, line: Raw<'a>, rest: &'a str, body: &'a [Raw<'a>]) {
        if self.depth >= MAX_DEPTH {
            return self.errors.push(line.at, "macros and blocks are nested too deeply");
        }
        let (mut test, mut at, mut start, mut i) = (Some(rest), line.at, 0, 0);
        while i <= body.len() {
            let branch = body.get(i).filter(|l| matches!(l.head().0, ".else" | ".elif"));
            if i < body.len() && branch.is_none() {
                // A nested block's own `.else` is not ours.
                let opens = body.get(i).is_some_and(|l| BLOCKS.iter().any(|b| b.0 == l.head().0));
                i = if opens { close(body, i).unwrap_or(i) + 1 } else { i + 1 };
                continue;
            }
            let taken = match test {
                None => true,
                Some(text) => match self.substitute(at, text).and_then(|t| self.int(at, &t)) {
                    Some(v) => v != 0,
                    None => return,
                },
            };
            if taken {
                self.depth += 1;
                self.run(body.get(start..i).unwrap_or_default());
                self.depth -= 1;
                return;
            }
            let Some(branch) = branch else { return };
            let (head, rest) = branch.head();
            (test, at, start) = ((head == ".elif").then_some(rest), branch.at, i + 1);
            i += 1;
        }
    }

    fn set(&mut self, line: Raw<'a>, rest: &str) {
        let Some((name, expr)) = rest.split_once(char::is_whitespace) else {
            return self.errors.push(line.at, "`.set` takes a name and an expression");
        };
        let Some(value) = self.substitute(line.at, expr).and_then(|t| self.int(line.at, &t)) else { return };
        if let Some(frame) = self.frames.last_mut() {
            frame.insert(name.to_owned(), Value::Int(value));
        }
    }

    fn call(&mut self, line: Raw<'a>, name: &str, rest: &str) {
        let Some(m) = self.macros.get(name).cloned() else { return };
        let Some(rest) = self.substitute(line.at, rest) else { return };
        let values = arguments(&rest);
        if values.len() != m.args.len() {
            let (want, got) = (m.args.len(), values.len());
            return self.errors.push(line.at, format!("the macro `{name}` takes {want} arguments, not {got}"));
        }
        let bound = values.into_iter().map(|v| Value::Text(anchor(v, self.scope)));
        let frame = m.args.iter().map(|a| (*a).to_owned()).zip(bound).collect();
        self.nested(line.at, frame, m.body);
    }

    fn lookup(&self, name: &str) -> Option<&Value> {
        self.frames.iter().rev().find_map(|f| f.get(name))
    }

    fn int(&mut self, at: Pos, text: &str) -> Option<i64> {
        let value = self.value(text, 0);
        value.map_err(|e| self.errors.push(at, e)).ok()
    }

    fn value(&self, text: &str, depth: usize) -> Result<i64, String> {
        if depth > MAX_DEPTH {
            return Err(format!("the parameters of `{text}` refer to each other"));
        }
        eval(text, &|name| match self.lookup(name) {
            None => Ok(None),
            Some(Value::Int(v)) => Ok(Some(*v)),
            // A text that names itself came from a caller's argument of the same name.
            Some(Value::Text(t)) if t == name => Err(format!("`{t}` is not a number")),
            Some(Value::Text(t)) => self.value(t, depth + 1).map(Some),
        })
    }

    /// `text` with every `{…}` replaced; errors are reported.
    fn substitute(&mut self, at: Pos, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((inner, after)) = after.split_once('}') else {
                self.errors.push(at, "a `{` is not closed");
                return None;
            };
            out.push_str(before);
            match self.lookup(inner.trim()) {
                Some(Value::Text(t)) => out.push_str(t),
                Some(Value::Int(v)) => out.push_str(&v.to_string()),
                None => out.push_str(&self.int(at, inner)?.to_string()),
            }
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }
}

/// The arguments of a macro call: parted by commas if there are any, else by spaces.
fn arguments(text: &str) -> Vec<&str> {
    if text.contains(',') {
        return text.split(',').map(str::trim).collect();
    }
    text.split_whitespace().collect()
}

/// A local label given to a macro keeps the scope of its caller.
fn anchor(arg: &str, scope: usize) -> String {
    let label = arg.strip_prefix('.').is_some_and(|l| !l.is_empty() && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if label { format!("{arg}@{scope}") } else { arg.to_owned() }
}
