//! Each parser is fed what nobody would write, made of all that somebody wrote: the lexer, the parts of a file and their
//! edits, the check with the fixes that it proposes, the formatter, and `ebsec.toml`. Nothing panics or hangs, and what holds
//! for every text holds. `EBSEC_FUZZ_SECONDS` is how long each runs (`make soak-fuzz`: an hour), `EBSEC_FUZZ_SEED` repeats a
//! run. The input at hand is in `target/tmp/fuzz-NAME`, also when the process dies of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use ebsec_compiler::config::{self, Config};
use ebsec_compiler::diag::render;
use ebsec_compiler::diag::{Finding, Findings, Level};
use ebsec_compiler::fmt;
use ebsec_compiler::pipeline::{self, Input};
use ebsec_compiler::source::Sources;
use ebsec_compiler::testing::differential::random::Random;
use ebsec_grammar::{parse, reparse, tokens};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Bytes that begin, end, hide or break something.
const PIECES: &[&str] = &[
    "\0",
    "\n",
    "\r",
    "\t",
    " ",
    "\"",
    "'",
    "\\",
    "/",
    "//",
    "///",
    "/*",
    "*/",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "=",
    "==",
    "=>",
    "!=",
    ",",
    ".",
    ":",
    ";",
    "-",
    "+",
    "..",
    "*",
    "**",
    "?",
    "#",
    "@",
    "$",
    "%",
    "\u{feff}",
    "\u{202e}",
    "\u{200b}",
    "é",
    "𝕏",
    "0",
    "0x",
    "0o777",
    "18446744073709551616",
    "-1",
    "1.2.3.4",
    "::",
    "/33",
    "[",
    "]\n",
    "[lints]\n",
    "policy ",
    "test \"",
    "with {",
    "process ",
    "default deny ",
    "except ",
    "apply ",
    "import ",
    "fn ",
    "let ",
    "param ",
    "and ",
    "or ",
    "not ",
    "in ",
    "under ",
    "unless ",
    "when ",
    "// ebsec: allow(",
    "// fmt: off\n",
    "\u{1b}[31m",
];

/// Longest text that is made: what is longer takes long for no other reason.
const LONGEST: usize = 20_000;

/// Every file of the repository with this extension.
fn corpus(extension: &str) -> Vec<String> {
    fn walk(path: &Path, extension: &str, found: &mut Vec<String>) {
        if path.is_dir() {
            let mut entries: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            entries.sort();
            entries.iter().for_each(|entry| walk(entry, extension, found));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(fs::read_to_string(path).unwrap());
        }
    }
    let mut found = Vec::new();
    for folder in ["std", "examples", "tests", "cli/src"] {
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), extension, &mut found);
    }
    found.retain(|text| text.len() <= LONGEST);
    assert!(found.len() > 2);
    found
}

/// A part of a text, between characters.
fn cut<'t>(text: &'t str, random: &mut Random) -> &'t str {
    let from = text.floor_char_boundary(random.below(text.len() + 1));
    let longest = if random.chance(70) { 40 } else { text.len() };
    &text[from..text.floor_char_boundary((from + random.below(longest + 1)).min(text.len()))]
}

/// Some changes to a text.
fn mutate(text: &str, corpus: &[String], random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(8) {
        let at = text.floor_char_boundary(random.below(text.len() + 1));
        let end = text.floor_char_boundary((at + random.below(30)).min(text.len()));
        let new = match random.below(8) {
            0 => String::new(),
            1..4 => random.word(PIECES).to_owned(),
            4 => cut(&text, random).to_owned(),
            5 => random.word(PIECES).repeat(random.below(200)),
            6 => char::from_u32(random.below(0x11_0000) as u32).map(String::from).unwrap_or_default(),
            _ => cut(&corpus[random.below(corpus.len())], random).to_owned(),
        };
        text.replace_range(if random.chance(50) { at..at } else { at..end }, &new);
    }
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}

