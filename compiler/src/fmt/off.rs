//! Pass: `// fmt: off` and `// fmt: on`. Takes the units of a file and their atoms; what stands between the two comments
//! becomes one unit of one atom, its bytes as they are. Without `on`, `off` reaches to the end of the policy or test that it
//! stands in, or of the file. An item, member or line of a test is kept whole or not at all.

use super::atoms::{Atom, Comment};
use super::units::UnitKind;
use ebsec_grammar::TokenKind;
use std::ops::Range;

const OFF: &str = "// fmt: off";
const ON: &str = "// fmt: on";

/// Gives the kinds and atoms with the kept bytes in place of what they hold.
pub(super) fn keep<'t>(text: &'t str, kinds: Vec<UnitKind>, atoms: Vec<Atom<'t>>) -> (Vec<UnitKind>, Vec<Atom<'t>>) {
    let mut units: Vec<(UnitKind, Vec<Atom<'t>>)> = kinds.into_iter().map(|kind| (kind, Vec::new())).collect();
    for atom in atoms {
        if let Some((_, own)) = units.get_mut(atom.unit) {
            own.push(atom);
        }
    }
    let regions = regions(text, &units);
    let (mut kinds, mut all) = (Vec::new(), Vec::new());
    let mut push = |kind: UnitKind, atoms: Vec<Atom<'t>>| {
        all.extend(atoms.into_iter().map(|atom| Atom { unit: kinds.len(), ..atom }));
        kinds.push(kind);
    };
    let (mut at, mut done) = (0, 0);
    while let Some((kind, own)) = units.get_mut(at) {
        let (kind, end) = (*kind, own.last().map_or(0, Atom::last));
        if let Some(first) = own.first_mut() {
            first.lead.retain(|comment| comment.start >= done);
        }
        let region = regions.iter().find(|region| (done..end).contains(&region.start));
        if let (Some(region), Some(first)) = (region, own.first_mut()) {
            let (start, lead, blank) = before(region, first);
            let inner = kind.is_inner() || kind == UnitKind::Close && region.start < first.start;
            (done, at) = reach(region, &regions, &units, at);
            let bytes = whole_lines(text.get(start..done).unwrap_or_default());
            push(UnitKind::Verbatim { inner }, vec![Atom { lead, blank, line: true, ..Atom::new(bytes, TokenKind::Word, start) }]);
        } else {
            push(kind, std::mem::take(own));
            at += 1;
        }
    }
    (kinds, all)
}

/// Where the kept bytes begin, the comments before them, and whether an empty line parts the two.
fn before<'t>(region: &Range<usize>, first: &mut Atom<'t>) -> (usize, Vec<Comment<'t>>, bool) {
    let start = region.start.min(first.start);
    let count = first.lead.iter().take_while(|comment| comment.start < start).count();
    let rest = first.lead.split_off(count);
    let blank = rest.first().map_or(first.blank, |comment| comment.blank);
    (start, std::mem::replace(&mut first.lead, rest), blank)
}

/// Where the kept bytes end, and the first unit behind them: units that begin in them belong to them.
fn reach(region: &Range<usize>, regions: &[Range<usize>], units: &[(UnitKind, Vec<Atom<'_>>)], mut at: usize) -> (usize, usize) {
    let mut end = region.end;
    loop {
        let further = regions.iter().filter(|other| (region.start..end).contains(&other.start)).map(|other| other.end);
        end = further.fold(end, usize::max);
        match units.get(at) {
            Some((_, own)) if own.first().is_some_and(|first| first.start < end) => {
                end = end.max(own.last().map_or(0, Atom::last));
                at += 1;
            }
            _ => return (end, at),
        }
    }
}

/// The bytes without the empty lines at their end.
fn whole_lines(bytes: &str) -> &str {
    let last = bytes.trim_end().len();
    let rest = bytes.get(last..).unwrap_or_default();
    let end = rest.find(['\r', '\n']).map_or(bytes.len(), |at| last + at);
    bytes.get(..end).unwrap_or(bytes)
}

/// From each `off` to its `on`, or to where it ends by itself.
fn regions(text: &str, units: &[(UnitKind, Vec<Atom<'_>>)]) -> Vec<Range<usize>> {
    let mut regions: Vec<Range<usize>> = Vec::new();
    let atoms = units.iter().flat_map(|(_, atoms)| atoms);
    for comment in atoms.flat_map(|atom| atom.lead.iter().chain(&atom.trail)) {
        let open = regions.last_mut().filter(|last| last.end > comment.start);
        match (comment.text, open) {
            (OFF, None) => regions.push(comment.start..text.len()),
            (ON, Some(region)) => region.end = comment.start,
            _ => continue,
        }
        if comment.text == OFF
            && let Some(region) = regions.last_mut()
        {
            region.end = block_end(region.start, units).unwrap_or(region.end);
        }
    }
    regions
}

/// Where the block that a place stands in is closed.
fn block_end(place: usize, units: &[(UnitKind, Vec<Atom<'_>>)]) -> Option<usize> {
    let starts = units.iter().filter_map(|(kind, atoms)| Some((*kind, atoms.first()?.start)));
    let mut inside = false;
    for (kind, start) in starts {
        match kind {
            UnitKind::Head => inside = start < place,
            UnitKind::Close if inside && start > place => return Some(start),
            UnitKind::Close => inside = false,
            _ => {}
        }
    }
    None
}
