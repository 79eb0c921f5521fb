//! Programs and processes: starting, waiting, where and how urgently a task runs.

use super::{c, check, done};
use libc::{c_char, c_int, c_long};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// execve(2) without an environment; returns only when refused.
pub fn exec(path: &Path) -> io::Error {
    let Ok(path) = c(path) else {
        return io::Error::from_raw_os_error(libc::EINVAL);
    };
    let arguments: [*const c_char; 2] = [path.as_ptr(), std::ptr::null()];
    let none: [*const c_char; 1] = [std::ptr::null()];
    // SAFETY: both arrays end with a null pointer and outlive the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), none.as_ptr()) };
    io::Error::last_os_error()
}

/// execve(2), and if it is refused once more with the same registers.
pub fn exec_twice(path: &Path) -> io::Result<()> {
    let path = c(path)?;
    let arguments: [*const c_char; 2] = [path.as_ptr(), std::ptr::null()];
    for _ in 0..2 {
        // SAFETY: the array ends with a null pointer and outlives the call, as the path does.
        unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), arguments.as_ptr()) };
    }
    Err(io::Error::last_os_error())
}

/// execve(2) with arguments; returns only when refused.
pub fn exec_with(path: &Path, argument: &Path) -> io::Error {
    let (Ok(path), Ok(argument)) = (c(path), c(argument)) else {
        return io::Error::from_raw_os_error(libc::EINVAL);
    };
    let arguments = [path.as_ptr(), argument.as_ptr(), std::ptr::null()];
    let none: [*const c_char; 1] = [std::ptr::null()];
    // SAFETY: both arrays end with a null pointer and outlive the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), none.as_ptr()) };
    io::Error::last_os_error()
}

/// execveat(2) of a descriptor; returns only when refused.
pub fn exec_descriptor(file: &OwnedFd) -> io::Error {
    let arguments: [*const c_char; 2] = [c"attack".as_ptr(), std::ptr::null()];
    let none: [*const c_char; 1] = [std::ptr::null()];
    // SAFETY: both arrays end with a null pointer; the path is terminated.
    unsafe { libc::syscall(libc::SYS_execveat, file.as_raw_fd(), c"".as_ptr(), arguments.as_ptr(), none.as_ptr(), libc::AT_EMPTY_PATH) };
    io::Error::last_os_error()
}

/// personality(2): readable mappings become executable.
pub fn reading_implies_executing() -> io::Result<()> {
    const READ_IMPLIES_EXEC: u64 = 0x040_0000;
    // SAFETY: a plain number.
    done(unsafe { libc::personality(READ_IMPLIES_EXEC) })
}

/// Does `work` in a forked child, gives its exit status; `None` if it died.
pub fn in_child(work: impl FnOnce() -> c_int) -> io::Result<Option<c_int>> {
    // SAFETY: this program has one thread wherever it calls this.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let status = work();
        // SAFETY: ends this process without running the parent's exit code.
        unsafe { libc::_exit(status) };
    }
    check(c_long::from(child))?;
    wait(child)
}

/// Forks without waiting, gives the child's id.
pub fn spawn(work: impl FnOnce() -> c_int) -> io::Result<c_int> {
    // SAFETY: this program has one thread wherever it calls this.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let status = work();
        // SAFETY: ends this process without running the parent's exit code.
        unsafe { libc::_exit(status) };
    }
    check(c_long::from(child))?;
    Ok(child)
}

/// Waits for one child.
pub fn wait(child: c_int) -> io::Result<Option<c_int>> {
    let mut status = 0;
    // SAFETY: one int to write to.
    done(unsafe { libc::waitpid(child, &raw mut status, 0) })?;
    Ok(libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)))
}

/// vfork, execve and waiting, as a shell starts a program. Gives the program's
/// exit status, or the error of the execve.
pub fn vfork_exec(words: &[CString]) -> io::Result<Option<c_int>> {
    let mut arguments: Vec<*const c_char> = words.iter().map(|word| word.as_ptr()).collect();
    arguments.push(std::ptr::null());
    // Without words this is the final null pointer, which execve refuses.
    let program = arguments.first().copied().unwrap_or(std::ptr::null());
    let none: [*const c_char; 1] = [std::ptr::null()];
    let mut error = 0;
    let place = &raw mut error;
    // SAFETY: the child shares this memory while the parent stands still; it
    // writes one local and then either becomes another program or exits. Both
    // arrays end with a null pointer.
    let child = unsafe {
        #[expect(deprecated, reason = "its cost is what is measured")]
        let child = libc::vfork();
        if child == 0 {
            libc::execve(program, arguments.as_ptr(), none.as_ptr());
            place.write_volatile(*libc::__errno_location());
            libc::_exit(127);
        }
        child
    };
    check(c_long::from(child))?;
    let status = wait(child)?;
    // SAFETY: the local is still here; the child wrote it or nobody did.
    match unsafe { place.read_volatile() } {
        0 => Ok(status),
        number => Err(io::Error::from_raw_os_error(number)),
    }
}

/// Keeps this task on the first processor.
pub fn pin() -> io::Result<()> {
    // SAFETY: an empty set is all zeros.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: processor 0 is within the set.
    unsafe { libc::CPU_SET(0, &mut set) };
    // SAFETY: the size is that of the set.
    done(unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) })
}

/// Makes this task real-time, so that its waking preempts others at once.
pub fn urgent() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: 1 };
    // SAFETY: one readable struct.
    done(unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) })
}
