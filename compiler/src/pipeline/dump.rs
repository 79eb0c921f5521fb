//! Text dumps of the front's stages: the same input gives the same text. For goldens and for people.

use crate::hir::{Action, Atom, Cond, Mode, Object, Operation, Package, PathLang, PathValue, Prefix, Remote, Severity, Space, Test};
use crate::source::{FileId, Sources};
use ebsec_templates::{Catalog, FieldType, catalog};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The syntax tree of each file of the package (`--emit ast`).
#[must_use]
pub fn dump_ast(sources: &Sources, files: &[FileId]) -> String {
    let mut out = String::new();
    for file in files.iter().filter_map(|id| sources.get(*id)) {
        let _ = writeln!(out, "// {}\n{:#?}", file.path, ebsec_grammar::parse(&file.text).whole());
    }
    out
}

/// The folded policy (`--emit hir`).
#[must_use]
pub fn dump_hir(package: &Package) -> String {
    let mut out = String::new();
    let catalog = catalog();
    let _ = writeln!(out, "package {} {}\nkernels {}", package.name, package.version, package.kernels.join(" "));
    for (i, set) in package.path_sets.iter().enumerate() {
        let space = if set.space == Space::Path { "path" } else { "comm" };
        let _ = writeln!(out, "set {i} {space} {}", lang(&set.lang));
    }
    for policy in &package.policies {
        let mode = if policy.mode == Mode::Enforce { "enforce" } else { "observe" };
        let _ = writeln!(out, "policy {} {mode}", policy.name);
        for rule in &policy.rules {
            let label = rule.label.as_ref().map_or("default".to_owned(), |l| format!("{l}:"));
            let _ = write!(out, "  {label} {} {} {}", action(rule.action), catalog[rule.event].name, severity(rule.severity));
            if rule.errno != 1 {
                let _ = write!(out, " errno {}", rule.errno);
            }
            if !rule.attack.is_empty() {
                let _ = write!(out, " {}", rule.attack.join(" "));
            }
            if !rule.because.is_empty() {
                let _ = write!(out, " because {:?}", rule.because);
            }
            let _ = writeln!(out, "\n    {}", cond(&rule.cond, catalog));
        }
    }
    for test in &package.tests {
        let _ = writeln!(out, "test {:?}", test.name);
        for step in &test.steps {
            let expected = super::expectation(step.expect.as_ref());
            let _ = writeln!(out, "  {} => {expected}", operation(&step.operation, catalog));
        }
    }
    out
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Deny => "deny",
        Action::Kill => "kill",
        Action::Audit => "audit",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn lang(lang_: &PathLang) -> String {
    match lang_ {
        PathLang::Patterns(all) => all.iter().map(|p| format!("{:?}", p.text)).collect::<Vec<_>>().join(" | "),
        PathLang::Union(all) => format!("({})", all.iter().map(lang).collect::<Vec<_>>().join(") | (")),
        PathLang::Minus(a, b) => format!("({}) - ({})", lang(a), lang(b)),
    }
}

/// A condition in prefix form.
fn cond(c: &Cond, catalog: &Catalog) -> String {
    let list = |word: &str, all: &[Cond]| {
        let parts: Vec<String> = all.iter().map(|c| cond(c, catalog)).collect();
        format!("({word} {})", parts.join(" "))
    };
    match c {
        Cond::Const(yes) => yes.to_string(),
        Cond::Atom(a) => atom(a, catalog),
        Cond::Not(inner) => format!("(not {})", cond(inner, catalog)),
        Cond::And(all) if all.is_empty() => "true".to_owned(),
        Cond::Or(all) if all.is_empty() => "false".to_owned(),
        Cond::And(all) => list("and", all),
        Cond::Or(all) => list("or", all),
    }
}

fn atom(a: &Atom, catalog: &Catalog) -> String {
    let field = &catalog[a.field];
    let name = if a.identity { format!("trusted {}", field.name) } else { field.name.clone() };
    let octal = field.ty == FieldType::Mode;
    let number = |n: u64| match &field.ty {
        _ if octal => format!("0o{n:o}"),
        FieldType::Enum(kind) => {
            let known = catalog.enums.get(kind).and_then(|e| e.iter().find(|(_, v)| **v == n));
            known.map_or(n.to_string(), |(name, _)| name.clone())
        }
        _ => n.to_string(),
    };
    match &a.test {
        Test::InPaths(id) => format!("[{name} in #{}]", id.0),
        Test::Unresolved => format!("[{name} unresolved]"),
        Test::Deleted => format!("[{name} deleted]"),
        Test::True => format!("[{name}]"),
        Test::InRanges(all) => {
            let one = |(low, high): &(u64, u64)| if low == high { number(*low) } else { format!("{}..{}", number(*low), number(*high)) };
            format!("[{name} in {}]", all.iter().map(one).collect::<Vec<_>>().join(","))
        }
        Test::HasBits(bits) => format!("[{name} has 0o{bits:o}]"),
        Test::InPrefixes(all) => {
            let one = |p: &Prefix| match p {
                Prefix::V4(value, length) => format!("{}/{length}", Ipv4Addr::from_bits(*value)),
                Prefix::V6(value, length) => format!("{}/{length}", Ipv6Addr::from_bits(*value)),
            };
            format!("[{name} in {}]", all.iter().map(one).collect::<Vec<_>>().join(","))
        }
    }
}

fn path(value: &PathValue) -> String {
    match value {
        PathValue::Absent => "absent".to_owned(),
        PathValue::Failed => "failed".to_owned(),
        PathValue::Known(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
    }
}

fn remote(r: &Remote) -> String {
    let text = match (r.named, r.port) {
        (Some(address), Some(port)) => SocketAddr::new(address, port).to_string(),
        (None, Some(port)) => format!("failed:{port}"),
        _ => "failed".to_owned(),
    };
    match r.source {
        Some(source) => format!("{text} from {source}"),
        None => text,
    }
}

fn object(o: &Object) -> String {
    let mut text = match o.remote {
        Some(r) => remote(&r),
        None => path(&o.path),
    };
    if o.deleted {
        text.push_str(" deleted");
    }
    if let Some(file) = o.file {
        let _ = write!(text, " mode 0o{:o} owner {}{}", file.mode, file.owner, if file.memfd { " memfd" } else { "" });
    }
    text
}

fn operation(o: &Operation, catalog: &Catalog) -> String {
    let s = &o.subject;
    let trusted = if s.exe.trusted { "" } else { " untrusted" };
    let mut out = format!("{} {}{trusted} uid {} gid {} euid {}", catalog[o.hook].name, path(&s.exe.path), s.uid, s.gid, s.euid);
    let _ = write!(out, " comm {:?}", String::from_utf8_lossy(&s.comm));
    if s.container {
        out.push_str(" container");
    }
    if s.parent.path != PathValue::Absent {
        let _ = write!(out, " parent {}", path(&s.parent.path));
    }
    let line: Vec<String> = s.lineage.iter().map(|p| path(&p.path)).collect();
    let _ = write!(out, " line [{}]", line.join(" "));
    for one in &o.objects {
        let _ = write!(out, " ({})", one.as_ref().map_or("none".to_owned(), object));
    }
    for fact in &o.facts {
        let _ = write!(out, " {fact}");
    }
    for (field, value) in &o.values {
        let _ = write!(out, " {}={value}", catalog[*field].name);
    }
    out
}
