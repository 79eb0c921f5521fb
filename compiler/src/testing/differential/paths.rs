//! Random patterns, and paths that they match or nearly match.

use super::random::Random;

/// Names with something to tell apart: lengths round 8, 15, 31 and 40 bytes, endings, bytes above 127.
const NAMES: &[&str] = &[
    "etc",
    "srv",
    "data",
    "bin",
    "sh",
    "cat",
    "a",
    "b",
    "ab",
    "conf.d",
    "x.key",
    "id_rsa",
    "a.tar.gz",
    "passwords",
    "exactly8",
    "nine_char",
    "a-name-of-31-bytes-as-kernels-v",
    "a-name-of-thirty-two-bytes-in-al",
    "a-name-that-is-long-enough-for-both-kernels-inline-room",
    "ünï",
    "x y",
    ".hidden",
    "..a",
    "zz",
    "q",
];
/// Names with wildcards.
const GLOBS: &[&str] = &["*", "?", "a*", "*.key", "[a-c]", "*.{key,conf}", "id_*", "?b", "[!a]*", "*s*", "{sh,cat}", "a-name*", "*t*a*"];
const EXTENSIONS: &[&str] = &["key", "d", "gz", "conf", "[a-k]ey", "{key,gz}"];
const COMMS: &[&str] = &["sh", "cat", "kworker/0:1", "a b", "fifteen-bytes-x", "eight-by", "sh2", "c"];
const COMM_GLOBS: &[&str] = &["s*", "?at", "k*/*", "*", "fifteen*", "[a-e]*", "*x"];

/// Types of file systems, as long as words of the automaton and a little longer.
const FILE_SYSTEMS: &[&str] =
    &["tmpfs", "overlay", "fuse", "binfmt_misc", "exactly8", "a-16-byte-system", "a-name-of-31-bytes-as-kernels-v"];

/// A type of file system.
pub(super) fn file_system(random: &mut Random) -> &'static str {
    random.word(FILE_SYSTEMS)
}

/// A path without wildcards.
pub(super) fn path(random: &mut Random, deepest: usize) -> String {
    let depth = random.below(deepest + 1);
    if depth == 0 && random.chance(70) {
        return format!("/{}", random.word(NAMES));
    }
    (0..depth).map(|_| format!("/{}", random.word(NAMES))).collect::<String>().replace("//", "/").max("/".to_owned())
}

/// A pattern of paths.
pub(super) fn pattern(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..1 + random.below(4) {
        text.push('/');
        match random.below(10) {
            0..6 => text.push_str(random.word(NAMES)),
            6..9 => text.push_str(random.word(GLOBS)),
            _ => text.push_str("**"),
        }
    }
    if random.chance(25) && !text.ends_with("**") {
        text.push_str("/**");
    }
    text.replace("**/**", "**")
}

/// A pattern of one name.
pub(super) fn name(random: &mut Random) -> String {
    if random.chance(50) { random.word(NAMES).to_owned() } else { random.word(GLOBS).to_owned() }
}

/// A name without wildcards.
pub(super) fn plain_name(random: &mut Random) -> String {
    random.word(NAMES).to_owned()
}

/// A pattern of an extension.
pub(super) fn extension(random: &mut Random) -> String {
    random.word(EXTENSIONS).to_owned()
}

/// A task name, or a pattern of one.
pub(super) fn comm(random: &mut Random, globs: bool) -> String {
    if globs && random.chance(50) { random.word(COMM_GLOBS).to_owned() } else { random.word(COMMS).to_owned() }
}

/// A task name that a pattern matches or nearly matches.
pub(super) fn some_comm(random: &mut Random, hints: &[String]) -> String {
    let mut text = if hints.is_empty() || random.chance(30) { comm(random, false) } else { expand(random, &random.clone().pick(hints)) };
    if random.chance(15) {
        text.push('x');
    }
    while text.len() > 15 {
        text.pop();
    }
    text
}

/// A path that a pattern matches or nearly matches.
pub(super) fn near(random: &mut Random, hints: &[String]) -> String {
    if hints.is_empty() || random.chance(12) {
        let deepest = if random.chance(10) { 26 } else { 4 };
        return path(random, deepest);
    }
    let hint = random.pick(hints);
    let text = expand(random, &hint);
    let text = if random.chance(30) { mutate(random, &text) } else { text };
    normal(&text)
}

/// Absolute and normalised, with names of at most 255 bytes.
fn normal(text: &str) -> String {
    let names = text.split('/').filter(|n| !n.is_empty() && *n != "." && *n != ".." && n.len() <= 255);
    let path: String = names.map(|n| format!("/{n}")).collect();
    if path.is_empty() { "/".to_owned() } else { path }
}

fn mutate(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = random.below(chars.len());
    match random.below(7) {
        0 if at < chars.len() => drop(chars.remove(at)),
        1 => chars.insert(at, 'a'),
        2 => chars.insert(at, '/'),
        3 => chars.push('x'),
        4 => return format!("{text}/{}", random.word(NAMES)),
        5 => return text.rsplit_once('/').map_or("/", |(folder, _)| folder).to_owned(),
        _ => return format!("/{}{text}", random.word(NAMES)),
    }
    chars.into_iter().collect()
}

/// Some text for a pattern: wildcards are filled in, escapes are not known.
fn expand(random: &mut Random, pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = after;
        match c {
            '*' if after.starts_with('*') => {
                rest = after.get(1..).unwrap_or_default();
                let names: Vec<&str> = (0..random.below(4)).map(|_| random.word(NAMES)).collect();
                out.push_str(&names.join("/"));
            }
            '*' => (0..random.below(4)).for_each(|_| out.push(char_of(random))),
            '?' => out.push(char_of(random)),
            '[' => {
                let (class, end) = after.split_once(']').unwrap_or((after, ""));
                rest = end;
                let other = class.starts_with('!');
                out.push(if other { char_of(random) } else { class.chars().next().unwrap_or('a') });
            }
            '{' => {
                let (words, end) = after.split_once('}').unwrap_or((after, ""));
                rest = end;
                let words: Vec<&str> = words.split(',').collect();
                out.push_str(random.word(&words));
            }
            c => out.push(c),
        }
    }
    out
}

fn char_of(random: &mut Random) -> char {
    "abcskt.-_1é".chars().nth(random.below(11)).unwrap_or('a')
}
