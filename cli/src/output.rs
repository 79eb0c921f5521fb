//! What verbs say and write. Takes finished text, gives an error where it could not be written. What a terminal or a CI
//! system would obey is escaped once more on the way out, whoever forgot it. A reader that has seen enough closes the
//! pipe: no failure of ours. Nothing else in this crate prints.

use crate::guest::Failure;
use crate::package::shown;
use ebsec_compiler::diag::{page, text};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Narrowest and widest text that is made to fit: lines of more columns are hard to read.
const WIDTHS: RangeInclusive<usize> = 40..=120;

/// Least columns of what goes on below a column: with fewer, lines are as long as they are.
const LEAST: usize = 24;

/// The columns of the terminal that the output is; 80 if it is none.
pub fn width() -> usize {
    let size = io::stdout().is_terminal().then(|| rustix::termios::tcgetwinsize(io::stdout())).and_then(Result::ok);
    let columns = size.map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { page::WIDTH } else { columns.clamp(*WIDTHS.start(), *WIDTHS.end()) }
}

/// Lines of at most so many columns, broken at blanks: what goes on begins where the last column of its line does.
pub fn wrapped(text: &str, width: usize) -> String {
    text.split_inclusive('\n').map(|line| wrapped_line(line, width)).collect()
}

fn wrapped_line(line: &str, width: usize) -> String {
    let body = line.trim_end();
    if body.chars().count() <= width {
        return line.to_owned();
    }
    // The last run of blanks is where the last column begins; a line without one begins at its indent.
    let start = body.len() - body.trim_start().len();
    let column = body.rmatch_indices("  ").map(|(at, _)| at + 2).find(|at| *at > start).unwrap_or(start);
    let indent = body.get(..column).map_or(0, |before| before.chars().count());
    if indent + LEAST > width {
        return line.to_owned();
    }
    let (mut out, mut at) = (body.get(..column).unwrap_or_default().to_owned(), indent);
    for word in body.get(column..).unwrap_or_default().split(' ') {
        let length = word.chars().count();
        if at > indent && at + 1 + length > width {
            out.push_str(&format!("\n{:indent$}", ""));
            at = indent;
        } else if at > indent {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += length;
    }
    out + line.get(body.len()..).unwrap_or_default()
}

/// Prints text on the output.
pub fn print(text: &str) -> Result<(), Failure> {
    print_raw(&text::lines(text))
}

/// Prints a unified diff, in which the line ends are those of the files.
pub fn patch(text: &str) -> Result<(), Failure> {
    let safe = text.split_inclusive('\n').map(|line| match line.strip_suffix("\r\n") {
        Some(line) => format!("{}\r\n", text::lines(line)),
        None => text::lines(line).into_owned(),
    });
    print_raw(&safe.collect::<String>())
}

/// Prints on the output, byte for byte, what is not ours to change: what a guest's script printed, a formatted policy.
pub fn print_raw(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints text on the error output.
pub fn tell(text: &str) {
    tell_raw(&text::lines(text));
}

/// Prints on the error output what has colours, or a guest's console. If that fails, there is nowhere to say so.
pub fn tell_raw(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What a try to write on the output means.
pub fn written(done: io::Result<()>) -> Result<(), Failure> {
    match done {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::new(format!("cannot write the output: {e}"))),
        _ => Ok(()),
    }
}

/// Writes a file, which appears whole or not at all. A device or a pipe of this name is written to, never replaced.
pub fn file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::io("write", path, &e);
    if path.metadata().is_ok_and(|m| !m.is_file() && !m.is_dir()) {
        return std::fs::OpenOptions::new().write(true).open(path).and_then(|mut f| f.write_all(bytes)).map_err(failed);
    }
    unfinished(path, bytes)?.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Writes a file that is new: it appears whole or not at all, and what is there already is an error and stays.
pub fn new_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    unfinished(path, bytes)?.persist_noclobber(path).map_err(|e| Failure::io("write", path, &e.error))?;
    Ok(())
}

/// A file with its content beside the place where it will be.
fn unfinished(path: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile, Failure> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::new(format!("cannot write `{}`: there is no folder `{}`", shown(path), shown(folder))));
    }
    // The system's own words name the unfinished file.
    let failed = |e: io::Error| Failure::io("write", path, &e.kind().into());
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().set_permissions(PermissionsExt::from_mode(0o644)).map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_below_their_last_column() {
        let text = "one two three four five six seven";
        assert_eq!(wrapped(&format!("  ab  {text}\nshort\n"), 30), "  ab  one two three four five\n      six seven\nshort\n");
        assert_eq!(wrapped(text, 24), "one two three four five\nsix seven");
        assert_eq!(wrapped(&format!("    {text}\n"), 28), "    one two three four five\n    six seven\n");
        assert_eq!(wrapped(&format!("          ab  {text}\n"), 30), format!("          ab  {text}\n"));
    }
}
