//! Takes reports in order of time, gives the programs before each process: a report names the program and its parent's only, but
//! every exec is reported, so that the rest is known. What the recording's own driver starts is told apart.

use crate::report::Report;
use std::collections::HashMap;

/// What drives the recording: the unit that does the work of a test executes it.
const DRIVER: &str = "/ebsec/run";

/// The processes that were seen.
#[derive(Debug, Default)]
pub struct Processes {
    known: HashMap<u64, Process>,
}

#[derive(Debug, Clone, Default)]
struct Process {
    parent: Option<u64>,
    /// Its programs, the oldest first, itself the last; equal neighbours once. Programs of its ancestors are among them.
    line: Vec<String>,
    /// It is the driver, or was started by it.
    driver: bool,
}

impl Processes {
    /// The programs of the process that a report is about, itself the last; none if the driver started it.
    pub fn see(&mut self, report: &Report) -> Option<Vec<String>> {
        let parent = report.parent.as_ref().map(|(pid, _)| *pid);
        let mut process = match self.known.get(&report.pid) {
            // A number is given again when its process is gone.
            Some(known) if known.parent == parent => known.clone(),
            _ => self.forked(report),
        };
        if let Some(exe) = report.exe.as_ref().filter(|exe| process.line.last() != Some(exe)) {
            process.line.push(exe.clone());
        }
        process.driver |= report.event == "exec" && report.paths.iter().any(|path| path == DRIVER);
        self.known.insert(report.pid, process.clone());
        (!process.driver).then_some(process.line)
    }

    /// A process that was not seen before: its line is that of its parent, as far as the program that forked it.
    fn forked(&self, report: &Report) -> Process {
        let Some((parent, exe)) = &report.parent else { return Process::default() };
        let before = self.known.get(parent).cloned().unwrap_or_default();
        let mut line = before.line;
        if let Some(exe) = exe {
            match line.iter().rposition(|program| program == exe) {
                Some(at) => line.truncate(at + 1),
                None => line.push(exe.clone()),
            }
        }
        Process { parent: Some(*parent), line, driver: before.driver }
    }
}
