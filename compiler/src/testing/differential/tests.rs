#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! The judges agree; and where a fault is planted in what was built, they soon do not.

use super::*;
use crate::bpf::Insn;
use crate::bpf::asm::FuncKind;
use crate::{artifact, codegen};

/// Enough for each kind of fault to be found.
const WITHIN: usize = 8000;

#[test]
fn the_interpreter_and_the_programs_agree() {
    let options = Options { seed: 1, pairs: 9000, operations: 60, most: 3 };
    let found = run(&options, None).unwrap();
    println!("{}{} pairs of {} policies", found.coverage(), found.pairs, found.policies);
    assert!(found.disagreements.is_empty(), "{}", found.disagreements.iter().map(|d| format!("{d}\n")).collect::<String>());
    assert!(found.refused_texts.is_empty(), "{}", found.refused_texts[0]);
    assert_eq!(found.over_budget, 0);
    for (event, tally) in &found.events {
        assert!(tally.raised > 30, "`{event}` is raised {} times only", tally.raised);
    }
    assert_eq!(found.events.len(), catalog().events.len(), "every event is raised");
}

/// Plants a fault in every policy until the judges differ.
fn soon_found(name: &str, change: Change<'_>) {
    let options = Options { seed: 7000, pairs: WITHIN, operations: 40, most: 1 };
    let found = run(&options, Some(change)).unwrap();
    println!("{name}: found after {} pairs", found.pairs);
    assert_eq!(found.disagreements.len(), 1, "{name}: not found in {} pairs", found.pairs);
}

/// The same policy with other tables.
fn rebuilt(package: &Package, sources: &Sources, mut built: Built) -> Option<Built> {
    built.code = codegen::generate(package, &built.plan, catalog(), sources).ok()?;
    built.artifact = artifact::write(package, &built.plan, &built.code, catalog(), sources, ebsec_artifact::Tests::default()).ok()?;
    Some(built)
}

#[test]
fn two_classes_taken_for_one_are_found() {
    const INFO: u64 = 0x8000_0000;
    soon_found("a class of paths merged with another", &|package, sources, mut built, random| {
        let classes = built.plan.paths.class_sets.len();
        let (one, other) = (2 + random.below(classes.checked_sub(2)?) as u64, random.below(classes) as u64);
        if one == other || other == 1 {
            return None;
        }
        for word in &mut built.plan.paths.bytes {
            if *word & INFO != 0 && (*word & 0x7fff_ffff) >> 2 == one {
                *word = *word & !0x7fff_fffc | other << 2;
            }
        }
        rebuilt(package, sources, built)
    });
}

#[test]
fn a_wrong_entry_of_a_table_is_found() {
    soon_found("one entry of a table changed", &|package, sources, mut built, random| {
        let chains = built.plan.chains.len();
        let chain = built.plan.chains.get_mut(random.below(chains))?;
        let layer = random.below(chain.layers.len());
        let states = chain.layers.get(layer + 1).map_or(chain.finals.len(), |l| l.states as usize);
        let layer = chain.layers.get_mut(layer)?;
        // Not the rows of the dead state and of the canary's.
        let first = 2 * layer.ncols as usize;
        let entry = layer.table.get_mut(first..)?;
        let at = random.below(entry.len());
        let entry = entry.get_mut(at)?;
        *entry = (*entry + 1) % states as u32;
        rebuilt(package, sources, built)
    });
}

#[test]
fn a_value_in_a_wrong_column_is_found() {
    soon_found("one value in another column", &|package, sources, mut built, random| {
        let layers: Vec<_> =
            built.plan.chains.iter_mut().flat_map(|c| &mut c.layers).filter(|l| l.columns.is_some() && l.ncols > 1).collect();
        let chosen = random.below(layers.len());
        let layer = layers.into_iter().nth(chosen)?;
        let (ncols, columns) = (layer.ncols, layer.columns.as_mut()?);
        let at = random.below(columns.len());
        let column = columns.get_mut(at)?;
        *column = (*column + 1) % ncols;
        rebuilt(package, sources, built)
    });
}

#[test]
fn an_outcome_that_does_something_else_is_found() {
    soon_found("an outcome allows", &|package, sources, mut built, random| {
        let refusing: Vec<_> = built.plan.outcomes.iter_mut().filter(|o| o.errno.is_some()).collect();
        let chosen = random.below(refusing.len());
        refusing.into_iter().nth(chosen)?.errno = None;
        rebuilt(package, sources, built)
    });
}

/// Changes one instruction of the functions that a test names: the chosen of those that it would change.
fn instruction(
    built: &mut Built,
    random: &mut Random,
    func: &dyn Fn(&str, &FuncKind) -> bool,
    change: &dyn Fn(&mut Insn) -> bool,
) -> Option<()> {
    let funcs = built.code.unit.funcs.iter_mut().filter(|f| func(&f.name, &f.kind));
    let mut places: Vec<&mut Insn> = funcs.flat_map(|f| &mut f.insns).filter(|i| change(&mut (**i).clone())).collect();
    let chosen = random.below(places.len());
    change(places.get_mut(chosen)?);
    Some(())
}

/// The same policy with other instructions.
fn rewritten(package: &Package, sources: &Sources, mut built: Built) -> Option<Built> {
    built.artifact = artifact::write(package, &built.plan, &built.code, catalog(), sources, ebsec_artifact::Tests::default()).ok()?;
    Some(built)
}

#[test]
fn a_turned_jump_is_found() {
    let hooks = |_: &str, kind: &FuncKind| matches!(kind, FuncKind::Prog { section } if section.starts_with("lsm/"));
    soon_found("a jump turned round", &|package, sources, mut built, random| {
        // `==` and `!=` with a number
        instruction(&mut built, random, &hooks, &|insn| {
            let jumps = matches!(insn.code, 0x15 | 0x55);
            insn.code ^= 0x40;
            jumps
        })?;
        rewritten(package, sources, built)
    });
}

#[test]
fn a_wrong_shift_is_found() {
    let walks = |name: &str, _: &FuncKind| matches!(name, "step8" | "step_name" | "match_step" | "path_fast" | "act");
    soon_found("a shift by one bit more or less", &|package, sources, mut built, random| {
        instruction(&mut built, random, &walks, &|insn| {
            let shifts = matches!(insn.code, 0x67 | 0x77);
            insn.imm ^= 1;
            shifts
        })?;
        rewritten(package, sources, built)
    });
}
