//! A sample of random policies and operations on real kernels: what real system calls get in a guest is what the
//! reference interpreter says. Small by default; `EBSEC_SAMPLE=N` takes N policies (`make soak`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use ebsec_compiler::hir::eval::{Verdict, eval};
use ebsec_compiler::hir::{FileAttributes, Object, Operation, Package, PathValue, Program, Remote, Subject};
use ebsec_compiler::pipeline::{self, Input};
use ebsec_compiler::source::Sources;
use ebsec_compiler::testing::differential::random::Random;
use ebsec_templates::catalog;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "kernel/skips.rs"]
mod skips;

const EBSEC: &str = env!("CARGO_BIN_EXE_ebsec");
/// Operations under each policy.
const OPERATIONS: usize = 16;
/// Copies of the program that acts.
const PROGRAMS: [&str; 4] = ["/opt/one", "/opt/two", "/opt/sub/one", "/opt/three-with-a-long-name-of-41-characters"];
/// The guest's shell, which starts them.
const SHELL: &str = "/bin/busybox";
/// Files: path, permission bits, owner.
const FILES: [(&str, u16, u32); 6] = [
    ("/srv/a/key.pem", 0o600, 0),
    ("/srv/a/conf", 0o644, 33),
    ("/srv/b/conf", 0o4755, 0),
    ("/srv/b/sub/x.key", 0o640, 1000),
    ("/srv/a-name-that-is-longer-than-any-kernel-keeps-in-a-dentry/conf", 0o2755, 33),
    ("/srv/bin/tool", 0o755, 0),
];
/// Names that are not there.
const FREE: [&str; 4] = ["/srv/a/new", "/srv/b/sub/new.key", "/srv/new", "/srv/b/key.pem"];
const PORTS: [u16; 3] = [443, 444, 8080];

/// What a line of the script does, and the operations that it makes, in order.
struct Line {
    words: String,
    operations: Vec<Operation>,
    /// What is printed where nothing is refused.
    allowed: &'static str,
}

#[test]
#[ignore = "boots guests; `make test` runs it"]
fn kernels_say_what_the_interpreter_says() {
    let policies = std::env::var("EBSEC_SAMPLE").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let only = std::env::var("EBSEC_SERIES").ok();
    let asked = ["6.1", "6.12", "6.18", "7"].into_iter().enumerate();
    let asked: Vec<(usize, &str)> = asked.filter(|(_, series)| only.as_ref().is_none_or(|only| only == series)).collect();
    assert!(!asked.is_empty(), "EBSEC_SERIES names no series");
    // Looked up before the first guest boots: one that is missing fails at once.
    let here: Vec<(usize, &str)> = asked.into_iter().filter(|(_, series)| skips::is_available(EBSEC, series)).collect();
    // Two guests at a time: each keeps one processor busy.
    for pair in here.chunks(2) {
        std::thread::scope(|scope| {
            for &(index, series) in pair {
                scope.spawn(move || sample(series, 100 * index as u64, policies));
            }
        });
    }
}