/// Tries mutated texts for as long as is asked for.
fn fuzz(name: &str, extension: &str, holds: impl Fn(&str, &mut Random)) {
    let seed = number("EBSEC_FUZZ_SEED").unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into());
    let long = Duration::from_secs(number("EBSEC_FUZZ_SECONDS").unwrap_or(1));
    let (corpus, mut random) = (corpus(extension), Random::new(seed));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
    let (begun, mut count, mut text) = (Instant::now(), 0, String::new());
    while begun.elapsed() < long {
        // Most begin with something good; some go on from what the last one was.
        let base = if random.chance(20) { &text } else { &corpus[random.below(corpus.len())] };
        text = mutate(base, &corpus, &mut random);
        fs::write(&place, &text).unwrap();
        if catch_unwind(AssertUnwindSafe(|| holds(&text, &mut random))).is_err() {
            panic!("{name}: input {count} of EBSEC_FUZZ_SEED={seed} is in {}", place.display());
        }
        count += 1;
    }
    println!("{name}: {count} texts");
}

/// Places of findings are in the text, between characters.
fn have_places(findings: &[Finding], sources: &Sources) {
    for finding in findings {
        for loc in std::iter::once(finding.primary.loc).chain(finding.related.iter().map(|label| label.loc)) {
            let place = sources.place(loc);
            let text = &sources.get(place.file).unwrap().text;
            assert!(text.get(place.span.start as usize..place.span.end as usize).is_some(), "{finding:?}");
        }
    }
}

#[test]
fn the_lexer_loses_no_byte() {
    fuzz("lexer", "ebsec", |text, _| {
        let mut at = 0;
        for token in tokens(text) {
            assert!(token.span.start == at && token.span.end > at);
            at = token.span.end;
            assert!(text.is_char_boundary(at as usize));
        }
        assert_eq!(at as usize, text.len());
    });
}

#[test]
fn a_file_read_again_after_an_edit_is_as_if_read_anew() {
    let corpus = corpus("ebsec");
    fuzz("parts", "ebsec", move |text, random| {
        let tree = parse(text);
        assert_eq!(tree.text(), text);
        let next = mutate(text, &corpus, random);
        let (again, anew) = (reparse(&tree, next.as_str().into()).tree, parse(&next));
        assert_eq!(format!("{:?}", again.items()), format!("{:?}", anew.items()));
        assert_eq!(format!("{:?}", again.errors()), format!("{:?}", anew.errors()));
    });
}

#[test]
fn the_check_ends_and_its_fixes_apply() {
    fuzz("check", "ebsec", |text, random| {
        let mut sources = Sources::default();
        sources.add("a.ebsec", text);
        let input = Input { sources, ..Input::default() };
        let checked = pipeline::check(input.clone());
        let of_the_language = checked.diagnostics.iter().any(|f| f.level == Level::Error && !f.code.starts_with('L'));
        assert_eq!(checked.package.is_none(), of_the_language);
        have_places(&checked.diagnostics, &checked.sources);
        let _ = render::pretty(&checked.diagnostics, &checked.sources, true);
        for package in checked.packages() {
            let _ = pipeline::test_failures(package, &pipeline::run_tests(package));
            let _ = pipeline::dump_hir(package);
        }
        if random.chance(10) {
            let fixed = pipeline::fix(input, random.chance(50));
            have_places(&pipeline::check(fixed.input.clone()).diagnostics, &pipeline::check(fixed.input).sources);
        }
    });
}

#[test]
fn the_formatter_keeps_what_is_said() {
    fuzz("formatter", "ebsec", |text, _| {
        let Ok(once) = fmt::format(text) else { return };
        assert_eq!(fmt::format(&once).unwrap(), once, "once more changes nothing");
    });
}

#[test]
fn settings_are_read_or_refused_at_their_places() {
    fuzz("settings", "toml", |text, _| {
        let mut sources = Sources::default();
        let file = sources.add("ebsec.toml", text);
        let mut findings = Findings::default();
        let _ = config::parse(text, file, &mut findings);
        config::outside(text, file, &mut Config::default(), &mut findings);
        have_places(&findings.take().0, &sources);
    });
}
