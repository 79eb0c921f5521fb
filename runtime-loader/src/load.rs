//! `load`: a checked artifact in, an enforcing kernel out, or a kernel as it was before. The order is the whole point:
//! every program verified and every table frozen before anything is attached; attached dormant; records seeded;
//! pinned; remembered; switched on by one write; proved by the canary. Says nothing itself.

use crate::error::{Error, Result};
use crate::pins::{self, Pins};
use crate::policy;
use crate::stage::{self, Staged, Verified};
use crate::sys::ops::{Answer, OPERATIONS};
use crate::sys::{Canary, Kernel};
use ebsec_artifact::schema::{Control, Stats};
use ebsec_artifact::{Artifact, Manifest, ManifestProgram, MapRole};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// What is on when `load` succeeds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Attached programs.
    pub attached: Vec<ManifestProgram>,
    /// Programs whose hook this kernel does not have, with the reason.
    pub skipped: Vec<(ManifestProgram, String)>,
    /// Hooks that refused the canary.
    pub proved: Vec<String>,
    /// Enforcing hooks that nothing on this host can reach, so that there was nothing to prove.
    pub out_of_reach: Vec<String>,
    /// Something that is worth telling, though the policy is on.
    pub notes: Vec<String>,
}

/// A program that is attached, with what the kernel said about it.
struct Attached<K: Kernel> {
    program: ManifestProgram,
    link: K::Fd,
    tag: String,
}

/// Loads a policy; on any error the kernel is as it was.
pub fn load<K: Kernel>(kernel: &mut K, artifact: &Artifact<'_>, ring_size: Option<u32>) -> Result<Loaded> {
    host(kernel)?;
    let _lock = pins::lock(kernel)?;
    if let Some(dir) = pins::loaded(kernel)? {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(Error::refused(format!("a policy is loaded already: `{name}`"), "unload it first: `ebsec-load unload`"));
    }
    pins::sweep(kernel)?;
    pins::none_hidden(kernel)?;
    let staged = stage::stage(kernel, artifact, ring_size)?;
    let operations = operations(&staged)?;
    let cell = Cell::of(&staged, artifact)?;
    cell.change(kernel, |c| (c.mode, c.canary, c.lease) = (0, 0, u64::MAX))?;
    let (programs, iterators) = load_programs(kernel, &staged)?;
    // The child prepares itself before anything is attached, so that its preparations raise no event.
    let canary = match operations.is_empty() {
        true => None,
        false => Some(kernel.canary(Path::new(pins::STATE), &operations).map_err(|e| Error::system("starting the canary", &e))?),
    };
    let attached = attach(kernel, programs)?;
    seed(kernel, &staged, artifact, &cell, &iterators)?;
    drop(iterators);
    let mut pins = Pins::default();
    let result = publish(kernel, &mut pins, &staged, &attached, artifact)
        .and_then(|()| cell.change(kernel, |c| c.mode = 1))
        .and_then(|()| prove(kernel, &cell, &Counters::of(&staged, artifact)?, canary, &operations));
    match result {
        Ok((proved, out_of_reach)) => {
            let mut loaded = Loaded { proved, out_of_reach, skipped: staged.skipped, ..Loaded::default() };
            loaded.attached = attached.into_iter().map(|a| a.program).collect();
            loaded.notes.extend(unverified(&kernel.release(), &artifact.manifest));
            remember_proof(kernel, artifact, &mut loaded);
            Ok(loaded)
        }
        Err(error) => Err(undo(kernel, &cell, &pins, error)),
    }
}

/// An error where the kernel asks no BPF program anything.
pub fn asks_programs<K: Kernel>(kernel: &K) -> Result<()> {
    if kernel.security_modules().is_some_and(|modules| !modules.iter().any(|m| m == "bpf")) {
        return Err(Error::refused(
            "this kernel runs without the security module `bpf`",
            "add `bpf` to the list after `lsm=` on the kernel's command line and boot again (the list in use is in /sys/kernel/security/lsm)",
        ));
    }
    Ok(())
}

/// Checks what the host must have.
fn host<K: Kernel>(kernel: &mut K) -> Result<()> {
    asks_programs(kernel)?;
    if !kernel.is_bpffs(Path::new(pins::BPFFS)) {
        return Err(Error::refused(
            format!("no bpf file system is mounted at {}", pins::BPFFS),
            format!("mount it: `mount -t bpf bpf {}`", pins::BPFFS),
        ));
    }
    let of_process_1 = kernel.is_of_process_1(Path::new(pins::BPFFS));
    if !of_process_1.map_err(|e| Error::system(format!("looking at {} of process 1", pins::BPFFS), &e))? {
        return Err(Error::refused(
            format!("process 1 has another file system at {}: what is pinned here ends with this mount namespace", pins::BPFFS),
            "load from the host's mount namespace: `nsenter --target 1 --mount ebsec-load load …`",
        ));
    }
    Ok(())
}

