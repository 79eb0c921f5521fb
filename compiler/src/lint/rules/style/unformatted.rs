//! `unformatted`: a file that is not in the layout of `ebsec fmt`.

use crate::diag::codes;
use crate::fmt;
use crate::lint::context::TextFile;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};
use crate::source::{Loc, Span};

pub const LINT: Lint = Lint { code: codes::UNFORMATTED, check: Check::Text(check) };

fn check(file: &TextFile<'_>, report: &mut Report<'_>) {
    // What cannot be formatted has errors that say why.
    if !file.tree.errors().is_empty() {
        return;
    }
    let extent = file.extent.get_or_init(|| fmt::Extent::new(file.tree, file.before));
    let Some(start) = extent.difference() else { return };
    let loc = Loc::new(file.file, Span { start, end: start });
    report.push(report.at(loc, "the file is not formatted").help("run `ebsec fmt`"));
}
