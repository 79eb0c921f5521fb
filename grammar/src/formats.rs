//! Policies of other tools: the text of a whole file in, the format by its name and the file's first rule as ebsec writes
//! it out. Judges by the first lines; gives nothing for what may be a policy of this language. Translates no more than
//! that one rule.

use crate::MAX_NAME;
use crate::error::{self, SyntaxError};
use crate::words;

/// How many lines are looked at.
const MAX_LINES: usize = 200;
/// The longest path that an example is made of.
const MAX_PATH: usize = 96;
/// What an example is about if the file names no path.
const USUAL_PATH: &str = "/etc/shadow";

/// What a file is.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    KubeArmor,
    Tetragon,
    Kubernetes,
    Falco,
    Sigma,
    Secl,
    Yaml,
    Rego,
    Cedar,
    AppArmor,
    Hcl,
    Json,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::KubeArmor => "a KubeArmor policy",
            Self::Tetragon => "a Tetragon tracing policy",
            Self::Kubernetes => "a Kubernetes manifest",
            Self::Falco => "Falco rules",
            Self::Sigma => "a Sigma rule",
            Self::Secl => "a Datadog Agent policy (SECL)",
            Self::Yaml => "YAML",
            Self::Rego => "a Rego module",
            Self::Cedar => "a Cedar policy",
            Self::AppArmor => "an AppArmor profile",
            Self::Hcl => "HCL",
            Self::Json => "JSON",
        }
    }
}

/// The one error for a file of another format.
pub(crate) fn recognise(text: &str) -> Option<SyntaxError> {
    let content = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && line != "---" && !line.starts_with("//") && (!line.starts_with('#') || line.starts_with("#include <"))
    };
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().filter(content).take(MAX_LINES).collect();
    let first = *lines.first()?;
    let format = format(first, &lines, text)?;
    let start = first.as_ptr() as usize - text.as_ptr() as usize + (first.len() - first.trim_start().len());
    let span = crate::span(start, start + first.trim().len());
    let message = format!("this file looks like {}, not an ebsec policy", format.name());
    let example = example(format, first, &lines);
    Some(SyntaxError::new(error::FOREIGN_FORMAT, span, message).help(format!("in ebsec its first rule is `{example}`")))
}

fn format(first: &str, lines: &[&str], text: &str) -> Option<Format> {
    let (first, rest) = (first.trim(), lines.get(1..).unwrap_or_default());
    let after = |open: char| first.strip_prefix(open).map(|more| more.trim_start().chars().next());
    let next = rest.first().and_then(|line| line.trim().chars().next());
    match (after('{'), after('[')) {
        (Some(then), _) if matches!(then.or(next), Some('"' | '}')) => return Some(Format::Json),
        (_, Some(then)) if matches!(then.or(next), Some('"' | '{')) => return Some(Format::Json),
        _ => {}
    }
    yaml(first, rest, text).or_else(|| code(first, rest))
}

/// The formats that are written in YAML.
fn yaml(first: &str, rest: &[&str], text: &str) -> Option<Format> {
    let entry = first.strip_prefix("- ").map(str::trim_start);
    let (key, value) = entry.unwrap_or(first).split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !is_key || !(value.is_empty() || value.starts_with(' ')) {
        return None;
    }
    let top = |key: &str| first.starts_with(key) || rest.iter().any(|line| line.starts_with(key));
    let any = |key: &str| rest.iter().any(|line| line.trim_start().trim_start_matches("- ").starts_with(key));
    let kind = || rest.iter().find_map(|line| line.strip_prefix("kind:")).unwrap_or_default().trim();
    if entry.is_some() && matches!(key, "rule" | "macro" | "list" | "required_engine_version") {
        return Some(Format::Falco);
    }
    if top("apiVersion:") {
        return Some(match kind() {
            kind if kind.starts_with("KubeArmor") => Format::KubeArmor,
            kind if kind.starts_with("TracingPolicy") => Format::Tetragon,
            _ => Format::Kubernetes,
        });
    }
    if top("logsource:") || top("detection:") {
        return Some(Format::Sigma);
    }
    if top("rules:") && any("expression:") {
        return Some(Format::Secl);
    }
    let nested = rest.first().is_some_and(|line| line.starts_with([' ', '-']) && line.contains(':') && !has_action(line));
    let marked = text.trim_start_matches('\u{feff}').trim_start().starts_with("---");
    (marked || entry.is_some() || value.trim().is_empty() && nested).then_some(Format::Yaml)
}

