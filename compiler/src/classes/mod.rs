//! Classifies field values: two values are in one class if no atom of the package tells them apart. Takes path sets,
//! ranges and prefixes of the typed policy, gives tables that the event path walks. Never looks at rules.

pub mod numbers;
pub mod paths;
pub mod prefixes;
