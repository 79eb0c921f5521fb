//! `ebsec.toml` in, the package's settings out; every mistake at its place. Reads no file: the caller gives the text.

mod bare;
mod levels;

pub use levels::{Choice, Levels, NoChoice};

use crate::diag::{Finding, Findings, codes, text};
use crate::hir::{Space, glob};
use crate::source::{FileId, Loc, Span};
use crate::typed::Given;
use ebsec_grammar::ast::{self, Literal, ValueKind};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Kernel series that a package is checked against if it names none.
pub const DEFAULT_KERNELS: &[&str] = &["6.1", "6.12", "6.18", "7"];
/// Series that are known and not built for yet.
const LATER_KERNELS: &[&str] = &["5.10"];

/// A package's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the package.
    pub name: String,
    /// Version of the package, as written.
    pub version: String,
    /// Kernel series, sorted as in [`DEFAULT_KERNELS`].
    pub kernels: Vec<String>,
    /// Which files are its sources; `None` is every `.ebsec` file in its folder.
    pub sources: Option<Vec<SourceEntry>>,
    /// Values of parameters.
    pub params: Vec<Given>,
    /// Levels of findings.
    pub levels: Levels,
    /// Lints that are not reported of some files.
    pub ignored: Vec<Ignored>,
    /// Further programs that must never be refused, as paths, each with its place.
    pub lifelines: Vec<(String, Loc)>,
}

/// An entry of `[lints.ignore]`: files, and the codes that are not reported of them.
#[derive(Clone, Debug)]
pub struct Ignored {
    files: SourceEntry,
    codes: Vec<&'static str>,
}

/// An entry of `sources`, or a pattern like one.
#[derive(Clone, Debug)]
pub struct SourceEntry {
    /// As written.
    pub text: String,
    /// Where.
    pub loc: Loc,
    /// Matches paths relative to the package, with a `/` before them.
    pattern: glob::Pattern,
}

impl SourceEntry {
    fn names(&self, path: &str) -> bool {
        glob::matches(&self.pattern, format!("/{path}").as_bytes(), Space::Path)
    }
}

impl Config {
    /// Whether a file, by its path relative to the package, is one of the package's sources.
    #[must_use]
    pub fn wants(&self, path: &str) -> bool {
        self.sources.as_ref().is_none_or(|entries| entries.iter().any(|entry| entry.names(path)))
    }

    /// A finding for each entry of `sources` or `[lints.ignore]` that names none of the package's files: a policy would be
    /// missed silently, or a lint reported all the same.
    #[must_use]
    pub fn unmatched(&self, paths: &[&str]) -> Vec<Finding> {
        let sources = self.sources.iter().flatten().map(|entry| (entry, "sources"));
        let entries = sources.chain(self.ignored.iter().map(|ignored| (&ignored.files, "[lints.ignore]")));
        let missing = entries.filter(|(entry, _)| !paths.iter().any(|path| entry.names(path)));
        let finding = |(entry, place): (&SourceEntry, &str)| {
            let message = format!("`{}` in `{place}` matches no `.ebsec` file of the package", entry.text);
            Finding::error(codes::BAD_SOURCE, entry.loc, message).help(SOURCES_HELP)
        };
        missing.map(finding).collect()
    }

    /// Whether a lint is not reported of a file, by its path relative to the package.
    #[must_use]
    pub fn ignores(&self, path: &str, code: &str) -> bool {
        !self.levels.is_locked(code) && self.ignored.iter().any(|entry| entry.codes.contains(&code) && entry.files.names(path))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "policy".to_owned(),
            version: "0.0.0".to_owned(),
            kernels: DEFAULT_KERNELS.iter().map(|k| (*k).to_owned()).collect(),
            sources: None,
            params: Vec::new(),
            levels: Levels::default(),
            ignored: Vec::new(),
            lifelines: Vec::new(),
        }
    }
}

/// Reads the text of `ebsec.toml`, which is `file` of the sources.
#[must_use]
pub fn parse(text: &str, file: FileId, diagnostics: &mut Findings) -> Config {
    let mut reader = Reader { file, diagnostics, config: Config::default() };
    if let Some(table) = reader.table(text) {
        reader.root(table.get_ref());
    }
    reader.config
}

