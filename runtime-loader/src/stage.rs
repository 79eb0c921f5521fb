//! A checked artifact in; its maps made, filled and frozen, and its programs verified by the kernel, out. Attaches and
//! pins nothing: dropping what it gives undoes everything. `load` and `check` share it.

use crate::error::{Error, Result};
use crate::object::{Object, ObjectMap, ObjectProgram};
use crate::policy::{invalid, is_iterator, kernel_version, map_name};
use crate::sys::{Kernel, LOG_STATS, LOG_STEPS, MapSpec, Number, ProgKind, ProgSpec, SysError};
use ebsec_artifact::{Artifact, KernelFunctions, KernelUse, Manifest, ManifestProgram, MapRole, Question, Tables};
use std::collections::BTreeMap;

/// Room for the verifier's numbers and its last word.
const SHORT_LOG: usize = 64 << 10;
/// Room for every step of the verifier.
const LONG_LOG: usize = 16 << 20;
/// A program that was refused after more steps than this is not verified again for the sake of its log.
const MAX_STEPS: u64 = 100_000;
/// Lines of the verifier's log that an error shows.
const SHOWN_LINES: usize = 12;
/// The first kernel that takes programs of policies.
const FIRST_KERNEL: (u32, u32) = (6, 1);

/// Maps by name; the spec is what the map was made with.
pub type Maps<K> = BTreeMap<String, (<K as Kernel>::Fd, MapSpec)>;

/// Maps that are ready, and programs that wait to be loaded.
pub struct Staged<K: Kernel> {
    /// All maps, filled and frozen except those that programs and the loader write to.
    pub maps: Maps<K>,
    /// The object's type information in the kernel.
    pub btf: Option<K::Fd>,
    /// LSM programs that this kernel can have, in the order of the policy.
    pub programs: Vec<(ManifestProgram, ObjectProgram, u32)>,
    /// Iterator programs, in the order in which they run.
    pub iterators: Vec<(ObjectProgram, u32)>,
    /// Programs that an older kernel has no hook for, with the reason.
    pub skipped: Vec<(ManifestProgram, String)>,
}

/// What the verifier says of a program that it accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Instructions that it went through.
    pub instructions: u64,
    /// States that it kept at once.
    pub peak_states: u64,
    /// States that it made in all.
    pub total_states: u64,
    /// Instructions after the kernel's rewriting.
    pub translated: u32,
}

/// Makes, fills and freezes the maps, and fits the programs to them.
pub fn stage<K: Kernel>(kernel: &mut K, artifact: &Artifact<'_>, ring_size: Option<u32>) -> Result<Staged<K>> {
    let kernel_btf = kernel.kernel_btf().map_err(|_| {
        Error::refused(
            "this kernel has no type information at /sys/kernel/btf/vmlinux",
            "use a kernel with CONFIG_DEBUG_INFO_BTF=y and mount /sys",
        )
    })?;
    let functions = KernelFunctions::read(&kernel_btf).ok_or_else(|| {
        Error::refused("the kernel's type information is unreadable", "use a kernel whose /sys/kernel/btf/vmlinux is whole")
    })?;
    let mut object = Object::parse(artifact.bytes, &kernel_btf)?;
    object.ask(&artifact.functions, &functions)?;
    let other_way = |asked: &KernelUse<'_>| asked.question == Question::Exists && functions.id(&asked.kernel).is_none();
    if artifact.functions.iter().any(other_way) && kernel.confidential() {
        return Err(locked_down());
    }
    let btf = match object.btf()? {
        Some(btf) => Some(kernel.btf_load(&btf).map_err(|e| Error::system("loading the policy's type information", &e))?),
        None => None,
    };
    let maps = make_maps(kernel, &object, artifact, ring_size)?;
    let programs = object.programs(|name| maps.get(name).map(|(fd, _)| fd.number()))?;
    let mut staged = Staged { maps, btf, programs: Vec::new(), iterators: Vec::new(), skipped: Vec::new() };
    choose(&mut staged, programs, &artifact.manifest, &functions, &kernel.release())?;
    Ok(staged)
}

/// Programs read the kernel's memory by casts where it has them, and else by a helper that such a lockdown forbids.
fn locked_down() -> Error {
    Error::refused(
        "this kernel's lockdown forbids programs to read kernel memory, and it has no `bpf_rdonly_cast` by which they could do without",
        "use kernel 6.2 or later, or boot with `lockdown=integrity` or without lockdown",
    )
}

