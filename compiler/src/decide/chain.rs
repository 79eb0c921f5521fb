//! A chain: the rules of one event through all layers, cheapest field first. Takes formulas, gives raw tables in which
//! equal rows and columns are not merged yet; [`super::reduce`] does that.

use super::columns::{Columns, Maker};
use super::formula::{FALSE, Formula, Formulas, Shape};
use super::probes::{Asked, Probe};
use super::states::{self, Budget, State};
use super::{CANARY_STATE, DEAD, Flag, START};
use ebsec_templates::Catalog;
use std::collections::BTreeMap;

/// Limits of a chain before it is split.
pub(super) const BUDGET: Budget = Budget { states: 1 << 18, entries: 1 << 22, work: 1 << 26 };
/// Flags that one layer may gather.
const FLAGS: usize = 6;
/// Guest instructions for `.deleted`, which needs no path.
const DELETED_COST: u32 = 15;

/// A layer with the reserved states in its table, nothing merged.
pub(super) struct RawLayer {
    pub(super) columns: Columns,
    pub(super) table: Vec<u32>,
}

impl RawLayer {
    /// For each column: is anything left of the start state? Of a chain's first layer.
    pub(super) fn alive(&self) -> Vec<bool> {
        let ncols = self.columns.answers.len();
        self.table.iter().skip(START as usize * ncols).take(ncols).map(|next| *next != DEAD).collect()
    }
}

/// All layers, and what is left of the rules in each state after them ([`START`] and on).
pub(super) struct RawChain {
    pub(super) layers: Vec<RawLayer>,
    pub(super) left: Vec<State>,
}

/// The probes that formulas ask, by source.
pub(super) fn probes_of(formulas: &Formulas, all: &[Probe], state: &State) -> BTreeMap<Asked, Vec<u32>> {
    let mut seen = vec![false; formulas.len()];
    let mut work: Vec<Formula> = state.iter().map(|(_, formula)| *formula).collect();
    let mut probes: BTreeMap<Asked, Vec<u32>> = BTreeMap::new();
    while let Some(formula) = work.pop() {
        match seen.get_mut(formula as usize) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        match formulas.shape(formula) {
            Shape::Const => {}
            Shape::Probe(probe, _) => {
                if let Some((asked, _)) = all.get(*probe as usize) {
                    probes.entry(*asked).or_default().push(*probe);
                }
            }
            Shape::And(parts) | Shape::Or(parts) => work.extend(parts.iter()),
        }
    }
    for list in probes.values_mut() {
        list.sort_unstable();
        list.dedup();
    }
    probes
}

fn cost(catalog: &Catalog, asked: Asked) -> u32 {
    match asked {
        Asked::Flag(Flag::Deleted(_)) => DELETED_COST,
        Asked::Window(_) => catalog.fields.iter().find(|f| f.many).map_or(0, |f| f.cost),
        Asked::ObjectClass(field)
        | Asked::SubjectClass(field)
        | Asked::NameClass(field)
        | Asked::Flag(Flag::Field(field) | Flag::Trusted(field))
        | Asked::Number(field)
        | Asked::Mode(field)
        | Asked::Prefix(field) => catalog[field].cost,
    }
}

/// Whether the answer comes with a walk of the object's paths: such layers stand last, for they are gone through once for
/// each path.
fn needs_path(asked: Asked) -> bool {
    matches!(asked, Asked::ObjectClass(_) | Asked::Flag(Flag::Deleted(_)))
}

/// Sources in the order of the walk: by cost, flags gathered (a layer of flags stands where its dearest one would),
/// the window of bit 0 before other windows.
fn order(catalog: &Catalog, asked: impl Iterator<Item = Asked>) -> Vec<Vec<Asked>> {
    let (flags, mut others): (Vec<Asked>, Vec<Asked>) = asked.partition(|a| matches!(a, Asked::Flag(_)));
    others.sort();
    let (of_paths, plain): (Vec<Asked>, Vec<Asked>) = flags.into_iter().partition(|a| needs_path(*a));
    let gathered = [plain, of_paths].map(|mut flags| {
        flags.sort_by_key(|a| (cost(catalog, *a), *a));
        flags.chunks(FLAGS).map(<[Asked]>::to_vec).collect::<Vec<_>>()
    });
    let mut layers = gathered.concat();
    layers.extend(others.into_iter().map(|a| vec![a]));
    layers.sort_by_key(|layer| (layer.iter().any(|a| needs_path(*a)), layer.iter().map(|a| cost(catalog, *a)).max()));
    layers
}

/// Decides a start state. `None`: over budget.
pub(super) fn build(formulas: &mut Formulas, maker: &Maker<'_>, start: State) -> Option<RawChain> {
    let asked = probes_of(formulas, maker.probes, &start);
    let mut budget = BUDGET;
    let mut states = vec![start];
    let mut layers = Vec::new();
    for group in order(maker.catalog, asked.keys().copied()) {
        let mut probes: Vec<u32> = group.iter().filter_map(|a| asked.get(a)).flatten().copied().collect();
        probes.sort_unstable();
        let columns = maker.columns(&group, &probes)?;
        let is_probe = |probe: u32| probes.binary_search(&probe).is_ok();
        let stepped = states::step(formulas, &states, &is_probe, &columns.answers, &mut budget)?;
        let (names, kept) = name_states(stepped.next);
        let ncols = columns.answers.len();
        let reserved = std::iter::repeat_n(DEAD, ncols).chain(std::iter::repeat_n(CANARY_STATE, ncols));
        let entries = stepped.table.iter().map(|&next| names.get(next as usize).copied().unwrap_or(DEAD));
        layers.push(RawLayer { table: reserved.chain(entries).collect(), columns });
        states = kept;
    }
    Some(RawChain { layers, left: states })
}

/// Numbers states from [`START`] on; the one in which nothing is left is [`DEAD`] and not kept.
fn name_states(next: Vec<State>) -> (Vec<u32>, Vec<State>) {
    let mut names = Vec::with_capacity(next.len());
    let mut kept = Vec::with_capacity(next.len());
    for state in next {
        if state.is_empty() {
            names.push(DEAD);
        } else {
            names.push(START + kept.len() as u32);
            kept.push(state);
        }
    }
    (names, kept)
}

/// The start state of rules: those that can be anything but false, numbered by their place in the list.
pub(super) fn start(rules: &[(u32, Formula)]) -> State {
    rules.iter().copied().filter(|(_, formula)| *formula != FALSE).collect()
}

/// For each column of one source: is anything left of the state?
pub(super) fn alive(formulas: &mut Formulas, start: &State, probes: &[u32], columns: &Columns) -> Option<Vec<bool>> {
    let is_probe = |probe: u32| probes.binary_search(&probe).is_ok();
    let stepped = states::step(formulas, std::slice::from_ref(start), &is_probe, &columns.answers, &mut BUDGET.clone())?;
    let left = |name: &u32| stepped.next.get(*name as usize).is_some_and(|state| !state.is_empty());
    Some(stepped.table.iter().map(left).collect())
}
