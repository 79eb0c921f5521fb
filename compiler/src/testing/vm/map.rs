//! Takes keys and values, keeps the maps of an object: arrays, hashes, LPM tries and ring buffers, as the kernel does.
//!
//! Values live in the address space, so that programs can hold pointers to them. Never evicts: an LRU hash that is
//! full refuses.

use super::mem::{Elements, Kind, Memory, Region};
use std::collections::{BTreeMap, VecDeque};

/// Gap between two values of an array, so that an over-run of one is seen.
const GAP: u64 = 64;
/// Programs may not write the values.
pub const RDONLY_PROG: u32 = 1 << 7;
/// No such entry.
pub const ENOENT: i64 = -2;
/// The map is full.
pub const E2BIG: i64 = -7;
/// No memory (a full LPM trie says this).
pub const ENOSPC: i64 = -28;
/// There is such an entry.
pub const EEXIST: i64 = -17;
/// A wrong argument.
pub const EINVAL: i64 = -22;

/// What a map was declared as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapDef {
    /// its name, or its section's
    pub name: String,
    /// `enum bpf_map_type`
    pub map_type: u32,
    /// bytes of a key
    pub key_size: u32,
    /// bytes of a value
    pub value_size: u32,
    /// entries; bytes of a ring buffer
    pub max_entries: u32,
    /// `BPF_F_*`
    pub flags: u32,
}

/// A map.
#[derive(Clone, Debug)]
pub struct Map {
    /// what it was declared as
    pub def: MapDef,
    /// user space may not change it any more
    pub frozen: bool,
    store: Store,
}

#[derive(Clone, Debug)]
enum Store {
    Array { base: u64, stride: u64 },
    Hash(BTreeMap<Vec<u8>, u64>),
    Lpm(BTreeMap<Vec<u8>, u64>),
    Ring(Ring),
}

/// A ring buffer: what is reserved or waits for its reader.
#[derive(Clone, Debug, Default)]
struct Ring {
    slots: VecDeque<Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    addr: u64,
    /// bytes that it takes of the ring, its header included
    takes: u64,
    state: SlotState,
}

#[derive(Clone, Debug)]
enum SlotState {
    Reserved,
    Discarded,
    Done(Record),
}

/// A record that a program submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// its bytes
    pub bytes: Vec<u8>,
    /// how many of them the program never wrote
    pub unwritten: usize,
}

impl Map {
    /// An empty map; `init` are the first bytes of an array's values (a data section's contents).
    pub fn new(def: MapDef, init: &[u8], mem: &mut Memory) -> Result<Map, String> {
        let store = match def.map_type {
            2 | 6 => array(&def, init, mem)?,
            1 | 5 | 9 => Store::Hash(BTreeMap::new()),
            11 if def.key_size > 4 => Store::Lpm(BTreeMap::new()),
            27 if def.max_entries.is_power_of_two() && def.max_entries >= 4096 => Store::Ring(Ring::default()),
            27 => return Err(format!("the ring buffer `{}` has a size that is no power of two of pages", def.name)),
            other => return Err(format!("the map `{}` has the type {other}, which is not emulated", def.name)),
        };
        Ok(Map { def, frozen: false, store })
    }

    /// The address of byte 0 of an array's first value, for direct access.
    pub fn direct(&self) -> Option<u64> {
        match self.store {
            Store::Array { base, .. } if self.def.max_entries == 1 => Some(base),
            _ => None,
        }
    }

    /// The address of a key's value.
    pub fn lookup(&self, key: &[u8]) -> Option<u64> {
        match &self.store {
            Store::Array { base, stride } => {
                let index = u32::from_le_bytes(key.try_into().ok()?);
                (index < self.def.max_entries).then(|| base + u64::from(index) * stride)
            }
            Store::Hash(entries) => entries.get(key).copied(),
            Store::Lpm(entries) => longest(entries, key),
            Store::Ring(_) => None,
        }
    }

    /// Changes or creates an entry; 0 or a negative errno.
    pub fn update(&mut self, key: &[u8], value: &[u8], flags: u64, mem: &mut Memory) -> i64 {
        const NOEXIST: u64 = 1;
        const EXIST: u64 = 2;
        if flags > EXIST {
            return EINVAL;
        }
        let array = matches!(self.store, Store::Array { .. });
        // An LPM update goes to the entry of that prefix, never to the one that covers it.
        let found = match &self.store {
            Store::Array { .. } => self.lookup(key),
            Store::Hash(entries) => entries.get(key).copied(),
            Store::Lpm(entries) => match prefix(key) {
                Some(key) => entries.get(&key).copied(),
                None => return EINVAL,
            },
            Store::Ring(_) => return EINVAL,
        };
        match found {
            Some(_) if flags == NOEXIST => EEXIST,
            None if array => E2BIG,
            None if flags == EXIST => ENOENT,
            Some(addr) => mem.poke(addr, value).map_or(EINVAL, |()| 0),
            None => self.create(key, value, mem),
        }
    }

