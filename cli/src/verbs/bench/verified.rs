//! How many instructions the verifiers look at, for few rules and for many, on every kernel.

use super::{Bench, Row, compile, rules};
use crate::guest::Failure;
use crate::guest::kernels::SERIES;
use serde_json::Value;
use std::process::{Command, Stdio};

/// The largest program of each kernel, and its name.
pub fn measure(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let own = bench.kernel.series.as_str();
    let series: Vec<&str> = SERIES.iter().copied().filter(|s| !bench.quick || *s == own).collect();
    let counts: &[usize] = if bench.quick { &[10] } else { &[10, 10_000] };
    let sized = counts.iter().map(|count| (count.to_string(), format!("{count} file rules"), rules::files(*count)));
    for (name, title, text) in sized.chain([("exec".to_owned(), "exec".to_owned(), rules::exec())]) {
        let artifact = bench.path(&format!("{name}.bpf.o"));
        if !artifact.is_file() {
            compile::build(&bench.write(&format!("{name}.ebsec"), &text)?, &artifact)?;
        }
        let answer = verify(bench, &artifact, &series)?;
        for series in &series {
            match largest(answer.get(series)) {
                Some((program, verified)) => {
                    rows.push(Row::new(format!("{series}, {title}: {program}"), verified, "instructions").at_most(60_000.0));
                }
                None => eprintln!("note: {series} gave no verdict on {title}"),
            }
        }
    }
    Ok(rows)
}

fn verify(bench: &Bench, artifact: &std::path::Path, series: &[&str]) -> Result<Value, Failure> {
    let own = std::env::current_exe().map_err(|e| Failure::new(format!("cannot find the path of this program: {e}")))?;
    let mut command = Command::new(own);
    command.arg("verify").arg(artifact).arg("--json").env("EBSEC_LOAD", &bench.loader);
    for series in series {
        command.args(["--kernel", series, "--allow-skip", series]);
    }
    let done = command.stderr(Stdio::inherit()).output().map_err(|e| Failure::new(format!("cannot start `ebsec verify`: {e}")))?;
    serde_json::from_slice(&done.stdout).map_err(|e| Failure::new(format!("`ebsec verify` gave no verdict: {e}")))
}

fn largest(answer: Option<&Value>) -> Option<(String, f64)> {
    let programs = answer?.get("result")?.get("programs")?.as_array()?;
    let figure = |p: &Value| Some((p.get("name")?.as_str()?.to_owned(), p.get("verified_instructions")?.as_f64()?));
    programs.iter().filter_map(figure).max_by(|a, b| a.1.total_cmp(&b.1))
}
