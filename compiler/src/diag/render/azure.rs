//! Logging commands of Azure Pipelines: `##vso[task.logissue type=error;sourcepath=…]MESSAGE`. They know errors and warnings
//! only; what is for information is a plain line. Columns count characters from 1.

use super::item::Item;
use crate::diag::Level;
use crate::diag::text::{azure_message, azure_property, line};
use std::fmt::Write;

pub(super) fn document(items: &[Item<'_>]) -> String {
    let mut out = String::new();
    for item in items {
        let (at, finding) = (&item.at, item.finding);
        let kind = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => {
                let place = format!("{}:{}:{}", line(at.path), at.start.line, at.start.column);
                let _ = writeln!(out, "{place}: info[{}]: {}", finding.code, line(&finding.message));
                continue;
            }
        };
        let _ = write!(out, "##vso[task.logissue type={kind};sourcepath={}", azure_property(at.path));
        let _ = write!(out, ";linenumber={};columnnumber={};code={}]", at.start.line, at.start.column, finding.code);
        let _ = writeln!(out, "{}", azure_message(&item.whole_message()));
    }
    out
}
