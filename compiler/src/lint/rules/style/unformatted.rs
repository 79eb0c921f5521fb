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
    if !file.tree.syntax_errors().is_empty() {
        return;
    }
    let Some(formatted) = fmt::reformatted(file.tree) else { return };
    let same = file.text.bytes().zip(formatted.bytes()).take_while(|(a, b)| a == b).count();
    let start = (0..=same.min(file.text.len())).rev().find(|at| file.text.is_char_boundary(*at)).unwrap_or(0) as u32;
    let loc = Loc::new(file.file, Span { start, end: start });
    report.push(report.at(loc, "the file is not formatted").help("run `ebsec fmt`"));
}
