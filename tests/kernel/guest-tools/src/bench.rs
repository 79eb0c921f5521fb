//! Loops to be measured: takes what to repeat, prints nanoseconds of one
//! repeat. In a guest that counts instructions these are instructions.

use crate::{net, storm, sys};
use std::ffi::CString;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const SAMPLES: usize = 41;

/// Prints `NAME min N p25 N med N`.
pub fn bench(words: &[String]) -> Result<bool, String> {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut settle = 0;
    if let ["--settle", seconds, ..] = words.as_slice() {
        settle = seconds.parse().map_err(|_| "`--settle` takes seconds")?;
        words.drain(..2);
    }
    if let ["--deep", folder, ..] = words.as_slice() {
        storm::enter_deep(Path::new(folder)).map_err(|error| format!("cannot enter `{folder}`: {error}"))?;
        words.drain(..2);
    }
    sys::pin().map_err(|error| format!("cannot stay on one processor: {error}"))?;
    // A kernel that has just booted does work of its own in the background.
    std::thread::sleep(Duration::from_secs(settle));
    let result = match words.as_slice() {
        ["open", path] => {
            let path = CString::new(*path).map_err(|_| "a path has no zero byte")?;
            measure("open", 200, || sys::open_and_close(&path))
        }
        ["exec", path] => {
            let path = [CString::new(*path).map_err(|_| "a path has no zero byte")?];
            measure("exec", 40, || sys::vfork_exec(&path).map(drop))
        }
        ["failing-exec", path] => {
            let path = Path::new(path);
            let error = sys::exec(path);
            // Any other error comes before the check that is to be measured.
            if error.raw_os_error() != Some(libc::ENOEXEC) {
                return Err(format!("`{}` has to be a text that is marked executable: {error}", path.display()));
            }
            measure("failing-exec", 100, || {
                let _ = sys::exec(path);
                Ok(())
            })
        }
        ["utimes", path] => {
            let path = Path::new(path);
            measure("utimes", 200, || sys::touch(path))
        }
        ["attribute", path] => {
            let path = Path::new(path);
            measure("attribute", 200, || sys::set_attribute(path, c"trusted.bench", b"x"))
        }
        ["mode", path] => {
            let path = Path::new(path);
            let mode = || std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644));
            measure("mode", 200, mode)
        }
        ["fork"] => measure("fork", 40, || sys::in_child(|| 0).map(drop)),
        ["connect", ip, port] => {
            let address = net::address(ip, port)?;
            let socket = sys::socket(libc::AF_INET, libc::SOCK_DGRAM, 0).map_err(text)?;
            measure("connect", 200, || sys::connect(&socket, &address))
        }
        _ => return Err(
            "bench takes: open PATH | exec PATH | failing-exec PATH | utimes PATH | attribute PATH | mode PATH | fork | connect IP PORT"
                .into(),
        ),
    };
    result.map_err(text)?;
    Ok(true)
}

fn text(error: io::Error) -> String {
    error.to_string()
}

fn measure(name: &str, repeats: u64, one: impl Fn() -> io::Result<()>) -> io::Result<()> {
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let start = sys::now();
        for _ in 0..repeats {
            one()?;
        }
        samples.push((sys::now() - start) / repeats);
    }
    samples.sort_unstable();
    let at = |index: usize| samples.get(index).copied().unwrap_or(0);
    println!("{name} min {} p25 {} med {}", at(0), at(SAMPLES / 4), at(SAMPLES / 2));
    Ok(())
}
