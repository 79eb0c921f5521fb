//! The documentation does what it says. Each page of `docs/` and the README is followed from its first line to its last, in a
//! folder of its own: a block with a file's name (`ebsec web.ebsec`) is written, each command of a `console` block is run and
//! has to print what stands below it, and any other policy is checked alone. Links lead somewhere, and every page is in the
//! table of contents. The reference's examples are tested where it is made. `EBSEC_BLESS=1` writes what the commands print
//! into the pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const EBSEC: &str = env!("CARGO_BIN_EXE_ebsec");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn pages_below(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages_below(&path, out);
        } else if path.extension().is_some_and(|e| e == "md") {
            out.push(path);
        }
    }
}

/// The README and every page of `docs/`.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    pages_below(&root().join("docs"), &mut pages);
    pages.sort();
    pages
}

fn shown(page: &Path) -> String {
    page.strip_prefix(root()).unwrap().display().to_string()
}

/// Text as it is, or a fenced block: what follows the fence, and what is between the fences.
#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    Block(String, String),
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let (mut plain, mut block) = (String::new(), None);
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("```"), block.take()) {
            (Some(_), Some((info, code))) => out.push(Piece::Block(info, code)),
            (Some(info), None) => {
                out.push(Piece::Text(std::mem::take(&mut plain)));
                block = Some((info.trim_end().to_owned(), String::new()));
            }
            (None, Some((info, code))) => block = Some((info, code + line)),
            (None, None) => plain.push_str(line),
        }
    }
    assert!(block.is_none(), "a block has no end");
    out.push(Piece::Text(plain));
    out
}

/// The page of pieces.
fn joined(pieces: &[Piece]) -> String {
    pieces.iter().fold(String::new(), |mut out, piece| {
        let _ = match piece {
            Piece::Text(text) => write!(out, "{text}"),
            Piece::Block(info, code) => write!(out, "```{info}\n{code}```\n"),
        };
        out
    })
}

/// Follows one page.
struct Story {
    folder: TempDir,
    failures: String,
}

impl Story {
    /// In a folder that is called as a reader's might be, with the program in the search path.
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), failures: String::new() }
    }

    fn fails(&mut self, what: &str) {
        self.failures.push_str(what);
        self.failures.push('\n');
    }

    /// A command of a shell, with both of its outputs as a terminal shows them, and without its colours.
    fn command(&self, words: &str) -> Command {
        let mut command = Command::new("sh");
        let bin = Path::new(EBSEC).parent().unwrap().display();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
        command.args(["-c", &format!("{{ {words}\n}} 2>&1")]).current_dir(self.folder.path()).env("PATH", path);
        command.env("EBSEC_CACHE", self.folder.path().join(".cache")).env_remove("EBSEC_LOAD").env("NO_COLOR", "1");
        command
    }

    /// Runs the commands of a block and gives the block as it should be.
    fn console(&self, code: &str) -> String {
        let mut out = String::new();
        for line in code.lines().filter(|line| line.starts_with("$ ")) {
            let done = self.command(&line[2..]).output().unwrap();
            let _ = write!(out, "{line}\n{}", String::from_utf8(done.stdout).unwrap());
        }
        out
    }

    /// A policy that belongs to no file has no error.
    fn alone(&mut self, code: &str) {
        let mut child = self.command("ebsec check -").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        if !done.status.success() {
            self.fails(&format!("this policy is wrong:\n{code}\n{}", String::from_utf8_lossy(&done.stdout)));
        }
    }

    fn file(&mut self, name: &str, code: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, code).unwrap();
    }

    /// Follows the page and gives it as it should be.
    fn page(&mut self, text: &str) -> String {
        let mut pieces = pieces(text);
        for piece in &mut pieces {
            let Piece::Block(info, code) = piece else { continue };
            let (language, name) = info.split_once(' ').unwrap_or((info.as_str(), ""));
            match (language, name) {
                ("console", _) => *code = self.console(code),
                ("ebsec", "") => self.alone(code),
                ("ebsec" | "toml", name) if !name.is_empty() => self.file(name, code),
                _ => {}
            }
        }
        joined(&pieces)
    }
}

#[test]
fn pages_do_what_they_say() {
    let mut wrong = String::new();
    let mut commands = 0;
    for page in pages().into_iter().filter(|page| !page.starts_with(root().join("docs/reference"))) {
        let text = fs::read_to_string(&page).unwrap();
        commands += text.lines().filter(|line| line.starts_with("$ ")).count();
        let mut story = Story::new();
        let after = story.page(&text);
        if after != text && ebsec_test_support::blessing() {
            fs::write(&page, &after).unwrap();
        } else if after != text {
            let first = text.lines().zip(after.lines()).find(|(a, b)| a != b).unwrap_or_default();
            let _ = writeln!(wrong, "{}: the page says\n    {}\nand the command\n    {}", shown(&page), first.0, first.1);
        }
        if !story.failures.is_empty() {
            let _ = writeln!(wrong, "{}: {}", shown(&page), story.failures);
        }
    }
    assert!(wrong.is_empty(), "{wrong}EBSEC_BLESS=1 writes what the commands print; look at the difference");
    assert!(commands >= 20, "only {commands} commands");
}

/// What links of a page lead to: `](…)`, outside of blocks.
fn links(text: &str) -> Vec<String> {
    let plain: String = pieces(text).into_iter().filter_map(|p| if let Piece::Text(text) = p { Some(text) } else { None }).collect();
    plain.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|title| title.to_lowercase().chars().filter(|c| kept(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = String::new();
    let more = ["ARCHITECTURE.md", "CHANGELOG.md", "examples/web-server/README.md"].map(|name| root().join(name));
    for page in pages().into_iter().chain(more) {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text).iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let found =
                target.exists() && (anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).iter().any(|a| a == anchor));
            if !found {
                let _ = writeln!(wrong, "{}: {link} leads nowhere", shown(&page));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let contents = root().join("docs/README.md");
    let listed: Vec<PathBuf> = links(&fs::read_to_string(&contents).unwrap()).iter().map(|link| root().join("docs").join(link)).collect();
    let missing: Vec<String> = pages()
        .iter()
        .filter(|page| **page != contents && **page != root().join("README.md"))
        .filter(|page| !listed.iter().any(|l| l.canonicalize().is_ok_and(|l| l == **page)))
        .map(|page| shown(page))
        .collect();
    assert!(missing.is_empty(), "docs/README.md does not list {missing:?}");
    assert!(fs::read_to_string(root().join("README.md")).unwrap().contains("(docs/README.md)"));
}

#[test]
fn a_page_is_its_pieces() {
    let text = "# A\n\n```ebsec a.ebsec\nlet a = 1\n```\nb [c](d.md#e) ```x```\n\n```console\n$ x\n```\n";
    assert_eq!(joined(&pieces(text)), text);
    assert_eq!(pieces(text)[1], Piece::Block("ebsec a.ebsec".to_owned(), "let a = 1\n".to_owned()));
    assert_eq!((links(text), anchors("## What is `x`, and why?\n")), (vec!["d.md#e".to_owned()], vec!["what-is-x-and-why".to_owned()]));
}
