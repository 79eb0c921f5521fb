//! Takes settings and what helpers do, keeps both: the current task, the clock, signals, scripted changes.
//! Never touches memory itself.

use std::collections::{BTreeMap, BTreeSet};

/// The task that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// address of its `task_struct`
    pub addr: u64,
    /// thread id
    pub pid: u32,
    /// process id
    pub tgid: u32,
    /// real user id
    pub uid: u32,
    /// real group id
    pub gid: u32,
    /// its name, NUL-padded
    pub comm: [u8; 16],
}

impl Task {
    /// The same task with this name, cut to 15 bytes.
    pub fn named(mut self, comm: &str) -> Task {
        self.comm = [0; 16];
        for (to, from) in self.comm.iter_mut().take(15).zip(comm.bytes()) {
            *to = from;
        }
        self
    }
}

/// A signal that a program sent to its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// its number
    pub number: u32,
    /// to the thread alone
    pub thread: bool,
}

/// A write that happens while a program runs, as another CPU's would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripted {
    /// when so many instructions of the run were executed
    pub after: u64,
    /// where
    pub addr: u64,
    /// what
    pub bytes: Vec<u8>,
}

/// Everything that helpers answer from or leave behind.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// the task that runs
    pub task: Task,
    /// monotonic time, nanoseconds; time since boot is the same
    pub time: u64,
    /// number of the CPU
    pub cpu: u32,
    /// what `bpf_get_attach_cookie` gives
    pub cookie: u64,
    /// what `bpf_get_current_cgroup_id` gives
    pub cgroup: u64,
    /// address of the registers with which user space came, what `bpf_task_pt_regs` gives
    pub registers: u64,
    /// addresses of the socks that are Unix sockets
    pub unix_socks: BTreeSet<u64>,
    /// state of the random numbers
    pub random: u64,
    /// `bpf_send_signal` fails with this errno, if not 0
    pub signal_error: i64,
    /// signals sent, in order
    pub signals: Vec<Signal>,
    /// flags given to `bpf_bprm_opts_set`, in order
    pub bprm_opts: Vec<u64>,
    /// what `bpf_d_path` gives, by the address of the `struct path`
    pub d_paths: BTreeMap<u64, Vec<u8>>,
    /// writes to happen during the next run, ascending by time
    pub script: Vec<Scripted>,
}

impl Env {
    /// The next random number.
    pub fn next_random(&mut self) -> u32 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as u32
    }
}
