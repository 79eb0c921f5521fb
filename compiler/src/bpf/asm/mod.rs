//! Takes assembly text, gives functions of instructions with their relocations and line marks.
//!
//! The syntax is the kernel's and LLVM's (`r1 = *(u64 *)(r6 + 8)`), one instruction a line, with
//! symbolic operands (maps, data, functions, kernel fields by name) and a preprocessor; the
//! [`expand`] and [`parse`] modules list both. Never resolves what a later stage has to: map
//! descriptors, field offsets and calls between functions stay relocations.

mod expand;
mod expr;
mod field;
mod lex;
mod link;
mod parse;
#[cfg(test)]
mod tests;
mod text;

use super::Insn;
pub use ebsec_artifact::Question;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Named parameters that the caller gives, written `{NAME}` in the text.
pub type Params = BTreeMap<String, Value>;

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number, usable in `.if` and in arithmetic.
    Int(i64),
    /// Text, inserted as it is; where a number is asked for it is evaluated as an expression.
    Text(String),
}

impl From<i64> for Value {
    fn from(v: i64) -> Value {
        Value::Int(v)
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Value {
        Value::Text(v.to_owned())
    }
}

impl From<String> for Value {
    fn from(v: String) -> Value {
        Value::Text(v)
    }
}

/// A mistake in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsmError {
    /// the file's name as the caller gave it
    pub file: String,
    /// line, from 1
    pub line: u32,
    /// one lowercase sentence
    pub message: String,
}

impl fmt::Display for AsmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// What was assembled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// the functions, in the order of the text
    pub funcs: Vec<Func>,
    /// the names of the texts, as the caller gave them
    pub files: Vec<String>,
}

impl Unit {
    /// The function of that name.
    pub fn func(&self, name: &str) -> Option<&Func> {
        self.funcs.iter().find(|f| f.name == name)
    }
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Func {
    /// its name
    pub name: String,
    /// program, static or global subprogram
    pub kind: FuncKind,
    /// how many arguments it takes, all of 64 bits; 5 where the text does not say
    pub args: u8,
    /// the first argument points to so many bytes; 0: it is a number as the others are
    pub memory: u32,
    /// its instructions
    pub insns: Vec<Insn>,
    /// what a later stage has to fill in, in the order of the instructions
    pub relocs: Vec<Reloc>,
    /// where instructions come from; each holds from its instruction to the next entry's
    pub locs: Vec<(usize, Loc)>,
}

/// How a function is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FuncKind {
    /// A program, in the ELF section named.
    Prog {
        /// such as `lsm/file_open`
        section: String,
    },
    /// A subprogram that the verifier follows at each call.
    Static,
    /// A subprogram that the verifier checks once, apart.
    Global,
}

/// What an instruction refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloc {
    /// index of the (first) slot in the function
    pub insn_index: usize,
    /// to what
    pub kind: RelocKind,
}

/// The kinds of references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelocKind {
    /// A map, on a 64-bit immediate.
    Map(String),
    /// Data, on a 64-bit immediate.
    Data {
        /// a symbol of a data section
        symbol: String,
        /// bytes after it
        addend: i64,
    },
    /// A function's address, on a 64-bit immediate.
    Func(String),
    /// A call of a function of the unit.
    Call(String),
    /// A kernel type or field; on the offset of a memory access or the immediate of arithmetic.
    Core {
        /// the type or field
        path: Arc<CorePath>,
        /// which fact about it
        what: CoreWhat,
    },
    /// A function of the kernel; on the immediate of a move or a call, or the offset of a load.
    Kernel {
        /// its name
        function: String,
        /// which fact about it
        question: Question,
    },
}

/// Which fact about a kernel type or field is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CoreWhat {
    /// the field's offset in bytes
    Offset,
    /// 1 if the field exists, else 0
    Exists,
    /// the field's size in bytes
    Size,
    /// the type's size in bytes
    TypeSize,
    /// 1 if the type exists, else 0
    TypeExists,
    /// the number that the kernel's types give it
    TypeId,
}

/// A kernel type or a field in it: `dentry`, `file.f_path.mnt`, `dentry.d_iname[8]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CorePath {
    /// the struct or union
    pub root: String,
    /// the way from it to the field; empty for the type itself
    pub steps: Vec<CoreStep>,
}

/// One step of a field's path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CoreStep {
    /// a member by name (it may be in an anonymous member)
    Member(String),
    /// an element of an array
    Index(u32),
}

impl fmt::Display for CorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root)?;
        for step in &self.steps {
            match step {
                CoreStep::Member(name) => write!(f, ".{name}")?,
                CoreStep::Index(i) => write!(f, "[{i}]")?,
            }
        }
        Ok(())
    }
}

/// Where an instruction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loc {
    /// The number of the `.loc` in force.
    Source(u32),
    /// No `.loc` is in force: a line of a template.
    Template(Pos),
}

/// A line of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pos {
    /// index of the text
    pub file: u32,
    /// from 1
    pub line: u32,
}

/// Assembles the texts, in order, into one unit. Macros are shared between the texts.
pub fn assemble(texts: &[(&str, &str)], params: &Params) -> Result<Unit, Vec<AsmError>> {
    let files: Vec<String> = texts.iter().map(|t| t.0.to_owned()).collect();
    let mut errors = Errors { files: &files, list: Vec::new() };
    let expanded = expand::expand(texts, params, &mut errors);
    let funcs = link::link(&expanded, &mut errors);
    let Errors { list, .. } = errors;
    if list.is_empty() { Ok(Unit { funcs, files }) } else { Err(list) }
}

/// Errors found so far, and the names to report them with.
struct Errors<'f> {
    files: &'f [String],
    list: Vec<AsmError>,
}

impl Errors<'_> {
    fn push(&mut self, at: Pos, message: impl Into<String>) {
        let file = self.files.get(at.file as usize).cloned().unwrap_or_default();
        self.list.push(AsmError { file, line: at.line, message: message.into() });
    }
}
