//! What `ebsec check` costs with every lint and unit test, from the start of the process to its end; and what new findings
//! cost after an edit.

use super::compile::timed;
use super::{Bench, Row, edits, rules};
use crate::guest::Failure;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How often each is checked; the best counts.
const REPEATS: usize = 5;

/// Rules, lines of unit tests, the bar and what it took before there were lints, in milliseconds.
const SIZES: [(usize, usize, f64, Option<f64>); 4] =
    [(20, 0, 15.0, None), (10_000, 0, 250.0, None), (10_000, 1_000, 350.0, Some(870.0)), (100_000, 0, 3_000.0, None)];

/// The time of each size.
pub fn measure(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let lints = bench.write("lints.toml", "[lints]\npreview = \"warn\"\n")?;
    let mut rows = Vec::new();
    for (count, lines, bar, before) in SIZES.into_iter().filter(|(count, ..)| !bench.quick || *count <= 10_000) {
        let folder = bench.path(&format!("check-{count}-{lines}"));
        std::fs::create_dir_all(&folder).map_err(|e| Failure::io("make", &folder, &e))?;
        for (number, text) in rules::parts(count, 25_000).iter().enumerate() {
            let test = if number == 0 { unit_test(count, lines) } else { String::new() };
            let path = folder.join(format!("{number}.ebsec"));
            std::fs::write(&path, format!("{text}{test}")).map_err(|e| Failure::io("write", &path, &e))?;
        }
        let mut best = f64::MAX;
        for _ in 0..REPEATS {
            best = best.min(timed(command(&folder, &lints)?)?.0);
        }
        let lines = if lines > 0 { format!(", {lines} lines of tests") } else { String::new() };
        let before = before.map_or_else(String::new, |ms| format!(" ({ms:.0} ms before lints)"));
        rows.push(Row::new(format!("check {count} file rules{lines}{before}"), best, "ms").at_most(bar));
    }
    let start = Instant::now();
    let edits = edits::measure(|| processor(start)).into_iter();
    rows.extend(edits.map(|edit| Row::new(edit.what, edit.best, "ms").at_most(edit.bar)));
    Ok(rows)
}

/// Milliseconds of the processor that this thread has had, or of the clock where the kernel does not count them.
fn processor(start: Instant) -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    spent.map_or_else(|| start.elapsed().as_secs_f64() * 1e3, |ns| ns / 1e6)
}

/// Opens that are refused by as many rules as there are lines.
fn unit_test(count: usize, lines: usize) -> String {
    if lines == 0 {
        return String::new();
    }
    let mut text = format!("test \"each rule\" {{\n    process p = {{ exe = \"{}\" }}\n", rules::SUBJECT);
    for (rule, path) in rules::exact(count).take(lines) {
        let _ = writeln!(text, "    p file.read \"{path}\" => deny by files0.r{rule}");
    }
    text + "}\n"
}

/// `ebsec check` by this very program.
fn command(folder: &Path, lints: &Path) -> Result<Command, Failure> {
    let own = std::env::current_exe().map_err(|e| Failure::new(format!("cannot find the path of this program: {e}")))?;
    let mut command = Command::new(own);
    command.args(["check", "--format", "concise", "--config"]).arg(lints).arg(folder);
    command.stdin(Stdio::null());
    Ok(command)
}
