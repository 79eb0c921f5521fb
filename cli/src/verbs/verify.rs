//! `ebsec verify`: an artifact in, the verdict of each target kernel's own verifier out, from guests. Status 1 if a
//! kernel refuses a program, or cannot be had (unless that was allowed).

use super::could_not;
use crate::guest::kernels::{Cache, Kernel};
use crate::guest::{Failure, GuestFile, GuestSpec, machine};
use ebsec_artifact::{VerifiedKernel, VerifiedProgram};
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
    /// A kernel that cannot be had is no failure.
    #[arg(long)]
    allow_skips: bool,
    /// Write the verdicts into the artifact's manifest.
    #[arg(long)]
    record: bool,
    /// One JSON object on the output.
    #[arg(long)]
    json: bool,
}

/// The answer of one kernel.
enum Answer {
    /// It could not be had, and why.
    Skipped(Failure),
    /// What `ebsec-load check` found out there, and how long the guest took.
    Ran(Value, f64),
    /// The guest came to no result.
    Broken(String),
}

/// Verifies on every kernel.
pub fn run(arguments: &Arguments) -> ExitCode {
    match verify(arguments) {
        Ok(code) => code,
        Err(failure) => could_not(&failure),
    }
}

fn verify(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let bytes = std::fs::read(&arguments.artifact).map_err(|e| Failure::io("read", &arguments.artifact, &e))?;
    let artifact = match ebsec_artifact::open(&bytes) {
        Ok(artifact) => artifact,
        Err(e) => {
            eprintln!("error: {}: {e}", arguments.artifact.display());
            return Ok(ExitCode::from(1));
        }
    };
    let loader = find_loader()?;
    let cache = Cache::open()?;
    let series = if arguments.kernels.is_empty() { artifact.manifest.kernels.clone() } else { arguments.kernels.clone() };
    let mut answers = Vec::new();
    for name in &series {
        progress(&format!("{name}: booting a guest …"));
        let answer = match kernel(&cache, name) {
            Ok(kernel) => boot(&kernel, &loader, &arguments.artifact),
            Err(failure) => Answer::Skipped(failure),
        };
        progress("");
        if !arguments.json {
            print!("{}", text(name, &answer));
        }
        answers.push((name.clone(), answer));
    }
    if arguments.json {
        println!("{}", Value::Object(answers.iter().map(|(name, a)| (name.clone(), to_json(a))).collect()));
    }
    let good = answers.iter().all(|(_, a)| match a {
        Answer::Skipped(_) => arguments.allow_skips,
        Answer::Ran(value, _) => accepted(value),
        Answer::Broken(_) => false,
    });
    if good && arguments.record {
        let mut manifest = artifact.manifest.clone();
        manifest.verified = answers.iter().filter_map(|(name, a)| record(name, a)).collect();
        let new = ebsec_artifact::set_manifest(&bytes, &manifest).map_err(|e| Failure::new(e.to_string()))?;
        std::fs::write(&arguments.artifact, new).map_err(|e| Failure::io("write", &arguments.artifact, &e))?;
    }
    Ok(ExitCode::from(u8::from(!good)))
}

/// A line that the next one replaces, on a terminal only.
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
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

/// The loader as guests run it: static, beside this program or where the build leaves it.
pub fn find_loader() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os("EBSEC_LOAD") {
        return Ok(PathBuf::from(path));
    }
    let own = std::env::current_exe().map_err(|e| Failure::new(format!("cannot tell where this program is: {e}")))?;
    let folder = own.parent().unwrap_or(Path::new("/")).to_owned();
    let built = |profile: &str| folder.join("../x86_64-unknown-linux-gnu").join(profile).join("ebsec-load");
    let places = [folder.join("ebsec-load"), built("release"), built("debug")];
    let mut found: Vec<_> = places.into_iter().filter(|p| is_static(p)).collect();
    found.sort_by_key(|p| std::cmp::Reverse(std::fs::metadata(p).and_then(|m| m.modified()).ok()));
    found.into_iter().next().ok_or_else(|| {
        Failure::new("no static `ebsec-load` is beside this program").help("build one with `make static`, or name it in EBSEC_LOAD")
    })
}

/// No program interpreter is asked for.
fn is_static(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| !bytes.windows(9).take(4096).any(|w| w == b"ld-linux-"))
}

fn boot(kernel: &Kernel, loader: &Path, artifact: &Path) -> Answer {
    let mut spec = GuestSpec::new(kernel.image(), "ebsec-load check /policy.bpf.o --json");
    spec.files = vec![GuestFile::host("/bin/ebsec-load", loader), GuestFile::host("/policy.bpf.o", artifact)];
    spec.timeout = Duration::from_secs(300);
    let result = match machine::run(&spec) {
        Ok(result) => result,
        Err(failure) => return Answer::Broken(failure.message),
    };
    match serde_json::from_str(result.output.trim()) {
        Ok(value) => Answer::Ran(value, result.seconds),
        Err(_) => Answer::Broken(format!("the guest ended without an answer ({:?}): {}", result.ending, result.output.trim())),
    }
}

fn accepted(value: &Value) -> bool {
    value.get("accepted") == Some(&Value::Bool(true))
}

fn to_json(answer: &Answer) -> Value {
    match answer {
        Answer::Skipped(failure) => json!({"skipped": failure.message}),
        Answer::Ran(value, seconds) => json!({"result": value, "seconds": (seconds * 10.0).round() / 10.0}),
        Answer::Broken(message) => json!({"error": message}),
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
fn text(series: &str, answer: &Answer) -> String {
    let (value, seconds) = match answer {
        Answer::Skipped(failure) => return format!("{series}: skipped, {}\n", failure.message),
        Answer::Broken(message) => return format!("{series}: no answer, {message}\n"),
        Answer::Ran(value, seconds) => (value, seconds),
    };
    let verdict = if accepted(value) { "accepts every program" } else { "REFUSES the artifact" };
    let mut out = format!("{series} ({}) {verdict}, {seconds:.0} s\n", word(value, "kernel"));
    if let Some(error) = value.get("error").and_then(Value::as_str) {
        out.push_str(&format!("  {error}\n"));
    }
    out.push_str(&format!("  {:<30} {:>12} {:>10} {:>8}\n", "program", "instructions", "verified", "states"));
    for program in programs(value) {
        let name = word(program, "name");
        if let Some(reason) = program.get("skipped").and_then(Value::as_str) {
            out.push_str(&format!("  {name:<30} {reason}\n"));
            continue;
        }
        let (size, verified) = (number(program, "instructions"), number(program, "verified_instructions"));
        if program.get("accepted") == Some(&Value::Bool(true)) {
            out.push_str(&format!("  {name:<30} {size:>12} {verified:>10} {:>8}\n", number(program, "total_states")));
            continue;
        }
        out.push_str(&format!("  {name:<30} refused: {}\n", word(program, "error")));
        for line in program.get("log").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
            out.push_str(&format!("    | {}\n", line.as_str().unwrap_or("")));
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
