//! `ebsec build`: a package in, its artifact out, or the text of any stage. Nothing is written where there is an error.

use super::check::{self, Common};
use crate::guest::Failure;
use crate::output;
use crate::package::{Found, shown};
use crate::report::{self, Judged};
use ebsec_artifact::DIGEST_LENGTH;
use ebsec_compiler::diag::render::Format;
use ebsec_compiler::diag::{self, Finding, Level, text};
use ebsec_compiler::hir::Package;
use ebsec_compiler::pipeline::{self, Built, Checked};
use ebsec_compiler::source::FileId;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A stage whose result can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// The syntax tree.
    Ast,
    /// The folded policy.
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
#[command(after_help = "One package is built at a time: PATHS are its folder, or its files.")]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Where the artifact goes; by default NAME.bpf.o in the current directory.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the result of a stage instead of writing the artifact.
    #[arg(long, value_enum, value_delimiter = ',', conflicts_with = "output")]
    emit: Vec<Stage>,
}

/// An artifact may be replaced; what else stands at the output's name, such as a policy, may not.
fn replaceable(path: &Path) -> Result<(), Failure> {
    let is_artifact = || {
        let mut start = [0; 4];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"\x7fELF"
    };
    // A device or a pipe is written to and loses nothing.
    if path.metadata().is_ok_and(|m| !m.is_file() || m.len() == 0) || !path.exists() || is_artifact() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` exists and is not an artifact, so it is not replaced; choose another file with `-o`", shown(path))))
}

/// Where an artifact goes that is not given a place: beside what is here already, never through a link of this name.
fn in_this_folder(package: &str) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(format!("{package}.bpf.o"));
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => {
            let message = format!("`{}` is there and is not a regular file: it is not replaced", shown(&path));
            Err(Failure::new(message).help("choose where the artifact goes with `-o`"))
        }
        _ => Ok(path),
    }
}

/// Most packages that a message names.
const MAX_NAMED: usize = 8;

/// Builds one package.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let common = &arguments.common;
    let mut packages = common.open()?;
    if packages.iter().any(|found| !found.is_below) {
        packages.retain(|found| !found.is_below);
    }
    if packages.len() > 1 {
        let folders: Vec<String> = packages.iter().take(MAX_NAMED).map(|found| format!("`{}`", found.root())).collect();
        let failure = Failure::new(format!("`build` takes one package, and there are {}", packages.len()));
        return Err(common.told(failure.help(format!("build each by itself: {}", folders.join(", ")))));
    }
    let Some(mut found) = packages.pop() else { return Err(common.told(Failure::new("there is no package"))) };
    found.input.written = true;
    let (checked, mut findings) = check::check(&found);
    let built = checked.package.as_ref().and_then(|package| Some((package, build(package, &checked, &mut findings)?)));
    let wrong = diag::has_errors(&findings);
    report::print(&[Judged::new(&found, &checked, findings)], &[], common.format, Level::Error)?;
    if arguments.emit.contains(&Stage::Ast) {
        output::print(&pipeline::dump_ast(&checked.sources, &roots(&found)))?;
    }
    let Some((package, built)) = built.filter(|_| !wrong) else { return Ok(ExitCode::from(1)) };
    for stage in &arguments.emit {
        output::print(&emit(*stage, package, &built))?;
    }
    if arguments.emit.is_empty() {
        let path = match &arguments.output {
            Some(path) => path.clone(),
            None => in_this_folder(&package.name)?,
        };
        replaceable(&path)?;
        output::file(&path, &built.artifact)?;
        if common.format == Format::Pretty {
            output::print(&summary(&path, package, &built))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The artifact of a package that has the right types, unless its tests fail or it would do nothing.
fn build(package: &Package, checked: &Checked, findings: &mut Vec<Finding>) -> Option<Built> {
    let mut tests = ebsec_artifact::Tests::default();
    for tested in checked.packages() {
        let results = pipeline::run_tests(tested);
        let counted = pipeline::tested(tested, &results);
        tests = ebsec_artifact::Tests { failed: tests.failed + counted.failed, passed: tests.passed + counted.passed };
        findings.extend(pipeline::test_failures(tested, &results));
    }
    if let Some(finding) = pipeline::nothing_in_force(package) {
        findings.push(finding);
        return None;
    }
    pipeline::build(package, &checked.sources, tests).map_err(|finding| findings.push(*finding)).ok()
}

/// What was written, in a line.
fn summary(path: &Path, package: &Package, built: &Built) -> String {
    let digest = built.artifact.last_chunk::<DIGEST_LENGTH>().map_or_else(String::new, |d| ebsec_artifact::hex(d));
    let rules: usize = package.policies.iter().map(|p| p.rules.len()).sum();
    format!(
        "{}: {}, {}, {} programs, {} KiB, digest {}\n",
        shown(path),
        count(package.policies.len(), "policy", "policies"),
        count(rules, "rule", "rules"),
        built.code.programs.len(),
        built.artifact.len().div_ceil(1024),
        digest.get(..16).unwrap_or(&digest)
    )
}

fn emit(stage: Stage, package: &Package, built: &Built) -> String {
    match stage {
        Stage::Ast => String::new(),
        Stage::Hir => pipeline::dump_hir(package),
        Stage::Classes => ebsec_compiler::decide::dump::classes(package, &built.plan),
        Stage::Ir => built.code.text.clone(),
        Stage::Asm => pipeline::dump_asm(&built.code),
        Stage::Maps => ebsec_compiler::decide::dump::maps(package, &built.plan),
        Stage::Manifest => ebsec_artifact::open(&built.artifact).ok().map_or_else(String::new, |artifact| text::json(&artifact.manifest)),
    }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The package's own policy files.
fn roots(found: &Found) -> Vec<FileId> {
    let files = 0..found.input.sources.files.len() as u32;
    files.map(FileId).filter(|id| Some(*id) != found.input.config).collect()
}
