//! Findings of packages in, one document out, in any of the formats of `FORMATS`. A run shows a bounded number of findings,
//! each around its own places, and says how many more there are. Foreign text is made fit to be shown (`text`). Never
//! prints.

mod agent;
mod azure;
mod checkstyle;
mod concise;
mod github;
mod gitlab;
mod item;
mod json;
mod junit;
mod markdown;
mod pretty;
mod rdjson;
mod sarif;
mod snippet;

use super::{Finding, Level, codes};
use crate::source::{Loc, Sources};
use item::Item;
use serde_json::Value;
use std::collections::BTreeMap;

/// Most findings that a document shows.
pub const MAX_SHOWN: usize = 500;
/// Most codes that are counted of findings that are not shown.
const MAX_CODES: usize = 8;

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people.
    #[default]
    Pretty,
    /// A line for each finding.
    Concise,
    /// One JSON array.
    Json,
    /// A JSON object a line.
    Jsonl,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML.
    Junit,
    /// Checkstyle's XML.
    Checkstyle,
    /// Reviewdog's diagnostic format.
    Rdjson,
    /// Logging commands of Azure Pipelines.
    Azure,
    /// A table in Markdown.
    Markdown,
    /// Text for language models.
    Agent,
}

/// Each format, its name and what it is, in the order in which help lists them.
pub const FORMATS: &[(Format, &str, &str)] = &[
    (Format::Pretty, "pretty", "For people, on the error output"),
    (Format::Concise, "concise", "A line for each finding"),
    (Format::Json, "json", "One JSON array"),
    (Format::Jsonl, "jsonl", "A JSON object a line"),
    (Format::Sarif, "sarif", "SARIF 2.1.0, for code scanning"),
    (Format::Github, "github", "Annotations of GitHub Actions"),
    (Format::Gitlab, "gitlab", "GitLab's code quality report"),
    (Format::Junit, "junit", "JUnit's XML, for test reports"),
    (Format::Checkstyle, "checkstyle", "Checkstyle's XML"),
    (Format::Rdjson, "rdjson", "Reviewdog's JSON"),
    (Format::Azure, "azure", "Annotations of Azure Pipelines"),
    (Format::Markdown, "markdown", "A table for comments and summaries"),
    (Format::Agent, "agent", "Compact text for language models"),
];

impl Format {
    /// The format of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        FORMATS.iter().find(|(_, known, _)| *known == name).map(|(format, ..)| *format)
    }

    /// Whether its lines are commands that a CI system obeys: their foreign text is escaped by the commands' own rules, and
    /// no other escapes may be made in them.
    #[must_use]
    pub fn is_commands(self) -> bool {
        matches!(self, Self::Github | Self::Azure)
    }
}

/// Findings of a package.
#[derive(Clone, Copy, Debug)]
pub struct Package<'a> {
    /// The findings, in the order of their places.
    pub findings: &'a [Finding],
    /// Findings that were not even kept.
    pub left_out: usize,
    /// What their places are in, with paths as they are to be shown.
    pub sources: &'a Sources,
    /// How the shown paths of the package's own files begin, of which a fingerprint must not depend: it changes with the
    /// folder that the command is called from. Empty if they are as they are.
    pub root: &'a str,
}

/// A unit test that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its lines that got what they expect.
    pub passed: usize,
    /// Its lines.
    pub total: usize,
}

/// All that one document shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report<'a> {
    /// The packages of the run.
    pub packages: &'a [Package<'a>],
    /// Unit tests, where it is about them.
    pub tests: &'a [Test],
    /// The lowest level that counts as a failure; by default that of errors.
    pub fails: Option<Level>,
}

/// The findings that are shown, each with the index of its package, and a last one that counts the others.
struct Chosen<'a> {
    shown: Vec<(usize, &'a Finding)>,
    more: Option<(usize, Finding)>,
}

