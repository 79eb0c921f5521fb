//! A package after edits says what a check of the same sources says, whatever was edited: a few hundred edits here, 10,000 of
//! them with `cargo test --release -p ebsec-compiler --test snapshot -- --ignored`. The packages are those of `tests/edits`, of
//! `examples`, of the goldens that import the library or are formatted, and generated ones; what is put into them is theirs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use ebsec_compiler::config::Choice;
use ebsec_compiler::diag::render;
use ebsec_compiler::pipeline::{self, Checked, Input, Snapshot};
use ebsec_compiler::source::{FileId, Sources};
use ebsec_compiler::testing::differential::policy::draft;
use ebsec_compiler::testing::differential::random::Random;
use ebsec_compiler::typed::Date;
use ebsec_grammar::{PartKind, TokenKind, Within, pieces, tokens};
use ebsec_test_support::{files, folder};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Editors read snapshots from several threads.
const _: fn() = || {
    fn sent<T: Send + Sync + Clone>() {}
    sent::<Snapshot>();
};

/// Edits of a package before it is as it was.
const ROUND: usize = 25;

#[test]
fn edits_say_what_a_check_says() {
    run(600, 1);
}

#[test]
#[ignore = "takes minutes"]
fn ten_thousand_edits_say_what_a_check_says() {
    run(10_000, 2);
}

#[test]
fn old_snapshots_stay_as_they_are() {
    let input = package(&root().join("tests/edits/shop"));
    let first = Snapshot::new(input.clone());
    let before = shown(first.checked());
    let text = first.sources().get(FileId(1)).unwrap().text.replace("/usr/sbin/nginx", "/usr/sbin/other");
    let second = first.edit(FileId(1), text);
    assert!(shown(second.checked()) != before && shown(first.checked()) == before);
    let back = second.edit(FileId(1), first.sources().get(FileId(1)).unwrap().text.clone());
    assert_eq!(shown(back.checked()), before);
    // The library and what is not there cannot be edited.
    let library = FileId(input.sources.files.len() as u32);
    assert!(first.sources().get(library).is_some());
    assert_eq!(shown(first.edit(library, "x").checked()), before);
    assert_eq!(shown(first.edit(FileId(99), "x").checked()), before);
}

