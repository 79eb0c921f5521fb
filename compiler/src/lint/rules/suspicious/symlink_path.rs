//! `symlink-path`: a path through a symbolic link that today's distributions have. The kernel sees where the link leads, so
//! the path never matches there.

use crate::diag::{Finding, codes};
use crate::lint::context::{Constant, Context, Role};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, string};
use crate::source::{Loc, Span};
use ebsec_grammar::ast::{Op, Operand};

pub const LINT: Lint = Lint { code: codes::SYMLINK_PATH, check: Check::Constant(check) };

/// Folders that are links: name, and where it leads.
const FOLDERS: &[(&str, &str)] = &[
    ("/bin", "/usr/bin"),
    ("/sbin", "/usr/sbin"),
    ("/lib", "/usr/lib"),
    ("/lib32", "/usr/lib32"),
    ("/lib64", "/usr/lib64"),
    ("/libx32", "/usr/libx32"),
    ("/var/run", "/run"),
    ("/var/lock", "/run/lock"),
];

/// The shell of scripts is a link to one of these.
const SHELLS: &[&str] = &["/usr/bin/dash", "/usr/bin/bash"];
const SH: &str = "/usr/bin/sh";

/// Where a path leads; the link and what it leads to.
fn leads_to(text: &str) -> Option<(&'static str, &'static str, String)> {
    let under = |(link, real): &(&'static str, &'static str)| {
        let rest = text.strip_prefix(link).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        Some((*link, *real, format!("{real}{rest}")))
    };
    FOLDERS.iter().find_map(under)
}

fn check(_: &Context<'_>, constant: &Constant<'_>, report: &mut Report<'_>) {
    // Patterns of parts of paths, and texts that are no paths, do not begin so.
    let is_path = |c: &Constant<'_>| !matches!(c.role, Role::Compared(Operand::Name(name), _) if name.node.ends_with("comm"));
    for (span, literal) in constant.literals {
        let Some(text) = string(literal).filter(|text| text.starts_with('/') && is_path(constant)) else { continue };
        let loc = Loc::new(constant.part, *span);
        let has = |wanted: &str| constant.literals.iter().any(|(_, other)| string(other) == Some(wanted));
        if let Some((link, real, target)) = leads_to(text) {
            if !has(&target) {
                folder(constant, loc, text, (link, real, &target), report);
            }
        } else if text == SH && !SHELLS.iter().any(|shell| has(shell)) && !matches!(constant.role, Role::Process("lineage")) {
            shell(constant, loc, text, report);
        }
    }
}

fn folder(constant: &Constant<'_>, loc: Loc, text: &str, (link, real, target): (&str, &str, &str), report: &mut Report<'_>) {
    let message = format!("`{text}` is not the path that the kernel sees: `{link}` is a link to `{real}` on today's distributions");
    let names = if target == SH { vec![SH, SHELLS[0], SHELLS[1]] } else { vec![target] };
    report.push(both(report.at(loc, message), constant, loc, text, &names));
}

fn shell(constant: &Constant<'_>, loc: Loc, text: &str, report: &mut Report<'_>) {
    let message = format!("`{text}` is not the path that the kernel sees: it is a link to `dash` or `bash`");
    report.push(both(report.at(loc, message), constant, loc, text, SHELLS));
}

/// The fix that names the other paths beside this one, or in its place where there is room for one path only.
fn both(finding: Finding, constant: &Constant<'_>, loc: Loc, text: &str, others: &[&str]) -> Finding {
    let quoted = |path: &str| format!("\"{path}\"");
    let list = others.iter().map(|path| quoted(path)).collect::<Vec<_>>().join(", ");
    let all = format!("{}, {list}", quoted(text));
    match constant.role {
        _ if text.contains(['"', '\\']) => finding,
        // In a test there is one object and one program; the last is the usual one.
        Role::Object | Role::Process(_) if constant.alone => {
            let real = others.iter().find(|path| **path != SH).copied().unwrap_or_default();
            finding.help(format!("write `{real}`")).guess("write the path that the kernel sees", loc, quoted(real))
        }
        Role::Compared(_, op) if constant.alone => match op.node {
            Op::Eq => {
                let place = Loc::new(loc.part, Span { start: op.span.start, end: constant.span.end });
                widened(finding, others).guess("name both paths: the rule then covers both", place, format!("in [{all}]"))
            }
            Op::In | Op::Under => widened(finding, others).guess("name both paths: the rule then covers both", loc, format!("[{all}]")),
            _ => widened(finding, others),
        },
        _ if constant.alone => widened(finding, others),
        _ => widened(finding, others).guess("name both paths: the set then holds both", loc, all),
    }
}

fn widened(finding: Finding, others: &[&str]) -> Finding {
    finding.help(format!("name both: {} too", crate::diag::list(others)))
}
