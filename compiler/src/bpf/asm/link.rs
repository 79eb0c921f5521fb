//! Takes expanded lines, gives functions: places instructions, joins jumps with their labels.
//!
//! Directives: `.func NAME prog SECTION`, `.func NAME static ARGS`, `.func NAME global ARGS [BYTES]` (the
//! first argument points to so many bytes); `.loc N` and `.loc off`. Never changes what the parser made but for jump offsets.

use super::expand::{Expanded, Line};
use super::lex::{Token, lex};
use super::parse::parse;
use super::text::first_word;
use super::{Errors, Func, FuncKind, Loc, Pos, Reloc, RelocKind, Unit};
use crate::bpf::helper_id;
use rustc_hash::{FxHashMap, FxHashSet};

/// Assembles the lines into a unit; mistakes are reported.
pub(super) fn link(expanded: &Expanded<'_>, errors: &mut Errors) -> Unit {
    let names = FxHashSet::default();
    let mut linker = Linker { expanded, errors, unit: Unit::default(), names, uses: Vec::new(), body: Body::default(), lost: false };
    let mut tokens = Vec::new();
    for line in &expanded.lines {
        linker.line(line, &mut tokens);
    }
    linker.finish();
    let Linker { unit, .. } = linker;
    unit
}

/// The function at hand, beside what is in its [`Func`].
#[derive(Default)]
struct Body<'a> {
    labels: Labels<'a>,
    jumps: Vec<Jump<'a>>,
    /// the `.loc` in force
    loc: Option<u32>,
    last: Option<Place>,
}

/// By name and, for local ones, scope.
type Labels<'a> = FxHashMap<(usize, &'a str), usize>;

/// Where an instruction comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Source(u32),
    Template(Pos),
}

struct Jump<'a> {
    at: Pos,
    scope: usize,
    insn: usize,
    label: &'a str,
}

struct Linker<'a, 'e> {
    expanded: &'a Expanded<'a>,
    errors: &'e mut Errors,
    unit: Unit,
    /// of the functions so far
    names: FxHashSet<&'a str>,
    /// where a function is asked for, its user and the relocation there: it may stand further down
    uses: Vec<(Pos, usize, usize)>,
    body: Body<'a>,
    /// an instruction before the first function was reported
    lost: bool,
}

impl<'a> Linker<'a, '_> {
    /// Handles a line; `tokens` is room for its tokens.
    fn line(&mut self, line: &'a Line<'a>, tokens: &mut Vec<Token<'a>>) {
        match first_word(&line.text) {
            (".func", rest) => return self.func(line.at, &rest.split_whitespace().collect::<Vec<_>>()),
            (".loc", rest) => return self.loc(line.at, &rest.split_whitespace().collect::<Vec<_>>()),
            _ => {}
        }
        if let Err(message) = lex(&line.text, tokens) {
            return self.errors.push(line.at, message);
        }
        let mut tokens = tokens.as_slice();
        while let [Token::Word(label), Token::Sign(":"), rest @ ..] = tokens {
            self.label(line, label);
            tokens = rest;
        }
        if !tokens.is_empty() {
            self.insn(line, tokens);
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
        self.unit.funcs.push(Func { name: name.to_owned(), kind, args, memory, insns: Vec::new(), relocs: Vec::new(), locs: Vec::new() });
    }

    fn loc(&mut self, at: Pos, words: &[&str]) {
        match words {
            ["off"] => self.body.loc = None,
            [n] if n.parse::<u32>().is_ok() => self.body.loc = n.parse().ok(),
            _ => self.errors.push(at, "`.loc` takes the number of a source location, or `off`"),
        }
    }

    fn label(&mut self, line: &Line<'_>, label: &'a str) {
        let Some(func) = self.unit.funcs.last() else { return self.stray(line.at) };
        let at = func.insns.len();
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

    fn insn(&mut self, line: &Line<'_>, tokens: &[Token<'a>]) {
        let parsed = match parse(tokens) {
            Ok(parsed) => parsed,
            Err(message) => return self.errors.push(line.at, format!("{message}: `{}`", line.text)),
        };
        let number = self.unit.funcs.len().saturating_sub(1);
        let Some(func) = self.unit.funcs.last_mut() else { return self.stray(line.at) };
        let index = func.insns.len();
        let place = self.body.loc.map_or(Place::Template(line.at), Place::Source);
        if self.body.last != Some(place) {
            let loc = match place {
                Place::Source(n) => Loc::Source(n),
                Place::Template(at) => Loc::Template { file: self.errors.file(at), line: at.line },
            };
            func.locs.push((index, loc));
            self.body.last = Some(place);
        }
        func.insns.push(parsed.insn);
        func.insns.extend(parsed.second);
        if let Some(kind) = parsed.reloc {
            if let RelocKind::Call(_) | RelocKind::Func(_) = &kind {
                self.uses.push((line.at, number, func.relocs.len()));
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
        let Linker { unit, names, uses, errors, .. } = self;
        for (at, func, reloc) in uses {
            let reloc = unit.funcs.get(*func).and_then(|f| f.relocs.get(*reloc));
            if let Some(RelocKind::Call(name) | RelocKind::Func(name)) = reloc.map(|r| &r.kind)
                && !names.contains(name.as_str())
            {
                errors.push(*at, format!("there is no function or helper `{name}`"));
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
fn find(labels: &Labels<'_>, scopes: &[usize], jump: &Jump<'_>) -> Option<usize> {
    if !jump.label.starts_with('.') {
        return labels.get(&(0, jump.label)).copied();
    }
    let (name, mut scope) = split_scope(jump.label).unwrap_or((jump.label, jump.scope));
    loop {
        if let Some(at) = labels.get(&(scope, name)) {
            return Some(*at);
        }
        match scopes.get(scope) {
            Some(&parent) if parent != scope => scope = parent,
            _ => return None,
        }
    }
}