    fn create(&mut self, key: &[u8], value: &[u8], mem: &mut Memory) -> i64 {
        let (entries, full, key) = match &mut self.store {
            Store::Hash(entries) => (entries, E2BIG, key.to_vec()),
            Store::Lpm(entries) => (entries, ENOSPC, prefix(key).unwrap_or_default()),
            _ => return EINVAL,
        };
        if entries.len() >= self.def.max_entries as usize {
            return full;
        }
        let mut region = Region::new(Kind::Value, &format!("a value of `{}`", self.def.name), value.to_vec());
        region.writable = self.def.flags & RDONLY_PROG == 0;
        entries.insert(key, mem.map(region));
        0
    }

    /// Removes an entry. Its value stays mapped until `reap` is given it, as the kernel keeps it for a grace period.
    pub fn delete(&mut self, key: &[u8]) -> Result<u64, i64> {
        match &mut self.store {
            Store::Array { .. } | Store::Ring(_) => Err(EINVAL),
            Store::Hash(entries) => entries.remove(key).ok_or(ENOENT),
            Store::Lpm(entries) => entries.remove(&prefix(key).ok_or(EINVAL)?).ok_or(ENOENT),
        }
    }

    /// The keys of a hash or trie, ascending by their bytes.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        match &self.store {
            Store::Hash(entries) | Store::Lpm(entries) => entries.keys().cloned().collect(),
            Store::Array { .. } => (0..self.def.max_entries).map(|i| i.to_le_bytes().to_vec()).collect(),
            Store::Ring(_) => Vec::new(),
        }
    }

    /// Room for a record of `size` bytes, or 0.
    pub fn reserve(&mut self, size: u64, mem: &mut Memory) -> u64 {
        let capacity = u64::from(self.def.max_entries);
        let Store::Ring(ring) = &mut self.store else { return 0 };
        let takes = size.saturating_add(8).checked_next_multiple_of(8).unwrap_or(u64::MAX);
        let used: u64 = ring.slots.iter().map(|s| s.takes).sum();
        if takes > capacity.saturating_sub(used) {
            return 0;
        }
        let bytes = vec![0xa5; usize::try_from(size).unwrap_or_default()];
        let addr = mem.map(Region::new(Kind::Ring, &format!("a record of `{}`", self.def.name), bytes).tracked());
        ring.slots.push_back(Slot { addr, takes, state: SlotState::Reserved });
        addr
    }

    /// Ends a reservation; whether there was one at `addr`.
    pub fn commit(&mut self, addr: u64, discard: bool, mem: &mut Memory) -> bool {
        let Store::Ring(ring) = &mut self.store else { return false };
        let reserved = |s: &&mut Slot| s.addr == addr && matches!(s.state, SlotState::Reserved);
        let Some(slot) = ring.slots.iter_mut().find(reserved) else { return false };
        let Some(region) = mem.unmap(addr) else { return false };
        let record = || Record { bytes: region.bytes().to_vec(), unwritten: region.unwritten() };
        slot.state = if discard { SlotState::Discarded } else { SlotState::Done(record()) };
        true
    }

    /// Bytes that records take of a ring buffer.
    pub fn ring_used(&self) -> u64 {
        match &self.store {
            Store::Ring(ring) => ring.slots.iter().map(|s| s.takes).sum(),
            _ => 0,
        }
    }

    /// Whether a reservation is neither submitted nor discarded.
    pub fn has_reservation(&self) -> bool {
        matches!(&self.store, Store::Ring(r) if r.slots.iter().any(|s| matches!(s.state, SlotState::Reserved)))
    }

    /// Forgets reservations: a program that failed left them.
    pub fn drop_reservations(&mut self, mem: &mut Memory) {
        let Store::Ring(ring) = &mut self.store else { return };
        for slot in ring.slots.iter_mut().filter(|s| matches!(s.state, SlotState::Reserved)) {
            mem.unmap(slot.addr);
            slot.state = SlotState::Discarded;
        }
    }

    /// Reads a ring buffer: the records up to the first that is still reserved.
    pub fn drain(&mut self) -> Vec<Record> {
        let Store::Ring(ring) = &mut self.store else { return Vec::new() };
        let mut out = Vec::new();
        while let Some(slot) = ring.slots.front() {
            match &slot.state {
                SlotState::Reserved => break,
                SlotState::Discarded => {}
                SlotState::Done(record) => out.push(record.clone()),
            }
            ring.slots.pop_front();
        }
        out
    }
}

fn array(def: &MapDef, init: &[u8], mem: &mut Memory) -> Result<Store, String> {
    const MOST: u64 = 1 << 30;
    let (size, count) = (u64::from(def.value_size), u64::from(def.max_entries));
    let total = size.checked_mul(count).filter(|t| *t <= MOST && size > 0 && def.key_size == 4);
    let total = total.ok_or_else(|| format!("the array `{}` has a size that is not emulated", def.name))?;
    let mut bytes = init.to_vec();
    bytes.resize(usize::try_from(total).unwrap_or_default(), 0);
    let stride = size.next_multiple_of(8) + GAP;
    let mut region = Region::new(Kind::Value, &format!("`{}`", def.name), bytes).of_elements(Elements { size, stride });
    region.writable = def.flags & RDONLY_PROG == 0;
    Ok(Store::Array { base: mem.map(region), stride })
}

