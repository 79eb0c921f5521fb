//! Plans against the interpreter: random packages and operations, and budgets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::classes::paths::tests::set;
use crate::hir::eval::{Truth, eval};
use crate::hir::{
    Action, Atom, Cond, FileAttributes, Mode, Object, Operation, Package, PathLang, PathSetId, PathValue, Policy, Prefix, Program, Rule,
    Severity, Space, Subject, Test,
};
use crate::source::Loc;
use ebsec_templates::{Catalog, FieldType, catalog};
use proptest::prelude::*;
use std::net::IpAddr;

const PATHS: [&str; 8] = ["/", "/a", "/a/b", "/a/b/c", "/b", "/bin/sh", "/bin/cat", "/x/y/z"];

fn package(policies: Vec<Policy>) -> Package {
    let mut minus = set(Space::Path, &["/a/**"]);
    minus.lang = PathLang::Minus(Box::new(minus.lang), Box::new(set(Space::Path, &["/a/b"]).lang));
    Package {
        path_sets: vec![
            set(Space::Path, &["/a"]),
            set(Space::Path, &["/a/**", "/a"]),
            set(Space::Path, &["/bin/*"]),
            set(Space::Path, &["/bin/sh", "/b"]),
            minus,
            set(Space::Comm, &["sh"]),
            set(Space::Comm, &["c*"]),
        ],
        policies,
        ..Package::default()
    }
}

pub(super) fn rule(event: EventId, action: Action, cond: Cond, errno: u16) -> Rule {
    let (because, attack, loc) = (String::new(), Vec::new(), Loc::default());
    Rule { label: None, event, action, cond, errno, because, severity: Severity::Low, attack, loc }
}

pub(super) fn policy(mode: Mode, rules: Vec<Rule>) -> Policy {
    Policy { name: "p".into(), mode, rules, description: String::new(), loc: Loc::default() }
}

fn test_of(catalog: &Catalog, field: FieldId) -> BoxedStrategy<Test> {
    let small = || proptest::collection::btree_set(0u64..12, 0..5);
    let ranges = small().prop_map(|set| {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for x in set {
            match ranges.last_mut() {
                Some(last) if last.1 + 1 == x => last.1 = x,
                _ => ranges.push((x, x)),
            }
        }
        Test::InRanges(ranges)
    });
    match &catalog[field].ty {
        FieldType::Path if catalog[field].name == "file.path" => {
            prop_oneof![6 => (0u32..5).prop_map(|s| Test::InPaths(PathSetId(s))), 1 => Just(Test::Unresolved), 1 => Just(Test::Deleted)]
                .boxed()
        }
        FieldType::Path => prop_oneof![6 => (0u32..5).prop_map(|s| Test::InPaths(PathSetId(s))), 1 => Just(Test::Unresolved)].boxed(),
        FieldType::Comm => (5u32..7).prop_map(|s| Test::InPaths(PathSetId(s))).boxed(),
        FieldType::Bool => Just(Test::True).boxed(),
        FieldType::Mode => prop_oneof![ranges, prop_oneof![Just(0o4000), Just(0o4002), Just(0)].prop_map(Test::HasBits)].boxed(),
        FieldType::Ip => prop_oneof![
            Just(vec![Prefix::V4(0, 0)]),
            Just(vec![Prefix::V4(0x0a00_0000, 8), Prefix::V6(0xfd00 << 112, 8)]),
            Just(vec![Prefix::V4(0x0a01_0000, 16)]),
            Just(vec![Prefix::V6(0, 0)]),
        ]
        .prop_map(Test::InPrefixes)
        .boxed(),
        _ => prop_oneof![4 => ranges, 1 => Just(Test::InRanges(vec![(5, u64::from(u32::MAX))]))].boxed(),
    }
}

