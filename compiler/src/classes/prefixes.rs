//! Addresses to classes: all prefix sets of a package flattened to entries of one longest-prefix-match trie.

use crate::hir::Prefix;

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

/// The flattened sets.
#[derive(Clone, Debug, Default)]
pub struct PrefixTable {
    /// Sorted by address, then length; at most one for each prefix.
    pub entries: Vec<PrefixEntry>,
    /// The distinct prefix sets, sorted.
    pub sets: Vec<Vec<Prefix>>,
    /// For each class the indices into `sets` that hold, sorted. Class 0: none (also: no entry, absent address).
    pub class_sets: Vec<Vec<u32>>,
}
