//! `audit-flood`: a rule that reports every operation of a kind that happens thousands of times a second.

use crate::diag::codes;
use crate::lint::context::{Context, Folded};
use crate::lint::narrow::narrows;
use crate::lint::report::Report;
use crate::lint::{Check, Lint};

pub const LINT: Lint = Lint { code: codes::AUDIT_FLOOD, check: Check::Folded(check) };

/// Events of every moment of a host.
const HOT: &[&str] = &["file.read", "file.write", "file.run", "hook.file_open", "hook.mmap_file"];

fn check(cx: &Context<'_>, folded: &Folded<'_>, report: &mut Report<'_>) {
    let event = cx.event(folded.rule);
    if folded.refuses() || !HOT.contains(&event) || narrows(&folded.rule.cond, false, &cx.whole) {
        return;
    }
    let message = format!("{} reports nearly every `{event}` on the host", folded.name());
    report.push(report.at(folded.loc(), message).help("add a `when` about the file, or a `scope` to the policy"));
}
