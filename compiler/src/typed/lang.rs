//! Regular sets of paths as constants: union, difference, and the sets that `.name`, `.dir`, `.ext` and `under` ask for.
//! Never expands a language.

use crate::hir::glob::{Part, Pattern, matches, set_has};
use crate::hir::{PathLang, Space};

/// Most patterns in one set.
pub const MAX_PATTERNS: usize = 262_144;

/// Most literals times patterns with wildcards that are matched to take literals out of a set; beyond, the difference is
/// kept as one.
const MAX_MATCHED: usize = 1 << 20;

/// Deepest differences within each other.
pub const MAX_DEPTH: usize = 64;

/// How deep differences lie in each other.
#[must_use]
pub fn depth(lang: &PathLang) -> usize {
    match lang {
        PathLang::Patterns(_) => 0,
        PathLang::Union(all) => all.iter().map(depth).max().unwrap_or(0),
        PathLang::Minus(a, b) => 1 + depth(a).max(depth(b)),
    }
}

/// How many bytes and wildcards its patterns have.
#[must_use]
pub fn length(lang: &PathLang) -> usize {
    match lang {
        PathLang::Patterns(all) => all.iter().map(|p| p.parts.len()).sum(),
        PathLang::Union(all) => all.iter().map(length).sum(),
        PathLang::Minus(a, b) => length(a) + length(b),
    }
}

/// How many patterns a set has.
#[must_use]
pub fn size(lang: &PathLang) -> usize {
    match lang {
        PathLang::Patterns(all) => all.len(),
        PathLang::Union(all) => all.iter().map(size).sum(),
        PathLang::Minus(a, b) => size(a) + size(b),
    }
}

/// Sorts and drops what is there twice, so that equal sets look equal.
#[must_use]
pub fn normal(lang: PathLang) -> PathLang {
    match lang {
        PathLang::Patterns(mut all) => {
            all.sort_unstable_by(|a, b| a.text.cmp(&b.text));
            all.dedup_by(|a, b| a.text == b.text);
            PathLang::Patterns(all)
        }
        PathLang::Union(all) => {
            let mut patterns = Vec::new();
            let mut rest = Vec::new();
            for lang in all.into_iter().map(normal) {
                match lang {
                    PathLang::Patterns(more) => patterns.extend(more),
                    PathLang::Union(more) => rest.extend(more),
                    other => rest.push(other),
                }
            }
            // Of several sets of patterns one is left; a union within a union gave its own.
            rest.retain_mut(|lang| match lang {
                PathLang::Patterns(more) => {
                    patterns.append(more);
                    false
                }
                _ => true,
            });
            let patterns = normal(PathLang::Patterns(patterns));
            rest.sort_unstable();
            rest.dedup();
            if rest.is_empty() {
                return patterns;
            }
            if size(&patterns) > 0 {
                rest.insert(0, patterns);
            }
            if rest.len() == 1 { rest.remove(0) } else { PathLang::Union(rest) }
        }
        PathLang::Minus(a, b) => PathLang::Minus(Box::new(normal(*a)), Box::new(normal(*b))),
    }
}

/// `a - b`. Literal elements are taken out here; what has wildcards stays a difference of languages.
#[must_use]
pub fn minus(a: PathLang, b: PathLang, space: Space) -> PathLang {
    let (PathLang::Patterns(left), PathLang::Patterns(right)) = (&a, &b) else {
        return PathLang::Minus(Box::new(a), Box::new(b));
    };
    let gone: rustc_hash::FxHashSet<&str> = right.iter().map(|p| &*p.text).collect();
    let same: rustc_hash::FxHashSet<&[Part]> = right.iter().map(|p| &*p.parts).collect();
    let wild: Vec<&Pattern> = right.iter().filter(|p| p.literal().is_none()).collect();
    if left.len().saturating_mul(wild.len()) > MAX_MATCHED {
        return PathLang::Minus(Box::new(a), Box::new(b));
    }
    let mut rest = Vec::new();
    let mut open = false;
    for pattern in left.iter().filter(|p| !gone.contains(&*p.text)) {
        match pattern.literal() {
            Some(literal) => {
                // The same literal may be written with an escape; then its text differs and its bytes do not.
                if wild.iter().any(|w| matches(w, &literal, space)) || same.contains(&*pattern.parts) {
                    continue;
                }
            }
            None => open = true,
        }
        rest.push(pattern.clone());
    }
    let left = PathLang::Patterns(rest);
    if open { PathLang::Minus(Box::new(left), Box::new(b)) } else { left }
}

/// Applies a change to each pattern; right for preimages of functions of the path, which commute with `-`.
fn each(lang: &PathLang, change: &impl Fn(&Pattern) -> Pattern) -> PathLang {
    match lang {
        PathLang::Patterns(all) => PathLang::Patterns(all.iter().map(change).collect()),
        PathLang::Union(all) => PathLang::Union(all.iter().map(|l| each(l, change)).collect()),
        PathLang::Minus(a, b) => PathLang::Minus(Box::new(each(a, change)), Box::new(each(b, change))),
    }
}

