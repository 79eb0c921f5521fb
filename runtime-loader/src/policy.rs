//! What the loader needs to know of a checked artifact: programs, table contents, rules. Plain data; the artifact
//! crate's reader is the only source of it.

/// A checked artifact, as the loader sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Package name; safe as a file name (see [`Policy::folder`]).
    pub package: String,
    /// Package version.
    pub version: String,
    /// SHA-256 of the artifact, hex.
    pub digest: String,
    /// Programs in the order in which they are attached.
    pub programs: Vec<Program>,
    /// Iterator programs in the order in which they run.
    pub iterators: Vec<String>,
    /// Entries that maps begin with.
    pub fills: Vec<Fill>,
    /// Outcomes by number: 0 is nothing, 1 the canary's.
    pub outcomes: Vec<Outcome>,
    /// Rules by number.
    pub rules: Vec<Rule>,
}

/// An LSM program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Name inside the object.
    pub name: String,
    /// The hook it is attached to.
    pub hook: String,
    /// Whether it can refuse, so that the canary must see it do so.
    pub enforcing: bool,
    /// First kernel that has the hook, such as `6.2`; older ones skip the program.
    pub first_kernel: String,
}

/// One entry of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    /// The map's name.
    pub map: String,
    /// Key bytes.
    pub key: Vec<u8>,
    /// Value bytes.
    pub value: Vec<u8>,
}

/// What an event can come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The event, such as `file.write`.
    pub event: String,
    /// Error number that the caller gets; 0 for none.
    pub errno: u32,
    /// The rules of this outcome, and whether each failed to be decided.
    pub rules: Vec<(usize, bool)>,
}

/// A rule of the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// `policy.label`
    pub name: String,
    /// `deny`, `audit`, …
    pub action: String,
    /// Source file.
    pub file: String,
    /// Line in the source file, from 1.
    pub line: u32,
}

impl Policy {
    /// The package's name as a file name: letters, digits, `-` and `_`, at most 64 bytes, not empty.
    pub fn folder(&self) -> String {
        let keep = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
        let name: String = self.package.chars().take(64).map(keep).collect();
        if name.is_empty() || name.starts_with("staging") { format!("policy_{name}") } else { name }
    }
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
        let policy = |package: &str| Policy { package: package.to_owned(), ..Policy::default() };
        assert_eq!(policy("base-host").folder(), "base-host");
        assert_eq!(policy("../x.y").folder(), "___x_y");
        assert_eq!(policy("").folder(), "policy_");
    }
}