fn cond(event: EventId) -> BoxedStrategy<Cond> {
    let catalog = catalog();
    let fields: Vec<FieldId> = catalog[event].fields.clone();
    let atom = proptest::sample::select(fields).prop_flat_map(move |field| {
        (test_of(catalog, field), any::<bool>()).prop_map(move |(test, identity)| {
            let identity = identity && catalog[field].identity;
            Cond::Atom(Atom { field, test, identity, loc: Loc::default() })
        })
    });
    let leaf = prop_oneof![1 => any::<bool>().prop_map(Cond::Const), 20 => atom];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|c| Cond::Not(Box::new(c))),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Cond::And),
            proptest::collection::vec(inner, 0..4).prop_map(Cond::Or),
        ]
    })
    .boxed()
}

fn event() -> impl Strategy<Value = EventId> {
    proptest::sample::select(vec!["hook.file_open", "file.read", "hook.socket_connect", "net.egress"])
        .prop_map(|name| catalog().event(name).unwrap())
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let action = prop_oneof![Just(Action::Deny), Just(Action::Kill), Just(Action::Audit)];
    event().prop_flat_map(move |event| {
        (cond(event), action.clone(), prop_oneof![Just(1u16), Just(13)])
            .prop_map(move |(cond, action, errno)| rule(event, action, cond, errno))
    })
}

fn a_package() -> impl Strategy<Value = Package> {
    let mode = prop_oneof![1 => Just(Mode::Observe), 3 => Just(Mode::Enforce)];
    let policy = (mode, proptest::collection::vec(a_rule(), 1..4)).prop_map(|(mode, rules)| policy(mode, rules));
    proptest::collection::vec(policy, 1..4).prop_map(package)
}

fn path_value() -> impl Strategy<Value = PathValue> {
    prop_oneof![
        1 => Just(PathValue::Absent),
        2 => Just(PathValue::Failed),
        8 => proptest::sample::select(&PATHS[..]).prop_map(|p| PathValue::Known(p.into())),
    ]
}

fn program() -> impl Strategy<Value = Program> {
    (path_value(), any::<bool>()).prop_map(|(path, trusted)| Program { path, trusted })
}

fn subject() -> impl Strategy<Value = Subject> {
    let ids = (0u32..8, 0u32..8, 0u32..8, any::<bool>());
    let comm = proptest::sample::select(vec!["sh", "cat", "x"]);
    (program(), program(), proptest::collection::vec(program(), 0..3), comm, ids).prop_map(|(exe, parent, mut lineage, comm, ids)| {
        lineage.push(exe.clone());
        Subject { exe, parent, lineage, comm: comm.into(), uid: ids.0, gid: ids.1, euid: ids.2, container: ids.3 }
    })
}

fn object() -> impl Strategy<Value = Object> {
    let file = (prop_oneof![0u16..16, Just(0o4002), Just(0o4755)], 0u32..8, any::<bool>())
        .prop_map(|(mode, owner, memfd)| FileAttributes { mode, owner, memfd });
    let address = proptest::sample::select(vec!["10.0.0.1", "10.1.2.3", "8.8.8.8", "fd00::1", "::1", "::ffff:10.1.1.1"]);
    let remote = (address, 0u16..14).prop_map(|(a, port)| (a.parse::<IpAddr>().unwrap(), port));
    (path_value(), any::<bool>(), proptest::option::of(file), proptest::option::of(remote))
        .prop_map(|(path, deleted, file, remote)| Object { path, deleted, file, remote })
}

fn operation() -> impl Strategy<Value = Operation> {
    let values = proptest::collection::btree_map(0usize..catalog().fields.len(), 0u64..14, 0..8);
    let hook = proptest::sample::select(vec!["file_open", "socket_connect"]);
    let facts = proptest::sample::subsequence(vec!["open.read", "internet", "open.write"], 0..=3);
    (subject(), object(), values, hook, facts).prop_map(|(subject, object, values, hook, facts)| Operation {
        hook: catalog().hook(hook).unwrap(),
        subject,
        objects: vec![Some(object)],
        facts: facts.into_iter().map(str::to_owned).collect(),
        values: values.into_iter().map(|(f, v)| (FieldId(f as u16), v)).collect(),
    })
}

