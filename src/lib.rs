//! A scripting-language runtime for score-based generative diffusion with active, temporally correlated noise.
//!
//! **Scripts describe, Rust computes.** A closure of a script such as `|s, t, p| #{ x: s.eta - p.k * s.x, .. }` runs
//! once, on symbols; what comes back is an expression graph, from which the process is classified, its kernel and its
//! reverse process are derived, and everything is evaluated over blocks of samples in vector code.
//!
//! Most users run the command `tumble`. To embed the language in another program, build a [`Runtime`], run a script,
//! read a value back, and register functions of your own:
//!
//! ```
//! let mut tumble = tumble::Runtime::new();
//! tumble.engine().register_fn("double", |x: f64| 2.0 * x);
//! let value = tumble.run("let p = process::active(#{ tau: 0.5 }); double(p.kernel(1).cov[0][0])")?;
//! assert!((value.as_float().unwrap() - 0.9248).abs() < 1e-4);
//! assert_eq!(tumble.eval::<String>("p.name")?, "active");
//! # Ok::<(), Box<tumble::Diagnostic>>(())
//! ```
//!
//! What scripts may touch of the machine, its files, clock and memory, is the [`Host`] of their runtime; two runtimes
//! of one program may have different ones. By default that is all files: for scripts that are not trusted, give it
//! [`host::Permissions`], as the command does.
//!
//! The rooms below the language can be used on their own: a [`process::Process`] gives kernels, a [`score::Score`] is
//! exact or learned, [`train`] and [`sample`] are free functions. Each room depends only on rooms below it; README.md
//! has the map.

pub mod artefact;
pub mod data;
pub mod error;
pub mod explain;
pub mod expr;
pub mod gauss;
pub mod host;
pub mod measure;
pub mod nn;
pub mod physics;
pub mod plot;
pub mod process;
pub mod ranks;
pub mod rng;
pub mod sample;
pub mod score;
pub mod settings;
pub mod sweep;
pub mod task;
pub mod tensor;
pub mod train;
pub mod vector;

pub mod lang;

#[cfg(test)]
mod property;

pub use error::{Error, Result};
pub use host::Host;
pub use lang::{Diagnostic, Limits, Runtime, Value};
// In the release whose types are in the interface.
pub use ndarray;
