//! The policies that are measured, and AppArmor's profiles of the same rules. Text in, nothing else.

use std::fmt::Write;

/// The path of 20 characters.
pub const SHORT: &str = "/etc/a/b/c/file.conf";
/// The path of 93 characters in 8 components.
pub const LONG: &str = "/usr/share/applications/vendorname/releases-2024/stable-branch/configuration/prod-eu.conf.yml";
/// The program in scope.
pub const SUBJECT: &str = "/bin/subject";

/// The five shapes, in turn: (condition of ours, rule of AppArmor's).
fn shape(i: usize) -> (String, String) {
    let under = format!("/var/lib/svc{i}/data");
    match i % 5 {
        0 => equal(format!("/srv/app{i}/secret{}.key", i * 7919 % 100_003)),
        1 => pattern(format!("/home/*/.cfg{i}/**")),
        2 => pattern(format!("/opt/vendor{i}/bin/*")),
        3 => (format!("file.path under \"{under}\""), format!("{under}{{,/**}}")),
        _ => equal(format!("/etc/d{i}.conf")),
    }
}

fn equal(path: String) -> (String, String) {
    (format!("file.path == \"{path}\""), path)
}

fn pattern(path: String) -> (String, String) {
    (format!("file.path in [\"{path}\"]"), path)
}

/// The rules: so many, two of them a suffix away from the measured paths, so that the automaton has to walk these to
/// their end.
fn rules(count: usize) -> impl Iterator<Item = (String, String)> {
    let near = [SHORT, LONG].map(|path| equal(format!("{path}.secret")));
    near.into_iter().chain((0..count.saturating_sub(2)).map(shape))
}

/// A path that the last rule of its shape refuses, and that no smaller set of rules does.
pub fn denied(count: usize) -> String {
    exact(count).last().map(|(_, path)| path).unwrap_or_default()
}

/// Each rule, by its number, whose path is spelled out, with that path.
pub fn exact(count: usize) -> impl Iterator<Item = (usize, String)> {
    let numbered = (0..count.saturating_sub(2)).filter(|i| i % 5 == 4);
    // two rules come before those of the shapes
    numbered.map(|i| (i + 2, format!("/etc/d{i}.conf")))
}

/// A policy of `count` file rules about the subject.
pub fn files(count: usize) -> String {
    parts(count, usize::MAX).concat()
}

/// The same rules as policies of at most so many, for files of their own: a file has at most 8 MiB.
pub fn parts(count: usize, most: usize) -> Vec<String> {
    let rules: Vec<_> = rules(count).collect();
    let part = |(number, rules): (usize, &[(String, String)])| {
        let mut text = policy(&format!("files{number}"));
        for (i, (condition, _)) in rules.iter().enumerate() {
            let _ = writeln!(text, "    r{i}: deny file.read when {condition} because \"measured\"");
        }
        text + "}\n"
    };
    rules.chunks(most).enumerate().map(part).collect()
}

/// A policy about exec: path of the program, and lineage by its scope.
pub fn exec() -> String {
    policy("programs") + "    r: deny exec when file.path in [\"/opt/vendor/bin/*\", \"/bench/text.not\"] because \"measured\"\n}\n"
}

/// A policy about changes of files, of every process.
pub fn writes() -> String {
    let mut text = "policy writes {\n    description = \"measured\"\n    severity = low\n    mode = enforce\n".to_owned();
    for (i, (condition, _)) in rules(10).enumerate() {
        let _ = writeln!(text, "    r{i}: deny file.write when {condition} because \"measured\"");
    }
    text + "}\n"
}

/// Every policy of the library that needs no parameters, enforced.
pub fn library() -> String {
    let policies = [
        "credentials.shadow",
        "credentials.private_keys",
        "paths.system_binaries",
        "paths.logs_removed",
        "paths.run_from_temp",
        "paths.container_runtime",
        "paths.file_systems_of_users",
        "programs.shells_of_servers",
        "programs.miners_run",
    ];
    let mut text = "import std.credentials\nimport std.paths\nimport std.programs\n".to_owned();
    for policy in policies {
        let _ = writeln!(text, "apply std.{policy} with {{ mode = enforce }}");
    }
    text
}

fn policy(name: &str) -> String {
    let scope = format!("process.lineage.exe == \"{SUBJECT}\"");
    format!("policy {name} {{\n    description = \"measured\"\n    severity = low\n    mode = enforce\n    scope = {scope}\n")
}

/// AppArmor's profile of the rules of [`files`].
pub fn profile(count: usize) -> String {
    let mut text = format!("profile subject {SUBJECT} {{\n capability,\n file,\n /** rwmlkix,\n");
    for (_, rule) in rules(count) {
        let _ = writeln!(text, " deny {rule} r,");
    }
    text + "}\n"
}
