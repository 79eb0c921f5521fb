//! Takes addresses, gives bytes: the 64-bit address space that programs run in, as regions with gaps between them.
//!
//! Every region knows who may write it and, where asked, which of its bytes were ever written. An access that leaves
//! its region (or, in an array map, its element) fails; nothing is ever read from beside it. Never decides what a
//! failure means to a program.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Where kernel objects live. The gaps here are "kernel memory that is not mapped".
pub const KERNEL: u64 = 0xffff_8880_0000_0000;
/// End of the kernel objects, start of what belongs to programs.
pub const KERNEL_END: u64 = 0xffff_c900_0000_0000;
/// Stack frames.
pub const STACK: u64 = KERNEL_END;
/// Contexts (arguments of hooks).
pub const CONTEXT: u64 = 0xffff_c901_0000_0000;
/// Map values.
pub const VALUES: u64 = 0xffff_c910_0000_0000;
/// Ring buffer records that are reserved.
pub const RING: u64 = 0xffff_c9f0_0000_0000;
/// Memory of user space.
pub const USER: u64 = 0x0000_7f00_0000_0000;
/// Handles of maps; never readable.
pub const MAP_HANDLE: u64 = 0xffff_ea00_0000_0000;
/// Handles of functions; never readable.
pub const FUNC_HANDLE: u64 = 0xffff_fa00_0000_0000;
/// Below this an address is a null pointer with an offset.
pub const NULL_PAGE: u64 = 4096;

/// What a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A kernel object.
    Kernel,
    /// A stack frame.
    Stack,
    /// Arguments of a hook.
    Context,
    /// Values of a map.
    Value,
    /// A reserved record of a ring buffer.
    Ring,
    /// Memory of user space.
    User,
}

/// Elements side by side, with unmapped gaps between them.
#[derive(Clone, Copy, Debug)]
pub struct Elements {
    /// bytes of an element
    pub size: u64,
    /// distance of their addresses
    pub stride: u64,
}

/// A piece of memory.
#[derive(Clone, Debug)]
pub struct Region {
    /// what it is
    pub kind: Kind,
    /// for messages
    pub name: Arc<str>,
    /// whether programs may write it
    pub writable: bool,
    /// shared between clones of a memory until written
    bytes: Arc<Vec<u8>>,
    elements: Option<Elements>,
    written: Option<Vec<bool>>,
}

impl Region {
    /// A region that holds `bytes`.
    pub fn new(kind: Kind, name: &str, bytes: Vec<u8>) -> Region {
        Region { kind, name: name.into(), writable: true, bytes: Arc::new(bytes), elements: None, written: None }
    }

    /// The same, not to be written by programs.
    pub fn read_only(self) -> Region {
        Region { writable: false, ..self }
    }

    /// The same, its bytes not to be read before they are written.
    pub fn tracked(self) -> Region {
        Region { written: Some(vec![false; self.bytes.len()]), ..self }
    }

    /// The same, made of elements.
    pub fn of_elements(self, elements: Elements) -> Region {
        Region { elements: Some(elements), ..self }
    }

    /// How many bytes were never written (0 if that is not watched).
    pub fn unwritten(&self) -> usize {
        self.written.as_ref().map_or(0, |w| w.iter().filter(|w| !**w).count())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn span(&self) -> u64 {
        let len = self.bytes.len() as u64;
        self.elements.map_or(len, |e| len.checked_div(e.size).unwrap_or(0) * e.stride)
    }

    /// Where `len` bytes at `offset` are in `bytes`.
    fn range(&self, offset: u64, len: u64) -> Option<Range<usize>> {
        let start = match self.elements {
            None => offset,
            Some(e) => {
                let (index, inside) = (offset.checked_div(e.stride)?, offset.checked_rem(e.stride)?);
                if inside.checked_add(len)? > e.size {
                    return None;
                }
                index.checked_mul(e.size)?.checked_add(inside)?
            }
        };
        let end = start.checked_add(len).filter(|end| *end <= self.bytes.len() as u64)?;
        Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}

/// Why an access failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemError {
    /// Nothing is there.
    Unmapped,
    /// It begins in a region and ends outside (of it, or of the element).
    PastEnd {
        /// the region's name
        region: Arc<str>,
        /// bytes from its start
        offset: u64,
    },
    /// Programs may not write there.
    ReadOnly {
        /// the region's name
        region: Arc<str>,
    },
    /// A byte was read that nobody wrote.
    Unwritten {
        /// the region's name
        region: Arc<str>,
        /// bytes from its start
        offset: u64,
    },
}

impl fmt::Display for MemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemError::Unmapped => write!(f, "nothing is mapped there"),
            MemError::PastEnd { region, offset } => write!(f, "it leaves {region} at offset {offset}"),
            MemError::ReadOnly { region } => write!(f, "{region} is read-only"),
            MemError::Unwritten { region, offset } => write!(f, "offset {offset} of {region} was never written"),
        }
    }
}

/// The address space.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    regions: BTreeMap<u64, Region>,
    heap: u64,
    values: u64,
    ring: u64,
    user: u64,
}

