//! Names that rules ask about on the host, for the loader to look up: conditions in; literal paths and the literal
//! folders of patterns out. What is asked in containers only is left out, for the host cannot tell what is there.

use crate::hir::glob::{Part, Pattern, set_has};
use crate::hir::{Atom, Cond, Package, PathLang, PathSetId, Space, Test, glob};
use ebsec_artifact::{Name, NameSet};
use ebsec_templates::{Catalog, FieldId};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Names of an artifact.
const MAX_NAMES: usize = 16_384;
/// Names of all sets together.
const MAX_ENTRIES: usize = 65_536;
/// Parts of patterns that are copied to take the braces of one set apart.
const MAX_PARTS: usize = 1 << 18;
/// Bytes of a pattern that are shown after its folder.
const MAX_REST: usize = 256;

/// What the manifest says of names.
#[derive(Default)]
pub(super) struct Names {
    pub(super) names: Vec<Name>,
    pub(super) sets: Vec<NameSet>,
    pub(super) left_out: u32,
}

/// The path sets that a rule asks of a field, by whether the atom stands under an odd number of negations.
type Asked = BTreeMap<(FieldId, bool), BTreeSet<PathSetId>>;

/// Rules have their numbers in the manifest's order.
pub(super) fn collect(package: &Package, catalog: &Catalog) -> Names {
    let mut sets: BTreeMap<(bool, Vec<PathSetId>), Vec<u32>> = BTreeMap::new();
    for (number, rule) in package.policies.iter().flat_map(|p| &p.rules).enumerate() {
        let mut asked = Asked::new();
        on_host(&rule.cond, false, catalog, &mut asked);
        for ((field, negated), ids) in asked {
            // where such a field loosens, every name of the file has to be in the set
            let any_name = catalog[field].host && !negated;
            let rules = sets.entry((any_name, ids.into_iter().collect())).or_default();
            if rules.last() != Some(&(number as u32)) {
                rules.push(number as u32);
            }
        }
    }
    let mut of_sets: FxHashMap<PathSetId, Vec<Name>> = FxHashMap::default();
    for id in sets.keys().flat_map(|(_, ids)| ids) {
        of_sets.entry(*id).or_insert_with(|| of_set(package, *id).into_iter().collect());
    }
    let mut known: BTreeMap<&Name, u32> = BTreeMap::new();
    let (mut entries, mut left_out) = (0, 0u32);
    let mut found = Vec::new();
    for ((any_name, ids), rules) in sets {
        let mut names: Vec<&Name> = ids.iter().filter_map(|id| of_sets.get(id)).flatten().collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| {
            let room = entries < MAX_ENTRIES && (known.len() < MAX_NAMES || known.contains_key(name));
            entries += usize::from(room);
            left_out = left_out.saturating_add(u32::from(!room));
            if room {
                known.insert(name, 0);
            }
            room
        });
        found.push((any_name, names, rules));
    }
    // Numbers by the names' order, not by the order in which sets were met.
    known.values_mut().zip(0..).for_each(|(number, index)| *number = index);
    let numbers = |names: Vec<&Name>| names.iter().filter_map(|n| known.get(n).copied()).collect::<Vec<u32>>();
    let sets = found.into_iter().map(|(any_name, names, rules)| NameSet { any_name, names: numbers(names), rules });
    let sets = sets.filter(|s| !s.names.is_empty()).collect();
    Names { sets, names: known.into_keys().cloned().collect(), left_out }
}

/// Gathers what is left to ask where the process is in no container; a condition that is decided by that asks nothing.
fn on_host(cond: &Cond, negated: bool, catalog: &Catalog, asked: &mut Asked) -> Option<bool> {
    let mut several = |all: &[Cond], decides: bool| {
        let mut here = Asked::new();
        let mut answers = all.iter().map(|c| on_host(c, negated, catalog, &mut here)).collect::<Vec<_>>();
        if answers.contains(&Some(decides)) {
            return Some(decides);
        }
        answers.retain(Option::is_none);
        for (field, ids) in here {
            asked.entry(field).or_default().extend(ids);
        }
        answers.is_empty().then_some(!decides)
    };
    match cond {
        Cond::Const(yes) => Some(*yes),
        Cond::And(all) => several(all, false),
        Cond::Or(all) => several(all, true),
        Cond::Not(inner) => on_host(inner, !negated, catalog, asked).map(|yes| !yes),
        Cond::Atom(Atom { field, test: Test::InPaths(set), .. }) => {
            asked.entry((*field, negated)).or_default().insert(*set);
            None
        }
        Cond::Atom(Atom { field, test: Test::True, .. }) if catalog[*field].name == "process.container" => Some(false),
        Cond::Atom(_) => None,
    }
}

fn of_set(package: &Package, id: PathSetId) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    if let Some(set) = package.path_sets.get(id.0 as usize).filter(|s| s.space == Space::Path) {
        of_lang(&set.lang, &mut { MAX_PARTS }, &mut names);
    }
    names
}

fn of_lang(lang: &PathLang, room: &mut usize, names: &mut BTreeSet<Name>) {
    match lang {
        PathLang::Patterns(all) => all.iter().for_each(|p| of_pattern(p, room, names)),
        PathLang::Union(all) => all.iter().for_each(|l| of_lang(l, room, names)),
        // What is taken away is a name as well, and a hole that matches nothing is worth telling.
        PathLang::Minus(all, without) => {
            let mut some = BTreeSet::new();
            of_lang(all, room, &mut some);
            some.retain(|n| !n.rest.is_empty() || !has(without, n.path.as_bytes()));
            names.append(&mut some);
            of_lang(without, room, names);
        }
    }
}

