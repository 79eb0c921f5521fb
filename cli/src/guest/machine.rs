//! Takes a guest's description, boots it in QEMU, gives what it said. Starts no
//! process but QEMU and busybox, and ends only the QEMU it started.

use super::initramfs::{self, Contents};
use super::{Failure, hung, kernels};
use crate::output;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where a guest's file comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A file of this machine.
    Host(PathBuf),
}

/// One file put into the guest before it boots.
#[derive(Debug, Clone)]
pub struct GuestFile {
    /// Absolute path in the guest; folders on the way are made.
    pub path: String,
    /// The contents.
    pub source: Source,
    /// Permission bits.
    pub mode: u32,
}

impl GuestFile {
    /// A plain file (mode 644) of these bytes.
    pub fn bytes(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        GuestFile { path: path.into(), source: Source::Bytes(bytes.into()), mode: 0o644 }
    }

    /// A copy (mode 755) of a file of this machine.
    pub fn host(path: impl Into<String>, host: impl Into<PathBuf>) -> Self {
        GuestFile { path: path.into(), source: Source::Host(host.into()), mode: 0o755 }
    }
}

/// One guest: what boots, what it holds and what it does.
#[derive(Debug, Clone)]
pub struct GuestSpec {
    /// A bootable kernel image.
    pub kernel: PathBuf,
    /// Files to put in.
    pub files: Vec<GuestFile>,
    /// A shell script, run as root by busybox in `/root`.
    pub script: String,
    /// Modules to load before the script, in order; files of theirs are among `files`.
    pub modules: Vec<String>,
    /// An ext4 image to be the guest's root, whose own init is started. It has a service that runs [`initramfs::RUN`] and then
    /// powers off. What is written to it is thrown away.
    pub root: Option<PathBuf>,
    /// Files that get what the guest writes to its third serial line and to further ones.
    pub serials: Vec<PathBuf>,
    /// Guest paths to bring back after the script.
    pub collect: Vec<String>,
    /// More kernel parameters; the last of a kind wins.
    pub append: String,
    /// One guest nanosecond is one guest instruction. Time then says nothing
    /// of this machine, and costs repeat exactly.
    pub icount: bool,
    /// The kernel preempts itself anywhere it can.
    pub preempt_full: bool,
    /// How many processors; more than one run at once.
    pub processors: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// After this long on this machine the guest is ended.
    pub timeout: Duration,
    /// Copy the console to standard error while it runs.
    pub show_console: bool,
}

impl GuestSpec {
    /// A guest of 1 GiB and two minutes, with nothing but busybox.
    pub fn new(kernel: impl Into<PathBuf>, script: impl Into<String>) -> Self {
        GuestSpec {
            kernel: kernel.into(),
            files: Vec::new(),
            script: script.into(),
            modules: Vec::new(),
            root: None,
            serials: Vec::new(),
            collect: Vec::new(),
            append: String::new(),
            icount: false,
            preempt_full: false,
            processors: 1,
            memory_mib: 1024,
            timeout: Duration::from_secs(120),
            show_console: false,
        }
    }
}

/// How a guest came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The script ended with this status and the guest powered off.
    Exited(i32),
    /// The kernel panicked.
    Panicked,
    /// It ran too long and was ended.
    TimedOut,
    /// QEMU ended before the script reported anything.
    Lost,
}

/// What came out of a guest.
#[derive(Debug, Clone)]
pub struct GuestResult {
    /// How it ended; only `Exited` means that the script ran to its end.
    pub ending: Ending,
    /// What the script printed, on both of its streams.
    pub output: String,
    /// What the kernel printed.
    pub console: String,
    /// The files asked for that were there, as (guest path, contents).
    pub files: Vec<(String, Vec<u8>)>,
    /// From power-on to power-off, on this machine.
    pub seconds: f64,
}

impl GuestResult {
    /// The script's exit status, if it came to its end.
    pub fn exit_status(&self) -> Option<i32> {
        match self.ending {
            Ending::Exited(status) => Some(status),
            _ => None,
        }
    }

    /// The contents of a file that was brought back.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        let found = self.files.iter().find(|(name, _)| name == path)?;
        Some(&found.1)
    }
}

