//! `unused-import`: a module is imported and nothing of it is used.

use crate::diag::codes;
use crate::lint::context::Context;
use crate::lint::report::Report;
use crate::lint::{Check, Lint, is_own};
use crate::resolve::MODULES;
use crate::source::Loc;
use ebsec_grammar::ast::ItemKind;

pub const LINT: Lint = Lint { code: codes::UNUSED_IMPORT, check: Check::Package(check) };

fn check(cx: &Context<'_>, report: &mut Report<'_>) {
    for other in cx.names.others.iter().filter(|o| is_own(cx.names, o.file)) {
        let ItemKind::Import { path, alias } = &other.item.kind else { continue };
        let name = alias.as_ref().unwrap_or(path);
        if cx.uses().imports.contains(&(other.file, name.node.as_str())) {
            continue;
        }
        let message = format!("`{}` is imported and never used in this file", path.node);
        let finding = report.at(Loc::new(other.part, path.span), message);
        let help = "remove it; a policy of a module does nothing until you `apply` it";
        report.push(finding.help(help).fix("remove the import", Loc::new(other.part, other.item.span), ""));
    }
}

/// Whether a file is a module of the library, whose definitions are for others.
pub fn is_library(cx: &Context<'_>, file: usize) -> bool {
    let text = cx.names.files.get(file).and_then(|f| cx.sources.get(f.id)).map(|f| &*f.text);
    text.is_some_and(|text| MODULES.iter().any(|(_, _, module)| *module == text))
}
