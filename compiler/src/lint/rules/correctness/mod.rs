//! What does nothing, or nothing more than something else.

pub mod constant_condition;
pub mod constant_test;
pub mod default_deny_without_allow;
pub mod duplicate_rule;
pub mod enforce_over_audit_only;
pub mod ineffective_setting;
pub mod overridden_allow;
pub mod redundant_condition;
pub mod redundant_element;
pub mod refuses_nothing;
pub mod shadowed_name;
pub mod shadowed_rule;
pub mod unsatisfiable_condition;
pub mod unused_fn;
pub mod unused_import;
pub mod unused_let;
pub mod unused_param;
