//! Distils a recording: takes what `ebsec-load events --json` printed while a Debian booted, people logged in and packages were
//! installed, gives the rows of `std/lifelines.tsv` on standard output, and how many there are of each program on standard error.
//! Reads two files, writes none. A developer's tool: `tests/system/record` runs it.

mod choose;
mod general;
mod lineage;
mod report;

use std::fs;
use std::process::ExitCode;

const USAGE: &str = "usage: ebsec-distil PROGRAMS REPORTS
PROGRAMS is tests/system/recording/programs, REPORTS one JSON object a line";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [programs, reports] = arguments.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let read = |path: &str| fs::read_to_string(path).map_err(|e| format!("cannot read `{path}`: {e}"));
    let distilled = read(programs).and_then(|programs| Ok((programs, read(reports)?))).and_then(|(p, r)| distil(&p, &r));
    match distilled {
        Ok(rows) => {
            for row in &rows {
                println!("{}", row.text());
            }
            for (what, count) in choose::counts(&rows) {
                eprintln!("{count:5} {what}");
            }
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("ebsec-distil: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The rows that a recording comes to. An error if reports were lost, or if the files are not what they should be.
fn distil(programs: &str, reports: &str) -> Result<Vec<choose::Row>, String> {
    let programs = choose::Programs::read(programs)?;
    let reports = report::read(reports)?;
    let mut processes = lineage::Processes::default();
    let mut rows = Vec::new();
    for report in &reports {
        let Some(line) = processes.see(report) else { continue };
        rows.extend(programs.rows(report, &line));
    }
    Ok(choose::few(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebsec_test_support::{check_one, files};
    use std::path::Path;

    /// The goldens are pieces of real recordings, and some lines that were written for what those lack.
    #[test]
    fn recordings_come_to_these_rows() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
        let programs = fs::read_to_string(folder.join("../../recording/programs")).unwrap_or_default();
        for file in files(&folder, "jsonl") {
            let mut text = String::new();
            match distil(&programs, &fs::read_to_string(&file).unwrap_or_default()) {
                Ok(rows) => text.extend(rows.iter().map(|row| row.text() + "\n")),
                Err(message) => text = format!("error: {message}\n"),
            }
            check_one(&folder, &file.file_stem().unwrap_or_default().to_string_lossy(), "tsv", &text);
        }
    }
}
