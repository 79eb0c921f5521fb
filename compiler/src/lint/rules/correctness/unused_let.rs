//! `unused-let`: a constant that nothing uses.

use super::unused_import::is_library;
use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint, is_own};
use crate::resolve::{DefId, DefKind};

pub const LINT: Lint = Lint { code: codes::UNUSED_LET, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    let all = cx.names.defs.iter().enumerate().filter(|(_, d)| is_own(cx.names, d.file) && matches!(d.kind, DefKind::Let(..)));
    for (index, def) in all.filter(|(_, d)| !is_library(cx, d.file)) {
        let id = DefId(index as u32);
        if !cx.uses().defs.contains(&id) {
            let message = format!("the constant `{}` is never used", def.name.node);
            report.push(report.at(cx.names.def_loc(id), message).help("remove it"));
        }
    }
}
