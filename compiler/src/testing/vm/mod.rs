//! Takes an object and an emulated kernel, runs its programs in user space.
//!
//! [`Kernel`] holds types, objects and the current task; [`Vm::load`] relocates the very object that kernels load
//! ([`Vm::link`] takes assembled functions instead); [`Vm::run`] calls a program with a hook's arguments. Whatever the
//! kernel's verifier would refuse and shows at run time is a [`Fault`]. Never attaches anything to a real kernel.

mod alu;
#[cfg(test)]
mod elf_tests;
mod env;
mod exec;
mod fault;
mod helpers;
pub mod kernel;
mod load;
mod map;
pub mod mem;
#[cfg(test)]
mod path_tests;
mod reach;
#[cfg(test)]
mod tests;
mod unit;

pub use env::{Env, Scripted, Signal, Task};
pub use fault::{Fault, Wrong};
pub use kernel::{Flavour, Kernel, World};
pub use map::{Map, MapDef, RDONLY_PROG, Record};
pub use reach::Unresolved;
pub use unit::Data;

use crate::bpf::{Insn, disasm_line, opcode::Op};
use ebsec_artifact::KernelFunctions;
use exec::{Machine, Regs};
use mem::{Kind, Region};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a run may do.
#[derive(Clone, Debug)]
pub struct Options {
    /// most instructions of one run
    pub limit: u64,
    /// a load from unmapped kernel memory gives 0, as the exception table makes it for typed pointers
    pub kernel_loads_read_zero: bool,
    /// so does a load through a null pointer (true for typed pointers, false for the values of maps)
    pub null_loads_read_zero: bool,
    /// programs in sections `lsm` have to return -4095 to 0
    pub lsm_verdict: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { limit: 1_000_000, kernel_loads_read_zero: true, null_loads_read_zero: false, lsm_verdict: true }
    }
}

/// A program with all functions that it calls.
#[derive(Clone, Debug)]
pub struct Program {
    /// its function's name
    pub name: String,
    /// its section, such as `lsm/file_open`
    pub section: String,
    /// its instructions, relocated
    pub insns: Vec<Insn>,
    /// their meaning; none for second slots and unknown ones
    ops: Vec<Option<Op>>,
    /// lines of source: each holds from its instruction to the next entry's
    lines: Vec<(usize, String)>,
}

impl Program {
    fn new(name: String, section: String, insns: Vec<Insn>, lines: Vec<(usize, String)>) -> Program {
        let ops = insns.iter().map(Insn::op).collect();
        Program { name, section, insns, ops, lines }
    }

    fn line(&self, pc: usize) -> Option<String> {
        self.lines.iter().rev().find(|l| l.0 <= pc).map(|l| l.1.clone())
    }
}

/// What a run gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// what the program returned
    pub r0: u64,
    /// the same as the hook sees it
    pub verdict: i32,
    /// instructions executed, those of called functions included
    pub executed: u64,
}

/// An object, loaded into an emulated kernel.
#[derive(Clone, Debug)]
pub struct Vm {
    /// the kernel
    pub kernel: Kernel,
    /// what runs may do
    pub options: Options,
    programs: Vec<Arc<Program>>,
    maps: Vec<Map>,
    /// deepest stack of each function, by program
    depths: Vec<BTreeMap<usize, u64>>,
    unresolved: Vec<Unresolved>,
    /// the number of the kernel's cast, and the last of the types that may be cast to
    cast: Option<(i32, u64)>,
}

impl Vm {
    fn new(kernel: Kernel, programs: Vec<Program>, maps: Vec<Map>) -> Result<Vm, String> {
        let unresolved: Vec<Unresolved> = programs.iter().flat_map(reach::unresolved).collect();
        if let Some(u) = unresolved.iter().find(|u| u.reachable) {
            return Err(format!("{u}, and nothing guards it"));
        }
        let depths = vec![BTreeMap::new(); programs.len()];
        let programs = programs.into_iter().map(Arc::new).collect();
        let number = KernelFunctions::read(&kernel.btf()).and_then(|f| f.id(kernel::CAST)).and_then(|id| i32::try_from(id).ok());
        let cast = number.map(|number| (number, u64::from(kernel.types.last())));
        Ok(Vm { kernel, options: Options::default(), programs, maps, depths, unresolved, cast })
    }

