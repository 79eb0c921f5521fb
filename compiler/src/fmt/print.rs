//! Last pass: units in, the file out. Decides where empty lines stand and how far units are indented; what is in a unit is
//! laid out by `layout`.

use super::STEP;
use super::layout::Layout;
use super::nodes::Atoms;
use super::units::{Unit, UnitKind};

/// Writes the file.
pub(super) fn print(units: &[Unit], atoms: &Atoms<'_>, line_end: &'static str) -> String {
    let mut layout = Layout::new(atoms, line_end);
    let mut before: Option<UnitKind> = None;
    for unit in units {
        let first = atoms.get(unit.atoms.start);
        let empty = before == Some(UnitKind::Head) && unit.kind == UnitKind::Close && first.lead.is_empty();
        if !empty || layout.out.is_ended() {
            layout.out.newline(if unit.kind == UnitKind::Close || unit.kind.is_inner() { STEP } else { 0 });
        }
        if before.is_some_and(|before| before != UnitKind::Head && (first.is_set_off() || is_apart(before, unit))) {
            layout.out.empty_line();
        }
        self::unit(&mut layout, unit);
        before = Some(unit.kind);
    }
    layout.out.finish()
}

/// Whether an empty line stands between a unit and the one before it in any case.
fn is_apart(before: UnitKind, unit: &Unit) -> bool {
    if unit.kind == UnitKind::End || unit.kind == UnitKind::Close || unit.kind.is_inner() || matches!(unit.kind, UnitKind::Verbatim { .. })
    {
        return false;
    }
    let known = !matches!(before, UnitKind::Verbatim { .. });
    unit.docs > 0 || unit.kind == UnitKind::Head || known && before != unit.kind
}

fn unit(layout: &mut Layout<'_, '_>, unit: &Unit) {
    let indent = if unit.kind.is_inner() { STEP } else { 0 };
    for doc in unit.atoms.start..unit.code().start {
        layout.atom(doc);
        layout.out.newline(indent);
    }
    let nodes = layout.atoms.nodes(unit.code());
    match unit.kind {
        UnitKind::Rule | UnitKind::Default | UnitKind::Use => layout.clauses(&nodes, indent, unit.broken),
        UnitKind::Step => layout.step(&nodes, indent),
        UnitKind::Close => {
            // The comments before it are the last lines of the block.
            layout.leads(unit.atoms.start);
            if layout.out.is_fresh() {
                layout.out.newline(0);
            }
            layout.put(unit.atoms.start);
        }
        _ => layout.phrase(&nodes, indent, 0),
    }
}
