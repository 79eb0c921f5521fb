//! How long 10,000 rules take from text to folded policy, without the parser. Run by hand, in release:
//! `cargo test --locked --release -p ebsec-compiler --test front_speed -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use ebsec_compiler::pipeline::{self, Input};
use ebsec_compiler::source::Sources;
use std::fmt::Write;
use std::time::Instant;

fn policy(rules: usize) -> String {
    let mut text = String::from(
        "let tools: set<path> = [\"/usr/bin/a\", \"/usr/bin/b\"]\npolicy p {\n    mode = enforce\n    scope = process.uid == 0\n",
    );
    for i in 0..rules {
        let _ = writeln!(
            text,
            "    r{i}: deny file.read when file.path in [\"/srv/app{i}/data/*.db\", \"/srv/app{i}/key\"] unless process.exe in tools because \"rule {i}\""
        );
    }
    text.push_str("}\n");
    text
}

#[test]
#[ignore = "a measurement"]
fn ten_thousand_rules() {
    let text = policy(10_000);
    for _ in 0..5 {
        let mut sources = Sources::default();
        sources.add("a.ebsec", text.clone());
        let start = Instant::now();
        let parsed = ebsec_grammar::parse(&text);
        let parse = start.elapsed();
        drop(parsed);
        let start = Instant::now();
        let checked = pipeline::check(Input { sources, ..Input::default() });
        let all = start.elapsed();
        let start = Instant::now();
        assert_eq!(checked.package.unwrap().policies[0].rules.len(), 10_000);
        println!("parse {parse:?}, check with parse {all:?}, rest {:?}, drop {:?}", all.saturating_sub(parse), start.elapsed());
    }
}
