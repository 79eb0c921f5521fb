//! Fingerprints, by which a finding is known again after lines around it came and went: of its code, the path in its
//! package, the policy and the rule (or the other item) that it is in, and the words at its place without blanks and
//! comments. Neither the line nor the message counts. Of findings that are equal in all this the n-th has the number n.

use super::Finding;
use crate::source::{FileId, Place, Sources};
use ebsec_grammar::{Piece, Within, pieces, tokens};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

/// Most bytes at a place that count.
const MAX_WORDS: usize = 4096;
/// Bytes of the digest that are kept: more than enough for no two to meet.
const LENGTH: usize = 16;

/// Makes fingerprints, and numbers equal ones in the order in which it is asked.
#[derive(Clone, Debug, Default)]
pub struct Fingerprints {
    seen: FxHashMap<String, u32>,
    /// The parts of the files that were needed, by the index of the package.
    parts: FxHashMap<(usize, FileId), Vec<Piece>>,
}

impl Fingerprints {
    /// The fingerprint of a finding, `HEX:NUMBER`. `root` is how the paths of the sources begin that do not belong to it.
    pub fn of(&mut self, package: usize, finding: &Finding, sources: &Sources, root: &str) -> String {
        let place = sources.place(finding.primary.loc);
        let path = sources.get(place.file).map_or("", |file| file.path.as_str());
        let path = path.strip_prefix(root).unwrap_or(path);
        let name = self.name(package, place, sources);
        let words = words(sources.slice(finding.primary.loc));
        let mut digest = Sha256::new();
        for text in [finding.code, path, &name, &words] {
            // Which text a byte belongs to counts too.
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        }
        let hex: String = digest.finalize().iter().take(LENGTH).map(|byte| format!("{byte:02x}")).collect();
        let number = self.seen.entry(hex.clone()).or_default();
        *number += 1;
        format!("{hex}:{number}")
    }

    /// `policy.rule`, or the names that there are.
    fn name(&mut self, package: usize, place: Place, sources: &Sources) -> String {
        let Some(file) = sources.get(place.file).filter(|file| !file.path.ends_with(".toml")) else { return String::new() };
        let parts = self.parts.entry((package, place.file)).or_insert_with(|| pieces(&file.text));
        let here = parts.partition_point(|part| part.span.start <= place.span.start).saturating_sub(1);
        let named = |part: &Piece| {
            let name = part.name?;
            file.text.get((part.span.start + name.start) as usize..(part.span.start + name.end) as usize)
        };
        let Some(part) = parts.get(here) else { return String::new() };
        let own = named(part).unwrap_or_default();
        if part.within == Within::File {
            return own.to_owned();
        }
        let head = parts.iter().take(here).rev().find(|part| part.head);
        format!("{}.{own}", head.and_then(named).unwrap_or_default())
    }
}

/// The words of a text, one blank between two.
fn words(text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(MAX_WORDS)).unwrap_or_default();
    let mut out = String::new();
    for token in tokens(text).filter(|token| !token.kind.is_trivia()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::{Loc, Span};

    /// The fingerprints of the n-th places of words in a file.
    fn of(path: &str, text: &str, places: &[(&str, usize)]) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add(path, text);
        let mut all = Fingerprints::default();
        let finding = |(word, nth): &(&str, usize)| {
            let start = text.match_indices(word).nth(*nth).unwrap().0 as u32;
            Finding::error("E0204", Loc::new(file, Span { start, end: start + word.len() as u32 }), "m")
        };
        places.iter().map(|place| all.of(0, &finding(place), &sources, "sub/")).collect()
    }

    const POLICY: &str = "policy p {\n    a: deny exec when x == [1, 2]\n    b: deny exec when x == [1, 2] and x\n}\n";

    #[test]
    fn lines_blanks_and_comments_do_not_count() {
        let before = of("a.ebsec", POLICY, &[("[1, 2]", 0)]);
        let moved = format!("// a remark\nlet x = 1\n\n{}", POLICY.replacen("[1, 2]", "[1, // one\n 2]", 1));
        assert_eq!(before, of("a.ebsec", &moved, &[("[1, // one\n 2]", 0)]));
        assert_eq!(before, of("sub/a.ebsec", POLICY, &[("[1, 2]", 0)]), "from another folder");
    }

    #[test]
    fn rules_paths_and_words_count_and_equals_are_numbered() {
        let all = of("a.ebsec", POLICY, &[("[1, 2]", 0), ("[1, 2]", 1), (" x", 1), (" x", 2), ("exec", 0)]);
        let number = |text: &String| text.split(':').nth(1).map(str::to_owned);
        assert_eq!(all.iter().map(|f| number(f).unwrap()).collect::<Vec<_>>(), ["1", "1", "1", "2", "1"]);
        let mut unique = all.clone();
        unique.extend(of("b.ebsec", POLICY, &[("[1, 2]", 0)]));
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), 6);
        // The two of `x` differ by their number alone.
        assert_eq!(all.get(2).unwrap().split(':').next(), all.get(3).unwrap().split(':').next());
    }
}
