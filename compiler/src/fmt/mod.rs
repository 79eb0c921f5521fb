//! The formatter: a policy file in, the same file in the one layout out. Small passes over the tokens, each in a file of its
//! own; comments hang on tokens. It reads what it wrote again and compares: it gives no text that means something else.
//! Never reads or writes files.
//!
//! A layout depends on what a file says and, where readers would miss it, on how it is written: empty lines (at most one in a
//! row), and sets that were written with one element a line and a comma after the last one.

mod align;
mod atoms;
mod check;
mod commas;
mod extent;
mod finding;
mod imports;
mod layout;
mod nodes;
mod off;
mod print;
mod roles;
#[cfg(test)]
mod tests;
mod units;
mod write;

pub use extent::Extent;
pub use finding::unformatted;

use ebsec_grammar::{SyntaxError, Tree, parse};

/// Columns that a line has at most, where it can be broken.
pub const WIDTH: usize = 100;

/// Blanks of one indent.
const STEP: usize = 4;

/// Why a file is not formatted.
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// It does not parse. Places are bytes of the file.
    Syntax(Vec<SyntaxError>),
    /// The formatter's own result is not what the file says: an error of the formatter, and what differs.
    Internal(&'static str),
}

/// Formats the text of a policy file.
///
/// # Errors
///
/// If the text does not parse, or if the result would not say the same.
pub fn format(text: &str) -> Result<String, Refused> {
    let before = parse(text);
    let errors = before.syntax_errors();
    if !errors.is_empty() {
        return Err(Refused::Syntax(errors));
    }
    let after = match reformatted(&before) {
        None => return Ok(text.to_owned()),
        Some(written) => parse(&written),
    };
    match check::difference(&before, &after) {
        Some(what) => Err(Refused::Internal(what)),
        None => Ok(after.text().to_owned()),
    }
}

/// The layout of a file without syntax errors, if it has another. Not compared with what the file says, which takes longer
/// than all else.
pub fn reformatted(tree: &Tree) -> Option<String> {
    Some(lay_out(tree, line_end(tree.text()))).filter(|written| written != tree.text())
}

/// Runs the passes.
fn lay_out(tree: &Tree, line_end: &'static str) -> String {
    let text = tree.text();
    let mut all = atoms::atoms(text, tree.whole().all_places());
    let kinds = units::number(tree, &mut all);
    let (kinds, all) = off::keep(text, kinds, all);
    let (kinds, mut all) = imports::sort(kinds, all);
    roles::assign(&kinds, &mut all);
    let mut atoms = nodes::Atoms::new(commas::complete(all));
    let mut units = units::units(&kinds, &atoms.all);
    align::align(&mut units, &mut atoms);
    print::print(&units, &atoms, line_end)
}

/// The line end of a file: that of its first line.
fn line_end(text: &str) -> &'static str {
    match text.find('\n').and_then(|at| at.checked_sub(1)) {
        Some(before) if text.as_bytes().get(before) == Some(&b'\r') => "\r\n",
        _ => "\n",
    }
}
