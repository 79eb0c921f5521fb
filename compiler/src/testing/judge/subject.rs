//! Takes an operation's process, builds its task and its record: written from the plan's tables, or left by the fork and
//! exec hooks, or by the programs that seed records for processes older than the policy.

use super::{Judge, Layout, Past, Trouble, objects};
use crate::hir::{FileAttributes, Operation, PathValue, Program, Subject};
use crate::testing::vm::Task;
use crate::testing::vm::kernel::{Namespace, TaskSpec};
use ebsec_artifact::schema::Record;

/// A process, laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Laid {
    /// Its `task_struct`.
    pub task: u64,
    /// Its mount namespace, in which its files are.
    pub namespace: Namespace,
}

const CLONE_THREAD: u64 = 0x1_0000;
/// Every fact of a record is known.
const ALL_KNOWN: u32 = 3;

/// A program as a file, and the mount namespace in which it is executed.
struct Image {
    file: u64,
    namespace: Namespace,
}

/// Builds the process and makes it the current one.
pub(super) fn lay_out(judge: &mut Judge<'_>, operation: &Operation, layout: Layout) -> Result<Laid, Trouble> {
    let subject = &operation.subject;
    let home = home(judge, operation, layout.variant);
    let task = match layout.past {
        Past::Written => {
            let task = make(judge, subject, &home, 0).map_err(Trouble::Impossible)?;
            let record = written(judge, subject);
            judge.vm.update("tasks", &task.addr.to_le_bytes(), &record.write()).map_err(Trouble::Impossible)?;
            task
        }
        Past::Hooks => executed(judge, subject, &home, layout.variant)?,
        Past::Seeded => seeded(judge, subject, &home, layout.variant)?,
        Past::Missing => {
            let lost = |p: &Program| p.path == PathValue::Failed && !p.trusted;
            if !lost(&subject.exe) || !lost(&subject.parent) || !subject.lineage.iter().all(lost) || subject.lineage.is_empty() {
                return Err(Trouble::Impossible("of a process without a record nothing is known".to_owned()));
            }
            make(judge, subject, &home, 0).map_err(Trouble::Impossible)?
        }
    };
    let laid = Laid { task: task.addr, namespace: home.mounts };
    judge.vm.kernel.env.task = task;
    Ok(laid)
}

/// Where a process is: its mount namespace, and its pid namespaces below the host's.
#[derive(Clone, Debug)]
struct Home {
    mounts: Namespace,
    pids: Vec<u64>,
}

/// One of the ways to be in a container or not, and in one that counts as identity or not.
fn home(judge: &Judge<'_>, operation: &Operation, variant: u64) -> Home {
    let (host, places) = (judge.stage.world.host, judge.stage.places);
    let (own, other) = (places.pids, places.untrusted_pids);
    let mut ways: Vec<(Namespace, Vec<u64>)> = match (operation.subject.container, operation.subject.container_trusted) {
        (false, _) => vec![(host, vec![]), (host, vec![]), (places.service, vec![]), (places.borrowed, vec![])],
        (true, true) => vec![
            (host, vec![own]),
            (host, vec![own, other]),
            (places.container, vec![]),
            (places.container, vec![own]),
            (places.container, vec![other]),
            (places.untrusted, vec![own]),
            (places.service, vec![own]),
        ],
        (true, false) => vec![
            (host, vec![other]),
            (host, vec![other, own]),
            (places.untrusted, vec![]),
            (places.untrusted, vec![other]),
            (places.service, vec![other]),
            (places.borrowed, vec![other]),
        ],
    };
    // the paths of the objects tell which of them can be
    let alone = operation.objects.iter().flatten().count() == 1;
    ways.retain(|(mounts, _)| operation.objects.iter().flatten().all(|o| judge.stage.shows(*mounts, o, alone)));
    let chosen = (variant % ways.len().max(1) as u64) as usize;
    let (mounts, pids) = ways.into_iter().nth(chosen).unwrap_or((host, Vec::new()));
    Home { mounts, pids }
}

/// A task with the ids of the subject, which runs nothing yet. `parent` is 0 for none.
fn make(judge: &mut Judge<'_>, subject: &Subject, home: &Home, parent: u64) -> Result<Task, String> {
    judge.pid += 1;
    let comm = String::from_utf8(subject.comm.clone()).map_err(|_| "this task name is not text".to_owned())?;
    let spec = TaskSpec {
        pid: judge.pid,
        tgid: judge.pid,
        uid: subject.uid,
        euid: subject.euid,
        gid: subject.gid,
        comm,
        exe: 0,
        parent,
        namespace: Some(home.mounts),
        pids: home.pids.clone(),
    };
    judge.with_world(|judge| judge.stage.world.task(&spec))
}

