//! Every hook's program assembles, for a plan that asks every kind of source at every event.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::classes::numbers::Intervals;
use crate::classes::paths::{PathTables, Step};
use crate::decide::{Chain, Flag, Layer, Outcome, Source, SubjectTables};
use ebsec_templates::{EventId, FieldType, catalog};

fn source_of(catalog: &Catalog, field: ebsec_templates::FieldId) -> Source {
    match &catalog[field].ty {
        FieldType::Path if catalog[field].many => Source::Line { window: 17 },
        FieldType::Path if catalog[field].of == ebsec_templates::FieldOf::Object => Source::ObjectClass(field),
        FieldType::Path => Source::SubjectClass(field),
        FieldType::Comm | FieldType::Name => Source::NameClass(field),
        FieldType::Bool if catalog[field].identity => Source::Flags(vec![Flag::Field(field), Flag::Trusted(field)]),
        FieldType::Bool => Source::Flags(vec![Flag::Field(field)]),
        FieldType::Ip => Source::Prefix(field),
        FieldType::Mode => Source::Mode(field),
        _ => Source::Number(field, Intervals::of(&[(3, 5), (80, 80)], false)),
    }
}

/// A plan that asks everything everywhere.
pub(crate) fn everything(catalog: &Catalog) -> Plan {
    let mut plan = Plan {
        paths: PathTables {
            bytes: vec![0x8000_0001; 1024],
            steps: vec![Step { word: 0, base: 1, next: 0 }; 16],
            bits: 4,
            start_path: 64,
            start_file: 64,
            start_comm: 64,
            class_sets: vec![Vec::new(); 3],
            ..PathTables::default()
        },
        subject: SubjectTables {
            line_any: vec![[0; 4]; 3],
            line_trusted: vec![[0; 4]; 3],
            exe_mask: vec![u64::MAX; 6],
            parent_mask: vec![u64::MAX; 6],
            joins: crate::decide::Joins::of(&vec![Vec::new(); 3], &Default::default()),
            line_events: vec![0; 6],
            always: u64::MAX,
            line_bits: 72,
        },
        outcomes: vec![Outcome { event: EventId(0), items: Vec::new(), errno: None, kill: false }; 3],
        ..Plan::default()
    };
    for (index, event) in catalog.events.iter().enumerate() {
        let layer = |source| Layer { source, columns: Some(vec![0; 5000]), ncols: 1, table: vec![0, 1, 2], states: 3 };
        let only = std::env::var("EBSEC_ONLY").unwrap_or_default();
        let asked = event.fields.iter().filter(|&&f| only.is_empty() || only.split(',').any(|o| o == catalog[f].name));
        let mut layers: Vec<Layer> = asked.map(|&f| layer(source_of(catalog, f))).collect();
        layers.sort_by_key(|l| matches!(l.source, Source::ObjectClass(_)));
        if !only.is_empty() {
        } else if let Some(path) = catalog.field("file.path").filter(|f| event.fields.contains(f)) {
            layers.push(layer(Source::Flags(vec![Flag::Deleted(path)])));
        }
        plan.slots.push(EventId(index as u16));
        plan.chains.push(Chain { event: EventId(index as u16), slot: index as u32, layers, finals: vec![0, 1, 2] });
    }
    plan
}

#[test]
fn every_hook_assembles() {
    let catalog = catalog();
    let plan = everything(catalog);
    let code = match generate(&Package::default(), &plan, catalog, &Sources::default()) {
        Ok(code) => code,
        Err(errors) => panic!("{}", errors.iter().take(30).map(|e| format!("{e}\n")).collect::<String>()),
    };
    assert_eq!(code.programs.len(), catalog.hooks.len() + 6);
    for func in &code.unit.funcs {
        assert!(func.insns.len() < 30_000, "{} has {} instructions", func.name, func.insns.len());
    }
}

#[test]
fn everything_becomes_an_object() {
    let catalog = catalog();
    let plan = everything(catalog);
    let code = generate(&Package::default(), &plan, catalog, &Sources::default()).unwrap();
    let bytes = match crate::artifact::write(&Package::default(), &plan, &code, catalog, &Sources::default(), Default::default()) {
        Ok(bytes) => bytes,
        Err(e) => panic!("{e}"),
    };
    ebsec_artifact::open(&bytes).unwrap();
    if let Some(path) = std::env::var_os("EBSEC_DUMP") {
        std::fs::write(path, bytes).unwrap();
    }
}
