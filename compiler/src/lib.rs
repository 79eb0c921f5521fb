//! The ebsec compiler: policy source to eBPF object. Pure: no input, no output, no clock. The modules are the stages,
//! in the order in which data flows; a stage imports only earlier ones and the leaves `source`, `diag`, `bpf`. `hir` is
//! data and its meaning: `fold` and `cases` make it, every later stage reads it.
#![forbid(unsafe_code)]

pub mod bpf;

pub mod source;

pub mod diag;

pub mod hir;

pub mod resolve;

pub mod typed;

pub mod fold;

pub mod cases;

pub mod written;

pub mod config;

pub mod reference;

pub mod classes;

pub mod decide;

pub mod codegen;

pub mod object;

pub mod artifact;

pub mod fmt;

pub mod lint;

pub mod pipeline;
pub mod testing;
