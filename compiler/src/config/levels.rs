//! The levels that `[lints]` of `ebsec.toml` gives to findings, and which of them the command line selects. Takes the table
//! and words, gives the levels; changes none that its page does not leave open.

use super::{Ignored, MAX_SOURCES, Reader};
use crate::diag::page::{PREVIEW, Page};
use crate::diag::{Finding, Level, codes, nearest};
use crate::source::Loc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a level may be, as it is written.
const WORDS: &[&str] = &["error", "warn", "info", "off"];

/// The findings whose level the package changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Code and new level, without one the finding is off. A later entry of a code counts.
    changed: Vec<(&'static str, Option<Level>)>,
    /// The same from outside of the package: what is here, the package and its comments do not change.
    locked: Vec<(&'static str, Option<Level>)>,
    choice: Choice,
}

/// Which lints the command line asks for. Counts more than any settings, and less than a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The codes that are reported, if only some are.
    only: Option<Vec<&'static str>>,
    /// The codes that are not.
    ignored: Vec<&'static str>,
}

/// A word that chooses nothing, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoChoice {
    /// One lowercase sentence.
    pub message: String,
    /// The way out.
    pub help: String,
}

impl Choice {
    /// Reads names, codes and groups. Without a selected one, all lints that are on are reported.
    ///
    /// # Errors
    /// If a word is none of them, or of findings that are always reported.
    pub fn read(select: &[String], ignore: &[String]) -> Result<Self, NoChoice> {
        let codes = |words: &[String]| {
            let all: Result<Vec<_>, NoChoice> = words.iter().map(|word| codes_of(word, codes::all())).collect();
            all.map(|all| all.concat())
        };
        let only = if select.is_empty() { None } else { Some(codes(select)?) };
        Ok(Self { only, ignored: codes(ignore)? })
    }

    /// Whether a code is asked for by a word of its own.
    fn selects(&self, code: &str) -> bool {
        self.only.as_ref().is_some_and(|only| only.contains(&code))
    }

    fn leaves_out(&self, code: &str) -> bool {
        self.ignored.contains(&code) || (self.only.is_some() && !self.selects(code))
    }
}

/// The pages that a name, a code or a group is for; none if it is nothing of these.
fn pages_of<'p>(word: &str, pages: &'p [Page]) -> Vec<&'p Page> {
    match pages.iter().find(|page| page.name == word || page.code == word) {
        Some(page) => vec![page],
        None => pages.iter().filter(|page| page.group == word).collect(),
    }
}

