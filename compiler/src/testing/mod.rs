//! What tests of policies and of the compiler itself run on. Never part of what is loaded into a kernel.

pub mod differential;
pub mod judge;
pub mod untidy;
pub mod vm;
