//! The registry of lints: one file each, gathered by group. A new lint is a file, a line here and a page.

mod correctness;
mod safety;
mod style;
mod suspicious;

use super::Lint;

/// All lints.
pub(super) const ALL: &[Lint] = &[
    suspicious::invisible_character::LINT,
    suspicious::mixed_scripts::LINT,
    correctness::constant_condition::LINT,
    correctness::constant_test::LINT,
    correctness::unsatisfiable_condition::LINT,
    correctness::duplicate_rule::LINT,
    correctness::shadowed_rule::LINT,
    correctness::redundant_condition::LINT,
    correctness::redundant_element::LINT,
    correctness::overridden_allow::LINT,
    correctness::default_deny_without_allow::LINT,
    correctness::refuses_nothing::LINT,
    correctness::enforce_over_audit_only::LINT,
    correctness::ineffective_setting::LINT,
    correctness::unused_let::LINT,
    correctness::unused_param::LINT,
    correctness::unused_fn::LINT,
    correctness::unused_import::LINT,
    correctness::shadowed_name::LINT,
    suspicious::symlink_path::LINT,
    suspicious::script_as_exe::LINT,
    suspicious::script_without_interpreter::LINT,
    suspicious::old_mode::LINT,
    suspicious::container_scope::LINT,
    suspicious::spoofable_exe::LINT,
    suspicious::comm_as_identity::LINT,
    suspicious::parent_at_exec::LINT,
    suspicious::missing_counterpart::LINT,
    suspicious::memfd_gap::LINT,
    suspicious::null_refused::LINT,
    safety::locks_out::LINT,
    safety::denies_lifeline::LINT,
    safety::refuses_everything::LINT,
    safety::audit_flood::LINT,
    style::empty_reason::LINT,
    style::missing_because::LINT,
    style::missing_description::LINT,
    style::missing_negative_test::LINT,
    style::missing_severity::LINT,
    style::missing_test::LINT,
    style::naming::LINT,
    style::no_scope::LINT,
    style::unformatted::LINT,
];
