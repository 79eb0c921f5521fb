//! Makes the registry of findings' codes from the pages in `pages/`: a constant for each code and the table of all pages, for
//! `src/diag/codes.rs`. The same pages give the same text. A page that is not well formed stops the build.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What stands in the front matter of a page, and its text after it.
struct Page {
    code: String,
    name: String,
    level: &'static str,
    group: String,
    since: String,
    fix: bool,
    configurable: bool,
    reason: Option<String>,
    title: String,
    text: String,
}

const KEYS: &[&str] = &["code", "name", "level", "group", "since", "fix", "configurable", "example", "reason"];

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-changed=pages");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    for entry in fs::read_dir("pages").map_err(|e| format!("pages: {e}"))? {
        files.push(entry.map_err(|e| format!("pages: {e}"))?.path());
    }
    files.sort();
    let pages = files.iter().map(|file| read(file).map_err(|e| format!("{}: {e}", file.display()))).collect::<Result<Vec<_>, _>>()?;
    unique(&pages)?;
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    let out = PathBuf::from(out).join("codes.rs");
    fs::write(&out, registry(&pages)).map_err(|e| format!("{}: {e}", out.display()))
}

/// No two pages share a name, and no group has the name of a page: `[lints]` takes all of them.
fn unique(pages: &[Page]) -> Result<(), String> {
    let groups: BTreeSet<&str> = pages.iter().map(|p| p.group.as_str()).collect();
    let mut names = BTreeSet::new();
    for page in pages {
        if !names.insert(&page.name) || groups.contains(page.name.as_str()) {
            return Err(format!("two pages or groups are named `{}`", page.name));
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<Page, String> {
    let whole = fs::read_to_string(file).map_err(|e| e.to_string())?;
    let rest = whole.strip_prefix("---\n").ok_or("the first line is not `---`")?;
    let (front, text) = rest.split_once("\n---\n").ok_or("the front matter has no end")?;
    let mut keys = Vec::new();
    for line in front.lines() {
        let (key, value) = line.split_once(": ").ok_or_else(|| format!("`{line}` is not `key: value`"))?;
        if !KEYS.contains(&key) || keys.iter().any(|(k, _)| *k == key) {
            return Err(format!("the key `{key}` is unknown or given twice"));
        }
        keys.push((key, value));
    }
    let get = |key: &str| keys.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
    let need = |key: &str| get(key).map(str::to_owned).ok_or_else(|| format!("the key `{key}` is missing"));
    let yes = |key: &str| match get(key) {
        Some("yes") => Ok(true),
        Some("no") | None => Ok(false),
        Some(other) => Err(format!("`{key}` is `yes` or `no`, not `{other}`")),
    };
    need("fix")?;
    let code = need("code")?;
    if file.file_name().is_none_or(|name| *name != *format!("{code}.md")) {
        return Err(format!("the page of `{code}` has another file name"));
    }
    let title = text.lines().next().and_then(|line| line.strip_prefix("# ")).ok_or("the page does not begin with `# TITLE`")?;
    Ok(Page {
        name: kebab(need("name")?)?,
        level: level(&need("level")?)?,
        group: kebab(need("group")?)?,
        since: need("since")?,
        fix: yes("fix")?,
        configurable: yes("configurable")?,
        reason: match get("example") {
            None => None,
            Some("none") => Some(need("reason")?),
            Some(other) => return Err(format!("`example` is `none` or absent, not `{other}`")),
        },
        title: title.to_owned(),
        text: text.to_owned(),
        code,
    })
}

fn kebab(name: String) -> Result<String, String> {
    let good = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if good { Ok(name) } else { Err(format!("`{name}` is not in kebab case")) }
}

fn level(word: &str) -> Result<&'static str, String> {
    match word {
        "error" => Ok("Error"),
        "warn" => Ok("Warning"),
        "info" => Ok("Info"),
        _ => Err(format!("the level `{word}` is not `error`, `warn` or `info`")),
    }
}

/// The constants, then the table, as Rust.
fn registry(pages: &[Page]) -> String {
    let mut out = String::new();
    for page in pages {
        let _ = writeln!(out, "/// {}\npub const {}: &str = {:?};", page.title, page.name.to_uppercase().replace('-', "_"), page.code);
    }
    out.push_str("/// Every page, sorted by code.\nconst PAGES: &[Page] = &[\n");
    for page in pages {
        let Page { code, name, level, group, since, fix, configurable, reason, title, text } = page;
        let _ = writeln!(
            out,
            "Page {{ code: {code:?}, name: {name:?}, level: Level::{level}, group: {group:?}, since: {since:?}, fix: {fix}, \
             configurable: {configurable}, no_example: {reason:?}, title: {title:?}, text: {text:?} }},"
        );
    }
    out.push_str("];\n");
    out
}
