//! Observing foretells enforcing: each scenario with a policy runs once as it is and once with the policy observing, on one
//! kernel. What was refused must have been foretold; what else differs comes from the course that things take, and is kept
//! in the scenario's `modes` file.

use super::{Job, files, text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The other mode of each policy in the text.
pub(super) fn observing(policy: &str) -> String {
    let enforcing = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next(), words.next(), words.next()) == (Some("mode"), Some("="), Some("enforce"))
    };
    // its unit tests speak of the enforcing one
    let mut test = false;
    let kept = policy.lines().filter(|l| {
        test |= l.starts_with("test ");
        let keep = !test;
        test &= *l != "}";
        keep
    });
    kept.map(|l| if enforcing(l) { l.replace("enforce", "observe") } else { l.to_owned() } + "\n").collect()
}

/// Takes the place of the loader in the guest: what a script reads of the events is kept, all of it, and there is room for
/// those of a long one. A script that switches the root takes both along, and has the same `/run` there.
const LOADER: &str = "#!/bin/sh
case $1 in
load) set -- \"$@\" --ring-size 67108864 ;;
events) exec /bin/loader events --json >>/run/told.json ;;
unload | status) /bin/loader events --json >>/run/told.json ;;
esac
exec /bin/loader \"$@\"
";

/// A run of a scenario's script with the policy in this file of the guest: what it printed, and what was done and by which rule
/// it was, or would have been, refused.
fn told(folder: &Path, policy: &str) -> Result<(Output, BTreeSet<String>), String> {
    let place = tempfile::tempdir().unwrap();
    let wrapper = place.path().join("ebsec-load");
    std::fs::write(&wrapper, LOADER).unwrap();
    std::fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new(super::EBSEC);
    command.args(["guest", "--kernel", SERIES, "--timeout", "900"]);
    command.args(std::fs::read_to_string(folder.join("options")).unwrap_or_default().split_whitespace());
    command.arg("--file").arg(format!("{}:/bin/ebsec-load", wrapper.display()));
    for (host, guest) in files(folder)? {
        let guest = match guest.as_str() {
            chosen if chosen == policy => "/scenario/policy.bpf.o",
            "/scenario/policy.bpf.o" | "/scenario/observing.bpf.o" => continue,
            "/bin/ebsec-load" => "/bin/loader",
            other => other,
        };
        command.arg("--file").arg(format!("{}:{guest}", host.display()));
    }
    command.arg("--collect").arg("/run/told.json").arg("--into").arg(place.path());
    let done = command.args(["--", "(. /scenario/guest.sh); code=$?; ebsec-load events; exit $code"]).output().unwrap();
    let lines = std::fs::read_to_string(place.path().join("told.json"))
        .map_err(|_| format!("nothing was told:\n{}{}", text(&done.stdout), text(&done.stderr)))?;
    let told = lines.lines().flat_map(operations).collect();
    Ok((done, told))
}

/// Of a line of the events: one text for each rule that refuses, or would.
fn operations(line: &str) -> Vec<String> {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    let word = |at: &str| event.pointer(at).and_then(serde_json::Value::as_str).unwrap_or("-");
    if !matches!(word("/verdict"), "refused" | "killed" | "would refuse" | "would kill") {
        return Vec::new();
    }
    let object = ["/path", "/addr"].map(word).into_iter().find(|w| *w != "-").unwrap_or("-");
    // an operation that is refused meets fewer of its objects than one that is not
    let also = event["also"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    let rules: Vec<_> = event["rules"].as_array().unwrap().iter().filter(|rule| rule["action"] != "audit").collect();
    let line = |object: &str, rule: &serde_json::Value| {
        without_numbers(&format!("{} {} {object} {}", rule["rule"].as_str().unwrap(), word("/process/comm"), word("/target")))
    };
    [object].into_iter().chain(also).flat_map(|object| rules.iter().map(move |rule| line(object, rule))).collect()
}

/// Numbers of processes, descriptors and files without a name differ from run to run: `/12/`, `iou-wrk-12`, `#12`.
fn without_numbers(text: &str) -> String {
    let part = |part: &str| {
        let name = part.trim_end_matches(['/', ' ']);
        let rest = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = rest.len() < name.len() && (rest.is_empty() || rest.ends_with(['-', '#']));
        if number { format!("{rest}N{}", &part[name.len()..]) } else { part.to_owned() }
    };
    text.split_inclusive(['/', ' ']).map(part).collect()
}

/// The differences of a scenario: `+` was foretold and not refused, `-` was refused and not foretold.
fn differences(folder: &Path) -> Result<String, String> {
    let (done, enforced) = told(folder, "/scenario/policy.bpf.o")?;
    if !reads_events(folder) {
        super::compare(SERIES, folder, &done)?;
    }
    let (_, observed) = told(folder, "/scenario/observing.bpf.o")?;
    let only =
        |sign: &str, a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).map(|l| format!("{sign} {l}\n")).collect::<String>();
    println!("{}: {} refused, {} foretold", folder.file_name().unwrap().display(), enforced.len(), observed.len());
    Ok(only("-", &enforced, &observed) + &only("+", &observed, &enforced))
}

/// The kernel on which modes are compared.
const SERIES: &str = "6.12";

/// The script prints what it reads of the events, which are kept instead where modes are compared.
fn reads_events(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("guest.sh")).unwrap().contains("ebsec-load events")
}

/// The modes are compared, and with them what the script prints: the scenario need not run on this kernel again.
pub(super) fn covers(folder: &Path, series: &str) -> bool {
    series == SERIES && folder.join("modes").exists() && !reads_events(folder)
}

/// One job for each scenario whose modes are compared.
pub(super) fn jobs<'a>(scenarios: &'a BTreeMap<String, PathBuf>, available: &[&str]) -> Vec<Job<'a>> {
    let compared = |folder: &Path| available.contains(&SERIES) && super::runs_on(folder, SERIES) && folder.join("modes").exists();
    scenarios
        .iter()
        .filter(|(_, folder)| compared(folder))
        .map(|(name, folder)| Job { name: format!("{name} in both modes"), run: Box::new(|| foretells(folder)) })
        .collect()
}

/// Observing foretells enforcing.
fn foretells(folder: &Path) -> Result<(), String> {
    let found = differences(folder)?;
    let kept = std::fs::read_to_string(folder.join("modes")).unwrap();
    if found != kept && super::blesses() {
        std::fs::write(folder.join("modes"), &found).unwrap();
    } else if found != kept {
        return Err(super::difference(&kept, &found));
    }
    Ok(())
}

#[test]
fn a_policy_is_turned_into_one_that_observes() {
    let policy = |mode| format!("policy a {{\n    mode = {mode}\n    // mode = x\n}}\n");
    let test = "test \"a\" {\n    a exec \"/x\" => deny\n}\n";
    assert_eq!(observing(&format!("{}{test}{}", policy("enforce"), policy("observe"))), policy("observe").repeat(2));
    assert_eq!(without_numbers("rule iou-wrk-7 /proc/12/root/a1 #34"), "rule iou-wrk-N /proc/N/root/a1 #N");
}
