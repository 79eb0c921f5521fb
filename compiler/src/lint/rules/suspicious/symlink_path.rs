//! `symlink-path`: a path through a symbolic link that today's distributions have, or the name of one. The kernel sees where
//! the link leads, so the path never matches there.

use crate::diag::{Finding, codes};
use crate::hir::{Space, glob};
use crate::lint::context::{Constant, Context, Role};
use crate::lint::report::Report;
use crate::lint::{Check, Lint, string};
use crate::source::{Loc, Span};
use ebsec_grammar::ast::{Op, Operand};
use rustc_hash::FxHashSet;

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
    if let Role::Compared(Operand::Name(name), _) = constant.role
        && name.node.ends_with(".name")
    {
        return shell_name(constant, report);
    }
    // Patterns of parts of paths, and texts that are no paths, do not begin so.
    let is_path = |c: &Constant<'_>| !matches!(c.role, Role::Compared(Operand::Name(name), _) if name.node.ends_with("comm"));
    if !constant.literals.iter().any(|(_, l)| string(l).is_some_and(|text| leads_to(text).is_some() || text == SH)) {
        return;
    }
    let exact: FxHashSet<&str> = constant.literals.iter().filter_map(|(_, literal)| string(literal)).collect();
    for (span, literal) in constant.literals {
        if report.is_full() {
            return;
        }
        // An image may be one of those without the links.
        let inside = matches!(constant.role, Role::Process { container: true, .. });
        let Some(text) = string(literal).filter(|text| text.starts_with('/') && is_path(constant) && !inside) else { continue };
        let loc = Loc::new(constant.part, *span);
        let under = matches!(constant.role, Role::Compared(_, op) if op.node == Op::Under);
        let has = |wanted: &str| {
            let all = constant.literals.iter().filter_map(|(_, other)| string(other));
            all.take(MAX_SET).any(|other| covers(other, wanted, under)) || exact.contains(wanted)
        };
        if let Some((link, real, target)) = leads_to(text) {
            if !has(&target) {
                folder(constant, loc, text, (link, real, &target), report);
            }
        } else if text == SH && !SHELLS.iter().any(|shell| has(shell)) && !matches!(constant.role, Role::Process { key: "lineage", .. }) {
            shell(constant, loc, text, report);
        }
    }
}

/// The name of the shell of scripts, without the name of one that it can be a link to.
fn shell_name(constant: &Constant<'_>, report: &mut Report<'_>) {
    let texts = constant.literals.iter().filter_map(|(span, literal)| Some((*span, string(literal)?)));
    let Some((span, text)) = texts.clone().find(|(_, text)| SH.ends_with(&format!("/{text}"))) else { return };
    let real: Vec<&str> = SHELLS.iter().filter_map(|shell| shell.rsplit('/').next()).collect();
    let has = |name: &&str| {
        let matches = |pattern: glob::Pattern| glob::matches(&pattern, name.as_bytes(), Space::Path);
        texts.clone().take(MAX_SET).any(|(_, other)| other == *name || glob::parse(other, glob::Kind::Name).is_ok_and(matches))
    };
    if real.iter().any(has) {
        return;
    }
    let loc = Loc::new(constant.part, span);
    let message = format!("no program is called `{text}` where it is a symbolic link, usually to `dash` or `bash`");
    report.push(both(report.at(loc, message), constant, loc, text, &real));
}

/// With how many elements of a set, which may be patterns, a path is compared.
const MAX_SET: usize = 64;

/// Whether an element of a set has a path too: as itself, as a pattern, or as a folder above it.
fn covers(element: &str, path: &str, under: bool) -> bool {
    let above = || under && path.strip_prefix(element).is_some_and(|rest| rest.starts_with('/'));
    let matches = |pattern| glob::matches(&pattern, path.as_bytes(), Space::Path);
    element == path || above() || glob::parse(element, glob::Kind::Path).is_ok_and(matches)
}

fn folder(constant: &Constant<'_>, loc: Loc, text: &str, (link, real, target): (&str, &str, &str), report: &mut Report<'_>) {
    let message = format!("`{text}` never matches where `{link}` is a symbolic link to `{real}`, as on most distributions");
    let names = if target == SH { [&[SH][..], SHELLS].concat() } else { vec![target] };
    report.push(both(report.at(loc, message), constant, loc, text, &names));
}

fn shell(constant: &Constant<'_>, loc: Loc, text: &str, report: &mut Report<'_>) {
    let message = format!("`{text}` never matches: it is a symbolic link, usually to `dash` or `bash`");
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
        Role::Object | Role::Process { .. } if constant.alone => {
            let real = others.iter().find(|path| **path != SH).copied().unwrap_or_default();
            finding.help(format!("write `{real}`")).guess("write the path that the link leads to", loc, quoted(real))
        }
        Role::Compared(_, op) if constant.alone => match op.node {
            Op::Eq => {
                let place = Loc::new(loc.part, Span { start: op.span.start, end: constant.span.end });
                widened(finding, others).guess("name both: the rule then covers both", place, format!("in [{all}]"))
            }
            Op::In | Op::Under => widened(finding, others).guess("name both: the rule then covers both", loc, format!("[{all}]")),
            _ => widened(finding, others),
        },
        _ if constant.alone => widened(finding, others),
        _ => widened(finding, others).guess("name both: the set then holds both", loc, all),
    }
}

fn widened(finding: Finding, others: &[&str]) -> Finding {
    finding.help(format!("name what it leads to as well: add {}", crate::diag::list(others)))
}
