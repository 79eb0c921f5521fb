//! `script-as-exe`: a program is known by the path of a script. A process that runs a script runs its interpreter.

use crate::diag::codes;
use crate::lint::context::{Constant, Context, Role};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, string};
use crate::source::Loc;
use ebsec_grammar::ast::Operand;

pub const LINT: Lint = Lint { code: codes::SCRIPT_AS_EXE, check: Check::Constant(check) };

/// How names of scripts end.
const ENDS: &[&str] = &[".sh", ".bash", ".py", ".pl", ".rb", ".php", ".js", ".lua", ".awk", ".tcl"];

/// Whether a path is that of a script by its name.
pub fn is_script(path: &str) -> bool {
    ENDS.iter().any(|end| path.ends_with(end)) && path.starts_with('/')
}

/// Fields that hold programs.
const PROGRAMS: &[&str] = &["process.exe", "process.parent.exe", "process.lineage.exe"];

fn check(_: &Context<'_>, constant: &Constant<'_>, report: &mut Report<'_>) {
    let what = match constant.role {
        Role::Compared(Operand::Name(name), _) if PROGRAMS.contains(&name.node.as_str()) => name.node.as_str(),
        Role::Process { key: key @ ("exe" | "parent" | "lineage"), .. } => key,
        _ => return,
    };
    for (span, literal) in constant.literals {
        let Some(text) = string(literal).filter(|text| is_script(text)) else { continue };
        let message = format!("`{what}` is never `{text}`: a script runs as its interpreter");
        let finding = report.at(Loc::new(constant.part, *span), message);
        report.push(finding.help("name the interpreter, or start the script from its own program"));
    }
}
