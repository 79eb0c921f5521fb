//! The plan of a package: tables of all fields, chains of all events, outcomes and subject tables.

use super::chain;
use super::columns::Maker;
use super::formula::{Formula, Formulas};
use super::outcomes::Outcomes;
use super::probes::{Lowering, atoms, rules};
use super::reduce::reduce;
use super::states::State;
use super::subject::{First, LineBits, program_sets};
use super::{CANARY, Chain, Joins, NOTHING, Plan, PlanError, RuleRef, Source, Split, SubjectTables};
use crate::classes::paths::{self, PathTables};
use crate::classes::prefixes::PrefixTable;
use crate::hir::{Package, PathSetId, Test};
use ebsec_templates::{Catalog, EventId, FieldOf, catalog};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Most events: a bit of a mask each.
const MAX_EVENTS: usize = 64;
/// Most entries of a merged table.
const MAX_TABLE: usize = 1 << 20;

/// Makes the plan of a package.
pub fn plan(package: &Package) -> Result<Plan, PlanError> {
    let catalog = catalog();
    let of_files = file_sets(package, catalog);
    let paths = paths::build(&package.path_sets, |set| of_files.contains(&set)).map_err(PlanError::Paths)?;
    let prefixes = prefix_table(package);
    let line = LineBits::of(package, catalog)?;
    let mut by_event: BTreeMap<EventId, Vec<RuleRef>> = BTreeMap::new();
    for (policy, index, rule) in rules(package) {
        by_event.entry(rule.event).or_default().push(RuleRef { policy, rule: index });
    }
    let joins = Joins::of(&paths.class_sets, &program_sets(package, catalog));
    let subject = SubjectTables::new(&paths, &line, joins);
    let mut planner =
        Planner { package, catalog, paths, prefixes, line, outcomes: Outcomes::new(), plan: Plan { subject, ..Plan::default() } };
    for (event, rules) in by_event {
        planner.event(event, &rules)?;
    }
    planner.finish()
}

/// The sets that hooks ask of files, those aside of which the task runs its object next.
fn file_sets(package: &Package, catalog: &Catalog) -> BTreeSet<PathSetId> {
    let raised: BTreeSet<EventId> = catalog.hooks.iter().filter(|h| !h.executes).flat_map(|h| h.raises.iter().map(|r| r.event)).collect();
    let mut sets = BTreeSet::new();
    for (_, _, rule) in rules(package).filter(|(_, _, rule)| raised.contains(&rule.event)) {
        atoms(&rule.cond, &mut |atom| match atom.test {
            Test::InPaths(set) if catalog[atom.field].of == FieldOf::Object => drop(sets.insert(set)),
            _ => {}
        });
    }
    sets
}

fn prefix_table(package: &Package) -> PrefixTable {
    let mut sets = Vec::new();
    for (_, _, rule) in rules(package) {
        atoms(&rule.cond, &mut |atom| {
            if let Test::InPrefixes(prefixes) = &atom.test {
                sets.push(prefixes.clone());
            }
        });
    }
    PrefixTable::build(sets)
}

struct Planner<'a> {
    package: &'a Package,
    catalog: &'a Catalog,
    paths: PathTables,
    prefixes: PrefixTable,
    line: LineBits,
    outcomes: Outcomes,
    plan: Plan,
}

/// The rules of one event as formulas, and their places.
struct Rules {
    event: EventId,
    formulas: Vec<(u32, Formula)>,
    places: Vec<(u32, u32)>,
}

