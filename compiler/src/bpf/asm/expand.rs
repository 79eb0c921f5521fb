//! Takes the texts and parameters, gives the lines that remain when the preprocessor has run.
//!
//! Directives: `.rept NAME FROM TO` … `.endr` (TO excluded), `.if EXPR` … `.elif EXPR` … `.else` …
//! `.endif`, `.macro NAME ARG…` … `.endm` (called as an instruction, arguments parted by commas or
//! spaces), `.set NAME EXPR`. `{EXPR}` is replaced everywhere. `;` and `//` begin a comment.
//! Labels that begin with `.` belong to one expansion; the scopes' tree is part of what is given.
//! Never looks at instructions.

use super::expr::eval;
use super::text::{Kind, Raw, Texts, first_word};
use super::{Errors, Params, Pos, Value};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

/// What the preprocessor leaves.
pub(super) struct Expanded<'a> {
    texts: Texts<'a>,
    /// texts that were not written so, each once; numbered behind those that were
    made: Vec<Rc<str>>,
    /// the lines, trimmed, without comments, none empty
    pub lines: Vec<Line>,
    /// the parent of each expansion; scope 0 is its own parent
    pub scopes: Vec<u32>,
}

/// A line and the expansion that it came from.
pub(super) struct Line {
    pub at: Pos,
    pub scope: u32,
    /// see [`Expanded::text`]; lines of one number are alike
    pub text: u32,
}

impl Expanded<'_> {
    /// The text of that number.
    pub(super) fn text(&self, number: u32) -> &str {
        let number = number as usize;
        let made = || self.made.get(number.checked_sub(self.texts.lines.len())?);
        self.texts.lines.get(number).map_or_else(|| made().map_or("", |t| t), |line| line.text)
    }

    /// How many texts there are.
    pub(super) fn texts(&self) -> usize {
        self.texts.lines.len() + self.made.len()
    }
}

/// More lines than this are taken for a runaway repetition.
const MAX_LINES: usize = 1 << 20;
/// Deeper nesting of macros and blocks than this is refused.
const MAX_DEPTH: usize = 48;

/// Runs the preprocessor over all texts.
pub(super) fn expand<'a>(texts: &[(&'a str, &'a str)], params: &'a Params, errors: &mut Errors<'_>) -> Expanded<'a> {
    let texts = Texts::read(texts, errors);
    let bound = |value: &'a Value| match value {
        Value::Int(n) => Bound::Int(*n),
        Value::Text(t) => Bound::Text(Cow::Borrowed(t)),
    };
    let mut x = Expander {
        errors,
        texts: &texts,
        global: params.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), bound(value))).collect(),
        names: Vec::new(),
        frame: None,
        scope: 0,
        depth: 0,
        full: false,
        made: FxHashMap::default(),
        lines: Vec::with_capacity(4 * texts.lines.len()),
        scopes: vec![0],
    };
    x.run(0..texts.lines.len());
    let Expander { made: numbers, lines, scopes, .. } = x;
    let mut made = vec![Rc::default(); numbers.len()];
    for (text, number) in numbers {
        if let Some(place) = made.get_mut(number) {
            *place = text;
        }
    }
    Expanded { texts, made, lines, scopes }
}

/// What a name stands for.
enum Bound<'a> {
    Int(i64),
    Text(Cow<'a, str>),
}

struct Expander<'a, 't, 'e, 'f> {
    errors: &'e mut Errors<'f>,
    texts: &'t Texts<'a>,
    /// the parameters, and what is set outside of macros and repetitions
    global: FxHashMap<Cow<'a, str>, Bound<'a>>,
    /// the names of the macros and repetitions at hand, inner ones last
    names: Vec<(Cow<'a, str>, Bound<'a>)>,
    /// where the innermost one's begin
    frame: Option<usize>,
    scope: u32,
    depth: usize,
    /// the limit was reached, and reported
    full: bool,
    /// as in [`Expanded`]
    made: FxHashMap<Rc<str>, usize>,
    lines: Vec<Line>,
    scopes: Vec<u32>,
}

