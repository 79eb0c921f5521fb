//! The levels that `[lints]` of `ebsec.toml` gives to findings. Takes the table, gives the changed levels; changes none that
//! its page does not leave open.

use super::Reader;
use crate::diag::page::Page;
use crate::diag::{Finding, Level, codes, nearest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a level may be, as it is written.
const WORDS: &[&str] = &["error", "warn", "info", "off"];

/// The findings whose level the package changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Code and new level, without one the finding is off. A later entry of a code counts.
    changed: Vec<(&'static str, Option<Level>)>,
}

/// The group whose lints are off unless the package's settings say otherwise.
const PREVIEW: &str = "preview";

impl Levels {
    /// The level of the findings of a page; none if they are off.
    #[must_use]
    pub fn level(&self, page: &Page) -> Option<Level> {
        match self.changed.iter().rev().find(|(code, _)| *code == page.code) {
            Some((_, level)) => *level,
            None => (page.group != PREVIEW).then_some(page.level),
        }
    }

    /// Gives findings their levels and removes those that are off.
    pub fn apply(&self, findings: &mut Vec<Finding>) {
        findings.retain_mut(|finding| match self.changed.iter().rev().find(|(code, _)| *code == finding.code) {
            Some((_, None)) => false,
            Some((_, Some(level))) => {
                finding.level = *level;
                true
            }
            None => true,
        });
    }
}

impl Reader<'_> {
    /// Reads the table, with the pages that there are.
    pub(super) fn lints(&mut self, table: &DeTable<'_>, pages: &'static [Page]) {
        let mut single = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let group: Vec<&Page> = pages.iter().filter(|p| p.group == name).collect();
            let named = pages.iter().find(|p| p.name == name || p.code == name);
            let (chosen, what) = match named {
                Some(page) => (vec![page], format!("the level of `{name}` cannot be changed")),
                None if !group.is_empty() => (group, format!("no finding of the group `{name}` has a level that may change")),
                None => {
                    self.unknown_lint(key, pages);
                    continue;
                }
            };
            let open: Vec<&Page> = chosen.into_iter().filter(|p| p.configurable).collect();
            if open.is_empty() {
                let help = "errors of the language cannot be lowered: remove the line";
                let finding = Finding::error(codes::FIXED_LEVEL, self.loc(key.span()), what).help(help);
                self.diagnostics.push(finding);
            } else if let Some(level) = self.level(name, value) {
                let entries = open.iter().map(|p| (p.code, level));
                // One finding's own line counts more than its group's, in whatever order they are.
                if named.is_some() { single.extend(entries) } else { self.config.levels.changed.extend(entries) }
            }
        }
        self.config.levels.changed.extend(single);
    }

    fn unknown_lint(&mut self, key: &Spanned<impl AsRef<str>>, pages: &'static [Page]) {
        let (name, loc) = (key.get_ref().as_ref(), self.loc(key.span()));
        let finding = Finding::error(codes::UNKNOWN_LINT, loc, format!("no finding and no group of findings is called `{name}`"));
        let mut known: Vec<&str> = pages.iter().flat_map(|p| [p.name, p.code, p.group]).collect();
        known.sort_unstable();
        known.dedup();
        let finding = match nearest(name, &known) {
            Some(near) if pages.iter().any(|p| p.configurable && [p.name, p.code, p.group].contains(&near)) => {
                finding.near(name, loc, known)
            }
            // Its level cannot change either, so writing it would be the next error.
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("`ebsec explain` lists all names and codes"),
        };
        self.diagnostics.push(finding);
    }

    /// The level that is written, `Some(None)` for `off`.
    fn level(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> Option<Option<Level>> {
        let Some(word) = value.get_ref().as_str() else {
            self.wrong(value, name, "a text");
            return None;
        };
        match word {
            "error" => Some(Some(Level::Error)),
            "warn" => Some(Some(Level::Warning)),
            "info" => Some(Some(Level::Info)),
            "off" => Some(None),
            _ => {
                let loc = self.loc(value.span());
                let finding = Finding::error(codes::CONFIG_TYPE, loc, format!("`{word}` is not a level"));
                let quoted: Vec<String> = WORDS.iter().map(|w| format!("\"{w}\"")).collect();
                let finding = match nearest(word, WORDS) {
                    Some(near) => finding.help(format!("did you mean `\"{near}\"`?")).guess("change the level", loc, format!("\"{near}\"")),
                    None => finding.help(format!("a level is one of {}", quoted.join(", "))),
                };
                self.diagnostics.push(finding);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Config;
    use crate::diag::Findings;
    use crate::source::{FileId, Loc};

    const fn page(code: &'static str, name: &'static str, group: &'static str, configurable: bool) -> Page {
        let (level, since, fix) = (Level::Error, "0.1.0", false);
        Page { code, name, level, group, since, fix, configurable, no_example: None, title: "Title", text: "" }
    }

    static PAGES: &[Page] = &[
        page("L0001", "wide-rule", "style", true),
        page("L0002", "long-name", "style", true),
        page("E0001", "wrong-thing", "style", false),
        page("E0002", "bad-word", "words", false),
    ];

    fn read(text: &str) -> (Levels, Vec<Finding>) {
        let mut diagnostics = Findings::default();
        let mut reader = Reader { file: FileId(0), diagnostics: &mut diagnostics, config: Config::default() };
        reader.lints(DeTable::parse(text).unwrap().get_ref(), PAGES);
        (reader.config.levels, diagnostics.take().0)
    }

    fn after(levels: &Levels) -> Vec<(&'static str, Level)> {
        let mut findings: Vec<_> = PAGES.iter().map(|p| Finding::error(p.code, Loc::default(), "x")).collect();
        levels.apply(&mut findings);
        findings.iter().map(|f| (f.code, f.level)).collect()
    }

    #[test]
    fn a_finding_counts_more_than_its_group() {
        let (levels, wrong) = read("wide-rule = \"off\"\nstyle = \"warn\"\n");
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(after(&levels), [("L0002", Level::Warning), ("E0001", Level::Error), ("E0002", Level::Error)]);
        let (levels, _) = read("a = 1\nL0002 = \"info\"\n");
        assert_eq!(after(&levels).get(1), Some(&("L0002", Level::Info)));
    }

    #[test]
    fn fixed_levels_stay() {
        let (levels, wrong) = read("wrong-thing = \"off\"\nE0002 = \"warn\"\nwords = \"off\"\n");
        assert!(levels == Levels::default() && wrong.iter().all(|d| d.code == codes::FIXED_LEVEL) && wrong.len() == 3, "{wrong:?}");
    }

    #[test]
    fn mistakes_have_near_names() {
        let (levels, wrong) = read("wide-rul = \"off\"\nlong-name = \"wran\"\nL0001 = 1\nnothing-like-it = \"off\"\n");
        let mut said: Vec<(&str, Vec<String>)> = wrong.iter().map(|d| (d.code, d.help.clone())).collect();
        said.sort();
        let help = |text: &str| vec![text.to_owned()];
        let wanted = [
            ("E0502", vec![]),
            ("E0502", help("did you mean `\"warn\"`?")),
            ("E0509", help("`ebsec explain` lists all names and codes")),
            ("E0509", help("did you mean `wide-rule`?")),
        ];
        assert!(levels == Levels::default() && said == wanted, "{said:?}");
    }
}
