//! Takes expanded lines, gives functions: places instructions, joins jumps with their labels.
//!
//! Directives: `.func NAME prog SECTION`, `.func NAME static ARGS`, `.func NAME global ARGS [BYTES]` (the
//! first argument points to so many bytes); `.loc N` and `.loc off`. Never changes what the parser made but for jump offsets.

use super::expand::{Expanded, Line};
use super::lex::{Token, lex};
use super::parse::{Parsed, parse};
use super::text::first_word;
use super::{Errors, Func, FuncKind, Loc, Pos, Reloc, RelocKind};
use crate::bpf::{Insn, helper_id};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// Assembles the lines into functions; mistakes are reported.
pub(super) fn link(expanded: &Expanded<'_>, errors: &mut Errors<'_>) -> Vec<Func> {
    let mut linker = Linker {
        expanded,
        errors,
        funcs: Vec::new(),
        names: FxHashSet::default(),
        uses: Vec::new(),
        body: Body::default(),
        lost: false,
        room: Room::default(),
        tokens: Vec::new(),
        statements: vec![None; expanded.texts()],
    };
    for line in &expanded.lines {
        linker.line(line);
    }
    linker.finish();
    let Linker { funcs, .. } = linker;
    funcs
}

/// What a line says: its labels, and its instruction or what is wrong with it.
struct Statement<'a> {
    labels: Vec<&'a str>,
    insn: Option<Result<Parsed<'a>, String>>,
}

/// The function at hand, beside what is in its [`Func`].
#[derive(Default)]
struct Body<'a> {
    labels: Labels<'a>,
    jumps: Vec<Jump<'a>>,
    /// the `.loc` in force
    loc: Option<u32>,
    last: Option<Loc>,
}

/// Room for what the function at hand gathers; the function gets a copy without slack.
#[derive(Default)]
struct Room {
    insns: Vec<Insn>,
    relocs: Vec<Reloc>,
    locs: Vec<(usize, Loc)>,
}

/// By name and, for local ones, scope.
type Labels<'a> = FxHashMap<(u32, &'a str), usize>;

struct Jump<'a> {
    at: Pos,
    scope: u32,
    insn: usize,
    label: &'a str,
}

struct Linker<'a, 'e, 'f> {
    expanded: &'a Expanded<'a>,
    errors: &'e mut Errors<'f>,
    funcs: Vec<Func>,
    /// of the functions so far
    names: FxHashSet<&'a str>,
    /// where a function is asked for, its user and the relocation there: it may stand further down
    uses: Vec<(Pos, usize, usize)>,
    body: Body<'a>,
    /// an instruction before the first function was reported
    lost: bool,
    room: Room,
    /// room for the tokens of a line
    tokens: Vec<Token<'a>>,
    /// by the number of the text: most lines are a macro's, and come again
    statements: Vec<Option<Rc<Result<Statement<'a>, String>>>>,
}

impl<'a> Linker<'a, '_, '_> {
    fn line(&mut self, line: &Line) {
        let text = self.expanded.text(line.text);
        if text.starts_with('.') {
            match first_word(text) {
                (".func", rest) => return self.func(line.at, &rest.split_whitespace().collect::<Vec<_>>()),
                (".loc", rest) => return self.loc(line.at, &rest.split_whitespace().collect::<Vec<_>>()),
                _ => {}
            }
        }
        let Some(known) = self.statements.get_mut(line.text as usize) else { return };
        let statement = Rc::clone(known.get_or_insert_with(|| Rc::new(read(text, &mut self.tokens))));
        match &*statement {
            Ok(Statement { labels, insn }) => {
                for label in labels {
                    self.label(line, label);
                }
                match insn {
                    Some(Ok(parsed)) => self.insn(line, parsed),
                    Some(Err(message)) => self.errors.push(line.at, message.clone()),
                    None => {}
                }
            }
            Err(message) => self.errors.push(line.at, message.clone()),
        }
    }