impl<'a, 't> Expander<'a, 't, '_, '_> {
    fn run(&mut self, lines: Range<usize>) {
        let texts = self.texts;
        let mut i = lines.start;
        while let Some(line) = texts.lines.get(i).filter(|_| i < lines.end) {
            if self.lines.len().max(self.scopes.len()) >= MAX_LINES {
                if !self.full {
                    self.errors.push(line.at, "the text expands to too many lines");
                }
                self.full = true;
                return;
            }
            i = self.step(i, line);
        }
    }

    /// Handles one line or the block that it opens; gives the number of the next.
    fn step(&mut self, i: usize, line: &'t Raw<'a>) -> usize {
        match line.kind {
            Kind::Rept | Kind::Macro | Kind::If => return self.block(i, line),
            Kind::Branch | Kind::Close => self.errors.push(line.at, format!("`{}` closes nothing", line.head)),
            Kind::Set => self.set(line),
            Kind::Call(number) => self.call(line.at, number, line.head, line.rest),
            Kind::Plain if line.braces => self.plain(line),
            Kind::Plain => self.lines.push(Line { at: line.at, scope: self.scope, text: i as u32 }),
        }
        i + 1
    }

    fn block(&mut self, i: usize, line: &'t Raw<'a>) -> usize {
        let Some(end) = line.end else {
            self.errors.push(line.at, format!("`{}` is not closed", line.head));
            // What stands in it is not looked at.
            let other = |l: &&Raw<'a>| l.at.file == line.at.file;
            return i + self.texts.lines.iter().skip(i).take_while(other).count();
        };
        let end = end as usize;
        match line.kind {
            Kind::Rept => self.rept(line, i + 1..end),
            Kind::If => self.conditional(i, line, end),
            _ if line.rest.is_empty() => self.errors.push(line.at, "`.macro` takes a name"),
            _ => {}
        }
        end + 1
    }

    /// A line with a `{`.
    fn plain(&mut self, line: &Raw<'a>) {
        let Some(text) = self.substitute(line.at, line.text) else { return };
        // a macro may be named by a parameter
        let (head, rest) = first_word(&text);
        if let Some(number) = self.texts.named(head) {
            return self.call_with(line.at, number, head, arguments(rest, |v| Cow::Owned(v.to_owned())));
        }
        let number = match self.made.get(&*text) {
            Some(number) => *number,
            None => {
                let number = self.made.len();
                self.made.insert(text.into(), number);
                number
            }
        };
        self.lines.push(Line { at: line.at, scope: self.scope, text: (self.texts.lines.len() + number) as u32 });
    }

    /// Runs `body` with `names`, in a scope of its own.
    fn nested(&mut self, at: Pos, names: impl Iterator<Item = (Cow<'a, str>, Bound<'a>)>, body: Range<usize>) {
        if self.depth >= MAX_DEPTH {
            return self.errors.push(at, "macros and blocks are nested too deeply");
        }
        let (scope, frame) = (self.scope, self.frame);
        self.scope = self.scopes.len() as u32;
        self.scopes.push(scope);
        let first = self.names.len();
        self.frame = Some(first);
        self.names.extend(names);
        self.depth += 1;
        self.run(body);
        self.depth -= 1;
        self.names.truncate(first);
        (self.scope, self.frame) = (scope, frame);
    }

    fn rept(&mut self, line: &Raw<'a>, body: Range<usize>) {
        let Some(rest) = self.substitute(line.at, line.rest) else { return };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [name, from, to] = words.as_slice() else {
            return self.errors.push(line.at, "`.rept` takes a name, a first number and an end (excluded)");
        };
        let (Some(from), Some(to)) = (self.int(line.at, from), self.int(line.at, to)) else { return };
        for i in from..to {
            if self.full || self.scopes.len() > MAX_LINES {
                return;
            }
            self.nested(line.at, std::iter::once((Cow::Owned((*name).to_owned()), Bound::Int(i))), body.clone());
        }
    }

    /// Runs the first branch, of `.if` at `open` up to `end`, whose test holds.
    fn conditional(&mut self, open: usize, line: &'t Raw<'a>, end: usize) {
        if self.depth >= MAX_DEPTH {
            return self.errors.push(line.at, "macros and blocks are nested too deeply");
        }
        let (mut i, mut branch) = (open, line);
        loop {
            let taken = match branch.head {
                ".else" => true,
                _ => match self.substitute(branch.at, branch.rest).and_then(|t| self.int(branch.at, &t)) {
                    Some(value) => value != 0,
                    None => return,
                },
            };
            if taken {
                self.depth += 1;
                self.run(i + 1..branch.next as usize);
                self.depth -= 1;
                return;
            }
            i = branch.next as usize;
            match self.texts.lines.get(i) {
                Some(next) if i < end => branch = next,
                _ => return,
            }
        }
    }

