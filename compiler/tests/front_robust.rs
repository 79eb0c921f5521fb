//! Mangled policies: the check says what is wrong and never panics, hangs or gives a package with errors.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use ebsec_compiler::diag::{Level, render};
use ebsec_compiler::pipeline::{self, Input};
use ebsec_compiler::source::Sources;
use std::path::Path;

/// A small generator with a fixed start: the same mangling each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

fn words() -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for folder in ["bad", "check"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(folder);
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "ebsec")) {
            if file.file_stem().is_some_and(|s| s == "too_complex") {
                continue;
            }
            words.push(std::fs::read_to_string(file).unwrap());
        }
    }
    words
}

/// Words of one file in place of words of another.
fn mangle(a: &str, b: &str, random: &mut Random) -> String {
    let other: Vec<&str> = b.split_inclusive([' ', '\n']).collect();
    let mut out = String::new();
    for word in a.split_inclusive([' ', '\n']) {
        match random.below(24) {
            0 => out.push_str(other[random.below(other.len())]),
            1 => {}
            _ => out.push_str(word),
        }
    }
    out
}

#[test]
fn mangled_policies_are_refused_in_words() {
    let all = words();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..400 {
        let text = mangle(&all[round % all.len()], &all[random.below(all.len())], &mut random);
        let mut sources = Sources::default();
        sources.add("a.ebsec", text);
        let checked = pipeline::check(Input { sources, ..Input::default() });
        let of_the_language = checked.diagnostics.iter().any(|d| d.level == Level::Error && !d.code.starts_with('L'));
        assert_eq!(checked.package.is_none(), of_the_language);
        let _ = render::pretty(&checked.diagnostics, &checked.sources, false);
        let _ = render::json(&checked.diagnostics, &checked.sources);
        if let Some(package) = &checked.package {
            let _ = pipeline::test_failures(package, &pipeline::run_tests(package));
            let _ = pipeline::dump_hir(package);
        }
    }
}