impl Planner<'_> {
    fn event(&mut self, event: EventId, refs: &[RuleRef]) -> Result<(), PlanError> {
        let mut lowering = Lowering::new(self.catalog, &self.line, &self.prefixes.sets);
        let mut rules = Rules { event, formulas: Vec::new(), places: Vec::new() };
        for at in refs {
            let Some(rule) = self.package.policies.get(at.policy as usize).and_then(|p| p.rules.get(at.rule as usize)) else { continue };
            rules.formulas.push((rules.places.len() as u32, lowering.lower(&rule.cond, false)));
            rules.places.push((at.policy, at.rule));
        }
        let (formulas, probes) = lowering.finish();
        let joined = self.plan.subject.joins.joined.clone();
        let maker = Maker { catalog: self.catalog, paths: &self.paths, joined: &joined, prefixes: &self.prefixes, probes: &probes };
        let mut chaining =
            Chaining { maker: &maker, formulas, package: self.package, outcomes: &mut self.outcomes, rules: &rules, chains: Vec::new() };
        chaining.range(0..rules.places.len())?;
        let Chaining { mut formulas, chains, .. } = chaining;
        if chains.is_empty() {
            return Ok(());
        }
        let slot = self.plan.slots.len() as u32;
        self.plan.slots.push(event);
        if slot as usize >= MAX_EVENTS {
            return Ok(());
        }
        if chains.len() > 1 {
            self.plan.splits.push(Split { event, chains: chains.len() as u32 });
        }
        for Made { start, chain, first } in chains {
            let policy = start.first().and_then(|(rule, _)| rules.places.get(*rule as usize)).map_or(0, |place| place.0);
            self.plan.subject.note(slot, &mut formulas, &maker, &start, first.as_ref()).ok_or(PlanError::Chain { event, policy })?;
            self.plan.chains.push(Chain { slot, ..chain });
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Plan, PlanError> {
        let beyond = self.plan.slots.get(MAX_EVENTS..).unwrap_or_default();
        if !beyond.is_empty() {
            let first = |event: &EventId| {
                let (policy, rule, _) = rules(self.package).find(|(_, _, rule)| rule.event == *event)?;
                Some(RuleRef { policy, rule })
            };
            return Err(PlanError::Events { needed: self.plan.slots.len(), rules: beyond.iter().filter_map(first).collect() });
        }
        self.plan.paths = self.paths;
        self.plan.prefixes = self.prefixes;
        self.plan.outcomes = self.outcomes.list;
        Ok(self.plan)
    }
}

/// Chains of an event: each costs its walk at every such event.
const MAX_CHAINS: usize = 16;

/// Makes the chains of an event.
struct Chaining<'a> {
    maker: &'a Maker<'a>,
    formulas: Formulas,
    package: &'a Package,
    outcomes: &'a mut Outcomes,
    rules: &'a Rules,
    chains: Vec<Made>,
}

/// A chain with what the subject tables are made from.
struct Made {
    start: State,
    chain: Chain,
    /// Of a program's class.
    first: Option<First>,
}

impl Chaining<'_> {
    /// Chains of a range of the rules: one, or where that is over budget those of two parts, cut between policies if there
    /// are several.
    fn range(&mut self, range: Range<usize>) -> Result<(), PlanError> {
        let start = chain::start(self.rules.formulas.get(range.clone()).unwrap_or_default());
        if start.is_empty() || self.one(start).is_some() {
            return Ok(());
        }
        let policy = |index: usize| self.rules.places.get(index).map(|place| place.0);
        let middle = range.start.midpoint(range.end);
        let cuts = (range.start + 1..range.end).filter(|&at| policy(at) != policy(at - 1));
        let cut = cuts.min_by_key(|&at| at.abs_diff(middle)).unwrap_or(middle);
        if range.len() < 2 || self.chains.len() >= MAX_CHAINS {
            return Err(PlanError::Chain { event: self.rules.event, policy: policy(range.start).unwrap_or(0) });
        }
        self.range(range.start..cut)?;
        self.range(cut..range.end)
    }

    /// One chain; `None`: over budget.
    fn one(&mut self, start: State) -> Option<()> {
        let mut raw = chain::build(&mut self.formulas, self.maker, start.clone())?;
        let left = std::mem::take(&mut raw.left);
        let first = raw.layers.first().filter(|l| matches!(l.columns.source, Source::SubjectClass(_)));
        let first = first.map(|l| First { source: l.columns.source.clone(), of_value: l.columns.of_value.clone(), alive: l.alive() });
        let Some(layers) = reduce(raw, left.len()) else { return Some(()) };
        if layers.iter().any(|layer| layer.table.len() > MAX_TABLE) {
            return None;
        }
        let event = self.rules.event;
        let named = left.iter().map(|left| self.outcomes.of(self.package, event, &self.rules.places, left));
        let finals = [NOTHING, CANARY].into_iter().chain(named).collect();
        self.chains.push(Made { start, chain: Chain { event, slot: 0, layers, finals }, first });
        Some(())
    }
}
