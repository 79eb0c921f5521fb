//! Takes expanded lines, gives functions: places instructions, joins jumps with their labels.
//!
//! Directives: `.func NAME prog SECTION`, `.func NAME static ARGS`, `.func NAME global ARGS [BYTES]` (the
//! first argument points to so many bytes); `.loc N` and `.loc off`. Never changes what the parser made but for jump offsets.

use super::expand::{Expanded, Line};
use super::lex::{Token, lex};
use super::parse::parse;
use super::{Errors, Func, FuncKind, Loc, Pos, Reloc, RelocKind, Unit};
use crate::bpf::helper_id;
use std::collections::{BTreeMap, BTreeSet};

/// Assembles the lines into a unit; mistakes are reported.
pub(super) fn link(expanded: &Expanded, errors: &mut Errors) -> Unit {
    let mut linker = Linker { expanded, errors, unit: Unit::default(), body: Body::default(), lost: false };
    for line in &expanded.lines {
        linker.line(line);
    }
    linker.finish();
    let Linker { unit, .. } = linker;
    unit
}

/// The function at hand, beside what is in its [`Func`].
#[derive(Default)]
struct Body {
    /// by name and, for local ones, scope
    labels: BTreeMap<(usize, String), usize>,
    jumps: Vec<Jump>,
    /// where each relocation of this function was written
    uses: Vec<(Pos, String)>,
    loc: Option<u32>,
    last: Option<Loc>,
}

struct Jump {
    at: Pos,
    scope: usize,
    insn: usize,
    label: String,
}

struct Linker<'a, 'e> {
    expanded: &'a Expanded,
    errors: &'e mut Errors,
    unit: Unit,
    body: Body,
    /// an instruction before the first function was reported
    lost: bool,
}

impl Linker<'_, '_> {
    fn line(&mut self, line: &Line) {
        let mut words = line.text.split_whitespace();
        match words.next() {
            Some(".func") => return self.func(line.at, &words.collect::<Vec<_>>()),
            Some(".loc") => return self.loc(line.at, &words.collect::<Vec<_>>()),
            _ => {}
        }
        let mut tokens = match lex(&line.text) {
            Ok(tokens) => tokens,
            Err(message) => return self.errors.push(line.at, message),
        };
        while let [Token::Word(label), Token::Sign(":"), ..] = tokens.as_slice() {
            self.label(line, label.clone());
            tokens.drain(..2);
        }
        if !tokens.is_empty() {
            self.insn(line, &tokens);
        }
    }

    fn func(&mut self, at: Pos, words: &[&str]) {
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
        if self.unit.func(name).is_some() {
            self.errors.push(at, format!("the function `{name}` is defined twice"));
        }
        let args = match args.parse() {
            Ok(n @ 0..=5) => n,
            _ => return self.errors.push(at, format!("`{args}` is not a number of arguments from 0 to 5")),
        };
        self.unit.funcs.push(Func { name: name.to_owned(), kind, args, memory, insns: Vec::new(), relocs: Vec::new(), locs: Vec::new() });
    }

    fn loc(&mut self, at: Pos, words: &[&str]) {
        match words {
            ["off"] => self.body.loc = None,
            [n] if n.parse::<u32>().is_ok() => self.body.loc = n.parse().ok(),
            _ => self.errors.push(at, "`.loc` takes the number of a source location, or `off`"),
        }
    }

    fn label(&mut self, line: &Line, label: String) {
        let Some(func) = self.unit.funcs.last() else { return self.stray(line.at) };
        let at = func.insns.len();
        let key = match split_scope(&label) {
            Some((name, scope)) => (scope, name.to_owned()),
            None if label.starts_with('.') => (line.scope, label.clone()),
            None => (0, label.clone()),
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

    fn insn(&mut self, line: &Line, tokens: &[Token]) {
        let parsed = match parse(tokens) {
            Ok(parsed) => parsed,
            Err(message) => return self.errors.push(line.at, format!("{message}: `{}`", line.text)),
        };
        let loc = match self.body.loc {
            Some(n) => Loc::Source(n),
            None => Loc::Template { file: self.errors.file(line.at), line: line.at.line },
        };
        let Some(func) = self.unit.funcs.last_mut() else { return self.stray(line.at) };
        let index = func.insns.len();
        if self.body.last.as_ref() != Some(&loc) {
            func.locs.push((index, loc.clone()));
            self.body.last = Some(loc);
        }
        func.insns.push(parsed.insn);
        func.insns.extend(parsed.second);
        if let Some(kind) = parsed.reloc {
            if let RelocKind::Call(name) | RelocKind::Func(name) = &kind {
                self.body.uses.push((line.at, name.clone()));
            }
            func.relocs.push(Reloc { insn_index: index, kind });
        }
        if let Some(label) = parsed.label {
            self.body.jumps.push(Jump { at: line.at, scope: line.scope, insn: index, label });
        }
    }

    /// Joins the jumps of the function at hand with its labels.
    fn close_func(&mut self) {
        let body = std::mem::take(&mut self.body);
        // Calls may be of functions further down: they are looked up at the end.
        self.body.uses = body.uses;
        let Some(func) = self.unit.funcs.last_mut() else { return };
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
        let names: BTreeSet<&str> = self.unit.funcs.iter().map(|f| f.name.as_str()).collect();
        for (at, name) in &self.body.uses {
            if !names.contains(name.as_str()) {
                self.errors.push(*at, format!("there is no function or helper `{name}`"));
            }
        }
    }
}

/// `.name@3` is the label `.name` as scope 3 sees it.
fn split_scope(label: &str) -> Option<(&str, usize)> {
    let (name, scope) = label.split_once('@')?;
    Some((name, scope.parse().ok()?))
}

/// The place of a jump's label: a local one is looked for from its scope outwards.
fn find(labels: &BTreeMap<(usize, String), usize>, scopes: &[usize], jump: &Jump) -> Option<usize> {
    if !jump.label.starts_with('.') {
        return labels.get(&(0, jump.label.clone())).copied();
    }
    let (name, mut scope) = split_scope(&jump.label).unwrap_or((&jump.label, jump.scope));
    loop {
        if let Some(at) = labels.get(&(scope, name.to_owned())) {
            return Some(*at);
        }
        match scopes.get(scope) {
            Some(&parent) if parent != scope => scope = parent,
            _ => return None,
        }
    }
}
