//! Prints how long new findings take after an edit of a package of 10,000 rules, in milliseconds of the processor:
//! `cargo run --locked --release -p ebsec-compiler --example edit_time`. The package is that of `ebsec bench --only check`.
#![allow(clippy::print_stdout, reason = "a measurement for developers")]

#[path = "../../cli/src/verbs/bench/edits.rs"]
mod edits;
#[allow(dead_code, reason = "the bench has more packages")]
#[path = "../../cli/src/verbs/bench/rules.rs"]
mod rules;

use std::time::Instant;

/// That of `ebsec`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let start = Instant::now();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {}", load.trim());
    for edits::Edit { what, best, bar } in edits::measure(|| processor(start)) {
        println!("{what}: {best:.1} ms, bar {bar:.0} ms");
    }
}

/// Milliseconds of the processor that this thread has had, or of the clock where the kernel does not count them.
fn processor(start: Instant) -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    spent.map_or_else(|| start.elapsed().as_secs_f64() * 1e3, |ns| ns / 1e6)
}