fn sample(series: &str, seed: u64, policies: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut script = prelude();
    let mut expected = Vec::new();
    let mut files = Vec::new();
    for p in 0..policies {
        let mut random = Random::new(seed + p as u64);
        let text = policy(&mut random);
        let (package, sources) = check(&text);
        let object = folder.path().join(format!("p{p}.bpf.o"));
        std::fs::write(&object, pipeline::build(&package, &sources, ebsec_artifact::Tests::default()).unwrap().artifact).unwrap();
        files.push((object, format!("/scenario/p{p}.bpf.o")));
        let _ = writeln!(script, "ebsec-load load /scenario/p{p}.bpf.o >/load.txt 2>&1 || cat /load.txt");
        for _ in 0..OPERATIONS {
            let line = line(&mut random);
            let number = expected.len();
            let _ = writeln!(script, "rm -rf /srv; cp -a /tree /srv\necho \"{number} $({})\"", line.words);
            let (verdict, said) = expect(&package, &line);
            expected.push((format!("{number} {said}"), format!("{text}\n{}\n{verdict:?}", line.words)));
        }
        script.push_str("ebsec-load unload >/dev/null 2>&1\n");
    }
    let path = folder.path().join("guest.sh");
    std::fs::write(&path, script).unwrap();
    files.push((path, "/scenario/guest.sh".into()));
    let printed = guest(series, files);
    let got: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let wanted: Vec<&str> = expected.iter().map(|(line, _)| line.trim_end()).collect();
    let differs = wanted.iter().zip(&expected).filter(|(line, _)| !got.contains(line));
    let report: Vec<String> = differs
        .map(|(line, (_, what))| {
            let number = line.split(' ').next().unwrap();
            let said = got.iter().find(|g| g.split(' ').next() == Some(number)).unwrap_or(&"nothing");
            format!("expected `{line}`, the kernel {series} says `{said}`\n{what}")
        })
        .collect();
    assert!(report.is_empty() && got.len() == wanted.len(), "{}\n{printed}", report.join("\n\n"));
    let refused = wanted.iter().filter(|l| l.ends_with("EPERM") || l.ends_with("EACCES") || l.ends_with("ENOENT")).count();
    let killed = wanted.iter().filter(|l| !l.contains(' ')).count();
    println!("{series}: {} pairs agree, {refused} refused, {killed} killed", wanted.len());
    assert!(refused + killed > 0);
}

/// The tree, and the copies of the program.
fn prelude() -> String {
    let mut script = "exec 2>/dev/null\nip link set lo up || ifconfig lo up\n".to_owned();
    for program in PROGRAMS {
        let _ = writeln!(script, "mkdir -p $(dirname {program}); cp /bin/guest-tools {program}");
    }
    for (file, mode, owner) in FILES {
        let there = file.replacen("/srv", "/tree", 1);
        let _ = writeln!(script, "mkdir -p $(dirname {there}); cp /bin/guest-tools {there}; chown {owner} {there}; chmod {mode:o} {there}");
    }
    script
}

fn check(text: &str) -> (Package, Sources) {
    let mut sources = Sources::default();
    sources.add("sample.ebsec", text);
    let checked = pipeline::check(Input { sources, ..Input::default() });
    let package = checked.package.unwrap_or_else(|| panic!("{text}\n{:?}", checked.diagnostics));
    (package, checked.sources)
}

/// A policy about what the copies do below `/srv` and to this machine alone, so that the script itself goes on.
fn policy(random: &mut Random) -> String {
    let mut text = String::new();
    for p in 0..2 {
        let mode = if random.chance(85) { "enforce" } else { "observe" };
        let _ = writeln!(text, "policy p{p} {{\n    mode = {mode}");
        for r in 0..2 + random.below(3) {
            let action = random.word(&["deny", "deny", "deny", "kill", "audit"]);
            let event = random.word(&["file.read", "file.write", "file.write", "exec", "file.run", "net.egress"]);
            let net = event == "net.egress";
            let place = if net { "remote.ip in [127.0.0.0/8, ::1/128]" } else { "file.path under \"/srv\"" };
            let _ =
                write!(text, "    r{r}: {action} {event} when (process.exe under \"/opt\") and ({place}) and ({})", cond(random, net, 2));
            if random.chance(40) {
                let _ = write!(text, " unless {}", cond(random, net, 1));
            }
            if action != "audit" && random.chance(40) {
                text.push_str(" with { errno = EACCES }");
            }
            text.push('\n');
        }
        text.push_str("}\n");
    }
    text
}

