//! The page of a code: what it says of itself, its blocks, its examples, and the page as text for a terminal. Reads only
//! the small part of Markdown that the pages use.

use super::Level;
use std::fmt::Write as _;

/// Columns of text where nobody says how many there are.
pub const WIDTH: usize = 80;

/// The group of lints that are off unless the package's settings or the command line name them.
pub const PREVIEW: &str = "preview";

/// A code and its page, from `compiler/pages/`.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// `E0204`.
    pub code: &'static str,
    /// `unknown-field`, unique.
    pub name: &'static str,
    /// The level of its findings unless the package's settings say another.
    pub level: Level,
    /// `names`; `[lints]` takes groups too.
    pub group: &'static str,
    /// The version of ebsec that first had it.
    pub since: &'static str,
    /// Whether some of its findings come with a fix.
    pub fix: bool,
    /// Whether `[lints]` may change its level.
    pub configurable: bool,
    /// Why the page has no example, if it has none.
    pub no_example: Option<&'static str>,
    /// A phrase.
    pub title: &'static str,
    /// The page without its front matter, as Markdown.
    pub text: &'static str,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block<'p> {
    /// A heading without its `#`.
    Heading(&'p str),
    /// A paragraph.
    Text(&'p str),
    /// A fenced block: the words after the fence, and what is between the fences.
    Code(&'p str, &'p str),
}

/// A file of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleFile {
    /// `policy.ebsec`, `ebsec.toml`, or the name after the fence.
    pub path: &'static str,
    /// Its text.
    pub text: String,
}

impl Page {
    /// The name of its level where nothing changes it, `off` for those in [`PREVIEW`].
    #[must_use]
    pub fn level_name(&self) -> &'static str {
        if self.group == PREVIEW { "off" } else { self.level.name() }
    }

    /// The blocks of the page in order, the title first.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block<'static>> {
        blocks(self.text)
    }

    /// The files of the failing example; none if there is no example.
    #[must_use]
    pub fn example(&self) -> Vec<ExampleFile> {
        self.files_below("Example")
    }

    /// The files of the example without the mistake.
    #[must_use]
    pub fn corrected(&self) -> Vec<ExampleFile> {
        self.files_below("Corrected")
    }

    fn files_below(&self, heading: &str) -> Vec<ExampleFile> {
        let blocks = self.blocks();
        let below = blocks.iter().skip_while(|b| **b != Block::Heading(heading)).skip(1);
        let below = below.take_while(|b| !matches!(b, Block::Heading(_)));
        below.filter_map(|block| if let Block::Code(info, text) = block { Some(file(info, text)) } else { None }).collect()
    }

    /// The page for people: headings in bold if `styled`, paragraphs in lines of at most `width` columns, code indented.
    #[must_use]
    pub fn shown(&self, styled: bool, width: usize) -> String {
        let (bold, plain) = if styled { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        let mut out = String::new();
        for (index, block) in self.blocks().into_iter().enumerate() {
            match block {
                Block::Heading(title) if index == 0 => {
                    let _ = writeln!(out, "{bold}{}: {title}{plain}", self.code);
                    let fix = if self.fix { ", with a fix" } else { "" };
                    let _ = writeln!(out, "{} · {} · {} · since {}{fix}", self.name, self.level_name(), self.group, self.since);
                }
                Block::Heading(title) => {
                    let _ = writeln!(out, "\n{bold}{title}{plain}");
                }
                Block::Text(text) => {
                    let _ = writeln!(out, "\n{}", wrapped(text, width));
                }
                Block::Code(info, text) => {
                    out.push('\n');
                    if let Some(path) = info.split(' ').nth(1).filter(|path| path.contains('.')) {
                        let _ = writeln!(out, "    {path}:");
                    }
                    for line in text.lines() {
                        let _ = writeln!(out, "{}", format!("    {line}").trim_end());
                    }
                }
            }
        }
        out
    }
}

/// The blocks of a text in order.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((block, after)) = next_block(rest) {
        out.push(block);
        rest = after;
    }
    out
}

/// The first block of a text and what follows it.
fn next_block(text: &str) -> Option<(Block<'_>, &str)> {
    let text = text.trim_start_matches('\n');
    if text.is_empty() {
        return None;
    }
    if let Some(fenced) = text.strip_prefix("```") {
        let (info, rest) = fenced.split_once('\n').unwrap_or((fenced, ""));
        let (code, after) = match rest.strip_prefix("```") {
            Some(after) => ("", after),
            None => rest.split_once("\n```").unwrap_or((rest, "")),
        };
        return Some((Block::Code(info, code), after));
    }
    if text.starts_with('#') {
        let (line, after) = text.split_once('\n').unwrap_or((text, ""));
        return Some((Block::Heading(line.trim_start_matches('#').trim()), after));
    }
    let (paragraph, after) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    Some((Block::Text(paragraph), after))
}

/// The file of a fenced block: the language, then a path or `unescape` (`\u{…}` becomes the character), or neither.
fn file(info: &'static str, code: &str) -> ExampleFile {
    let mut words = info.split(' ');
    let usual = if words.next() == Some("toml") { "ebsec.toml" } else { "policy.ebsec" };
    let text = format!("{code}\n");
    match words.next() {
        Some("unescape") => ExampleFile { path: usual, text: unescaped(&text) },
        path => ExampleFile { path: path.unwrap_or(usual), text },
    }
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_once('}').unwrap_or(("", part));
        out.extend(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32));
        out.push_str(rest);
    }
    out
}

/// A paragraph in lines of at most `most` columns, longer words aside.
pub(crate) fn wrapped(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > most {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = "# A title\n\nOne\ntwo.\n\n## Example\n\n```ebsec unescape\nlet a = \"\\u{202e}\"\n\nlet b = 1\n```\n\n```toml x.toml\nk = 1\n```\n\n## Corrected\n\n```toml\n```\n";

    fn page() -> Page {
        let (level, text) = (Level::Error, TEXT);
        Page {
            code: "E1",
            name: "a-title",
            level,
            group: "g",
            since: "1",
            fix: true,
            configurable: false,
            no_example: None,
            title: "A title",
            text,
        }
    }

    #[test]
    fn a_page_has_files() {
        let files = page().example();
        assert_eq!(files.iter().map(|f| f.path).collect::<Vec<_>>(), ["policy.ebsec", "x.toml"]);
        assert_eq!(files.first().unwrap().text, "let a = \"\u{202e}\"\n\nlet b = 1\n");
        assert_eq!(page().corrected().first().unwrap().path, "ebsec.toml");
    }

    #[test]
    fn a_page_is_shown_as_text() {
        let plain = page().shown(false, WIDTH);
        let wanted = "E1: A title\na-title · error · g · since 1, with a fix\n\nOne two.\n\nExample\n\n    let a = \"\\u{202e}\"\n\n    let b = 1\n\n    x.toml:\n    k = 1\n\nCorrected\n\n";
        assert_eq!(plain, wanted);
        assert!(page().shown(true, WIDTH).starts_with("\u{1b}[1mE1: A title\u{1b}[0m\n"));
        assert!(
            super::super::codes::all()
                .iter()
                .all(|p| p.shown(false, WIDTH).lines().all(|l| l.starts_with("    ") || l.chars().count() <= 100))
        );
    }
}
