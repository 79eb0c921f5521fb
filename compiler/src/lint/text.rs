//! Calls the lints of the text for each file of the package, whatever else is wrong with it.

use super::context::TextFile;
use super::report::Report;
use super::{Active, Input, is_own};

pub(super) fn run(input: &Input<'_>, lints: &Active, report: &mut Report<'_>) {
    for (index, file) in input.names.files.iter().enumerate().filter(|(index, _)| is_own(input.names, *index)) {
        // Names of files are in the order of loading, as the trees are.
        let Some(tree) = input.loaded.files.get(index).map(|f| &f.tree) else { continue };
        let text = TextFile { file: file.id, text: tree.text(), tree };
        for (head, check) in &lints.text {
            report.begin(*head);
            check(&text, report);
        }
    }
}