/// Numbers in [`OPERATIONS`] of the operations that must be refused, in the table's order.
fn operations<K: Kernel>(staged: &Staged<K>) -> Result<Vec<usize>> {
    let mut numbers = Vec::new();
    for (program, ..) in staged.programs.iter().filter(|(p, ..)| policy::must_prove(p)) {
        match OPERATIONS.iter().position(|o| o.hook == program.hook) {
            Some(number) => numbers.push(number),
            None => {
                return Err(Error::refused(
                    format!("this loader has no way to prove that the hook `{}` refuses", program.hook),
                    "use the loader of the compiler's version",
                ));
            }
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

type Programs<K> = (Vec<(ManifestProgram, <K as Kernel>::Fd)>, Vec<(String, <K as Kernel>::Fd)>);

fn load_programs<K: Kernel>(kernel: &mut K, staged: &Staged<K>) -> Result<Programs<K>> {
    let mut programs = Vec::new();
    for (program, object, id) in &staged.programs {
        let (fd, _): (_, Verified) = staged.load_program(kernel, object, *id)?;
        programs.push((program.clone(), fd));
    }
    let mut iterators = Vec::new();
    for (object, id) in &staged.iterators {
        iterators.push((object.name.clone(), staged.load_program(kernel, object, *id)?.0));
    }
    Ok((programs, iterators))
}

fn attach<K: Kernel>(kernel: &mut K, programs: Vec<(ManifestProgram, K::Fd)>) -> Result<Vec<Attached<K>>> {
    let mut attached = Vec::new();
    for (program, fd) in programs {
        let error = |e| Error::system(format!("attaching `{}` to the hook `{}`", program.name, program.hook), &e);
        let tag = kernel.prog_info(&fd).map_err(error)?.tag;
        let link = kernel.attach(&fd).map_err(error)?;
        attached.push(Attached { program, link, tag });
    }
    Ok(attached)
}

/// Passes of the iterators in a row that find nobody new, before all are held to be recorded; the time between two; and how
/// many there are at most.
const QUIET: usize = 4;
const PAUSE: Duration = Duration::from_millis(25);
const PASSES: usize = 64;

/// Lets the iterators record the processes that run already, and makes sure that they did. Who is being forked by somebody
/// who has no record yet, or was before the fork hook was attached, is in no list until the fork ends; that is seen by a
/// later pass only. Nothing is judged meanwhile.
fn seed<K: Kernel>(
    kernel: &mut K,
    staged: &Staged<K>,
    artifact: &Artifact<'_>,
    cell: &Cell<'_, K>,
    iterators: &[(String, K::Fd)],
) -> Result<()> {
    if iterators.is_empty() {
        return Ok(());
    }
    let (map, spec) = stage::map::<K>(&staged.maps, &artifact.manifest, MapRole::Stats)?;
    let (mut seeded, mut quiet) = (0, 0);
    for _ in 0..PASSES {
        for (name, program) in iterators {
            kernel.run_iterator(program).map_err(|e| Error::system(format!("recording the running processes with `{name}`"), &e))?;
        }
        let mut stats = vec![0; spec.value_size as usize];
        kernel.map_lookup(map, &0u32.to_le_bytes(), &mut stats).map_err(|e| Error::system("reading the counters", &e))?;
        let now = Stats::read(&stats).map_or(0, |s| s.seeded);
        quiet = if now == seeded { quiet + 1 } else { 0 };
        seeded = now;
        if quiet == QUIET {
            break;
        }
        kernel.pause(PAUSE);
    }
    if seeded > 0 && cell.read(kernel)?.is_some_and(|(control, _)| control.root_mnt != 0) {
        return Ok(());
    }
    Err(Error::refused(
        "the running processes could not be recorded: process 1 is out of the loader's sight",
        "run the loader in the initial pid namespace, not inside a container",
    ))
}

/// Pins maps, then links, remembers the artifact, and gives the pins their name.
fn publish<K: Kernel>(
    kernel: &mut K,
    pins: &mut Pins,
    staged: &Staged<K>,
    attached: &[Attached<K>],
    artifact: &Artifact<'_>,
) -> Result<()> {
    pins.stage(kernel)?;
    let name = policy::folder(&artifact.manifest);
    let record = attached_record(kernel, staged, attached);
    pins.remember(kernel, &name, &[(pins::ARTIFACT, artifact.bytes), (pins::ATTACHED, record.as_bytes())])?;
    let (control, _) = stage::map::<K>(&staged.maps, &artifact.manifest, MapRole::Control)?;
    kernel.pin(control, Path::new(pins::CONTROL)).map_err(|e| Error::system("pinning the control cell", &e))?;
    for (name, (fd, _)) in &staged.maps {
        let path = pins::map_pin(pins.dir(), name);
        kernel.pin(fd, &path).map_err(|e| Error::system(format!("pinning the map `{name}`"), &e))?;
    }
    for attached in attached {
        let path = pins::link_pin(pins.dir(), &attached.program.name);
        kernel.pin(&attached.link, &path).map_err(|e| Error::system(format!("pinning `{}`", attached.program.name), &e))?;
    }
    pins.publish(kernel, &name)
}

fn attached_record<K: Kernel>(kernel: &K, staged: &Staged<K>, attached: &[Attached<K>]) -> String {
    let program =
        |a: &Attached<K>| json!({"program": a.program.name, "hook": a.program.hook, "enforcing": a.program.enforcing, "tag": a.tag});
    let skipped = |(p, reason): &(ManifestProgram, String)| json!({"program": p.name, "hook": p.hook, "reason": reason});
    json!({
        "since": kernel.clocks().0,
        "attached": attached.iter().map(program).collect::<Vec<_>>(),
        "skipped": staged.skipped.iter().map(skipped).collect::<Vec<_>>(),
    })
    .to_string()
}

/// The control cell. It is changed as it is at the moment, for the seeding programs write parts of it.
struct Cell<'a, K: Kernel> {
    map: &'a K::Fd,
    size: usize,
}

impl<'a, K: Kernel> Cell<'a, K> {
    fn of(staged: &'a Staged<K>, artifact: &Artifact<'_>) -> Result<Self> {
        let (map, spec) = stage::map::<K>(&staged.maps, &artifact.manifest, MapRole::Control)?;
        let size = spec.value_size as usize;
        if size < Control::SIZE || spec.key_size != 4 {
            return Err(policy::invalid("its control cell is too small"));
        }
        Ok(Self { map, size })
    }

    fn read(&self, kernel: &mut K) -> Result<Option<(Control, Vec<u8>)>> {
        let mut bytes = vec![0; self.size];
        let error = |e| Error::system("reading the control cell", &e);
        kernel.map_lookup(self.map, &0u32.to_le_bytes(), &mut bytes).map_err(error)?;
        Ok(Control::read(&bytes).map(|control| (control, bytes)))
    }

    /// One read, one write.
    fn change(&self, kernel: &mut K, change: impl FnOnce(&mut Control)) -> Result<()> {
        let Some((mut control, mut bytes)) = self.read(kernel)? else { return Ok(()) };
        change(&mut control);
        bytes.splice(..Control::SIZE, control.write());
        kernel.map_update(self.map, &0u32.to_le_bytes(), &bytes).map_err(|e| Error::system("writing the control cell", &e))
    }
}

/// The counters by outcome.
struct Counters<'a, K: Kernel> {
    map: &'a K::Fd,
    size: usize,
}

/// The outcome of what the canary does.
const CANARY: usize = 1;

impl<'a, K: Kernel> Counters<'a, K> {
    fn of(staged: &'a Staged<K>, artifact: &Artifact<'_>) -> Result<Self> {
        let (map, spec) = stage::map::<K>(&staged.maps, &artifact.manifest, MapRole::Counters)?;
        Ok(Self { map, size: spec.value_size as usize })
    }

    /// How often the policy's programs have refused the canary.
    fn canary(&self, kernel: &mut K) -> Result<u64> {
        let mut bytes = vec![0; self.size];
        kernel.map_lookup(self.map, &0u32.to_le_bytes(), &mut bytes).map_err(|e| Error::system("reading the counters", &e))?;
        Ok(bytes.as_chunks().0.get(CANARY).map_or(0, |count| u64::from_le_bytes(*count)))
    }
}

/// Names the child in the control cell, lets it try everything, and demands that everything was refused, and by the
/// policy's programs: they count it.
fn prove<K: Kernel>(
    kernel: &mut K,
    cell: &Cell<'_, K>,
    counters: &Counters<'_, K>,
    canary: Option<Box<dyn Canary>>,
    operations: &[usize],
) -> Result<(Vec<String>, Vec<String>)> {
    let Some(mut canary) = canary else { return Ok((Vec::new(), Vec::new())) };
    let pid = canary.pid();
    cell.change(kernel, |c| c.canary = pid)?;
    let before = counters.canary(kernel)?;
    let answers = canary.run();
    drop(canary);
    let counted = counters.canary(kernel)?.saturating_sub(before);
    cell.change(kernel, |c| c.canary = 0)?;
    let (proved, out_of_reach) = judge(operations, &answers)?;
    if counted < proved.len() as u64 {
        return Err(Error::refused(
            format!("{} operations of the canary were refused, but only {counted} of them by the policy", proved.len()),
            "find what else on this host refuses: another security module comes before `bpf` in /sys/kernel/security/lsm",
        ));
    }
    Ok((proved, out_of_reach))
}

/// Refused hooks and those out of reach; an error that names every hook which let the canary through.
fn judge(operations: &[usize], answers: &[Answer]) -> Result<(Vec<String>, Vec<String>)> {
    let (mut proved, mut out_of_reach, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let all = operations.iter().filter_map(|i| OPERATIONS.get(*i));
    for (i, operation) in all.enumerate() {
        let hook = operation.hook.to_owned();
        match answers.get(i).copied().unwrap_or(Answer::Silent) {
            Answer::Errno(libc::EPERM) => proved.push(hook),
            Answer::OutOfReach => out_of_reach.push(hook),
            Answer::Done => failed.push(format!("{hook}: to {} was allowed", operation.what)),
            Answer::Silent => failed.push(format!("{hook}: to {} ended the canary", operation.what)),
            Answer::Errno(errno) => {
                let error = std::io::Error::from_raw_os_error(errno).to_string().to_lowercase();
                failed.push(format!("{hook}: to {} gave `{}`", operation.what, error.split(" (os").next().unwrap_or_default()));
            }
        }
    }
    if failed.is_empty() {
        return Ok((proved, out_of_reach));
    }
    let count = failed.len();
    let mut error = Error::refused(
        format!("the canary was not refused by {count} of {} hooks, so the policy was detached", operations.len()),
        "run the loader in the initial pid namespace; check that `lsm=` on the kernel's command line has `bpf`",
    );
    error.detail = failed;
    Err(error)
}

/// A note where nobody verified the artifact on such a kernel before. The running one has just done it.
fn unverified(release: &str, manifest: &Manifest) -> Option<String> {
    let running = policy::kernel_version(release);
    let known = manifest.verified.iter().any(|v| policy::kernel_version(&v.release) == running);
    (!known)
        .then(|| format!("no kernel like {release} is among those that verified the artifact before its release (`ebsec verify --record`)"))
}

/// The note for `status`; the policy may forbid to write it, which changes nothing about the proof.
fn remember_proof<K: Kernel>(kernel: &mut K, artifact: &Artifact<'_>, loaded: &mut Loaded) {
    let path = Path::new(pins::STATE).join(policy::folder(&artifact.manifest)).join(pins::PROVED);
    let proof = json!({"proved": loaded.proved, "out_of_reach": loaded.out_of_reach}).to_string();
    if let Err(error) = kernel.write_file(&path, proof.as_bytes()) {
        loaded.notes.push(format!("`status` will not know of the canary: {error}"));
    }
}

/// Back to dormant, unpinned and detached; tells if something stays.
fn undo<K: Kernel>(kernel: &mut K, cell: &Cell<'_, K>, pins: &Pins, error: Error) -> Error {
    // Should this fail, detaching ends enforcement all the same.
    let _ = cell.change(kernel, |c| (c.mode, c.canary) = (0, 0));
    match pins.undo(kernel) {
        Ok(()) => error,
        Err(left) => {
            let mut error = error;
            error.detail.push(format!("and removing the pins failed ({left}); `ebsec-load unload` tries again"));
            error
        }
    }
}

impl Loaded {
    /// What `load` prints: the policy, then each hook.
    pub fn text(&self, manifest: &Manifest) -> String {
        let state = if self.proved.is_empty() && self.out_of_reach.is_empty() { "observing" } else { "enforcing" };
        let mut text = format!("{state}: {} {}\n", manifest.package, manifest.version);
        let mut rows = Vec::new();
        for program in &self.attached {
            let is = |list: &[String]| policy::must_prove(program) && list.contains(&program.hook);
            let what = match (is(&self.proved), is(&self.out_of_reach)) {
                (true, _) => "refused the canary",
                (_, true) => "attached; nothing on this host can reach it",
                _ => "attached",
            };
            rows.push(vec![format!("  {}", program.hook), what.to_owned()]);
        }
        for (program, reason) in &self.skipped {
            rows.push(vec![format!("  {}", program.hook), format!("skipped: {reason}")]);
        }
        text += &crate::text::table(&rows, &[]);
        for note in &self.notes {
            text += &format!("note: {note}\n");
        }
        text
    }
}
