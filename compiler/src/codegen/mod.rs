//! Takes the plan and the templates, gives the assembled programs with their data and maps. The programs are stitched
//! from `bpf-templates/`; this module holds no hook's name and decides nothing about a policy: the tables do.

mod chain;
mod data;
mod program;

use crate::bpf::asm::{self, AsmError, Params, Unit, Value};
use crate::decide::Plan;
use crate::hir::Package;
use crate::source::{Loc, Sources};
use ebsec_templates::{Catalog, HookId};

pub use data::{DataSymbol, MapKind, MapSpec};

/// A program of the artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Function name.
    pub name: String,
    /// ELF section, `lsm/…` or `iter/task`.
    pub section: String,
    /// The hook whose policy program it is; `None` for those that keep the records.
    pub hook: Option<HookId>,
    /// Slots of the plan that it decides.
    pub slots: Vec<u32>,
}

/// A place in a source that an instruction comes from, for line information.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceLine {
    /// File as the user names it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// The line's text.
    pub text: String,
}

/// All that an object is made of.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// Functions.
    pub unit: Unit,
    /// The generated text between the templates, for `--emit asm`.
    pub text: String,
    /// Programs in load order.
    pub programs: Vec<Program>,
    /// Data sections' symbols.
    pub data: Vec<DataSymbol>,
    /// Maps other than data sections.
    pub maps: Vec<MapSpec>,
    /// What `.loc N` names.
    pub lines: Vec<SourceLine>,
}

/// The name of what is not in a template.
pub(crate) const GENERATED: &str = "generated";

/// Generates the programs for every hook that raises an event of the plan, and those that keep the records.
///
/// # Errors
/// A mistake in the templates, with file and line; never one of the user's.
pub fn generate(package: &Package, plan: &Plan, catalog: &Catalog, sources: &Sources) -> Result<Code, Vec<AsmError>> {
    let mut tables = data::Tables::default();
    let mut lines = Lines { sources, list: Vec::new() };
    let mut text = String::new();
    let mut programs = Vec::new();
    for (index, hook) in catalog.hooks.iter().enumerate() {
        let always = program::has_before(hook);
        let chains: Vec<_> = program::chains_of(plan, hook);
        if chains.is_empty() && !always {
            continue;
        }
        let mut gen_ = chain::Emitter::new(catalog, package, hook, &mut tables, &mut lines);
        text.push_str(&program::emit(&mut gen_, &chains));
        let mut slots: Vec<u32> = chains.iter().map(|c| c.slot).collect();
        slots.dedup();
        programs.push(Program {
            name: format!("ebsec_{}", hook.name),
            section: format!("lsm/{}", hook.name),
            hook: Some(HookId(index as u16)),
            slots,
        });
    }
    let params = params(plan, &text);
    let mut texts: Vec<(&str, &str)> = ebsec_templates::assembly().collect();
    texts.push((GENERATED, &text));
    let unit = asm::assemble(&texts, &params)?;
    // The loader attaches in this order: what keeps the records first.
    let hooks = std::mem::take(&mut programs);
    for func in &unit.funcs {
        if let asm::FuncKind::Prog { section } = &func.kind
            && !hooks.iter().any(|p: &Program| p.name == func.name)
        {
            programs.push(Program { name: func.name.clone(), section: section.clone(), hook: None, slots: Vec::new() });
        }
    }
    programs.extend(hooks);
    let data = data::symbols(plan, tables);
    Ok(Code { unit, programs, data, maps: data::maps(plan), lines: lines.list, text })
}

/// The parameters of the templates: layouts of the schema, sizes of the tables.
fn params(plan: &Plan, text: &str) -> Params {
    let mut params = Params::new();
    for layout in &ebsec_templates::schema().structs {
        params.insert(format!("{}_size", layout.name), Value::Int(i64::from(layout.size)));
        for field in &layout.fields {
            params.insert(format!("{}_{}", layout.name, field.name), Value::Int(i64::from(field.offset)));
        }
    }
    let mut words = 0;
    for chain in &plan.chains {
        for layer in &chain.layers {
            if let crate::decide::Source::Line { window } = layer.source {
                words |= 1 << (window / 16);
            }
        }
    }
    let joins = &plan.subject.joins;
    let classes = plan.paths.class_sets.len();
    let numbers: [(&str, i64); 15] = [
        ("BYTES_MASK", plan.paths.bytes.len() as i64 * 8 - 8),
        ("STEPS_SHIFT", 64 - i64::from(plan.paths.bits)),
        ("START_PATH", i64::from(plan.paths.start_path)),
        ("START_FILE", i64::from(plan.paths.start_file)),
        ("START_COMM", i64::from(plan.paths.start_comm)),
        ("N_OUTCOMES", plan.outcomes.len() as i64),
        ("N_CLASSES", classes as i64),
        ("N_PROGRAMS", (classes + joins.joined.len()) as i64),
        ("N_NUMBERS", joins.class.len() as i64),
        ("N_JOINS", joins.table.len() as i64),
        ("JOINS_WIDTH", i64::from(joins.width)),
        ("NEED_DELETED", i64::from(text.contains("deleted_of"))),
        ("USE_LINE", words),
        ("TASK_SLOTS", data::TASK_SLOTS as i64),
        ("IMAGES", data::IMAGES as i64),
    ];
    params.extend(numbers.map(|(name, value)| (name.to_owned(), Value::Int(value))));
    params.insert("ALWAYS".to_owned(), Value::Text(format!("{:#x}", plan.subject.always)));
    params
}

/// The table of source lines.
pub(crate) struct Lines<'a> {
    sources: &'a Sources,
    list: Vec<SourceLine>,
}

impl Lines<'_> {
    /// Number of a place for `.loc`, or `None` where the place is in no source.
    pub(crate) fn number(&mut self, loc: Loc) -> Option<usize> {
        let place = self.sources.place(loc);
        let file = self.sources.get(place.file)?;
        let before = file.text.get(..place.span.start as usize)?;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        let text = file.text.get(start..)?.lines().next().unwrap_or("").trim().to_owned();
        let line = before.matches('\n').count() as u32 + 1;
        let entry = SourceLine { file: file.path.clone(), line, column: (before.len() - start) as u32 + 1, text };
        Some(self.list.iter().position(|l| *l == entry).unwrap_or_else(|| {
            self.list.push(entry);
            self.list.len() - 1
        }))
    }
}

#[cfg(test)]
mod tests;
