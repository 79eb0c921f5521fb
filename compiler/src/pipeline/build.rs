//! Typed policy to artifact: classes, decide, codegen, object; and the text of each stage.

use crate::artifact;
use crate::bpf;
use crate::codegen::{self, Code};
use crate::decide::{self, Plan};
use crate::diag::{Finding, codes};
use crate::hir::Package;
use crate::source::{Loc, Sources};
use ebsec_artifact::MAX_LENGTH;
use ebsec_templates::catalog;
use std::fmt::Write;

/// A built package.
#[derive(Clone, Debug)]
pub struct Built {
    /// The sealed artifact.
    pub artifact: Vec<u8>,
    /// Its tables.
    pub plan: Plan,
    /// Its programs.
    pub code: Code,
}

/// Builds the artifact of a package that the check has accepted; `tests` says how many lines of its tests passed.
///
/// # Errors
/// A budget that the policy exceeds, at the rules that need it; or, as a finding too, a mistake of the compiler.
pub fn build(package: &Package, sources: &Sources, tests: ebsec_artifact::Tests) -> Result<Built, Box<Finding>> {
    let plan = decide::plan(package).map_err(|e| {
        let places = e.places(package);
        let loc = places.first().copied().unwrap_or_default();
        let mut finding = Finding::error(codes::BUDGET, loc, e.message(package)).help(e.help());
        for place in places.iter().skip(1).take(8) {
            finding = finding.related(*place, "this needs it too");
        }
        Box::new(finding)
    })?;
    let internal = |message: String| {
        let loc = package.policies.first().map_or_else(Loc::default, |p| p.loc);
        let help = "this is a mistake of ebsec, not of the policy: please report it with the policy";
        Box::new(Finding::error(codes::INTERNAL, loc, message).help(help))
    };
    let code = codegen::generate(package, &plan, catalog(), sources)
        .map_err(|errors| internal(errors.first().map_or_else(String::new, ToString::to_string)))?;
    let artifact = artifact::write(package, &plan, &code, catalog(), sources, tests).map_err(|e| internal(e.to_string()))?;
    if artifact.len() > MAX_LENGTH {
        return Err(too_long(package, artifact.len()));
    }
    Ok(Built { artifact, plan, code })
}

/// What nobody could open is not built.
fn too_long(package: &Package, bytes: usize) -> Box<Finding> {
    let loc = package.policies.first().map_or_else(Loc::default, |p| p.loc);
    let rules: usize = package.policies.iter().map(|p| p.rules.len()).sum();
    let message = format!("the artifact of {rules} rules would have {bytes} bytes, at most {MAX_LENGTH} are possible");
    Box::new(Finding::error(codes::BUDGET, loc, message).help("gather the paths of rules that do the same in one rule by `in [...]`"))
}

/// Every function's instructions, with the place in the policy that they come from.
pub fn dump_asm(code: &Code) -> String {
    let mut out = String::new();
    for func in &code.unit.funcs {
        let _ = writeln!(out, "{} ({:?}):", func.name, func.kind);
        let text = bpf::disasm(&func.insns);
        let mut locs = func.locs.iter().peekable();
        let mut slot = 0;
        for line in text.lines() {
            while let Some((_, loc)) = locs.next_if(|(at, _)| *at <= slot) {
                if let bpf::asm::Loc::Source(number) = loc
                    && let Some(source) = code.lines.get(*number as usize)
                {
                    let _ = writeln!(out, "; {}:{}: {}", source.file, source.line, source.text);
                }
            }
            let _ = writeln!(out, "{line}");
            if !line.ends_with(':') {
                slot += if line.trim_end().ends_with(" ll") { 2 } else { 1 };
            }
        }
    }
    out
}
