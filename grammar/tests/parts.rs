//! A file in parts: no byte is lost, the cuts change nothing of what the grammar reads, and what is read again after an
//! edit is what a new reading gives.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ebsec_grammar::{Part, PartKind, Reread, TokenKind, Tree, parse, reparse, tokens};

/// A small generator with a fixed start: the same edits each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }

    /// A place between two characters.
    fn place(&mut self, text: &str) -> usize {
        text.floor_char_boundary(self.below(text.len() + 1))
    }

    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| collect(&entry.unwrap().path(), files));
    } else if path.extension().is_some_and(|e| e == "ebsec") {
        files.push(path.to_owned());
    }
}

/// The library, the examples and the goldens, right and wrong.
fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["std", "examples", "tests/golden"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let texts: Vec<String> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(texts.len() > 100, "{}", texts.len());
    texts
}

/// What holds for every text.
fn check(text: &str, tree: &Tree) {
    assert_eq!(tree.text(), text);
    let mut end = 0;
    for part in tree.parts() {
        assert_eq!(part.piece.span.start, end, "each byte is in one part");
        end = part.piece.span.end;
        let slice = tree.slice(part);
        assert!(!slice.is_empty());
        if let Some(name) = part.piece.name {
            assert!(slice.get(name.start as usize..name.end as usize).is_some_and(|n| !n.is_empty()));
        }
    }
    assert_eq!(end as usize, text.len());
    let mut at = 0;
    for token in tokens(text) {
        assert_eq!(token.span.start, at, "each byte is in one token");
        assert!(token.span.end > at);
        at = token.span.end;
        assert!(text.get(token.span.start as usize..at as usize).is_some(), "tokens end between characters");
    }
    assert_eq!(at as usize, text.len());
}

const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "//",
    "///",
    "\n",
    "\r\n",
    "\r",
    "\0",
    "=",
    "==",
    ",",
    ":",
    "/*",
    "*/",
    "# ",
    "é",
    "\u{202e}",
    "\u{feff}",
    "policy ",
    "policy p {\n",
    "test \"t\" {\n",
    "let x = ",
    "when ",
    "a: deny ",
    "b: deny exec\n",
    "\n    mode = enforce\n",
    "import a\n",
    " and ",
    "by ",
    "process w = { exe = \"/a\" }\n",
    "default deny exec\n",
    "except a.b ",
    "\nfoo bar\n",
    "/// doc\n",
    "fd00:abcd::1",
    "with { ",
];

/// The text with one thing inserted, removed or replaced: bytes, tokens, lines or blocks.
fn edit(text: &str, random: &mut Random) -> String {
    let at = random.place(text);
    let (start, end) = match random.below(5) {
        0 => (at, at),
        1 => (at, text.floor_char_boundary((at + random.below(24)).min(text.len()))),
        2 => {
            let all: Vec<_> = tokens(text).map(|t| (t.span.start as usize, t.span.end as usize)).collect();
            if all.is_empty() { (0, 0) } else { all[random.below(all.len())] }
        }
        3 => (text[..at].rfind('\n').map_or(0, |at| at + 1), text[at..].find('\n').map_or(text.len(), |end| at + end + 1)),
        _ => {
            let tree = parse(text);
            let spans: Vec<_> = tree.parts().iter().map(|p| (p.piece.span.start as usize, p.piece.span.end as usize)).collect();
            if spans.is_empty() { (0, 0) } else { spans[random.below(spans.len())] }
        }
    };
    let (start, end) = (start, end.max(start));
    let cut = &text[start..end];
    let put = match random.below(4) {
        0 => String::new(),
        1 => random.one(PIECES).to_owned(),
        2 => format!("{cut}{cut}"),
        _ => {
            let bytes: Vec<u8> = (0..random.below(5)).map(|_| u8::try_from(random.below(128)).unwrap()).collect();
            String::from_utf8(bytes).unwrap()
        }
    };
    format!("{}{put}{}", &text[..start], &text[end..])
}

#[test]
fn ten_thousand_edits_read_again_give_what_a_new_reading_gives() {
    let texts: Vec<String> = corpus().into_iter().filter(|t| t.len() < 3_000).collect();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut steps, mut file) = (0, 0);
    while steps < 10_000 {
        let mut tree = parse(&texts[file % texts.len()]);
        file += 1;
        for _ in 0..80 {
            let text = edit(tree.text(), &mut random);
            if text.len() > 6_000 {
                break;
            }
            let Reread { tree: again, before } = reparse(&tree, text.as_str().into());
            check(&text, &again);
            check_before(&tree, &again, &before);
            assert!(again == parse(&text), "step {steps}, from\n{}\nto\n{text}", tree.text());
            tree = again;
            steps += 1;
        }
    }
}

/// What is said to have been there before was, each part once.
fn check_before(old: &Tree, new: &Tree, before: &[Option<usize>]) {
    assert_eq!(new.parts().len(), before.len());
    let mut seen = std::collections::HashSet::new();
    for (part, before) in new.parts().iter().zip(before) {
        let Some(before) = before else { continue };
        let old_part = &old.parts()[*before];
        assert!(seen.insert(*before) && std::sync::Arc::ptr_eq(&old_part.content, &part.content));
        assert_eq!(old.slice(old_part), new.slice(part));
    }
}