fn has(lang: &PathLang, path: &[u8]) -> bool {
    match lang {
        PathLang::Patterns(all) => all.iter().any(|p| glob::matches(p, path, Space::Path)),
        PathLang::Union(all) => all.iter().any(|l| has(l, path)),
        PathLang::Minus(all, without) => has(all, path) && !has(without, path),
    }
}

/// Braces before the first wildcard are taken apart, as long as there is room to.
fn of_pattern(pattern: &Pattern, room: &mut usize, names: &mut BTreeSet<Name>) {
    let mut open: Vec<(Vec<u8>, Cow<'_, [Part]>)> = vec![(Vec::new(), (&*pattern.parts).into())];
    while let Some((mut head, parts)) = open.pop() {
        let literal = parts.iter().map_while(|p| if let Part::Byte(b) = p { Some(*b) } else { None });
        head.extend(literal.clone());
        let rest = parts.get(literal.count()..).unwrap_or_default();
        match rest.split_first() {
            None => names.extend(name(&head, &[])),
            Some((Part::Alt(alternatives), after)) if *room > alternatives.len() * (parts.len() + 1) => {
                *room -= alternatives.len() * (parts.len() + 1);
                open.extend(alternatives.iter().map(|a| (head.clone(), [a, after].concat().into())));
            }
            Some(_) => names.extend(name(&head, rest)),
        }
    }
}

/// The name of a path, or of the folder of a pattern, whose last literal component may go on in the pattern.
fn name(head: &[u8], rest: &[Part]) -> Option<Name> {
    if rest.is_empty() {
        let path = if head == b"/" { &[] } else { head };
        return Some(Name { path: std::str::from_utf8(path).ok()?.to_owned(), rest: String::new() });
    }
    let slash = head.iter().rposition(|b| *b == b'/')?;
    let (folder, begun) = head.split_at(slash);
    let mut text = begun.to_vec();
    show(rest, &mut text);
    let mut rest = String::from_utf8_lossy(&text).into_owned();
    if rest.len() > MAX_REST {
        rest.truncate((0..=MAX_REST).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0));
        rest.push('…');
    }
    Some(Name { path: std::str::from_utf8(folder).ok()?.to_owned(), rest })
}

/// Parts as patterns are written.
fn show(parts: &[Part], text: &mut Vec<u8>) {
    for (i, part) in parts.iter().enumerate() {
        if text.len() > MAX_REST {
            return;
        }
        match part {
            Part::Byte(byte) => {
                if b"*?[]{},\\".contains(byte) {
                    text.push(b'\\');
                }
                text.push(*byte);
            }
            Part::Star => text.push(b'*'),
            // In the middle it holds the slash after it.
            Part::Segments => text.extend(if i + 1 == parts.len() { &b"**"[..] } else { b"**/" }),
            Part::Alt(alternatives) => {
                let mut first = b'{';
                for alternative in alternatives {
                    text.push(first);
                    show(alternative, text);
                    first = b',';
                }
                text.push(b'}');
            }
            Part::Set(set) => show_set(set, text),
        }
    }
}

fn show_set(set: &[u64; 4], text: &mut Vec<u8>) {
    if (1..=255).filter(|b| set_has(set, *b)).count() >= 254 {
        return text.push(b'?');
    }
    // Most bytes: what is left out is shorter.
    let most = set_has(set, 0xff);
    text.extend(if most { &b"[!"[..] } else { b"[" });
    let shown = |byte: u8| byte != b'/' && set_has(set, byte) != most;
    let mut byte = 1u8;
    while byte < 0x7f {
        let last = (byte..0x7f).take_while(|b| shown(*b)).last();
        match last {
            Some(last) if last > byte + 1 => text.extend([byte, b'-', last]),
            Some(last) => text.extend(byte..=last),
            None => {}
        }
        byte = last.unwrap_or(byte) + 1;
    }
    text.push(b']');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(patterns: &[&str]) -> Vec<String> {
        let patterns = patterns.iter().map(|p| glob::parse(p, glob::Kind::Path).unwrap()).collect();
        let mut names = BTreeSet::new();
        of_lang(&PathLang::Patterns(patterns), &mut { MAX_PARTS }, &mut names);
        names.into_iter().map(|n| format!("{} {}", n.path, n.rest).trim_end().to_owned()).collect()
    }

    #[test]
    fn patterns_give_their_literal_part() {
        assert_eq!(names(&["/etc/shadow"]), ["/etc/shadow"]);
        assert_eq!(names(&["/var/run/*.pid", "/var/run/x*/y"]), ["/var/run /*.pid", "/var/run /x*/y"]);
        assert_eq!(names(&["/{usr/,}bin/{su,sudo}"]), ["/bin/su", "/bin/sudo", "/usr/bin/su", "/usr/bin/sudo"]);
        assert_eq!(names(&["/{a,b*}/c/{d,e}"]), [" /b*/c/{d,e}", "/a/c/d", "/a/c/e"]);
        assert_eq!(names(&["/srv/**", "/**/x", "/etc/[a-c]?[!x]\\*"]), [" /**/x", "/etc /[a-c]?[!x]\\*", "/srv /**"]);
        assert_eq!(names(&["/"]), [""]);
    }

    #[test]
    fn braces_without_end_end() {
        let many = format!("/x{}", "{a,b}".repeat(60));
        assert!(names(&[&many]).len() < MAX_PARTS);
    }
}
