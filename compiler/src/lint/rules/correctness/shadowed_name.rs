//! `shadowed-name`: an argument of a function that has the name of a definition, which the function then does not see.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint, is_own};
use crate::resolve::{DefKind, Found};
use crate::source::Loc;

pub const LINT: Lint = Lint { code: codes::SHADOWED_NAME, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for def in cx.names.defs.iter().filter(|d| is_own(cx.names, d.file)) {
        let DefKind::Fn(args, _) = def.kind else { continue };
        for (name, _) in args {
            if let Found::Here(id) = cx.names.find(def.file, &name.node) {
                let message = format!("in `{}`, the argument `{}` hides another definition", def.name.node, name.node);
                let finding = report.at(Loc::new(def.part, name.span), message).related(cx.names.def_loc(id), "the hidden definition");
                report.push(finding.help("give the argument another name"));
            }
        }
    }
}
