//! Whether a condition narrows a rule: whether it asks for something that most operations do not have. What it merely leaves
//! out (`unless`, `not`) narrows nothing. Works on folded conditions; an estimate, never a proof.

use super::context::{Context, Folded};
use crate::hir::{Atom, Cond, PathLang, PathSet, PathSetId, Space, Test, glob};

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

/// Whether a rule is for processes in containers as well: whether it asks for none outside of them.
pub(super) fn covers_containers(cx: &Context<'_>, folded: &Folded<'_>) -> bool {
    !folded.parts().any(|(cond, _)| needs_host(cx, cond, false))
}

/// Whether a condition, or its opposite, holds outside of containers only.
pub(super) fn needs_host(cx: &Context<'_>, cond: &Cond, negated: bool) -> bool {
    match cond {
        Cond::Const(_) => false,
        Cond::Atom(atom) => negated && cx.catalog[atom.field].name == "process.container",
        Cond::Not(inner) => needs_host(cx, inner, !negated),
        Cond::And(all) if negated => all.iter().all(|c| needs_host(cx, c, true)),
        Cond::And(all) => all.iter().any(|c| needs_host(cx, c, false)),
        Cond::Or(all) if negated => all.iter().any(|c| needs_host(cx, c, true)),
        Cond::Or(all) => all.iter().all(|c| needs_host(cx, c, false)),
    }
}

/// The tests of fields that a condition joins, each with whether it is negated; what is joined otherwise is left out.
pub(super) fn tests(cond: &Cond) -> Vec<(&Atom, bool)> {
    let mut out = Vec::new();
    if let Cond::And(all) | Cond::Or(all) = cond {
        all.iter().for_each(|inner| collect(inner, matches!(cond, Cond::And(_)), &mut out));
    }
    out
}

fn collect<'c>(cond: &'c Cond, of_and: bool, out: &mut Vec<(&'c Atom, bool)>) {
    match cond {
        Cond::Atom(atom) => out.push((atom, false)),
        Cond::Not(inner) => {
            if let Cond::Atom(atom) = &**inner {
                out.push((atom, true));
            }
        }
        Cond::And(all) if of_and => all.iter().for_each(|inner| collect(inner, true, out)),
        Cond::Or(all) if !of_and => all.iter().for_each(|inner| collect(inner, false, out)),
        _ => {}
    }
}

/// Whether the second test holds whenever the first does; both are of one field, and both are negated or neither.
pub(super) fn implies(cx: &Context<'_>, (a, not_a): &(&Atom, bool), (b, not_b): &(&Atom, bool)) -> bool {
    a.field == b.field && not_a == not_b && if *not_a { is_within(cx, &b.test, &a.test) } else { is_within(cx, &a.test, &b.test) }
}

/// Whether every value of the first test is one of the second.
pub(super) fn is_within(cx: &Context<'_>, a: &Test, b: &Test) -> bool {
    if a == b {
        return true;
    }
    match (a, b) {
        (Test::InRanges(a), Test::InRanges(b)) if a.len() <= MAX_LIST && b.len() <= MAX_LIST => {
            a.iter().all(|(low, high)| b.iter().any(|(from, to)| from <= low && high <= to))
        }
        (Test::InPaths(a), Test::InPaths(b)) => {
            let set = |id: &PathSetId| cx.package.path_sets.get(id.0 as usize).filter(|set| set.space == Space::Path).map(|set| &set.lang);
            set(a).zip(set(b)).is_some_and(|(a, b)| listed(cx, a, b, |path, other| has(other, path)))
        }
        _ => false,
    }
}

/// Largest sets that are compared.
const MAX_LIST: usize = 64;

/// Whether the first set is a list of paths for each of which something is true in view of the second.
pub(super) fn listed(cx: &Context<'_>, list: &PathLang, other: &PathLang, holds: impl Fn(&[u8], &PathLang) -> bool) -> bool {
    let (PathLang::Patterns(all), PathLang::Patterns(others)) = (list, other) else { return false };
    let small = all.len() <= MAX_LIST && others.len() <= MAX_LIST;
    small
        && !all.is_empty()
        && cx.may_compare(all.len() * others.len())
        && all.iter().all(|p| p.literal().is_some_and(|path| holds(&path, other)))
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
