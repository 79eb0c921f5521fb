//! The formats: `tests/golden/formats/*.ebsec` as two packages of one run, and a run without findings, each in every format
//! (`findings.FORMAT`, `clean.FORMAT`). The commands of CI systems are read again by their documented syntax, and columns
//! are counted as each consumer counts. `make test-formats` has the documents validated by others. `EBSEC_BLESS=1` blesses.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Case, Outcome};
use ebsec_compiler::diag::Level;
use ebsec_compiler::diag::render::{FORMATS, Format, Package, Report, Test};
use ebsec_test_support::{Goldens, folder};
use serde_json::Value;

/// A package below a folder, as the command shows it, with a finding of each level.
fn package(name: &str) -> Outcome {
    let mut case = Case::golden(&folder("formats").join(format!("{name}.ebsec")));
    for file in &mut case.sources.files {
        file.path = format!("{name}, 1/{}", file.path);
    }
    let mut outcome = case.check();
    for (finding, level) in outcome.findings.iter_mut().skip(1).zip([Level::Warning, Level::Info]) {
        finding.level = level;
    }
    outcome
}

fn render(packages: &[(&str, &Outcome)], tests: &[Test], format: Format) -> String {
    let packages: Vec<Package<'_>> = packages
        .iter()
        .map(|(root, o)| Package { findings: &o.findings, left_out: o.checked.left_out, sources: &o.checked.sources, root })
        .collect();
    Report { packages: &packages, tests, fails: None }.render(format, false)
}

fn findings(format: Format) -> String {
    let (web, db) = (package("web"), package("db"));
    let test = |name: &str, passed| Test { name: name.to_owned(), passed, total: 2 };
    let tests = [test("all", 2), test("one & <none>", 1)];
    render(&[("web, 1/", &web), ("db, 1/", &db)], if format == Format::Junit { &tests } else { &[] }, format)
}

#[test]
fn each_format_is_what_it_was() {
    for (format, name, _) in FORMATS {
        let mut goldens = Goldens::new(folder("formats"), name);
        goldens.check("findings", &findings(*format));
        goldens.check("clean", &render(&[], &[], *format));
        goldens.finish();
    }
}

#[test]
fn columns_are_those_that_the_consumer_counts() {
    let line = std::fs::read_to_string(folder("formats").join("web.ebsec")).unwrap();
    let line = line.lines().find(|line| line.contains("file.pth")).unwrap();
    let before = &line[..line.find("file.pth").unwrap()];
    let (characters, utf16, bytes) = (before.chars().count() + 1, before.encode_utf16().count() + 1, before.len() + 1);
    assert!(characters < utf16 && utf16 < bytes);
    let json = |format| serde_json::from_str::<Value>(&findings(format)).unwrap();
    let sarif = json(Format::Sarif);
    assert_eq!(sarif["runs"][0]["columnKind"], "utf16CodeUnits");
    assert_eq!(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startColumn"], utf16);
    assert_eq!(json(Format::Rdjson)["diagnostics"][0]["location"]["range"]["start"]["column"], bytes);
    assert_eq!(json(Format::Json)[0]["column"], characters);
    for (format, wanted) in [
        (Format::Github, format!(",col={characters},endColumn={}", characters + "file.pth".len())),
        (Format::Azure, format!(";columnnumber={characters};")),
        (Format::Checkstyle, format!("column=\"{characters}\"")),
        (Format::Concise, format!(":4:{characters}: error[")),
        (Format::Agent, format!(":4:{characters}-4:")),
    ] {
        let text = findings(format);
        assert!(text.contains(&wanted), "{wanted}\n{text}");
    }
}

/// Undoes escapes, the one of the escape character itself last.
fn decoded(text: &str, escapes: &[(&str, &str)]) -> String {
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

/// A command of a line: its name, its properties and its message, as GitHub's runner and Azure's agent read it.
fn command(line: &str, azure: bool) -> (String, Vec<(String, String)>, String) {
    let (start, end, separator) = if azure { ("##vso[", "]", ';') } else { ("::", "::", ',') };
    let (head, message) = line.strip_prefix(start).unwrap().split_once(end).unwrap();
    let (name, properties) = head.split_once(' ').unwrap();
    let percent = if azure { "%AZP25" } else { "%25" };
    let escapes = [("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%3B", ";"), ("%5D", "]"), (percent, "%")];
    let property = |text: &str| {
        let (name, value) = text.split_once('=').unwrap();
        (name.to_owned(), decoded(value, &escapes))
    };
    let message = decoded(message, &[("%0A", "\n"), ("%0D", "\r"), (percent, "%")]);
    (name.to_owned(), properties.split(separator).map(property).collect(), message)
}

#[test]
fn commands_of_ci_systems_say_what_was_found() {
    let all: Value = serde_json::from_str(&findings(Format::Json)).unwrap();
    let all = all.as_array().unwrap();
    for azure in [false, true] {
        let text = findings(if azure { Format::Azure } else { Format::Github });
        assert_eq!(text.lines().count(), all.len(), "{text}");
        for (line, finding) in text.lines().zip(all) {
            if azure && finding["level"] == "info" {
                assert!(line.contains(": info["), "{line}");
                continue;
            }
            let (name, properties, message) = command(line, azure);
            let get = |name: &str| properties.iter().find(|(own, _)| own == name).unwrap().1.clone();
            let level = finding["level"].as_str().unwrap();
            match azure {
                true => assert_eq!((name.as_str(), get("type").as_str()), ("task.logissue", level)),
                false => assert_eq!(name, level.replace("info", "notice")),
            }
            assert_eq!(get(if azure { "sourcepath" } else { "file" }), finding["file"].as_str().unwrap());
            assert_eq!(get(if azure { "linenumber" } else { "line" }), finding["line"].to_string());
            let wanted = ebsec_compiler::diag::text::line(finding["message"].as_str().unwrap()).into_owned();
            assert_eq!(message.lines().next().unwrap(), wanted);
            assert_eq!(message.lines().count(), 1 + finding["notes"].as_array().unwrap().len() + finding["help"].as_array().unwrap().len());
        }
    }
}

#[test]
fn a_line_of_json_is_an_object_of_the_array() {
    let all: Value = serde_json::from_str(&findings(Format::Json)).unwrap();
    let lines: Vec<Value> = findings(Format::Jsonl).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(all, Value::Array(lines));
}
