//! Runs every scenario of `tests/kernel/scenarios` on every default kernel and
//! compares what its script prints. Needs kernels in the cache and the guest
//! programs: `make test` provides both. A kernel that is not available fails
//! its test, unless `EBSEC_SKIP_KERNELS` names its series.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

#[path = "kernel/modes.rs"]
mod modes;
#[path = "kernel/skips.rs"]
mod skips;

const EBSEC: &str = env!("CARGO_BIN_EXE_ebsec");

/// The default kernels.
const SERIES: [&str; 4] = ["6.1", "6.12", "6.18", "7"];

#[test]
#[ignore = "boots guests; `make test` runs it"]
fn every_scenario_on_every_kernel() {
    let available: Vec<&str> = SERIES.into_iter().filter(|series| is_asked(series) && skips::is_available(EBSEC, series)).collect();
    let scenarios = scenarios();
    let mut jobs = modes::jobs(&scenarios, &available);
    for (name, folder) in &scenarios {
        for series in available.iter().filter(|series| runs_on(folder, series) && !modes::covers(folder, series)) {
            jobs.push(Job { name: format!("{name} on {series}"), run: Box::new(|| run_scenario(series, folder)) });
        }
    }
    let failures = run(&jobs);
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Something to do in a guest.
struct Job<'a> {
    name: String,
    run: Box<dyn Fn() -> Result<(), String> + Sync + 'a>,
}

/// Does all, one for each processor at a time, and gives what failed.
fn run(jobs: &[Job<'_>]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Relaxed)) {
            let begun = Instant::now();
            let done = (job.run)();
            println!("{:<40} {:>6.1} s{}", job.name, begun.elapsed().as_secs_f64(), if done.is_err() { "  FAILED" } else { "" });
            if let Err(failure) = done {
                failures.lock().unwrap().push(format!("--- {}\n{failure}", job.name));
            }
        }
    };
    // What is blessed for one kernel decides what the next one writes.
    let workers = if blesses() { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    failures.into_inner().unwrap()
}

fn blesses() -> bool {
    std::env::var_os("EBSEC_BLESS").is_some()
}

fn is_asked(series: &str) -> bool {
    std::env::var("EBSEC_SERIES").map_or(true, |only| only == series)
}

/// A long scenario may name the kernels on which it runs unless it, or everything, is asked for.
fn runs_on(folder: &Path, series: &str) -> bool {
    let asked = ["EBSEC_SCENARIO", "EBSEC_EVERYWHERE"].iter().any(|name| std::env::var_os(name).is_some());
    let named = std::fs::read_to_string(folder.join("series"));
    asked || named.map_or(true, |named| named.split_whitespace().any(|word| word == series))
}

#[test]
fn the_default_kernels_are_tried() {
    let listed = Command::new(EBSEC).args(["kernels", "--json"]).output().unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let series: Vec<&str> = listed["kernels"].as_array().unwrap().iter().map(|k| k["series"].as_str().unwrap()).collect();
    assert_eq!(series, SERIES);
}

/// The first kernel of the cache; nothing to try with only if all may be skipped.
fn any_kernel() -> Option<&'static str> {
    let order = ["6.12", "6.18", "6.1", "7"];
    let found = order.into_iter().find(|series| skips::missing(EBSEC, series).is_none());
    assert!(found.is_some() || order.iter().all(|series| skips::is_allowed(series)), "no kernel is available");
    found
}

fn guest(words: &[&str]) -> Option<Output> {
    let kernel = any_kernel()?;
    Some(Command::new(EBSEC).args(["guest", "--kernel", kernel]).args(words).output().unwrap())
}

#[test]
#[ignore = "boots guests; `make test` runs it"]
fn a_guest_that_hangs_is_ended() {
    let Some(done) = guest(&["--timeout", "20", "--", "sleep 600"]) else { return };
    assert_eq!(done.status.code(), Some(124));
    let said = text(&done.stderr);
    assert!(said.contains("it was ended after 20 s"));
    assert!(said.contains("task:sleep") && !said.contains("task:kthreadd"), "it does not say what its processes do:\n{said}");
}

#[test]
#[ignore = "boots guests; `make test` runs it"]
fn a_guest_that_panics_is_told_with_its_console() {
    let Some(done) = guest(&["--", "echo begun; echo c >/proc/sysrq-trigger"]) else { return };
    assert_eq!(done.status.code(), Some(125));
    assert!(text(&done.stderr).contains("Kernel panic"));
}

#[test]
#[ignore = "boots guests; `make test` runs it"]
fn files_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    let script = "printf 'a\\0\\377\\r\\n' >/back; head -c 300000 /dev/urandom >/big; sha256sum </big";
    let Some(done) = guest(&["--collect", "/back", "--collect", "/big", "--collect", "/missing", "--into", into, "--", script]) else {
        return;
    };
    assert_eq!(std::fs::read(folder.path().join("back")).unwrap(), b"a\0\xff\r\n");
    let digest = Command::new("sha256sum").stdin(std::fs::File::open(folder.path().join("big")).unwrap()).output().unwrap();
    assert_eq!(text(&digest.stdout), text(&done.stdout));
}