fn cond(random: &mut Random, net: bool, depth: usize) -> String {
    if depth > 0 && random.chance(45) {
        let word = random.word(&[" and ", " or ", " or "]);
        return format!("({}){word}({})", cond(random, net, depth - 1), cond(random, net, depth - 1));
    }
    let program = random.word(&PROGRAMS);
    let subject = [
        format!("process.exe == \"{program}\""),
        format!("process.exe != \"{program}\""),
        format!("process.exe.name == \"{}\"", program.rsplit('/').next().unwrap()),
        format!("process.lineage.exe == \"{program}\""),
        format!("not (process.lineage.exe == \"{program}\")"),
        "process.parent.exe == \"/bin/busybox\"".to_owned(),
        "process.uid == 0".to_owned(),
        "process.container".to_owned(),
        "process.comm in [\"one\", \"three*\"]".to_owned(),
    ];
    let (file, mode, owner) = FILES[random.below(FILES.len())];
    let object = if net {
        vec![
            format!("remote.port == {}", random.pick(&PORTS)),
            "remote.port in [444..9000]".to_owned(),
            "remote.ip == ::1".to_owned(),
            "remote.ip in [127.0.0.0/30]".to_owned(),
            "socket.protocol == tcp and socket.family == inet".to_owned(),
        ]
    } else {
        vec![
            format!("file.path == \"{file}\""),
            format!("file.path != \"{file}\""),
            format!("file.path in [\"{}\", \"/srv/*/conf\"]", random.word(&FREE)),
            "file.path matches \"/srv/**/*.key\"".to_owned(),
            "file.path under \"/srv/b\"".to_owned(),
            "file.path.name in [\"key*\", \"new\"]".to_owned(),
            "file.path.ext in [\"key\", \"pem\"]".to_owned(),
            format!("file.mode == {mode:#o}").replace("0o0", "0o"),
            "file.mode has 0o4000".to_owned(),
            format!("file.owner == {owner}"),
            "file.owned".to_owned(),
            "file.setuid".to_owned(),
        ]
    };
    if random.chance(45) { random.pick(&subject) } else { random.pick(&object) }
}

/// A random operation of a process that was made by one or two programs.
fn line(random: &mut Random) -> Line {
    let (first, second) = (random.word(&PROGRAMS), random.word(&PROGRAMS));
    let programs = if random.chance(50) { vec![first] } else { vec![first, second] };
    let mut words: String = programs.iter().take(programs.len() - 1).map(|p| format!("{p} do exec ")).collect();
    let exe = programs[programs.len() - 1];
    let (file, ..) = FILES[random.below(FILES.len())];
    let (other, ..) = FILES[random.below(FILES.len())];
    let free = random.word(&FREE);
    let target = if random.chance(30) && other != file { other } else { free };
    let subject = subject(&programs);
    let make = |hook: &str, objects: Vec<Option<Object>>, facts: &[&str]| operation(&subject, hook, objects, facts);
    let open = |file: &str, fact: &str| make("file_open", vec![there(file)], &[fact]);
    let mut allowed = "ok";
    let (what, operations) = match random.below(10) {
        0 => (format!("read {file}"), vec![open(file, "open.read")]),
        1 => (format!("append {file}"), vec![open(file, "open.write")]),
        2 => (format!("truncate {file}"), vec![open(file, "open.write"), make("path_truncate", vec![there(file)], &[])]),
        3 => {
            // opened for reading too: that is what the program asks for
            let made = Some(Object { file: Some(FileAttributes { mode: 0o644, owner: 0, memfd: false }), ..new(free).unwrap() });
            let opened = make("file_open", vec![made], &["created", "open.read", "open.write"]);
            (format!("create {free}"), vec![make("path_mknod", vec![new(free)], &[]), opened])
        }
        4 => (format!("remove {file}"), vec![make("path_unlink", vec![there(file)], &[])]),
        5 => {
            let over = FILES.iter().any(|(f, ..)| *f == target);
            let facts: &[&str] = if over { &["replaces"] } else { &[] };
            let replaced = if over { there(target) } else { None };
            (format!("rename {file} {target}"), vec![make("path_rename", vec![there(file), new(target), replaced, None], facts)])
        }
        6 => (format!("link {file} {free}"), vec![make("path_link", vec![there(file), new(free)], &[])]),
        7 => (format!("symlink {file} {free}"), vec![make("path_symlink", vec![new(free)], &[])]),
        8 => ("exec /srv/bin/tool do read /dev/null".to_owned(), vec![make("bprm_check_security", vec![there("/srv/bin/tool")], &[])]),
        _ => {
            allowed = "ECONNREFUSED";
            let (ip, port) = (random.word(&["127.0.0.1", "127.0.0.9", "[::1]"]), random.pick(&PORTS));
            (format!("connect {ip}:{port}"), vec![connect(&subject, &format!("{ip}:{port}"))])
        }
    };
    let _ = write!(words, "{exe} do {what}");
    Line { words, operations, allowed }
}

