//! The rules of ARCHITECTURE.md that the sources can show: a module of the compiler uses only modules that stand before it
//! in `lib.rs` (those that span stages and tests are exempt), the pure crates do no input or output, and the loader knows
//! nothing of the compiler.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// May use every module.
const SPANNING: &[&str] = &["pipeline", "testing", "ide"];
/// Crates without input and output.
const PURE: &[&str] = &["grammar", "bpf-templates", "artifact", "compiler"];
/// What input and output begin with.
const OUTSIDE: &[&str] =
    &["std::fs", "std::io", "TcpStream", "UdpSocket", "ToSocketAddrs", "std::process", "std::env", "std::time", "println!", "eprintln!"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), files);
        }
    } else if path.extension().is_some_and(|e| e == "rs")
        && !path.file_name().is_some_and(|n| n.to_string_lossy().ends_with("tests.rs"))
        && !path.components().any(|c| c.as_os_str() == "tests")
    {
        files.push(path.to_owned());
    }
}

/// A file without comments and without what is there for tests only: items behind `#[cfg(test)]`.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let mut out = String::new();
    let mut lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        // Attributes that follow, then the item: up to its `;`, or to the brace that closes it in the same column.
        let item = lines.by_ref().find(|l| !l.trim_start().starts_with("#[")).unwrap_or_default();
        if !item.trim_end().ends_with([';', '}']) {
            let indent = item.len() - item.trim_start().len();
            lines.by_ref().find(|l| l.trim_start().starts_with('}') && l.len() - l.trim_start().len() == indent);
        }
    }
    out
}

/// Modules of the crate that a file names: `crate::a`, and each of `crate::{a, b::c}`.
fn modules(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut out = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            out.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (i, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                _ if begins && !c.is_whitespace() => {
                    out.push(word(&list[i..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    out
}

#[test]
fn names_are_found_in_every_form_of_use() {
    let found = modules("use crate::hir::{self, A};\nuse crate::{decide::{B, c}, object};\nfn f() { crate::diag::x() }");
    assert_eq!(found, ["hir", "decide", "object", "diag"]);
}

#[test]
fn a_stage_uses_only_earlier_stages() {
    let src = root().join("compiler/src");
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let order: Vec<&str> = lib.lines().filter_map(|l| l.trim().strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut wrong = Vec::new();
    for (index, module) in order.iter().enumerate().filter(|(_, m)| !SPANNING.contains(m)) {
        let mut files = Vec::new();
        for path in [src.join(module), src.join(format!("{module}.rs"))].into_iter().filter(|p| p.exists()) {
            sources(&path, &mut files);
        }
        for file in files {
            let used = modules(&code(&file));
            let later = order.iter().skip(index + 1).filter(|later| used.iter().any(|u| u == *later));
            wrong.extend(later.map(|later| format!("{} uses {later}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pure_crates_do_no_input_or_output() {
    let mut wrong = Vec::new();
    for folder in PURE {
        let mut files = Vec::new();
        sources(&root().join(folder).join("src"), &mut files);
        assert!(!files.is_empty());
        for file in files {
            let code = code(&file);
            wrong.extend(OUTSIDE.iter().filter(|o| code.contains(**o)).map(|o| format!("{} uses {o}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_loader_knows_nothing_of_the_compiler() {
    let manifest = fs::read_to_string(root().join("runtime-loader/Cargo.toml")).unwrap();
    let shipped = manifest.split("[dev-dependencies]").next().unwrap();
    for name in ["ebsec-compiler", "ebsec-grammar", "ebsec-templates"] {
        assert!(!shipped.contains(name), "runtime-loader depends on {name}");
    }
}
