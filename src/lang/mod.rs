//! The language: engine, tracing, options, catalog of docs, diagnostics, stdlib loader.
//!
//! This is the only room that knows Rhai, and it does no arithmetic on tensors: it reads arguments, calls the rooms
//! below, and hands their results back.

mod apart;
mod arithmetic;
pub mod assist;
mod builtins;
pub mod catalog;
mod caught;
mod code;
pub mod diagnostics;
mod engine;
mod explain;
mod failure;
mod inspect;
mod json;
pub mod limits;
mod long;
mod modules;
mod names;
#[cfg(test)]
mod network_tests;
mod options;
mod reference;
mod rewrite;
mod runtime;
#[cfg(test)]
mod sampler_tests;
mod show;
mod sources;
mod standard;
mod stop;
mod surroundings;
mod tensors;
mod tokens;
mod tracing;
mod types;
mod whole;

pub use diagnostics::Diagnostic;
pub use limits::Limits;
pub use runtime::{Builder, Runtime, Value};
// In the release whose types are in the interface.
pub use rhai;