fn subject(programs: &[&str]) -> Subject {
    let program = |path: &str| Program::new(PathValue::Known(path.into()), true);
    let exe = programs[programs.len() - 1];
    let comm = exe.rsplit('/').next().unwrap().bytes().take(15).collect();
    let lineage = [SHELL].iter().chain(programs).map(|p| program(p)).collect();
    Subject { exe: program(exe), parent: program(SHELL), lineage, comm, ..Subject::default() }
}

fn there(path: &str) -> Option<Object> {
    let (_, mode, owner) = FILES.iter().find(|(f, ..)| *f == path).unwrap();
    let file = Some(FileAttributes { mode: *mode, owner: *owner, memfd: false });
    Some(Object { path: PathValue::Known(path.into()), file, ..Object::default() })
}

fn new(path: &str) -> Option<Object> {
    Some(Object { path: PathValue::Known(path.into()), ..Object::default() })
}

fn operation(subject: &Subject, hook: &str, objects: Vec<Option<Object>>, facts: &[&str]) -> Operation {
    let hook = catalog().hook(hook).unwrap();
    let facts = facts.iter().map(|f| (*f).to_owned()).collect();
    Operation { hook, subject: subject.clone(), objects, facts, values: [].into(), names: [].into() }
}

fn connect(subject: &Subject, to: &str) -> Operation {
    let to: std::net::SocketAddr = to.parse().unwrap();
    let peer = Object { remote: Some(Remote { named: Some(to.ip()), port: Some(to.port()), source: None }), ..Object::default() };
    let mut operation = operation(subject, "socket_connect", vec![Some(peer)], &["internet"]);
    for (field, value) in [("socket.family", if to.is_ipv4() { 2 } else { 10 }), ("socket.type", 1), ("socket.protocol", 6)] {
        operation.values.insert(catalog().field(field).unwrap(), value);
    }
    operation
}

/// The first verdict that refuses, and what the line prints.
fn expect(package: &Package, line: &Line) -> (Verdict, String) {
    let mut last = Verdict::default();
    for operation in &line.operations {
        last = eval(package, catalog(), operation);
        let said = match (last.killed, last.refused) {
            (true, _) => "",
            (_, Some(1)) => "EPERM",
            (_, Some(13)) => "EACCES",
            _ => continue,
        };
        return (last, said.to_owned());
    }
    (last, line.allowed.to_owned())
}

fn guest(series: &str, files: Vec<(PathBuf, String)>) -> String {
    let patience = (300 + 60 * files.len()).to_string();
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/x86_64-unknown-linux-gnu/debug");
    let mut command = Command::new(EBSEC);
    command.args(["guest", "--kernel", series, "--timeout", &patience]);
    let tools = [("ebsec-guest-tools", "/bin/guest-tools"), ("ebsec-load", "/bin/ebsec-load")];
    let tools = tools.map(|(name, guest)| (programs.join(name), guest.to_owned()));
    for (host, guest) in files.into_iter().chain(tools) {
        assert!(host.exists(), "{} is missing: run `make guest-tools`", host.display());
        command.arg("--file").arg(format!("{}:{guest}", host.display()));
    }
    let done = command.args(["--", ". /scenario/guest.sh"]).output().unwrap();
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{printed}\n{}", String::from_utf8_lossy(&done.stderr));
    printed
}
