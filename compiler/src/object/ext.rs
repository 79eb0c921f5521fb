//! Takes laid-out code, gives `.BTF.ext`: where functions begin, which line each instruction comes from, and which
//! instructions depend on the kernel's layout. Never gives a function without a line: kernels refuse that.

use super::btf::{Btf, TypeId, header};
use super::code::{CodeSection, SLOT};
use super::{ObjectError, ObjectSpec};
use crate::bpf::asm::{Func, Loc, Pos};
use rustc_hash::FxHashMap;

/// Longest line of a source that is quoted, in bytes.
const MAX_TEXT: usize = 240;

/// Writes the section.
pub(super) fn encode(btf: &mut Btf, spec: &ObjectSpec<'_>, sections: &[CodeSection], funcs: &[TypeId]) -> Result<Vec<u8>, ObjectError> {
    let mut lines = Lines::new(spec);
    let mut rows = Vec::with_capacity(spec.funcs.iter().map(|f| f.locs.len()).sum());
    // name of each section, and where its rows end
    let mut ends = Vec::new();
    let (mut func_info, mut core_relo) = (vec![8], vec![16]);
    for section in sections {
        let name = btf.string(&section.name);
        func_info.extend([name, section.funcs.len() as u32]);
        for (index, offset) in &section.funcs {
            let (Some(id), Some(func)) = (funcs.get(*index), spec.funcs.get(*index)) else { continue };
            func_info.extend([*offset, id.0]);
            lines.rows(btf, func, *offset, &mut rows)?;
        }
        ends.push((name, rows.len()));
        if !section.core.is_empty() {
            core_relo.extend([name, section.core.len() as u32]);
            for (offset, access) in &section.core {
                core_relo.extend([*offset, access.ty.0, btf.string(&access.spec), access.kind]);
            }
        }
    }
    let bytes = |words: usize| words as u32 * 4;
    let (f, l, c) = (bytes(func_info.len()), bytes(1 + ends.len() * 2 + rows.len() * 4), bytes(core_relo.len()));
    let mut out = header(&[32, 0, f, f, l, f + l, c]);
    out.reserve_exact((f + l + c) as usize);
    let mut put = |words: &[u32]| words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    put(&func_info);
    put(&[16]);
    let mut start = 0;
    for (name, end) in ends {
        put(&[name, (end - start) as u32]);
        put(rows.get(start..end).unwrap_or_default().as_flattened());
        start = end;
    }
    put(&core_relo);
    Ok(out)
}

struct Lines<'a> {
    spec: &'a ObjectSpec<'a>,
    /// the lines of each template
    templates: Vec<(&'a str, Vec<&'a str>)>,
    /// rows of templates' lines that were written before
    known: FxHashMap<Pos, [u32; 3]>,
}

impl<'a> Lines<'a> {
    fn new(spec: &'a ObjectSpec<'a>) -> Self {
        let templates = spec.templates.iter().map(|(file, text)| (*file, text.lines().collect())).collect();
        Self { spec, templates, known: FxHashMap::default() }
    }

    /// One row (offset, file, text, line and column) for each change of place within the function.
    fn rows(&mut self, btf: &mut Btf, func: &Func, start: u32, out: &mut Vec<[u32; 4]>) -> Result<(), ObjectError> {
        let first = out.len();
        for (index, loc) in &func.locs {
            // The second slot of a 64-bit immediate is no instruction.
            let real = func.insns.get(*index).is_some_and(|insn| insn.code != 0);
            if !real {
                continue;
            }
            let row = match loc {
                Loc::Source(number) => self.source(btf, *number)?,
                Loc::Template(at) => self.template(btf, *at),
            };
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

    fn source(&self, btf: &mut Btf, number: u32) -> Result<[u32; 3], ObjectError> {
        let line = self.spec.sources.get(number as usize);
        let line = line.ok_or_else(|| ObjectError::new(format!("no source line has the number {number}")))?;
        Ok(row(btf, &line.file, line.line, line.column, &line.text))
    }

    fn template(&mut self, btf: &mut Btf, at: Pos) -> [u32; 3] {
        *self.known.entry(at).or_insert_with(|| {
            let (file, lines) = self.templates.get(at.file as usize).map_or(("", [].as_slice()), |(file, lines)| (*file, lines));
            let text = (at.line as usize).checked_sub(1).and_then(|line| lines.get(line));
            row(btf, file, at.line, 0, text.copied().unwrap_or_default())
        })
    }
}

/// File, text, line and column.
fn row(btf: &mut Btf, file: &str, line: u32, column: u32, text: &str) -> [u32; 3] {
    let text = text.trim();
    let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
    [btf.string(file), btf.string(text), line.min((1 << 22) - 1) << 10 | column.min(1023)]
}