/// All words that [`pages_of`] knows, each once.
fn known(pages: &[Page]) -> Vec<&str> {
    let mut known: Vec<&str> = pages.iter().flat_map(|page| [page.name, page.code, page.group]).collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// The codes that a word of the command line is for.
fn codes_of(word: &str, pages: &'static [Page]) -> Result<Vec<&'static str>, NoChoice> {
    let chosen = pages_of(word, pages);
    let open: Vec<&str> = chosen.iter().filter(|page| page.configurable).map(|page| page.code).collect();
    if !open.is_empty() {
        return Ok(open);
    }
    let shown = word.escape_default();
    Err(if chosen.is_empty() {
        // A wrong number is near to any other number.
        let number = word.len() == 5 && word.bytes().skip(1).all(|b| b.is_ascii_digit());
        let lints: Vec<&str> = pages.iter().filter(|p| p.configurable).flat_map(|p| [p.name, p.group]).collect();
        let near = nearest(word, &lints).filter(|_| !number).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let message = format!("no lint and no group of lints is called `{shown}`");
        NoChoice { message, help: format!("{near}`ebsec explain` lists all names and codes") }
    } else {
        let message = format!("`{shown}` is an error of the language, which is always reported");
        NoChoice { message, help: "remove it: only lints can be selected or ignored".to_owned() }
    })
}

impl Levels {
    /// Lets the command line choose.
    pub fn choose(&mut self, choice: Choice) {
        self.choice = choice;
    }

    /// Lets settings from outside of the package have the last word on what they name.
    pub(super) fn lock(&mut self, outside: Levels) {
        self.locked = outside.changed;
    }

    /// Whether the package and its comments cannot change what happens to a finding.
    #[must_use]
    pub fn is_locked(&self, code: &str) -> bool {
        self.locked.iter().any(|(locked, _)| *locked == code)
    }

    /// The level of the findings of a page; none if they are off. What is selected is on, whatever the settings say.
    #[must_use]
    pub fn level(&self, page: &Page) -> Option<Level> {
        if !page.configurable {
            return Some(page.level);
        }
        if self.choice.leaves_out(page.code) {
            return None;
        }
        let of_code = |(code, _): &&(&'static str, Option<Level>)| *code == page.code;
        let level = match self.locked.iter().rev().find(of_code).or_else(|| self.changed.iter().rev().find(of_code)) {
            Some((_, level)) => *level,
            None => (page.group != PREVIEW).then_some(page.level),
        };
        level.or_else(|| self.choice.selects(page.code).then_some(page.level))
    }
}

impl Reader<'_> {
    /// Reads the table, with the pages that there are.
    pub(super) fn lints(&mut self, table: &DeTable<'_>, pages: &'static [Page]) {
        let mut single = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if name == "ignore" {
                self.ignored(value, pages);
                continue;
            }
            let chosen = pages_of(name, pages);
            if chosen.is_empty() {
                self.unknown_lint(name, self.loc(key.span()), pages);
                continue;
            }
            let of_one = pages.iter().any(|p| p.name == name || p.code == name);
            let open: Vec<&Page> = chosen.into_iter().filter(|p| p.configurable).collect();
            if open.is_empty() {
                let what = match of_one {
                    true => format!("the level of `{name}` cannot be changed"),
                    false => format!("no finding of the group `{name}` has a level that may change"),
                };
                let help = "errors of the language cannot be lowered: remove the line";
                let finding = Finding::error(codes::FIXED_LEVEL, self.loc(key.span()), what).help(help);
                self.diagnostics.push(finding);
            } else if let Some(level) = self.level(name, value) {
                let entries = open.iter().map(|p| (p.code, level));
                // One finding's own line counts more than its group's, in whatever order they are.
                if of_one { single.extend(entries) } else { self.config.levels.changed.extend(entries) }
            }
        }
        self.config.levels.changed.extend(single);
    }

    /// `[lints.ignore]`: for files the lints that are not reported of them.
    fn ignored(&mut self, value: &Spanned<DeValue<'_>>, pages: &'static [Page]) {
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong(value, "ignore", "a table, such as `{ \"tests/**\" = [\"naming\"] }`");
            return;
        };
        if table.len() > MAX_SOURCES {
            let loc = self.loc(value.span());
            let message = format!("`[lints.ignore]` has more than {MAX_SOURCES} entries");
            self.diagnostics.push(Finding::error(codes::BAD_SOURCE, loc, message).help("write patterns, such as `policies/**`"));
        }
        for (key, value) in table.iter().take(MAX_SOURCES) {
            let files = self.source(key.get_ref().to_string(), self.loc(key.span()), "[lints.ignore]");
            let mut all = Vec::new();
            for (word, loc) in self.texts(value, key.get_ref()).unwrap_or_default() {
                match codes_of(&word, pages) {
                    Ok(codes) => all.extend(codes),
                    Err(NoChoice { .. }) if pages_of(&word, pages).is_empty() => self.unknown_lint(&word, loc, pages),
                    Err(NoChoice { message, help }) => self.diagnostics.push(Finding::error(codes::FIXED_LEVEL, loc, message).help(help)),
                }
            }
            self.config.ignored.extend(files.map(|files| Ignored { files, codes: all }));
        }
    }

    fn unknown_lint(&mut self, name: &str, loc: Loc, pages: &'static [Page]) {
        let finding = Finding::error(codes::UNKNOWN_LINT, loc, format!("no finding and no group of findings is called `{name}`"));
        let known = known(pages);
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
    use crate::source::FileId;

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
        PAGES.iter().filter_map(|page| Some((page.code, levels.level(page)?))).collect()
    }

    fn chosen(select: &[&str], ignore: &[&str]) -> Result<Choice, NoChoice> {
        let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        Choice::read(&all(select), &all(ignore))
    }

    #[test]
    fn the_command_line_counts_more_than_the_settings() {
        let level = |name: &str, changed: Option<Option<Level>>, choice: &Choice| {
            let page = codes::page(name).unwrap();
            let changed = changed.map(|level| (page.code, level)).into_iter().collect();
            Levels { changed, choice: choice.clone(), ..Levels::default() }.level(page)
        };
        let all = Choice::default();
        assert_eq!(level("symlink-path", Some(None), &all), None);
        let one = chosen(&["L0301", "preview"], &["naming"]).unwrap();
        assert_eq!(level("symlink-path", Some(None), &one), Some(Level::Warning));
        assert_eq!(level("symlink-path", Some(Some(Level::Error)), &one), Some(Level::Error));
        assert_eq!((level("locks-out", None, &one), level("naming", None, &one)), (None, None));
        assert_eq!((level("missing-test", None, &one), level("missing-test", None, &all)), (Some(Level::Info), None));
        assert_eq!(level("unknown-field", None, &one), Some(Level::Error));
        assert_eq!(level("locks-out", None, &chosen(&[], &["safety"]).unwrap()), None);
    }

    #[test]
    fn a_word_that_chooses_nothing_is_refused() {
        assert!(chosen(&["symlink-pth"], &[]).unwrap_err().help.starts_with("did you mean `symlink-path`? "));
        for word in ["E0204", "names"] {
            assert!(chosen(&[], &[word]).unwrap_err().message.contains("always reported"), "{word}");
        }
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
