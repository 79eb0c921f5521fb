//! Prints times and sizes of the path tables and of the plan for N file rules of five shapes, as N deny rules of one
//! program and as one allow-list of N patterns; further arguments are further patterns.
//! `cargo run --locked --release -p ebsec-compiler --example classes_time -- 10000`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ebsec_compiler::classes::paths;
use ebsec_compiler::decide;
use ebsec_compiler::hir::glob;
use ebsec_compiler::hir::{Action, Atom, Cond, Mode, Package, PathLang, PathSet, PathSetId, Policy, Rule, Severity, Space, Test};
use ebsec_compiler::source::Loc;
use ebsec_templates::catalog;
use std::time::Duration;

/// Time on the processor so far, which other load does not distort.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).map_or_else(Duration::default, Duration::from_nanos)
}

fn rule(i: usize) -> Vec<String> {
    match i % 5 {
        0 => vec![format!("/srv/app{i}/secret{}.key", i * 7919 % 100_003)],
        1 => vec![format!("/home/*/.cfg{i}/**")],
        2 => vec![format!("/opt/vendor{i}/bin/*")],
        3 => vec![format!("/var/lib/svc{i}/data"), format!("/var/lib/svc{i}/data/**")],
        _ => vec![format!("/etc/d{i}.conf")],
    }
}

fn in_set(field: &str, set: usize, identity: bool) -> Cond {
    let (field, test) = (catalog().field(field).unwrap(), Test::InPaths(PathSetId(set as u32)));
    Cond::Atom(Atom { field, test, identity, loc: Loc::default() })
}

fn a_rule(event: &str, cond: Cond) -> Rule {
    let event = catalog().event(event).unwrap();
    let (because, attack, loc) = (String::new(), Vec::new(), Loc::default());
    Rule { label: None, event, action: Action::Deny, cond, errno: 1, because, severity: Severity::Low, attack, loc }
}

fn plan(name: &str, sets: &[PathSet], rules: Vec<Rule>) {
    let policy =
        Policy { name: name.into(), mode: Mode::Enforce, rules, description: String::new(), tags: Vec::new(), loc: Loc::default() };
    let package = Package { path_sets: sets.to_vec(), policies: vec![policy], ..Package::default() };
    let start = processor_time();
    let plan = decide::plan(&package).unwrap();
    let time = processor_time() - start;
    let layers: Vec<String> = plan.chains.iter().flat_map(|c| &c.layers).map(|l| format!("{}x{}", l.states, l.ncols)).collect();
    println!("plan, {name}: {time:?} in all, {} outcomes, layers {}", plan.outcomes.len(), layers.join(" "));
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
    let start = processor_time();
    let tables = paths::build(&sets, |_| true).unwrap();
    println!(
        "{n} rules: {:?}, {} states, {} classes, bytes {} KiB, steps {} KiB ({} used, {} dropped)",
        processor_time() - start,
        tables.states,
        tables.class_sets.len(),
        tables.bytes.len() / 128,
        tables.steps.len() / 64,
        tables.steps.iter().filter(|s| s.base != 1).count(),
        tables.dropped_steps,
    );
    let mut sets = sets;
    let program = sets.len();
    sets.push(PathSet { space: Space::Path, lang: PathLang::Patterns(vec![glob::parse("/usr/bin/x", glob::Kind::Path).unwrap()]) });
    let scoped = |cond| Cond::And(vec![in_set("process.exe", program, false), cond]);
    plan("rules", &sets, (0..program).map(|i| a_rule("file.read", scoped(in_set("file.path", i, false)))).collect());
    let allowed = (0..program).map(|i| in_set("file.path", i, false)).collect();
    plan("allow-list", &sets, vec![a_rule("file.write", scoped(Cond::Not(Box::new(Cond::Or(allowed)))))]);
}
