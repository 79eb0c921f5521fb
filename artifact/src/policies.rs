//! What the policies of an artifact say, for people who audit it: the manifest's second section, which no loader reads.
//! Canonical JSON like the manifest. What the manifest says of a rule (its reason, severity, place) is not said again here.

use crate::{ArtifactError, Manifest, Mode};
use serde::{Deserialize, Serialize};

/// Version of this section.
pub const POLICIES_FORMAT: u32 = 1;

/// All policies in force. Conditions are text of the language in canonical form, with the full names of what they name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// What conditions name, by name.
    pub definitions: Vec<Definition>,
    /// Each `except`, in source order.
    pub exceptions: Vec<Exception>,
    /// [`POLICIES_FORMAT`].
    pub format: u32,
    /// Policies in the order of [`Manifest::rules`].
    pub policies: Vec<Policy>,
}

/// A constant, a parameter or a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// `std.programs.shells`; of a function with its arguments, `inside(folder)`.
    pub name: String,
    /// A deployment may give it another value.
    #[serde(default, skip_serializing_if = "is_false")]
    pub parameter: bool,
    /// Its value or condition.
    pub text: String,
}

/// A policy in force. Absent fields are empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its `allow` rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allows: Vec<Allow>,
    /// Its `description`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// File of the policy and of all its rules.
    pub file: String,
    /// Its mode.
    pub mode: Mode,
    /// Qualified name.
    pub name: String,
    /// Values that its `apply` gives to parameters of its module.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Definition>,
    /// Its rules and defaults as written.
    pub rules: Vec<Clauses>,
    /// Its `scope`, and the `where` of its `apply`: the processes that it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Its `tags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// An `allow` rule: what the policy's default of its events does not refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
    /// Events.
    pub events: Vec<String>,
    /// Label.
    pub label: String,
    /// Line of the label, from 1.
    pub line: u32,
    /// Condition after `unless`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unless: String,
    /// Condition after `when`; empty: always.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub when: String,
}

/// An `except`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Reason.
    pub because: String,
    /// Event of the default that it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub event: String,
    /// File that it is written in.
    pub file: String,
    /// Label of the rule that it is about; empty, as `event` is: the whole policy.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Its line, from 1.
    pub line: u32,
    /// Qualified name of the policy that it is about, wherever that is applied.
    pub policy: String,
    /// Last day, as written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub until: String,
    /// Its condition.
    pub when: String,
}

/// A rule or default as written. The rest of it is in [`Manifest::rules`], where it has an entry for each of its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clauses {
    /// Number of its entries.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub events: u32,
    /// Its first entry, an index into [`Manifest::rules`].
    pub first: u32,
    /// Condition after `unless`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unless: String,
    /// Condition after `when`; empty: always.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub when: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(value: &u32) -> bool {
    *value == 1
}

#[derive(Deserialize)]
struct Head {
    format: u64,
}

impl Policies {
    /// Canonical bytes. Equal policies give equal bytes.
    ///
    /// # Errors
    /// None in practice: every field has a JSON form.
    pub fn encode(&self) -> Result<Vec<u8>, ArtifactError> {
        serde_json::to_vec(self).map_err(|e| ArtifactError::Policies(e.to_string()))
    }

    /// Reads canonical bytes and checks that its rules are those of the manifest, each once and in order.
    ///
    /// # Errors
    /// Another format, unknown or missing fields, bytes that are not canonical, rules that are not there.
    pub fn decode(bytes: &[u8], manifest: &Manifest) -> Result<Self, ArtifactError> {
        let invalid = |e: serde_json::Error| ArtifactError::Policies(e.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(invalid)?;
        if head.format != u64::from(POLICIES_FORMAT) {
            return Err(ArtifactError::Policies(format!("they have the format {}, which this version cannot read", head.format)));
        }
        let policies: Self = serde_json::from_slice(bytes).map_err(invalid)?;
        if policies.encode()? != bytes {
            return Err(ArtifactError::Policies("they are not in canonical form".to_owned()));
        }
        let mut next = 0u64;
        for rule in policies.policies.iter().flat_map(|p| &p.rules) {
            if u64::from(rule.first) != next || rule.events == 0 {
                return Err(ArtifactError::Policies("their rules are not in order".to_owned()));
            }
            next += u64::from(rule.events);
        }
        if next != manifest.rules.len() as u64 {
            return Err(ArtifactError::Policies("their rules are not those of the manifest".to_owned()));
        }
        Ok(policies)
    }
}
