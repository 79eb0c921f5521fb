//! Prints times and sizes of the path tables for N file rules of five shapes.
//! `cargo run --release -p ebsec-compiler --example classes_time -- 10000`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ebsec_compiler::classes::paths;
use ebsec_compiler::hir::glob;
use ebsec_compiler::hir::{PathLang, PathSet, Space};
use std::time::Instant;

fn rule(i: usize) -> Vec<String> {
    match i % 5 {
        0 => vec![format!("/srv/app{i}/secret{}.key", i * 7919 % 100_003)],
        1 => vec![format!("/home/*/.cfg{i}/**")],
        2 => vec![format!("/opt/vendor{i}/bin/*")],
        3 => vec![format!("/var/lib/svc{i}/data"), format!("/var/lib/svc{i}/data/**")],
        _ => vec![format!("/etc/d{i}.conf")],
    }
}

fn main() {
    let n: usize = std::env::args().nth(1).map_or(10_000, |a| a.parse().unwrap());
    let extra: Vec<String> = std::env::args().skip(2).collect();
    let lists = (0..n).map(rule).chain(extra.into_iter().map(|e| vec![e]));
    let sets: Vec<PathSet> = lists
        .map(|texts| PathSet {
            space: Space::Path,
            lang: PathLang::Patterns(texts.iter().map(|t| glob::parse(t, glob::Kind::Path).unwrap()).collect()),
        })
        .collect();
    let start = Instant::now();
    let tables = paths::build(&sets).unwrap();
    println!(
        "{n} rules: {:?}, {} states, {} classes, bytes {} KiB, steps {} KiB ({} used, {} dropped)",
        start.elapsed(),
        tables.states,
        tables.class_sets.len(),
        tables.bytes.len() / 128,
        tables.steps.len() / 64,
        tables.steps.iter().filter(|s| s.base != 1).count(),
        tables.dropped_steps,
    );
}