/// Reads settings from outside of the package, which is `file` of the sources: what they say of a lint holds whatever the
/// package says, and their lifelines are added to the package's.
pub fn outside(text: &str, file: FileId, config: &mut Config, diagnostics: &mut Findings) {
    let mut reader = Reader { file, diagnostics, config: Config::default() };
    if let Some(table) = reader.table(text) {
        reader.outside(table.get_ref());
    }
    let Config { levels, lifelines, .. } = reader.config;
    config.levels.lock(levels);
    config.lifelines.extend(lifelines);
}

/// A value for a parameter from the command line, `NAME=VALUE`, as `file` of the sources.
#[must_use]
pub fn command_line(text: &str, file: FileId, diagnostics: &mut Findings) -> Option<Given> {
    let at = |start: usize, end: usize| Loc::new(file, Span { start: start as u32, end: end as u32 });
    let Some((name, value)) = text.split_once('=') else {
        let message = format!("`{text}` does not give a parameter a value");
        diagnostics.push(Finding::error(codes::UNKNOWN_PARAMETER, at(0, text.len()), message).help("write `NAME=VALUE`"));
        return None;
    };
    if name.trim().is_empty() {
        let message = format!("`{text}` does not name a parameter");
        diagnostics.push(Finding::error(codes::UNKNOWN_PARAMETER, at(0, text.len()), message).help("write `NAME=VALUE`"));
        return None;
    }
    let span = at(name.len() + 1, text.len()).span;
    let value = ast::Value { span, kind: ValueKind::Literal(Literal::Str(value.to_owned())) };
    Some(Given { name: name.trim().to_owned(), loc: at(0, name.len()), value, from_text: true, file: None })
}

struct Reader<'d> {
    file: FileId,
    diagnostics: &'d mut Findings,
    config: Config,
}

const SOURCES_HELP: &str = "entries are patterns of paths relative to the folder of ebsec.toml, such as `web.ebsec` or `policies/**`";
/// Most bytes of a package's name.
const MAX_NAME: usize = 64;
/// Most entries of `sources`, each of which is compared with each file.
const MAX_SOURCES: usize = 256;
const ROOT_KEYS: &[&str] = &["package", "params", "lints", "lifelines"];
const OUTSIDE_KEYS: &[&str] = &["lints", "lifelines"];
const PACKAGE_KEYS: &[&str] = &["name", "version", "kernels", "sources"];

