//! Programs that tests run inside guests: attacks on files and sockets, stress
//! for races, and loops to be measured. Takes its orders as arguments, prints
//! one result a line. Never part of what is shipped.

mod again;
mod aliases;
mod attack;
mod bench;
mod costs;
mod empty;
mod errno;
mod exec;
mod files;
mod inside;
mod mounts;
mod net;
mod operation;
mod passing;
mod paths;
mod privileges;
mod races;
mod routes;
mod storm;
mod stress;
mod sys;
mod unix;
mod uring;

use std::process::ExitCode;

const USAGE: &str = "\
usage: guest-tools prepare FOLDER
       guest-tools attack [--peer4 IP] [--peer6 IP] [--port N] FOLDER NAME|KIND|all…
       guest-tools list
       guest-tools do OPERATION WORDS…
       guest-tools attempt PATH
       guest-tools inside STEP[,STEP…] OPERATION WORDS…
       guest-tools again clone|read-only|unmounted|overlay|memory WORDS…
       guest-tools unix serve|reach FOLDER OTHER | hold FOLDER
       guest-tools aliases FOLDER COMMAND WORDS…
       guest-tools passing FILE FOLDER
       guest-tools deep FOLDER
       guest-tools paths FOLDER… | alone | long FOLDER… | cold MOUNT PATH… | make FOLDER… | make-long FOLDER…
       guest-tools races unmounted FROM TO NAME… | service FOLDER PATH… | attached PROGRAM WORD… | stalled SECONDS
       guest-tools routed ROUTE PROGRAM WORDS…
       guest-tools stress [--seconds N] [--forkers N] [--executors N] [--allowed PATH]… [--denied PATH]… [--storm FOLDER]… [--broken PATH]…
                          [--user ID] [--restless FOLDER]… [--deep FOLDER]… [--program COPY:allowed|denied:PATH]…
       guest-tools expect allowed|denied PATH
       guest-tools bench [--settle SECONDS] [--deep FOLDER] OPERATION PATH…
       guest-tools empty HOOK[,HOOK…] PROGRAM WORD…
       guest-tools costs PROGRAM WORD…
       guest-tools crowd NUMBER PROGRAM WORD…";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rest = words.get(1..).unwrap_or_default();
    let done = match words.first().map(String::as_str) {
        Some("prepare") => attack::prepare(rest),
        Some("attack") => attack::attack(rest),
        Some("list") => attack::list(),
        Some("do") => operation::operation(rest),
        Some("inside") => inside::inside(rest),
        Some("again") => again::again(rest),
        Some("unix") => unix::unix(rest),
        Some("paths") => paths::paths(rest),
        Some("passing") => passing::passing(rest),
        Some("aliases") => aliases::aliases(rest),
        Some("deep") => storm::make_deep(rest),
        Some("races") => races::races(rest),
        Some("routed") => operation::routed(rest),
        Some("stress") => stress::stress(rest),
        Some("alias") => match aliases::one(rest) {
            Ok(status) => return ExitCode::from(u8::try_from(status).unwrap_or(255)),
            Err(message) => Err(message),
        },
        Some("attempt") => return ExitCode::from(operation::attempt(rest)),
        Some("expect") => match stress::expect(rest) {
            Ok(status) => return ExitCode::from(u8::try_from(status).unwrap_or(255)),
            Err(message) => Err(message),
        },
        Some("bench") => bench::bench(rest),
        Some("crowd") => costs::crowd(rest),
        Some("costs") => costs::costs(rest),
        Some("empty") => empty::empty(rest),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
