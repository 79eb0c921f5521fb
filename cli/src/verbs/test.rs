//! `ebsec test`: runs the unit tests of packages by the reference interpreter and by the emitted programs, in user space; on
//! request says what the tests do not try. Gives status 1 if a line fails, if the two differ, if the package is wrong or if
//! less is tried than asked for; 2 if no test is the one asked for.

mod render;

use super::check::{self, Common};
use crate::guest::Failure;
use crate::output;
use crate::package::Found;
use crate::report::{self, Judged};
use ebsec_compiler::diag::render::{Format, Test};
use ebsec_compiler::diag::{self, Finding, Level, text};
use ebsec_compiler::hir::Package;
use ebsec_compiler::pipeline::{self, Checked, StepResult};
use ebsec_compiler::source::Loc;
use ebsec_compiler::testing::coverage::{self, RuleCoverage};
use ebsec_compiler::testing::judge::{self, Second};
use ebsec_compiler::testing::mutation::{self, Mutation};
use regex_automata::meta::Regex;
use render::{Line, Row};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Only tests whose name matches this regular expression.
    #[arg(long, value_name = "REGEX")]
    filter: Option<String>,
    /// Say for each condition of each rule whether tests tried that it is true and that it is false.
    #[arg(long)]
    coverage: bool,
    /// Fail if less than this part of the outcomes is tried.
    #[arg(long, value_name = "PERCENT", requires = "coverage", value_parser = clap::value_parser!(u8).range(0..=100))]
    threshold: Option<u8>,
    /// Change rules in small ways and list the changes that no test notices.
    #[arg(long)]
    mutate: bool,
}

/// What came out for a package.
struct Report {
    found: Found,
    checked: Checked,
    /// Tests that were asked for; `None` if the package is wrong.
    tests: Option<Vec<Row>>,
    /// Names of the policies that observe.
    observing: Vec<String>,
    second: Second,
    coverage: Option<Vec<RuleCoverage>>,
    mutation: Option<Mutation>,
    findings: Vec<Finding>,
}

/// Longest program of a filter, and most bytes that matching it may keep.
const MAX_FILTER: usize = 1 << 20;

/// Runs the tests and prints one line for each, then what failed.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let common = &arguments.common;
    let filter = arguments.filter.as_deref().map(filter).transpose().map_err(|failure| common.told(failure))?;
    let mut reports: Vec<Report> = common.open()?.into_iter().map(|found| report(found, arguments, filter.as_ref())).collect();
    let wrong = reports.iter().any(|r| diag::has_errors(&r.findings));
    let ran = reports.iter().filter_map(|r| r.tests.as_ref()).any(|tests| !tests.is_empty());
    if let (Some(wanted), false, false) = (&arguments.filter, wrong, ran) {
        let message = format!("no test's name matches `{wanted}`");
        return Err(common.told(Failure::new(message).help("`ebsec test` without `--filter` lists all tests")));
    }
    print(&mut reports, common.format, filter.is_some())?;
    let below = arguments.threshold.iter().flat_map(|wanted| reports.iter().filter(|r| r.is_below(*wanted)).map(|r| r.shortfall(*wanted)));
    let below: Vec<String> = below.collect();
    below.iter().for_each(|text| output::tell(text));
    let untried = !below.is_empty();
    Ok(ExitCode::from(u8::from(wrong || untried)))
}

/// Prints what came out, as one document; findings are taken out of the reports.
fn print(reports: &mut [Report], format: Format, filtered: bool) -> Result<(), Failure> {
    let judged: Vec<Judged> = reports.iter_mut().map(|r| Judged::new(&r.found, &r.checked, std::mem::take(&mut r.findings))).collect();
    if format == Format::Pretty {
        output::print(&reports.iter().map(|report| report.text(filtered)).collect::<String>())?;
    }
    if format == Format::Json {
        return output::print(&text::json(&render::document(reports, report::values(&judged))));
    }
    let tests: Vec<Test> = reports.iter().flat_map(|report| report.tests.iter().flatten()).map(Row::summary).collect();
    report::print(&judged, &tests, format, Level::Error)
}

