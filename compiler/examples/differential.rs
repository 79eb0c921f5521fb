//! Judges random policies and random operations by the reference interpreter and by the emitted programs, and prints
//! what differed and what was covered. Status 1 if anything differs.
//! `cargo run --locked --release -p ebsec-compiler --example differential -- PAIRS [SEED [OPERATIONS]]`
#![allow(clippy::print_stdout)]

use ebsec_compiler::testing::differential::{self, Options};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|a| a.parse::<u64>().unwrap_or(0));
    let pairs = numbers.next().unwrap_or(10_000) as usize;
    let seed = numbers.next().unwrap_or(1);
    let operations = numbers.next().unwrap_or(200) as usize;
    let start = Instant::now();
    let found = match differential::run(&Options { seed, pairs, operations, most: 5 }, None) {
        Ok(found) => found,
        Err(message) => {
            println!("{message}");
            return ExitCode::FAILURE;
        }
    };
    for differs in &found.disagreements {
        println!("{differs}\n");
    }
    for text in found.refused_texts.iter().take(3) {
        println!("the check refuses a text that should be right:\n{text}\n");
    }
    print!("{}", found.coverage());
    println!(
        "{} pairs of {} policies in {:.1} s ({} with processes that were really executed or seeded); {} texts refused, {} over a budget; {} disagreements",
        found.pairs,
        found.policies,
        start.elapsed().as_secs_f64(),
        found.executed,
        found.refused_texts.len(),
        found.over_budget,
        found.disagreements.len()
    );
    ExitCode::from(u8::from(!found.disagreements.is_empty() || !found.refused_texts.is_empty()))
}
