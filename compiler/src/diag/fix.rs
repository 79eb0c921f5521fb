//! Changes of the sources that answer a finding: what they are, and the sources with one of them made. Decides nothing
//! about whether a change is wanted.

use crate::source::{Loc, Place, Sources};

/// Whether a fix may be made without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applicability {
    /// The policy then says what its author certainly meant.
    Safe,
    /// A good guess that may change the meaning: made only on request.
    Unsafe,
    /// An example of the way out that has to be completed by hand: never made.
    DisplayOnly,
}

impl Applicability {
    /// `safe`, `unsafe`, `display`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
            Self::DisplayOnly => "display",
        }
    }
}

/// One replacement. An empty place inserts, an empty text deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub loc: Loc,
    /// By what.
    pub text: String,
}

/// A change of one or more places, in one or more files, that belong together: all are made or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, a lowercase phrase.
    pub title: String,
    /// The replacements, in any order; they do not overlap.
    pub edits: Vec<Edit>,
    /// Whether it may be made without asking.
    pub applicability: Applicability,
}

impl Fix {
    /// The sources with the change made, without parts; `None` if a place is not in them or two places overlap.
    #[must_use]
    pub fn apply(&self, sources: &Sources) -> Option<Sources> {
        let edits: Vec<(Place, &str)> = self.edits.iter().map(|edit| (sources.place(edit.loc), edit.text.as_str())).collect();
        replaced(sources, edits)
    }
}

/// The sources with replacements made, in whatever order they are given, and without parts; `None` if a place is not in them
/// or two places overlap.
#[must_use]
pub(crate) fn replaced(sources: &Sources, mut edits: Vec<(Place, &str)>) -> Option<Sources> {
    let mut changed = sources.clone();
    changed.clear_parts();
    edits.sort_by_key(|(place, _)| *place);
    for edits in edits.chunk_by(|(a, _), (b, _)| a.file == b.file) {
        let file = edits.first().and_then(|(place, _)| changed.files.get_mut(place.file.0 as usize))?;
        file.text = rewritten(&file.text, edits)?.into();
    }
    Some(changed)
}

/// A text with replacements made, which are in the order of their places.
fn rewritten(text: &str, edits: &[(Place, &str)]) -> Option<String> {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for (place, new) in edits {
        // Nothing is between two places that overlap.
        out.push_str(text.get(at..place.span.start as usize)?);
        text.get(place.span.start as usize..place.span.end as usize)?;
        out.push_str(new);
        at = place.span.end as usize;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::source::{FileId, Span};

    fn edit(file: u32, start: u32, end: u32, text: &str) -> Edit {
        Edit { loc: Loc::new(FileId(file), Span { start, end }), text: text.to_owned() }
    }

    fn applied(edits: Vec<Edit>) -> Option<Vec<String>> {
        let mut sources = Sources::default();
        sources.add("a.ebsec", "let é = 1");
        sources.add("b.ebsec", "abc");
        let fix = Fix { title: "change".to_owned(), edits, applicability: Applicability::Safe };
        Some(fix.apply(&sources)?.files.into_iter().map(|f| f.text.to_string()).collect())
    }

    #[test]
    fn several_places_in_several_files_change_together() {
        let edits = vec![edit(0, 9, 10, "2"), edit(1, 1, 1, "-"), edit(0, 4, 6, "longer"), edit(1, 2, 3, "")];
        assert_eq!(applied(edits), Some(vec!["let longer = 2".to_owned(), "a-b".to_owned()]));
    }

    #[test]
    fn what_cannot_be_applied_changes_nothing() {
        for edits in [
            vec![edit(0, 0, 5, "x"), edit(0, 3, 4, "y")],
            vec![edit(1, 0, 9, "x")],
            vec![edit(0, 5, 6, "in the middle of a character")],
            vec![edit(7, 0, 0, "x")],
        ] {
            assert_eq!(applied(edits), None);
        }
    }
}
