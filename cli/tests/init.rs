//! `ebsec init`: what it writes passes everything, where it goes, that nothing is replaced, and that docs/ci.md shows the same
//! files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

fn ebsec(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ebsec")).current_dir(folder).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Every file below a folder with its text, but a repository's own.
fn files(folder: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, out: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".git") {
                continue;
            } else if path.is_dir() {
                walk(root, &path, out);
            } else {
                let text = fs::read(&path).map_or(String::new(), |bytes| text(&bytes));
                out.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), text);
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(folder, folder, &mut out);
    out
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

/// A repository without commits, as far as ebsec looks at it.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

#[track_caller]
fn refused(done: &Output, wanted: &[&str]) {
    let said = text(&done.stderr);
    assert!(done.status.code() == Some(2) && done.stdout.is_empty(), "{said}{}", text(&done.stdout));
    wanted.iter().for_each(|want| assert!(said.contains(want), "lacks {want}: {said}"));
}

#[test]
fn what_is_written_passes_everything() {
    let folder = tempfile::tempdir().unwrap();
    let done = ebsec(folder.path(), &["init", "my policies", "--ci", "none"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    for words in [
        &["check", "my policies", "--fail-level", "info", "--format", "concise"][..],
        &["test", "my policies"],
        &["fmt", "--check", "my policies"],
        &["build", "my policies"],
        &["inspect", "my-policies.bpf.o"],
    ] {
        let done = ebsec(folder.path(), words);
        let said = format!("{}{}", text(&done.stdout), text(&done.stderr));
        assert!(done.status.success(), "{words:?}: {said}");
        assert!(words[0] != "check" || said.is_empty(), "{said}");
        assert!(words[0] != "test" || said.contains("5 of 5 operations"), "{said}");
    }
}

#[test]
fn what_is_written_is_said_and_what_to_do_next() {
    let folder = repository();
    let done = ebsec(folder.path(), &["init", "policies"]);
    let wanted = "\
wrote policies/ebsec.toml
wrote policies/policy.ebsec
wrote policies/.editorconfig
wrote .github/workflows/policies.yml
wrote .pre-commit-config.yaml

Next:
  ebsec check policies            checks the policy and runs its unit test
  ebsec build policies            writes the artifact
  ebsec verify policies.bpf.o     has the kernels that it is for verify it, in virtual machines
  ebsec-load load policies.bpf.o  on a host, as root: puts it in force; it observes and refuses nothing
  ebsec-load events --follow      shows what it would refuse
In .github/workflows/policies.yml and .pre-commit-config.yaml, replace OWNER and COMMIT: they name the ebsec that you trust.
";
    assert_eq!((text(&done.stdout).as_str(), text(&done.stderr).as_str()), (wanted, ""));
}

#[test]
fn files_for_ci_go_to_the_root_of_the_repository() {
    let folder = repository();
    fs::create_dir_all(folder.path().join("deep/er")).unwrap();
    assert!(ebsec(&folder.path().join("deep/er"), &["init", "--ci", "gitlab"]).status.success());
    let all = files(folder.path());
    let wanted = [".gitlab-ci.yml", ".pre-commit-config.yaml", "deep/er/.editorconfig", "deep/er/ebsec.toml", "deep/er/policy.ebsec"];
    assert_eq!(names(folder.path()), wanted);
    assert!(all[".gitlab-ci.yml"].contains("\n    EBSEC_PATHS: deep/er\n") && all["deep/er/ebsec.toml"].contains("\"er\""));
    // The whole repository is the package.
    let folder = repository();
    assert!(ebsec(folder.path(), &["init"]).status.success());
    assert!(files(folder.path())[".github/workflows/policies.yml"].contains("\n          paths: .\n"));
}

#[test]
fn the_documentation_shows_these_files() {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ci.md")).unwrap();
    for system in ["github", "gitlab"] {
        let folder = repository();
        assert!(ebsec(folder.path(), &["init", "policies", "--ci", system]).status.success());
        for (name, text) in files(folder.path()).iter().filter(|(name, _)| !name.starts_with("policies/")) {
            assert!(docs.contains(&format!("```yaml\n# {name}\n{text}```\n")), "docs/ci.md shows another {name}");
        }
    }
}

#[test]
fn nothing_is_replaced_and_then_nothing_is_written() {
    let folder = repository();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("policy.ebsec"), "mine").unwrap();
    refused(&ebsec(folder.path(), &["init"]), &["`policy.ebsec` exists already: nothing is written", "move it away"]);
    symlink("nowhere", path(".pre-commit-config.yaml")).unwrap();
    let wanted = ["`policy.ebsec`, `.pre-commit-config.yaml` exist already", "`--ci none`"];
    refused(&ebsec(folder.path(), &["init"]), &wanted);
    assert_eq!(names(folder.path()), [".pre-commit-config.yaml", "policy.ebsec"]);
    assert_eq!(fs::read_to_string(path("policy.ebsec")).unwrap(), "mine");
    // Twice is once.
    let again = tempfile::tempdir().unwrap();
    assert!(ebsec(again.path(), &["init"]).status.success());
    let before = files(again.path());
    refused(&ebsec(again.path(), &["init"]), &["`ebsec.toml`, `policy.ebsec`, `.editorconfig`, `.github/workflows/policies.yml`"]);
    assert_eq!(files(again.path()), before);
}

#[test]
fn a_place_that_does_not_suit_is_named() {
    let (folder, outside) = (repository(), tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), "").unwrap();
    refused(&ebsec(folder.path(), &["init", "file"]), &["`file` is not a folder"]);
    refused(&ebsec(folder.path(), &["init", "missing/../x"]), &["`missing/../x` leads through a folder that does not exist"]);
    refused(&ebsec(folder.path(), &["init", "a b"]), &["the path `a b` has characters", "`--ci none`"]);
    symlink(outside.path(), path(".github")).unwrap();
    refused(&ebsec(folder.path(), &["init", "policies"]), &["`.github` is a link out of `.`"]);
    assert!(names(outside.path()).is_empty() && !path("policies").exists());
    refused(&ebsec(folder.path(), &["init", "policies", "--ci", "jenkins"]), &["invalid value 'jenkins'"]);
    assert!(ebsec(folder.path(), &["init", "new/policies", "--ci", "gitlab"]).status.success());
    assert!(path("new/policies/policy.ebsec").exists());
}
