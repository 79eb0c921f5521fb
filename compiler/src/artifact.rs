//! Takes a typed package, its plan and its code, gives the sealed artifact: object, manifest and initial map contents.

mod names;

use crate::bpf::asm::{Func, FuncKind};
use crate::codegen::{Code, GENERATED, MapKind, Program};
use crate::decide::{CANARY, Plan};
use crate::hir::{self, Package};
use crate::object::{self, DataSpec, MapSpec, ObjectError, ObjectSpec, Param, ParamType, SourceLine};
use crate::source::{LineIndex, Sources};
use ebsec_artifact as format;
use ebsec_artifact::{Manifest, ManifestMap, ManifestProgram, MapContents, MapRole};
use ebsec_templates::Catalog;
use std::collections::{BTreeMap, BTreeSet};

/// Programs that keep the process records carry this as their hook's first kernel.
const RECORDS_SINCE: &str = "5.11";
const BPF_F_NO_PREALLOC: u32 = 1;
const BPF_F_RDONLY_PROG: u32 = 1 << 7;

/// Writes the artifact.
///
/// # Errors
/// The parts do not fit together: a mistake of the compiler, not of the user.
pub fn write(
    package: &Package,
    plan: &Plan,
    code: &Code,
    catalog: &Catalog,
    sources: &Sources,
    tests: format::Tests,
) -> Result<Vec<u8>, ObjectError> {
    let broken = |e: format::ArtifactError| ObjectError::new(e.to_string());
    let manifest = Manifest { tests, ..manifest(package, plan, code, catalog, sources) }.encode().map_err(broken)?;
    let policies = match &package.written {
        written if written.policies.is_empty() => Vec::new(),
        written => written.encode().map_err(broken)?,
    };
    let tables: Vec<MapContents> = code.maps.iter().filter(|m| !m.entries.is_empty()).map(contents).collect();
    let lines = code.lines.iter().map(|l| SourceLine { file: l.file.clone(), line: l.line, column: l.column, text: l.text.clone() });
    let spec = ObjectSpec {
        funcs: code.unit.funcs.as_slice().into(),
        params: params(code),
        maps: code.maps.iter().map(map).collect(),
        data: code.data.iter().map(data).collect(),
        sources: lines.collect(),
        // What is generated changes with the compiler alone: its lines are not quoted.
        templates: ebsec_templates::assembly().chain([(GENERATED, "")]).collect(),
        license: "Dual MIT/GPL",
        manifest,
        policies,
        tables: format::encode_tables(&tables).map_err(broken)?,
    };
    object::write(&spec)
}

/// Every argument of a subprogram is a number for the verifier, or memory; typed pointers pass through static ones only.
fn params(code: &Code) -> BTreeMap<String, Vec<Param>> {
    let param = |func: &Func, i: u8| {
        let ty = match (i, func.memory) {
            (0, 1..) => ParamType::Mem { name: format!("{}_memory", func.name), size: func.memory },
            _ => ParamType::U64,
        };
        Param { name: format!("a{}", i + 1), ty }
    };
    let subprograms = code.unit.funcs.iter().filter(|f| !matches!(f.kind, FuncKind::Prog { .. }));
    subprograms.map(|f| (f.name.clone(), (0..f.args).map(|i| param(f, i)).collect())).collect()
}

fn contents(map: &crate::codegen::MapSpec) -> MapContents {
    MapContents { name: map.name.to_owned(), key_size: map.key_size, value_size: map.value_size, entries: map.entries.clone() }
}

/// `enum bpf_map_type` (include/uapi/linux/bpf.h).
fn map(map: &crate::codegen::MapSpec) -> MapSpec {
    let map_type = match map.kind {
        MapKind::Hash => 1,
        MapKind::PerCpuArray => 6,
        MapKind::LpmTrie => 11,
        MapKind::RingBuf => 27,
    };
    let flags = u32::from(map.no_prealloc) * BPF_F_NO_PREALLOC + u32::from(map.frozen) * BPF_F_RDONLY_PROG;
    MapSpec { name: map.name.to_owned(), map_type, key_size: map.key_size, value_size: map.value_size, max_entries: map.max_entries, flags }
}

