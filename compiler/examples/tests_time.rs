//! How long unit tests take: 1,000 lines over 10,000 rules. Prints milliseconds for the index and for all lines, and what
//! the same lines take without an index.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for developers")]

use ebsec_compiler::hir::eval;
use ebsec_compiler::pipeline::{self, Input};
use ebsec_compiler::source::Sources;
use ebsec_templates::catalog;
use std::fmt::Write;
use std::time::Instant;

fn main() {
    let mut text = String::from("policy p {\nmode = enforce\n");
    for rule in 0..10_000 {
        let _ = writeln!(text, "r{rule}: deny file.read when file.path under \"/srv/d{rule}\" unless process.exe == \"/usr/bin/t{rule}\"");
    }
    text.push_str("}\ntest \"t\" {\nprocess cat = { exe = \"/usr/bin/cat\" }\n");
    for line in 0..1_000 {
        let rule = line * 10;
        let _ = writeln!(text, "cat file.read \"/srv/d{rule}/a\" => deny by p.r{rule}");
    }
    text.push_str("}\n");
    let mut sources = Sources::default();
    sources.add("a.ebsec", text);
    let package = pipeline::check(Input { sources, ..Input::default() }).package.unwrap();
    let start = Instant::now();
    let results = pipeline::run_tests(&package);
    println!("{} lines with an index: {:.1} ms", results.len(), start.elapsed().as_secs_f64() * 1e3);
    assert!(results.iter().all(|r| r.passed));
    let start = Instant::now();
    let steps = package.tests.iter().flat_map(|t| &t.steps);
    let refused = steps.filter(|step| eval::eval(&package, catalog(), &step.operation).refused.is_some()).count();
    println!("{refused} lines without: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
}