impl Memory {
    /// Puts a region at an address of its kind's range, with a gap after it.
    pub fn map(&mut self, region: Region) -> u64 {
        let (start, next, align) = match region.kind {
            Kind::Kernel => (KERNEL, &mut self.heap, 64),
            Kind::Value => (VALUES, &mut self.values, 4096),
            Kind::Ring => (RING, &mut self.ring, 64),
            Kind::User => (USER, &mut self.user, 64),
            // One of each at most is mapped without an address.
            Kind::Stack => return self.map_at(STACK, region),
            Kind::Context => return self.map_at(CONTEXT, region),
        };
        let base = start + *next;
        *next = (*next + region.span()).next_multiple_of(align) + align;
        self.map_at(base, region)
    }

    /// Puts a region at `base`; the caller keeps regions apart.
    pub fn map_at(&mut self, base: u64, region: Region) -> u64 {
        self.regions.insert(base, region);
        base
    }

    /// Takes a region away; its addresses are unmapped from then on.
    pub fn unmap(&mut self, base: u64) -> Option<Region> {
        self.regions.remove(&base)
    }

    /// The region that holds `addr`, with its base.
    pub fn region(&self, addr: u64) -> Option<(u64, &Region)> {
        let (base, region) = self.regions.range(..=addr).next_back()?;
        (addr - base < region.span()).then_some((*base, region))
    }

    /// The same, to be changed.
    pub fn region_mut(&mut self, addr: u64) -> Option<(u64, &mut Region)> {
        let (base, region) = self.regions.range_mut(..=addr).next_back()?;
        (addr - base < region.span()).then_some((*base, region))
    }

    /// `len` bytes at `addr`, none of them unwritten.
    pub fn bytes(&self, addr: u64, len: u64) -> Result<&[u8], MemError> {
        let (base, region) = self.region(addr).ok_or(MemError::Unmapped)?;
        let past = || MemError::PastEnd { region: region.name.clone(), offset: addr - base };
        let range = region.range(addr - base, len).ok_or_else(past)?;
        if let Some(hole) = region.written.as_ref().and_then(|w| w.get(range.clone())?.iter().position(|w| !w)) {
            return Err(MemError::Unwritten { region: region.name.clone(), offset: addr - base + hole as u64 });
        }
        region.bytes.get(range).ok_or_else(past)
    }

    /// A little-endian number of `len` (1 to 8) bytes.
    pub fn read(&self, addr: u64, len: u64) -> Result<u64, MemError> {
        let mut out = [0; 8];
        for (to, from) in out.iter_mut().zip(self.bytes(addr, len)?) {
            *to = *from;
        }
        Ok(u64::from_le_bytes(out))
    }

    /// Writes as a program does: into writable regions only.
    pub fn write(&mut self, addr: u64, data: &[u8]) -> Result<(), MemError> {
        match self.region(addr) {
            Some((_, r)) if !r.writable => Err(MemError::ReadOnly { region: r.name.clone() }),
            _ => self.poke(addr, data),
        }
    }

    /// Writes as the kernel does: into any region.
    pub fn poke(&mut self, addr: u64, data: &[u8]) -> Result<(), MemError> {
        let (base, region) = self.region_mut(addr).ok_or(MemError::Unmapped)?;
        let past = MemError::PastEnd { region: region.name.clone(), offset: addr - base };
        let Some(range) = region.range(addr - base, data.len() as u64) else { return Err(past) };
        if let Some(written) = region.written.as_mut().and_then(|w| w.get_mut(range.clone())) {
            written.fill(true);
        }
        Arc::make_mut(&mut region.bytes).get_mut(range).ok_or(past)?.copy_from_slice(data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn accesses_stay_inside_their_region() {
        let mut mem = Memory::default();
        let a = mem.map(Region::new(Kind::Kernel, "a", vec![1; 16]));
        let b = mem.map(Region::new(Kind::Kernel, "b", vec![2; 8]).read_only());
        assert_eq!(mem.read(a + 8, 8).unwrap(), 0x0101_0101_0101_0101);
        assert!(matches!(mem.read(a + 9, 8), Err(MemError::PastEnd { offset: 9, .. })));
        assert_eq!(mem.read(a + 16, 1), Err(MemError::Unmapped));
        assert!(matches!(mem.write(b, &[0]), Err(MemError::ReadOnly { .. })));
        mem.poke(b, &[7]).unwrap();
        assert_eq!(mem.read(b, 2).unwrap(), 0x0207);
        assert_eq!(mem.read(u64::MAX, 8), Err(MemError::Unmapped));
        mem.unmap(a);
        assert_eq!(mem.read(a, 1), Err(MemError::Unmapped));
    }

    #[test]
    fn elements_have_gaps_and_unwritten_bytes_are_seen() {
        let mut mem = Memory::default();
        let e = Elements { size: 8, stride: 72 };
        let m = mem.map(Region::new(Kind::Value, "m", vec![0; 24]).of_elements(e));
        mem.write(m + 144, &[9; 8]).unwrap();
        assert_eq!(mem.read(m + 144, 1).unwrap(), 9);
        assert!(matches!(mem.read(m + 8, 1), Err(MemError::PastEnd { .. })));
        assert_eq!(mem.read(m + 216, 1), Err(MemError::Unmapped));
        let s = mem.map(Region::new(Kind::Ring, "s", vec![0; 8]).tracked());
        mem.write(s, &[1, 2, 3, 4]).unwrap();
        assert_eq!(mem.read(s, 4).unwrap(), 0x0403_0201);
        assert!(matches!(mem.read(s, 8), Err(MemError::Unwritten { offset: 4, .. })));
        assert_eq!(mem.region(s).unwrap().1.unwritten(), 4);
    }
}