/// A regular expression of the command line.
fn filter(pattern: &str) -> Result<Regex, Failure> {
    let config = Regex::config().nfa_size_limit(Some(MAX_FILTER)).hybrid_cache_capacity(MAX_FILTER);
    let wrong = |e: &regex_automata::meta::BuildError| {
        // Of several lines, which show the pattern again, the last one says what is wrong.
        let why = e.syntax_error().map(ToString::to_string);
        let last = why.as_deref().and_then(|why| why.lines().last()).map(|line| line.trim_start_matches("error: "));
        let failure = Failure::new(format!("`--filter {pattern}` is not a regular expression: {}", last.unwrap_or("it is too large")));
        failure.help("`\\(` is a parenthesis, and quotes keep the shell from it: `--filter 'web \\(.*'`")
    };
    Regex::builder().configure(config).build(pattern).map_err(|e| wrong(&e))
}

/// Checks a package and runs those of its tests whose names match.
fn report(found: Found, arguments: &Arguments, filter: Option<&Regex>) -> Report {
    let (checked, findings) = check::check(&found);
    let mut report =
        Report { found, checked, tests: None, observing: Vec::new(), second: Second::default(), coverage: None, mutation: None, findings };
    if report.checked.package.is_some() {
        report.judge(filter);
        report.measure(arguments);
    }
    report
}

impl Report {
    /// Runs the tests whose names match.
    fn judge(&mut self, filter: Option<&Regex>) {
        let shown = self.found.shown(&self.checked.sources);
        let mut places = render::Places::new(&shown);
        let mut rows = Vec::new();
        for package in self.checked.packages() {
            let wanted = |test: usize| package.tests.get(test).is_some_and(|t| filter.is_none_or(|re| re.is_match(&t.name)));
            let results: Vec<StepResult> = pipeline::run_tests(package).into_iter().filter(|r| wanted(r.test)).collect();
            // Lines that were too much work for one judge are not given to another.
            if results.iter().all(|r| r.passed || !r.got.is_empty()) {
                let mut more = judge::second_opinion(package, &self.checked.sources, &wanted);
                self.second.judged += more.judged;
                self.second.left_out.append(&mut more.left_out);
                self.findings.append(&mut more.findings);
            }
            self.findings.extend(pipeline::test_failures(package, &results));
            rows.extend(rows_of(package, &results, &wanted, &mut places));
        }
        rows.sort_by_key(|(loc, _)| self.checked.sources.place(*loc));
        self.tests = Some(rows.into_iter().map(|(_, row)| row).collect());
        self.observing = self.checked.package.iter().flat_map(|p| pipeline::observing(p)).map(str::to_owned).collect();
        diag::sort(&mut self.findings, &self.checked.sources);
    }

    /// What the tests do not try, as far as it is asked for.
    fn measure(&mut self, arguments: &Arguments) {
        let (sources, own_files) = (&self.checked.sources, self.found.input.sources.files.len());
        let own = |loc: Loc| (sources.place(loc).file.0 as usize) < own_files;
        self.coverage = arguments.coverage.then(|| coverage::coverage(self.checked.packages(), &own));
        self.mutation = arguments.mutate.then(|| mutation::mutate(self.checked.packages(), &own));
    }

    /// How many outcomes were tried, and of how many.
    fn outcomes(&self) -> (usize, usize) {
        let all = self.coverage.iter().flatten().map(RuleCoverage::outcomes);
        all.fold((0, 0), |(tried, total), (a, b)| (tried + a, total + b))
    }

    fn is_below(&self, percent: u8) -> bool {
        let (tried, total) = self.outcomes();
        tried * 100 < total * usize::from(percent)
    }
}

/// The tests of a package that were run, each with its place.
fn rows_of(package: &Package, results: &[StepResult], wanted: &dyn Fn(usize) -> bool, places: &mut render::Places<'_>) -> Vec<(Loc, Row)> {
    let mut rows = Vec::new();
    for (index, test) in package.tests.iter().enumerate().filter(|(index, _)| wanted(*index)) {
        let first = results.partition_point(|r| r.test < index);
        let own = results.get(first..).unwrap_or_default().iter().take_while(|r| r.test == index);
        let line = |result: &StepResult| {
            let step = test.steps.get(result.step)?;
            let expected = pipeline::expectation(step.expect.as_ref());
            let got = match result.unknown.first() {
                Some(unknown) => format!("depends on `{}`", unknown.key),
                None if result.got.is_empty() => "not run".to_owned(),
                None if result.passed => expected.clone(),
                None => result.got.clone(),
            };
            Some(Line { operation: places.operation(step.loc), expected, got, passed: result.passed, place: places.of(step.loc) })
        };
        let lines = own.filter_map(line).collect();
        rows.push((test.loc, Row { name: test.name.clone(), place: places.of(test.loc), lines }));
    }
    rows
}
