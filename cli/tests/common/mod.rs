//! What the tests of the program share: a folder with files, the program run in it, and what it printed.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The program that is tested.
pub const EBSEC: &str = env!("CARGO_BIN_EXE_ebsec");

/// A folder with files, by their paths in it.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The program with words that a blank divides, and nothing from the caller's surroundings.
pub fn command(folder: &Path, words: &str) -> Command {
    let mut command = Command::new(EBSEC);
    command.current_dir(folder).args(words.split(' ')).env("EBSEC_CACHE", folder.join("cache")).env_remove("EBSEC_LOAD");
    command
}

/// Runs the program.
pub fn ebsec(folder: &Path, words: &str) -> Output {
    command(folder, words).stdin(Stdio::null()).output().unwrap()
}

/// Runs the program with a text on its standard input.
pub fn piped(folder: &Path, words: &str, input: &str) -> Output {
    let mut command = command(folder, words);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that reads no input may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What was printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The text of a file in a folder.
pub fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The JSON document on the standard output.
#[track_caller]
pub fn json(done: &Output) -> Value {
    serde_json::from_slice(&done.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", text(&done.stdout), text(&done.stderr)))
}