fn data(symbol: &crate::codegen::DataSymbol) -> DataSpec<'_> {
    DataSpec { section: symbol.section, symbol: symbol.symbol, bytes: symbol.bytes.as_slice().into(), zeros: symbol.zeros, align: 8 }
}

fn manifest(package: &Package, plan: &Plan, code: &Code, catalog: &Catalog, sources: &Sources) -> Manifest {
    let mut index = BTreeMap::new();
    let mut rules = Vec::new();
    let lines: Vec<LineIndex> = sources.files.iter().map(|f| LineIndex::new(&f.text)).collect();
    for (p, policy) in package.policies.iter().enumerate() {
        for (r, rule) in policy.rules.iter().enumerate() {
            index.insert((p as u32, r as u32), rules.len() as u32);
            rules.push(manifest_rule(policy, rule, catalog, sources, &lines));
        }
    }
    let outcomes = plan.outcomes.iter().enumerate().map(|(id, o)| outcome(id, o, &index, catalog)).collect();
    let section_bytes = |frozen| {
        let sections = code.data.iter().filter(move |d| d.section.starts_with(".rodata") == frozen);
        sections.map(|d| (d.bytes.len() + d.zeros) as u64).sum::<u64>()
    };
    let names = names::collect(package, catalog);
    Manifest {
        budget: format::Budget {
            map_bytes: section_bytes(false) + code.maps.iter().map(map_bytes).sum::<u64>(),
            path_states: u64::from(plan.paths.states),
            programs: code.programs.iter().map(|p| program_budget(p, code)).collect(),
            table_bytes: section_bytes(true),
        },
        compiler: concat!("ebsec ", env!("CARGO_PKG_VERSION")).to_owned(),
        format: format::FORMAT,
        kernels: package.kernels.clone(),
        line_bits: plan.subject.line_bits,
        maps: maps(code),
        name_sets: names.sets,
        names: names.names,
        names_left_out: names.left_out,
        outcomes,
        package: package.name.clone(),
        path_classes: plan.paths.class_sets.len() as u32,
        programs: code.programs.iter().map(|p| program(p, plan, catalog)).collect(),
        rules,
        schema: format::schema::SCHEMA_HASH.to_owned(),
        slots: plan.slots.iter().map(|&e| catalog[e].name.clone()).collect(),
        sources: sources
            .files
            .iter()
            .map(|f| format::SourceDigest { path: f.path.clone(), sha256: format::hex(&format::digest(f.text.as_bytes())) })
            .collect(),
        tests: format::Tests::default(),
        verified: Vec::new(),
        version: package.version.clone(),
    }
}

/// `lines` are the files' lines, in the order of the sources.
fn manifest_rule(policy: &hir::Policy, rule: &hir::Rule, catalog: &Catalog, sources: &Sources, lines: &[LineIndex]) -> format::Rule {
    let at = sources.place(rule.loc);
    let file = at.file.0 as usize;
    let place = sources.files.get(file);
    let line = place.zip(lines.get(file)).map_or(1, |(f, l)| l.position(&f.text, at.span.start).line);
    format::Rule {
        action: match rule.action {
            hir::Action::Deny => format::Action::Deny,
            hir::Action::Kill => format::Action::Kill,
            hir::Action::Audit => format::Action::Audit,
        },
        attack: rule.attack.clone(),
        because: rule.because.clone(),
        event: catalog[rule.event].name.clone(),
        file: place.map_or_else(String::new, |f| f.path.clone()),
        label: rule.label.clone(),
        line,
        // an audit refuses nothing, whatever its policy does
        mode: match (policy.mode, rule.action) {
            (hir::Mode::Enforce, hir::Action::Deny | hir::Action::Kill) => format::Mode::Enforce,
            _ => format::Mode::Observe,
        },
        policy: policy.name.clone(),
        severity: match rule.severity {
            hir::Severity::Low => format::Severity::Low,
            hir::Severity::Medium => format::Severity::Medium,
            hir::Severity::High => format::Severity::High,
            hir::Severity::Critical => format::Severity::Critical,
        },
    }
}

