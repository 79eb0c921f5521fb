//! Reports in, operations out: one operation of a task may meet several hooks, and one hook several objects and events.
//! The kernel numbers the operations of each thread; what has the same number is told together, in the order of its
//! beginning. An operation is held back until its thread begins another, or for a moment: until then it may turn out that
//! what was allowed first was refused in the end.

use ebsec_artifact::schema::Report;
use std::collections::VecDeque;

/// Milliseconds for which an operation is held back.
pub const HOLD: i32 = 50;
/// Operations that were told and may still go on, late.
const REMEMBERED: usize = 4096;
/// Operations that are held back; beyond, the oldest is told at once.
const HELD: usize = 4096;

/// The reports of one operation.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// In the order of the kernel; never empty.
    pub reports: Vec<Report>,
    /// Numbers of the manifest's rules that were told of it already, with an earlier line.
    pub said: Vec<u32>,
    /// It was told that it is refused.
    pub refused: bool,
    /// Its thread has begun another one.
    pub over: bool,
}

impl Operation {
    /// The thread, and the number of the operation; `None` where the kernel kept none.
    fn name(&self) -> Option<(u32, u32)> {
        self.reports.first().and_then(name)
    }
}

fn name(report: &Report) -> Option<(u32, u32)> {
    (report.operation != 0).then_some((report.pid, report.operation))
}

/// Operations on their way.
#[derive(Debug, Default)]
pub struct Operations {
    held: VecDeque<Operation>,
    told: VecDeque<Told>,
}

/// What was told of an operation.
#[derive(Debug)]
struct Told {
    name: (u32, u32),
    said: Vec<u32>,
    refused: bool,
}

impl Operations {
    /// Takes a report.
    pub fn add(&mut self, report: Report) {
        let wanted = name(&report);
        if wanted.is_some()
            && let Some(operation) = self.held.iter_mut().rev().find(|o| o.name() == wanted)
        {
            operation.reports.push(report);
            return;
        }
        for operation in self.held.iter_mut().filter(|o| o.reports.first().is_some_and(|r| r.pid == report.pid)) {
            operation.over = true;
        }
        let before = self.told.iter().rev().find(|o| Some(o.name) == wanted);
        let (said, refused) = before.map(|o| (o.said.clone(), o.refused)).unwrap_or_default();
        self.held.push_back(Operation { reports: vec![report], said, refused, over: false });
    }

    /// Nothing is held back.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What need not be held back any longer; `now` is the clock of the reports.
    pub fn ripe(&mut self, now: u64) -> Vec<Operation> {
        let ripe = |o: &Operation| {
            let age = o.reports.first().map_or(u64::MAX, |r| now.saturating_sub(r.time));
            o.over || o.name().is_none() || age >= u64::from(HOLD.unsigned_abs()) * 1_000_000
        };
        let mut out = Vec::new();
        while self.held.len() > HELD || self.held.front().is_some_and(ripe) {
            out.extend(self.held.pop_front());
        }
        out
    }

    /// All that is held back.
    pub fn all(&mut self) -> Vec<Operation> {
        self.held.drain(..).collect()
    }

    /// Remembers what was told of an operation, for reports of it that come late.
    pub fn told(&mut self, operation: Operation) {
        let Some(name) = operation.name() else { return };
        self.told.push_back(Told { name, said: operation.said, refused: operation.refused });
        if self.told.len() > REMEMBERED {
            self.told.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const MOMENT: u64 = 50_000_000;

    fn report(pid: u32, operation: u32, time: u64) -> Report {
        Report { pid, operation, time, ..Report::default() }
    }

    fn sizes(operations: &[Operation]) -> Vec<usize> {
        operations.iter().map(|o| o.reports.len()).collect()
    }

    #[test]
    fn reports_of_one_operation_come_together() {
        let mut operations = Operations::default();
        for r in [report(1, 5, 0), report(2, 5, 1), report(1, 5, 2), report(1, 6, 3)] {
            operations.add(r);
        }
        // the first is over, the second is not yet; what stands behind it waits too
        assert_eq!(sizes(&operations.ripe(10)), [2]);
        assert_eq!(sizes(&operations.ripe(1 + MOMENT)), [1]);
        assert_eq!(sizes(&operations.ripe(3 + MOMENT)), [1]);
        assert!(operations.is_empty());
    }

    #[test]
    fn without_a_number_each_report_is_an_operation() {
        let mut operations = Operations::default();
        operations.add(report(1, 0, 0));
        operations.add(report(1, 0, 0));
        assert_eq!(sizes(&operations.ripe(0)), [1, 1]);
    }

    #[test]
    fn what_comes_late_knows_what_was_told() {
        let mut operations = Operations::default();
        operations.add(report(1, 5, 0));
        let mut first = operations.ripe(MOMENT).remove(0);
        first.said.push(3);
        operations.told(first);
        operations.add(report(1, 5, 9));
        operations.add(report(2, 5, 9));
        let late = operations.all();
        assert_eq!(late[0].said, [3]);
        assert!(late[1].said.is_empty());
    }
}
