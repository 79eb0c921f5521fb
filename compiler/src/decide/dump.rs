//! Text of classes and plans for `--emit classes` and `--emit maps`. Deterministic; not meant to be read back.

use super::{Chain, Flag, Layer, Outcome, Plan, Source};
use crate::classes::numbers::{ABSENT, FAILED};
use crate::hir::glob::Pattern;
use crate::hir::{Package, PathLang, Space};
use ebsec_templates::{Catalog, catalog};
use std::fmt::Write;
use std::net::Ipv6Addr;

/// Path sets and classes of all fields.
pub fn classes(package: &Package, plan: &Plan) -> String {
    let mut out = String::new();
    for (index, set) in package.path_sets.iter().enumerate() {
        let space = if set.space == Space::Path { "path" } else { "comm" };
        line(&mut out, format_args!("set {index} {space} {}", lang(&set.lang)));
    }
    for (class, sets) in plan.paths.class_sets.iter().enumerate() {
        let name = match class {
            0 => " none",
            1 => " failed",
            _ => "",
        };
        let sets: Vec<String> = sets.iter().map(|s| s.0.to_string()).collect();
        line(&mut out, format_args!("class {class}{name}: sets {}", sets.join(" ")));
    }
    let t = &plan.paths;
    let steps = t.steps.iter().filter(|s| s.base != 1).count();
    line(
        &mut out,
        format_args!(
            "automaton: {} states, {} byte slots, {steps} of {} steps, {} dropped",
            t.states,
            t.bytes.len(),
            t.steps.len(),
            t.dropped_steps
        ),
    );
    for entry in &plan.prefixes.entries {
        line(&mut out, format_args!("prefix {}/{}: class {}", Ipv6Addr::from(entry.address), entry.length, entry.class));
    }
    out
}

/// Chains, outcomes and subject tables.
pub fn maps(package: &Package, plan: &Plan) -> String {
    let mut out = String::new();
    let catalog = catalog();
    for (number, outcome) in plan.outcomes.iter().enumerate() {
        line(&mut out, format_args!("outcome {number}: {}", outcome_text(package, catalog, number, outcome)));
    }
    for chain in &plan.chains {
        chain_text(&mut out, catalog, chain);
    }
    line(&mut out, format_args!("subject: always {:#x}, {} lineage bits", plan.subject.always, plan.subject.line_bits));
    for class in 0..plan.subject.line_any.len() {
        let pair = |table: &[u64]| {
            table.chunks(2).nth(class).map_or(String::new(), |p| p.iter().map(|m| format!("{m:#x}")).collect::<Vec<_>>().join("/"))
        };
        line(
            &mut out,
            format_args!(
                "class {class}: exe {} parent {} line {} bits {} trusted {}",
                pair(&plan.subject.exe_mask),
                pair(&plan.subject.parent_mask),
                pair(&plan.subject.line_events),
                bits(plan.subject.line_any.get(class)),
                bits(plan.subject.line_trusted.get(class)),
            ),
        );
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn lang(lang_of: &PathLang) -> String {
    match lang_of {
        PathLang::Patterns(patterns) => patterns_text(patterns),
        PathLang::Union(parts) => format!("({})", parts.iter().map(lang).collect::<Vec<_>>().join(" + ")),
        PathLang::Minus(with, without) => format!("({} - {})", lang(with), lang(without)),
    }
}

fn patterns_text(patterns: &[Pattern]) -> String {
    format!("[{}]", patterns.iter().map(|p| format!("{:?}", p.text)).collect::<Vec<_>>().join(", "))
}

fn outcome_text(package: &Package, catalog: &Catalog, number: usize, outcome: &Outcome) -> String {
    match number {
        0 => return "nothing".to_owned(),
        1 => return "canary".to_owned(),
        _ => {}
    }
    let mut text = catalog[outcome.event].name.clone();
    text.push_str(&outcome.errno.map_or(" allowed".to_owned(), |errno| format!(" refused {errno}")));
    if outcome.kill {
        text.push_str(" killed");
    }
    for item in &outcome.items {
        let Some(policy) = package.policies.get(item.policy as usize) else { continue };
        let Some(rule) = policy.rules.get(item.rule as usize) else { continue };
        let failed = if item.failed { " failed" } else { "" };
        let _ = write!(text, " · {}.{}{failed}", policy.name, rule.label.as_deref().unwrap_or("default"));
    }
    text
}

fn chain_text(out: &mut String, catalog: &Catalog, chain: &Chain) {
    line(out, format_args!("chain {} slot {}", catalog[chain.event].name, chain.slot));
    for layer in &chain.layers {
        layer_text(out, catalog, layer);
    }
    let finals: Vec<String> = chain.finals.iter().map(u32::to_string).collect();
    line(out, format_args!("  finals {}", finals.join(" ")));
}

fn layer_text(out: &mut String, catalog: &Catalog, layer: &Layer) {
    line(out, format_args!("  layer {}: {} states, {} columns", source_text(catalog, &layer.source), layer.states, layer.ncols));
    if let Some(columns) = &layer.columns {
        let mut runs: Vec<String> = Vec::new();
        let mut from = 0;
        for run in columns.chunk_by(|a, b| a == b) {
            let to = from + run.len() - 1;
            let span = if from == to { from.to_string() } else { format!("{from}-{to}") };
            runs.push(format!("{span}:{}", run.first().copied().unwrap_or(0)));
            from = to + 1;
        }
        line(out, format_args!("    columns {}", runs.join(" ")));
    }
    for (state, row) in layer.table.chunks(layer.ncols.max(1) as usize).enumerate().skip(2) {
        let row: Vec<String> = row.iter().map(u32::to_string).collect();
        line(out, format_args!("    {state}: {}", row.join(" ")));
    }
}

fn source_text(catalog: &Catalog, source: &Source) -> String {
    let name = |field: ebsec_templates::FieldId| &catalog[field].name;
    match source {
        Source::ObjectClass(field) | Source::NameClass(field) | Source::Prefix(field) | Source::Mode(field) => name(*field).clone(),
        Source::SubjectClass(field) => format!("{} << 1 | trusted", name(*field)),
        Source::Line { window } => format!("line bits {} to {}", 4 * u32::from(*window), 4 * u32::from(*window) + 3),
        Source::Flags(flags) => {
            let flag = |flag: &Flag| match flag {
                Flag::Field(field) => name(*field).clone(),
                Flag::Trusted(field) => format!("trusted {}", name(*field)),
                Flag::Deleted(field) => format!("{}.deleted", name(*field)),
            };
            format!("flags {}", flags.iter().map(flag).collect::<Vec<_>>().join(", "))
        }
        Source::Number(field, intervals) => {
            let starts = intervals.starts.iter().take(intervals.count as usize);
            let starts: Vec<String> = starts
                .map(|s| match *s {
                    ABSENT => "absent".to_owned(),
                    FAILED => "failed".to_owned(),
                    number => number.to_string(),
                })
                .collect();
            format!("{} from {}", name(*field), starts.join(", "))
        }
    }
}

fn bits(words: Option<&[u64; 4]>) -> String {
    let bits = (0..256).filter(|b| words.and_then(|w| w.get(b / 64)).is_some_and(|w| w >> (b % 64) & 1 == 1));
    format!("[{}]", bits.map(|b| b.to_string()).collect::<Vec<_>>().join(" "))
}
