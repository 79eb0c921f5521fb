//! Takes the texts, gives their lines as written, with what the preprocessor asks of each found once: its first word, what
//! it opens and where that ends, the macro that it calls. Never expands anything.

use super::{Errors, Pos};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// A line as written, without its comment.
pub(super) struct Raw<'a> {
    pub at: Pos,
    /// trimmed, never empty
    pub text: &'a str,
    /// its first word
    pub head: &'a str,
    /// what follows it, trimmed
    pub rest: &'a str,
    /// holds a `{`
    pub braces: bool,
    pub kind: Kind,
    /// of what opens a block: the line that closes it, if one does
    pub end: Option<u32>,
    /// of `.if` and its branches: the next branch, or the line that closes it
    pub next: u32,
}

/// What a line is to the preprocessor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rept,
    Macro,
    If,
    /// `.elif`, `.else`
    Branch,
    /// `.endr`, `.endm`, `.endif`
    Close,
    Set,
    /// a call of the macro of that number
    Call(u32),
    /// anything else
    Plain,
}

/// A macro.
pub(super) struct Macro<'a> {
    pub args: Vec<&'a str>,
    /// its lines
    pub body: Range<usize>,
}

/// All lines of all texts, and the macros defined in them, so that texts may use each other's in any order.
pub(super) struct Texts<'a> {
    pub lines: Vec<Raw<'a>>,
    pub macros: Vec<Macro<'a>>,
    names: FxHashMap<&'a str, u32>,
}

impl<'a> Texts<'a> {
    /// Reads the texts, in order.
    pub(super) fn read(texts: &[(&'a str, &'a str)], errors: &mut Errors<'_>) -> Texts<'a> {
        let lines = Vec::with_capacity(texts.iter().map(|(_, text)| text.lines().count()).sum());
        let mut all = Texts { lines, macros: Vec::new(), names: FxHashMap::default() };
        for (file, (_, text)) in (0u32..).zip(texts) {
            let first = all.lines.len();
            all.lines.extend((1u32..).zip(text.lines()).filter_map(|(line, text)| raw(Pos { file, line }, text)));
            all.blocks(first);
        }
        all.define(errors);
        let Texts { lines, names, .. } = &mut all;
        for line in lines.iter_mut().filter(|l| l.kind == Kind::Plain) {
            if let Some(number) = names.get(line.head) {
                line.kind = Kind::Call(*number);
            }
        }
        all
    }

    /// The number of the macro of that name.
    pub(super) fn named(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// Joins what opens a block with its branches and its end. A block that another one's end cuts off is not closed.
    fn blocks(&mut self, first: usize) {
        // each open block, and its last branch so far
        let mut open: Vec<(usize, usize)> = Vec::new();
        for i in first..self.lines.len() {
            let Some(line) = self.lines.get(i) else { return };
            match line.kind {
                Kind::Rept | Kind::Macro | Kind::If => open.push((i, i)),
                Kind::Branch => {
                    if let Some((opener, last)) = open.last_mut()
                        && self.lines.get(*opener).is_some_and(|l| l.kind == Kind::If)
                    {
                        if let Some(branch) = self.lines.get_mut(*last) {
                            branch.next = i as u32;
                        }
                        *last = i;
                    }
                }
                Kind::Close => {
                    let closed = open.pop().filter(|(opener, _)| self.lines.get(*opener).is_some_and(|l| closes(line.head, l.kind)));
                    let Some((opener, last)) = closed else {
                        open.clear();
                        continue;
                    };
                    if let Some(branch) = self.lines.get_mut(last) {
                        branch.next = i as u32;
                    }
                    if let Some(opener) = self.lines.get_mut(opener) {
                        opener.end = Some(i as u32);
                    }
                }
                _ => {}
            }
        }
    }

    /// Registers every macro.
    fn define(&mut self, errors: &mut Errors<'_>) {
        for (i, line) in self.lines.iter().enumerate().filter(|(_, l)| l.kind == Kind::Macro) {
            let mut words = line.rest.split([' ', '\t', ',']).filter(|w| !w.is_empty());
            let (Some(name), Some(end)) = (words.next(), line.end) else { continue };
            if self.names.insert(name, self.macros.len() as u32).is_some() {
                errors.push(line.at, format!("the macro `{name}` is defined twice"));
            }
            self.macros.push(Macro { args: words.collect(), body: i + 1..end as usize });
        }
    }
}

fn raw(at: Pos, text: &str) -> Option<Raw<'_>> {
    let text = without_comment(text).trim();
    let (head, rest) = first_word(text);
    let kind = match head {
        "" => return None,
        ".rept" => Kind::Rept,
        ".macro" => Kind::Macro,
        ".if" => Kind::If,
        ".elif" | ".else" => Kind::Branch,
        ".endr" | ".endm" | ".endif" => Kind::Close,
        ".set" => Kind::Set,
        _ => Kind::Plain,
    };
    Some(Raw { at, text, head, rest, braces: text.contains('{'), kind, end: None, next: 0 })
}

/// The text up to its `;` or `//`.
fn without_comment(text: &str) -> &str {
    let mut end = text.len();
    let mut last = 0;
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b';' => end = i,
            b'/' if last == b'/' => end = i - 1,
            _ => {
                last = byte;
                continue;
            }
        }
        break;
    }
    text.get(..end).unwrap_or_default()
}

/// The first word and the rest, trimmed.
pub(super) fn first_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((head, rest)) => (head, rest.trim()),
        None => (text, ""),
    }
}

fn closes(head: &str, opener: Kind) -> bool {
    matches!((opener, head), (Kind::Rept, ".endr") | (Kind::Macro, ".endm") | (Kind::If, ".endif"))
}
