//! Checkstyle's XML: files with their findings. Columns count characters from 1.

use super::item::Item;
use crate::diag::text::xml;
use std::fmt::Write;

pub(super) fn document(items: &[Item<'_>]) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n".to_owned();
    for file in items.chunk_by(|a, b| a.at.path == b.at.path) {
        let path = file.first().map_or("", |item| item.at.path);
        let _ = writeln!(out, "  <file name=\"{}\">", xml(path));
        for item in file {
            let (at, finding) = (&item.at, item.finding);
            let _ = write!(out, "    <error line=\"{}\" column=\"{}\"", at.start.line, at.start.column);
            let _ = write!(out, " severity=\"{}\" source=\"ebsec.{}\"", finding.level.name(), finding.code);
            let _ = writeln!(out, " message=\"{}\"/>", xml(&finding.message));
        }
        out.push_str("  </file>\n");
    }
    out.push_str("</checkstyle>\n");
    out
}
