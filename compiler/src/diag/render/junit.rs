//! JUnit's XML: a suite for each file with a case for each finding, and one for the unit tests where these were asked for. A
//! run without either has one case that passes, as readers refuse a report without any. Of findings only those that
//! fail the run are failures.

use super::item::Item;
use super::{Report, Test};
use crate::diag::text::xml;
use std::fmt::Write;

/// A case: its name, its class, and what is in it.
struct Case {
    name: String,
    class: String,
    failure: Option<(String, &'static str)>,
    said: String,
}

/// A suite with its cases.
struct Suite {
    name: String,
    cases: Vec<Case>,
}

pub(super) fn document(items: &[Item<'_>], report: &Report<'_>) -> String {
    let mut suites: Vec<Suite> = Vec::new();
    if !report.tests.is_empty() {
        suites.push(Suite { name: "unit tests".to_owned(), cases: report.tests.iter().map(test).collect() });
    }
    for file in items.chunk_by(|a, b| a.at.path == b.at.path) {
        let name = file.first().map_or("", |item| item.at.path).to_owned();
        suites.push(Suite { name, cases: file.iter().map(|item| finding(item, report)).collect() });
    }
    if suites.is_empty() {
        let clean = Case { name: "no findings".to_owned(), class: "ebsec".to_owned(), failure: None, said: String::new() };
        suites.push(Suite { name: "ebsec".to_owned(), cases: vec![clean] });
    }
    let (tests, failures) = suites.iter().map(Suite::counts).fold((0, 0), |sum, suite| (sum.0 + suite.0, sum.1 + suite.1));
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ = writeln!(out, "<testsuites name=\"ebsec\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">");
    suites.iter().for_each(|suite| suite.write(&mut out));
    out.push_str("</testsuites>\n");
    out
}

fn test(test: &Test) -> Case {
    let failed = test.total - test.passed.min(test.total);
    let failure = (failed > 0).then(|| (format!("{failed} of {} operations have another verdict", test.total), "test"));
    Case { name: test.name.clone(), class: "test".to_owned(), failure, said: String::new() }
}

fn finding(item: &Item<'_>, report: &Report<'_>) -> Case {
    let (at, finding) = (&item.at, item.finding);
    let said = format!("{}:{}:{}: {}", at.path, at.start.line, at.start.column, item.whole_message());
    Case {
        name: format!("{} at {}:{}", finding.code, at.start.line, at.start.column),
        class: at.path.to_owned(),
        failure: report.fails(finding.level).then(|| (finding.message.clone(), finding.code)),
        said,
    }
}

impl Suite {
    /// How many cases, and how many failures.
    fn counts(&self) -> (usize, usize) {
        (self.cases.len(), self.cases.iter().filter(|case| case.failure.is_some()).count())
    }

    fn write(&self, out: &mut String) {
        let (tests, failures) = self.counts();
        let name = xml(&self.name);
        let _ = writeln!(out, "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">");
        self.cases.iter().for_each(|case| case.write(out));
        out.push_str("  </testsuite>\n");
    }
}

impl Case {
    fn write(&self, out: &mut String) {
        let start = format!("    <testcase name=\"{}\" classname=\"{}\"", xml(&self.name), xml(&self.class));
        // Line by line: a line feed of ours stays one, foreign ones were escaped where the finding was made or are here.
        let said = self.said.lines().map(xml).collect::<Vec<_>>().join("\n");
        let _ = match &self.failure {
            Some((message, kind)) => {
                writeln!(out, "{start}>\n      <failure message=\"{}\" type=\"{kind}\">{said}</failure>\n    </testcase>", xml(message))
            }
            None if said.is_empty() => writeln!(out, "{start}/>"),
            None => writeln!(out, "{start}>\n      <system-out>{said}</system-out>\n    </testcase>"),
        };
    }
}