/// Whether a line may be a rule of this language.
fn has_action(line: &str) -> bool {
    line.split_whitespace().any(|word| words::ACTIONS.contains(&word))
}

/// The formats with a syntax of their own.
fn code(first: &str, rest: &[&str]) -> Option<Format> {
    let word = first.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    let after = first.get(word.len()..).unwrap_or_default().trim();
    let any = |of: fn(&str) -> bool| rest.iter().any(|line| of(line.trim()));
    let cedar =
        |line: &str| ["permit", "forbid"].iter().any(|w| line.strip_prefix(w).is_some_and(|more| more.trim_start().starts_with('(')));
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'));
    match word {
        "package" if is_name(after) => return Some(Format::Rego),
        "import" if after.starts_with("rego.v1") || after.starts_with("future.keywords") => return Some(Format::Rego),
        "abi" | "include" if after.starts_with('<') => return Some(Format::AppArmor),
        "profile" if first.ends_with('{') && (after.contains(['/', '=']) || any(|line| line.ends_with(','))) => {
            return Some(Format::AppArmor);
        }
        _ if first.starts_with("#include <") || first.starts_with('/') && first.ends_with('{') => return Some(Format::AppArmor),
        _ if cedar(first) || first.starts_with('@') && rest.iter().any(|line| cedar(line)) => return Some(Format::Cedar),
        _ => {}
    }
    let block = |line: &str| {
        let word = line.split(' ').next().unwrap_or_default();
        let labels = line.get(word.len()..).unwrap_or_default().trim().strip_suffix('{').map(str::trim);
        word != "test" && is_name(word) && labels.is_some_and(|l| l.is_empty() || l.starts_with('"') && l.ends_with('"'))
    };
    let inner = rest.iter().any(|line| line.starts_with([' ', '\t']) && block(line.trim()));
    let hcl = block(first) && (!words::ITEMS.contains(&word) || word == "policy" && after.starts_with('"') && inner);
    let known = after.starts_with('"') || matches!(word, "terraform" | "locals");
    (hcl && known).then_some(Format::Hcl)
}

/// The first rule of the file as a policy of this language, on one line.
fn example(format: Format, first: &str, lines: &[&str]) -> String {
    let name = name(format, first, lines);
    let mine = |line: &&&str| !(line.contains("include") || line.starts_with("apiVersion") || line.trim_start().starts_with("abi "));
    let skip = usize::from(format == Format::AppArmor && !lines.iter().any(|line| line.trim_start().starts_with("deny ")));
    let rules = lines.iter().filter(mine).filter(|line| format != Format::AppArmor || !line.trim_end().ends_with('{'));
    let denied = |line: &&&str| format != Format::AppArmor || skip == 1 || line.trim_start().starts_with("deny ");
    let found = rules.filter(denied).find_map(|line| path(line).map(|path| (*line, path)));
    let (line, path) = found.unwrap_or(("", USUAL_PATH));
    let ends = line.contains("endswith");
    let asks = match path {
        path if ends => format!("matches \"/**{path}\""),
        path if path.len() > 1 && path.ends_with('/') => format!("under \"{}\"", path.trim_end_matches('/')),
        path if path.contains('*') => format!("matches \"{path}\""),
        path => format!("== \"{path}\""),
    };
    let label = path.split('/').rev().map(identifier).find(|part| !part.is_empty()).unwrap_or_else(|| "rule".to_owned());
    let event = event(format, line, lines);
    match action(format, skip == 1, lines) {
        Some(action) => format!("policy {name} {{ {label}: {action} {event} when file.path {asks} }}"),
        None => {
            let program =
                lines.iter().find_map(|l| l.trim_end().ends_with('{').then(|| self::path(l)).flatten()).unwrap_or("/usr/bin/example");
            format!(
                "policy {name} {{ scope = process.exe == \"{program}\" default deny {event} {label}: allow {event} when file.path {asks} }}"
            )
        }
    }
}

