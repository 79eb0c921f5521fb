//! Walks the tables as the event path does: by bytes, and by components of 8-byte words. For tests, the interpreter
//! of plans, and as the description of the assembly.

use super::steps::{K1, K2, place};
use super::{NONE, PathTables};

/// What a byte leads to.
enum Next {
    /// A state; the rest of the component is to be read.
    State(u32),
    /// A state; nothing before the next `/` can change it.
    Skip(u32),
    /// The class, whatever follows.
    Class(u32),
}

impl PathTables {
    /// Class of an absolute, normalised path, byte by byte. [`NONE`] for what does not begin with `/`.
    pub fn class_of(&self, path: &[u8]) -> u32 {
        path.strip_prefix(b"/").map_or(NONE, |rest| self.run_bytes(self.start_path, rest))
    }

    /// The same where only the sets that are asked of files count.
    pub fn class_of_file(&self, path: &[u8]) -> u32 {
        path.strip_prefix(b"/").map_or(NONE, |rest| self.run_bytes(self.start_file, rest))
    }

    /// Class of a task's name, byte by byte.
    pub fn class_of_comm(&self, comm: &[u8]) -> u32 {
        self.run_bytes(self.start_comm, comm)
    }

    /// Class of a path, component by component, 8 bytes a step where the step table knows them. The `/` after a component
    /// is in its last word if there is room.
    pub fn class_by_steps(&self, path: &[u8]) -> u32 {
        self.steps_from(self.start_path, path)
    }

    /// The same where only the sets that are asked of files count.
    pub fn file_by_steps(&self, path: &[u8]) -> u32 {
        self.steps_from(self.start_file, path)
    }

    fn steps_from(&self, start: u32, path: &[u8]) -> u32 {
        let Some(rest) = path.strip_prefix(b"/") else { return NONE };
        let mut state = start;
        for component in rest.split_inclusive(|b| *b == b'/') {
            match self.run_words(state, component) {
                Ok(next) => state = next,
                Err(class) => return class,
            }
        }
        self.class_at(state)
    }

    /// Class of a task's name, 8 bytes a step where the step table knows them.
    pub fn comm_by_steps(&self, comm: &[u8]) -> u32 {
        self.run_words(self.start_comm, comm).map_or_else(|class| class, |state| self.class_at(state))
    }

    /// The class of what ends in this state.
    pub fn class_at(&self, state: u32) -> u32 {
        (self.info(state) as u32 & 0x7fff_ffff) >> 2
    }

    /// The sets that hold in a class.
    pub fn sets_of(&self, class: u32) -> &[crate::hir::PathSetId] {
        self.class_sets.get(class as usize).map_or(&[], Vec::as_slice)
    }

    fn info(&self, state: u32) -> u64 {
        self.bytes.get(state as usize / 8).copied().unwrap_or(0x8000_0001)
    }

    fn run_bytes(&self, start: u32, bytes: &[u8]) -> u32 {
        let mut state = start;
        for &byte in bytes {
            match self.next(state, byte) {
                Next::State(next) | Next::Skip(next) => state = next,
                Next::Class(class) => return class,
            }
        }
        self.class_at(state)
    }

    fn next(&self, state: u32, byte: u8) -> Next {
        let entry = self.bytes.get(state as usize / 8 + usize::from(byte)).copied().unwrap_or(1);
        if entry as u32 == state {
            return Next::State((entry >> 32) as u32);
        }
        let info = self.info(state);
        match info & 3 {
            0 => Next::Class(NONE),
            1 => Next::Class(self.class_at(state)),
            2 => Next::State((info >> 32) as u32),
            _ => Next::Skip((info >> 32) as u32),
        }
    }

    /// The state after a component and its `/`, or after a task's name; or the class that is certain already.
    fn run_words(&self, mut state: u32, bytes: &[u8]) -> Result<u32, u32> {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().rev().fold(0, |word, b| word << 8 | u64::from(*b));
            if let Some(next) = self.step(state, word) {
                state = next;
                continue;
            }
            let mut skip = false;
            for &byte in chunk {
                if skip && byte != b'/' {
                    continue;
                }
                match self.next(state, byte) {
                    Next::State(next) => state = next,
                    Next::Skip(next) => (state, skip) = (next, true),
                    Next::Class(class) => return Err(class),
                }
            }
        }
        Ok(state)
    }

    fn step(&self, state: u32, word: u64) -> Option<u32> {
        [K1, K2].into_iter().find_map(|multiplier| {
            let entry = self.steps.get(place(word, state, multiplier, self.bits))?;
            (entry.word == word && entry.base == state).then_some(entry.next)
        })
    }
}
