//! What the tests of the check share: a package from files of a folder or of a page, its findings with those of its unit
//! tests, and the package after a fix.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used)]

use ebsec_compiler::diag::page::ExampleFile;
use ebsec_compiler::diag::{self, Finding, Fix};
use ebsec_compiler::pipeline::{self, Checked, Input};
use ebsec_compiler::source::{FileId, Sources};
use ebsec_compiler::typed::Date;
use std::fs;
use std::path::Path;

/// A package: its own files first, then what the check added.
pub struct Case {
    pub sources: Sources,
    pub config: Option<FileId>,
    pub params: Vec<String>,
}

/// What a check gives, the findings of unit tests included.
pub struct Outcome {
    pub checked: Checked,
    pub findings: Vec<Finding>,
}

const PARAM: &str = "--param ";

impl Case {
    /// A policy of `tests/golden`. A line `// param: NAME=VALUE` gives a parameter; `NAME.toml` beside it is its `ebsec.toml`.
    pub fn golden(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut sources = Sources::default();
        let params = text.lines().filter_map(|l| l.strip_prefix("// param: ")).map(str::to_owned).collect();
        sources.add(path.file_name().unwrap().to_string_lossy(), text);
        let toml = path.with_extension("toml");
        let config = toml.exists().then(|| sources.add("ebsec.toml", fs::read_to_string(&toml).unwrap()));
        Self { sources, config, params }
    }

    /// An example of a page. Where it is about `ebsec.toml` alone, a policy is beside it, but for a package without one.
    pub fn example(files: &[ExampleFile]) -> Self {
        let mut sources = Sources::default();
        let mut config = None;
        for file in files {
            let id = sources.add(file.path, file.text.clone());
            if file.path == "ebsec.toml" {
                config = Some(id);
            }
        }
        Self { sources, config, params: Vec::new() }
    }

    /// Adds a policy without mistakes, if there is none.
    pub fn with_policy(mut self) -> Self {
        if self.config.is_some() && self.sources.files.len() == 1 {
            self.sources.add("policy.ebsec", "policy p { shell: deny exec when file.path == \"/usr/bin/dash\" }\n");
        }
        self
    }

    /// The whole check, as `ebsec check` does it.
    pub fn check(&self) -> Outcome {
        let (config, params) = (self.config, self.params.clone());
        let mut checked =
            pipeline::check(Input { sources: self.sources.clone(), config, params, today: Date::new(2026, 11, 23), ..Input::default() });
        let mut findings = std::mem::take(&mut checked.diagnostics);
        for package in checked.packages() {
            findings.extend(pipeline::test_failures(package, &pipeline::run_tests(package)));
        }
        Outcome { checked, findings }
    }

    /// The package with a fix made, which may change the values of parameters too.
    pub fn fixed(&self, outcome: &Outcome, fix: &Fix) -> Option<Self> {
        let mut sources = fix.apply(&outcome.checked.sources)?;
        let params = sources.files.iter().filter(|f| f.path.starts_with(PARAM)).map(|f| f.text.to_string()).collect();
        sources.files.truncate(self.sources.files.len());
        Some(Self { sources, config: self.config, params })
    }
}

impl Outcome {
    /// The findings as people see them, and what their fixes change.
    pub fn shown(&self) -> String {
        let sources = &self.checked.sources;
        let mut out = diag::render::pretty(&self.findings, sources, false);
        for fix in self.findings.iter().flat_map(|f| &f.fixes) {
            out.push_str(&format!("\nfix ({}): {}\n", fix.applicability.name(), fix.title));
            let fixed = fix.apply(sources).unwrap();
            for (before, after) in sources.files.iter().zip(&fixed.files).filter(|(a, b)| a.text != b.text) {
                let changed = before.text.lines().zip(after.text.lines()).filter(|(a, b)| a != b);
                changed.for_each(|(a, b)| out.push_str(&format!("- {a}\n+ {b}\n")));
            }
        }
        out
    }
}