/// Boots the guest and waits for its end.
pub fn run(spec: &GuestSpec) -> Result<GuestResult, Failure> {
    let busybox = find_busybox()?;
    let folder = tempfile::tempdir().map_err(|e| Failure::new(format!("cannot make a folder: {e}")))?;
    let initrd = folder.path().join("initrd");
    let results = folder.path().join("results");
    // No text a script prints by chance starts a line with this.
    let mark = format!("ebsec-{}", unique_word());
    let archive = initramfs::build(&Contents {
        busybox: &initramfs::read(&busybox)?,
        applets: &applets(&busybox)?,
        files: &spec.files,
        script: &spec.script,
        modules: &spec.modules,
        root: spec.root.is_some(),
        collect: &spec.collect,
        mark: &mark,
    })?;
    std::fs::write(&initrd, archive).map_err(|e| Failure::io("write", &initrd, &e))?;

    // Under emulation a kernel now and then trips over its own text while it patches that at boot. A root of its own loads what
    // it has before the script begins, so there a panic may have another cause.
    let mut boots = if spec.root.is_some() { 1 } else { 3 };
    loop {
        boots -= 1;
        let (result, began) = boot(spec, &initrd, &results, &mark)?;
        if boots == 0 || began || result.ending != Ending::Panicked {
            return Ok(result);
        }
        output::tell("note: the kernel panicked before the script began; it is booted again\n");
    }
}

/// One boot, to its end; whether the script began.
fn boot(spec: &GuestSpec, initrd: &Path, results: &Path, mark: &str) -> Result<(GuestResult, bool), Failure> {
    let started = Instant::now();
    let mut child = start(spec, initrd, results)?;
    let console = child.stdout.take().map(|out| follow(out, spec.show_console));
    let timed_out = !wait(&mut child, started, spec.timeout)?;
    let seconds = started.elapsed().as_secs_f64();
    let console = console.and_then(|c| c.join().ok()).unwrap_or_default();
    let console = String::from_utf8_lossy(&console).replace('\r', "");
    let mut raw = std::fs::read(results).unwrap_or_default();
    let begin = format!("{mark} begin\n");
    let began = find(&raw, begin.as_bytes());
    if let Some(at) = began {
        raw.drain(at..at + begin.len());
    }
    let (output, status, files) = parse_results(&raw, mark);
    let ending = match status {
        Some(status) => Ending::Exited(status),
        None if console.contains("Kernel panic") => Ending::Panicked,
        None if timed_out => Ending::TimedOut,
        None => Ending::Lost,
    };
    Ok((GuestResult { ending, output, console, files, seconds }, began.is_some()))
}

fn start(spec: &GuestSpec, initrd: &Path, results: &Path) -> Result<Child, Failure> {
    if !spec.kernel.is_file() {
        let message = format!("there is no kernel at `{}`", spec.kernel.display());
        return Err(Failure::new(message).help("fetch it with `ebsec kernels --fetch`"));
    }
    if let Some(root) = spec.root.as_ref().filter(|root| !root.is_file()) {
        return Err(Failure::new(format!("there is no image at `{}`", root.display())));
    }
    let mut command = qemu();
    // A richer processor has crashed guest kernels under threaded emulation while programs were attached; this one has not.
    // Processors that share one thread never run at the same instant, however many there are.
    let threads = if spec.processors > 1 { "multi" } else { "single" };
    command.args(["-accel", &format!("tcg,thread={threads}"), "-cpu", "qemu64"]);
    command.args(["-nodefaults", "-no-user-config", "-display", "none"]);
    command.args(["-no-reboot", "-smp", &spec.processors.to_string(), "-monitor", "none"]);
    command.args(["-m", &spec.memory_mib.to_string()]);
    command.args(hung::CONSOLE);
    for serial in std::iter::once(results).chain(spec.serials.iter().map(PathBuf::as_path)) {
        command.arg("-serial").arg(format!("file:{}", serial.display()));
    }
    if let Some(root) = &spec.root {
        // A comma ends an option's value, and two stand for one.
        let image = root.display().to_string().replace(',', ",,");
        command.arg("-drive").arg(format!("file={image},format=raw,if=virtio,snapshot=on,cache=unsafe"));
    }
    if spec.icount {
        command.args(["-icount", "shift=0,sleep=off"]);
    }
    command.arg("-kernel").arg(&spec.kernel);
    command.arg("-initrd").arg(initrd);
    command.args(["-append", &parameters(spec)]);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped());
    command.stderr(Stdio::inherit());
    command.spawn().map_err(|error| {
        Failure::new(format!("cannot start `qemu-system-x86_64`: {error}"))
            .help("install it with `make setup` or `apt-get install qemu-system-x86`")
    })
}

