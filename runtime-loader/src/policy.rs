//! Bytes of a file in, the checked artifact out, and the few questions that only the loader asks of its manifest.

use crate::error::{Error, Result};
use crate::sys::Kernel;
use ebsec_artifact::{Artifact, MAX_LENGTH, Manifest, ManifestProgram, MapRole, Rule, open};
use std::path::Path;

/// Reads a file once; everything later works on these bytes.
pub fn read<K: Kernel>(kernel: &K, path: &Path) -> Result<Vec<u8>> {
    let shown: String = path.to_string_lossy().chars().map(|c| if crate::text::unseen(c) { '?' } else { c }).collect();
    kernel.read_file(path, MAX_LENGTH as u64).map_err(|e| Error::refused(format!("`{shown}` cannot be read: {e}"), e.advice()))
}

/// Checks the digest, then everything else that the artifact's reader checks.
pub fn check(bytes: &[u8]) -> Result<Artifact<'_>> {
    open(bytes).map_err(|e| {
        Error::refused(format!("the file is refused: {e}"), "fetch it again, or compile the policy with the version of this loader")
    })
}

/// The package's name as a file name: letters, digits, `-` and `_`, at most 64 bytes, not empty.
pub fn folder(manifest: &Manifest) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let name: String = manifest.package.chars().take(64).map(keep).collect();
    if name.is_empty() || name == "control" || name.starts_with("staging") { format!("policy_{name}") } else { name }
}

/// Whether a program is an iterator that runs once, when the policy is loaded.
pub fn is_iterator(program: &ManifestProgram) -> bool {
    program.section.starts_with("iter/")
}

/// Whether the canary must see this program refuse: it raises events, and may refuse them. A program that only keeps
/// the process records has no event that the canary could provoke.
pub fn must_prove(program: &ManifestProgram) -> bool {
    program.enforcing && !program.events.is_empty() && !is_iterator(program)
}

/// Name of the map or section that has this part.
pub fn map_name(manifest: &Manifest, role: MapRole) -> Result<&str> {
    let map = manifest.maps.iter().find(|m| m.role == role);
    map.map(|m| m.name.as_str()).ok_or_else(|| invalid(format!("its manifest names no map for {role:?}").to_lowercase()))
}

/// The digest is right and the artifact is still not one that a loader can use.
pub fn invalid(what: impl std::fmt::Display) -> Error {
    Error::refused(format!("the artifact is invalid: {what}"), "compile the policy again")
}

/// `policy.label`; `policy.default` for a default.
pub fn rule_name(rule: &Rule) -> String {
    format!("{}.{}", rule.policy, rule.label.as_deref().unwrap_or("default"))
}

/// `6.12.3-cloud` as (6, 12); zeros where there is no number.
pub fn kernel_version(text: &str) -> (u32, u32) {
    let mut parts = text.split(|c: char| !c.is_ascii_digit()).map(|p| p.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare() {
        assert_eq!(kernel_version("6.12.3-amd64"), (6, 12));
        assert_eq!(kernel_version("5.7"), (5, 7));
        assert_eq!(kernel_version("x"), (0, 0));
        assert!(kernel_version("6.2") < kernel_version("6.12"));
    }

    #[test]
    fn folders_are_plain_names() {
        let policy = |package: &str| folder(&Manifest { package: package.to_owned(), ..Manifest::default() });
        assert_eq!(policy("base-host"), "base-host");
        assert_eq!(policy("../x.y"), "___x_y");
        assert_eq!(policy("staging"), "policy_staging");
        assert_eq!(policy("control"), "policy_control");
        assert_eq!(policy(""), "policy_");
    }
}
