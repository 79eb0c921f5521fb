//! What compiling costs, from the start of the process to the file: ours and AppArmor's, in turn, in one run.

use super::{Bench, Row, rules};
use crate::guest::Failure;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// AppArmor's compiler and the list of what its kernel part can do.
pub struct AppArmor {
    parser: PathBuf,
    features: PathBuf,
}

impl AppArmor {
    /// `$EBSEC_APPARMOR` is where Debian's package was unpacked; `/` otherwise.
    pub fn find() -> Option<AppArmor> {
        let root = std::env::var_os("EBSEC_APPARMOR").map_or_else(|| PathBuf::from("/"), PathBuf::from);
        let parser = ["sbin/apparmor_parser", "usr/sbin/apparmor_parser"].map(|p| root.join(p)).into_iter().find(|p| p.is_file())?;
        let features = root.join("usr/share/apparmor-features/features");
        features.is_file().then_some(AppArmor { parser, features })
    }

    /// The command that compiles a profile and loads nothing; without jobs it does so in one process, whose time the kernel
    /// tells exactly.
    pub fn command(&self, profile: &Path, out: &Path) -> Command {
        let mut command = Command::new(&self.parser);
        command.args(["-Q", "-K", "--skip-kernel-load", "--jobs=0", "--config-file", "/dev/null", "--features-file"]).arg(&self.features);
        command.arg("-o").arg(out).arg(profile);
        command
    }
}

/// How often each is compiled; the best counts.
const REPEATS: usize = 5;

/// The time of each size, and of a hundred thousand rules against that of ten thousand.
pub fn measure(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let mut ours = Vec::new();
    for count in bench.sizes() {
        let (time, wall, apparmor) = size(bench, *count)?;
        ours.push((*count, time));
        let row = Row::new(format!("compile {count} file rules"), time, "ms").against(apparmor);
        // Half of AppArmor's in the same run, a third of it for ten thousand.
        let row = match (*count, apparmor) {
            (10, _) => row.at_most(15.0),
            (1_000, other) => row.at_most(other.map_or(35.0, |o| o / 2.0)),
            (10_000, other) => row.at_most(other.map_or(400.0, |o| o / 3.0)),
            _ => row,
        };
        rows.push(row);
        rows.push(Row::new(format!("compile {count} file rules, by the clock"), wall, "ms"));
        let artifact = std::fs::metadata(bench.path(&format!("{count}.bpf.o"))).map_or(0, |m| m.len());
        rows.push(Row::new(format!("artifact of {count} file rules, KiB"), (artifact / 1024) as f64, "KiB").at_most(16_384.0));
    }
    if !bench.quick {
        let folder = bench.path("100000");
        std::fs::create_dir_all(&folder).map_err(|e| Failure::io("make", &folder, &e))?;
        for (number, text) in rules::parts(100_000, 25_000).iter().enumerate() {
            bench.write(&format!("100000/{number}.ebsec"), text)?;
        }
        let (time, _) = timed(build_command(&folder, &bench.path("100000.bpf.o"))?)?;
        let bar = ours.iter().find(|(count, _)| *count == 10_000).map_or(f64::MAX, |(_, time)| 12.0 * time);
        rows.push(Row::new("compile 100000 file rules", time, "ms").at_most(bar));
    }
    Ok(rows)
}

/// Leaves the artifact as `COUNT.bpf.o` and the profile as `COUNT.aa`; gives our processor time, our time by the clock,
/// and AppArmor's processor time.
fn size(bench: &Bench, count: usize) -> Result<(f64, f64, Option<f64>), Failure> {
    let policy = bench.write(&format!("{count}.ebsec"), &rules::files(count))?;
    let profile = bench.write(&format!("{count}.profile"), &rules::profile(count))?;
    let mut best = (f64::MAX, f64::MAX, None);
    for _ in 0..REPEATS {
        let (cpu, wall) = timed(build_command(&policy, &bench.path(&format!("{count}.bpf.o")))?)?;
        best = (best.0.min(cpu), best.1.min(wall), best.2);
        if let Some(apparmor) = &bench.apparmor {
            let (cpu, _) = timed(apparmor.command(&profile, &bench.path(&format!("{count}.aa"))))?;
            best.2 = Some(best.2.map_or(cpu, |other: f64| other.min(cpu)));
        }
    }
    Ok(best)
}

/// `ebsec build` by this very program.
pub fn build_command(policy: &Path, out: &Path) -> Result<Command, Failure> {
    let own = std::env::current_exe().map_err(|e| Failure::new(format!("cannot find the path of this program: {e}")))?;
    let mut command = Command::new(own);
    command.arg("build").arg(policy).arg("-o").arg(out);
    command.stdin(Stdio::null());
    Ok(command)
}

/// Milliseconds of the processor and of the clock that a command takes. The processor's are what counts on a machine that
/// does something else too; the kernel tells them, to the nanosecond, while the process is over and not yet reaped.
pub fn timed(mut command: Command) -> Result<(f64, f64), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |what: &str| Failure::new(format!("`{name}` {what}"));
    let start = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| failed(&format!("cannot be started: {e}")))?;
    let mut text = String::new();
    let out = child.stdout.take().map(|mut out| out.read_to_string(&mut text));
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    let mut fields = Vec::new();
    while fields.first().is_none_or(|state| state != "Z") {
        std::thread::yield_now();
        let stat = std::fs::read_to_string(proc.join("stat")).map_err(|e| failed(&format!("was lost: {e}")))?;
        fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').map(str::to_owned).collect();
    }
    let wall = start.elapsed().as_secs_f64() * 1e3;
    let own = std::fs::read_to_string(proc.join("schedstat")).ok();
    let own = own.and_then(|s| s.split(' ').next()?.parse::<f64>().ok()).map_or(wall, |ns| ns / 1e6);
    // Of the processes that it started itself only hundredths of a second are told.
    let children = fields.iter().skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0;
    let spent = own + children;
    let status = child.wait().map_err(|e| failed(&format!("was lost: {e}")))?;
    match (status.success(), out) {
        (true, Some(Ok(_))) => Ok((spent, wall)),
        _ => Err(failed(&format!("failed:\n{text}"))),
    }
}

/// Builds an artifact that is not timed.
pub fn build(policy: &Path, out: &Path) -> Result<(), Failure> {
    timed(build_command(policy, out)?).map(drop)
}
