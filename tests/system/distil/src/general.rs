//! Takes a path of the guest, gives the one that stands for it on any host, and the class of paths of which one row is enough.

/// How much of a path below a folder counts: so many names. The longest folder holds; elsewhere one path of a folder stands for all.
const DEPTHS: &[(&str, usize)] = &[
    ("/boot", usize::MAX),
    ("/etc", usize::MAX),
    ("/etc/rc", 2),
    ("/etc/sv", 2),
    ("/etc/systemd", 3),
    ("/home", usize::MAX),
    ("/proc", 3),
    ("/root", usize::MAX),
    ("/run/systemd", 3),
    ("/run/systemd/journal", 4),
    ("/run/udev", 3),
    ("/run/user", 4),
    ("/sys", 3),
    ("/sys/devices", 2),
    ("/sys/module", 2),
    ("/tmp", 1),
    ("/usr/bin", usize::MAX),
    ("/usr/lib/systemd", 4),
    ("/usr/sbin", usize::MAX),
    ("/usr/lib/locale", 3),
    ("/usr/share", 3),
    ("/var/cache", 3),
    ("/var/lib", 3),
    ("/var/lib/dpkg", 4),
    ("/var/log", usize::MAX),
    ("/var/tmp", 1),
];

/// What the recording made for itself, in the guest: none of it is on another host.
const OWN: &[&str] = &["/ebsec", "/system", "/srv", "/run/key", "/run/root.", "/run/typed", "/run/record", "/run/files", "/run/step.log"];

/// Parts of the names of what the image has and most hosts do not.
const IMAGE: &[&str] =
    &["ebsec-events", "ebsec-test", "netavark", "nfs", "nginx", "podman", "postgresql", "redis", "rpc-pipefs", "/nv-proxy"];

/// The path as any host has it; none if only the recording has it.
pub fn path(path: &str) -> Option<String> {
    if IMAGE.iter().any(|part| path.contains(part)) {
        return None;
    }
    if OWN
        .iter()
        .any(|own| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || own.ends_with('.') || rest.starts_with(['/', '.'])))
    {
        return None;
    }
    let mut out = String::new();
    let mut before = "";
    for name in path.split('/').skip(1) {
        out.push('/');
        out.push_str(&general(&out, before, name));
        before = name;
    }
    Some(out)
}

/// One name of a path.
fn general(folder: &str, before: &str, name: &str) -> String {
    let number = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    match folder {
        // Process 1 is another matter than any other.
        "/proc/" if number && name != "1" => return "1000".to_owned(),
        "/dev/pts/" if number => return "0".to_owned(),
        "/usr/lib/modules/" if name.starts_with(|c: char| c.is_ascii_digit()) => return "6.12.0".to_owned(),
        "/home/" if matches!(name, "eve" | "mallory" | "bob") => return "user".to_owned(),
        _ => {}
    }
    if number && matches!(before, "task" | "fd" | "fdinfo" | "map_files") {
        return "1".to_owned();
    }
    drawn(&hexadecimal(name))
}

/// Names of machines, boots and sessions are UUIDs or long hexadecimal numbers: their digits are replaced.
fn hexadecimal(name: &str) -> String {
    // What systemd is writing: `.#NAME` and 16 digits.
    if let Some((head, _)) = name.strip_prefix(".#").and_then(|rest| rest.split_at_checked(rest.len().checked_sub(16)?)) {
        return format!(".#{}{}", hexadecimal(head), "0".repeat(16));
    }
    let mut out = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let run = rest.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
        let length = match rest.get(..36).is_some_and(uuid) {
            true => 36,
            false if run >= 16 => run,
            false => 0,
        };
        let (number, after) = rest.split_at(length.max(first.len_utf8()));
        match length {
            0 => out.push_str(number),
            _ => out.extend(number.chars().map(|c| if c == '-' { '-' } else { '0' })),
        }
        rest = after;
    }
    out
}

fn uuid(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(digits)
}

/// The end of a temporary file's name is drawn by lot: six, eight or ten characters after a dot, a dash or an underscore, of upper
/// case and others. Those of systemd's private folders are so whatever they are, those of its sockets never. deb-systemd-helper
/// has five in the middle (`.stateXXXXX.tmp`).
fn drawn(name: &str) -> String {
    if name.strip_prefix(".state").and_then(|rest| rest.strip_suffix(".tmp")).is_some_and(|lot| lot.len() == 5) {
        return ".statexxxxx.tmp".to_owned();
    }
    let Some(at) = name.rfind(['.', '-', '_']) else { return name.to_owned() };
    let (head, tail) = name.split_at(at + 1);
    let has = |test: fn(&char) -> bool| tail.chars().any(|c| test(&c));
    let mixed = has(char::is_ascii_uppercase) && (has(char::is_ascii_lowercase) || has(char::is_ascii_digit));
    let lot = matches!(tail.len(), 6 | 8 | 10) && tail.bytes().all(|b| b.is_ascii_alphanumeric());
    match lot && !name.starts_with("io.systemd.") && (mixed || name.starts_with("systemd-private-")) {
        true => format!("{head}{}", "x".repeat(tail.len())),
        false => name.to_owned(),
    }
}

/// What stands for the path where one of a kind is enough.
pub fn class(path: &str) -> String {
    // Files of a package are unpacked beside those that they replace.
    let path = [".dpkg-new", ".dpkg-tmp"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    let mut plain = String::new();
    for c in path.chars() {
        match c.is_ascii_digit() {
            true if plain.ends_with('0') => {}
            true => plain.push('0'),
            false => plain.push(c),
        }
    }
    // Groups are many, and each has the same files.
    if let Some(name) = plain.strip_prefix("/sys/fs/cgroup/").and_then(|rest| rest.rsplit('/').next()) {
        let kind = ["cgroup.procs", "cgroup.", "memory."].iter().find(|kind| name.starts_with(*kind));
        return format!("/sys/fs/cgroup/*/{}", kind.unwrap_or(&""));
    }
    let below =
        |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder == "/etc/rc");
    match DEPTHS.iter().filter(|(folder, _)| below(folder)).max_by_key(|(folder, _)| folder.len()) {
        Some((_, depth)) => plain.split('/').take(depth.saturating_add(1)).collect::<Vec<_>>().join("/"),
        None => plain.rsplit_once('/').map_or(plain.clone(), |(folder, _)| format!("{folder}/")),
    }
}
