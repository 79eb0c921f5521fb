//! Prints how long 10,000 rules take to become a syntax tree: `cargo run --locked --release -p ebsec-grammar --example parse_time`.

use std::fmt::Write as _;
use std::time::Instant;

fn main() {
    let text = rules(10_000);
    let mut times: Vec<_> = (0..9)
        .map(|_| {
            let start = Instant::now();
            let tree = ebsec_grammar::parse(&text);
            let time = start.elapsed();
            assert!(tree.errors().is_empty(), "{:?}", tree.errors().first());
            time
        })
        .collect();
    times.sort();
    println!(
        "10000 rules, {} bytes: best {:?}, median {:?}",
        text.len(),
        times.first().copied().unwrap_or_default(),
        times.get(4).copied().unwrap_or_default()
    );
}

/// A text of so many rules of the usual kinds, a hundred a policy.
fn rules(count: usize) -> String {
    let mut text = String::from("let tools: set<path> = [\"/usr/bin/a\"]\n");
    for policy in 0..count / 100 {
        let _ = write!(
            text,
            "/// Policy number {policy}.\npolicy p{policy} {{\n    description = \"policy {policy}\"\n    \
             severity    = high\n    mode        = enforce\n"
        );
        for rule in 0..100 {
            text.push_str(&one(policy, rule));
        }
        text.push_str("}\n\n");
    }
    text
}

fn one(policy: usize, rule: usize) -> String {
    match rule % 4 {
        0 => format!(
            "    r{rule}: deny file.read\n        when file.path in [\"/srv/{policy}/{rule}/*/a\", \"/home/*/.{rule}/**\"]\n        \
             unless process.exe in [\"/usr/bin/tool{rule}\"] + tools\n        because \"reason {rule}, and why it matters\"\n"
        ),
        1 => format!(
            "    r{rule}: deny net.egress when remote.ip in [10.{policy}.0.0/16, fd00::/8] and remote.port in [443, 5432..5440] \
             with {{ severity = critical }}\n"
        ),
        2 => format!(
            "    r{rule}: audit file.write when file.path under \"/etc/{policy}/{rule}\" and not (process.uid == 0 or \
             process.exe == \"/usr/bin/x\") // why\n"
        ),
        _ => format!("    r{rule}: kill exec when file.memfd or process.lineage.exe == \"/usr/sbin/nginx{rule}\" because \"fileless\"\n"),
    }
}
