//! `ebsec-load`: takes a compiled policy into the kernel, proves it, and tells about it. Command line in, exit status
//! out. Never compiles, never fetches; attaches nothing that was not checked from the same bytes.

mod args;
mod error;
mod events;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod fixture;
mod load;
mod loaded;
mod names;
mod object;
mod operations;
mod pins;
mod policy;
mod report;
mod rules;
mod stage;
mod status;
mod sys;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
mod text;
mod trim;
mod unload;
mod verify;

use args::Command;
use error::Result;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use sys::real::Real;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    match args::parse(&args).and_then(run) {
        Ok((text, code)) => {
            say(&mut std::io::stdout(), &text);
            code
        }
        Err(error) => {
            say(&mut std::io::stderr(), &format!("{error}\n"));
            ExitCode::from(error.status())
        }
    }
}

/// A closed output is no reason to fail: what was asked for is done.
fn say(out: &mut impl Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Does what was asked; what to print, and the exit status.
fn run(command: Command) -> Result<(String, ExitCode)> {
    let mut kernel = Real::new();
    let done = |text: String| Ok((text, ExitCode::SUCCESS));
    match command {
        Command::Help => done(format!("{}\n", args::HELP)),
        Command::Version => done(format!("ebsec-load {}\n", env!("CARGO_PKG_VERSION"))),
        Command::Nothing => done(String::new()),
        Command::Load { file, ring_size } => done(load(&mut kernel, &file, ring_size)?),
        Command::Check { file, json } => check(&mut kernel, &file, json),
        Command::Status { json } => {
            let status = status::status(&mut kernel)?;
            done(if json { format!("{}\n", status.json()) } else { status.text() })
        }
        Command::Events { follow, json, max } => {
            events::events(&mut kernel, events::Options { follow, json, max }, &mut std::io::stdout().lock())?;
            done(String::new())
        }
        Command::Rules { json } => done(rules::rules(&mut kernel, json)?),
        Command::Unload => done(format!("unloaded: {}\n", unload::unload(&mut kernel)?)),
    }
}

fn load(kernel: &mut Real, file: &Path, ring_size: Option<u32>) -> Result<String> {
    let bytes = policy::read(kernel, file)?;
    let artifact = policy::check(&bytes)?;
    let mounts = names::mounts(kernel);
    let loaded = load::load(kernel, &artifact, ring_size)?;
    // The policy is on: what is said of its names comes after, and is no reason to fail.
    let names = names::look(kernel, &artifact.manifest, mounts);
    for line in names.log(&artifact.manifest.package) {
        // The policy may forbid it; the same is printed.
        let _ = sys::Kernel::log(kernel, &line);
    }
    Ok(loaded.text(&artifact.manifest) + &names.text())
}

fn check(kernel: &mut Real, file: &Path, json: bool) -> Result<(String, ExitCode)> {
    let bytes = policy::read(kernel, file)?;
    let artifact = policy::check(&bytes)?;
    let report = verify::check(kernel, &artifact, &mut |line| {
        // A kernel may take long over a large program.
        if !json {
            say(&mut std::io::stderr(), &format!("{line}\n"));
        }
    })?;
    let text = if json { format!("{}\n", report.json()) } else { report.text() };
    Ok((text, ExitCode::from(u8::from(!report.accepted()))))
}
