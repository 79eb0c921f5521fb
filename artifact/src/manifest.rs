//! The manifest: what an artifact is, does and was checked for. JSON without white space, keys sorted, integers only, so
//! that equal manifests are equal bytes. Fields stand in the order of their names for that reason.

use crate::ArtifactError;
use serde::{Deserialize, Serialize};

/// Version of this format.
pub const FORMAT: u32 = 1;

/// The manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Costs that the compiler computed.
    pub budget: Budget,
    /// Name and version of the compiler.
    pub compiler: String,
    /// [`FORMAT`].
    pub format: u32,
    /// Target kernels, `6.1`, oldest first.
    pub kernels: Vec<String>,
    /// Lineage bits in use, of 256.
    pub line_bits: u32,
    /// Maps and read-only data.
    pub maps: Vec<ManifestMap>,
    /// Sets of names that rules ask about on the host.
    pub name_sets: Vec<NameSet>,
    /// The names in them, sorted, for the loader to look up.
    pub names: Vec<Name>,
    /// How often a set has a name for which there was no room.
    pub names_left_out: u32,
    /// Outcomes by number; 0 is nothing, 1 the canary.
    pub outcomes: Vec<Outcome>,
    /// Package from `ebsec.toml`.
    pub package: String,
    /// Classes of paths, the reserved two included.
    pub path_classes: u32,
    /// Programs in the order of the object.
    pub programs: Vec<ManifestProgram>,
    /// Rules that outcomes name.
    pub rules: Vec<Rule>,
    /// Hash of the layouts, [`crate::schema::SCHEMA_HASH`].
    pub schema: String,
    /// Events; the bit in a process record's event mask is the index.
    pub slots: Vec<String>,
    /// Files it was compiled from.
    pub sources: Vec<SourceDigest>,
    /// Unit tests at compile time.
    pub tests: Tests,
    /// Kernels that verified it.
    pub verified: Vec<VerifiedKernel>,
    /// Version from `ebsec.toml`.
    pub version: String,
}

/// What the compiler computed offline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Bytes of everything that programs write, when full.
    pub map_bytes: u64,
    /// States of the path automaton.
    pub path_states: u64,
    /// By program.
    pub programs: Vec<ProgramBudget>,
    /// Bytes of all tables.
    pub table_bytes: u64,
}

/// Costs of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramBudget {
    /// Instructions, subprograms included.
    pub instructions: u64,
    /// Its name.
    pub name: String,
    /// Deepest stack in bytes.
    pub stack: u32,
    /// Estimate of the instructions a kernel will verify; absent: unknown.
    pub verified: Option<u64>,
}

/// Part of a map in the artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MapRole {
    /// The control cell.
    Control,
    /// The table of process records: 8 bytes for the task of each slot (0: free), then the records.
    Records,
    /// Process records that are not in the table.
    Tasks,
    /// Counters by outcome.
    Counters,
    /// Counters of the whole.
    Stats,
    /// Reports.
    Events,
    /// Address classes.
    Prefixes,
    /// Read-only tables.
    Table,
    /// Something else that the programs keep.
    State,
}

/// A map or a read-only data section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestMap {
    /// SHA-256 in hex of its contents at load: of a data section its bytes, of a table of `.ebsec.tables` its entries
    /// (key, value, key, value, …) in order; absent where it starts empty or is written by the loader.
    pub digest: Option<String>,
    /// Frozen after filling: nobody writes it again.
    pub frozen: bool,
    /// Entries.
    pub max_entries: u32,
    /// Its name; of a data section the section's.
    pub name: String,
    /// Its part.
    pub role: MapRole,
}

/// A literal path, or the literal folder that a pattern begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// What can be looked up; empty for the root.
    pub path: String,
    /// The pattern after it, for people: `/*.pid`, `/**`; empty if there is none.
    pub rest: String,
}

/// The names of one set, or of several that the same rule asks of the same field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameSet {
    /// Asked of a field that has every name which the host's mounts give a file, and one suffices: further names of what is
    /// in the set are not worth telling.
    pub any_name: bool,
    /// Indexes into [`Manifest::names`].
    pub names: Vec<u32>,
    /// Indexes into [`Manifest::rules`].
    pub rules: Vec<u32>,
}

/// What an outcome does and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Refused with this errno (positive); 0: allowed.
    pub errno: u16,
    /// Event; empty for the reserved outcomes.
    pub event: String,
    /// Its number, the index in [`Manifest::outcomes`].
    pub id: u32,
    /// The process is killed.
    pub kill: bool,
    /// The rules that made it.
    pub rules: Vec<OutcomeRule>,
}