#[test]
fn an_edit_leaves_the_other_parts_as_they_are() {
    for text in corpus() {
        let tree = parse(&text);
        if tree.parts().is_empty() || !tree.errors().is_empty() {
            continue;
        }
        // A comment before all of it moves everything.
        let moved = reparse(&tree, format!("// new\n{text}").into()).tree;
        let old: Vec<_> = tree.parts().iter().filter(|p| p.piece.kind != PartKind::Trivia).collect();
        let new: Vec<_> = moved.parts().iter().filter(|p| p.piece.kind != PartKind::Trivia).collect();
        assert_eq!(old.len(), new.len());
        for (old, new) in old.iter().zip(&new) {
            assert!(is_kept(&tree, new), "{}", moved.slice(new));
            assert_eq!(old.piece.span.start + 7, new.piece.span.start);
        }
        // Another rule, and no other part is read.
        let rule = tree.parts().iter().position(|p| p.piece.kind == PartKind::Rule);
        let Some(rule) = rule else { continue };
        let at = tree.parts()[rule].piece.span.start as usize;
        let label = format!("new_{}", &text[at..]);
        let changed = reparse(&tree, format!("{}{label}", &text[..at]).into()).tree;
        if tree.slice(&tree.parts()[rule]).starts_with("///") {
            continue;
        }
        assert!(changed.errors().is_empty(), "{:?}", changed.errors());
        for (index, new) in changed.parts().iter().enumerate() {
            assert!(index == rule || is_kept(&tree, new), "{}", changed.slice(new));
        }
    }
}

/// Whether what is in a part was not read again. (The same text may stand in several parts.)
fn is_kept(old: &Tree, new: &Part) -> bool {
    old.parts().iter().any(|part| Arc::ptr_eq(&part.content, &new.content))
}

/// Blanks and line ends in each other's place: the cuts go by lines, what the grammar reads does not. Comments are blanked.
fn laid_out(text: &str, blank: char, end: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_doc = false;
    for token in tokens(text) {
        let part = &text[token.span.start as usize..token.span.end as usize];
        match token.kind {
            TokenKind::Blank | TokenKind::Comment => {
                out.extend(part.chars().map(|c| if c.is_ascii() { blank.to_string() } else { " ".repeat(c.len_utf8()) }))
            }
            TokenKind::LineEnd if !after_doc => out.extend(part.chars().map(|_| end)),
            _ => out.push_str(part),
        }
        after_doc = token.kind == TokenKind::Doc;
    }
    out
}

#[test]
fn lines_do_not_change_what_is_read() {
    for text in corpus() {
        let tree = parse(&text);
        if !tree.errors().is_empty() {
            continue;
        }
        for other in [laid_out(&text, ' ', ' '), laid_out(&text, '\n', '\n'), laid_out(&text, '\n', ' '), text.replace("\n\n", "\n ")] {
            let laid = parse(&other);
            assert!(laid.errors().is_empty(), "{:?}\n{other}", laid.syntax_errors());
            assert_eq!(laid.whole(), tree.whole(), "{other}");
        }
    }
}

#[test]
fn right_files_have_one_thing_in_a_part() {
    for text in corpus() {
        let tree = parse(&text);
        if !tree.errors().is_empty() {
            continue;
        }
        for part in tree.parts() {
            let things = part.content.items.len() + part.content.members.len() + part.content.lines.len();
            let wanted = usize::from(!matches!(part.piece.kind, PartKind::Trivia | PartKind::Close));
            // Lines of a test that share a line of the text are read together.
            assert!(things == wanted || part.piece.kind == PartKind::Process || part.piece.kind == PartKind::Step, "{}", tree.slice(part));
        }
    }
}

#[test]
fn a_text_of_any_characters_keeps_its_bytes() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for _ in 0..2_000 {
        let text: String = (0..random.below(40))
            .map(|_| match random.below(3) {
                0 => random.one(PIECES).to_owned(),
                1 => char::from_u32(u32::try_from(random.below(0x11_0000)).unwrap()).map_or_else(String::new, |c| c.to_string()),
                _ => char::from(u8::try_from(random.below(128)).unwrap()).to_string(),
            })
            .collect();
        let tree = parse(&text);
        check(&text, &tree);
        assert_eq!(tree, reparse(&tree, text.as_str().into()).tree);
    }
}

#[test]
fn what_could_not_be_read_keeps_its_kind_and_name() {
    let text = "let a = {\nparam b\nfn c(\npolicy d [\n}\npolicy e {\n    f: frob exec\n    g = \n    default deny,\n}\ntest \"h\" {\n    process i =\n}\n";
    let tree = parse(text);
    let names: Vec<(PartKind, &str)> = tree
        .parts()
        .iter()
        .map(|p| (p.piece.kind, p.piece.name.map_or("", |n| &tree.slice(p)[n.start as usize..n.end as usize])))
        .collect();
    let wanted = [
        (PartKind::Let, "a"),
        (PartKind::Param, "b"),
        (PartKind::Fn, "c"),
        (PartKind::Policy, "d"),
        (PartKind::Policy, "e"),
        (PartKind::Rule, "f"),
        (PartKind::Property, "g"),
        (PartKind::Default, ""),
        (PartKind::Close, ""),
        (PartKind::Test, "\"h\""),
        (PartKind::Process, "i"),
        (PartKind::Close, ""),
    ];
    assert_eq!(names, wanted);
}
