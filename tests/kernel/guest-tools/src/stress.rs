//! Provokes races: many tasks on one processor open, fork, thread, exec and
//! rename at once, for some seconds and until enough of each was done. Takes
//! paths that must be allowed and paths that must be refused, prints one
//! counter a line; `wrong`, `leaked` and `lost` have to be 0.

use crate::sys;
use std::ffi::CString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What all tasks count together.
#[repr(C)]
struct Counters {
    opens: AtomicU64,
    refused: AtomicU64,
    /// Allowed paths that were refused.
    wrong: AtomicU64,
    /// Paths that must be refused and were opened.
    leaked: AtomicU64,
    /// Other errors, such as a name that a rename took away.
    other: AtomicU64,
    forks: AtomicU64,
    threads: AtomicU64,
    vforks: AtomicU64,
    execs: AtomicU64,
    renames: AtomicU64,
    lost: AtomicU64,
}

struct Plan {
    allowed: Vec<PathBuf>,
    denied: Vec<PathBuf>,
    /// Commands that open one path and say whether the verdict was right.
    programs: Vec<Vec<CString>>,
    storms: Vec<PathBuf>,
    /// Programs that the kernel starts to execute and then cannot.
    broken: Vec<PathBuf>,
    /// Tasks that do nothing but fork.
    forkers: usize,
    until: Instant,
    /// Counters, and what each has to reach before any task ends.
    least: Vec<(&'static AtomicU64, u64)>,
    counters: &'static Counters,
}

impl Counters {
    fn failed(&self) -> bool {
        [&self.wrong, &self.leaked, &self.lost].iter().any(|counter| counter.load(Relaxed) > 0)
    }

    fn named(&self) -> [(&'static str, &AtomicU64); 11] {
        [
            ("opens", &self.opens),
            ("refused", &self.refused),
            ("wrong", &self.wrong),
            ("leaked", &self.leaked),
            ("other", &self.other),
            ("forks", &self.forks),
            ("threads", &self.threads),
            ("vforks", &self.vforks),
            ("execs", &self.execs),
            ("renames", &self.renames),
            ("lost", &self.lost),
        ]
    }
}

/// True if no verdict was wrong and no task was lost.
pub fn stress(words: &[String]) -> Result<bool, String> {
    let counters = sys::shared_page().map_err(|error| error.to_string())?;
    let plan = plan(words, counters)?;
    sys::pin().map_err(|error| format!("cannot stay on one processor: {error}"))?;
    let tasks: &[fn(&Plan)] = &[opener, opener, urgent_opener, threads, vforks, vforks, failed_execs];
    let mut children = Vec::new();
    for task in tasks {
        children.push(child(&plan, task)?);
    }
    for _ in 0..plan.forkers {
        children.push(child(&plan, &forks)?);
    }
    for storm in &plan.storms {
        children.push(child(&plan, &|plan| renames(plan, storm))?);
    }
    for id in children {
        if !matches!(sys::wait(id), Ok(Some(0))) {
            counters.lost.fetch_add(1, Relaxed);
        }
    }
    for (name, counter) in counters.named() {
        println!("{name} {}", counter.load(Relaxed));
    }
    Ok(!counters.failed())
}

fn plan(words: &[String], counters: &'static Counters) -> Result<Plan, String> {
    let mut plan = Plan {
        allowed: Vec::new(),
        denied: Vec::new(),
        programs: Vec::new(),
        storms: Vec::new(),
        broken: Vec::new(),
        forkers: 1,
        until: Instant::now(),
        least: Vec::new(),
        counters,
    };
    let mut seconds = 10;
    for pair in words.chunks(2) {
        let [name, value] = pair else {
            return Err("stress takes pairs of option and value".into());
        };
        match name.as_str() {
            "--seconds" => seconds = value.parse().map_err(|_| "`--seconds` takes a number")?,
            "--forkers" => plan.forkers = value.parse().map_err(|_| "`--forkers` takes a number")?,
            "--least" => plan.least.push(least(value, counters)?),
            "--allowed" => plan.allowed.push(value.into()),
            "--denied" => plan.denied.push(value.into()),
            "--program" => plan.programs.push(program(value)?),
            "--storm" => plan.storms.push(value.into()),
            "--broken" => plan.broken.push(value.into()),
            _ => return Err(format!("stress has no option `{name}`")),
        }
    }
    plan.until = Instant::now() + Duration::from_secs(seconds);
    Ok(plan)
}

/// `COUNTER:NUMBER`.
fn least(text: &str, counters: &'static Counters) -> Result<(&'static AtomicU64, u64), String> {
    let wrong = || format!("`{text}` is not COUNTER:NUMBER");
    let (name, number) = text.split_once(':').ok_or_else(wrong)?;
    let counter = counters.named().into_iter().find(|(known, _)| *known == name).ok_or_else(wrong)?.1;
    Ok((counter, number.parse().map_err(|_| wrong())?))
}

fn child(plan: &Plan, task: &dyn Fn(&Plan)) -> Result<i32, String> {
    let work = || {
        task(plan);
        0
    };
    sys::spawn(work).map_err(|error| format!("cannot start a task: {error}"))
}

impl Plan {
    /// What went wrong once is enough to stop.
    fn going(&self) -> bool {
        let missing = || self.least.iter().any(|(counter, least)| counter.load(Relaxed) < *least);
        Instant::now() < self.until || !self.counters.failed() && missing()
    }

    /// Opens every path once and counts.
    fn round(&self) {
        let denied = self.denied.iter().map(|path| (path, false));
        for (path, allowed) in self.allowed.iter().map(|path| (path, true)).chain(denied) {
            self.count(sys::open(path, libc::O_RDONLY, 0).map(drop), allowed);
        }
    }

