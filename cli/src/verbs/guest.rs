//! `ebsec guest`: takes a kernel, files and a script, prints what the script
//! printed in a guest and ends with its status. For developers and tests.

use crate::guest::kernels::Cache;
use crate::guest::{Ending, Failure, GuestFile, GuestResult, GuestSpec, hung, machine};
use crate::output;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Arguments {
    /// A series in the cache, such as 6.12, or a kernel image.
    #[arg(long, default_value = "6.12")]
    kernel: String,
    /// Put a file of this machine into the guest, mode 755.
    #[arg(long = "file", value_name = "HOST:GUEST")]
    files: Vec<String>,
    /// Load a module of the kernel's package, and what it needs, before the script.
    #[arg(long = "module", value_name = "NAME")]
    modules: Vec<String>,
    /// Boot the system of this ext4 image, which has a service that runs `/ebsec/run` (the script) and powers off.
    /// What the guest writes to the image is thrown away.
    #[arg(long, value_name = "IMAGE")]
    root: Option<PathBuf>,
    /// Keep what the guest writes to its third serial line, `/dev/ttyS2`; given again, to the fourth.
    #[arg(long = "serial", value_name = "FILE")]
    serials: Vec<PathBuf>,
    /// Bring a file of the guest back into this folder.
    #[arg(long, value_name = "GUEST")]
    collect: Vec<String>,
    /// Where files that come back go.
    #[arg(long, default_value = ".")]
    into: PathBuf,
    /// Boot with `preempt=full`.
    #[arg(long)]
    preempt_full: bool,
    /// Processors; more than one run at once, each in a thread of this machine.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    smp: u32,
    /// Count instructions instead of time; one processor only.
    #[arg(long, conflicts_with = "smp")]
    icount: bool,
    /// More kernel parameters.
    #[arg(long, default_value = "")]
    append: String,
    /// Memory in MiB.
    #[arg(long, default_value_t = 1024)]
    memory: u32,
    /// Seconds until the guest is ended.
    #[arg(long, default_value_t = 120)]
    timeout: u64,
    /// Show the kernel's console on standard error.
    #[arg(long)]
    console: bool,
    /// The shell script, or `-` to read it from standard input.
    #[arg(last = true, required = true)]
    script: Vec<String>,
}

/// Ends with the script's status; 124 after a timeout, 125 after a panic.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    finish(&boot(arguments)?, arguments.timeout)
}

fn boot(arguments: &Arguments) -> Result<GuestResult, Failure> {
    let given = Path::new(&arguments.kernel);
    let kernel = match given.is_file() {
        true => given.to_path_buf(),
        false => machine::cached_kernel(&arguments.kernel)?,
    };
    let mut script = arguments.script.join(" ");
    if script == "-" {
        script = std::io::read_to_string(std::io::stdin()).map_err(|e| Failure::new(format!("cannot read the script: {e}")))?;
    }
    let mut spec = GuestSpec::new(kernel, script);
    spec.files = arguments.files.iter().map(|file| guest_file(file)).collect::<Result<_, _>>()?;
    load_modules(&mut spec, arguments)?;
    spec.root = arguments.root.clone();
    spec.serials = arguments.serials.clone();
    spec.collect = arguments.collect.clone();
    spec.preempt_full = arguments.preempt_full;
    spec.processors = arguments.smp;
    spec.icount = arguments.icount;
    spec.append = arguments.append.clone();
    spec.memory_mib = arguments.memory;
    spec.timeout = Duration::from_secs(arguments.timeout);
    spec.show_console = arguments.console;
    let result = machine::run(&spec)?;
    for (path, bytes) in &result.files {
        let name = Path::new(path).file_name().unwrap_or_default();
        let place = arguments.into.join(name);
        std::fs::write(&place, bytes).map_err(|e| Failure::io("write", &place, &e))?;
    }
    Ok(result)
}

/// Puts the modules that were asked for into the guest. Only a kernel of the cache comes with modules.
fn load_modules(spec: &mut GuestSpec, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.modules.is_empty() {
        return Ok(());
    }
    let modules = Cache::open()?.kernel(&arguments.kernel)?.modules()?;
    let chosen = modules.choose(&arguments.modules)?;
    for name in &chosen.built_in {
        output::tell(&format!("note: `{name}` is built into kernel {}\n", arguments.kernel));
    }
    spec.files.extend(chosen.load.iter().map(|name| modules.file(name)));
    spec.modules = chosen.load;
    Ok(())
}

fn guest_file(text: &str) -> Result<GuestFile, Failure> {
    let (host, guest) = text
        .split_once(':')
        .ok_or_else(|| Failure::new(format!("`{text}` does not say where the file goes")).help("write `--file HOST:GUEST`"))?;
    Ok(GuestFile::host(guest, host))
}

fn finish(result: &GuestResult, timeout: u64) -> Result<ExitCode, Failure> {
    let end = if result.output.chars().last().is_some_and(|last| last != '\n') { "\n" } else { "" };
    output::print_raw(&format!("{}{end}", result.output))?;
    let status = match result.ending {
        Ending::Exited(status) => return Ok(ExitCode::from(u8::try_from(status).unwrap_or(255))),
        Ending::TimedOut => 124,
        Ending::Panicked | Ending::Lost => 125,
    };
    let why = match result.ending {
        Ending::TimedOut => format!("it was ended after {timeout} s (`--timeout`)"),
        Ending::Panicked => "its kernel panicked".to_owned(),
        _ => "QEMU ended before".to_owned(),
    };
    output::tell_raw(&format!("{}error: the guest did not reach the end of the script: {why}\n", hung::processes(&result.console)));
    Ok(ExitCode::from(status))
}
