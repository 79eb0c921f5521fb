//! Of a guest that does not end: what its processors and processes are doing, as its kernel says when it is asked by keys of the
//! serial console (Documentation/admin-guide/sysrq.rst). Ends nothing.

use std::io::Write;
use std::process::ChildStdin;
use std::time::Duration;

/// The console as QEMU's multiplexer: it sends a break for Ctrl-A b.
pub const CONSOLE: [&str; 4] = ["-chardev", "stdio,id=console,mux=on", "-serial", "chardev:console"];

/// The kernel parameter that lets the keys through.
pub const PARAMETER: &str = " sysrq_always_enabled";

/// Show everything from now on; what runs on each processor; all tasks.
const KEYS: [u8; 3] = [b'8', b'l', b't'];

/// What the kernel says before it lists all tasks, and after.
const TASKS: (&str, &str) = ("sysrq: Show State", "Sched Debug Version");

/// Asks, and waits for the answer. That a kernel no longer answers says something, too.
pub fn ask(keyboard: &mut ChildStdin) {
    for key in KEYS {
        if keyboard.write_all(&[1, b'b', key]).and_then(|()| keyboard.flush()).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    std::thread::sleep(Duration::from_secs(2));
}

/// The console without what the kernel says of its own threads, which are many and wait.
pub fn processes(console: &str) -> String {
    let Some(start) = console.find(TASKS.0) else { return console.to_owned() };
    let (before, tasks) = console.split_at(start);
    let mut shown = before.to_owned();
    let mut kept = true;
    for line in tasks.split_inclusive('\n') {
        if line.contains(TASKS.1) {
            break;
        }
        if line.contains("task:") {
            kept = !is_of_kernel(line);
        }
        if kept {
            shown.push_str(line);
        }
    }
    shown
}

/// Kernel threads are children of process 2.
fn is_of_kernel(header: &str) -> bool {
    let number = |name: &str| header.split_once(name).and_then(|(_, rest)| rest.split_whitespace().next());
    number(" ppid:") == Some("2") || number(" pid:") == Some("2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_stay_and_threads_of_the_kernel_go() {
        let text = "[ 1.0] hello\n[ 2.0] sysrq: Show State\n[ 2.0] task:sh   state:S stack:    0 pid:    1 ppid:     0 flags:0\n\
                    [ 2.0]  do_wait+0x1\n[ 2.0] task:kthreadd state:S stack:0 pid:2 tgid:2 ppid:0 flags:0\n[ 2.0]  kthreadd+0x1\n\
                    [ 2.0] task:kworker/0:0 state:I stack:0 pid:6 tgid:6 ppid:2 flags:0\n[ 2.0]  worker_thread+0x1\n\
                    [ 2.0] task:stress state:R stack:0 pid:60 tgid:60 ppid:1 flags:0\n[ 2.0] Sched Debug Version: v0.11\n[ 2.0] much\n";
        let shown = processes(text);
        let kept = ["hello", "sysrq: Show State", "task:sh", "do_wait", "task:stress"];
        assert!(kept.iter().all(|word| shown.contains(word)), "{shown}");
        assert!(!["kthreadd", "worker", "much"].iter().any(|word| shown.contains(word)), "{shown}");
        assert_eq!(processes("[ 1.0] hello\n"), "[ 1.0] hello\n");
    }
}