fn outcome(id: usize, outcome: &crate::decide::Outcome, index: &BTreeMap<(u32, u32), u32>, catalog: &Catalog) -> format::Outcome {
    let truth = |failed| if failed { format::Truth::Failed } else { format::Truth::True };
    let rule = |i: &crate::decide::Item| {
        let rule = *index.get(&(i.policy, i.rule))?;
        Some(format::OutcomeRule { rule, truth: truth(i.failed) })
    };
    let reserved = id <= CANARY as usize;
    format::Outcome {
        errno: if id == CANARY as usize { 1 } else { outcome.errno.unwrap_or(0) },
        event: if reserved { String::new() } else { catalog[outcome.event].name.clone() },
        id: id as u32,
        kill: outcome.kill,
        rules: outcome.items.iter().filter_map(rule).collect(),
    }
}

fn program(program: &Program, plan: &Plan, catalog: &Catalog) -> ManifestProgram {
    let slots: Vec<_> = program.slots.iter().filter_map(|&s| plan.slots.get(s as usize).copied()).collect();
    let refuses = plan.outcomes.iter().any(|o| o.errno.is_some() && !o.items.is_empty() && slots.contains(&o.event));
    let since = program.hook.map_or(RECORDS_SINCE.to_owned(), |h| {
        let (major, minor) = catalog[h].first_kernel;
        format!("{major}.{minor}")
    });
    ManifestProgram {
        enforcing: refuses,
        events: slots.iter().map(|&e| catalog[e].name.clone()).collect(),
        first_kernel: since,
        hook: program.section.strip_prefix("lsm/").unwrap_or("").to_owned(),
        name: program.name.clone(),
        section: program.section.clone(),
    }
}

fn program_budget(program: &Program, code: &Code) -> format::ProgramBudget {
    let instructions = code.unit.func(&program.name).map_or(0, |f| f.insns.len() as u64);
    format::ProgramBudget { instructions, name: program.name.clone(), stack: 0, verified: None }
}

fn map_bytes(map: &crate::codegen::MapSpec) -> u64 {
    if map.kind == MapKind::RingBuf {
        return u64::from(map.max_entries);
    }
    u64::from(map.max_entries) * u64::from(map.key_size + map.value_size)
}

fn maps(code: &Code) -> Vec<ManifestMap> {
    let role = |name: &str| match name {
        "control" => MapRole::Control,
        "tasks" => MapRole::Tasks,
        "owners" | "records" => MapRole::Records,
        "counters" => MapRole::Counters,
        "stats" => MapRole::Stats,
        "events" => MapRole::Events,
        "prefixes" => MapRole::Prefixes,
        "scratch" => MapRole::State,
        _ => MapRole::Table,
    };
    let mut seen = BTreeSet::new();
    let sections = code.data.iter().filter(|d| seen.insert(d.section)).map(|d| {
        let frozen = d.section.starts_with(".rodata");
        ManifestMap {
            digest: frozen.then(|| format::hex(&format::digest(&d.bytes))),
            frozen,
            max_entries: 1,
            name: d.section.to_owned(),
            role: role(d.symbol),
        }
    });
    let maps = code.maps.iter().map(|m| {
        let bytes: Vec<u8> = m.entries.iter().flat_map(|(k, v)| k.iter().chain(v)).copied().collect();
        ManifestMap {
            digest: m.frozen.then(|| format::hex(&format::digest(&bytes))),
            frozen: m.frozen,
            max_entries: m.max_entries,
            name: m.name.to_owned(),
            role: role(m.name),
        }
    });
    sections.chain(maps).collect()
}