/// QEMU, ended by the kernel should this program die first. `setpriv` replaces
/// itself by QEMU, so the child's id is QEMU's.
fn qemu() -> Command {
    const QEMU: &str = "qemu-system-x86_64";
    if find_in_path("setpriv").is_some() && find_in_path(QEMU).is_some() {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", QEMU]);
        return command;
    }
    Command::new(QEMU)
}

fn parameters(spec: &GuestSpec) -> String {
    let mut text = String::from("console=ttyS0 quiet panic=-1 lsm=lockdown,capability,landlock,bpf mitigations=off");
    // On a busy machine the emulated timer can be late for the test that kernels make of it while booting, and they panic.
    text.push_str(" no_timer_check");
    text.push_str(hung::PARAMETER);
    if spec.modules.is_empty() && spec.root.is_none() {
        // Learning the keys of modules takes a fifth of a boot.
        text.push_str(" initcall_blacklist=load_system_certificate_list");
    }
    if spec.preempt_full {
        text.push_str(" preempt=full");
    }
    if !spec.append.is_empty() {
        text.push(' ');
        text.push_str(&spec.append);
    }
    text
}

/// Reads the console in a thread of its own, so that a full pipe cannot stop
/// the guest.
fn follow(mut console: ChildStdout, show: bool) -> JoinHandle<Vec<u8>> {
    /// A guest that floods its console must not fill this machine's memory.
    const KEPT: usize = 16 << 20;
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = console.read(&mut piece) {
            let piece = piece.get(..count).unwrap_or_default();
            if show {
                // Showing is a courtesy: a closed stream is no failure.
                let _ = std::io::stderr().write_all(piece);
            }
            if kept.len() < KEPT {
                kept.extend_from_slice(piece);
            }
        }
        kept
    })
}

/// Whether the child ended by itself in time; otherwise it is asked what it is doing and ended here.
fn wait(child: &mut Child, started: Instant, timeout: Duration) -> Result<bool, Failure> {
    let failed = |e: std::io::Error| Failure::new(format!("lost the guest: {e}"));
    loop {
        if child.try_wait().map_err(failed)?.is_some() {
            return Ok(true);
        }
        if started.elapsed() >= timeout {
            if let Some(keyboard) = child.stdin.as_mut() {
                hung::ask(keyboard);
            }
            child.kill().map_err(failed)?;
            child.wait().map_err(failed)?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(25));
    }
}

type Parsed = (String, Option<i32>, Vec<(String, Vec<u8>)>);

/// Splits the result channel into output, status and files. Cut-off input gives
/// what arrived.
fn parse_results(raw: &[u8], mark: &str) -> Parsed {
    let first = format!("\n{mark} exit ");
    let Some(at) = find(raw, first.as_bytes()) else {
        return (String::from_utf8_lossy(raw).into_owned(), None, Vec::new());
    };
    let output = String::from_utf8_lossy(raw.get(..at).unwrap_or_default()).into_owned();
    let mut rest = raw.get(at + 1..).unwrap_or_default();
    let mut status = None;
    let mut files = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
        let mut words = line.splitn(4, ' ').skip(1);
        match (words.next(), words.next(), words.next()) {
            (Some("exit"), Some(number), _) => status = number.parse().ok(),
            (Some("file"), Some(size), Some(path)) => {
                let Some(bytes) = size.parse().ok().and_then(|size| rest.get(..size)) else {
                    break;
                };
                files.push((path.to_owned(), bytes.to_vec()));
                rest = rest.get(bytes.len()..).unwrap_or_default();
            }
            _ => break,
        }
    }
    (output, status, files)
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

/// A word that no two guests share.
fn unique_word() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos());
    format!("{:x}-{now:x}", std::process::id())
}

