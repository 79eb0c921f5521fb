//! `ebsec verify`: an artifact in, the verdict of each target kernel's own verifier out, from guests. Status 1 if a
//! kernel refuses a program, or is not available (unless that was allowed).

use super::{Form, no_artifact, told};
use crate::guest::kernels::{Cache, Kernel, SERIES};
pub use crate::guest::loader::find as find_loader;
use crate::guest::{Ending, Failure, GuestFile, GuestResult, GuestSpec, machine};
use crate::output;
use crate::package::shown;
use ebsec_artifact::{Manifest, VerifiedKernel, VerifiedProgram};
use ebsec_compiler::diag::text;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Arguments {
    /// The artifact.
    artifact: PathBuf,
    /// Only these kernels, by series (6.12); those that the package targets otherwise.
    #[arg(long = "kernel", value_name = "SERIES")]
    kernels: Vec<String>,
    /// A kernel of this series need not be available; without it, one that is not is a failure.
    #[arg(long, value_name = "SERIES", value_delimiter = ',')]
    allow_skip: Vec<String>,
    /// Write the verdicts into the artifact's manifest.
    #[arg(long)]
    record: bool,
    #[command(flatten)]
    form: Form,
}

/// The answer of one kernel.
enum Answer {
    /// It could not be had, and why.
    Skipped(Failure),
    /// What `ebsec-load check` found out there, and how long the guest took.
    Ran(Value, f64),
    /// The loader did not take the file, and why.
    Refused(String),
    /// The guest came to no result.
    Broken(String),
}

/// Verifies on every kernel.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let file = &arguments.artifact;
    let told = |failure| told(failure, arguments.form.json());
    let bytes = std::fs::read(file).map_err(|e| told(Failure::io("read", file, &e)))?;
    let artifact = match ebsec_artifact::open(&bytes) {
        Ok(artifact) => artifact,
        Err(error) => return Ok(no_artifact(file, &error, arguments.form.json())),
    };
    let ready = Ready::new(arguments, &artifact.manifest).map_err(told)?;
    let answers = ready.answers(arguments, &bytes)?;
    let good = answers.iter().all(|(name, a)| match a {
        Answer::Skipped(_) => arguments.allow_skip.contains(name),
        Answer::Ran(value, _) => accepted(value),
        Answer::Refused(_) | Answer::Broken(_) => false,
    });
    if good && arguments.record {
        let mut manifest = artifact.manifest.clone();
        manifest.verified = answers.iter().filter_map(|(name, a)| record(name, a)).collect();
        let new = ebsec_artifact::set_manifest(&bytes, &manifest).map_err(|e| Failure::new(e.to_string()))?;
        unchanged(file, &bytes).map_err(told)?;
        output::file(file, &new)?;
    }
    Ok(ExitCode::from(u8::from(!good)))
}

/// What must be there before the first guest boots.
struct Ready {
    series: Vec<String>,
    cache: Cache,
    loader: PathBuf,
}

impl Ready {
    fn new(arguments: &Arguments, manifest: &Manifest) -> Result<Ready, Failure> {
        let wanted = [&arguments.kernels, &manifest.kernels].into_iter().find(|all| !all.is_empty());
        let series = wanted.cloned().unwrap_or_else(|| SERIES.iter().map(|s| (*s).to_owned()).collect());
        let cache = Cache::open()?;
        for name in series.iter().chain(&arguments.allow_skip) {
            must_be_known(&cache, name)?;
        }
        Ok(Ready { series, cache, loader: find_loader()? })
    }

    /// Boots every kernel; prints as it goes.
    fn answers(&self, arguments: &Arguments, artifact: &[u8]) -> Result<Vec<(String, Answer)>, Failure> {
        let mut answers = Vec::new();
        for name in &self.series {
            progress(&format!("{name}: booting a guest …"));
            let answer = match kernel(&self.cache, name) {
                Ok(kernel) => boot(&kernel, &self.loader, artifact),
                Err(failure) => Answer::Skipped(failure),
            };
            progress("");
            if !arguments.form.json() {
                output::print(&text(name, &answer, arguments.allow_skip.contains(name)))?;
            }
            answers.push((name.clone(), answer));
        }
        if arguments.form.json() {
            let all = answers.iter().map(|(name, a)| (name.clone(), to_json(a)));
            output::print(&text::json(&Value::Object(all.collect())))?;
        }
        Ok(answers)
    }
}

/// A series of which nothing is known will not be there after the other guests either.
fn must_be_known(cache: &Cache, series: &str) -> Result<(), Failure> {
    if SERIES.contains(&series) || cache.kernel(series).is_ok() {
        return Ok(());
    }
    Err(Failure::new(format!("unknown kernel series `{series}`")).help(format!("known series: {}", SERIES.join(", "))))
}
/// A line that the next one replaces, on a terminal only.
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        output::tell_raw(&format!("\r\x1b[K{text}"));
    }
}

/// From the cache, or fetched.
fn kernel(cache: &Cache, series: &str) -> Result<Kernel, Failure> {
    if let Ok(kernel) = cache.kernel(series) {
        return Ok(kernel);
    }
    progress(&format!("{series}: fetching the kernel …"));
    let nothing = || Err(Failure::new(format!("no kernel of the series {series} is known")));
    cache.fetch(&[series.to_owned()], false).into_iter().next().unwrap_or_else(nothing)
}

/// The guest gets the bytes that were read, whatever the file holds by now.
fn boot(kernel: &Kernel, loader: &Path, artifact: &[u8]) -> Answer {
    let mut spec = GuestSpec::new(kernel.image(), "ebsec-load check /policy.bpf.o --json");
    spec.files = vec![GuestFile::host("/bin/ebsec-load", loader), GuestFile::bytes("/policy.bpf.o", artifact)];
    spec.timeout = Duration::from_secs(300);
    match machine::run(&spec) {
        Ok(result) => answer(&result, loader),
        Err(failure) => Answer::Broken(failure.message),
    }
}

