//! The order of the stages: a module of the compiler uses only modules that stand before it in `lib.rs`, so that each can
//! be read without what comes after it. Modules that span stages are exempt, and so are tests.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// May use every module.
const SPANNING: &[&str] = &["pipeline", "testing", "ide"];

fn sources(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), files);
        }
    } else if path.extension().is_some_and(|e| e == "rs")
        && !path.ends_with("tests.rs")
        && !path.components().any(|c| c.as_os_str() == "tests")
    {
        files.push(path.to_owned());
    }
}

#[test]
fn a_stage_uses_only_earlier_stages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(root.join("lib.rs")).unwrap();
    let order: Vec<&str> = lib.lines().filter_map(|l| l.trim().strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut wrong = Vec::new();
    for (index, module) in order.iter().enumerate().filter(|(_, m)| !SPANNING.contains(m)) {
        let mut files = Vec::new();
        for path in [root.join(module), root.join(format!("{module}.rs"))].into_iter().filter(|p| p.exists()) {
            sources(&path, &mut files);
        }
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let later = order
                .iter()
                .skip(index + 1)
                .filter(|later| code.contains(&format!("crate::{later}::")) || code.contains(&format!("use crate::{later}")));
            wrong.extend(later.map(|later| format!("{} uses {later}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