/// A rule in an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRule {
    /// Index into [`Manifest::rules`].
    pub rule: u32,
    /// Why it is there.
    pub truth: Truth,
}

/// How a rule's condition came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It is true.
    True,
    /// It could not be decided: a path failed or a program is not trusted.
    Failed,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    Deny,
    Kill,
    Audit,
}

/// Whether a policy may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Reports only.
    Observe,
    /// Refuses.
    Enforce,
}

/// Severity, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// A rule or a default of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it does.
    pub action: Action,
    /// ATT&CK ids.
    pub attack: Vec<String>,
    /// Reason, empty if none.
    pub because: String,
    /// Event.
    pub event: String,
    /// Source file.
    pub file: String,
    /// Label; absent for a default.
    pub label: Option<String>,
    /// Line of the label or of `default`, from 1.
    pub line: u32,
    /// Mode of its policy.
    pub mode: Mode,
    /// Qualified name of its policy.
    pub policy: String,
    /// Severity.
    pub severity: Severity,
}

/// A program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestProgram {
    /// May refuse: has an outcome that refuses or kills, or guards the process records.
    pub enforcing: bool,
    /// Events it raises.
    pub events: Vec<String>,
    /// First kernel that has the hook, `6.1`.
    pub first_kernel: String,
    /// The kernel's name of the hook.
    pub hook: String,
    /// Its name, the symbol.
    pub name: String,
    /// Its section, `lsm/file_open`.
    pub section: String,
}

/// A source file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceDigest {
    /// As the user would write it.
    pub path: String,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// Unit tests of the package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tests {
    /// Tests that failed.
    pub failed: u32,
    /// Tests that passed.
    pub passed: u32,
}

/// A kernel that accepted every program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifiedKernel {
    /// By program.
    pub programs: Vec<VerifiedProgram>,
    /// `uname -r`.
    pub release: String,
    /// Target it stands for, `6.1`.
    pub series: String,
}

/// A kernel's own figures of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifiedProgram {
    /// Instructions after translation.
    pub instructions: u64,
    /// Its name.
    pub name: String,
    /// Instructions verified.
    pub verified: u64,
}

#[derive(Deserialize)]
struct Head {
    format: u64,
}

impl Manifest {
    /// Canonical bytes. Equal manifests give equal bytes.
    ///
    /// # Errors
    /// None in practice: every field has a JSON form.
    pub fn encode(&self) -> Result<Vec<u8>, ArtifactError> {
        serde_json::to_vec(self).map_err(|e| ArtifactError::Manifest(e.to_string()))
    }

    /// Reads canonical bytes and checks that what refers to something finds it.
    ///
    /// # Errors
    /// Another format, unknown or missing fields, bytes that are not canonical, references to nothing.
    pub fn decode(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let invalid = |e: serde_json::Error| ArtifactError::Manifest(e.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(invalid)?;
        if head.format != u64::from(FORMAT) {
            return Err(ArtifactError::Format(head.format));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(invalid)?;
        if manifest.encode()? != bytes {
            return Err(ArtifactError::Manifest("it is not in canonical form".to_owned()));
        }
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ArtifactError> {
        let wrong = |what: &str| Err(ArtifactError::Manifest(what.to_owned()));
        for (index, outcome) in self.outcomes.iter().enumerate() {
            if outcome.id as usize != index {
                return wrong("its outcomes are not numbered in order");
            }
            if outcome.rules.iter().any(|r| self.rules.get(r.rule as usize).is_none()) {
                return wrong("an outcome names a rule that is not there");
            }
            if outcome.errno > 4095 {
                return wrong("an outcome has an errno above 4095");
            }
        }
        let lost = |index: &u32, len: usize| *index as usize >= len;
        for set in &self.name_sets {
            if set.names.iter().any(|n| lost(n, self.names.len())) || set.rules.iter().any(|r| lost(r, self.rules.len())) {
                return wrong("a set of names has a name or a rule that is not there");
            }
        }
        if self.slots.len() > 64 {
            return wrong("it has more than 64 events");
        }
        Ok(())
    }

    /// The rules of an outcome, with the way each came out.
    pub fn rules_of(&self, outcome: u32) -> impl Iterator<Item = (&Rule, Truth)> {
        let outcome = self.outcomes.get(outcome as usize);
        outcome.into_iter().flat_map(|o| &o.rules).filter_map(|r| Some((self.rules.get(r.rule as usize)?, r.truth)))
    }
}
