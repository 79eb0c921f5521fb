//! Names to typed policies: the one that is built, and one for each further set of values that its parameters have in tests.
//! A test sees the values that it pins and otherwise the defaults, so no deployment changes its verdict.

use crate::cases;
use crate::diag::{Finding, Findings, codes};
use crate::hir;
use crate::resolve::{DefKind, Names, Other, ROOT};
use crate::source::{Loc, Sources};
use crate::types::{self, At, Given, Settings, Values};
use ebsec_grammar::ast::ItemKind;
use ebsec_templates::catalog;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// What came out.
pub(super) struct Typed {
    pub package: hir::Package,
    /// See [`super::Checked::variants`].
    pub variants: Vec<hir::Package>,
    pub findings: Findings,
}

/// Tests with the same values of parameters.
#[derive(Default)]
struct Group<'n, 'a> {
    pins: Vec<Given>,
    tests: Vec<&'n Other<'a>>,
}

/// Types the package for the values that are given, and for those that tests ask for.
pub(super) fn typed<'a>(names: &'a Names<'a>, sources: &'a Sources, settings: Settings<'a>, findings: Findings) -> Typed {
    let (mut package, mut values) = types::check(names, sources, catalog(), settings.clone(), findings);
    let mut groups: BTreeMap<String, Group<'_, '_>> = BTreeMap::new();
    for test in cases::of_package(names) {
        let pins = pins(test, &mut values);
        let group = groups.entry(key(&pins, sources)).or_insert_with(|| Group { pins, tests: Vec::new() });
        group.tests.push(test);
    }
    let (mut variants, mut found) = (Vec::new(), Vec::new());
    for group in groups.values() {
        if group.pins.is_empty() && settings.given.is_empty() {
            cases::add(&mut package, group.tests.iter().copied(), &mut values);
        } else if !has_missing(group, &mut values) {
            let (variant, findings) =
                variant(names, sources, Settings { package: settings.package.clone(), given: &group.pins, today: settings.today }, group);
            variants.push(variant);
            found.push(findings);
        }
    }
    let mut findings = values.findings();
    // What is wrong whatever the parameters are has been said.
    found.into_iter().for_each(|more| findings.add_new(more));
    Typed { package, variants, findings }
}

/// The package for the values that a group of tests pins, with these tests.
fn variant<'n>(names: &'n Names<'n>, sources: &'n Sources, settings: Settings<'n>, group: &Group<'n, 'n>) -> (hir::Package, Findings) {
    let (mut package, mut values) = types::check(names, sources, catalog(), settings, Findings::default());
    cases::add(&mut package, group.tests.iter().copied(), &mut values);
    (package, values.findings())
}

/// The values that a test pins.
fn pins(test: &Other<'_>, values: &mut Values<'_>) -> Vec<Given> {
    let ItemKind::Test { with: Some(record), .. } = &test.item.kind else { return Vec::new() };
    let at = At { file: test.file, part: test.part };
    let pairs = values.pairs(record, at).into_iter();
    let given = |name: &ebsec_grammar::ast::Name, value: &ebsec_grammar::ast::Value| {
        let loc = Loc::new(test.part, name.span);
        Given { name: name.node.clone(), loc, value: value.clone(), from_text: false, file: Some(test.file) }
    };
    pairs.map(|(name, value)| given(name, value)).collect()
}

/// Equal for tests that write the same values for the same parameters.
fn key(pins: &[Given], sources: &Sources) -> String {
    let text = |pin: &Given| sources.slice(Loc::new(pin.loc.part, pin.value.span)).split_whitespace().collect::<String>();
    let mut all: Vec<String> = pins.iter().map(|pin| format!("{}={}\n", pin.name, text(pin))).collect();
    all.sort_unstable();
    all.concat()
}

/// Whether tests leave a parameter without a value; that is said at each of them.
fn has_missing(group: &Group<'_, '_>, values: &mut Values<'_>) -> bool {
    let names = values.names();
    let pinned: FxHashSet<&str> = group.pins.iter().map(|pin| pin.name.as_str()).collect();
    let open = names.defs.iter().filter(|def| def.module == ROOT && matches!(def.kind, DefKind::Param(_, None)));
    let open: Vec<&str> = open.map(|def| def.name.node.as_str()).filter(|name| !pinned.contains(name)).collect();
    let Some(first) = open.first() else { return false };
    for test in &group.tests {
        let ItemKind::Test { name, .. } = &test.item.kind else { continue };
        let message = format!("the test does not pin the parameter `{first}`, which has no default");
        let help = format!("write `test \"…\" with {{ {first} = … }}`: a test does not see the values of a deployment");
        values.push(Finding::error(codes::NOT_PINNED, Loc::new(test.part, name.span), message).help(help));
    }
    true
}
