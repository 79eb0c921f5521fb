//! Addresses to classes: all prefix sets of a package flattened to entries of one longest-prefix-match trie.
//! A v6 prefix that covers the v4-mapped addresses does not hold for them: they are v4.

use crate::hir::Prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// An entry of the trie: key and value of the map `prefixes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixEntry {
    /// Length in bits, 0 to 128; an IPv4 prefix of length n has 96 + n.
    pub length: u32,
    /// Address in network order, host bits zero; IPv4 as v4-mapped.
    pub address: [u8; 16],
    /// Class of the addresses whose longest prefix this is.
    pub class: u32,
}

/// Class of an address that cannot be told; no entry has it.
pub const FAIL: u32 = 1;

/// The flattened sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixTable {
    /// Sorted by address, then length; at most one for each prefix.
    pub entries: Vec<PrefixEntry>,
    /// The distinct prefix sets, sorted.
    pub sets: Vec<Vec<Prefix>>,
    /// For each class the indices into `sets` that hold, sorted. Class 0: none (also: no entry, absent address); class 1 is
    /// [`FAIL`].
    pub class_sets: Vec<Vec<u32>>,
}

/// The v4-mapped addresses, `::ffff:0:0/96`.
const MAPPED: (u128, u8) = (0xffff_0000_0000, 96);

/// Address and length in the v6 space.
fn place(prefix: Prefix) -> (u128, u8) {
    match prefix {
        Prefix::V4(address, length) => (MAPPED.0 | u128::from(address), MAPPED.1 + length.min(32)),
        Prefix::V6(address, length) => (address, length.min(128)),
    }
}

fn contains(outer: (u128, u8), inner: (u128, u8)) -> bool {
    let shift = 128 - u32::from(outer.1);
    outer.1 <= inner.1 && (outer.0 ^ inner.0).checked_shr(shift).unwrap_or(0) == 0
}

impl PrefixTable {
    /// Flattens sets; equal sets are one.
    pub fn build(sets: impl IntoIterator<Item = Vec<Prefix>>) -> PrefixTable {
        let sets: Vec<Vec<Prefix>> = sets.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut own: BTreeMap<(u128, u8), Vec<u32>> = BTreeMap::new();
        for (index, set) in sets.iter().enumerate() {
            for prefix in set {
                own.entry(place(*prefix)).or_default().push(index as u32);
            }
        }
        if own.keys().any(|&p| contains(p, MAPPED)) {
            own.entry(MAPPED).or_default();
        }
        let mut table = PrefixTable { entries: Vec::new(), sets, class_sets: vec![Vec::new(), Vec::new()] };
        table.flatten(&own);
        table
    }

    /// `own` is sorted by address, then length: a prefix comes right before those within it.
    fn flatten(&mut self, own: &BTreeMap<(u128, u8), Vec<u32>>) {
        let mut classes: BTreeMap<Vec<u32>, u32> = BTreeMap::from([(Vec::new(), 0)]);
        let mut around: Vec<((u128, u8), u32)> = Vec::new();
        for (&prefix, sets) in own {
            while around.last().is_some_and(|(outer, _)| !contains(*outer, prefix)) {
                around.pop();
            }
            let outer = around.last().map_or(0, |(_, class)| *class);
            let counts = prefix != MAPPED;
            let mut holding = if counts { self.class_sets.get(outer as usize).cloned().unwrap_or_default() } else { Vec::new() };
            holding.extend(sets);
            holding.sort_unstable();
            holding.dedup();
            let class = *classes.entry(holding).or_insert_with_key(|sets| {
                self.class_sets.push(sets.clone());
                self.class_sets.len() as u32 - 1
            });
            if class != outer {
                self.entries.push(PrefixEntry { length: u32::from(prefix.1), address: prefix.0.to_be_bytes(), class });
            }
            around.push((prefix, class));
        }
    }

    /// Index of a set.
    pub fn set(&self, prefixes: &[Prefix]) -> Option<u32> {
        self.sets.binary_search_by(|set| set.as_slice().cmp(prefixes)).ok().map(|i| i as u32)
    }

    /// Class of an address; a v4-mapped address is the v4 one. Looks at every entry.
    pub fn class_of(&self, address: IpAddr) -> u32 {
        let address = match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let inner = (u128::from(address), 128);
        let matching = self.entries.iter().filter(|e| contains((u128::from_be_bytes(e.address), e.length as u8), inner));
        matching.max_by_key(|e| e.length).map_or(0, |e| e.class)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(set: &[Prefix], address: IpAddr) -> bool {
        let address = address.to_canonical();
        set.iter().any(|prefix| match (prefix, address) {
            (Prefix::V4(net, length), IpAddr::V4(a)) => (net ^ u32::from(a)).checked_shr(32 - u32::from(*length)).unwrap_or(0) == 0,
            (Prefix::V6(net, length), IpAddr::V6(a)) => (net ^ u128::from(a)).checked_shr(128 - u32::from(*length)).unwrap_or(0) == 0,
            _ => false,
        })
    }

    /// Few distinct bits, so that prefixes nest.
    fn prefix() -> impl Strategy<Value = Prefix> {
        let v6 = prop_oneof![Just(0u128), Just(0xffff_0000_0000), Just(0xfd00 << 112), any::<u128>()];
        prop_oneof![
            (0u32..4, 0u8..=32).prop_map(|(top, n)| Prefix::V4((top << 30) & u32::MAX.checked_shl(32 - u32::from(n)).unwrap_or(0), n)),
            // Within the mapped addresses a prefix is V4.
            (v6, 0u8..=128).prop_map(|(a, n)| {
                let a = a & u128::MAX.checked_shl(128 - u32::from(n)).unwrap_or(0);
                if contains(MAPPED, (a, n)) { Prefix::V4(a as u32, n - 96) } else { Prefix::V6(a, n) }
            }),
        ]
    }

    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            (0u32..4, 0u32..4).prop_map(|(a, b)| IpAddr::V4((a << 30 | b).into())),
            prop_oneof![Just(0u128), Just(1), Just(0xffff_0000_0001), Just(0xfd00 << 112), any::<u128>()]
                .prop_map(|a| IpAddr::V6(a.into())),
        ]
    }

    proptest! {
        #[test]
        fn classes_agree_with_the_definition(
            sets in proptest::collection::vec(proptest::collection::vec(prefix(), 0..5), 0..6),
            addresses in proptest::collection::vec(address(), 20),
        ) {
            let table = PrefixTable::build(sets);
            for address in addresses {
                let class = table.class_of(address);
                let expected: Vec<u32> = (0..table.sets.len()).filter(|&i| holds(&table.sets[i], address)).map(|i| i as u32).collect();
                prop_assert_eq!(&table.class_sets[class as usize], &expected, "{}", address);
            }
        }
    }
}