    fn set(&mut self, line: &Raw<'a>) {
        let Some((name, expr)) = line.rest.split_once(char::is_whitespace) else {
            return self.errors.push(line.at, "`.set` takes a name and an expression");
        };
        let Some(value) = self.substitute(line.at, expr).and_then(|t| self.int(line.at, &t)) else { return };
        let Some(frame) = self.frame else {
            self.global.insert(Cow::Borrowed(name), Bound::Int(value));
            return;
        };
        match self.names.iter_mut().skip(frame).find(|(n, _)| n == name) {
            Some((_, bound)) => *bound = Bound::Int(value),
            None => self.names.push((Cow::Borrowed(name), Bound::Int(value))),
        }
    }

    fn call(&mut self, at: Pos, number: u32, name: &str, rest: &'a str) {
        let Some(rest) = self.substitute(at, rest) else { return };
        let values = match &rest {
            Cow::Borrowed(text) => arguments(text, Cow::Borrowed),
            Cow::Owned(text) => arguments(text, |v| Cow::Owned(v.to_owned())),
        };
        self.call_with(at, number, name, values);
    }

    fn call_with(&mut self, at: Pos, number: u32, name: &str, values: Vec<Cow<'a, str>>) {
        let texts = self.texts;
        let Some(called) = texts.macros.get(number as usize) else { return };
        if values.len() != called.args.len() {
            let (want, got) = (called.args.len(), values.len());
            return self.errors.push(at, format!("the macro `{name}` takes {want} arguments, not {got}"));
        }
        let scope = self.scope;
        let bound = values.into_iter().map(|v| Bound::Text(anchor(v, scope)));
        self.nested(at, called.args.iter().map(|a| Cow::Borrowed(*a)).zip(bound), called.body.clone());
    }

    fn lookup(&self, name: &str) -> Option<&Bound<'a>> {
        self.names.iter().rev().find(|(n, _)| n == name).map(|(_, bound)| bound).or_else(|| self.global.get(name))
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
            Some(Bound::Int(v)) => Ok(Some(*v)),
            // A text that names itself came from a caller's argument of the same name.
            Some(Bound::Text(t)) if t == name => Err(format!("`{t}` is not a number")),
            Some(Bound::Text(t)) => self.value(t, depth + 1).map(Some),
        })
    }

    /// `text` with every `{…}` replaced, the text itself if there is none; errors are reported.
    fn substitute(&mut self, at: Pos, text: &'a str) -> Option<Cow<'a, str>> {
        let Some((before, mut rest)) = text.split_once('{') else { return Some(Cow::Borrowed(text)) };
        let mut out = String::with_capacity(text.len() + 16);
        out.push_str(before);
        loop {
            let Some((inner, after)) = rest.split_once('}') else {
                self.errors.push(at, "a `{` is not closed");
                return None;
            };
            match self.lookup(inner.trim()) {
                Some(Bound::Text(t)) => out.push_str(t),
                Some(Bound::Int(v)) => out.push_str(&v.to_string()),
                None => out.push_str(&self.int(at, inner)?.to_string()),
            }
            match after.split_once('{') {
                Some((before, after)) => {
                    out.push_str(before);
                    rest = after;
                }
                None => {
                    out.push_str(after);
                    return Some(Cow::Owned(out));
                }
            }
        }
    }
}

/// The arguments of a macro call: parted by commas if there are any, else by spaces.
fn arguments<'s, 'a>(text: &'s str, argument: impl Fn(&'s str) -> Cow<'a, str>) -> Vec<Cow<'a, str>> {
    if text.contains(',') {
        return text.split(',').map(|v| argument(v.trim())).collect();
    }
    text.split_whitespace().map(argument).collect()
}

/// A local label given to a macro keeps the scope of its caller.
fn anchor(arg: Cow<'_, str>, scope: u32) -> Cow<'_, str> {
    let label = arg.strip_prefix('.').is_some_and(|l| !l.is_empty() && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if label { Cow::Owned(format!("{arg}@{scope}")) } else { arg }
}
