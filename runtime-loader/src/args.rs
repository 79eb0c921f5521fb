//! Command line in, [`Command`] out. Does nothing else; a mistake is a usage error.

use crate::error::{Error, Result};
use std::path::PathBuf;

/// What `help` prints.
pub const HELP: &str = "\
ebsec-load: loads a compiled policy into the kernel and keeps watch over it

usage: ebsec-load COMMAND [OPTIONS]

  load FILE [--ring-size BYTES]   check, attach, prove and switch on a policy
  check FILE [--json]             let this kernel verify every program; attach nothing
  status [--json]                 what is loaded, read back from the kernel
  events [--follow] [--json] [--max N]
                                  what the policy refused or reported; each event is given once
  rules [--json]                  how often each rule matched
  unload                          detach the policy
  help, version

exit status: 0 done, 1 refused, 2 wrong use";

/// One command with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `load`
    Load {
        /// The artifact.
        file: PathBuf,
        /// Bytes of the event ring; the artifact's own size if absent.
        ring_size: Option<u32>,
    },
    /// `check`
    Check {
        /// The artifact.
        file: PathBuf,
        /// Machine-readable output.
        json: bool,
    },
    /// `status`
    Status {
        /// Machine-readable output.
        json: bool,
    },
    /// `events`
    Events {
        /// Wait for more.
        follow: bool,
        /// JSON lines instead of text.
        json: bool,
        /// Stop after so many events.
        max: Option<u64>,
    },
    /// `rules`
    Rules {
        /// Machine-readable output.
        json: bool,
    },
    /// `unload`
    Unload,
    /// `help`
    Help,
    /// `version`
    Version,
    /// The program that the canary tries to execute; does nothing.
    Nothing,
}

/// The hidden command that the canary's attempt to execute something names.
pub const NOTHING: &str = "canary-nothing";

/// Options and operands of one command, before the command looks at them.
struct Words<'a> {
    command: &'a str,
    file: Option<&'a str>,
    follow: bool,
    json: bool,
    max: Option<u64>,
    ring_size: Option<u32>,
}

/// Reads the arguments after the program's name.
pub fn parse<S: AsRef<str>>(args: &[S]) -> Result<Command> {
    let mut args = args.iter().map(AsRef::as_ref);
    let Some(command) = args.next() else {
        return Err(Error::usage("a command is missing"));
    };
    let rest: Vec<&str> = args.collect();
    if rest.iter().any(|a| *a == "--help" || *a == "-h") {
        return Ok(Command::Help);
    }
    let allowed: &[&str] = match command {
        "load" => &["FILE", "--ring-size"],
        "check" => &["FILE", "--json"],
        "status" | "rules" => &["--json"],
        "events" => &["--follow", "--json", "--max"],
        "unload" => &[],
        "help" | "--help" | "-h" => return Ok(Command::Help),
        "version" | "--version" | "-V" => return Ok(Command::Version),
        NOTHING => return Ok(Command::Nothing),
        other => return Err(Error::usage(format!("`{}` is not a command", printable(other)))),
    };
    let words = words(command, &rest, allowed)?;
    finish(&words)
}

fn words<'a>(command: &'a str, rest: &[&'a str], allowed: &[&str]) -> Result<Words<'a>> {
    let mut words = Words { command, file: None, follow: false, json: false, max: None, ring_size: None };
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (*word, None),
        };
        let known = allowed.contains(&name) || (!name.starts_with('-') && allowed.contains(&"FILE"));
        if !known {
            return Err(Error::usage(format!("`{command}` does not take `{}`", printable(word))));
        }
        let mut value = || inline.or_else(|| rest.next().copied()).ok_or_else(|| Error::usage(format!("`{name}` needs a number")));
        match name {
            "--max" => words.max = Some(number(name, value()?)?),
            "--ring-size" => words.ring_size = Some(ring_size(value()?)?),
            _ if inline.is_some() => return Err(Error::usage(format!("`{name}` takes no value"))),
            "--follow" => words.follow = true,
            "--json" => words.json = true,
            _ if words.file.is_some() => return Err(Error::usage(format!("`{command}` takes one file"))),
            _ => words.file = Some(word),
        }
    }
    Ok(words)
}

fn finish(words: &Words<'_>) -> Result<Command> {
    let file = || words.file.map(PathBuf::from).ok_or_else(|| Error::usage(format!("`{}` needs a file", words.command)));
    Ok(match words.command {
        "load" => Command::Load { file: file()?, ring_size: words.ring_size },
        "check" => Command::Check { file: file()?, json: words.json },
        "status" => Command::Status { json: words.json },
        "events" => Command::Events { follow: words.follow, json: words.json, max: words.max },
        "rules" => Command::Rules { json: words.json },
        _ => Command::Unload,
    })
}

fn number(name: &str, text: &str) -> Result<u64> {
    text.parse().map_err(|_| Error::usage(format!("`{}` is not a number for `{name}`", printable(text))))
}

/// The kernel wants a power of two of at least a page.
fn ring_size(text: &str) -> Result<u32> {
    let size = number("--ring-size", text)?;
    u32::try_from(size)
        .ok()
        .filter(|s| s.is_power_of_two() && (4096..=1 << 30).contains(s))
        .ok_or_else(|| Error::usage("`--ring-size` needs a power of two from 4096 to 1073741824"))
}

/// User text without terminal escapes, cut to a sane length.
fn printable(text: &str) -> String {
    text.chars().take(80).map(|c| if crate::text::unseen(c) { '?' } else { c }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn commands_are_read() {
        let load = |ring_size| Command::Load { file: "a.bpf.o".into(), ring_size };
        assert_eq!(parse(&["load", "a.bpf.o"]).unwrap(), load(None));
        assert_eq!(parse(&["load", "--ring-size", "65536", "a.bpf.o"]).unwrap(), load(Some(65536)));
        assert_eq!(parse(&["load", "a.bpf.o", "--ring-size=4096"]).unwrap(), load(Some(4096)));
        assert_eq!(parse(&["check", "x", "--json"]).unwrap(), Command::Check { file: "x".into(), json: true });
        let events = Command::Events { follow: true, json: false, max: Some(3) };
        assert_eq!(parse(&["events", "--max", "3", "--follow"]).unwrap(), events);
        assert_eq!(parse(&["status"]).unwrap(), Command::Status { json: false });
        assert_eq!(parse(&["rules", "--json"]).unwrap(), Command::Rules { json: true });
        assert_eq!(parse(&["unload"]).unwrap(), Command::Unload);
        assert_eq!(parse(&["load", "--help"]).unwrap(), Command::Help);
    }

    #[test]
    fn wrong_use_is_an_error_with_status_2() {
        for words in [
            &[][..],
            &["lod", "x"],
            &["load"],
            &["load", "a", "b"],
            &["load", "a", "--json"],
            &["load", "a", "--ring-size"],
            &["load", "a", "--ring-size", "5000"],
            &["load", "a", "--ring-size=-1"],
            &["unload", "x"],
            &["events", "--max", "many"],
            &["status", "--json=yes"],
            &["check", "--wrong"],
        ] {
            let error = parse(words).unwrap_err();
            assert_eq!((error.kind, error.status()), (Kind::Usage, 2), "{words:?}");
        }
    }

    #[test]
    fn messages_hold_no_terminal_escapes() {
        assert!(!parse(&["\u{1b}[2J"]).unwrap_err().message.contains('\u{1b}'));
    }
}
