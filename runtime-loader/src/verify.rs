//! `check`: a checked artifact in, what this kernel's verifier says of each program out. Attaches and pins nothing.

use crate::error::Result;
use crate::load;
use crate::object::ObjectProgram;
use crate::stage::{self, Verified};
use crate::sys::Kernel;
use ebsec_artifact::Artifact;
use serde_json::{Value, json};

/// The verifier's answer on one program.
#[derive(Debug, PartialEq, Eq)]
pub struct Checked {
    /// Name inside the object.
    pub name: String,
    /// The hook; `task` for an iterator.
    pub hook: String,
    /// Instructions, subprograms included.
    pub instructions: usize,
    /// The verifier's numbers, or why it refused with the end of its log; absent if the kernel has no such hook.
    pub answer: Answer,
}

/// What became of a program.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Accepted.
    Accepted(Verified),
    /// Refused: cause and log.
    Refused(String, Vec<String>),
    /// The kernel is too old for the hook.
    Skipped(String),
}

/// Everything `check` found out.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// `uname -r`
    pub release: String,
    /// Bytes of all maps, as the kernel counts them.
    pub map_memory: u64,
    /// Each program.
    pub programs: Vec<Checked>,
}

/// Loads every program and lets it go again. `progress` hears of each program before the kernel does.
pub fn check<K: Kernel>(kernel: &mut K, artifact: &Artifact<'_>, progress: &mut dyn FnMut(&str)) -> Result<Report> {
    load::asks_programs(kernel)?;
    let staged = stage::stage(kernel, artifact, None)?;
    let map_memory = staged.maps.values().map(|(fd, _)| kernel.map_memory(fd)).sum();
    let mut programs = Vec::new();
    let count = staged.programs.len() + staged.iterators.len();
    let mut check = |hook: &str, object: &ObjectProgram, id: u32| {
        progress(&format!("verifying {} ({} of {count})", object.name, programs.len() + 1));
        let answer = match staged.load_program(kernel, object, id) {
            Ok((_, verified)) => Answer::Accepted(verified),
            Err(error) => Answer::Refused(error.message, error.detail),
        };
        programs.push(Checked { name: object.name.clone(), hook: hook.to_owned(), instructions: object.instructions.len() / 8, answer });
    };
    for (program, object, id) in &staged.programs {
        check(&program.hook, object, *id);
    }
    for (object, id) in &staged.iterators {
        check("task", object, *id);
    }
    for (program, reason) in &staged.skipped {
        let answer = Answer::Skipped(reason.clone());
        programs.push(Checked { name: program.name.clone(), hook: program.hook.clone(), instructions: 0, answer });
    }
    Ok(Report { release: kernel.release(), map_memory, programs })
}

impl Report {
    /// Whether no program was refused.
    pub fn accepted(&self) -> bool {
        self.programs.iter().all(|p| !matches!(p.answer, Answer::Refused(..)))
    }

    /// For `--json`.
    pub fn json(&self) -> Value {
        let program = |p: &Checked| {
            let mut value = json!({"name": p.name, "hook": p.hook, "instructions": p.instructions});
            let more = match &p.answer {
                Answer::Accepted(v) => json!({"accepted": true, "verified_instructions": v.instructions,
                    "peak_states": v.peak_states, "total_states": v.total_states, "translated_instructions": v.translated}),
                Answer::Refused(cause, log) => json!({"accepted": false, "error": cause, "log": log}),
                Answer::Skipped(reason) => json!({"skipped": reason}),
            };
            if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
                value.extend(more);
            }
            value
        };
        json!({
            "kernel": self.release,
            "accepted": self.accepted(),
            "map_memory": self.map_memory,
            "programs": self.programs.iter().map(program).collect::<Vec<_>>(),
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut rows = vec![["PROGRAM", "HOOK", "ANSWER", "INSTRUCTIONS", "VERIFIED", "STATES", "PEAK"].map(str::to_owned).to_vec()];
        let mut after = Vec::new();
        for p in &self.programs {
            let mut row = vec![p.name.clone(), p.hook.clone()];
            match &p.answer {
                Answer::Accepted(v) => {
                    row.push("accepted".to_owned());
                    row.extend([p.instructions as u64, v.instructions, v.total_states, v.peak_states].map(|n| n.to_string()));
                }
                Answer::Refused(cause, log) => {
                    row.extend(["refused".to_owned(), p.instructions.to_string()]);
                    after.push(cause.clone());
                    after.extend(log.iter().map(|l| format!("  | {l}")));
                }
                Answer::Skipped(reason) => {
                    row.push("skipped".to_owned());
                    after.push(format!("{}: {reason}", p.name));
                }
            }
            rows.push(row);
        }
        let mut text = crate::text::table(&rows, &[3, 4, 5, 6]);
        text += &format!("maps take {} KiB of kernel {}\n", self.map_memory.div_ceil(1024), self.release);
        for line in after {
            text += &line;
            text.push('\n');
        }
        text
    }
}