/// What the loader's output in a guest means.
fn answer(result: &GuestResult, loader: &Path) -> Answer {
    let said = result.output.trim();
    if let Ok(value) = serde_json::from_str(said) {
        return Answer::Ran(value, result.seconds);
    }
    match (result.ending, said.strip_prefix("error: ")) {
        (Ending::Exited(_), Some(error)) => {
            let reason = error.strip_prefix("the file is refused: ").unwrap_or(error);
            Answer::Refused(format!("the loader `{}` refuses the file: {reason}", shown(loader)))
        }
        (Ending::Exited(status), None) => Answer::Broken(format!("the loader `{}` ended with status {status}: {said}", shown(loader))),
        (ending, _) => Answer::Broken(format!("the guest ended without an answer ({ending:?}): {said}")),
    }
}

/// A verdict is not written into a file that is another one by now.
fn unchanged(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if std::fs::read(file).map_err(|e| Failure::io("read", file, &e))? == bytes {
        return Ok(());
    }
    let message = format!("`{}` has changed since it was read: no verdict is recorded", shown(file));
    Err(Failure::new(message).help("verify it again"))
}

fn accepted(value: &Value) -> bool {
    value.get("accepted") == Some(&Value::Bool(true))
}

fn to_json(answer: &Answer) -> Value {
    match answer {
        Answer::Skipped(failure) => json!({"skipped": failure.message}),
        Answer::Ran(value, seconds) => json!({"result": value, "seconds": (seconds * 10.0).round() / 10.0}),
        Answer::Refused(message) | Answer::Broken(message) => json!({"error": message}),
    }
}

fn number(program: &Value, key: &str) -> u64 {
    program.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn word<'a>(program: &'a Value, key: &str) -> &'a str {
    program.get(key).and_then(Value::as_str).unwrap_or("")
}

fn programs(value: &Value) -> &[Value] {
    value.get("programs").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A table for people: a line for each program, the log where one is refused.
fn text(series: &str, answer: &Answer, may_be_skipped: bool) -> String {
    let (value, seconds) = match answer {
        Answer::Skipped(failure) if may_be_skipped => return format!("{series}: skipped, {}\n", text::line(&failure.message)),
        Answer::Skipped(failure) => {
            let way_out = format!("`--allow-skip {series}` verifies without it");
            return format!("{series}: NOT VERIFIED, the kernel is not available: {}; {way_out}\n", text::line(&failure.message));
        }
        Answer::Refused(message) => return format!("{series}: {}\n", text::lines(message)),
        Answer::Broken(message) => return format!("{series}: no answer, {}\n", text::lines(message)),
        Answer::Ran(value, seconds) => (value, seconds),
    };
    let verdict = if accepted(value) { "accepts every program" } else { "REFUSES the artifact" };
    let mut out = format!("{series} ({}) {verdict}, {seconds:.0} s\n", word(value, "kernel"));
    if let Some(error) = value.get("error").and_then(Value::as_str) {
        out.push_str(&format!("  {}\n", text::line(error)));
    }
    out.push_str(&format!("  {:<30} {:>12} {:>10} {:>8}\n", "program", "instructions", "verified", "states"));
    for program in programs(value) {
        let name = text::line(word(program, "name"));
        if let Some(reason) = program.get("skipped").and_then(Value::as_str) {
            out.push_str(&format!("  {name:<30} {}\n", text::line(reason)));
            continue;
        }
        let (size, verified) = (number(program, "instructions"), number(program, "verified_instructions"));
        if program.get("accepted") == Some(&Value::Bool(true)) {
            out.push_str(&format!("  {name:<30} {size:>12} {verified:>10} {:>8}\n", number(program, "total_states")));
            continue;
        }
        out.push_str(&format!("  {name:<30} refused: {}\n", text::line(word(program, "error"))));
        for line in program.get("log").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
            out.push_str(&format!("    | {}\n", text::line(line.as_str().unwrap_or(""))));
        }
    }
    out
}

fn record(series: &str, answer: &Answer) -> Option<VerifiedKernel> {
    let Answer::Ran(value, _) = answer else { return None };
    let accepted = programs(value).iter().filter(|p| p.get("accepted") == Some(&Value::Bool(true)));
    Some(VerifiedKernel {
        programs: accepted.map(verified).collect(),
        release: word(value, "kernel").to_owned(),
        series: series.to_owned(),
    })
}

fn verified(program: &Value) -> VerifiedProgram {
    VerifiedProgram {
        instructions: number(program, "translated_instructions"),
        name: word(program, "name").to_owned(),
        verified: number(program, "verified_instructions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_that_refuses_is_no_lack_of_an_answer() {
        let result = |ending, output: &str| {
            let result = GuestResult { ending, output: output.into(), console: String::new(), files: vec![], seconds: 1.0 };
            text("6.12", &answer(&result, Path::new("/opt/ebsec-load")), false)
        };
        let refused = result(Ending::Exited(1), "error: the file is refused: the artifact has the format 9\n  help: fetch it again\n");
        let wanted = "6.12: the loader `/opt/ebsec-load` refuses the file: the artifact has the format 9\n";
        assert!(refused.starts_with(wanted) && refused.ends_with("help: fetch it again\n"), "{refused}");
        let broken = result(Ending::Exited(127), "sh: ebsec-load: not found\n");
        assert_eq!(broken, "6.12: no answer, the loader `/opt/ebsec-load` ended with status 127: sh: ebsec-load: not found\n");
        assert!(result(Ending::TimedOut, "").starts_with("6.12: no answer, the guest ended"));
    }
}
