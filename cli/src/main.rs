//! The `ebsec` command: takes the arguments, hands them to one verb, gives its
//! exit status. Holds nothing else; each verb has a file under `verbs/`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod diff;
#[allow(dead_code, reason = "verbs that need the rest are being added")]
mod guest;
mod history;
mod known;
mod output;
mod package;
mod replace;
mod report;
mod verbs;

use clap::{CommandFactory, Parser, Subcommand};
use ebsec_compiler::diag::text;
use guest::Failure;
use std::process::ExitCode;

/// A compile is many small allocations and a few growing tables: glibc's allocator takes a quarter longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Compiles security policies to eBPF and proves them on real kernels.
#[derive(Parser)]
#[command(name = "ebsec", version, about)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start a package: settings, a first policy with its test, CI files.
    Init(verbs::init::Arguments),
    /// Parse and type packages and run their unit tests.
    Check(verbs::check::Arguments),
    /// Write policy files in the one layout.
    Fmt(verbs::fmt::Arguments),
    /// Run the unit tests of packages.
    Test(verbs::test::Arguments),
    /// Compile a package to an artifact.
    Build(verbs::build::Arguments),
    /// Let real kernels, in guests, verify an artifact.
    Verify(verbs::verify::Arguments),
    /// Explain a finding, an event, a field, an operator or any other name.
    Explain(verbs::explain::Arguments),
    /// Show what an artifact is, does and was checked for.
    Inspect(verbs::inspect::Arguments),
    /// Measure what policies cost, against the bars and AppArmor.
    Bench(verbs::bench::Arguments),
    /// List or fetch the kernels that guests boot.
    Kernels(verbs::kernels::Arguments),
    /// Run a shell script inside a guest.
    Guest(verbs::guest::Arguments),
    /// Print the completions of a shell.
    Completions(verbs::completions::Arguments),
    /// Print the manual page, or write all of them.
    Man(verbs::man::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::try_parse() {
        Ok(arguments) => run(&arguments.verb),
        Err(answer) => usage(&answer),
    };
    done.unwrap_or_else(|failure| verbs::could_not(&failure))
}

fn run(verb: &Verb) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Init(arguments) => verbs::init::run(arguments),
        Verb::Check(arguments) => verbs::check::run(arguments),
        Verb::Fmt(arguments) => verbs::fmt::run(arguments),
        Verb::Test(arguments) => verbs::test::run(arguments),
        Verb::Build(arguments) => verbs::build::run(arguments),
        Verb::Verify(arguments) => verbs::verify::run(arguments),
        Verb::Explain(arguments) => verbs::explain::run(arguments),
        Verb::Inspect(arguments) => verbs::inspect::run(arguments),
        Verb::Bench(arguments) => Ok(verbs::bench::run(arguments)),
        Verb::Kernels(arguments) => verbs::kernels::run(arguments),
        Verb::Guest(arguments) => verbs::guest::run(arguments),
        Verb::Completions(arguments) => verbs::completions::run(arguments),
        Verb::Man(arguments) => verbs::man::run(arguments),
    }
}

/// The arguments as data, of which completions and manual pages are made.
fn command() -> clap::Command {
    Arguments::command()
}

/// Prints help, the version, or what is wrong with the arguments.
fn usage(answer: &clap::Error) -> Result<ExitCode, Failure> {
    if answer.use_stderr() {
        output::tell(&without_foreign(&answer.to_string()));
    } else {
        output::print(&output::wrapped(&answer.to_string(), output::width()))?;
    }
    Ok(ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2)))
}

/// A message about wrong arguments with the arguments themselves, which it quotes, kept in their lines.
fn without_foreign(message: &str) -> String {
    let quoted = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    quoted.filter(|argument| argument.contains('\n')).fold(message.to_owned(), |message, argument| {
        let parts = argument.split('=').filter(|part| part.contains('\n'));
        parts.fold(message.replace(&argument, &text::line(&argument)), |message, part| message.replace(part, &text::line(part)))
    })
}
