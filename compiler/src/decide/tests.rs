//! Plans against the interpreter: random packages and operations, and budgets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::classes::paths::tests::set;
use crate::hir::eval::{Truth, eval};
use crate::hir::{
    Action, Atom, Cond, FileAttributes, Mode, Object, Operation, Package, PathLang, PathSetId, PathValue, Policy, Prefix, Program, Remote,
    Rule, Severity, Space, Subject, Test,
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
    Policy { name: "p".into(), mode, rules, description: String::new(), tags: Vec::new(), loc: Loc::default() }
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
    let further = proptest::collection::vec(path_value(), 0..2);
    (path_value(), further, any::<bool>()).prop_map(|(path, other_paths, trusted)| Program { path, other_paths, trusted })
}

fn subject() -> impl Strategy<Value = Subject> {
    let ids = (0u32..8, 0u32..8, 0u32..8, 0u8..3);
    let comm = proptest::sample::select(vec!["sh", "cat", "x"]);
    (program(), program(), proptest::collection::vec(program(), 0..3), comm, ids).prop_map(|(exe, parent, mut lineage, comm, ids)| {
        lineage.push(exe.clone());
        let (container, container_trusted) = (ids.3 > 0, ids.3 > 1);
        Subject { exe, parent, lineage, comm: comm.into(), uid: ids.0, gid: ids.1, euid: ids.2, container, container_trusted }
    })
}

