//! What `ebsec fmt --check` finds: a file that is not in the one layout. Takes the text as it is and as it should be.

use crate::diag::{Finding, codes};
use crate::source::{FileId, Loc, Span};

/// The finding, at the first line that changes, with the lines from there to the last one that does as its fix. Call it for
/// texts that differ.
#[must_use]
pub fn unformatted(file: FileId, before: &str, after: &str) -> Finding {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let first = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - first;
    let last = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let bytes = |lines: &[&str], count: usize| lines.iter().take(count).map(|line| line.len()).sum::<usize>();
    let (start, end) = (bytes(&old, first), bytes(&old, old.len() - last));
    let text: String = new.iter().take(new.len() - last).skip(first).copied().collect();
    let loc = |end: usize| Loc::new(file, Span { start: start as u32, end: end as u32 });
    // The end of a line is none of what is shown.
    let line = old.get(first).map_or(0, |line| line.trim_end().len());
    Finding::error(codes::NOT_FORMATTED, loc(start + line), "the file is not in the one layout from here on")
        .help("`ebsec fmt` writes it so")
        .fix("write these lines in the one layout", loc(end), text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::Sources;

    #[test]
    fn the_fix_gives_the_layout() {
        let text = "policy p {\n    a: deny exec\n}\n";
        for before in [
            "policy p{\n    a: deny exec\n}\n",
            "policy p {\n    a:   deny exec\n}\n",
            "policy p {\n    a: deny exec }",
            "\n\npolicy p {\n    a: deny exec\n}\n",
            "policy p {\n    a: deny exec\n}\n\n\n",
            "",
        ] {
            let mut sources = Sources::default();
            let file = sources.add("a.ebsec", before);
            let finding = unformatted(file, before, text);
            let fixed = finding.fixes.first().unwrap().apply(&sources).unwrap();
            assert_eq!(*fixed.files.first().unwrap().text, *text, "{before:?}");
        }
    }
}
