//! The least that a program in the kernel can cost: takes hooks, attaches to each
//! a program that allows everything, and runs a command under them. Measures
//! what any policy pays before it has decided anything.

use crate::sys;
use std::fs;
use std::os::fd::OwnedFd;
use std::process::Command;

/// `r0 = 0; exit`
const ALLOW: &[u64] = &[0xb7, 0x95];

const BTF: &str = "/sys/kernel/btf/vmlinux";

/// `empty HOOK[,HOOK…] PROGRAM WORD…`: true if the program ended well.
pub fn empty(words: &[String]) -> Result<bool, String> {
    let [hooks, program, rest @ ..] = words else {
        return Err("empty takes: HOOK[,HOOK…] PROGRAM WORD…".into());
    };
    let types = types()?;
    // Held until the command has ended: a link ends with its descriptor.
    let links: Vec<OwnedFd> = hooks.split(',').map(|hook| attach(&types, hook)).collect::<Result<_, _>>()?;
    let status = Command::new(program).args(rest).status();
    drop(links);
    status.map(|status| status.success()).map_err(|error| format!("cannot run `{program}`: {error}"))
}

/// Attaches a program and takes it away again, for as long as `going`. An iterator over tasks that nobody reads: while a
/// tracepoint is attached the kernel changes its own code, which an emulator of several processors does not always survive.
pub fn restless(going: &dyn Fn() -> bool) -> Result<(), String> {
    let id = function(&types()?, "bpf_iter_task").ok_or("this kernel has no iterator over tasks")?;
    while going() {
        sys::attach_iterator(ALLOW, id).map_err(|error| format!("cannot attach an iterator: {error}"))?;
    }
    Ok(())
}

fn types() -> Result<Vec<u8>, String> {
    fs::read(BTF).map_err(|error| format!("cannot read the kernel's types: {error}"))
}

fn attach(types: &[u8], hook: &str) -> Result<OwnedFd, String> {
    let id = function(types, &format!("bpf_lsm_{hook}")).ok_or_else(|| format!("this kernel has no hook `{hook}`"))?;
    sys::attach_lsm(ALLOW, id).map_err(|error| format!("cannot attach to `{hook}`: {error}"))
}

/// The number of a function among the kernel's types.
fn function(btf: &[u8], name: &str) -> Option<u32> {
    const FUNC: u32 = 12;
    let number = |at: usize| -> Option<u32> { Some(u32::from_le_bytes(btf.get(at..at.checked_add(4)?)?.try_into().ok()?)) };
    let header = number(4)? as usize;
    let (types, size) = (header + number(8)? as usize, number(12)? as usize);
    let strings = header + number(16)? as usize;
    let mut at = types;
    let mut id = 1;
    while at < types + size {
        let (text, info) = (strings + number(at)? as usize, number(at + 4)?);
        let (kind, count) = (info >> 24 & 0x1f, (info & 0xffff) as usize);
        let found = || btf.get(text..)?.strip_prefix(name.as_bytes())?.first().copied();
        if kind == FUNC && found() == Some(0) {
            return Some(id);
        }
        at += 12
            + match kind {
                1 | 14 | 17 => 4,
                3 => 12,
                4 | 5 | 15 | 19 => 12 * count,
                6 | 13 => 8 * count,
                _ => 0,
            };
        id += 1;
    }
    None
}
