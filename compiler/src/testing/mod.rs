//! What tests of policies and of the compiler itself run on. Never part of what is loaded into a kernel.

pub mod coverage;
pub mod differential;
pub mod judge;
pub mod mutation;
pub mod untidy;
pub mod vm;