/// The plan's verdict on an operation is the interpreter's.
fn check(package: &Package, plan: &Plan, operation: &Operation) {
    let verdict = eval(package, catalog(), operation);
    let object = operation.objects[0].clone().unwrap();
    let values = plan.values(catalog(), operation, &object);
    let subject = &operation.subject;
    let possible = plan.possible(&subject.exe, &subject.parent, &subject.lineage);
    let mut refused: Vec<u16> = Vec::new();
    let mut killed = false;
    let mut found: Vec<(EventId, Item)> = Vec::new();
    let hook = &catalog()[operation.hook];
    let holds = |(fact, wanted): &(String, bool)| operation.facts.contains(fact) == *wanted;
    for raise in hook.raises.iter().filter(|r| r.when.iter().all(holds)) {
        for outcome in plan.decide(raise.event, &values) {
            if outcome == NOTHING {
                continue;
            }
            let slot = plan.slots.iter().position(|e| *e == raise.event).unwrap();
            assert_eq!(possible >> slot & 1, 1, "an impossible event matched");
            let outcome = &plan.outcomes[outcome as usize];
            assert_eq!(outcome.event, raise.event);
            refused.extend(outcome.errno);
            killed |= outcome.kill;
            found.extend(outcome.items.iter().map(|item| (raise.event, *item)));
        }
    }
    found.sort();
    let expected: Vec<(EventId, Item)> = verdict
        .matched
        .iter()
        .map(|m| (m.event, Item { policy: m.policy as u32, rule: m.rule as u32, failed: m.truth == Truth::Failed }))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(killed, verdict.killed);
    assert_eq!(refused.is_empty(), verdict.refused.is_none());
    if let [errno] = refused.as_slice() {
        assert_eq!(verdict.refused, Some(*errno));
    }
}

/// What the event path relies on.
fn check_shape(plan: &Plan) {
    for chain in &plan.chains {
        assert_eq!(plan.slots[chain.slot as usize], chain.event);
        let mut states = 3;
        for layer in &chain.layers {
            assert!(layer.ncols > 1);
            assert_eq!(layer.table.len(), (layer.states * layer.ncols) as usize);
            assert!(layer.states >= states, "{} states after, {} before", layer.states, states);
            let ncols = layer.ncols as usize;
            assert!(layer.table[..ncols].iter().all(|s| *s == DEAD));
            assert!(layer.table[ncols..2 * ncols].iter().all(|s| *s == CANARY_STATE));
            states = layer.table.iter().max().unwrap() + 1;
            let values = match &layer.source {
                Source::ObjectClass(_) | Source::CommClass(_) => plan.paths.class_sets.len(),
                Source::SubjectClass(_) => 2 * plan.paths.class_sets.len(),
                Source::Line { .. } => 16,
                Source::Flags(flags) => 1 << flags.len(),
                Source::Number(_, intervals) => intervals.count as usize,
                Source::Mode(_) => 4097,
                Source::Prefix(_) => plan.prefixes.class_sets.len(),
            };
            match &layer.columns {
                Some(columns) => assert!(columns.len() == values && columns.iter().all(|c| *c < layer.ncols)),
                None => assert_eq!(values, layer.ncols as usize),
            }
        }
        assert!(chain.finals.len() >= states as usize);
        assert_eq!(chain.finals[..2], [NOTHING, CANARY]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn plans_agree_with_the_interpreter(package in a_package(), operations in proptest::collection::vec(operation(), 30)) {
        let plan = plan(&package).unwrap();
        check_shape(&plan);
        for operation in &operations {
            check(&package, &plan, operation);
        }
        let again = super::plan(&package).unwrap();
        prop_assert_eq!(dump::maps(&package, &again), dump::maps(&package, &plan));
        prop_assert_eq!(dump::classes(&package, &again), dump::classes(&package, &plan));
    }
}
