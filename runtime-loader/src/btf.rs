//! The kernel's type information in, the ids of its attach points out (`bpf_lsm_HOOK`, `bpf_iter_NAME`).
//! Reads each type's header only; never fails on odd bytes, it just finds less.

use std::collections::BTreeMap;

const MAGIC: u16 = 0xeb9f;
const KIND_FUNC: u32 = 12;

/// Functions that stand for attach points, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachPoints(BTreeMap<String, u32>);

impl AttachPoints {
    /// Finds them; `None` if the bytes are no type information.
    pub fn read(btf: &[u8]) -> Option<Self> {
        let header: &[u8; 24] = btf.first_chunk()?;
        if u16::from_le_bytes([header[0], header[1]]) != MAGIC {
            return None;
        }
        let at = |offset: usize| word(header, offset).map(|w| w as usize);
        let body = btf.get(at(4)?..)?;
        let types = body.get(at(8)?..)?.get(..at(12)?)?;
        let strings = body.get(at(16)?..)?.get(..at(20)?)?;
        let mut found = BTreeMap::new();
        let mut offset = 0;
        let mut id = 1;
        while let (Some(name), Some(info)) = (word(types, offset), word(types, offset + 4)) {
            let (kind, count) = (info >> 24 & 0x1f, (info & 0xffff) as usize);
            if kind == KIND_FUNC
                && let Some(text) = text(strings, name as usize)
                && let Some(text) = ["bpf_lsm_", "bpf_iter_"].iter().find_map(|p| text.starts_with(p.as_bytes()).then_some(text))
            {
                found.insert(String::from_utf8_lossy(text).into_owned(), id);
            }
            offset += 12 + extra(kind, count)?;
            id += 1;
        }
        Some(Self(found))
    }

    /// Id of the LSM hook `name`; `None` if this kernel has no such hook for programs.
    pub fn hook(&self, name: &str) -> Option<u32> {
        self.0.get(&format!("bpf_lsm_{name}")).copied()
    }

    /// Id of the iterator `name`.
    pub fn iterator(&self, name: &str) -> Option<u32> {
        self.0.get(&format!("bpf_iter_{name}")).copied()
    }
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
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let strings = b"\0int\0bpf_lsm_file_open\0other\0bpf_iter_task\0";
        let mut types = Vec::new();
        let mut push = |words: &[u32]| types.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        push(&[1, 1 << 24, 4, 32]);
        push(&[5, 12 << 24, 1]);
        push(&[23, 12 << 24, 1]);
        push(&[29, 12 << 24, 1]);
        let mut btf = vec![0x9f, 0xeb, 1, 0];
        let (t, s) = (types.len() as u32, strings.len() as u32);
        btf.extend([24, 0, t, t, s].iter().flat_map(|w: &u32| w.to_le_bytes()));
        btf.extend(types);
        btf.extend(strings);
        btf
    }

    #[test]
    fn attach_points_are_found() {
        let points = AttachPoints::read(&sample()).unwrap();
        assert_eq!(points.hook("file_open"), Some(2));
        assert_eq!(points.iterator("task"), Some(4));
        assert_eq!(points.hook("other"), None);
    }

    #[test]
    fn odd_bytes_never_panic() {
        let good = sample();
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 0xff;
            let _ = AttachPoints::read(&bad);
            let _ = AttachPoints::read(&good[..i]);
        }
    }
}