/// All maps are made, then the rule tables are filled, then frozen.
fn make_maps<K: Kernel>(kernel: &mut K, object: &Object, artifact: &Artifact<'_>, ring_size: Option<u32>) -> Result<Maps<K>> {
    let ring = map_name(&artifact.manifest, MapRole::Events)?;
    let objects = object.maps();
    let mut maps: Maps<K> = BTreeMap::new();
    for map in &objects {
        let mut spec = map.spec.clone();
        if let (true, Some(size)) = (spec.name == ring, ring_size) {
            spec.max_entries = size;
        }
        let fd = kernel.map_create(&spec).map_err(|e| Error::system(format!("making the map `{}`", spec.name), &e))?;
        maps.insert(spec.name.clone(), (fd, spec));
    }
    for map in objects.iter().filter(|m| m.data.iter().any(|b| *b != 0)) {
        fill(kernel, &maps, &map.spec.name, &0u32.to_le_bytes(), &map.data)?;
    }
    fill_tables(kernel, &maps, &artifact.tables)?;
    for map in &objects {
        let name = &map.spec.name;
        let frozen = is_frozen(map, artifact)?;
        if let (true, Some((fd, _))) = (frozen, maps.get(name)) {
            kernel.map_freeze(fd).map_err(|e| Error::system(format!("freezing the map `{name}`"), &e))?;
        }
    }
    Ok(maps)
}

/// Tables are frozen; what programs and the loader write is not, and starts empty. Anything between is refused: a map
/// that holds rules must not be open to change.
fn is_frozen(map: &ObjectMap, artifact: &Artifact<'_>) -> Result<bool> {
    let name = &map.spec.name;
    let declared = artifact.manifest.maps.iter().find(|m| m.name == *name);
    let declared = declared.ok_or_else(|| invalid(format!("its manifest does not name the map `{name}`")))?;
    let table = matches!(declared.role, MapRole::Table | MapRole::Prefixes);
    let filled = map.data.iter().any(|b| *b != 0) || artifact.tables.get(name).is_some();
    let read_only = map.data.is_empty() || !map.writable;
    match (declared.frozen, table) {
        (true, true) if read_only => Ok(true),
        (false, false) if !filled => Ok(false),
        _ => Err(invalid(format!("its map `{name}` is a table that can be written, or the contrary"))),
    }
}

fn fill_tables<K: Kernel>(kernel: &mut K, maps: &Maps<K>, tables: &Tables<'_>) -> Result<()> {
    for table in &tables.tables {
        for (key, value) in table.entries() {
            fill(kernel, maps, table.name, key, value)?;
        }
    }
    Ok(())
}

fn fill<K: Kernel>(kernel: &mut K, maps: &Maps<K>, name: &str, key: &[u8], value: &[u8]) -> Result<()> {
    let sizes = |s: &MapSpec| (s.key_size as usize, s.value_size as usize);
    match maps.get(name) {
        Some((fd, spec)) if sizes(spec) == (key.len(), value.len()) => {
            kernel.map_update(fd, key, value).map_err(|e| Error::system(format!("filling the map `{name}`"), &e))
        }
        _ => Err(invalid(format!("contents of a map `{name}` that do not fit it"))),
    }
}

/// A map by its part.
pub fn map<'a, K: Kernel>(maps: &'a Maps<K>, manifest: &Manifest, role: MapRole) -> Result<&'a (K::Fd, MapSpec)> {
    let name = map_name(manifest, role)?;
    maps.get(name).ok_or_else(|| invalid(format!("it has no map `{name}`")))
}

/// Sorts the programs into those to load and those that this kernel has no hook for.
fn choose<K: Kernel>(
    staged: &mut Staged<K>,
    mut programs: Vec<ObjectProgram>,
    manifest: &Manifest,
    points: &KernelFunctions<'_>,
    release: &str,
) -> Result<()> {
    for program in &manifest.programs {
        let at = programs.iter().position(|p| p.name == program.name && (p.kind == ProgKind::Iter) == is_iterator(program));
        let Some(at) = at else {
            return Err(invalid(format!("its manifest names a program `{}` that is not there", program.name)));
        };
        let object = programs.swap_remove(at);
        if is_iterator(program) {
            let id = points.iterator("task");
            let id = id.ok_or_else(|| Error::refused("this kernel has no iterator over tasks", "use kernel 5.8 or later"))?;
            staged.iterators.push((object, id));
            continue;
        }
        match points.hook(&program.hook) {
            Some(id) => staged.programs.push((program.clone(), object, id)),
            None => staged.skipped.push((program.clone(), skip(program, release)?)),
        }
    }
    match programs.first() {
        Some(extra) => Err(invalid(format!("its manifest does not name the program `{}`", extra.name))),
        None => Ok(()),
    }
}

/// Why a program without a hook is left out; an error if its hook should be there.
fn skip(program: &ManifestProgram, release: &str) -> Result<String> {
    let (hook, first) = (&program.hook, &program.first_kernel);
    if kernel_version(first) > kernel_version(release) {
        return Ok(format!("kernel {release} has no such hook, it comes with {first}"));
    }
    Err(Error::refused(
        format!("kernel {release} has no hook `{hook}`, though kernels since {first} should"),
        "use a kernel with CONFIG_BPF_LSM=y and CONFIG_SECURITY_PATH=y, or leave the hook's events out of the policy",
    ))
}

