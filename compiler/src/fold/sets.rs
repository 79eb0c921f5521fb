//! Interns path sets: equal sets get equal ids. Keeps the order of first use.

use crate::hir::{PathLang, PathSet, PathSetId, Space};
use crate::typed::lang;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// All sets so far.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    all: Vec<PathSet>,
    /// Hash of the texts -> ids.
    by_hash: FxHashMap<u64, Vec<u32>>,
    /// Nothing is kept while a function is checked by itself.
    pub(crate) dry: bool,
}

impl Sets {
    /// The id of a set.
    pub(crate) fn intern(&mut self, space: Space, lang: PathLang) -> PathSetId {
        if self.dry {
            return PathSetId(0);
        }
        let set = PathSet { space, lang: lang::normal(lang) };
        let mut hasher = FxHasher::default();
        hash(&set.lang, &mut hasher);
        let ids = self.by_hash.entry(hasher.finish()).or_default();
        let known = ids.iter().find(|id| self.all.get(**id as usize) == Some(&set));
        if let Some(id) = known {
            return PathSetId(*id);
        }
        let id = self.all.len() as u32;
        ids.push(id);
        self.all.push(set);
        PathSetId(id)
    }

    /// Gives all sets up.
    pub(crate) fn take(&mut self) -> Vec<PathSet> {
        std::mem::take(&mut self.all)
    }
}

/// The texts say nearly all; equality looks at the rest.
fn hash(lang: &PathLang, hasher: &mut FxHasher) {
    match lang {
        PathLang::Patterns(all) => all.iter().for_each(|p| p.text.hash(hasher)),
        PathLang::Union(all) => all.iter().for_each(|l| hash(l, hasher)),
        PathLang::Minus(a, b) => {
            hash(a, hasher);
            1u8.hash(hasher);
            hash(b, hasher);
        }
    }
}