/// A trie's key with the bits after its prefix cleared; `None` if the prefix is longer than the data.
fn prefix(key: &[u8]) -> Option<Vec<u8>> {
    let (len, data) = key.split_first_chunk::<4>()?;
    let bits = usize::try_from(u32::from_le_bytes(*len)).ok().filter(|n| *n <= data.len() * 8)?;
    let mut out = key.to_vec();
    for (i, byte) in out.iter_mut().skip(4).enumerate() {
        let kept = bits.saturating_sub(i * 8).min(8);
        *byte &= !(0xffu32 >> kept) as u8;
    }
    Some(out)
}

/// The value of the longest prefix that covers `key` and is no longer than its own.
fn longest(entries: &BTreeMap<Vec<u8>, u64>, key: &[u8]) -> Option<u64> {
    let (max, data) = key.split_first_chunk::<4>()?;
    let max = u32::from_le_bytes(*max).min(u32::try_from(data.len()).ok()? * 8);
    (0..=max).rev().find_map(|len| {
        let tried: Vec<u8> = len.to_le_bytes().iter().chain(data).copied().collect();
        entries.get(&prefix(&tried)?).copied()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn map(map_type: u32, key_size: u32, value_size: u32, max_entries: u32) -> (Map, Memory) {
        let mut mem = Memory::default();
        let def = MapDef { name: "m".into(), map_type, key_size, value_size, max_entries, flags: 0 };
        (Map::new(def, &[], &mut mem).unwrap(), mem)
    }

    #[test]
    fn hash_is_bounded_and_honours_flags() {
        let (mut m, mut mem) = map(1, 4, 8, 2);
        assert_eq!(m.update(&[1; 4], &[1; 8], 2, &mut mem), ENOENT);
        assert_eq!(m.update(&[1; 4], &[1; 8], 1, &mut mem), 0);
        assert_eq!(m.update(&[1; 4], &[1; 8], 1, &mut mem), EEXIST);
        assert_eq!(m.update(&[2; 4], &[2; 8], 0, &mut mem), 0);
        assert_eq!(m.update(&[3; 4], &[3; 8], 0, &mut mem), E2BIG);
        let addr = m.lookup(&[2; 4]).unwrap();
        assert_eq!(mem.read(addr, 1).unwrap(), 2);
        assert_eq!((m.delete(&[2; 4]), m.delete(&[2; 4])), (Ok(addr), Err(ENOENT)));
        assert_eq!(m.lookup(&[2; 4]), None);
    }

    #[test]
    fn array_elements_do_not_touch() {
        let (mut m, mut mem) = map(2, 4, 12, 3);
        assert_eq!(m.update(&2u32.to_le_bytes(), &[5; 12], 0, &mut mem), 0);
        assert_eq!(m.update(&3u32.to_le_bytes(), &[5; 12], 0, &mut mem), E2BIG);
        let addr = m.lookup(&2u32.to_le_bytes()).unwrap();
        assert_eq!(mem.read(addr + 8, 4).unwrap(), 0x0505_0505);
        assert!(mem.read(addr + 8, 8).is_err());
    }

    #[test]
    fn trie_finds_the_longest_prefix() {
        let (mut m, mut mem) = map(11, 8, 4, 8);
        let key = |len: u32, ip: [u8; 4]| [len.to_le_bytes(), ip].concat();
        for (k, v) in [(key(0, [0; 4]), 1u32), (key(8, [10, 0, 0, 0]), 2), (key(24, [10, 1, 2, 99]), 3)] {
            assert_eq!(m.update(&k, &v.to_le_bytes(), 0, &mut mem), 0);
        }
        for (ip, want) in [([10, 1, 2, 3], 3), ([10, 1, 3, 3], 2), ([11, 1, 2, 3], 1)] {
            assert_eq!(mem.read(m.lookup(&key(32, ip)).unwrap(), 4).unwrap(), want);
        }
        assert_eq!(m.update(&key(33, [0; 4]), &[0; 4], 0, &mut mem), EINVAL);
    }

    #[test]
    fn ring_fills_and_is_read_in_order() {
        let (mut m, mut mem) = map(27, 0, 0, 4096);
        let (a, b) = (m.reserve(2000, &mut mem), m.reserve(2000, &mut mem));
        assert!(a != 0 && b != 0);
        assert_eq!(m.reserve(100, &mut mem), 0);
        mem.write(b, &[7; 4]).unwrap();
        assert!(m.commit(b, false, &mut mem) && !m.commit(b, false, &mut mem));
        assert_eq!(m.drain(), []);
        assert!(m.commit(a, true, &mut mem));
        let got = m.drain();
        assert_eq!((got.len(), got[0].bytes.len(), got[0].unwritten), (1, 2000, 1996));
        assert!(m.ring_used() == 0 && !m.has_reservation());
    }
}
