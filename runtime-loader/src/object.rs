//! The object's ELF in, maps and programs out, fitted to the running kernel's types and to the maps' descriptors.
//! The bytes must have passed the digest check: the ELF library is not trusted with anything else, and still runs
//! behind a second wall that turns its panics into errors.

use crate::error::{Error, Result};
use crate::policy::invalid;
use crate::sys::{MapSpec, ProgKind};
use crate::trim::trim;
use aya_obj::btf::{Btf, BtfFeatures};
use aya_obj::generated::bpf_insn;
use ebsec_artifact::{KernelFunctions, KernelUse, Patch};
use std::cell::Cell;
use std::collections::HashSet;
use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Caps on what one artifact may ask for.
const MAX_MAPS: usize = 64;
const MAX_PROGRAMS: usize = 64;
const MAX_INSTRUCTIONS: usize = 1 << 20;
/// Bytes of all maps, by their specs.
const MAX_MAP_BYTES: u64 = 1 << 30;

const MAP_HASH: u32 = 1;
const MAP_ARRAY: u32 = 2;
const MAP_PER_CPU_ARRAY: u32 = 6;
const MAP_LPM: u32 = 11;
const MAP_RING: u32 = 27;
/// `BPF_F_RDONLY_PROG`
const RDONLY_PROG: u32 = 1 << 7;

/// A map of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMap {
    /// How to make it.
    pub spec: MapSpec,
    /// The value of its only entry, for a data section; empty for others.
    pub data: Vec<u8>,
    /// Whether programs can write it.
    pub writable: bool,
}

/// A program, ready to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectProgram {
    /// Name inside the object.
    pub name: String,
    /// Attach point.
    pub kind: ProgKind,
    /// The object's license.
    pub license: CString,
    /// Instructions, 8 bytes each; maps' descriptors inside.
    pub instructions: Vec<u8>,
    /// `func_info` records, 8 bytes each.
    pub func_info: Vec<u8>,
    /// `line_info` records, 16 bytes each.
    pub line_info: Vec<u8>,
}

/// A parsed object.
pub struct Object {
    inner: aya_obj::Object,
}

impl Object {
    /// Parses the ELF and fits the programs to the kernel's types.
    pub fn parse(bytes: &[u8], kernel_btf: &[u8]) -> Result<Self> {
        let mut object = wall(|| Ok(Self { inner: aya_obj::Object::parse(bytes).map_err(|e| broken(&e))? }))?;
        object.check()?;
        wall(|| {
            let target = Btf::parse(kernel_btf, object.inner.endianness).map_err(|e| {
                Error::refused(
                    format!("the kernel's types cannot be read: {}", chain(&e)),
                    "use a kernel whose /sys/kernel/btf/vmlinux is whole",
                )
            })?;
            object.inner.relocate_btf(&target).map_err(|e| {
                Error::refused(
                    format!("the policy does not fit this kernel's types: {}", chain(&e)),
                    "compile it again for this kernel and let the gate verify it",
                )
            })
        })?;
        Ok(object)
    }

