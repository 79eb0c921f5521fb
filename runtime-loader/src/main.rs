//! `ebsec-load`: takes a compiled policy into the kernel, proves it, and tells about it. Command line in, exit status
//! out. Never compiles, never fetches; attaches nothing that was not checked from the same bytes.

mod args;
mod btf;
mod error;
mod load;
mod object;
mod pins;
mod policy;
mod stage;
mod sys;

use args::Command;
use error::Result;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    match args::parse(&args).and_then(run) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.status())
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Help => println!("{}", args::HELP),
        Command::Version => println!("ebsec-load {}", env!("CARGO_PKG_VERSION")),
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}
