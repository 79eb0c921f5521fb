//! `tests/golden/typed`: for each policy what its names mean, where the parts of its conditions came from, and its findings.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Case, Outcome};
use ebsec_compiler::pipeline;
use ebsec_compiler::source::FileId;
use ebsec_test_support::{Goldens, files, folder};

#[test]
fn uses_and_origins_are_known() {
    let mut goldens = Goldens::new(folder("typed"), "typed");
    for path in files(&folder("typed"), "ebsec") {
        let Outcome { checked, findings } = Case::golden(&path).check();
        let mut out = pipeline::dump_uses(&checked.front, &checked.sources, FileId(0));
        if let Some(package) = &checked.package {
            out.push_str(&pipeline::dump_origins(package, &checked.front));
        }
        for found in &findings {
            out.push_str(&format!("{} {}\n", found.code, found.message));
        }
        goldens.check(path.file_stem().unwrap().to_str().unwrap(), &out);
    }
    goldens.finish();
}