#[test]
fn what_a_name_means_reaches_all_that_use_it() {
    let text = |tools: &str, also: &str| {
        format!(
            "let tools: set<path> = [{tools}]\nlet all: set<path> = tools + [\"/c\"]\nfn used() = process.exe in all\n\
             policy p {{\n    mode = enforce\n    a: deny exec when used()\n    {also}\n}}\n"
        )
    };
    let mut sources = Sources::default();
    sources.add("a.ebsec", text("\"/a\"", ""));
    let mut now = Snapshot::new(Input { sources, ..Input::default() });
    for (tools, also) in
        [("\"/b\"", ""), ("1", ""), ("\"/b\", \"/c\"", ""), ("\"/b\"", "b: deny exec when process.exe in tools"), ("\"/d\"", "")]
    {
        now = now.edit(FileId(0), text(tools, also));
        let fresh = pipeline::check(Input { sources: own(&now, 1), ..Input::default() });
        assert_eq!(shown(now.checked()), shown(&fresh));
    }
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A package of a folder.
fn package(folder: &Path) -> Input {
    let mut sources = Sources::default();
    let config = folder.join("ebsec.toml");
    let config = config.exists().then(|| sources.add("ebsec.toml", fs::read_to_string(&config).unwrap()));
    for path in files(folder, "ebsec") {
        sources.add(path.file_name().unwrap().to_string_lossy(), fs::read_to_string(&path).unwrap());
    }
    input(sources, config)
}

/// With every lint.
fn input(sources: Sources, config: Option<FileId>) -> Input {
    let lints = Choice::read(&[], &[]).unwrap();
    let outside = pipeline::Outside { path: "lints.toml".to_owned(), text: "[lints]\npreview = \"warn\"\n".to_owned() };
    Input { sources, config, today: Date::new(2026, 11, 23), lints, outside: Some(outside), ..Input::default() }
}

/// The packages that are edited.
fn packages() -> Vec<Input> {
    let mut all: Vec<Input> =
        ["tests/edits/shop", "examples/web-server", "examples/limits"].iter().map(|at| package(&root().join(at))).collect();
    for name in ["check", "bad", "typed", "tests", "fmt"] {
        for path in files(&folder(name), "ebsec") {
            let text = fs::read_to_string(&path).unwrap();
            if !(text.contains("import std.") || name == "fmt") || text.len() > 20_000 {
                continue;
            }
            let (toml, mut sources) = (path.with_extension("toml"), Sources::default());
            let config = toml.exists().then(|| sources.add("ebsec.toml", fs::read_to_string(&toml).unwrap()));
            sources.add("a.ebsec", text);
            all.push(input(sources, config));
        }
    }
    for seed in 0..12 {
        let mut sources = Sources::default();
        sources.add("a.ebsec", draft(&mut Random::new(seed)).text());
        sources.add("b.ebsec", draft(&mut Random::new(seed + 100)).text().replace("policy p", "policy q"));
        all.push(input(sources, None));
    }
    assert!(all.len() > 20);
    all
}

/// All that a check says, as text with places.
fn shown(checked: &Checked) -> String {
    let sources = &checked.sources;
    let mut out = String::new();
    for finding in &checked.diagnostics {
        let _ = writeln!(out, "{:?} {} {}", sources.place(finding.primary.loc), finding.code, finding.primary.text);
        for label in &finding.related {
            let _ = writeln!(out, "  {:?} {}", sources.place(label.loc), label.text);
        }
        let _ = writeln!(out, "  {:?} {:?} {:?}", finding.level, finding.notes, finding.help);
        for edit in finding.fixes.iter().flat_map(|fix| &fix.edits) {
            let _ = writeln!(out, "  fix {:?} {:?}", sources.place(edit.loc), edit.text);
        }
    }
    out.push_str(&render::pretty(&checked.diagnostics, sources, false));
    for package in checked.packages() {
        out.push_str(&pipeline::dump_hir(package));
        for rule in package.policies.iter().flat_map(|policy| &policy.rules) {
            let _ = writeln!(out, "{:?}", sources.place(rule.loc));
        }
    }
    // Of the library there may be more than is used: what was used before.
    for (index, file) in sources.files.iter().enumerate().filter(|(_, file)| !file.path.starts_with("std/")) {
        let _ = writeln!(out, "{}\n{}", file.path, pipeline::dump_uses(&checked.front, sources, FileId(index as u32)));
    }
    checked.package.iter().for_each(|package| out.push_str(&pipeline::dump_origins(package, &checked.front)));
    let _ = writeln!(out, "{} left out", checked.left_out);
    out
}

/// The package's own files as they are.
fn own(snapshot: &Snapshot, count: usize) -> Sources {
    let mut sources = Sources::default();
    for file in snapshot.sources().files.iter().take(count) {
        sources.add(file.path.clone(), file.text.clone());
    }
    sources
}

/// So many edits, in rounds over all packages.
fn run(edits: usize, seed: u64) {
    let (packages, mut random) = (packages(), Random::new(seed));
    let parts: Vec<(Within, String)> = packages.iter().flat_map(|input| &input.sources.files).flat_map(|file| parts(&file.text)).collect();
    let mut round = 0;
    let mut done = 0;
    while done < edits {
        // Every third round is about the first, which has most of what there is.
        let input = if round % 3 == 0 { &packages[0] } else { &packages[round % packages.len()] };
        round += 1;
        let count = input.sources.files.len();
        let mut now = Snapshot::new(input.clone());
        for step in 0..ROUND.min(edits - done) {
            let file = random.below(count);
            // The settings seldom: with them all is checked anew.
            let file = if Some(FileId(file as u32)) == input.config && random.chance(80) { count - 1 } else { file };
            let before = now.sources().files[file].text.to_string();
            let text = match random.below(12) {
                0 => input.sources.files[random.below(count)].text.to_string(),
                // Else most of what is edited would be broken.
                1..=4 => input.sources.files[file].text.to_string(),
                _ => edited(&before, &parts, &mut random),
            };
            now = now.edit(FileId(file as u32), text.as_str());
            done += 1;
            let fresh = pipeline::check(Input { sources: own(&now, count), ..input.clone() });
            let (now, fresh) = (shown(now.checked()), shown(&fresh));
            assert!(now == fresh, "package {round}, edit {step}, from\n{before}\nto\n{text}\n{}", difference(&now, &fresh));
        }
    }
    println!("{done} edits");
}

fn difference(now: &str, fresh: &str) -> String {
    let only = |a: &str, b: &str, sign| {
        let lines: std::collections::HashSet<&str> = b.lines().collect();
        a.lines().filter(|line| !lines.contains(line)).map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    only(now, fresh, "edited") + &only(fresh, now, "checked")
}

/// The parts of a text that may be put elsewhere.
fn parts(text: &str) -> Vec<(Within, String)> {
    let all = pieces(text).into_iter().filter(|piece| !matches!(piece.kind, PartKind::Trivia | PartKind::Close) && !piece.head);
    all.map(|piece| (piece.within, text[piece.span.start as usize..piece.span.end as usize].to_owned())).collect()
}

/// A text with one change.
fn edited(text: &str, parts: &[(Within, String)], random: &mut Random) -> String {
    let pieces = pieces(text);
    let one = |random: &mut Random| pieces.get(random.below(pieces.len())).map_or(0..0, |p| p.span.start as usize..p.span.end as usize);
    let put = |at: std::ops::Range<usize>, with: &str| format!("{}{with}{}", &text[..at.start], &text[at.end..]);
    match random.below(12) {
        // A word by another of the text, which also renames, and changes values, operators, labels and heads.
        0..=4 => {
            let all: Vec<_> = tokens(text).filter(|t| !t.kind.is_trivia()).collect();
            let Some(old) = all.get(random.below(all.len())) else { return text.to_owned() };
            let like: Vec<_> = all.iter().filter(|t| t.kind == old.kind || random.clone().chance(5)).collect();
            let new = like.get(random.below(like.len())).map_or(0..0, |t| t.span.start as usize..t.span.end as usize);
            put(old.span.start as usize..old.span.end as usize, &text[new])
        }
        // An element more, or another value.
        5 => {
            let strings: Vec<_> = tokens(text).filter(|t| t.kind == TokenKind::Str).collect();
            let Some(at) = strings.get(random.below(strings.len())) else { return text.to_owned() };
            let new = format!("\"/new/{}\"", random.below(5));
            let at = at.span.start as usize..at.span.end as usize;
            if random.chance(50) { put(at, &new) } else { put(at.start..at.start, &format!("{new}, ")) }
        }
        // A comment.
        6 => {
            let at = one(random).start;
            put(at..at, random.word(&["// why\n", "/// Said.\n", "// ebsec: allow(locks-out) because \"tried\"\n", "\n", "  "]))
        }
        // A part less, twice, or elsewhere.
        7 => put(one(random), ""),
        8 => {
            let (from, to) = (one(random), one(random).start);
            put(to..to, &text[from])
        }
        // A part of another package, where it may stand.
        9 | 10 => {
            let at = random.below(pieces.len());
            let Some(piece) = pieces.get(at) else { return text.to_owned() };
            let like: Vec<_> = parts.iter().filter(|(within, _)| *within == piece.within).collect();
            let Some((_, part)) = like.get(random.below(like.len())) else { return text.to_owned() };
            let at = piece.span.end as usize;
            put(at..at, part)
        }
        // What breaks something.
        _ => {
            let at = (0..=random.below(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            put(
                at..at,
                random.word(&["{", "}", "(", "\"", "/*", "\n}", "=", "when ", "é", "\0", "[", "let ", "policy p {", "import std.paths\n"]),
            )
        }
    }
}
