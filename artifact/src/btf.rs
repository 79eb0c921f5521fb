//! The kernel's type information in, its functions out: their numbers (attach points are functions too) and which argument
//! of theirs points to which struct. Never fails on odd bytes, it just finds less.

use std::collections::BTreeMap;

const MAGIC: u16 = 0xeb9f;
const PTR: u32 = 2;
const STRUCT: u32 = 4;
const FUNC: u32 = 12;
const PROTO: u32 = 13;
/// Names and qualifiers around a type: typedef, volatile, const, restrict, tag.
const WRAPPERS: [u32; 5] = [8, 9, 10, 11, 18];

/// The functions of a kernel.
#[derive(Clone, Debug)]
pub struct KernelFunctions<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where each type begins, by its number; type 0 is `void`.
    starts: Vec<u32>,
    ids: BTreeMap<&'a [u8], u32>,
}

impl<'a> KernelFunctions<'a> {
    /// Finds them; `None` if the bytes are no type information.
    pub fn read(btf: &'a [u8]) -> Option<Self> {
        let header: &[u8; 24] = btf.first_chunk()?;
        if u16::from_le_bytes([header[0], header[1]]) != MAGIC {
            return None;
        }
        let at = |offset: usize| word(header, offset).map(|w| w as usize);
        let body = btf.get(at(4)?..)?;
        let types = body.get(at(8)?..)?.get(..at(12)?)?;
        let strings = body.get(at(16)?..)?.get(..at(20)?)?;
        let mut this = Self { types, strings, starts: vec![0], ids: BTreeMap::new() };
        let mut offset = 0;
        while let Some(ty) = this.at(offset) {
            if ty.kind == FUNC
                && let Some(name) = text(strings, ty.name as usize)
            {
                this.ids.entry(name).or_insert(this.starts.len() as u32);
            }
            this.starts.push(offset as u32);
            offset += 12 + extra(ty.kind, ty.count)?;
        }
        Some(this)
    }

    /// The number of the function of this name.
    pub fn id(&self, name: &str) -> Option<u32> {
        self.ids.get(name.as_bytes()).copied()
    }

    /// The number of the attach point of the LSM hook `name`; `None` if this kernel has no such hook for programs.
    pub fn hook(&self, name: &str) -> Option<u32> {
        self.id(&format!("bpf_lsm_{name}"))
    }

    /// The number of the attach point of the iterator `name`.
    pub fn iterator(&self, name: &str) -> Option<u32> {
        self.id(&format!("bpf_iter_{name}"))
    }

    /// Index of the one argument of a function that points to the struct of this name; `None` if there is none, or another.
    pub fn argument(&self, function: &str, structure: &str) -> Option<u8> {
        let proto = self.ty(self.ty(self.id(function)?)?.of).filter(|t| t.kind == PROTO)?;
        let points = |index: &usize| {
            let argument = word(self.types, proto.offset + 16 + 8 * index)?;
            let pointer = self.bare(argument).filter(|t| t.kind == PTR)?;
            let target = self.bare(pointer.of).filter(|t| t.kind == STRUCT)?;
            text(self.strings, target.name as usize).filter(|n| *n == structure.as_bytes())
        };
        let mut found = (0..proto.count).filter(|index| points(index).is_some());
        let index = found.next()?;
        if found.next().is_some() { None } else { u8::try_from(index).ok().filter(|i| *i < 16) }
    }

    /// A type without names and qualifiers around it.
    fn bare(&self, id: u32) -> Option<Type> {
        let mut ty = self.ty(id)?;
        for _ in 0..32 {
            if !WRAPPERS.contains(&ty.kind) {
                return Some(ty);
            }
            ty = self.ty(ty.of)?;
        }
        None
    }

    fn ty(&self, id: u32) -> Option<Type> {
        let offset = *self.starts.get(id as usize).filter(|_| id != 0)?;
        self.at(offset as usize)
    }

    fn at(&self, offset: usize) -> Option<Type> {
        let (name, info, of) = (word(self.types, offset)?, word(self.types, offset + 4)?, word(self.types, offset + 8)?);
        Some(Type { offset, name, kind: info >> 24 & 0x1f, count: (info & 0xffff) as usize, of })
    }
}

/// A type's header.
struct Type {
    offset: usize,
    name: u32,
    kind: u32,
    count: usize,
    /// The type that it is made of, or its size.
    of: u32,
}

fn word(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

fn text(strings: &[u8], offset: usize) -> Option<&[u8]> {
    strings.get(offset..)?.split(|b| *b == 0).next()
}

/// Bytes after a type's 12 (linux/btf.h); `None` for kinds that no kernel has yet.
fn extra(kind: u32, count: usize) -> Option<usize> {
    Some(match kind {
        1 | 14 | 17 => 4,
        3 => 12,
        4 | 5 | 15 | 19 => 12 * count,
        6 | 13 => 8 * count,
        2 | 7..=12 | 16 | 18 => 0,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
pub(crate) mod tests {
    use super::*;

    /// `int bpf_lsm_file_open(int, const struct file *)`, `int other(struct file *, struct file *)`, `bpf_iter_task`.
    pub(crate) fn sample() -> Vec<u8> {
        let strings = b"\0int\0bpf_lsm_file_open\0other\0bpf_iter_task\0file\0";
        let mut types = Vec::new();
        let mut push = |words: &[u32]| types.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        push(&[1, 1 << 24, 4, 32]);
        push(&[43, 4 << 24, 8]);
        push(&[0, 10 << 24, 2]);
        push(&[0, 2 << 24, 3]);
        push(&[0, 13 << 24 | 2, 1, 0, 1, 0, 4]);
        push(&[5, 12 << 24, 5]);
        push(&[0, 2 << 24, 2]);
        push(&[0, 13 << 24 | 2, 1, 0, 7, 0, 4]);
        push(&[23, 12 << 24, 8]);
        push(&[29, 12 << 24, 8]);
        let mut btf = vec![0x9f, 0xeb, 1, 0];
        let (t, s) = (types.len() as u32, strings.len() as u32);
        btf.extend([24, 0, t, t, s].iter().flat_map(|w: &u32| w.to_le_bytes()));
        btf.extend(types);
        btf.extend(strings);
        btf
    }

    #[test]
    fn functions_are_found() {
        let btf = sample();
        let functions = KernelFunctions::read(&btf).unwrap();
        assert_eq!(functions.hook("file_open"), Some(6));
        assert_eq!(functions.iterator("task"), Some(10));
        assert_eq!((functions.hook("other"), functions.id("other")), (None, Some(9)));
    }

    #[test]
    fn arguments_are_found_by_their_type() {
        let btf = sample();
        let functions = KernelFunctions::read(&btf).unwrap();
        assert_eq!(functions.argument("bpf_lsm_file_open", "file"), Some(1));
        // Two of one type cannot be told apart; a number is none; a function that is not there has none.
        assert_eq!(functions.argument("other", "file"), None);
        assert_eq!(functions.argument("bpf_lsm_file_open", "int"), None);
        assert_eq!(functions.argument("nothing", "file"), None);
    }

    #[test]
    fn odd_bytes_never_panic() {
        let good = sample();
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 0xff;
            for bytes in [&bad[..], &good[..i]] {
                if let Some(functions) = KernelFunctions::read(bytes) {
                    let _ = (functions.argument("bpf_lsm_file_open", "file"), functions.argument("other", "file"));
                }
            }
        }
    }
}
