//! Calls the lints of the text for each file of the package, whatever else is wrong with it.

use super::context::TextFile;
use super::report::Report;
use super::{Active, Input, is_own};
use crate::fmt::Extent;
use crate::source::FileId;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

/// Gives how far files are formatted, where someone asked.
pub(super) fn run(input: &Input<'_>, lints: &Active, report: &mut Report<'_>) -> FxHashMap<FileId, Extent> {
    let mut extents = FxHashMap::default();
    for (index, file) in input.names.files.iter().enumerate().filter(|(index, _)| is_own(input.names, *index)) {
        // Names of files are in the order of loading, as the trees are.
        let Some(tree) = input.loaded.files.get(index).map(|f| &f.tree) else { continue };
        let before = input.before.as_ref().and_then(|before| before.kept.files.get(&file.id));
        let text = TextFile { file: file.id, text: tree.text(), tree, before, extent: OnceCell::new() };
        for (head, check) in &lints.text {
            report.begin(*head);
            check(&text, report);
        }
        extents.extend(text.extent.into_inner().map(|extent| (file.id, extent)));
    }
    extents
}
