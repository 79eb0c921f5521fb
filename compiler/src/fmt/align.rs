//! Pass: columns. Takes units and atoms; within lines that follow each other without an empty line, a comment or another
//! kind of line between them, the `=` of properties and processes, the actions of rules and the `=>` of tests stand below
//! each other. Writes how many blanks more stand before which atom.

use super::nodes::Atoms;
use super::roles::Role;
use super::units::{Unit, UnitKind};
use super::{STEP, WIDTH};

/// The last column that `=>` is moved to: what stands further right is not followed.
const FARTHEST: usize = 60;

/// Aligns all groups of a file.
pub(super) fn align(units: &mut [Unit], atoms: &mut Atoms<'_>) {
    let mut rest = units;
    while let Some(kind) = rest.first().map(|unit| unit.kind) {
        let joins = |unit: &Unit| unit.kind == kind && unit.docs == 0 && is_next_line(unit, atoms);
        let count = 1 + rest.iter().skip(1).take_while(|unit| joins(unit)).count();
        let (group, others) = rest.split_at_mut(count);
        match kind {
            UnitKind::Property => equals(group, atoms, 1),
            UnitKind::Process => equals(group, atoms, 2),
            UnitKind::Rule => rules(group, atoms),
            UnitKind::Step => verdicts(group, atoms),
            _ => {}
        }
        rest = others;
    }
}

fn is_next_line(unit: &Unit, atoms: &Atoms<'_>) -> bool {
    let first = atoms.get(unit.atoms.start);
    first.lead.is_empty() && !first.blank
}

/// Columns of an atom.
fn columns(atoms: &Atoms<'_>, index: usize) -> usize {
    atoms.get(index).text.chars().count()
}

/// Moves an atom to the right.
fn pad(atoms: &mut Atoms<'_>, index: usize, blanks: usize) {
    if let Some(pad) = atoms.pad.get_mut(index) {
        *pad = blanks;
    }
}

/// The `=` of lines that begin with so many words, of which the last may be of any length.
fn equals(group: &[Unit], atoms: &mut Atoms<'_>, words: usize) {
    let name = |unit: &Unit| unit.code().start + words - 1;
    let widest = group.iter().map(|unit| columns(atoms, name(unit))).max().unwrap_or_default();
    for unit in group {
        let blanks = widest - columns(atoms, name(unit));
        pad(atoms, name(unit) + 1, blanks);
    }
}

/// The actions of rules that fit one line. A rule that no longer fits behind the blanks is broken; the others close up.
fn rules(group: &mut [Unit], atoms: &mut Atoms<'_>) {
    let room = WIDTH - STEP;
    let widths: Vec<Option<usize>> = group.iter().map(|unit| atoms.width(&atoms.nodes(unit.code()), room)).collect();
    let label = |unit: &Unit, atoms: &Atoms<'_>| columns(atoms, unit.code().start);
    for (run, widths) in runs(&widths) {
        let Some(units) = group.get_mut(run) else { continue };
        let widest = units.iter().map(|unit| label(unit, atoms)).max().unwrap_or_default();
        for (unit, width) in units.iter_mut().zip(widths) {
            unit.broken = width.is_none_or(|width| width + widest - label(unit, atoms) > room);
        }
        let kept: Vec<Option<usize>> = units.iter().map(|unit| (!unit.broken).then(|| label(unit, atoms))).collect();
        for (run, labels) in runs(&kept) {
            let widest = labels.iter().flatten().max().copied().unwrap_or_default();
            for unit in units.get(run).unwrap_or_default() {
                // Label, colon, action.
                pad(atoms, unit.code().start + 2, widest - label(unit, atoms));
            }
        }
    }
}

/// Where values follow each other without a gap.
fn runs(all: &[Option<usize>]) -> Vec<(std::ops::Range<usize>, &[Option<usize>])> {
    let mut runs = Vec::new();
    let mut at = 0;
    for run in all.chunk_by(|a, b| a.is_some() == b.is_some()) {
        if run.iter().any(Option::is_some) {
            runs.push((at..at + run.len(), run));
        }
        at += run.len();
    }
    runs
}

/// The `=>` of operations. Those that are too long for the others to follow keep theirs where it is.
fn verdicts(group: &[Unit], atoms: &mut Atoms<'_>) {
    let measured = |unit: &Unit| {
        let arrow = unit.code().find(|atom| atoms.role(*atom) == Role::Arrow)?;
        let operation = STEP + atoms.width(&atoms.nodes(unit.code().start..arrow), WIDTH)?;
        let verdict = atoms.width(&atoms.nodes(arrow..unit.code().end), WIDTH)?;
        let commented = atoms.get(arrow.checked_sub(1)?).trail.is_some() || !atoms.get(arrow).lead.is_empty();
        (!commented && operation <= FARTHEST).then_some((operation, verdict, arrow))
    };
    let mut lines: Vec<(usize, usize, usize)> = group.iter().filter_map(measured).collect();
    lines.sort_unstable();
    let (mut column, mut widest) = (0, 0);
    for (operation, verdict, _) in &lines {
        widest = widest.max(*verdict);
        if operation + 1 + widest > WIDTH {
            break;
        }
        column = *operation;
    }
    for (operation, _, arrow) in lines.into_iter().filter(|(operation, ..)| *operation <= column) {
        pad(atoms, arrow, column - operation);
    }
}
