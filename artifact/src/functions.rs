//! What an object asks about the functions of the kernel that it is loaded into, the section `.ebsec.functions`: CO-RE has
//! questions about types only. One question a line: the object's function, the index of its instruction slot, the kernel's
//! function, and what is asked of it. Reading borrows, and takes no number's word for anything.

use crate::{ArtifactError, KernelFunctions};
use std::borrow::Cow;
use std::fmt::Write as _;

/// Most questions of an artifact.
const MAX_USES: usize = 1 << 16;
/// `call`
const CALL: u8 = 0x85;
/// Source register of a call of a kernel's function.
const PSEUDO_KFUNC: u8 = 2;
/// `rN = IMM`
const MOVE: u8 = 0xb7;
/// `rN = *(u64 *)(…)`, `rN = *(u32 *)(…)`
const LOADS: [u8; 2] = [0x79, 0x61];

/// What is asked of a function of the kernel, and where the answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether it is there: 1 or 0, the immediate of a move. Without an answer it stays 0.
    Exists,
    /// Its number, the immediate of a call. 0 stays where it is not there: the kernel takes that in code that is never reached.
    Id,
    /// Of a hook's attach point: where a program finds its one argument that points to this struct, the offset of a load.
    Argument(String),
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelUse<'a> {
    /// The object's function that asks.
    pub func: Cow<'a, str>,
    /// Index of the instruction slot in it.
    pub slot: u32,
    /// The kernel's function.
    pub kernel: Cow<'a, str>,
    /// What is asked.
    pub question: Question,
}

/// What a question changes in its instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    /// The immediate.
    Immediate(i32),
    /// The offset.
    Offset(i16),
    /// Nothing: the kernel does not have the function.
    Nothing,
}

impl KernelUse<'_> {
    /// The answer of a kernel for the instruction with this opcode and source register.
    ///
    /// # Errors
    /// The instruction has no room for an answer; or, in words, the hook does not show what is asked for.
    pub fn answer(&self, kernel: &KernelFunctions<'_>, code: u8, src: u8) -> Result<Patch, String> {
        let id = kernel.id(&self.kernel);
        match &self.question {
            Question::Exists if code == MOVE => Ok(Patch::Immediate(i32::from(id.is_some()))),
            Question::Id if (code, src) == (CALL, PSEUDO_KFUNC) => {
                Ok(id.and_then(|id| i32::try_from(id).ok()).map_or(Patch::Nothing, Patch::Immediate))
            }
            Question::Argument(structure) if LOADS.contains(&code) => match (id, kernel.argument(&self.kernel, structure)) {
                (None, _) => Ok(Patch::Nothing),
                (_, Some(index)) => Ok(Patch::Offset(8 * i16::from(index))),
                (_, None) => Err(format!("the kernel's `{}` does not take one `struct {structure}`", self.kernel)),
            },
            _ => Err(format!("instruction {} of `{}` has no room for what it asks of the kernel", self.slot, self.func)),
        }
    }
}

/// Writes the section.
pub fn encode_uses(uses: &[KernelUse<'_>]) -> Vec<u8> {
    let mut out = String::new();
    for KernelUse { func, slot, kernel, question } in uses {
        let _ = match question {
            Question::Exists => writeln!(out, "{func} {slot} {kernel} exists"),
            Question::Id => writeln!(out, "{func} {slot} {kernel} id"),
            Question::Argument(structure) => writeln!(out, "{func} {slot} {kernel} argument {structure}"),
        };
    }
    out.into_bytes()
}

/// Reads the section.
///
/// # Errors
/// Anything that [`encode_uses`] would not have written.
pub fn read_uses(bytes: &[u8]) -> Result<Vec<KernelUse<'_>>, ArtifactError> {
    let no = ArtifactError::Functions;
    let text = std::str::from_utf8(bytes).map_err(|_| no("they are not text"))?;
    let mut out = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (func, slot, kernel, question) = match words[..] {
            [func, slot, kernel, "exists"] => (func, slot, kernel, Question::Exists),
            [func, slot, kernel, "id"] => (func, slot, kernel, Question::Id),
            [func, slot, kernel, "argument", structure] => (func, slot, kernel, Question::Argument(structure.to_owned())),
            _ => return Err(no("a line is none of them")),
        };
        let slot = slot.parse().map_err(|_| no("an instruction has no number"))?;
        if out.len() == MAX_USES {
            return Err(no("there are too many"));
        }
        out.push(KernelUse { func: func.into(), slot, kernel: kernel.into(), question });
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::btf::tests::sample;

    fn ask(kernel: &'static str, question: Question) -> KernelUse<'static> {
        KernelUse { func: "walk".into(), slot: 7, kernel: kernel.into(), question }
    }

    #[test]
    fn what_is_written_is_read() {
        let uses =
            [ask("cast", Question::Exists), ask("cast", Question::Id), ask("bpf_lsm_file_open", Question::Argument("file".to_owned()))];
        let bytes = encode_uses(&uses);
        assert_eq!(read_uses(&bytes).unwrap(), uses);
        for end in 0..bytes.len() {
            let _ = read_uses(&bytes[..end]);
        }
        for odd in ["a", "a b c exists", "a 1 c", "a 1 c argument", "a 1 c argument d e", "a -1 c id", " 1 c id x", "\n"] {
            assert!(read_uses(odd.as_bytes()).is_err(), "{odd}");
        }
    }

    #[test]
    fn answers_fit_their_instructions() {
        let btf = sample();
        let kernel = KernelFunctions::read(&btf).unwrap();
        let argument = |name: &str| Question::Argument(name.to_owned());
        let cases = [
            (ask("bpf_lsm_file_open", Question::Exists), MOVE, 0, Ok(Patch::Immediate(1))),
            (ask("nothing", Question::Exists), MOVE, 0, Ok(Patch::Immediate(0))),
            (
                ask("bpf_lsm_file_open", Question::Id),
                CALL,
                PSEUDO_KFUNC,
                Ok(Patch::Immediate(kernel.id("bpf_lsm_file_open").unwrap() as i32)),
            ),
            (ask("nothing", Question::Id), CALL, PSEUDO_KFUNC, Ok(Patch::Nothing)),
            (ask("bpf_lsm_file_open", argument("file")), 0x79, 6, Ok(Patch::Offset(8))),
            (ask("nothing", argument("file")), 0x79, 6, Ok(Patch::Nothing)),
            (ask("bpf_lsm_file_open", argument("inode")), 0x79, 6, Err(())),
            (ask("bpf_lsm_file_open", Question::Exists), CALL, 0, Err(())),
            (ask("bpf_lsm_file_open", Question::Id), CALL, 0, Err(())),
            (ask("bpf_lsm_file_open", argument("file")), MOVE, 0, Err(())),
        ];
        for (ask, code, src, right) in cases {
            assert_eq!(ask.answer(&kernel, code, src).map_err(drop), right, "{ask:?}");
        }
    }
}