/// The name of the policy: what the file calls itself, or its first rule.
fn name(format: Format, first: &str, lines: &[&str]) -> String {
    let value = |key: &str| lines.iter().find_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix(key)).unwrap_or_default();
    let quoted = |text: &'_ str| text.split('"').nth(1).unwrap_or_default().to_owned();
    let profile = || lines.iter().find_map(|line| line.trim().strip_suffix('{')).unwrap_or_default();
    let text = match format {
        Format::Falco => value("rule:").to_owned(),
        Format::Sigma => value("title:").to_owned(),
        Format::Secl => value("id:").to_owned(),
        Format::KubeArmor | Format::Tetragon | Format::Kubernetes | Format::Yaml => value("name:").to_owned(),
        Format::Json => quoted(value("\"name\"")),
        Format::Hcl => quoted(first),
        Format::Cedar => quoted(value("@id")),
        Format::Rego => value("package").rsplit('.').next().unwrap_or_default().to_owned(),
        Format::AppArmor => {
            let head = profile().trim().trim_start_matches("profile").trim();
            head.split_whitespace().next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()
        }
    };
    let name = identifier(&text);
    if name.is_empty() { "example".to_owned() } else { name }
}

/// A text as a name of this language; empty if nothing is left.
fn identifier(text: &str) -> String {
    let lower = text.trim().to_ascii_lowercase();
    let parts: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let mut name = parts.join("_");
    name.truncate(MAX_NAME / 2);
    match name.as_bytes().first() {
        Some(b'0'..=b'9') => format!("p_{name}"),
        _ if words::is_keyword(&name) => format!("{name}_"),
        _ => name,
    }
}

/// The first absolute path of a line.
fn path(line: &str) -> Option<&str> {
    let starts = line.match_indices('/').filter(|(at, _)| {
        let before = line.get(..*at).and_then(|text| text.chars().next_back());
        before.is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | '(' | '[' | ':'))
    });
    let inside = |c: char| c.is_ascii_alphanumeric() || "/_.-*@+".contains(c);
    let texts = starts.filter_map(|(at, _)| line.get(at..)).map(|rest| rest.split(|c: char| !inside(c)).next().unwrap_or_default());
    let good = |part: &str| !matches!(part, "" | "." | "..") && (part == "**" || !part.contains("**"));
    texts.map(|text| text.trim_end_matches(['.', ','])).find(|text| {
        let inner = text.strip_prefix('/').unwrap_or_default();
        (2..=MAX_PATH).contains(&text.len()) && inner.strip_suffix('/').unwrap_or(inner).split('/').all(good)
    })
}

/// The event that the rule is about.
fn event(format: Format, line: &str, lines: &[&str]) -> &'static str {
    let all = lines.join("\n").to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| all.contains(word));
    match format {
        Format::KubeArmor => {
            let before = lines.iter().take_while(|l| !std::ptr::eq(**l, line)).map(|l| l.trim());
            let section = before.filter(|l| matches!(*l, "process:" | "file:")).last();
            if section == Some("process:") { "exec" } else { "file.read" }
        }
        Format::AppArmor => {
            let modes = line.trim().trim_end_matches(',').rsplit(' ').next().unwrap_or_default();
            match modes {
                modes if modes.contains('x') => "exec",
                modes if modes.contains(['w', 'a']) => "file.write",
                _ => "file.read",
            }
        }
        _ if any(&["file.read", "open_read", "read_"]) => "file.read",
        _ if any(&["execve", "bprm_", "spawned_process", "process_creation", "exec.file", "\"exec\""]) => "exec",
        _ if any(&["open_write", "file.write", "sys_write", "o_wronly"]) => "file.write",
        _ => "file.read",
    }
}

/// What the rule does; none if it lists what is allowed.
fn action(format: Format, lists: bool, lines: &[&str]) -> Option<&'static str> {
    let all = lines.join("\n").to_ascii_lowercase();
    let does = |what: &str| all.contains(&format!("action: {what}"));
    match format {
        Format::KubeArmor if does("audit") => Some("audit"),
        Format::KubeArmor if does("allow") => None,
        Format::Tetragon if does("sigkill") => Some("kill"),
        Format::Tetragon if does("override") => Some("deny"),
        Format::Tetragon | Format::Falco | Format::Sigma | Format::Secl => Some("audit"),
        Format::Cedar if !all.contains("forbid") => None,
        Format::AppArmor if lists => None,
        _ => Some("deny"),
    }
}