    fn func(&mut self, at: Pos, words: &[&'a str]) {
        self.close_func();
        let (words, memory) = match words {
            [rest @ .., bytes] if rest.len() == 3 && rest.get(1) == Some(&"global") => (rest, *bytes),
            _ => (words, "0"),
        };
        let Ok(memory) = memory.parse() else {
            return self.errors.push(at, format!("`{memory}` is not a number of bytes"));
        };
        let (name, kind, args) = match words {
            [name, "prog", section] => (*name, FuncKind::Prog { section: (*section).to_owned() }, "1"),
            [name, "static", args] => (*name, FuncKind::Static, *args),
            [name, "global", args] => (*name, FuncKind::Global, *args),
            [name, "static"] => (*name, FuncKind::Static, "5"),
            [name, "global"] => (*name, FuncKind::Global, "5"),
            _ => {
                self.lost = true;
                return self.errors.push(at, "`.func` takes a name and `prog SECTION`, `static ARGS` or `global ARGS`");
            }
        };
        if helper_id(name).is_some() {
            self.errors.push(at, format!("the function `{name}` has the name of a helper"));
        }
        if !self.names.insert(name) {
            self.errors.push(at, format!("the function `{name}` is defined twice"));
        }
        let args = match args.parse() {
            Ok(n @ 0..=5) => n,
            _ => return self.errors.push(at, format!("`{args}` is not a number of arguments from 0 to 5")),
        };
        self.funcs.push(Func { name: name.to_owned(), kind, args, memory, insns: Vec::new(), relocs: Vec::new(), locs: Vec::new() });
    }

    fn loc(&mut self, at: Pos, words: &[&str]) {
        match words {
            ["off"] => self.body.loc = None,
            [n] if n.parse::<u32>().is_ok() => self.body.loc = n.parse().ok(),
            _ => self.errors.push(at, "`.loc` takes the number of a source location, or `off`"),
        }
    }

    fn label(&mut self, line: &Line, label: &'a str) {
        if self.funcs.is_empty() {
            return self.stray(line.at);
        }
        let at = self.room.insns.len();
        let key = match split_scope(label) {
            Some((name, scope)) => (scope, name),
            None if label.starts_with('.') => (line.scope, label),
            None => (0, label),
        };
        if self.body.labels.insert(key, at).is_some() {
            self.errors.push(line.at, format!("the label `{label}` is defined twice"));
        }
    }

    fn stray(&mut self, at: Pos) {
        if !self.lost {
            self.errors.push(at, "an instruction stands before the first `.func`");
            self.lost = true;
        }
    }

    fn insn(&mut self, line: &Line, parsed: &Parsed<'a>) {
        let Some(number) = self.funcs.len().checked_sub(1) else { return self.stray(line.at) };
        let room = &mut self.room;
        let index = room.insns.len();
        let loc = self.body.loc.map_or(Loc::Template(line.at), Loc::Source);
        if self.body.last != Some(loc) {
            room.locs.push((index, loc));
            self.body.last = Some(loc);
        }
        room.insns.push(parsed.insn);
        room.insns.extend(parsed.second);
        if let Some(kind) = &parsed.reloc {
            if let RelocKind::Call(_) | RelocKind::Func(_) = kind {
                self.uses.push((line.at, number, room.relocs.len()));
            }
            room.relocs.push(Reloc { insn_index: index, kind: kind.clone() });
        }
        if let Some(label) = parsed.label {
            self.body.jumps.push(Jump { at: line.at, scope: line.scope, insn: index, label });
        }
    }

    /// Ends the function at hand: joins its jumps with its labels.
    fn close_func(&mut self) {
        let body = std::mem::take(&mut self.body);
        let Some(func) = self.funcs.last_mut() else { return };
        func.insns.extend_from_slice(&self.room.insns);
        func.relocs = self.room.relocs.drain(..).collect();
        func.locs.extend_from_slice(&self.room.locs);
        self.room.insns.clear();
        self.room.locs.clear();
        for jump in &body.jumps {
            let Some(target) = find(&body.labels, &self.expanded.scopes, jump) else {
                self.errors.push(jump.at, format!("there is no label `{}` in the function `{}`", jump.label, func.name));
                continue;
            };
            let distance = target as i64 - jump.insn as i64 - 1;
            match (i16::try_from(distance), func.insns.get_mut(jump.insn)) {
                (Ok(off), Some(insn)) => insn.off = off,
                _ => self.errors.push(jump.at, format!("the jump to `{}` is {distance} instructions long; 16 bits hold 32767", jump.label)),
            }
        }
    }

    fn finish(&mut self) {
        self.close_func();
        let Linker { funcs, names, uses, errors, .. } = self;
        for (at, func, reloc) in uses {
            let reloc = funcs.get(*func).and_then(|f| f.relocs.get(*reloc));
            if let Some(RelocKind::Call(name) | RelocKind::Func(name)) = reloc.map(|r| &r.kind)
                && !names.contains(name.as_str())
            {
                errors.push(*at, format!("there is no function or helper `{name}`"));
            }
        }
    }
}

/// Reads a line; `tokens` is room for its tokens.
fn read<'a>(text: &'a str, tokens: &mut Vec<Token<'a>>) -> Result<Statement<'a>, String> {
    lex(text, tokens)?;
    let mut tokens = tokens.as_slice();
    let mut labels = Vec::new();
    while let [Token::Word(label), Token::Sign(":"), rest @ ..] = tokens {
        labels.push(*label);
        tokens = rest;
    }
    let insn = (!tokens.is_empty()).then(|| parse(tokens).map_err(|e| format!("{e}: `{text}`")));
    Ok(Statement { labels, insn })
}

/// `.name@3` is the label `.name` as scope 3 sees it.
fn split_scope(label: &str) -> Option<(&str, u32)> {
    let (name, scope) = label.split_once('@')?;
    Some((name, scope.parse().ok()?))
}

/// The place of a jump's label: a local one is looked for from its scope outwards.
fn find(labels: &Labels<'_>, scopes: &[u32], jump: &Jump<'_>) -> Option<usize> {
    if !jump.label.starts_with('.') {
        return labels.get(&(0, jump.label)).copied();
    }
    let (name, mut scope) = split_scope(jump.label).unwrap_or((jump.label, jump.scope));
    loop {
        if let Some(at) = labels.get(&(scope, name)) {
            return Some(*at);
        }
        match scopes.get(scope as usize) {
            Some(&parent) if parent != scope => scope = parent,
            _ => return None,
        }
    }
}
