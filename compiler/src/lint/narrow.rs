//! Whether a condition narrows a rule: whether it asks for something that most operations do not have. What it merely leaves
//! out (`unless`, `not`) narrows nothing. Works on folded conditions; an estimate, never a proof.

use crate::hir::{Atom, Cond, PathLang, PathSet, Space, Test, glob};

/// Whether the condition, or its opposite, narrows. `whole` says which path sets hold every path.
pub(super) fn narrows(cond: &Cond, negated: bool, whole: &[bool]) -> bool {
    match cond {
        Cond::Const(value) => *value == negated,
        Cond::Atom(atom) => is_always(atom, whole) == negated,
        Cond::Not(inner) => narrows(inner, !negated, whole),
        Cond::And(all) if negated => all.iter().all(|c| narrows(c, true, whole)),
        Cond::And(all) => all.iter().any(|c| narrows(c, false, whole)),
        Cond::Or(all) if negated => all.iter().any(|c| narrows(c, true, whole)),
        Cond::Or(all) => all.iter().all(|c| narrows(c, false, whole)),
    }
}

/// Whether a test is true of every value that is there.
pub(super) fn is_always(atom: &Atom, whole: &[bool]) -> bool {
    match &atom.test {
        Test::InPaths(set) => whole.get(set.0 as usize).copied().unwrap_or(false),
        Test::InRanges(ranges) => ranges.iter().any(|(low, high)| *low == 0 && *high >= u64::from(u32::MAX)),
        Test::HasBits(bits) => *bits == 0,
        _ => false,
    }
}

/// Paths that have nothing in common but being paths.
const ANY: &[&[u8]] = &[b"/", b"/q7", b"/z/q7.x", b"/usr/lib/y/q7"];

/// Whether every path is in a set.
pub(super) fn is_whole(set: &PathSet) -> bool {
    set.space == Space::Path && has_wide(&set.lang) && ANY.iter().skip(1).all(|path| has(&set.lang, path))
}

/// Whether some pattern begins with a wildcard: all others are not worth a closer look.
fn has_wide(lang: &PathLang) -> bool {
    match lang {
        PathLang::Patterns(all) => all.iter().any(|p| !matches!(p.parts.get(1), Some(glob::Part::Byte(_)))),
        PathLang::Union(all) => all.iter().any(has_wide),
        PathLang::Minus(a, _) => has_wide(a),
    }
}

/// Whether a path is in a set of paths.
pub(super) fn has(lang: &PathLang, path: &[u8]) -> bool {
    match lang {
        PathLang::Patterns(all) => all.iter().any(|p| glob::matches(p, path, Space::Path)),
        PathLang::Union(all) => all.iter().any(|l| has(l, path)),
        PathLang::Minus(a, b) => has(a, path) && !has(b, path),
    }
}
