//! What a reader of a policy or of its reports misses.

pub mod empty_reason;
pub mod missing_because;
pub mod missing_description;
pub mod missing_negative_test;
pub mod missing_severity;
pub mod missing_test;
pub mod naming;
pub mod no_scope;
pub mod unformatted;