fn object() -> impl Strategy<Value = Object> {
    let file = (prop_oneof![0u16..16, Just(0o4002), Just(0o4755)], 0u32..8, any::<bool>())
        .prop_map(|(mode, owner, memfd)| FileAttributes { mode, owner, memfd });
    let address = proptest::sample::select(vec!["10.0.0.1", "10.1.2.3", "8.8.8.8", "fd00::1", "::1", "0.0.0.0", "::", "::ffff:10.1.1.1"]);
    let address = prop_oneof![8 => address.prop_map(|a| Some(a.parse::<IpAddr>().unwrap())), 1 => Just(None)];
    let port = prop_oneof![8 => (0u16..14).prop_map(Some), 1 => Just(None)];
    let remote = (address, port).prop_map(|(named, port)| Remote { named, port, source: None });
    (path_value(), any::<bool>(), proptest::option::of(file), proptest::option::of(remote))
        .prop_map(|(path, deleted, file, remote)| Object { path, deleted, file, remote, ..Object::default() })
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
        names: std::collections::BTreeMap::new(),
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
                Source::ObjectClass(_) | Source::NameClass(_) => plan.paths.class_sets.len(),
                Source::SubjectClass(_) => 2 * (plan.paths.class_sets.len() + plan.subject.joins.joined.len()),
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

fn atom(field: &str, test: Test, identity: bool) -> Cond {
    Cond::Atom(Atom { field: catalog().field(field).unwrap(), test, identity, loc: Loc::default() })
}

fn number(field: &str, x: u64) -> Cond {
    atom(field, Test::InRanges(vec![(x, x)]), false)
}

fn read() -> EventId {
    catalog().event("file.read").unwrap()
}

fn with_sets(count: u32, policies: Vec<Policy>) -> Package {
    let sets = (0..count).map(|i| set(Space::Path, &[&format!("/srv/{i}/secret")])).collect();
    Package { path_sets: sets, policies, ..Package::default() }
}

#[test]
fn many_rules_of_one_field_take_one_state_each() {
    let rules = (0..3000).map(|i| rule(read(), Action::Deny, atom("file.path", Test::InPaths(PathSetId(i)), false), 1)).collect();
    let plan = plan(&with_sets(3000, vec![policy(Mode::Enforce, rules)])).unwrap();
    let [chain] = plan.chains.as_slice() else { panic!("one chain") };
    assert_eq!((chain.layers[0].states, chain.layers[0].ncols), (3, 3002));
    // Nothing, canary, one for each rule, and all of them failed.
    assert_eq!(plan.outcomes.len(), 3003);
}

#[test]
fn a_long_allow_list_is_two_columns() {
    let allowed = (0..3000).map(|i| atom("file.path", Test::InPaths(PathSetId(i)), false)).collect();
    let cond = Cond::Not(Box::new(Cond::Or(allowed)));
    let plan = plan(&with_sets(3000, vec![policy(Mode::Enforce, vec![rule(read(), Action::Deny, cond, 1)])])).unwrap();
    assert_eq!((plan.chains[0].layers[0].states, plan.chains[0].layers[0].ncols), (3, 3));
    assert_eq!(plan.outcomes.len(), 4);
}

#[test]
fn rules_that_multiply_are_cut_into_chains_between_policies_first() {
    let by = |field: &str| (0..1100).map(|i| rule(read(), Action::Audit, number(field, i), 1)).collect::<Vec<_>>();
    let two = with_sets(0, vec![policy(Mode::Enforce, by("process.uid")), policy(Mode::Enforce, by("process.gid"))]);
    let plan_of_two = plan(&two).unwrap();
    assert_eq!(plan_of_two.splits, [Split { event: read(), chains: 2 }]);
    assert_eq!((plan_of_two.chains.len(), plan_of_two.slots.len(), plan_of_two.outcomes.len()), (2, 1, 2202));
    let together = by("process.uid").into_iter().chain(by("process.gid")).collect();
    let one = with_sets(0, vec![policy(Mode::Enforce, together)]);
    let plan_of_one = plan(&one).unwrap();
    assert_eq!(plan_of_one.splits, [Split { event: read(), chains: 2 }]);
    assert_eq!(plan_of_one.outcomes.len(), 2202);
}

#[test]
fn rules_beyond_the_lineage_bits_are_named() {
    let asks = |i| rule(read(), Action::Deny, atom("process.lineage.exe", Test::InPaths(PathSetId(i)), i == 0), 1);
    let package = |n| with_sets(n, vec![policy(Mode::Enforce, (0..n).map(asks).collect())]);
    let error = plan(&package(260)).unwrap_err();
    let PlanError::LineBits { needed: 262, rules } = error else { panic!("{error:?}") };
    assert_eq!(rules.first(), Some(&RuleRef { policy: 0, rule: 254 }));
    assert_eq!(rules.len(), 6);
}

#[test]
fn masks_name_the_programs_that_rules_are_about() {
    let exe = atom("process.exe", Test::InPaths(PathSetId(0)), false);
    let line = atom("process.lineage.exe", Test::InPaths(PathSetId(1)), false);
    let write = catalog().event("file.write").unwrap();
    let rules = vec![rule(read(), Action::Deny, exe, 1), rule(write, Action::Deny, line, 1)];
    let plan = plan(&with_sets(2, vec![policy(Mode::Enforce, rules)])).unwrap();
    assert_eq!(plan.slots, [read(), write]);
    let program = |path: &str| Program::new(PathValue::Known(path.into()), true);
    let (first, second, other) = (program("/srv/0/secret"), program("/srv/1/secret"), program("/bin/true"));
    let failed = Program::new(PathValue::Failed, false);
    assert_eq!(plan.possible(&other, &other, std::slice::from_ref(&other)), 0);
    assert_eq!(plan.possible(&first, &other, std::slice::from_ref(&first)), 1);
    assert_eq!(plan.possible(&other, &other, &[second.clone(), other.clone()]), 2);
    assert_eq!(plan.possible(&failed, &other, std::slice::from_ref(&failed)), 3);
    assert_eq!(plan.line_of(&[second, failed]), [0b11, 0, 0, 0]);
}

#[test]
fn the_errno_is_eperm_unless_all_agree_and_a_failure_does_not_kill() {
    let failing = || atom("file.path", Test::InPaths(PathSetId(0)), false);
    let rules = vec![
        rule(read(), Action::Deny, number("process.uid", 1), 13),
        rule(read(), Action::Kill, failing(), 13),
        rule(read(), Action::Deny, number("process.uid", 2), 1),
        rule(read(), Action::Audit, number("process.uid", 3), 1),
    ];
    let package = with_sets(1, vec![policy(Mode::Enforce, rules.clone()), policy(Mode::Observe, rules)]);
    let plan = plan(&package).unwrap();
    let (uid, path) = (catalog().field("process.uid").unwrap(), catalog().field("file.path").unwrap());
    let verdict = |user: u64, class: u32| {
        let values = Values { classes: [(path, class)].into(), numbers: [(uid, user)].into(), ..Values::default() };
        let outcome = &plan.outcomes[plan.decide(read(), &values)[0] as usize];
        (outcome.errno, outcome.kill, outcome.items.len())
    };
    assert_eq!(verdict(9, 0), (None, false, 0));
    assert_eq!(verdict(3, 0), (None, false, 2));
    assert_eq!(verdict(1, 0), (Some(13), false, 2));
    assert_eq!(verdict(1, 1), (Some(13), false, 4));
    assert_eq!(verdict(1, 2), (Some(13), true, 4));
    assert_eq!(verdict(2, 2), (Some(1), true, 4));
}

#[test]
fn conditions_that_cannot_hold_raise_no_event() {
    let never = Cond::And(vec![number("process.uid", 1), Cond::Or(vec![])]);
    let plan = plan(&with_sets(0, vec![policy(Mode::Enforce, vec![rule(read(), Action::Deny, never, 1)])])).unwrap();
    assert!(plan.chains.is_empty() && plan.slots.is_empty() && plan.outcomes.len() == 2);
    let always = with_sets(0, vec![policy(Mode::Enforce, vec![rule(read(), Action::Deny, Cond::Const(true), 1)])]);
    let plan = super::plan(&always).unwrap();
    assert!(plan.chains[0].layers.is_empty());
    assert_eq!(plan.decide(read(), &Values::default()), [2]);
}

#[test]
fn lineage_layers_begin_with_the_unresolved_bit() {
    let asks = |i| rule(read(), Action::Deny, atom("process.lineage.exe", Test::InPaths(PathSetId(i)), false), 1);
    let plan = plan(&with_sets(9, vec![policy(Mode::Enforce, (0..9).map(asks).collect())])).unwrap();
    let windows: Vec<&Source> = plan.chains[0].layers.iter().map(|l| &l.source).collect();
    assert_eq!(windows, [&Source::Line { window: 0 }, &Source::Line { window: 1 }, &Source::Line { window: 2 }]);
}
