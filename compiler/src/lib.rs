//! The ebsec compiler: policy source to eBPF object. Pure: no input, no output, no clock. The modules are the stages,
//! in the order in which data flows; a stage imports only earlier ones and the leaves `source`, `diag`, `bpf`.
#![forbid(unsafe_code)]

pub mod bpf;
pub mod classes;
pub mod codegen;
pub mod decide;
pub mod diag;
pub mod hir;
pub mod object;
pub mod artifact;
pub mod source;
pub mod testing;
