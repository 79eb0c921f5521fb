//! Takes the tokens of a kernel type, field or function and of the questions about it, gives the relocation.
//!
//! A field is `struct.member(.member|[N])*`. Never knows whether a kernel has it.

use super::lex::Token;
use super::parse::{Parser, Result};
use super::{CorePath, CoreStep, CoreWhat, Question, RelocKind};

/// The question that a word in the place of an immediate asks.
pub(super) fn core_function(word: &str) -> Option<CoreWhat> {
    match word {
        "offsetof" => Some(CoreWhat::Offset),
        "exists" => Some(CoreWhat::Exists),
        "fieldsize" => Some(CoreWhat::Size),
        "sizeof" => Some(CoreWhat::TypeSize),
        "typeid" => Some(CoreWhat::TypeId),
        _ => None,
    }
}

impl Parser<'_, '_> {
    pub(super) fn core_operand(&mut self, what: CoreWhat) -> Result<RelocKind> {
        self.expect("(")?;
        if what == CoreWhat::Exists && self.eat_word("kfunc") {
            let function = self.word()?.to_owned();
            self.expect(")")?;
            return Ok(RelocKind::Kernel { function, question: Question::Exists });
        }
        let path = self.field_or_type()?;
        self.expect(")")?;
        match (what, path.steps.is_empty()) {
            (CoreWhat::Exists, true) => Ok(RelocKind::Core { path: path.into(), what: CoreWhat::TypeExists }),
            (CoreWhat::TypeId, false) => Err(format!("`typeid` takes a type, and `{path}` is a field")),
            (CoreWhat::TypeSize, false) => Err(format!("`sizeof` takes a type; the size of the field is `fieldsize({path})`")),
            (CoreWhat::Offset | CoreWhat::Size, true) => Err(format!("`{path}` is a type where a field is needed")),
            _ => Ok(RelocKind::Core { path: path.into(), what }),
        }
    }

    /// `argument(FUNCTION, STRUCT)` after its first word: where a program of a hook finds the argument that points to it.
    pub(super) fn argument(&mut self) -> Result<RelocKind> {
        self.expect("(")?;
        let function = self.word()?.to_owned();
        self.expect(",")?;
        let structure = self.word()?.to_owned();
        self.expect(")")?;
        Ok(RelocKind::Kernel { function, question: Question::Argument(structure) })
    }

    pub(super) fn field(&mut self) -> Result<CorePath> {
        let path = self.field_or_type()?;
        if path.steps.is_empty() {
            return Err(format!("`{path}` names no field; write `struct.member`"));
        }
        Ok(path)
    }

    fn field_or_type(&mut self) -> Result<CorePath> {
        let word = self.word()?;
        let mut path = CorePath { root: String::new(), steps: Vec::new() };
        for (i, part) in word.split('.').enumerate() {
            self.part(&mut path, part, i == 0, word)?;
        }
        while self.eat("[") {
            let n = self.number()?;
            self.expect("]")?;
            let index = u32::try_from(n).map_err(|_| format!("`{n}` is no index of an array"))?;
            path.steps.push(CoreStep::Index(index));
            // `a.b[1].c`: the word after an index begins with its dot.
            if let Some(Token::Word(word)) = self.peek().filter(|t| matches!(t, Token::Word(w) if w.starts_with('.'))) {
                self.at += 1;
                for part in word.split('.').skip(1) {
                    self.part(&mut path, part, false, word)?;
                }
            }
        }
        Ok(path)
    }

    fn part(&self, path: &mut CorePath, part: &str, root: bool, word: &str) -> Result<()> {
        let named = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !part.is_empty();
        if !named {
            return Err(format!("`{word}` is no field: `struct.member`"));
        }
        if root {
            path.root = part.to_owned();
        } else {
            path.steps.push(CoreStep::Member(part.to_owned()));
        }
        Ok(())
    }
}