impl Report<'_> {
    /// The document. `colour` is for people, on a terminal.
    #[must_use]
    pub fn render(&self, format: Format, colour: bool) -> String {
        let chosen = self.choose();
        if format == Format::Pretty {
            return pretty::document(self, &chosen, colour);
        }
        let items = item::items(self.packages, &chosen);
        match format {
            Format::Pretty | Format::Concise => concise::document(&items),
            Format::Json => json::document(&items),
            Format::Jsonl => json::lines(&items),
            Format::Sarif => sarif::document(&items),
            Format::Github => github::document(&items),
            Format::Gitlab => gitlab::document(&items),
            Format::Junit => junit::document(&items, self),
            Format::Checkstyle => checkstyle::document(&items),
            Format::Rdjson => rdjson::document(&items),
            Format::Azure => azure::document(&items),
            Format::Markdown => markdown::document(&items, &pretty::summary(self)),
            Format::Agent => agent::document(&items, &pretty::summary(self)),
        }
    }

    /// For documents that hold more than findings: an array for each package, as `json` has them.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        let chosen = self.choose();
        let items = item::items(self.packages, &chosen);
        let of = |package: usize| items.iter().filter(|item| item.package == package).map(json::value).collect();
        (0..self.packages.len()).map(|package| Value::Array(of(package))).collect()
    }

    /// Whether a level is a failure.
    fn fails(&self, level: Level) -> bool {
        level >= self.fails.unwrap_or(Level::Error)
    }

    /// What of the findings is shown, errors before others, and what is said of the rest.
    fn choose(&self) -> Chosen<'_> {
        let all = || self.packages.iter().enumerate().flat_map(|(index, package)| package.findings.iter().map(move |f| (index, f)));
        let left_out: usize = self.packages.iter().map(|package| package.left_out).sum();
        let errors = all().filter(|(_, finding)| finding.level == Level::Error).count();
        let (mut room, mut others) = (MAX_SHOWN, MAX_SHOWN.saturating_sub(errors));
        let mut rest: BTreeMap<&str, usize> = BTreeMap::new();
        let mut shown: Vec<(usize, &Finding)> = Vec::new();
        for (package, finding) in all() {
            let room = if finding.level == Level::Error { &mut room } else { &mut others };
            match room.checked_sub(1) {
                Some(less) => {
                    *room = less;
                    shown.push((package, finding));
                }
                None => *rest.entry(finding.code).or_default() += 1,
            }
        }
        let more = rest.values().sum::<usize>() + left_out;
        if more == 0 {
            return Chosen { shown, more: None };
        }
        // Errors are shown first: what is left is none where others are shown.
        let level = if left_out > 0 || errors >= shown.len().max(1) { Level::Error } else { Level::Warning };
        let (package, last) = shown.last().map_or((0, Loc::default()), |(package, finding)| (*package, finding.primary.loc));
        let finding = Finding::new(codes::TOO_MANY_ERRORS, level, last, said(more, left_out, rest));
        Chosen { shown, more: Some((package, finding)) }
    }
}

/// The line about findings that are not shown.
fn said(more: usize, left_out: usize, by_code: BTreeMap<&str, usize>) -> String {
    let mut by_code: Vec<(&str, usize)> = by_code.into_iter().collect();
    by_code.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
    let mut parts: Vec<String> = by_code.iter().take(MAX_CODES).map(|(code, count)| format!("{} of {code}", grouped(*count))).collect();
    let others: usize = by_code.iter().skip(MAX_CODES).map(|(_, count)| count).sum::<usize>() + left_out;
    if others > 0 {
        parts.push(format!("{} others", grouped(others)));
    }
    let noun = if more == 1 { "finding" } else { "findings" };
    format!("… and {} more {noun}: {}", grouped(more), parts.join(", "))
}

/// `1,234`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// The document of one package in a format, without colours.
#[must_use]
pub fn document(findings: &[Finding], sources: &Sources, format: Format) -> String {
    let packages = [Package { findings, left_out: 0, sources, root: "" }];
    Report { packages: &packages, ..Report::default() }.render(format, false)
}

/// The document of one package for people.
#[must_use]
pub fn pretty(findings: &[Finding], sources: &Sources, colour: bool) -> String {
    let packages = [Package { findings, left_out: 0, sources, root: "" }];
    Report { packages: &packages, ..Report::default() }.render(Format::Pretty, colour)
}

/// The document of one package as JSON.
#[must_use]
pub fn json(findings: &[Finding], sources: &Sources) -> String {
    document(findings, sources, Format::Json)
}

/// The names of a page that a finding has, for consumers that show one.
fn page_name(item: &Item<'_>) -> &'static str {
    codes::page(item.finding.code).map_or("", |page| page.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_has_one_name() {
        for (format, name, about) in FORMATS {
            assert_eq!(Format::named(name), Some(*format));
            assert!(!about.ends_with('.') && about.len() < 40, "{about}");
        }
        assert_eq!(Format::named("xml"), None);
    }
}