/// What the exec hooks would have left.
fn written(judge: &Judge<'_>, subject: &Subject) -> Record {
    let plan = judge.plan;
    let number = |p: &Program| {
        let (class, trusted) = plan.program(p);
        class << 1 | u32::from(trusted)
    };
    let [line0, line1, line2, line3] = plan.line_of(&subject.lineage);
    let events = plan.possible(&subject.exe, &subject.parent, &subject.lineage);
    let of_line = |p: &Program| plan.subject.line_events.get(number(p) as usize).copied().unwrap_or(0);
    Record {
        exe: number(&subject.exe),
        parent: number(&subject.parent),
        pending: 2,
        flags: ALL_KNOWN,
        events,
        line_events: subject.lineage.iter().fold(0, |all, p| all | of_line(p)),
        line0,
        line1,
        line2,
        line3,
        base_ns: 0,
        base_number: 0,
        image: 0,
        parent_image: 0,
        parent_pid: 0,
        operation: 0,
        paths: 0,
        hosts: 0,
        classes: [0; 32],
        host_classes: [0; 32],
        steps: 0,
        call: 0,
        object: 0,
        joined: 0,
    }
}

/// The file of a program and where it is executed, so that it has its path and is trusted or not.
fn image(judge: &mut Judge<'_>, program: &Program, variant: u64) -> Result<Image, String> {
    let (host, places) = (judge.stage.world.host, judge.stage.places);
    // by a mount of nobody's a file has each of its names, as where container runtimes execute themselves
    let detached = detached(judge, program, variant & 64 != 0);
    let (at, namespace) = match (program.trusted, variant % 3) {
        _ if detached => (host, host),
        (true, 0) => (places.container, places.container),
        (true, _) => (host, host),
        (false, 0) => (places.untrusted, host),
        (false, _) => (places.untrusted, places.untrusted),
    };
    let (namespace, at, path) = if !program.other_paths.is_empty() && !detached {
        (places.untrusted, places.untrusted, borrowed_as(judge, program)?)
    } else {
        let borrowed = borrowed(judge, program).filter(|_| namespace == places.untrusted && variant & 64 != 0);
        (namespace, at, borrowed.unwrap_or_else(|| program.path.clone()))
    };
    judge.with_world(|judge| {
        let memfd = program.path == PathValue::Absent && variant & 8 == 0;
        let mut at = objects::place(&mut judge.stage, &path, memfd, at, variant >> 4)?;
        if detached {
            at = judge.stage.world.clone_of(at, 0)?;
        }
        judge.stage.world.inode(at.dentry, objects::spec(FileAttributes { mode: 0o755, owner: 0, memfd }))?;
        Ok(Image { file: objects::open(&mut judge.stage, at, 1, 0x20)?, namespace })
    })
}

/// Whether a program is executed by a mount that is attached nowhere: if it has all names that the host has for its file, or,
/// where it may be so too, what rules say of it is what they say of these together.
fn detached(judge: &Judge<'_>, program: &Program, too: bool) -> bool {
    let PathValue::Known(path) = &program.path else { return false };
    let path = String::from_utf8_lossy(path);
    let aliases = judge.stage.scenery.aliases(&path);
    if program.other_paths.is_empty() {
        return too && joined(judge, &path, aliases) == Some(program.trusted);
    }
    program.trusted && program.other_paths == values(aliases)
}

/// Where a user's own namespace shows the host's file, so that it has just the names of this program.
fn borrowed_as(judge: &Judge<'_>, program: &Program) -> Result<PathValue, String> {
    let PathValue::Known(path) = &program.path else { return Err("what has no path has no other one".to_owned()) };
    let outside = values(judge.stage.scenery.outside(&String::from_utf8_lossy(path)));
    let names = if outside.is_empty() { vec![PathValue::Absent] } else { outside };
    if program.trusted || program.other_paths != names {
        return Err("no namespace gives a program these names".to_owned());
    }
    Ok(program.path.clone())
}

fn values(paths: Vec<String>) -> Vec<PathValue> {
    paths.into_iter().map(|path| PathValue::Known(path.into_bytes())).collect()
}

/// Where a user's own namespace shows the host's file at this path, if what rules say of all its names together is what they
/// say of an untrusted program with this one.
fn borrowed(judge: &Judge<'_>, program: &Program) -> Option<PathValue> {
    let PathValue::Known(path) = &program.path else { return None };
    let path = String::from_utf8_lossy(path);
    let there = judge.stage.scenery.inside(&path)?;
    let names = judge.stage.scenery.outside(&there).into_iter().chain([there.clone()]).collect();
    joined(judge, &path, names).map(|_| PathValue::Known(there.into_bytes()))
}

/// Whether a program with these further names is trusted with its path; `None`: it is not the program with this path any more.
fn joined(judge: &Judge<'_>, path: &str, further: Vec<String>) -> Option<bool> {
    let joins = &judge.plan.subject.joins;
    let class = |path: &str| judge.plan.paths.class_of(path.as_bytes());
    let own = joins.program(&[class(path), class(path)])?.0;
    let classes: Vec<u32> = [class(path)].into_iter().chain(further.iter().map(|name| class(name))).collect();
    joins.program(&classes).filter(|(joined, _)| *joined == own).map(|(_, trusted)| trusted)
}

