//! Sources that were made to be dear: each ends soon, with a finding that says which bound it passes, or with none. No time
//! is asserted: what is quadratic or doubles at each step does not end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use ebsec_compiler::diag::{MAX_KEPT, MAX_RELATED, MAX_TEXT, render};
use ebsec_compiler::pipeline::{self, Checked, Input};
use ebsec_compiler::source::Sources;

fn check(text: String) -> Checked {
    let mut sources = Sources::default();
    sources.add("a.ebsec", text);
    pipeline::check(Input { sources, ..Input::default() })
}

/// Codes of the findings, each once, and what holds for all findings.
#[track_caller]
fn codes(text: String) -> Vec<&'static str> {
    let checked = check(text);
    let most = MAX_TEXT + "…".len();
    for found in &checked.diagnostics {
        let texts = found.notes.iter().chain(&found.help).chain([&found.message]);
        assert!(texts.map(String::len).all(|length| length <= most) && found.related.len() <= MAX_RELATED);
    }
    assert!(checked.diagnostics.len() <= MAX_KEPT);
    let mut codes: Vec<&str> = checked.diagnostics.iter().map(|d| d.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Numbered pieces, one after the other.
fn many(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

fn policy(members: &str) -> String {
    format!("policy p {{\n{members}}}\n")
}

fn rules(count: usize, condition: &str) -> String {
    policy(&many(count, |i| format!("r{i}: deny exec when {condition}\n")))
}

#[test]
fn sums_of_constants_are_bounded() {
    let chain = |count| {
        format!("let l0: set<path> = [\"/a0\"]\n{}", many(count, |i| format!("let l{}: set<path> = [\"/a{}\"] + l{i}\n", i + 1, i + 1)))
    };
    assert_eq!(codes(chain(1_000)), ["L0209"]);
    assert_eq!(codes(chain(4_000)), ["E0212"]);
    let ports = many(4_000, |i| format!("let l{}: set<port> = [{}] + l{i}\n", i + 1, 2 * i + 3));
    assert_eq!(codes(format!("let l0: set<port> = [1]\n{ports}")), ["E0212"]);
    // Differences that cannot be taken out lie in each other.
    let minus = many(4_000, |i| format!("let l{}: set<path> = l{i} - [\"/ab{i}*\"]\n", i + 1));
    assert_eq!(codes(format!("let l0: set<path> = [\"/a*\"]\n{minus}")), ["E0212"]);
    let set = |c: char, end: &str| format!("[{}\"/z\"]", many(30_000, |i| format!("\"/{c}{i}{end}\", ")));
    assert_eq!(codes(format!("let a: set<path> = {} - {}\n", set('a', ""), set('b', ""))), ["L0209"]);
    assert_eq!(codes(format!("let a: set<path> = {} - {}\n", set('a', ""), set('b', "*"))), ["L0209"]);
}

#[test]
fn functions_do_not_double_without_end() {
    let doubling = |of: &str, count: usize| {
        format!("fn f0(a: bool) = {of}\n{}", many(count, |i| format!("fn f{}(a: bool) = f{i}(a) or f{i}(a)\n", i + 1)))
    };
    assert_eq!(codes(format!("{}{}", doubling("true", 60), rules(1, "f60(true)"))), ["E0212"]);
    assert_eq!(codes(format!("{}{}", doubling("file.memfd", 14), rules(3_000, "f14(true)"))), ["E0212"]);
    assert_eq!(
        codes(format!("fn f({}z: bool) = {}z\n", many(20_000, |i| format!("a{i}: bool, ")), many(20_000, |i| format!("a{i} or ")))),
        ["E0212"]
    );
}

#[test]
fn copies_of_conditions_are_bounded() {
    let exceptions = many(5_000, |_| "except p when true because \"x\"\n".to_owned());
    assert_eq!(codes(format!("{}{exceptions}", rules(5_000, "file.memfd"))), ["E0212"]);
    let nets = many(20_000, |i| format!("10.{}.{}.0/25, ", i >> 8, i & 255));
    let uses = policy(&many(1_000, |i| format!("r{i}: deny net.egress when remote.ip in x\n")));
    assert_eq!(codes(format!("let x: set<cidr> = [{nets}11.0.0.0/8]\n{uses}")), ["E0212"]);
    let paths = many(20_000, |i| format!("\"/a{i}\", "));
    let passed = format!("let x: set<path> = [{paths}\"/b\"]\nfn f(s: set<path>) = file.path under s\n{}", rules(1_000, "f(x)"));
    assert_eq!(codes(passed), ["E0212"]);
    let attack = format!("attack = [{}T1552]\n", "T1552, ".repeat(5_000));
    assert_eq!(codes(policy(&format!("{attack}{}", many(5_000, |i| format!("r{i}: deny exec\n"))))), ["E0212"]);
}

#[test]
fn lines_of_tests_are_bounded() {
    let test =
        |process: &str, line: &str, count| format!("test \"t\" {{\nprocess a = {{ exe = \"/a\"{process} }}\n{}}}\n", line.repeat(count));
    let lineage = format!(", lineage = [{}\"/z\"]", many(2_000, |i| format!("\"/l{i}\", ")));
    assert_eq!(codes(format!("{}{}", rules(1, "file.memfd"), test(&lineage, "a exec \"/b\" => allow\n", 10))), ["E0212"]);
    let lineage = format!(", lineage = [{}\"/z\"]", many(1_000, |i| format!("\"/l{i}\", ")));
    assert_eq!(codes(format!("{}{}", rules(1, "file.memfd"), test(&lineage, "a exec \"/b\" => allow\n", 2_000))), ["E0212"]);
    // Rules times lines: the first line that is too much is the last result.
    let path = format!("/{}", "abcd".repeat(60));
    let dear = rules(3_000, "file.path matches \"/**/a*b*c*d*e*f*g*h*i*j*k*l*m*n*o*p*\"");
    let checked = check(format!("{dear}{}", test("", &format!("a exec \"{path}\" => deny by p.r0\n"), 3)));
    assert_eq!(pipeline::run_tests(checked.package.as_ref().unwrap()).len(), 3);
    let all = rules(3_000, "file.path under \"/\"");
    let checked = check(format!("{all}{}", test("", "a exec \"/b\" => allow\n", 3)));
    let package = checked.package.as_ref().unwrap();
    let failed = pipeline::test_failures(package, &pipeline::run_tests(package));
    assert!(
        failed.len() == 3 && failed.iter().all(|f| f.related.len() == MAX_RELATED && f.notes.iter().any(|n| n.contains("more places")))
    );
}

#[test]
fn warnings_do_not_crowd_an_error_out() {
    let set = format!("let a: set<path> = [{}]\n", "\"/x\", ".repeat(MAX_KEPT + 100));
    let text = format!("{set}{}", policy("mode = enforce\nr: deny exec unless file.path in a\n"));
    assert_eq!(codes(text), ["L0206", "L0401"]);
    // Sets and conditions that are all compared with each other.
    let sets = many(64, |i| format!("let s{i}: set<path> = [{}]\n", many(64, |j| format!("\"/{i}/{j}\", "))));
    let all = many(16, |i| format!("{}file.path in s{i}", if i == 0 { "" } else { " or " }));
    assert_eq!(
        codes(format!("{sets}{}", policy(&many(2_000, |i| format!("r{i}: deny exec when ({all}) and process.uid == {i}\n"))))),
        ["L0209"]
    );
}

#[test]
fn findings_are_bounded() {
    let wrong = policy(&many(MAX_KEPT + 100, |i| format!("r{i}: deny file.read when file.pth{i} == \"/x\"\n")));
    let checked = check(wrong);
    assert_eq!((checked.diagnostics.len(), checked.left_out), (MAX_KEPT, 100));
    let package = |left_out| render::Package { findings: &checked.diagnostics, left_out, sources: &checked.sources, root: "" };
    let shown =
        |packages: &[render::Package<'_>]| render::Report { packages, ..render::Report::default() }.render(render::Format::Pretty, false);
    let one = shown(&[package(checked.left_out)]);
    let last = format!("… and 19,600 more findings: 19,500 of E0204, 100 others\n{MAX_KEPT} errors, 100 more\n");
    assert!(one.ends_with(&last) && one.len() < 300_000, "{} {}", one.len(), &one[one.len() - 200..]);
    // A second package of the run has no room of its own.
    let two = shown(&[package(checked.left_out), package(0)]);
    let last = "… and 39,600 more findings: 39,500 of E0204, 100 others\n40000 errors, 100 more\n";
    assert!(two.ends_with(last) && two.len() < one.len() + 10, "{}", &two[two.len() - 200..]);
    for (format, name, _) in render::FORMATS {
        let shown = render::document(&checked.diagnostics, &checked.sources, *format);
        assert!(shown.len() < 2_000_000, "{name}: {}", shown.len());
    }
    for text in [
        policy(&format!("r: deny exec with {{ {}z = 1 }}\n", "a = 1, ".repeat(20_000))),
        format!("{}{}", many(3_000, |i| format!("let abc{i} = [\"/a\"]\n")), many(3_000, |i| format!("let x{i}: set<path> = abd{i}\n"))),
        format!("{}{}", rules(300, "file.memfd"), many(300, |i| format!("except p.q{i} when true because \"x\"\n"))),
        many(20_000, |_| "let a = b\n".to_owned()),
        many(5_000, |i| format!("import std.pathz as a{i}\nlet b{i}: set<path> = std.paths.x{i}\n")),
    ] {
        assert!(!codes(text).is_empty());
    }
}

#[test]
fn long_texts_are_not_repeated() {
    let long = "x".repeat(100_000);
    for text in [
        format!("let a: path = \"{long}\"\n"),
        format!("let {long} = wrong\n"),
        policy(&format!("mode = \"{long}\"\nr: deny exec when file.path == [\"/{long}\"]\n")),
        policy(&format!("r: deny exec when file.path != {long} or file.memfd == \"{long}\"\n")),
        format!("test \"{long}\" {{\n c exec \"/x\" => deny by {long}.x\n}}\n"),
    ] {
        let checked = check(text);
        let shown = render::pretty(&checked.diagnostics, &checked.sources, false);
        assert!(!checked.diagnostics.is_empty() && shown.len() < 6_000, "{}", &shown[..6_000]);
        assert!(render::json(&checked.diagnostics, &checked.sources).len() < 30_000);
    }
}