    /// Answers what the programs ask about the kernel's functions.
    pub fn ask(&mut self, uses: &[KernelUse<'_>], kernel: &KernelFunctions<'_>) -> Result<()> {
        for asked in uses {
            let function = self.inner.functions.values_mut().find(|f| f.name == asked.func);
            let insn = function.and_then(|f| f.instructions.get_mut(asked.slot as usize));
            let insn =
                insn.ok_or_else(|| invalid(format!("it asks about the kernel in `{}`, which has no such instruction", asked.func)))?;
            let patch = asked.answer(kernel, insn.code, insn.src_reg());
            match patch.map_err(|why| Error::refused(why, "this kernel's hooks are of no kind that the policy knows"))? {
                Patch::Immediate(imm) => insn.imm = imm,
                Patch::Offset(off) => insn.off = off,
                Patch::Nothing => {}
            }
        }
        Ok(())
    }

    /// Refuses what no artifact of ours holds.
    fn check(&self) -> Result<()> {
        let inner = &self.inner;
        let instructions: usize = inner.functions.values().map(|f| f.instructions.len()).sum();
        if inner.maps.len() > MAX_MAPS || inner.programs.len() > MAX_PROGRAMS || instructions > MAX_INSTRUCTIONS {
            return Err(invalid("more maps, programs or instructions than a policy may have"));
        }
        let mut total = 0u64;
        for (name, map) in &inner.maps {
            let spec = map_spec(name, map);
            if !matches!(spec.kind, MAP_HASH | MAP_ARRAY | MAP_PER_CPU_ARRAY | MAP_LPM | MAP_RING) {
                return Err(invalid(format!("map `{name}` is of a kind that no policy uses")));
            }
            let entry = u64::from(spec.key_size) + u64::from(spec.value_size).max(1);
            total = total.saturating_add(entry.saturating_mul(u64::from(spec.max_entries)));
        }
        if total > MAX_MAP_BYTES {
            return Err(invalid(format!("maps of {total} bytes, more than {MAX_MAP_BYTES}")));
        }
        Ok(())
    }

    /// The object's type information as the kernel takes it; nothing if it has none.
    pub fn btf(&mut self) -> Result<Option<Vec<u8>>> {
        // Only kinds of types that every kernel with LSM programs knows are in our objects.
        let features = BtfFeatures::new(true, true, true, true, true, true, true, true);
        wall(|| {
            let btf = self.inner.fixup_and_sanitize_btf(&features).map_err(|e| broken(&e))?;
            Ok(btf.map(Btf::to_bytes))
        })
    }

    /// The maps, sorted by name.
    pub fn maps(&self) -> Vec<ObjectMap> {
        let map = |(name, map): (&String, &aya_obj::Map)| ObjectMap {
            spec: map_spec(name, map),
            data: map.data().to_vec(),
            writable: map.map_flags() & RDONLY_PROG == 0,
        };
        let mut maps: Vec<_> = self.inner.maps.iter().map(map).collect();
        maps.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        maps
    }

    /// The programs, sorted by name, with the maps' descriptors put in; `fd` gives the descriptor of a map by name.
    pub fn programs(mut self, fd: impl Fn(&str) -> Option<i32>) -> Result<Vec<ObjectProgram>> {
        wall(|| {
            let maps = self.inner.maps.clone();
            let text: HashSet<usize> = self.inner.functions.keys().map(|(section, _)| *section).collect();
            let fds = maps.iter().filter_map(|(name, map)| Some((name.as_str(), fd(name)?, map)));
            self.inner.relocate_maps(fds, &text).map_err(|e| broken(&e))?;
            self.inner.relocate_calls(&text).map_err(|e| broken(&e))?;
            let mut programs = Vec::new();
            for (name, program) in &self.inner.programs {
                let mut program = self.program(name, program)?;
                trim(&mut program)?;
                programs.push(program);
            }
            programs.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(programs)
        })
    }

    fn program(&self, name: &str, program: &aya_obj::Program) -> Result<ObjectProgram> {
        use aya_obj::ProgramSection as Section;
        let kind = match &program.section {
            Section::Lsm { sleepable: false } => ProgKind::Lsm,
            Section::Lsm { sleepable: true } => ProgKind::LsmSleepable,
            Section::Iter { sleepable: false } => ProgKind::Iter,
            _ => return Err(invalid(format!("program `{name}` is of a kind that no policy uses"))),
        };
        let function = self.inner.functions.get(&program.function_key());
        let function = function.ok_or_else(|| invalid(format!("program `{name}` has no instructions")))?;
        Ok(ObjectProgram {
            name: name.to_owned(),
            kind,
            license: self.inner.license.clone(),
            instructions: function.instructions.iter().flat_map(encode).collect(),
            func_info: function.func_info.func_info_bytes(),
            line_info: function.line_info.line_info_bytes(),
        })
    }
}

fn map_spec(name: &str, map: &aya_obj::Map) -> MapSpec {
    MapSpec {
        name: name.to_owned(),
        kind: map.map_type(),
        key_size: map.key_size(),
        value_size: map.value_size(),
        max_entries: map.max_entries(),
        flags: map.map_flags(),
    }
}

fn encode(insn: &bpf_insn) -> [u8; 8] {
    let ([o0, o1], [i0, i1, i2, i3]) = (insn.off.to_le_bytes(), insn.imm.to_le_bytes());
    [insn.code, insn.dst_reg() | insn.src_reg() << 4, o0, o1, i0, i1, i2, i3]
}

fn broken(error: &dyn std::error::Error) -> Error {
    invalid(chain(error))
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text.replace('\n', " ")
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs library code; a panic in it becomes an error and prints nothing.
fn wall<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !INSIDE.get() {
                loud(info)
            }
        }));
    });
    INSIDE.set(true);
    // The object is thrown away after a panic, so no half-changed state is seen again.
    let result = catch_unwind(AssertUnwindSafe(work));
    INSIDE.set(false);
    result.unwrap_or_else(|_| Err(invalid("its ELF cannot be parsed")))
}