impl<K: Kernel> Staged<K> {
    /// Lets the kernel verify and load a program.
    pub fn load_program(&self, kernel: &mut K, program: &ObjectProgram, id: u32) -> Result<(K::Fd, Verified)> {
        let spec = ProgSpec {
            name: &program.name,
            kind: program.kind,
            attach_btf_id: id,
            instructions: &program.instructions,
            func_info: &program.func_info,
            line_info: &program.line_info,
            license: &program.license,
            btf: self.btf.as_ref().map_or(-1, Number::number),
        };
        let mut log = vec![0; SHORT_LOG];
        match kernel.prog_load(&spec, LOG_STATS, &mut log) {
            Ok(fd) => {
                let info = kernel.prog_info(&fd).map_err(|e| Error::system(format!("reading back the program `{}`", program.name), &e))?;
                Ok((fd, Verified { translated: info.translated, ..verified(&log) }))
            }
            Err(error) => {
                let mut long = Vec::new();
                if verified(&log).instructions <= MAX_STEPS {
                    long.resize(LONG_LOG, 0);
                    // Only the text matters; should the second try be accepted, it is dropped at once.
                    drop(kernel.prog_load(&spec, LOG_STATS | LOG_STEPS, &mut long));
                }
                Err(refusal(&program.name, &error, &log, &long, &kernel.release()))
            }
        }
    }
}

/// Reads `processed N insns (limit …) max_states_per_insn … total_states N peak_states N …`.
fn verified(log: &[u8]) -> Verified {
    let text = String::from_utf8_lossy(log);
    let line = text.lines().rev().find(|l| l.starts_with("processed ")).unwrap_or_default();
    let after = |key: &str| {
        let mut words = line.split_whitespace().skip_while(|w| *w != key);
        words.nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    Verified { instructions: after("processed"), peak_states: after("peak_states"), total_states: after("total_states"), translated: 0 }
}

/// The verifier's last words, with the policy lines that the steps belong to.
fn refusal(name: &str, error: &SysError, short: &[u8], long: &[u8], release: &str) -> Error {
    let (short, long) = (String::from_utf8_lossy(short), String::from_utf8_lossy(long));
    let words = |text: &str| -> Vec<String> {
        let skip = |l: &&str| {
            !l.is_empty() && !l.starts_with("processed ") && !l.starts_with("verification time") && !l.starts_with("stack depth")
        };
        text.lines().filter(skip).map(|l| l.chars().filter(|c| !c.is_control()).take(200).collect()).collect()
    };
    let (short, long) = (words(&short), words(&long));
    let last = short.last().cloned().unwrap_or_default();
    // A log that did not fit lacks its end on older kernels; then only the last word is shown.
    let whole = long.last().is_some_and(|l| *l == last);
    let shown = if whole { &long } else { &short };
    let policy_line = long.iter().rev().find(|l| l.starts_with("; ")).filter(|_| whole);
    let mut detail: Vec<String> = shown.iter().skip(shown.len().saturating_sub(SHOWN_LINES)).cloned().collect();
    if let Some(line) = policy_line.filter(|l| !detail.contains(l)) {
        detail.insert(0, line.clone());
    }
    if last.contains("bpf_probe_read_kernel") {
        return Error { detail: vec![format!("{name}: {last}")], ..locked_down() };
    }
    let cause = if last.is_empty() { error.to_string() } else { last };
    let mut refused = Error::refused(
        format!("the kernel's verifier refused the program `{name}`: {cause}"),
        match error.errno {
            _ if kernel_version(release) < FIRST_KERNEL => {
                format!("kernel {release} is too old: policies take {}.{} or later", FIRST_KERNEL.0, FIRST_KERNEL.1)
            }
            libc::EPERM => error.advice(),
            _ => "verify the policy on this kernel before release: `ebsec verify`".to_owned(),
        },
    );
    refused.detail = detail;
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifiers_numbers_are_read() {
        let log =
            b"stack depth 8+0\nprocessed 1234 insns (limit 1000000) max_states_per_insn 4 total_states 56 peak_states 50 mark_read 3\n";
        assert_eq!(verified(log), Verified { instructions: 1234, peak_states: 50, total_states: 56, translated: 0 });
        assert_eq!(verified(b""), Verified::default());
    }

    #[test]
    fn a_refusal_shows_the_last_lines_and_the_policy_line() {
        let error = SysError { call: "BPF_PROG_LOAD", errno: libc::EINVAL };
        let mut long = "; deny file.write @ base.ebsec:7\n".to_owned();
        for i in 0..40 {
            long += &format!("{i}: (b7) r0 = 0\n");
        }
        long += "R0 is bad\nprocessed 3 insns\n";
        let refused = refusal("ebsec_file_open", &error, b"R0 is bad\nprocessed 3 insns\n", long.as_bytes(), "6.12.3");
        assert!(refused.message.ends_with("`ebsec_file_open`: R0 is bad"));
        assert_eq!(refused.detail.first().map(String::as_str), Some("; deny file.write @ base.ebsec:7"));
        assert_eq!(refused.detail.len(), SHOWN_LINES + 1);
        assert!(refused.help.contains("`ebsec verify`"));
        let cut = refusal("x", &error, b"R0 is bad\n", b"0: (b7) r0 = 0\n", "5.10.0-21-amd64");
        assert_eq!(cut.help, "kernel 5.10.0-21-amd64 is too old: policies take 6.1 or later");
        assert_eq!(cut.detail, ["R0 is bad"]);
    }
}
