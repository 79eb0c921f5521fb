//! Policies that take the host down, or drown it in reports.

pub mod audit_flood;
pub mod denies_lifeline;
pub mod locks_out;
pub mod refuses_everything;
