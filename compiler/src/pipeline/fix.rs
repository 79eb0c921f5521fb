//! Applies fixes of findings. Takes a package and which fixes are wanted; gives its sources with the fixes made, round after
//! round until there is nothing more to fix. A fix that makes things worse is not kept. Never writes a file.

use super::{Checked, Input, check, run_tests, test_failures};
use crate::diag::{Applicability, Finding, Fix, Level, replaced};
use crate::source::{FileId, Place, Sources, Span};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// How often fixes are made of what is found after fixes were made.
const MAX_ROUNDS: usize = 10;

/// A package after its fixes.
#[derive(Debug)]
pub struct Fixed {
    /// The package as it is now.
    pub input: Input,
    /// What the check says of it.
    pub checked: Checked,
    /// How many fixes were made.
    pub count: usize,
}

/// The replacements of a fix, each with its place in the package's own files.
type Edits = Vec<(Place, String)>;

/// By which a fix is known again: code and message of its finding, and what it does.
type Name = (&'static str, String, String);

/// A fix that could be made.
struct Candidate {
    edits: Edits,
    name: Name,
    /// The finding that it answers is an error.
    error: bool,
}

/// Makes the fixes that are safe, and with `guesses` those that may change the meaning.
#[must_use]
pub fn fix(input: Input, guesses: bool) -> Fixed {
    let mut fixed = Fixed { checked: examine(input.clone()), input, count: 0 };
    let mut refused = FxHashSet::default();
    for _ in 0..MAX_ROUNDS {
        let wanted = candidates(&fixed, guesses, &refused);
        if wanted.is_empty() || fixed.make(wanted, &mut refused).is_empty() {
            break;
        }
    }
    fixed
}

/// Checks a package and runs its unit tests.
fn examine(input: Input) -> Checked {
    let mut checked = check(input);
    let failures = checked.packages().flat_map(|package| test_failures(package, &run_tests(package))).collect::<Vec<_>>();
    checked.diagnostics.extend(failures);
    checked
}

/// The fixes of a round, in the order of the findings; no two of them touch.
fn candidates(fixed: &Fixed, guesses: bool, refused: &FxHashSet<Name>) -> Vec<Candidate> {
    let mut wanted: Vec<Candidate> = Vec::new();
    let mut taken: BTreeSet<Place> = BTreeSet::new();
    for finding in &fixed.checked.diagnostics {
        let Some(fix) = finding.fixes.iter().find(|fix| is_wanted(fix, guesses)) else { continue };
        let name = (finding.code, finding.message.clone(), fix.title.clone());
        let Some(edits) = edits(fix, fixed).filter(|_| !refused.contains(&name)) else { continue };
        // Those that are taken do not overlap, so only the last that begins in or before a place can touch it.
        let last = |place: Place| Place { file: place.file, span: Span { start: place.span.end, end: u32::MAX } };
        let before = |place: Place| taken.range(..=last(place)).next_back().filter(|other| other.file == place.file);
        if edits.iter().any(|(place, _)| before(*place).is_some_and(|other| place.span.start <= other.span.end)) {
            continue;
        }
        taken.extend(edits.iter().map(|(place, _)| *place));
        wanted.push(Candidate { edits, name, error: finding.level == Level::Error && !is_of_tests(finding) });
    }
    wanted
}

/// Whether a fix may be made.
fn is_wanted(fix: &Fix, guesses: bool) -> bool {
    match fix.applicability {
        Applicability::Safe => true,
        Applicability::Unsafe => guesses,
        Applicability::DisplayOnly => false,
    }
}

/// The replacements of a fix; none if one of them is not in a file of the package.
fn edits(fix: &Fix, fixed: &Fixed) -> Option<Edits> {
    let own = fixed.input.sources.files.len();
    let edits = fix.edits.iter().map(|edit| {
        let place = fixed.checked.sources.place(edit.loc);
        ((place.file.0 as usize) < own).then(|| (place, edit.text.clone()))
    });
    edits.collect()
}

impl Fixed {
    /// Makes fixes together if all is then at least as good as it should be, and otherwise one half after the other. Gives
    /// the replacements that were made together, one list for each time.
    fn make(&mut self, wanted: Vec<Candidate>, refused: &mut FxHashSet<Name>) -> Vec<Edits> {
        let all: Edits = wanted.iter().flat_map(|candidate| candidate.edits.iter().cloned()).collect();
        if self.try_all(&wanted, &all) {
            self.count += wanted.len();
            return vec![all];
        }
        let mut wanted = wanted;
        if wanted.len() < 2 {
            refused.extend(wanted.into_iter().map(|candidate| candidate.name));
            return Vec::new();
        }
        let mut rest = wanted.split_off(wanted.len() / 2);
        let mut made = self.make(wanted, refused);
        for (place, _) in rest.iter_mut().flat_map(|candidate| &mut candidate.edits) {
            made.iter().for_each(|edits| shift(place, edits));
        }
        made.append(&mut self.make(rest, refused));
        made
    }

    /// Makes replacements; takes them back and says no if the result is not what it should be.
    fn try_all(&mut self, wanted: &[Candidate], edits: &Edits) -> bool {
        let errors = wanted.iter().filter(|candidate| candidate.error).count();
        let texts = edits.iter().map(|(place, text)| (*place, text.as_str())).collect();
        let Some(sources) = replaced(&self.input.sources, texts) else { return false };
        let input = Input { sources, ..self.input.clone() };
        let checked = examine(input.clone());
        let (before, after) = (weight(&self.checked), weight(&checked));
        // Of several, each error has to be gone; one alone may leave as many as there were.
        let most = if wanted.len() > 1 { before.errors.saturating_sub(errors) } else { before.errors };
        let good = after.errors <= most && after.syntax <= before.syntax;
        if good {
            (self.input, self.checked) = (input, checked);
        }
        good
    }
}

/// Where a place is after replacements that do not touch it.
fn shift(place: &mut Place, edits: &Edits) {
    let before = edits.iter().filter(|(other, _)| other.file == place.file && other.span.start < place.span.start);
    let (added, removed) =
        before.fold((0, 0), |(added, removed), (other, text)| (added + text.len() as u32, removed + (other.span.end - other.span.start)));
    place.span.start = place.span.start + added - removed;
    place.span.end = place.span.end + added - removed;
}

/// How bad findings are together.
struct Weight {
    errors: usize,
    /// Errors of the syntax, which hide others.
    syntax: usize,
}

fn weight(checked: &Checked) -> Weight {
    // Tests are run only if there is no other error: what they say is no step back.
    let errors = || checked.diagnostics.iter().filter(|finding| finding.level == Level::Error && !is_of_tests(finding));
    Weight { errors: errors().count() + checked.left_out, syntax: errors().filter(|finding| is_syntax(finding)).count() }
}

fn is_of_tests(finding: &Finding) -> bool {
    finding.code.starts_with("E06")
}

fn is_syntax(finding: &Finding) -> bool {
    finding.code.starts_with("E01")
}

/// The files of two states of a package that differ, with both texts.
#[must_use]
pub fn changes<'s>(before: &'s Sources, after: &'s Sources) -> Vec<(FileId, &'s str, &'s str)> {
    let pairs = before.files.iter().zip(&after.files).enumerate();
    let differ = pairs.filter(|(_, (before, after))| before.text != after.text);
    differ.map(|(index, (before, after))| (FileId(index as u32), &*before.text, &*after.text)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn package(texts: &[&str]) -> Input {
        let mut sources = Sources::default();
        for (index, text) in texts.iter().enumerate() {
            sources.add(format!("{index}.ebsec"), *text);
        }
        Input { sources, ..Input::default() }
    }

    const LISTS: &str = "let tools: set<path> = [\"/a\"]\nlet servers: set<path> = [\"/b\"]\n";

    #[test]
    fn several_fixes_in_several_files_are_made_together() {
        let rule = |label, set| format!("policy {label} {{\n    a: deny exec when file.path in {set}\n}}\n");
        let fixed = fix(package(&[LISTS, &rule("p", "tolos"), &rule("q", "server")]), true);
        assert_eq!(fixed.count, 2);
        assert!(fixed.checked.package.is_some());
        assert_eq!(*fixed.input.sources.files[1].text, rule("p", "tools"));
        assert_eq!(*fixed.input.sources.files[2].text, rule("q", "servers"));
    }

    #[test]
    fn what_was_found_only_after_a_fix_is_fixed_too() {
        let text = "policy p {\n    a: deny exec when file.pathh in tolos\n}\n";
        let fixed = fix(package(&[LISTS, text]), true);
        assert!(fixed.checked.package.is_some(), "{:?}", fixed.checked.diagnostics);
        let twice = fix(fixed.input.clone(), true);
        assert_eq!((twice.count, &twice.input.sources.files[1].text), (0, &fixed.input.sources.files[1].text));
    }

    #[test]
    fn a_fix_that_makes_it_worse_is_not_kept_and_the_others_are() {
        let text = "let abc: set<path> = [\"/a\"]\npolicy p {\n    a: deny exec when file.path in abd\n}\n";
        let mut fixed = Fixed { checked: check(package(&[text])), input: package(&[text]), count: 0 };
        assert_eq!(weight(&fixed.checked).errors, 1);
        let place = |from: &str| {
            let start = text.find(from).unwrap() as u32;
            Place { file: FileId(0), span: Span { start, end: start + from.len() as u32 } }
        };
        let candidate = |from: &str, to: &str, error| Candidate {
            edits: vec![(place(from), to.to_owned())],
            name: ("E0000", from.to_owned(), String::new()),
            error,
        };
        let mut refused = FxHashSet::default();
        let wanted =
            vec![candidate("set<path>", "set<no_such_type>", false), candidate("deny exec", "deny (", true), candidate("abd", "abc", true)];
        let made = fixed.make(wanted, &mut refused);
        assert_eq!((fixed.count, made.len(), refused.len()), (1, 1, 2));
        assert!(fixed.checked.package.is_some() && fixed.input.sources.files[0].text.contains("in abc"));
    }

    #[test]
    fn places_move_with_what_is_replaced_before_them() {
        let place = |start, end| Place { file: FileId(0), span: Span { start, end } };
        let mut after = place(10, 12);
        shift(&mut after, &vec![(place(0, 2), "longer".to_owned()), (place(5, 5), "-".to_owned()), (place(20, 21), String::new())]);
        assert_eq!(after, place(15, 17));
    }
}