    fn count(&self, result: io::Result<()>, allowed: bool) {
        let counters = self.counters;
        let refused = |error: &io::Error| matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES));
        counters.opens.fetch_add(1, Relaxed);
        match (result, allowed) {
            (Ok(()), true) => {}
            (Ok(()), false) => drop(counters.leaked.fetch_add(1, Relaxed)),
            (Err(error), _) if !refused(&error) => drop(counters.other.fetch_add(1, Relaxed)),
            (Err(_), true) => drop(counters.wrong.fetch_add(1, Relaxed)),
            (Err(_), false) => drop(counters.refused.fetch_add(1, Relaxed)),
        }
    }
}

fn opener(plan: &Plan) {
    while plan.going() {
        plan.round();
    }
}

/// Wakes often and at once stops whoever runs, wherever it is.
fn urgent_opener(plan: &Plan) {
    // Without the right to be urgent it is an opener like the others.
    let _ = sys::urgent();
    while plan.going() {
        std::thread::sleep(Duration::from_micros(300));
        plan.round();
    }
}

fn threads(plan: &Plan) {
    while plan.going() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| plan.round());
                plan.counters.threads.fetch_add(1, Relaxed);
            }
        });
    }
}

fn forks(plan: &Plan) {
    while plan.going() {
        let work = || {
            plan.round();
            // An orphan: its parent ends while it still opens.
            let _ = sys::spawn(|| {
                plan.round();
                0
            });
            plan.round();
            0
        };
        if !matches!(sys::in_child(work), Ok(Some(0))) {
            plan.counters.lost.fetch_add(1, Relaxed);
        }
        plan.counters.forks.fetch_add(2, Relaxed);
    }
}

/// Starts programs as a shell does, each of which opens one path; a program
/// that is not there between them.
fn vforks(plan: &Plan) {
    while plan.going() {
        let missing = sys::vfork_exec(&[c"/nowhere/at-all".to_owned()]);
        plan.counters.vforks.fetch_add(1, Relaxed);
        plan.counters.execs.fetch_add(u64::from(missing.is_err()), Relaxed);
        for program in &plan.programs {
            plan.counters.execs.fetch_add(1, Relaxed);
            plan.counters.vforks.fetch_add(1, Relaxed);
            match sys::vfork_exec(program) {
                Ok(Some(RIGHT)) => plan.counters.opens.fetch_add(1, Relaxed),
                Ok(Some(REFUSED)) => plan.counters.wrong.fetch_add(1, Relaxed),
                Ok(Some(OPENED)) => plan.counters.leaked.fetch_add(1, Relaxed),
                _ => plan.counters.other.fetch_add(1, Relaxed),
            };
        }
        plan.round();
    }
}

const RIGHT: i32 = 0;
const REFUSED: i32 = 10;
const OPENED: i32 = 11;
const OTHER: i32 = 12;

/// Opens one path and says by its exit status whether the verdict is the
/// expected one: 0 right, 10 refused, 11 opened, 12 another error.
pub fn expect(words: &[String]) -> Result<i32, String> {
    let [expected, path] = words else {
        return Err("expect takes: allowed|denied PATH".into());
    };
    let result = sys::open(Path::new(path), libc::O_RDONLY, 0);
    let refused = |error: &io::Error| matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES));
    match (result, expected.as_str()) {
        (Ok(_), "allowed") => Ok(RIGHT),
        (Ok(_), "denied") => Ok(OPENED),
        (Err(error), "denied") if refused(&error) => Ok(RIGHT),
        (Err(error), "allowed") if refused(&error) => Ok(REFUSED),
        (Err(_), "allowed" | "denied") => Ok(OTHER),
        _ => Err(format!("`{expected}` is neither `allowed` nor `denied`")),
    }
}

/// `PROGRAM:allowed|denied:PATH`, where PROGRAM is a copy of this one.
fn program(text: &str) -> Result<Vec<CString>, String> {
    let parts: Vec<&str> = text.splitn(3, ':').collect();
    let [program, expected, path] = parts.as_slice() else {
        return Err(format!("`{text}` is not PROGRAM:allowed|denied:PATH"));
    };
    let words = [*program, "expect", *expected, *path];
    let words = words.into_iter().map(CString::new).collect::<Result<_, _>>();
    words.map_err(|_| "a path has no zero byte".into())
}

/// An exec that fails leaves the task as it was.
fn failed_execs(plan: &Plan) {
    while plan.going() {
        for path in plan.allowed.iter().chain(&plan.denied) {
            let _ = sys::exec(&path.join("not-a-folder"));
            plan.counters.execs.fetch_add(1, Relaxed);
        }
        for path in &plan.broken {
            let _ = sys::exec(path);
            plan.counters.execs.fetch_add(1, Relaxed);
        }
        plan.round();
    }
}

/// Moves `folder/a` to `folder/b` and back, and `s` in it to `t` and back, so
/// that paths are torn while they are walked. `folder/a/s` must be there.
fn renames(plan: &Plan, folder: &Path) {
    let names = ["a", "b"].map(|name| folder.join(name));
    let [a, b] = &names;
    let inner = |outer: &Path| (outer.join("s"), outer.join("t"));
    while plan.going() {
        for (from, to) in [(a, b), (b, a)] {
            let moved = sys::rename(from, to, 0);
            plan.counters.renames.fetch_add(u64::from(moved.is_ok()), Relaxed);
            let (s, t) = inner(to);
            let _ = sys::rename(&s, &t, 0).and_then(|()| sys::rename(&t, &s, 0));
        }
    }
}