/// What the script leaves running keeps the result channel open, so that closing it does not wait for what is still to be sent.
#[test]
#[ignore = "boots guests; `make test` runs it"]
fn results_arrive_from_a_slow_line_that_others_hold() {
    let tools = format!("{}:/bin/guest-tools", guest_programs().join("ebsec-guest-tools").display());
    let script = "guest-tools races stalled 4 & sleep 1; echo said; echo kept >/kept";
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    let Some(done) = guest(&["--file", &tools, "--collect", "/kept", "--into", into, "--", script]) else { return };
    assert_eq!((done.status.code(), text(&done.stdout)), (Some(0), "said\n".to_owned()), "{}", text(&done.stderr));
    assert_eq!(std::fs::read(folder.path().join("kept")).unwrap(), b"kept\n");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn scenarios() -> BTreeMap<String, PathBuf> {
    let only = std::env::var("EBSEC_SCENARIO").ok();
    let folders = std::fs::read_dir(root().join("tests/kernel/scenarios")).unwrap();
    let named = folders.map(|folder| {
        let folder = folder.unwrap();
        (folder.file_name().into_string().unwrap(), folder.path())
    });
    named.filter(|(name, _)| only.as_ref().is_none_or(|only| name.contains(only))).collect()
}

fn run_scenario(series: &str, folder: &Path) -> Result<(), String> {
    let mut command = Command::new(EBSEC);
    command.args(["guest", "--kernel", series, "--timeout", "900"]);
    let options = std::fs::read_to_string(folder.join("options")).unwrap_or_default();
    command.args(options.split_whitespace());
    for (host, guest) in files(folder)? {
        command.arg("--file").arg(format!("{}:{guest}", host.display()));
    }
    command.args(["--", ". /scenario/guest.sh"]);
    compare(series, folder, &command.output().unwrap())
}

/// Where `make guest-tools` puts what is built for guests.
fn guest_programs() -> PathBuf {
    root().join("target/x86_64-unknown-linux-gnu/debug")
}

/// The scenario's own files, the policy's objects, and the programs.
fn files(folder: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        files.push((file.path(), format!("/scenario/{}", file.file_name().into_string().unwrap())));
    }
    let programs = guest_programs();
    let tools = programs.join("ebsec-guest-tools");
    if !tools.exists() {
        return Err("the guest programs are not built: run `make guest-tools`".into());
    }
    files.push((tools, "/bin/guest-tools".into()));
    let loader = programs.join("ebsec-load");
    if loader.exists() {
        files.push((loader, "/bin/ebsec-load".into()));
    }
    // They are the same on every kernel.
    static BUILT: Mutex<BTreeMap<PathBuf, Result<Vec<PathBuf>, String>>> = Mutex::new(BTreeMap::new());
    let objects = BUILT.lock().unwrap().entry(folder.to_path_buf()).or_insert_with(|| objects(folder)).clone()?;
    files.extend(objects.into_iter().zip(["/scenario/policy.bpf.o".into(), "/scenario/observing.bpf.o".into()]));
    Ok(files)
}

/// The policy as it is and as it observes; nothing if the scenario has none.
fn objects(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let Ok(policy) = std::fs::read_to_string(folder.join("policy.ebsec")) else { return Ok(Vec::new()) };
    let name = folder.file_name().unwrap().to_str().unwrap();
    Ok(vec![build(name, &policy)?, build(&format!("{name}.observing"), &modes::observing(&policy))?])
}

/// Kept under the build folder, where a failure can be looked at.
fn build(name: &str, policy: &str) -> Result<PathBuf, String> {
    let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.bpf.o"));
    let place = tempfile::tempdir().unwrap();
    let source = place.path().join("policy.ebsec");
    std::fs::write(&source, policy).unwrap();
    let done = Command::new(EBSEC).current_dir(place.path()).args(["build", "policy.ebsec", "-o"]).arg(&object).output().unwrap();
    match done.status.success() {
        true => Ok(object),
        false => Err(format!("the policy does not build:\n{}{}", text(&done.stdout), text(&done.stderr))),
    }
}

/// What the script printed is what is expected of it on this kernel.
fn compare(series: &str, folder: &Path, done: &Output) -> Result<(), String> {
    let mut printed = text(&done.stdout);
    if !done.status.success() {
        printed.push_str(&format!("exit {}\n", done.status.code().unwrap_or(-1)));
    }
    let (common, own) = (folder.join("expected"), folder.join(format!("expected.{series}")));
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let expected = read(&own).or_else(|| read(&common));
    if expected.as_deref() == Some(&*printed) {
        return Ok(());
    }
    if blesses() {
        bless(&common, &own, &printed);
        return Ok(());
    }
    let expected = expected.unwrap_or_default();
    Err(format!("{}\n{}", difference(&expected, &printed), text(&done.stderr)))
}

/// The first kernel of a scenario writes `expected`; another that differs
/// writes a file of its own.
fn bless(common: &Path, own: &Path, printed: &str) {
    match std::fs::read_to_string(common) {
        Ok(same) if same == printed => drop(std::fs::remove_file(own)),
        Ok(_) => std::fs::write(own, printed).unwrap(),
        Err(_) => std::fs::write(common, printed).unwrap(),
    }
}

/// Lines that only one side has, in order.
fn difference(expected: &str, printed: &str) -> String {
    let missing = expected.lines().filter(|line| !printed.lines().any(|other| other == *line)).map(|line| format!("- {line}"));
    let added = printed.lines().filter(|line| !expected.lines().any(|other| other == *line)).map(|line| format!("+ {line}"));
    missing.chain(added).collect::<Vec<_>>().join("\n")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