fn bytes(text: &str) -> impl Iterator<Item = Part> {
    text.bytes().map(Part::Byte)
}

/// `/**/`: any directories.
fn anywhere() -> Vec<Part> {
    vec![Part::Byte(b'/'), Part::Segments]
}

/// Paths whose last segment is in `names`.
#[must_use]
pub fn by_name(names: &PathLang) -> PathLang {
    each(names, &|p| {
        let mut parts = anywhere();
        parts.extend(p.parts.iter().cloned());
        Pattern { text: format!("/**/{}", p.text).into(), parts: parts.into() }
    })
}

/// Paths that stand directly in one of `dirs`.
#[must_use]
pub fn by_dir(dirs: &PathLang) -> PathLang {
    each(dirs, &|p| below(p, "*", [Part::Star]))
}

fn below<const N: usize>(dir: &Pattern, text: &str, more: [Part; N]) -> Pattern {
    if let Some((Part::Segments, before)) = dir.parts.split_last() {
        // `/a/**` and one segment or more below it is `/a/*/**`.
        let mut parts = before.to_vec();
        parts.extend([Part::Star, Part::Byte(b'/'), Part::Segments]);
        let text = dir.text.strip_suffix("**").unwrap_or(&dir.text);
        return Pattern { text: format!("{text}*/**").into(), parts: parts.into() };
    }
    let root = *dir.parts == [Part::Byte(b'/')];
    let mut parts = dir.parts.to_vec();
    if !root {
        parts.extend(bytes("/"));
    }
    parts.extend(more);
    Pattern { text: format!("{}/{text}", if root { "" } else { &*dir.text }).into(), parts: parts.into() }
}

/// The directories and all below them, or with `strictly` only what is below. `None` for a difference of languages:
/// what is below a difference is not the difference of what is below.
#[must_use]
pub fn under(dirs: &PathLang, strictly: bool) -> Option<PathLang> {
    match dirs {
        PathLang::Patterns(all) => {
            let mut out = Vec::with_capacity(all.len() * 2);
            for dir in all {
                let everything = dir.parts.last() == Some(&Part::Segments);
                if !strictly {
                    out.push(dir.clone());
                }
                // All below `/a/**` is in it already.
                if strictly || !everything {
                    out.push(below(dir, "**", [Part::Segments]));
                }
            }
            Some(PathLang::Patterns(out))
        }
        PathLang::Union(all) => all.iter().map(|l| under(l, strictly)).collect::<Option<_>>().map(PathLang::Union),
        PathLang::Minus(..) => None,
    }
}

/// Paths whose extension is in `extensions`; the offending text if one of them has a dot or `*`.
pub fn by_ext(extensions: &PathLang) -> Result<PathLang, String> {
    check_ext(extensions)?;
    Ok(each(extensions, &|p| {
        let mut parts = anywhere();
        parts.extend([Part::Set(Box::new(crate::hir::glob::set_of(|b| b != 0 && b != b'/'))), Part::Star, Part::Byte(b'.')]);
        parts.extend(p.parts.iter().map(without_dot));
        Pattern { text: format!("/**/?*.{}", p.text).into(), parts: parts.into() }
    }))
}

fn check_ext(lang: &PathLang) -> Result<(), String> {
    fn bad(part: &Part) -> bool {
        match part {
            Part::Byte(byte) => *byte == b'.',
            Part::Star | Part::Segments => true,
            Part::Set(_) => false,
            Part::Alt(all) => all.iter().flatten().any(bad),
        }
    }
    match lang {
        PathLang::Patterns(all) => all.iter().find(|p| p.parts.iter().any(bad)).map_or(Ok(()), |p| Err(p.text.to_string())),
        PathLang::Union(all) => all.iter().try_for_each(check_ext),
        PathLang::Minus(a, b) => check_ext(a).and_then(|()| check_ext(b)),
    }
}

/// An extension has no dot in it: it begins after the last one.
fn without_dot(part: &Part) -> Part {
    match part {
        Part::Set(set) => Part::Set(Box::new(crate::hir::glob::set_of(|b| b != b'.' && set_has(set, b)))),
        Part::Alt(all) => Part::Alt(all.iter().map(|seq| seq.iter().map(without_dot).collect()).collect()),
        other => other.clone(),
    }
}

/// A pattern of the set that is not one exact value.
#[must_use]
pub fn first_wild(lang: &PathLang) -> Option<&Pattern> {
    match lang {
        PathLang::Patterns(all) => all.iter().find(|p| p.literal().is_none()),
        PathLang::Union(all) => all.iter().find_map(first_wild),
        PathLang::Minus(a, _) => first_wild(a),
    }
}