/// Gives a task another mount namespace.
fn move_to(judge: &mut Judge<'_>, task: u64, namespace: Namespace) -> Result<(), String> {
    let kernel = &mut judge.vm.kernel;
    let proxy = kernel.get(task, "task_struct.nsproxy")?;
    kernel.set(proxy, "nsproxy.mnt_ns", namespace.addr)
}

/// Makes a task run a file: from then on the kernel shows it.
fn shows(judge: &mut Judge<'_>, task: u64, file: u64) -> Result<(), String> {
    let kernel = &mut judge.vm.kernel;
    let mm = kernel.alloc("mm_struct")?;
    kernel.set(mm, "mm_struct.exe_file", file)?;
    kernel.set(task, "task_struct.mm", mm)
}

fn call(judge: &mut Judge<'_>, program: &str, arguments: &[u64]) -> Result<(), Trouble> {
    judge.vm.run(program, arguments).map(drop).map_err(|f| Trouble::Fault(f.to_string()))
}

/// An exec of the current task.
fn exec(judge: &mut Judge<'_>, program: &Program, variant: u64) -> Result<(), Trouble> {
    let task = judge.vm.kernel.env.task.addr;
    let image = image(judge, program, variant).map_err(Trouble::Impossible)?;
    move_to(judge, task, image.namespace).map_err(Trouble::Impossible)?;
    let binprm = judge.with_world(|judge| judge.stage.world.binprm(image.file)).map_err(Trouble::Impossible)?;
    call(judge, "ebsec_bprm_check_security", &[binprm])?;
    shows(judge, task, image.file).map_err(Trouble::Impossible)?;
    call(judge, "ebsec_bprm_committed_creds", &[binprm])
}

fn fork(judge: &mut Judge<'_>, child: Task, flags: u64) -> Result<(), Trouble> {
    call(judge, "ebsec_task_alloc", &[child.addr, flags])?;
    judge.vm.kernel.env.task = child;
    Ok(())
}

/// The whole line, executed: ancestors one after the other, the parent, a fork, the program; sometimes another thread.
fn executed(judge: &mut Judge<'_>, subject: &Subject, home: &Home, variant: u64) -> Result<Task, Trouble> {
    let host = Home { mounts: judge.stage.world.host, pids: Vec::new() };
    let first = make(judge, subject, &host, 0).map_err(Trouble::Impossible)?;
    call(judge, "ebsec_seed", &[0, first.addr])?;
    judge.vm.kernel.env.task = first.clone();
    for (i, program) in subject.lineage.iter().chain([&subject.parent]).enumerate() {
        exec(judge, program, variant.rotate_right(i as u32 * 5))?;
    }
    let mut task = make(judge, subject, home, first.addr).map_err(Trouble::Impossible)?;
    fork(judge, task.clone(), 0)?;
    // a child that is what its parent is need not exec
    if subject.exe != subject.parent || variant & 16 == 0 {
        exec(judge, &subject.exe, variant.rotate_right(32))?;
    }
    if variant & 32 != 0 {
        let thread = make(judge, subject, home, first.addr).map_err(Trouble::Impossible)?;
        fork(judge, thread.clone(), CLONE_THREAD)?;
        task = thread;
    }
    move_to(judge, task.addr, home.mounts).map_err(Trouble::Impossible)?;
    Ok(task)
}

/// The process with living ancestors, all older than the policy.
fn seeded(judge: &mut Judge<'_>, subject: &Subject, home: &Home, variant: u64) -> Result<Task, Trouble> {
    let mut line: Vec<Task> = Vec::new();
    let host = Home { mounts: judge.stage.world.host, pids: Vec::new() };
    for (i, program) in subject.lineage.iter().chain([&subject.parent, &subject.exe]).enumerate() {
        let above = line.last().map_or(0, |t| t.addr);
        let variant = variant.rotate_right(i as u32 * 5);
        let task = make(judge, subject, &host, above).map_err(Trouble::Impossible)?;
        if program.path != PathValue::Absent || variant & 64 == 0 {
            let image = image(judge, program, variant).map_err(Trouble::Impossible)?;
            move_to(judge, task.addr, image.namespace).map_err(Trouble::Impossible)?;
            shows(judge, task.addr, image.file).map_err(Trouble::Impossible)?;
        }
        line.push(task);
    }
    if variant & 128 != 0 {
        line.reverse();
    }
    // the loader reads the iterators
    judge.vm.kernel.env.task = make(judge, subject, &host, 0).map_err(Trouble::Impossible)?;
    for program in ["ebsec_seed", "ebsec_seed_line"] {
        for task in &line {
            call(judge, program, &[0, task.addr])?;
        }
    }
    let task = if variant & 128 != 0 { line.first() } else { line.last() };
    let task = task.cloned().ok_or_else(|| Trouble::Impossible("there is no process".to_owned()))?;
    // only then it comes to where it is
    let moved = move_to(judge, task.addr, home.mounts).and_then(|()| {
        let kernel = &mut judge.vm.kernel;
        let pid = kernel.pid(judge.stage.world.pid_ns, &home.pids)?;
        kernel.set(task.addr, "task_struct.thread_pid", pid)
    });
    moved.map_err(Trouble::Impossible)?;
    Ok(task)
}