    /// The programs.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.programs.iter().map(Arc::as_ref)
    }

    /// Accesses to types or fields that this kernel lacks; all of them are behind a guard (or loading fails).
    pub fn unresolved(&self) -> &[Unresolved] {
        &self.unresolved
    }

    /// Runs the program of that name (or section) with a hook's arguments.
    pub fn run(&mut self, program: &str, args: &[u64]) -> Result<Run, Box<Fault>> {
        let found = self.programs.iter().position(|p| p.name == program || p.section == program);
        let missing = || {
            Box::new(Fault {
                program: program.to_owned(),
                pc: 0,
                insn: String::new(),
                line: None,
                wrong: Wrong::Test(format!("there is no program `{program}`")),
            })
        };
        let index = found.ok_or_else(missing)?;
        let program = self.programs.get(index).cloned().ok_or_else(missing)?;
        let context: Vec<u8> = args.iter().flat_map(|a| a.to_le_bytes()).collect();
        let context = self.kernel.mem.map(Region::new(Kind::Context, "the context", context).read_only());
        let result = self.execute(&program, index, context);
        self.kernel.mem.unmap(context);
        for map in &mut self.maps {
            map.drop_reservations(&mut self.kernel.mem);
        }
        self.kernel.env.script.clear();
        result
    }

    fn execute(&mut self, program: &Program, index: usize, context: u64) -> Result<Run, Box<Fault>> {
        let mut none = BTreeMap::new();
        let mut machine = Machine {
            program,
            mem: &mut self.kernel.mem,
            env: &mut self.kernel.env,
            maps: &mut self.maps,
            options: &self.options,
            cast: self.cast,
            depths: self.depths.get_mut(index).unwrap_or(&mut none),
            frames: Vec::new(),
            executed: 0,
            garbage: Vec::new(),
            pc: 0,
            script: 0,
        };
        let result = machine.call(0, Regs::args(&[context]));
        let (pc, executed, garbage) = (machine.pc, machine.executed, std::mem::take(&mut machine.garbage));
        for addr in garbage {
            self.kernel.mem.unmap(addr);
        }
        let run = result.and_then(|r0| self.finish(program, Run { r0, verdict: r0 as i32, executed }));
        run.map_err(|wrong| Box::new(fault(program, pc, wrong)))
    }

    fn finish(&self, program: &Program, run: Run) -> Result<Run, Wrong> {
        if let Some(map) = self.maps.iter().find(|m| m.has_reservation()) {
            return Err(Wrong::Reservation(map.def.name.clone()));
        }
        if self.options.lsm_verdict && program.section.starts_with("lsm") && !(-4095..=0).contains(&run.verdict) {
            return Err(Wrong::Verdict(i64::from(run.verdict)));
        }
        Ok(run)
    }

    /// The map of that name.
    pub fn map(&self, name: &str) -> Option<&Map> {
        self.maps.iter().find(|m| m.def.name == name)
    }

    /// All maps, by name.
    pub fn maps(&self) -> impl Iterator<Item = &Map> {
        self.maps.iter()
    }

    /// Reads an entry as user space does.
    pub fn lookup(&self, map: &str, key: &[u8]) -> Option<Vec<u8>> {
        let map = self.map(map)?;
        let addr = map.lookup(key)?;
        self.kernel.mem.bytes(addr, u64::from(map.def.value_size)).ok().map(<[u8]>::to_vec)
    }

    /// Changes or creates an entry as user space does.
    pub fn update(&mut self, map: &str, key: &[u8], value: &[u8]) -> Result<(), String> {
        let (map, mem) = self.map_mut(map)?;
        if map.frozen {
            return Err(format!("the map `{}` is frozen", map.def.name));
        }
        if key.len() != map.def.key_size as usize || value.len() != map.def.value_size as usize {
            return Err(format!("the map `{}` has other sizes", map.def.name));
        }
        match map.update(key, value, 0, mem) {
            0 => Ok(()),
            errno => Err(format!("the map `{}` refuses the entry with {errno}", map.def.name)),
        }
    }

    /// Removes an entry as user space does.
    pub fn delete(&mut self, map: &str, key: &[u8]) -> Result<(), String> {
        let (map, mem) = self.map_mut(map)?;
        let addr = map.delete(key).map_err(|errno| format!("the map `{}` refuses with {errno}", map.def.name))?;
        mem.unmap(addr);
        Ok(())
    }

    /// Forbids user space to change a map from now on.
    pub fn freeze(&mut self, map: &str) -> Result<(), String> {
        self.map_mut(map)?.0.frozen = true;
        Ok(())
    }

    /// Gives a ring buffer another size: a power of two, at least 4,096.
    pub fn resize_ring(&mut self, map: &str, bytes: u32) -> Result<(), String> {
        let (map, mem) = self.map_mut(map)?;
        let def = MapDef { max_entries: bytes, ..map.def.clone() };
        *map = Map::new(def, &[], mem)?;
        Ok(())
    }

    /// Takes the submitted records out of a ring buffer.
    pub fn drain(&mut self, map: &str) -> Vec<Record> {
        self.map_mut(map).map(|(map, _)| map.drain()).unwrap_or_default()
    }

    fn map_mut(&mut self, name: &str) -> Result<(&mut Map, &mut mem::Memory), String> {
        let map = self.maps.iter_mut().find(|m| m.def.name == name);
        Ok((map.ok_or_else(|| format!("there is no map `{name}`"))?, &mut self.kernel.mem))
    }
}

fn fault(program: &Program, pc: usize, wrong: Wrong) -> Fault {
    let text = |insn| disasm_line(insn, program.insns.get(pc + 1), None);
    let insn = program.insns.get(pc).map_or_else(String::new, text);
    Fault { program: program.name.clone(), pc, insn, line: program.line(pc), wrong }
}