/// A busybox that needs no libraries: `EBSEC_BUSYBOX`, or the one in the path.
pub(super) fn find_busybox() -> Result<PathBuf, Failure> {
    let named = std::env::var_os("EBSEC_BUSYBOX").map(PathBuf::from);
    let help = "install it with `make setup` or `apt-get install busybox-static`";
    let path = named.or_else(|| find_in_path("busybox")).ok_or_else(|| Failure::new("there is no `busybox` here").help(help))?;
    if needs_an_interpreter(&initramfs::read(&path)?) {
        let message = format!("`{}` is not a static binary", path.display());
        return Err(Failure::new(message).help(help));
    }
    Ok(path)
}

/// Whether a 64-bit ELF file has a PT_INTERP segment.
fn needs_an_interpreter(elf: &[u8]) -> bool {
    let number = |at: usize, size: usize| -> Option<usize> {
        let bytes = elf.get(at..at.checked_add(size)?)?;
        let value = bytes.iter().rev().fold(0u64, |sum, b| sum << 8 | u64::from(*b));
        usize::try_from(value).ok()
    };
    let segment = |index: usize| -> Option<usize> {
        let start = number(32, 8)?.checked_add(index.checked_mul(number(54, 2)?)?)?;
        number(start, 4)
    };
    (0..number(56, 2).unwrap_or(0)).any(|index| segment(index) == Some(3))
}

/// The names busybox answers to.
fn applets(busybox: &Path) -> Result<Vec<String>, Failure> {
    let listed = Command::new(busybox).arg("--list").output().map_err(|e| Failure::io("run", busybox, &e))?;
    let text = String::from_utf8_lossy(&listed.stdout);
    let names = text.lines().filter(|name| *name != "busybox");
    Ok(names.map(str::to_owned).collect())
}

/// The file that a command's name stands for.
pub(super) fn find_in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Boots a kernel once to read the types it carries, in BTF.
pub fn read_btf(kernel: &Path) -> Result<Vec<u8>, Failure> {
    const BTF: &str = "/sys/kernel/btf/vmlinux";
    let mut spec = GuestSpec::new(kernel, "true");
    spec.collect = vec![BTF.into()];
    let result = run(&spec)?;
    match result.file(BTF) {
        Some(bytes) if !bytes.is_empty() => Ok(bytes.to_vec()),
        _ => Err(Failure::new(format!("`{}` booted but gave no types: {:?}", kernel.display(), result.ending))),
    }
}

/// The kernel of a series, from the cache alone.
pub fn cached_kernel(series: &str) -> Result<PathBuf, Failure> {
    kernels::Cache::open()?.kernel(series).map(|k| k.image())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const RAW: &[u8] = b"hello\nm exit 9\n\nm exit 3\nm file 4 /a b\n\n\0\xffxm file 0 /c\nm end\n";

    #[test]
    fn results_give_output_status_and_files() {
        let (output, status, files) = parse_results(RAW, "m");
        assert_eq!((output.as_str(), status), ("hello", Some(9)));
        assert!(files.is_empty());
        let (output, status, files) = parse_results(RAW.get(15..).unwrap(), "m");
        assert_eq!((output.as_str(), status), ("", Some(3)));
        assert_eq!(files, [("/a b".to_owned(), b"\n\0\xffx".to_vec()), ("/c".to_owned(), vec![])]);
    }

    #[test]
    fn cut_off_results_give_what_arrived() {
        let raw = RAW.get(15..).unwrap();
        for cut in 0..raw.len() {
            let (_, _, files) = parse_results(raw.get(..cut).unwrap(), "m");
            assert!(files.iter().all(|(path, bytes)| path == "/c" || bytes.len() == 4));
        }
        assert_eq!(parse_results(b"only this", "m").0, "only this");
    }

    #[test]
    fn a_dynamic_program_is_told_from_a_static_one() {
        let mut elf = vec![0u8; 64 + 56];
        elf.splice(32..40, 64u64.to_le_bytes());
        elf.splice(54..58, [56, 0, 1, 0]);
        assert!(!needs_an_interpreter(&elf));
        elf.splice(64..68, [3, 0, 0, 0]);
        assert!(needs_an_interpreter(&elf));
        for cut in 0..elf.len() {
            let _ = needs_an_interpreter(elf.get(..cut).unwrap());
        }
    }
}
