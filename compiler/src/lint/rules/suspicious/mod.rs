//! What looks right and does not do what it looks like.

pub mod comm_as_identity;
pub mod container_scope;
pub mod invisible_character;
pub mod memfd_gap;
pub mod missing_counterpart;
pub mod mixed_scripts;
pub mod null_refused;
pub mod old_mode;
pub mod parent_at_exec;
pub mod script_as_exe;
pub mod script_without_interpreter;
pub mod spoofable_exe;
pub mod symlink_path;
