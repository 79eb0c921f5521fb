//! Takes the text of this machine's apt sources, gives Debian's archives among
//! them, and the text of a private list of some suites there. Never changes the
//! machine's lists and holds no host's name.

use std::path::Path;

/// One archive: where it is and whose signature it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    uri: String,
    /// The value of `Signed-By`: a path, or a key's text over several lines.
    signed_by: Option<String>,
    suites: Vec<String>,
    components: Vec<String>,
}

/// Names a Debian suite can have; a third party's archive uses others.
const SUITES: &[&str] =
    &["bullseye", "bookworm", "trixie", "forky", "duke", "sid", "oldoldstable", "oldstable", "stable", "testing", "unstable"];

/// Suites with the kernels wanted; each kernel is in one of them.
pub const KERNELS: &[&str] = &["bookworm", "bookworm-backports", "trixie-backports", "bookworm-security"];

/// The archives of this machine.
pub fn of_this_machine() -> Vec<Archive> {
    let mut files = vec![Path::new("/etc/apt/sources.list").to_path_buf()];
    if let Ok(folder) = std::fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let mut archives = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("list") => archives.extend(one_line_format(&text)),
            Some("sources") => archives.extend(stanza_format(&text)),
            _ => {}
        }
    }
    archives
}

/// A private list: these suites at the machine's own mirrors, security updates
/// only where there is a mirror of them. `None` if no Debian archive is here.
pub fn private_list<S: AsRef<str>>(archives: &[Archive], suites: &[S]) -> Option<String> {
    let main = archives.iter().find(|a| a.holds(false))?;
    let mut text = String::new();
    for suite in suites.iter().map(AsRef::as_ref) {
        let archive = match suite.ends_with("-security") {
            false => Some(main),
            true => archives.iter().find(|a| a.holds(true)),
        };
        let Some(archive) = archive else { continue };
        text.push_str(&format!("Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\nArchitectures: amd64\n", archive.uri));
        if let Some(key) = &archive.signed_by {
            text.push_str(&format!("Signed-By: {key}\n"));
        }
        text.push('\n');
    }
    Some(text)
}

impl Archive {
    /// Whether this is Debian's own archive, of security updates or of the rest.
    fn holds(&self, security: bool) -> bool {
        let is_suite = |suite: &String| {
            let (name, rest) = suite.split_once(['-', '/']).unwrap_or((suite, ""));
            let known = match rest {
                "security" => security,
                // Before bookworm, security suites were named `SUITE/updates`.
                "updates" => security == suite.contains('/'),
                "" | "backports" | "proposed-updates" => !security,
                _ => false,
            };
            known && SUITES.contains(&name)
        };
        self.components.iter().any(|c| c == "main") && self.suites.iter().any(is_suite)
    }
}

/// `deb [signed-by=KEY] URI SUITE COMPONENT…`, one a line.
fn one_line_format(text: &str) -> Vec<Archive> {
    text.lines().filter_map(one_line).collect()
}

fn one_line(line: &str) -> Option<Archive> {
    let line = line.split('#').next()?.trim();
    let mut rest = line.strip_prefix("deb")?;
    if !rest.starts_with([' ', '\t', '[']) {
        return None;
    }
    rest = rest.trim_start();
    let mut signed_by = None;
    if let Some(inside) = rest.strip_prefix('[') {
        let (options, after) = inside.split_once(']')?;
        let key = options.split_whitespace().find_map(|o| o.strip_prefix("signed-by="));
        signed_by = key.map(str::to_owned);
        rest = after;
    }
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Archive { uri: words.next()?, signed_by, suites: vec![words.next()?], components: words.collect() })
}

/// Stanzas of `Field: value`, apart by blank lines, a value continued by
/// indented lines.
fn stanza_format(text: &str) -> Vec<Archive> {
    let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
    let stanzas = lines.split(|line| line.trim().is_empty());
    stanzas.flat_map(|stanza| stanza_archives(&fields(stanza))).collect()
}

fn fields(stanza: &[&str]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in stanza {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

fn stanza_archives(fields: &[(String, String)]) -> Vec<Archive> {
    let value = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let words = |name: &str| -> Vec<String> {
        let value = value(name).unwrap_or_default();
        value.split_whitespace().map(str::to_owned).collect()
    };
    let off = value("enabled").is_some_and(|v| v.eq_ignore_ascii_case("no"));
    if off || !words("types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    let archive =
        |uri| Archive { uri, signed_by: value("signed-by").map(str::to_owned), suites: words("suites"), components: words("components") };
    words("uris").into_iter().map(archive).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const ONE_LINE: &str = "\
# deb http://old.invalid/debian bookworm main
deb http://tool.invalid/apt bookworm stable
deb [arch=amd64 signed-by=/k.gpg] http://m.invalid/debian bookworm main contrib # here
deb-src http://m.invalid/debian bookworm main
deb http://m.invalid/debian-security bookworm-security main
";

    const STANZAS: &str = "\
Types: deb
# a comment
URIs: http://m.invalid/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN KEY-----
 .
 -----END KEY-----

Types: deb
URIs: http://m.invalid/off
Suites: trixie
Components: main
Enabled: no

Types: deb
URIs: http://m.invalid/nightly
Suites: nodistro
Components: main
";

    #[test]
    fn one_line_sources_give_both_archives() {
        let list = private_list(&one_line_format(ONE_LINE), KERNELS).unwrap();
        assert!(list.contains("URIs: http://m.invalid/debian\nSuites: trixie-backports"));
        assert!(list.contains("URIs: http://m.invalid/debian-security\nSuites: bookworm-security"));
        assert!(list.contains("Signed-By: /k.gpg"));
        assert!(!list.contains("tool.invalid") && !list.contains("old.invalid"));
    }

    #[test]
    fn stanzas_keep_keys_and_skip_what_is_off() {
        let archives = stanza_format(STANZAS);
        assert_eq!(archives.len(), 2);
        let list = private_list(&archives, KERNELS).unwrap();
        assert!(list.contains("\n -----BEGIN KEY-----\n .\n"));
        assert!(!list.contains("security"));
    }

    #[test]
    fn no_debian_archive_is_no_list() {
        assert_eq!(private_list(&one_line_format("deb http://x.invalid/a noble main"), KERNELS), None);
        assert_eq!(private_list(&[], KERNELS), None);
    }
}
