//! `ebsec inspect` for people who audit an artifact. Goldens (`tests/golden/inspect`): each `NAME.ebsec` and the example of the
//! web server, with what is shown of its policies in `NAME.txt`. The compiler's figures after it change with the compiler.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod common;

use common::{ebsec, folder, json, text};
use ebsec_compiler::hir::Package;
use ebsec_compiler::pipeline::{self, Input};
use ebsec_compiler::source::Sources;
use ebsec_test_support::{Goldens, files, folder as goldens};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Builds what a path names into a folder and inspects it.
fn inspected(folder: &Path, path: &Path, options: &str) -> std::process::Output {
    let artifact = folder.join("x.bpf.o");
    let built = ebsec(folder, &format!("build {} -o {}", path.display(), artifact.display()));
    assert!(built.status.success(), "{}: {}", path.display(), text(&built.stderr) + &text(&built.stdout));
    let done = ebsec(folder, &format!("inspect {}{options}", artifact.display()));
    assert!(done.status.success(), "{}", text(&done.stderr));
    done
}

/// What auditors read, without the figures after it.
fn of_policies(shown: &str) -> String {
    let (policies, figures) = shown.split_once("\nartifact\n").unwrap();
    assert!(figures.contains("  digest        sha256:") && figures.contains("\nprograms: "), "{figures}");
    // Rules have a table only where nothing else tells them.
    let rules = figures.split_once("\nrules: ").and_then(|(_, rest)| rest.split_once("\nsources: "));
    policies.to_owned() + &rules.map_or_else(String::new, |(rules, _)| format!("\nrules: {rules}"))
}

#[test]
fn what_is_let_through_comes_first() {
    let mut all = Goldens::new(goldens("inspect"), "txt");
    let folder = folder(&[]);
    let mut sources = files(&goldens("inspect"), "ebsec");
    sources.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/web-server"));
    for source in sources {
        // `before` is built by the library, without what policies say.
        let shown = match source.ends_with("before.ebsec") {
            true => {
                fs::write(folder.path().join("old.bpf.o"), artifact(&fs::read_to_string(&source).unwrap(), false)).unwrap();
                ebsec(folder.path(), "inspect old.bpf.o")
            }
            false => inspected(folder.path(), &source, ""),
        };
        let name = source.file_stem().unwrap().to_string_lossy();
        all.check(&name, &of_policies(&text(&shown.stdout)));
    }
    all.finish();
}

/// The artifact of a text, with what its policies say or without.
fn artifact(text: &str, written: bool) -> Vec<u8> {
    let mut sources = Sources::default();
    sources.add("x.ebsec", text);
    let checked = pipeline::check(Input { sources, written, ..Input::default() });
    let package: Package = checked.package.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    pipeline::build(&package, &checked.sources, ebsec_artifact::Tests::default()).unwrap().artifact
}

#[test]
fn the_rest_of_an_artifact_does_not_depend_on_it() {
    for file in files(&goldens("inspect"), "ebsec") {
        let policy = fs::read_to_string(file).unwrap();
        let [with, without] = [true, false].map(|written| artifact(&policy, written));
        let [with, without] = [&with, &without].map(|bytes| ebsec_artifact::open(bytes).unwrap());
        assert_eq!(with.manifest, without.manifest);
        let sections = |artifact: &ebsec_artifact::Artifact<'_>| -> BTreeMap<String, Vec<u8>> {
            artifact.sections().map(|(name, bytes)| (text(name), bytes.to_vec())).collect()
        };
        let (with_all, without_all) = (sections(&with), sections(&without));
        let differs = with_all.iter().filter(|(name, bytes)| without_all.get(*name) != Some(bytes)).map(|(name, _)| name.as_str());
        assert_eq!(differs.collect::<Vec<_>>(), [".ebsec.policies", ".shstrtab"]);
        assert!(with.policies().unwrap().is_some() && without.policies().unwrap().is_none());
    }
}

#[test]
fn json_has_the_same() {
    let folder = folder(&[]);
    let shown = json(&inspected(folder.path(), &goldens("inspect").join("everything.ebsec"), " --json"));
    let policies = &shown["policies"];
    let web = &policies["policies"][0];
    assert_eq!((web["name"].as_str(), web["mode"].as_str(), web["scope"].as_str()), (Some("web"), Some("enforce"), Some("by_web()")));
    assert_eq!(web["tags"].as_array().unwrap().len(), 2);
    assert_eq!(web["allows"][1]["unless"], "file.path.ext == \"gz\"");
    assert_eq!(policies["exceptions"].as_array().unwrap().len(), 3);
    assert_eq!(policies["exceptions"][0]["until"], "2031-12-31");
    let first = web["rules"][1]["first"].as_u64().unwrap() as usize;
    assert_eq!(shown["manifest"]["rules"][first]["label"], "change");
    assert!(policies["definitions"].as_array().unwrap().iter().any(|d| d["name"] == "std.programs.system_package_managers"));
}

#[test]
fn long_texts_and_lists_are_cut_unless_all_is_asked_for() {
    let paths: Vec<String> = (0..400).map(|n| format!("\"/srv/file-{n}\"")).collect();
    let rules: String = (0..60).map(|n| format!("    r{n}: audit file.read when file.path == \"/srv/x{n}\"\n")).collect();
    let policy = format!("policy p {{\n    long: audit file.read when file.path in [{}]\n{rules}}}\n", paths.join(", "));
    let folder = folder(&[("p.ebsec", &policy)]);
    let path = folder.path().join("p.ebsec");
    let short = of_policies(&text(&inspected(folder.path(), &path, "").stdout));
    assert!(short.contains("more lines (`--all` prints them)") && short.contains("… 21 more rules (`--all` prints them)"), "{short}");
    let all = of_policies(&text(&inspected(folder.path(), &path, " --all").stdout));
    assert!(all.contains("\"/srv/file-399\"") && all.contains("r59: file.read") && !all.contains('…'));
    assert!(all.lines().all(|line| line.chars().count() <= 110));
}