impl Reader<'_> {
    fn loc(&self, range: Range<usize>) -> Loc {
        Loc::new(self.file, Span { start: range.start as u32, end: range.end as u32 })
    }

    fn unknown(&mut self, what: &str, key: &Spanned<impl AsRef<str>>, known: &[&str]) {
        let loc = self.loc(key.span());
        let name = key.get_ref().as_ref();
        let message = format!("{what} has no key `{name}`");
        self.diagnostics.push(Finding::error(codes::CONFIG_KEY, loc, message).near(name, loc, known.iter().copied()));
    }

    fn wrong(&mut self, value: &Spanned<DeValue<'_>>, key: &str, wanted: &str) {
        let loc = self.loc(value.span());
        let message = format!("`{key}` must be {wanted}, not {}", article(value.get_ref().type_str()));
        self.diagnostics.push(Finding::error(codes::CONFIG_TYPE, loc, message));
    }

    /// The text as TOML.
    fn table<'t>(&mut self, text: &'t str) -> Option<Spanned<DeTable<'t>>> {
        DeTable::parse(text)
            .map_err(|error| {
                let span = error.span().unwrap_or(0..0);
                let message = format!("not TOML: {}", error.message().trim_end().replace('\n', ", "));
                let finding = Finding::error(codes::CONFIG_SYNTAX, self.loc(span.clone()), message);
                self.diagnostics.push(match bare::address(text, span.start) {
                    Some(address) => finding.help(format!("TOML has no addresses: write the text `\"{address}\"`")),
                    None => finding,
                });
            })
            .ok()
    }

    fn outside(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("lints", DeValue::Table(table)) => self.lints(table, codes::all()),
                ("lifelines", DeValue::Table(table)) => self.lifelines(table),
                (name @ ("lints" | "lifelines"), _) => self.wrong(value, name, "a table"),
                _ => self.unknown("a file of `--config`", key, OUTSIDE_KEYS),
            }
        }
        if let Some(entry) = self.config.ignored.first() {
            let message = "`[lints.ignore]` is about files of a package, which `--config` does not know";
            let finding = Finding::error(codes::CONFIG_KEY, entry.files.loc, message);
            self.diagnostics.push(finding.help("write it in ebsec.toml: it holds for lints that `--config` does not name"));
        }
    }

    fn root(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("package", DeValue::Table(table)) => self.package(table, value.span()),
                ("params", DeValue::Table(table)) => self.params(table),
                ("lints", DeValue::Table(table)) => self.lints(table, codes::all()),
                ("lifelines", DeValue::Table(table)) => self.lifelines(table),
                (name @ ("package" | "params" | "lints" | "lifelines"), _) => self.wrong(value, name, "a table"),
                _ => self.unknown("ebsec.toml", key, ROOT_KEYS),
            }
        }
        if !table.keys().any(|k| k.get_ref() == "package") {
            let help = "write `[package]` and `name = \"…\"`";
            self.diagnostics.push(Finding::error(codes::CONFIG_MISSING, self.loc(0..0), "ebsec.toml has no `[package]`").help(help));
        }
    }

    fn package(&mut self, table: &DeTable<'_>, span: Range<usize>) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "name" => self.name(value),
                "version" => self.config.version = self.text(value, "version").unwrap_or_default(),
                "kernels" => self.kernels(value),
                "sources" => self.sources(value),
                _ => self.unknown("`[package]`", key, PACKAGE_KEYS),
            }
        }
        if !table.keys().any(|k| k.get_ref() == "name") {
            let loc = self.loc(span);
            self.diagnostics.push(Finding::error(codes::CONFIG_MISSING, loc, "the package has no `name`"));
        }
    }

    /// The name is that of the artifact's file too: it leads nowhere and is no option.
    fn name(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(name) = self.text(value, "name") else { return };
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if name.len() <= MAX_NAME && name.bytes().all(fits) && !name.starts_with(['-', '.']) {
            self.config.name = name;
            return;
        }
        let loc = self.loc(value.span());
        let message = format!("`{}` cannot be the name of a package", text::short(&name, MAX_NAME));
        let help = format!("a name has letters, digits, `.`, `_` and `-`, at most {MAX_NAME}, and begins with a letter, a digit or `_`");
        self.diagnostics.push(Finding::error(codes::CONFIG_TYPE, loc, message).help(help));
    }

    fn text(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Option<String> {
        match value.get_ref().as_str() {
            Some(text) if !text.is_empty() && !text.chars().any(text::is_hidden) => Some(text.to_owned()),
            Some(_) => {
                let loc = self.loc(value.span());
                self.diagnostics.push(Finding::error(codes::CONFIG_TYPE, loc, format!("`{key}` is empty or has invisible characters")));
                None
            }
            None => {
                self.wrong(value, key, "a string");
                None
            }
        }
    }

    fn texts(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Option<Vec<(String, Loc)>> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(value, key, "a list of strings");
            return None;
        };
        let mut all = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => all.push((text.to_owned(), self.loc(item.span()))),
                None => self.wrong(item, key, "a list of strings"),
            }
        }
        Some(all)
    }

    /// The texts of `kernels`. A series without quotes is a number to TOML.
    fn series(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Vec<(String, Loc)>> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(value, "kernels", "a list of strings");
            return None;
        };
        let mut all = Vec::new();
        for item in array.iter() {
            let loc = self.loc(item.span());
            let number = match item.get_ref() {
                DeValue::String(text) => {
                    all.push((text.to_string(), loc));
                    continue;
                }
                DeValue::Float(number) => number.as_str(),
                DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
                _ => {
                    self.wrong(item, "kernels", "a list of strings");
                    continue;
                }
            };
            let message = format!("the kernel series `{number}` is not in quotes");
            let quoted = format!("\"{number}\"");
            self.diagnostics.push(Finding::error(codes::CONFIG_TYPE, loc, message).help(format!("write `{quoted}`")).fix(
                "put it in quotes",
                loc,
                quoted,
            ));
        }
        Some(all)
    }

    fn kernels(&mut self, value: &Spanned<DeValue<'_>>) {
        let none = value.get_ref().as_array().is_some_and(|all| all.is_empty());
        let Some(wanted) = self.series(value) else { return };
        if none {
            let loc = self.loc(value.span());
            self.diagnostics.push(Finding::error(codes::UNKNOWN_KERNEL, loc, "the package names no kernel").help(known_kernels()));
        }
        for (series, loc) in &wanted {
            if LATER_KERNELS.contains(&series.as_str()) {
                let message = format!("the kernel series `{series}` is not supported yet");
                self.diagnostics.push(Finding::error(codes::KERNEL_LATER, *loc, message).help(known_kernels()));
            } else if !DEFAULT_KERNELS.contains(&series.as_str()) {
                let message = format!("unknown kernel series `{series}`");
                self.diagnostics.push(Finding::error(codes::UNKNOWN_KERNEL, *loc, message).help(known_kernels()));
            }
        }
        let chosen = DEFAULT_KERNELS.iter().filter(|k| wanted.iter().any(|(w, _)| w == **k));
        self.config.kernels = chosen.map(|k| (*k).to_owned()).collect();
    }

    /// Entries that can name no file of the package are told and left out.
    fn sources(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(entries) = self.texts(value, "sources") else { return };
        if value.get_ref().as_array().is_some_and(|array| array.is_empty()) {
            let help = "without `sources` a package contains every `.ebsec` file of its folder";
            let loc = self.loc(value.span());
            self.diagnostics.push(Finding::error(codes::BAD_SOURCE, loc, "`sources` is empty").help(help));
        }
        if entries.len() > MAX_SOURCES {
            let loc = self.loc(value.span());
            let message = format!("`sources` has more than {MAX_SOURCES} entries");
            self.diagnostics.push(Finding::error(codes::BAD_SOURCE, loc, message).help("write patterns, such as `policies/**`"));
        }
        let entries = entries.into_iter().take(MAX_SOURCES);
        self.config.sources = Some(entries.filter_map(|(text, loc)| self.source(text, loc, "sources")).collect());
    }

    /// A pattern of files of the package; `place` is where it is written.
    fn source(&mut self, text: String, loc: Loc, place: &str) -> Option<SourceEntry> {
        let message = match glob::parse(&format!("/{}", text.trim_start_matches("./")), glob::Kind::Path) {
            _ if text.starts_with('/') => format!("`{text}` in `{place}` is absolute"),
            _ if text.split('/').any(|part| part == "..") => format!("`{text}` in `{place}` leads out of the package"),
            Ok(pattern) => return Some(SourceEntry { text, loc, pattern }),
            Err(error) => format!("`{text}` in `{place}` names no file: {}", error.message),
        };
        self.diagnostics.push(Finding::error(codes::BAD_SOURCE, loc, message).help(SOURCES_HELP));
        None
    }

    /// Programs that must never be refused.
    fn lifelines(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            if key.get_ref() != "programs" {
                self.unknown("`[lifelines]`", key, &["programs"]);
                continue;
            }
            for (text, loc) in self.texts(value, "programs").unwrap_or_default() {
                if glob::parse(&text, glob::Kind::Path).is_ok_and(|p| p.literal().is_some()) && text.len() > 1 {
                    self.config.lifelines.push((text, loc));
                } else {
                    let message = format!("`{text}` in `programs` is not the path of a program");
                    let help = "write an absolute path without wildcards, such as `/usr/sbin/agent`";
                    self.diagnostics.push(Finding::error(codes::CONFIG_TYPE, loc, message).help(help));
                }
            }
        }
    }

    fn params(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            if let Some(tree) = self.tree(value, key.get_ref()) {
                let loc = self.loc(key.span());
                self.config.params.push(Given { name: key.get_ref().to_string(), loc, value: tree, from_text: true, file: None });
            }
        }
    }

    /// A TOML value as a constant of the language.
    fn tree(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Option<ast::Value> {
        let span = self.loc(value.span()).span;
        let kind = match value.get_ref() {
            DeValue::String(text) => ValueKind::Literal(Literal::Str(text.to_string())),
            DeValue::Integer(number) if number.radix() == 10 && number.as_str().bytes().all(|b| b.is_ascii_digit()) => {
                ValueKind::Literal(Literal::Number(number.as_str().to_owned()))
            }
            DeValue::Integer(number) if number.radix() == 8 => ValueKind::Literal(Literal::Number(format!("0o{}", number.as_str()))),
            DeValue::Integer(number) if number.radix() == 16 => ValueKind::Literal(Literal::Number(format!("0x{}", number.as_str()))),
            DeValue::Boolean(yes) => ValueKind::Name(yes.to_string()),
            DeValue::Datetime(date) if date.time.is_none() => ValueKind::Literal(Literal::Date(date.to_string())),
            DeValue::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.tree(item, key)).collect();
                ValueKind::Set(items.into_iter().collect::<Option<_>>()?)
            }
            _ => {
                self.wrong(value, key, "a string, a number, a date, `true`, `false` or a list of these");
                return None;
            }
        };
        Some(ast::Value { span, kind })
    }
}

