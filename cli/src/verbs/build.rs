//! `ebsec build`: a package in, its artifact out, or the text of any stage. Nothing is written where there is an error.

use super::check::{self, Common};
use super::could_not;
use crate::guest::Failure;
use crate::package::{self, Found};
use ebsec_compiler::diag;
use ebsec_compiler::hir::Package;
use ebsec_compiler::pipeline::{self, Built};
use ebsec_compiler::source::FileId;
use std::path::PathBuf;
use std::process::ExitCode;

/// A stage whose result can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// The syntax tree.
    Ast,
    /// The typed policy.
    Hir,
    /// Classes of every field, and the layers of each event.
    Classes,
    /// The generated text between the templates.
    Ir,
    /// The instructions.
    Asm,
    /// The tables.
    Maps,
    /// The manifest.
    Manifest,
}

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Where the artifact goes; NAME.bpf.o in the folder at hand otherwise.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the result of a stage instead of writing the artifact.
    #[arg(long, value_enum, value_delimiter = ',')]
    emit: Vec<Stage>,
}

/// Builds one package.
pub fn run(arguments: &Arguments) -> ExitCode {
    match build(arguments) {
        Ok(code) => code,
        Err(failure) => could_not(&failure),
    }
}

fn build(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut packages = package::open(&arguments.common.paths, &arguments.common.params, arguments.common.today)?;
    let (Some(found), true) = (packages.pop(), packages.is_empty()) else {
        return Err(Failure::new("an artifact is built from one package, and several were named"));
    };
    let (checked, mut findings) = check::check(&found);
    if let Some(package) = &checked.package {
        findings.extend(pipeline::test_failures(package, &pipeline::run_tests(package)));
    }
    let built = checked.package.as_ref().and_then(|package| match pipeline::build(package, &checked.sources) {
        Ok(built) => Some((package, built)),
        Err(finding) => {
            findings.push(*finding);
            None
        }
    });
    check::print(&found, &checked.sources, &findings, arguments.common.format);
    if arguments.emit.contains(&Stage::Ast) {
        print!("{}", pipeline::dump_ast(&checked.sources, &roots(&found)));
    }
    let Some((package, built)) = built.filter(|_| !diag::has_errors(&findings)) else { return Ok(ExitCode::from(1)) };
    for stage in &arguments.emit {
        print!("{}", emit(*stage, package, &built));
    }
    if arguments.emit.is_empty() || arguments.output.is_some() {
        let path = arguments.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.bpf.o", package.name)));
        write(&path, &built.artifact)?;
        let digest = ebsec_artifact::open(&built.artifact).map(|a| ebsec_artifact::hex(&a.digest)).unwrap_or_default();
        let rules: usize = package.policies.iter().map(|p| p.rules.len()).sum();
        println!(
            "{}: {}, {}, {} programs, {} KiB, digest {}",
            path.display(),
            count(package.policies.len(), "policy", "policies"),
            count(rules, "rule", "rules"),
            built.code.programs.len(),
            built.artifact.len().div_ceil(1024),
            digest.get(..16).unwrap_or(&digest)
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn emit(stage: Stage, package: &Package, built: &Built) -> String {
    match stage {
        Stage::Ast => String::new(),
        Stage::Hir => pipeline::dump_hir(package),
        Stage::Classes => ebsec_compiler::decide::dump::classes(package, &built.plan),
        Stage::Ir => built.code.text.clone(),
        Stage::Asm => pipeline::dump_asm(&built.code),
        Stage::Maps => ebsec_compiler::decide::dump::maps(package, &built.plan),
        Stage::Manifest => ebsec_artifact::open(&built.artifact)
            .ok()
            .and_then(|a| serde_json::to_string_pretty(&a.manifest).ok())
            .map_or_else(String::new, |text| text + "\n"),
    }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The file appears whole or not at all.
fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let failed = |e: std::io::Error| Failure::io("write", path, &e);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(mode).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// The package's own policy files.
fn roots(found: &Found) -> Vec<FileId> {
    let files = 0..found.input.sources.files.len() as u32;
    files.map(FileId).filter(|id| Some(*id) != found.input.config).collect()
}
