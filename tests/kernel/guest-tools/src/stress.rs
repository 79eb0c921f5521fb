//! Provokes races: many tasks on all processors open, fork, thread, exec and
//! rename at once, for some seconds and until enough of each was done. Takes
//! paths that must be allowed and paths that must be refused, prints one
//! counter a line; `wrong`, `leaked` and `lost` have to be 0.

use crate::{privileges, storm, sys};
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
    /// Programs that ran and opened their path.
    programs: AtomicU64,
    renames: AtomicU64,
    lost: AtomicU64,
}

struct Plan {
    allowed: Vec<PathBuf>,
    denied: Vec<PathBuf>,
    /// Commands that open one path and say whether the verdict was right.
    programs: Vec<Vec<CString>>,
    storms: Vec<PathBuf>,
    /// Folders where a user renames what is his.
    restless: Vec<PathBuf>,
    /// Folders with files far below them.
    deep: Vec<PathBuf>,
    /// Who renames.
    user: Option<u32>,
    /// Programs that the kernel starts to execute and then cannot.
    broken: Vec<PathBuf>,
    /// Tasks that do nothing but fork.
    forkers: usize,
    /// Tasks that do nothing but start programs.
    executors: usize,
    until: Instant,
    /// Counters, and what each has to reach before any task ends.
    least: Vec<(&'static AtomicU64, u64)>,
    counters: &'static Counters,
}

impl Counters {
    fn failed(&self) -> bool {
        [&self.wrong, &self.leaked, &self.lost].iter().any(|counter| counter.load(Relaxed) > 0)
    }

    fn named(&self) -> [(&'static str, &AtomicU64); 12] {
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
            ("programs", &self.programs),
            ("renames", &self.renames),
            ("lost", &self.lost),
        ]
    }
}

/// True if no verdict was wrong and no task was lost.
pub fn stress(words: &[String]) -> Result<bool, String> {
    let counters = sys::shared_page().map_err(|error| error.to_string())?;
    let plan = plan(words, counters)?;
    let tasks: &[fn(&Plan)] = &[opener, opener, urgent_opener, threads, vforks, vforks, failed_execs];
    let mut children = Vec::new();
    for task in tasks {
        children.push(child(&plan, task)?);
    }
    for _ in 0..plan.forkers {
        children.push(child(&plan, &forks)?);
    }
    for _ in 0..plan.executors {
        children.push(child(&plan, &executor)?);
    }
    for storm in &plan.storms {
        children.push(child(&plan, &|plan| renames(plan, storm))?);
    }
    for folder in &plan.restless {
        children.push(child(&plan, &|plan| restless(plan, folder))?);
    }
    for folder in &plan.deep {
        children.push(child(&plan, &|plan| deep_opener(plan, folder))?);
        children.push(child(&plan, &|plan| deep_opener(plan, folder))?);
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
        restless: Vec::new(),
        deep: Vec::new(),
        user: None,
        broken: Vec::new(),
        forkers: 1,
        executors: 0,
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
            "--executors" => plan.executors = value.parse().map_err(|_| "`--executors` takes a number")?,
            "--least" => plan.least.push(least(value, counters)?),
            "--allowed" => plan.allowed.push(value.into()),
            "--denied" => plan.denied.push(value.into()),
            "--program" => plan.programs.push(program(value)?),
            "--storm" => plan.storms.push(value.into()),
            "--restless" => plan.restless.push(value.into()),
            "--deep" => plan.deep.push(value.into()),
            "--user" => plan.user = Some(value.parse().map_err(|_| "`--user` takes a number")?),
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

    /// Starts every program once and counts what it says.
    fn execute(&self) {
        for program in &self.programs {
            self.counters.execs.fetch_add(1, Relaxed);
            self.counters.vforks.fetch_add(1, Relaxed);
            let counter = match sys::vfork_exec(program) {
                Ok(Some(RIGHT)) => &self.counters.opens,
                Ok(Some(REFUSED)) => &self.counters.wrong,
                Ok(Some(OPENED)) => &self.counters.leaked,
                Err(error) if error.raw_os_error() == Some(libc::EPERM) => &self.counters.wrong,
                _ => &self.counters.other,
            };
            counter.fetch_add(1, Relaxed);
            self.counters.programs.fetch_add(1, Relaxed);
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
        plan.execute();
        plan.round();
    }
}

fn executor(plan: &Plan) {
    while plan.going() {
        plan.execute();
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

/// Opens files that are as far below a folder as names go: one that is allowed and one that is not.
fn deep_opener(plan: &Plan, folder: &Path) {
    if storm::enter_deep(folder).is_err() {
        plan.counters.lost.fetch_add(1, Relaxed);
        return;
    }
    while plan.going() {
        for (name, allowed) in [(storm::DEEP_FILE, true), (storm::DEEP_KEY, false)] {
            plan.count(sys::open(Path::new(name), libc::O_RDONLY, 0).map(drop), allowed);
        }
    }
}

/// Renames that have nothing to do with what others open.
fn restless(plan: &Plan, folder: &Path) {
    become_renamer(plan);
    let renamed = |count| {
        plan.counters.renames.fetch_add(count, Relaxed);
    };
    if storm::restless(folder, &|| plan.going(), &renamed).is_err() {
        plan.counters.lost.fetch_add(1, Relaxed);
    }
}

fn become_renamer(plan: &Plan) {
    if plan.user.is_some_and(|user| privileges::become_user(user).is_err()) {
        plan.counters.lost.fetch_add(1, Relaxed);
    }
}

/// Moves `folder/a` to `folder/b` and back, and `s` in it to `t` and back, so
/// that paths are torn while they are walked. `folder/a/s` must be there.
fn renames(plan: &Plan, folder: &Path) {
    let names = ["a", "b"].map(|name| folder.join(name));
    let [a, b] = &names;
    let inner = |outer: &Path| (outer.join("s"), outer.join("t"));
    become_renamer(plan);
    while plan.going() {
        for (from, to) in [(a, b), (b, a)] {
            let moved = sys::rename(from, to, 0);
            plan.counters.renames.fetch_add(u64::from(moved.is_ok()), Relaxed);
            let (s, t) = inner(to);
            let _ = sys::rename(&s, &t, 0).and_then(|()| sys::rename(&t, &s, 0));
        }
    }
}
