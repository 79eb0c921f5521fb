//! The canary of the kernel for tests: each operation is refused if its program runs, the policy waits for the canary and
//! the hook is not deaf.

use super::Shared;
use crate::sys::Canary;
use crate::sys::ops::{Answer, OPERATIONS};

pub(super) struct FakeCanary {
    pub(super) operations: Vec<usize>,
    pub(super) state: Shared,
}

impl Canary for FakeCanary {
    fn pid(&self) -> u32 {
        4711
    }

    fn run(&mut self) -> Vec<Answer> {
        let mut state = self.state.borrow_mut();
        let armed = state.control().is_some_and(|c| c.mode == 1 && c.canary == 4711);
        let answer = |i: &usize| {
            let hook = OPERATIONS[*i].hook;
            let attached = state.running().contains(&format!("ebsec_{hook}"));
            if armed && attached && !state.deaf.contains(hook) { Answer::Errno(libc::EPERM) } else { Answer::Done }
        };
        let answers: Vec<Answer> = self.operations.iter().map(answer).collect();
        let refused = answers.iter().filter(|a| **a == Answer::Errno(libc::EPERM)).count() as u64;
        let counted = if state.others { 0 } else { refused };
        state.count_canary(counted);
        answers
    }
}

impl Drop for FakeCanary {
    fn drop(&mut self) {
        self.state.borrow_mut().canaries -= 1;
    }
}
