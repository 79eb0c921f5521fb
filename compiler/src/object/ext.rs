//! Takes laid-out code, gives `.BTF.ext`: where functions begin, which line each instruction comes from, and which
//! instructions depend on the kernel's layout. Never gives a function without a line: kernels refuse that.

use super::btf::{Btf, TypeId, header};
use super::code::{CodeSection, SLOT};
use super::{ObjectError, ObjectSpec};
use crate::bpf::asm::{Func, Loc};
use rustc_hash::FxHashMap;

/// Longest line of a source that is quoted, in bytes.
const MAX_TEXT: usize = 240;

/// Writes the section.
pub(super) fn encode(btf: &mut Btf, spec: &ObjectSpec<'_>, sections: &[CodeSection], funcs: &[TypeId]) -> Result<Vec<u8>, ObjectError> {
    let lines = Lines::new(spec);
    let (mut func_info, mut line_info, mut core_relo) = (vec![8], vec![16], vec![16]);
    for section in sections {
        let name = btf.string(&section.name);
        func_info.extend([name, section.funcs.len() as u32]);
        let mut rows = Vec::new();
        for (index, offset) in &section.funcs {
            let (Some(id), Some(func)) = (funcs.get(*index), spec.funcs.get(*index)) else { continue };
            func_info.extend([*offset, id.0]);
            lines.rows(btf, func, *offset, &mut rows)?;
        }
        line_info.extend([name, rows.len() as u32]);
        line_info.extend(rows.into_iter().flatten());
        if !section.core.is_empty() {
            core_relo.extend([name, section.core.len() as u32]);
            for (offset, access) in &section.core {
                core_relo.extend([*offset, access.ty.0, btf.string(&access.spec), access.kind]);
            }
        }
    }
    let bytes = |words: &[u32]| words.len() as u32 * 4;
    let (f, l, c) = (bytes(&func_info), bytes(&line_info), bytes(&core_relo));
    let mut out = header(&[32, 0, f, f, l, f + l, c]);
    out.extend(func_info.iter().chain(&line_info).chain(&core_relo).flat_map(|w| w.to_le_bytes()));
    Ok(out)
}

struct Lines<'a> {
    spec: &'a ObjectSpec<'a>,
    templates: FxHashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Lines<'a> {
    fn new(spec: &'a ObjectSpec<'a>) -> Self {
        Self { spec, templates: spec.templates.iter().map(|(file, text)| (*file, text.lines().collect())).collect() }
    }

    /// One row (offset, file, text, line and column) for each change of place within the function.
    fn rows(&self, btf: &mut Btf, func: &Func, start: u32, out: &mut Vec<[u32; 4]>) -> Result<(), ObjectError> {
        let first = out.len();
        for (index, loc) in &func.locs {
            // The second slot of a 64-bit immediate is no instruction.
            let real = func.insns.get(*index).is_some_and(|insn| insn.code != 0);
            if !real {
                continue;
            }
            let row = self.row(btf, loc)?;
            // The function's first row must stand at its first instruction.
            let offset = if out.len() == first { start } else { start + *index as u32 * SLOT };
            match out.get_mut(first..).and_then(<[_]>::last_mut) {
                Some(last) if last[0] == offset => *last = [offset, row[0], row[1], row[2]],
                Some(last) if last[1..] == row => {}
                _ => out.push([offset, row[0], row[1], row[2]]),
            }
        }
        if out.len() == first {
            let name = btf.string(&func.name);
            out.push([start, name, name, 0]);
        }
        Ok(())
    }

    fn row(&self, btf: &mut Btf, loc: &Loc) -> Result<[u32; 3], ObjectError> {
        let (file, line, column, text) = match loc {
            Loc::Source(n) => {
                let source = self.spec.sources.get(*n as usize);
                let source = source.ok_or_else(|| ObjectError::new(format!("no source line has the number {n}")))?;
                (source.file.as_str(), source.line, source.column, source.text.as_str())
            }
            Loc::Template { file, line } => {
                let text = self.templates.get(&**file).and_then(|lines| lines.get((*line as usize).checked_sub(1)?));
                (&**file, *line, 0, text.copied().unwrap_or_default())
            }
        };
        let text = text.trim();
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
        Ok([btf.string(file), btf.string(text), line.min((1 << 22) - 1) << 10 | column.min(1023)])
    }
}
