//! A line for each finding, `PATH:LINE:COLUMN: LEVEL[CODE]: MESSAGE`, as compilers write them and editors read them. Columns
//! count characters.

use super::item::Item;
use crate::diag::text::line;
use std::fmt::Write;

pub(super) fn document(items: &[Item<'_>]) -> String {
    let mut out = String::new();
    for item in items {
        let (at, finding) = (&item.at, item.finding);
        let place = format!("{}:{}:{}", line(at.path), at.start.line, at.start.column);
        let _ = writeln!(out, "{place}: {}[{}]: {}", finding.level.name(), finding.code, line(&finding.message));
    }
    out
}