fn known_kernels() -> String {
    format!("known series: {}", crate::diag::list(DEFAULT_KERNELS))
}

fn article(kind: &str) -> String {
    match kind {
        "string" => "a string".to_owned(),
        "array" => "a list".to_owned(),
        "integer" | "inline table" => format!("an {kind}"),
        other => format!("a {other}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn found(text: &str) -> (Config, Vec<&'static str>) {
        let mut diagnostics = Findings::default();
        let config = parse(text, FileId(0), &mut diagnostics);
        (config, diagnostics.take().0.iter().map(|d| d.code).collect())
    }

    #[test]
    fn a_whole_file() {
        let (config, codes) = found(
            "[package]\nname = \"web\"\nversion = \"1.2.0\"\nkernels = [\"6.12\", \"6.1\"]\n[params]\nbackup = \"/opt/b\"\nports = [443, 0o17]\nnets = [\"10.0.0.0/8\"]\n",
        );
        assert_eq!(codes, [] as [&str; 0]);
        assert_eq!((config.name.as_str(), config.kernels), ("web", vec!["6.1".to_owned(), "6.12".to_owned()]));
        assert_eq!(config.params.len(), 3);
    }

    #[test]
    fn sources_name_files_of_the_package() {
        let (config, codes) = found("[package]\nname = \"a\"\nsources = [\"./a.ebsec\", \"sub/**\", \"nope.ebsec\"]\n");
        assert_eq!(codes, [] as [&str; 0]);
        let paths = ["a.ebsec", "sub/deep/b.ebsec"];
        assert!(paths.iter().all(|p| config.wants(p)) && !config.wants("b.ebsec") && !config.wants("x/a.ebsec"));
        let missing: Vec<String> = config.unmatched(&paths).into_iter().map(|d| d.message).collect();
        assert_eq!(missing, ["`nope.ebsec` in `sources` matches no `.ebsec` file of the package"]);
    }

    #[test]
    fn a_value_on_the_command_line_has_a_name() {
        for text in ["=3", " =3", "ports"] {
            let mut diagnostics = Findings::default();
            assert!(command_line(text, FileId(0), &mut diagnostics).is_none());
            let (diagnostics, _) = diagnostics.take();
            assert!(diagnostics[0].code == "E0505" && diagnostics[0].message.starts_with(&format!("`{text}` ")), "{diagnostics:?}");
        }
    }

    #[test]
    fn mistakes_have_codes() {
        assert_eq!(found("[package").1, ["E0500"]);
        assert_eq!(found("[package]\nname = \"a\"\nkernel = []\n").1, ["E0501"]);
        assert_eq!(found("[package]\nname = 1\n").1, ["E0502"]);
        assert_eq!(found("[package]\nname = \"a\"\nkernels = [\"5.10\", \"9\"]\n").1, ["E0504", "E0503"]);
        for name in ["../../x", "a/b", ".a", "..", "-o", "a b", "é", "a\\u001b", &"a".repeat(65)] {
            assert_eq!(found(&format!("[package]\nname = \"{name}\"\n")).1, ["E0502"], "{name}");
        }
        assert_eq!(found(&format!("[package]\nname = \"a.B_9-{}\"\n", "x".repeat(58))).1, [] as [&str; 0]);
        let many = "\"a\",".repeat(MAX_SOURCES + 1);
        assert_eq!(found(&format!("[package]\nname = \"a\"\nsources = [{many}]\n")).1, ["E0508"]);
        assert_eq!(found("").1, ["E0506"]);
        assert_eq!(found("[package]\nname = \"a\"\nsources = []\n").1, ["E0508"]);
        assert_eq!(found("[package]\nname = \"a\"\nsources = [\"/a\", \"x/../a\", \"b/\", \"./a\"]\n").1, ["E0508"; 3]);
        assert_eq!(found("[package]\nname = \"a\"\n[params]\na = 1.5\n").1, ["E0502"]);
    }
}
